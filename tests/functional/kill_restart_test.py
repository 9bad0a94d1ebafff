"""Nodes die at any moment; nothing that was promised is lost, and nothing happens twice."""

import unittest

from cluster import Cluster
from load import Load, check_log
from programs import eventchain
from seed import random_for
from waiting import random_moment, wait_until

KILLS = 20
KILLS_OF_LEADER = 10


class KillRestartTest(unittest.TestCase):
    def test_kill_minus_nine_at_any_moment_loses_nothing_and_doubles_nothing(self):
        random = random_for("kill restart")
        hits_leader = [True] * KILLS_OF_LEADER + [False] * (KILLS - KILLS_OF_LEADER)
        random.shuffle(hits_leader)
        with Cluster() as cluster:
            with Load(cluster.nodes) as load:
                for must_lead in hits_leader:
                    # Some work is under way whenever the blow falls.
                    before = load.count()
                    more = random.randrange(1, 100)
                    wait_until(lambda: load.count() >= before + more, "events are taken in")
                    victim = cluster.leader() if must_lead else random.choice(cluster.nodes)
                    random_moment(random, 0.1)
                    victim.kill()
                    self.the_others_go_on(cluster)
                    self.it_catches_up(cluster, victim)
            tip = cluster.wait_same_tip()
            promises = load.promises()
            logs = {node: check_log(self, node, promises) for node in cluster.nodes}
            first = cluster.nodes[0]
            for node in cluster.nodes[1:]:
                self.assertEqual(logs[node], logs[first], f"the logs of {node} and {first} differ")
            self.the_database_verifies(cluster, random.choice(cluster.nodes), tip)
        print(f"({len(promises)} promises, {len(logs[first])} events) ", end="", flush=True)

    def test_all_nodes_killed_at_once_come_back_with_everything_they_promised(self):
        random = random_for("all at once")
        with Cluster() as cluster:
            with Load(cluster.nodes) as load:
                for _ in range(3):
                    before = load.count()
                    wait_until(lambda: load.count() > before + 50, "events are taken in")
                    random_moment(random, 0.1)
                    for node in random.sample(cluster.nodes, len(cluster.nodes)):
                        node.kill()
                    for node in cluster.nodes:
                        node.start()
                    for node in cluster.nodes:
                        node.wait_ready()
            cluster.wait_same_tip()
            logs = [check_log(self, node, load.promises()) for node in cluster.nodes]
            self.assertEqual(logs[0], logs[1])
            self.assertEqual(logs[0], logs[2])

    def the_others_go_on(self, cluster):
        sizes = {node: node.log_size() for node in cluster.running()}
        goal = max(sizes.values()) + 1
        for node in sizes:
            node.wait_log_size(goal)

    def it_catches_up(self, cluster, victim):
        others = cluster.running()
        height = max(node.height() for node in others)
        victim.start()
        victim.wait_ready()
        wait_until(lambda: victim.height() >= height, f"{victim} is at height {height}")
        with victim.client() as mine, others[0].client() as theirs:
            wait_until(lambda: theirs.header(height), f"{others[0]} is at height {height}")
            self.assertEqual(mine.header(height)["id"], theirs.header(height)["id"])

    def the_database_verifies(self, cluster, node, tip):
        node.stop()
        done = eventchain("chain", "verify", "--data", node.data, "--genesis", cluster.genesis)
        self.assertIn(tip, done.stdout)


class FrozenLeaderTest(unittest.TestCase):
    def test_a_leader_that_wakes_up_after_its_successor_was_elected_steps_down(self):
        with Cluster() as cluster:
            with Load(cluster.nodes, writers=2) as load:
                wait_until(lambda: load.count() > 20, "events are taken in")
                frozen = cluster.leader()
                term = int(frozen.status()["term"])
                frozen.freeze()
                others = [node for node in cluster.nodes if node is not frozen]

                def successor():
                    for node in others:
                        status = node.status()
                        if status["role"] == "leader" and status["ready"]:
                            return int(status["term"]) > term
                    return False

                wait_until(successor, "another node leads")
                size = max(node.log_size() for node in others)
                for node in others:
                    node.wait_log_size(size + 1)
                frozen.thaw()
                wait_until(
                    lambda: int((frozen.status() or {"term": 0})["term"]) > term,
                    f"{frozen} knows of the new term",
                )
                frozen.wait_log_size(size + 1)
            cluster.wait_same_tip()
            promises = load.promises()
            logs = [check_log(self, node, promises) for node in cluster.nodes]
            self.assertEqual(logs[0], logs[1])
            self.assertEqual(logs[0], logs[2])


if __name__ == "__main__":
    unittest.main()
