"""A node that is to be stopped: it sends clients away, hands over, and loses nothing."""

import unittest

from client import event
from cluster import Cluster
from load import Load, check_log
from programs import eventchain
from waiting import wait_until

EXIT_NOT_YET = 4


def endpoint(node):
    return ("--endpoint", f"http://127.0.0.1:{node.api_port}")


def drain(node, *options, check=True):
    return eventchain("node", "drain", *options, *endpoint(node), check=check)


def state(node):
    """Of the drain: none, draining or drained."""
    return node.status().get("drain", {"state": "none"})["state"]


class DrainTest(unittest.TestCase):
    def test_the_leader_is_drained_under_load_stopped_and_started(self):
        with Cluster() as cluster:
            with Load(cluster.nodes) as load:
                wait_until(lambda: load.count() > 50, "events are taken in")
                drained = cluster.leader()
                self.assertIn("may be stopped", drain(drained, "--wait").stdout)
                self.assertIsNot(cluster.leader(), drained)
                self.it_sends_clients_away(drained)
                self.assertEqual(state(drained), "drained")

                drained.stop()
                before = load.count()
                wait_until(lambda: load.count() > before + 50, "the others go on")
                drained.start()
                drained.wait_ready()
                self.assertEqual(state(drained), "none")
                before = load.count()
                wait_until(lambda: load.count() > before + 50, "all take in events")
            cluster.wait_same_tip()
            logs = [check_log(self, node, load.promises()) for node in cluster.nodes]
            self.assertEqual(logs[0], logs[1])
            self.assertEqual(logs[0], logs[2])

    def it_sends_clients_away(self, node):
        with node.client() as client:
            answer = client.submit(event("/m", "turned away"))
            self.assertEqual(answer.status, 503, answer)
            self.assertEqual(answer.problem_type(), "draining")
            self.assertIn("retry-after", {name.lower() for name in answer.headers})
            ready = client.get("/readyz")
            self.assertEqual(ready.status, 503, ready)
            self.assertEqual(ready.problem_type(), "draining")

    def test_a_drain_is_undone(self):
        with Cluster() as cluster:
            node = cluster.leader()
            drain(node)
            self.assertNotEqual(state(node), "none")
            drain(node, "--undo")
            self.assertEqual(state(node), "none")
            self.assertTrue(node.is_ready())
            with node.client() as client:
                answer = client.submit(event("/m", "taken in"), wait="completed")
                self.assertEqual(answer.status, 201, answer)

    def test_without_a_majority_nothing_that_waits_is_drained(self):
        with Cluster() as cluster:
            alone, *others = cluster.nodes
            for node in others:
                node.kill()
            with alone.client() as client:
                client.submit(event("/m", "waits"), wait="received")
            done = drain(alone, "--wait", "--seconds", 1, check=False)
            self.assertEqual(done.returncode, EXIT_NOT_YET, done.stderr)
            self.assertIn("1 events", done.stdout)
            for node in others:
                node.start()
            drain(alone, "--wait")
            self.assertEqual(state(alone), "drained")
            alone.wait_log_size(1)


if __name__ == "__main__":
    unittest.main()
