"""A member whose disk was lost, exchanged or put back to an older state does not come back."""

import shutil
import unittest

from client import event
from cluster import Cluster
from programs import eventchain
from waiting import wait_until


class DiskIdentityTest(unittest.TestCase):
    def ends_of_itself(self, node):
        """The exit code of a node that is started and must not run."""
        node.start()
        return wait_until(node.end_of_itself, f"{node.name} ends", 30)

    def submit(self, node, first, count):
        with node.client() as client:
            for number in range(first, first + count):
                answer = client.submit(event("/disk", str(number)), wait="completed")
                self.assertEqual(answer.status, 201)

    def test_an_empty_disk_is_refused_and_the_others_go_on(self):
        with Cluster() as cluster:
            lost = cluster.follower()
            others = [node for node in cluster.nodes if node is not lost]
            self.assertFalse((lost.data / "store-id").exists())
            lost.kill()
            shutil.rmtree(lost.data)
            self.assertEqual(self.ends_of_itself(lost), 1)
            self.assertIn("disk was lost", lost.log_tail())
            self.assertFalse(lost.data.exists())
            self.submit(others[0], 0, 3)

            # Another member's data directory is no help.
            others[1].stop()
            shutil.copytree(others[1].data, lost.data)
            self.assertEqual(self.ends_of_itself(lost), 1)
            self.assertIn("belongs to another disk", lost.log_tail())
            others[1].start()
            others[1].wait_ready()
            self.submit(others[0], 3, 3)

    def test_a_node_that_has_run_is_not_set_up_again(self):
        with Cluster(nodes=1) as cluster:
            (node,) = cluster.nodes
            again = eventchain(
                *("config", "init", node.home, "--genesis", cluster.genesis, "--data", node.data),
                *("--peers-listen", "127.0.0.1:1", "--api-listen", "127.0.0.1:2", "--api-plain"),
                *("--out", cluster.directory / "again.toml"),
                check=False,
            )
            self.assertNotEqual(again.returncode, 0)
            self.assertIn("has a database already", again.stderr)
            self.assertFalse((cluster.directory / "again.toml").exists())

    def test_a_disk_that_was_put_back_is_noticed(self):
        for was_leader in (False, True):
            with self.subTest(was_leader=was_leader), Cluster() as cluster:
                old = cluster.leader() if was_leader else cluster.follower()
                others = [node for node in cluster.nodes if node is not old]
                self.submit(old, 0, 3)
                old.stop()
                backup = cluster.directory / "backup"
                shutil.copytree(old.data, backup)
                old.start()
                old.wait_ready()
                self.submit(others[0], 3, 5)
                cluster.wait_same_tip()
                old.stop()
                shutil.rmtree(old.data)
                shutil.copytree(backup, old.data)
                self.assertEqual(self.ends_of_itself(old), 70)
                self.assertIn("put back to an earlier state", old.log_tail())
                self.submit(others[0], 8, 3)


if __name__ == "__main__":
    unittest.main()
