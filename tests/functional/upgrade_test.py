"""A rolling upgrade: programs of two versions in one cluster, and how the old one ends."""

import unittest

from client import event
from light_test import LightCluster
from waiting import wait_until

NEXT = "eventchaind-next"
EXIT_OUTDATED = 76


def levels(node):
    """What the cluster does, and what this node's program can do."""
    status = node.status()
    return status and (int(status["feature_level"]), int(status["program_level"]))


class UpgradeTest(unittest.TestCase):
    def complete(self, node, name):
        with node.client() as client:
            answer = client.submit(event("/upgrade", name), wait="completed")
            self.assertEqual(answer.status, 201, answer)

    def upgrade(self, node):
        node.stop()
        node.executable = NEXT
        node.start()
        node.wait_ready()

    def check_outdated(self, node):
        """It ends, says what to do, and does not start again before it is upgraded."""
        for _ in range(2):
            code = wait_until(node.end_of_itself, f"{node} ends: its program is too old", 60)
            self.assertEqual(code, EXIT_OUTDATED, node.log_tail())
            self.assertIn("install", node.log_tail())
            node.start()
        code = wait_until(node.end_of_itself, f"{node} does not start")
        self.assertEqual(code, EXIT_OUTDATED, node.log_tail())

    def test_voters_are_upgraded_one_by_one_and_the_last_one_raises_the_level(self):
        with LightCluster() as cluster:
            voters = list(cluster.nodes)
            watcher = cluster.take_in("watcher", "observer")
            lamp = cluster.take_in_light()
            for number, voter in enumerate(voters):
                self.assertEqual(levels(watcher), (1, 1))
                self.upgrade(voter)
                self.assertEqual(levels(voter)[1], 2)
                # Whoever leads, old or new, all of them go on.
                self.complete(watcher if number < 2 else voter, f"after {number}")
            for voter in voters:
                wait_until(lambda: levels(voter) == (2, 2), f"{voter} knows the new level")

            self.check_outdated(watcher)
            self.check_outdated(lamp)
            for node in (watcher, lamp):
                node.executable = NEXT
                node.start()
            self.complete(voters[0], "last")
            for node in (watcher, lamp):
                cluster.wait_caught_up(node)
                self.assertEqual(levels(node)[0], 2)
            watcher.wait_log_size(4)

    def test_an_old_program_joins_no_cluster_of_the_next_level(self):
        with LightCluster() as cluster:
            voters = list(cluster.nodes)
            for voter in voters:
                self.upgrade(voter)
            wait_until(lambda: levels(voters[0]) == (2, 2), "the level is raised")
            old, _ = cluster.join("old", cluster.invite("old", "observer"))
            cluster.nodes.append(old)
            old.start()
            code = wait_until(old.end_of_itself, f"{old} ends: its program is too old", 60)
            self.assertEqual(code, EXIT_OUTDATED, old.log_tail())
            old.executable = NEXT
            old.start()
            cluster.wait_caught_up(old)


if __name__ == "__main__":
    unittest.main()
