"""Source and id name one event for ever: over nodes, crashes and restarts."""

import collections
import threading
import unittest

from client import Unreachable, event
from cluster import Cluster
from load import COME_BACK, check_log
from seed import random_for
from waiting import POLL_SECONDS, random_moment, wait_until

POSTS = 1000
KILLS = 6
POSTERS = 4


class Poster(threading.Thread):
    """Posts the events of a list that others extend, the first of them most often."""

    def __init__(self, nodes, events, number):
        super().__init__(name=f"poster {number}", daemon=True)
        self.answers = collections.Counter()  # (source, id) -> posts that were answered
        self.positions = collections.defaultdict(set)  # (source, id) -> positions in answers
        self.failure = None
        self.halt = threading.Event()
        self._events = events
        self._random = random_for(f"poster {number}")
        self._nodes = nodes
        self._clients = {node: node.client(timeout=8.0) for node in nodes}

    def run(self):
        try:
            while not self.halt.is_set():
                self._post()
        except Exception as error:  # the test looks at it
            self.failure = error
        finally:
            for client in self._clients.values():
                client.close()

    def _post(self):
        latest = self._events[-1]
        one = self._random.choice((self._events[0], latest))
        node = self._random.choice(self._nodes)
        wait = self._random.choice(("received", "durable", "completed"))
        try:
            answer = self._clients[node].submit(one, wait=wait, seconds=2)
        except Unreachable:
            self.halt.wait(POLL_SECONDS)
            return
        if answer.status in COME_BACK:
            return
        assert answer.status in (200, 201, 202), f"{node} answered {answer}"
        key = (one["source"], one["id"])
        self.answers[key] += 1
        if "position" in answer.json():
            self.positions[key].add(answer.json()["position"])


class IdempotencyTest(unittest.TestCase):
    def test_the_same_event_posted_a_thousand_times_over_crashes_has_one_position(self):
        random = random_for("idempotency")
        with Cluster() as cluster:
            events = [event("/till", "receipt-1", stream="till")]
            posters = [Poster(cluster.nodes, events, number) for number in range(POSTERS)]
            for poster in posters:
                poster.start()
            try:
                for kill in range(KILLS):
                    # An event that the blow finds on its way, besides the one that is long done.
                    events.append(event("/till", f"receipt-{kill + 2}", stream="till"))
                    random_moment(random, 0.2)
                    victim = cluster.leader() if kill % 2 else random.choice(cluster.nodes)
                    victim.kill()
                    self.more_answers(posters, 20)
                    victim.start()
                    victim.wait_ready()
                first = ("/till", "receipt-1")
                self.more_answers(posters, 20)
                wait_until(
                    lambda: self.posted(posters, first) >= POSTS, f"{POSTS} posts were answered", 60
                )
            finally:
                for poster in posters:
                    poster.halt.set()
                for poster in posters:
                    poster.join()
            self.assertEqual([p.failure for p in posters if p.failure], [])
            cluster.wait_same_tip()
            for node in cluster.nodes:
                keys = check_log(self, node)
                self.assertEqual(sorted(keys), sorted((e["source"], e["id"]) for e in events))
                for position, key in enumerate(keys):
                    told = set().union(*(poster.positions[key] for poster in posters))
                    self.assertLessEqual(told, {str(position)}, key)

    def more_answers(self, posters, count):
        goal = sum(sum(poster.answers.values()) for poster in posters) + count

        def reached():
            for poster in posters:
                if poster.failure:
                    raise AssertionError(f"{poster.name}: {poster.failure}")
            return sum(sum(poster.answers.values()) for poster in posters) >= goal

        wait_until(reached, "posts are answered")

    def posted(self, posters, key):
        return sum(poster.answers[key] for poster in posters)

    def test_one_event_posted_to_all_nodes_at_once_is_one_event(self):
        with Cluster() as cluster:
            rounds = 25
            positions = [[] for _ in range(rounds)]
            gate = threading.Barrier(len(cluster.nodes), timeout=30)

            def post(node):
                with node.client() as client:
                    for number in range(rounds):
                        gate.wait()
                        one = event("/all", str(number), stream="all")
                        answer = client.submit(one, wait="completed")
                        positions[number].append((answer.status, answer.json().get("position")))

            threads = [threading.Thread(target=post, args=(node,)) for node in cluster.nodes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            cluster.wait_same_tip()
            keys = check_log(self, cluster.nodes[0])
            self.assertEqual(len(keys), rounds)
            for number, told in enumerate(positions):
                expected = (201, str(keys.index(("/all", str(number)))))
                self.assertEqual(told, [expected] * len(cluster.nodes), f"round {number}")

    def test_other_content_under_the_same_key_is_refused_everywhere_and_for_ever(self):
        with Cluster() as cluster:
            mine = event("/desk", "1", stream="desk", data={"amount": 1})
            other = event("/desk", "1", stream="desk", data={"amount": 2})
            with cluster.nodes[0].client() as client:
                self.assertEqual(client.submit(mine, wait="durable").status, 202)
                # Its position is not known yet, most likely; its content is settled all the same.
                self.check_conflict(client.submit(other))
                self.assertEqual(client.submit(mine, wait="completed").json()["position"], "0")
            cluster.wait_same_tip()
            for node in cluster.nodes:
                with node.client() as client:
                    self.check_conflict(client.submit(other, wait="completed"))
                    batch = [event("/desk", "2", stream="desk"), other]
                    self.check_conflict(client.submit(batch))
            for node in cluster.nodes:
                node.kill()
            for node in cluster.nodes:
                node.start()
            for node in cluster.nodes:
                node.wait_ready()
                with node.client() as client:
                    self.check_conflict(client.submit(other))
                    found = client.find("/desk", "1").json()
                    self.assertEqual(found["event"]["data"], {"amount": 1})
                    self.assertEqual(found["position"], "0")

    def check_conflict(self, answer):
        self.assertEqual((answer.status, answer.problem_type()), (409, "key-conflict"), answer)


class ExpectedVersionTest(unittest.TestCase):
    def test_an_expectation_that_is_past_is_refused_with_the_current_version(self):
        with Cluster() as cluster:
            with cluster.leader().client() as client:
                for number in range(3):
                    one = event("/bank", str(number), stream="account", expected=number - 1)
                    answer = client.submit(one, wait="completed")
                    self.assertEqual((answer.status, answer.json()["version"]), (201, number))
            cluster.wait_same_tip()
            for node in cluster.nodes:
                with node.client() as client:
                    late = event("/bank", f"late-{node}", stream="account", expected=0)
                    self.check_conflict(client.submit(late), 2)
                    again = event("/bank", f"new-{node}", stream="account", expected=-1)
                    self.check_conflict(client.submit(again, wait="completed"), 2)
            with cluster.nodes[1].client() as client:
                right = event("/bank", "3", stream="account", expected=2)
                self.assertEqual(client.submit(right, wait="completed").json()["version"], 3)

    def test_of_two_that_expect_the_same_version_one_wins(self):
        with Cluster() as cluster:
            with Clients(cluster.nodes) as clients:
                for number in range(8):
                    answers = clients.submit_at_once(
                        event("/race", f"{number}-{node}", stream="race", expected=number - 1)
                        for node in cluster.nodes
                    )
                    statuses = sorted(answer.status for answer in answers)
                    self.assertEqual(statuses, [201, 409, 409], answers)
                    for answer in answers:
                        if answer.status == 409:
                            self.check_conflict(answer, number)
            cluster.wait_same_tip()
            self.assertEqual(len(check_log(self, cluster.nodes[0])), 8)

    def test_a_refusal_stays_a_refusal_with_the_version_when_it_is_posted_again(self):
        with Cluster() as cluster:
            with Clients(cluster.nodes) as clients:
                racing = [
                    event("/again", node.name, stream="again", expected=-1)
                    for node in cluster.nodes
                ]
                first = clients.submit_at_once(racing)
                self.assertEqual(sorted(a.status for a in first), [201, 409, 409], first)
                cluster.wait_same_tip()
                for one, before in zip(racing, first):
                    for node in cluster.nodes:
                        with node.client() as client:
                            answer = client.submit(one, wait="completed")
                        self.assertEqual(answer.status, before.status, answer)
                        if answer.status == 409:
                            self.check_conflict(answer, 0)

    def test_an_expectation_that_lies_ahead_waits_until_it_is_reached(self):
        with Cluster() as cluster:
            ahead = event("/ahead", "4", stream="ahead", expected=3)
            with cluster.nodes[0].client() as client:
                answer = client.submit(ahead, wait="durable")
                self.assertEqual((answer.status, answer.json()["detail"]), (202, "durable"))
            with cluster.nodes[1].client() as client:
                # It is durable without this node, which may get it a little later.
                wait_until(
                    lambda: client.find("/ahead", "4").status == 200, f"{cluster.nodes[1]} holds it"
                )
                for number in range(4):
                    key = client.find("/ahead", "4").json()
                    self.assertEqual(key["status"], "in-progress", key)
                    one = event("/ahead", str(number), stream="ahead", expected=number - 1)
                    self.assertEqual(client.submit(one, wait="completed").status, 201)
            with cluster.nodes[2].client() as client:
                answer = client.submit(ahead, wait="completed")
                self.assertIn(answer.status, (200, 201), answer)
                self.assertEqual(answer.json()["position"], "4")
                self.assertEqual(client.find("/ahead", "4").json()["version"], 4)

    def check_conflict(self, answer, version):
        self.assertEqual((answer.status, answer.problem_type()), (409, "version-conflict"), answer)
        self.assertEqual(answer.json().get("version"), version, answer)


class Clients:
    """One client of each node; posts to all of them at the same moment."""

    def __init__(self, nodes):
        self._clients = [node.client() for node in nodes]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self._clients:
            client.close()

    def submit_at_once(self, events):
        answers = [None] * len(self._clients)
        gate = threading.Barrier(len(self._clients), timeout=30)

        def post(place, client, one):
            gate.wait()
            answers[place] = client.submit(one, wait="completed")

        threads = [
            threading.Thread(target=post, args=(place, client, one))
            for place, (client, one) in enumerate(zip(self._clients, events, strict=True))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers


if __name__ == "__main__":
    unittest.main()
