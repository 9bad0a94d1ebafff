"""A database is verified as it lies: while its node writes it, as a copy, where nothing can be written."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from client import event
from cluster import Cluster
from light_test import LightCluster
from load import Load
from programs import clean_environment, eventchain, program
from receipts import take_receipt
from waiting import wait_until

EXIT_ERROR = 1
NOBODY = 65534


def files_in(directory):
    """Name and octets of each file: what nobody may change by looking."""
    return {path.name: path.read_bytes() for path in pathlib.Path(directory).iterdir() if path.is_file()}


class VerifyLiveTest(unittest.TestCase):
    def verify(self, data, genesis, *more, as_nobody=False):
        """The finished process, and what it says as JSON."""
        done = subprocess.run(
            [program("eventchain"), "chain", "verify", "--data", str(data), "--genesis", str(genesis), "-o", "json"]
            + [str(one) for one in more],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            user=NOBODY if as_nobody else None,
            check=False,
        )
        return done, json.loads(done.stdout) if done.stdout else None

    def expect_good(self, data, genesis, *more, **how):
        done, told = self.verify(data, genesis, *more, **how)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(told["findings_total"], 0, told)
        return told

    def test_a_node_is_verified_under_load_and_goes_on_and_what_was_kept_agrees(self):
        with Cluster() as cluster:
            node = cluster.nodes[1]
            kept = cluster.directory / "kept"
            kept.mkdir()
            with cluster.nodes[0].client() as client:
                key = client.submit(event("/live", "first"), wait="final").json()["key"]
                (kept / "note.txt").write_bytes(client.get("/checkpoint").body)
            take_receipt(cluster.nodes[2], key, kept / "first.json")
            heights = []
            with Load(cluster.nodes) as load:
                for _ in range(12):
                    before = load.count()
                    told = self.expect_good(node.data, cluster.genesis, "--against", kept)
                    self.assertEqual((told["against"]["receipts"], told["against"]["checkpoints"]), (1, 1))
                    heights.append(told["height"])
                    # The node takes events while it is looked at, and afterwards.
                    wait_until(lambda: load.count() > before, "the writers are answered")
            self.assertEqual(heights, sorted(heights))
            self.assertGreater(heights[-1], heights[0])
            tip = cluster.wait_same_tip()
            told = self.expect_good(node.data, cluster.genesis)
            self.assertEqual(told["tip"], tip)
            self.assertFalse(told["has_grown"])

            copy = cluster.directory / "copy"
            shutil.copytree(node.data, copy)
            self.assertGreater((copy / "chain.db-wal").stat().st_size, 0)
            node.stop()
            before = files_in(node.data)
            self.assertNotIn("chain.db-wal", before)
            self.assertEqual(self.expect_good(node.data, cluster.genesis)["tip"], tip)
            self.assertEqual(files_in(node.data), before, "looking leaves no trace")
            # Its node was at rest, so the copy with the log of a running node is whole.
            self.assertEqual(self.expect_good(copy, cluster.genesis)["tip"], tip)

    def test_a_node_of_others_is_verified_by_who_may_only_read_it(self):
        if os.geteuid() != 0:
            self.skipTest("who is not root cannot become another user to be refused as")
        with Cluster() as cluster:
            node = cluster.nodes[0]
            with node.client() as client:
                client.submit([event("/live", str(number)) for number in range(50)], wait="final")
            for path in (cluster.directory, cluster.authority, node.home, node.data):
                path.chmod(0o755)
            for path in node.data.glob("chain.db*"):
                path.chmod(0o644)
            cluster.genesis.chmod(0o644)
            with Load(cluster.nodes, writers=2):
                told = self.expect_good(node.data, cluster.genesis, as_nobody=True)
            self.assertGreaterEqual(told["events"], 50)

            # A log without its index, and no right to make one: it is said what can be done.
            cluster.wait_same_tip()
            torn = self.public_copy(node.data, cluster.directory / "torn", "chain.db", "chain.db-wal")
            done, _ = self.verify(torn, cluster.genesis, as_nobody=True)
            self.assertEqual(done.returncode, EXIT_ERROR, done)
            self.assertIn("copy the whole directory to where you may write", done.stderr)
            node.stop()
            still = self.public_copy(node.data, cluster.directory / "still", "chain.db")
            self.expect_good(still, cluster.genesis, as_nobody=True)

    def test_a_light_member_is_verified_while_it_follows_and_after_it_was_killed(self):
        with LightCluster() as cluster:
            voters = list(cluster.nodes)
            light = cluster.take_in_light()
            heights = []
            with Load(voters, writers=2) as load:
                for _ in range(12):
                    before = load.count()
                    told = self.expect_good(light.data, cluster.genesis)
                    self.assertTrue(told["headers_only"])
                    heights.append(told["height"])
                    wait_until(lambda: load.count() > before, "the writers are answered")
            self.assertEqual(heights, sorted(heights))
            self.assertGreater(heights[-1], heights[0])
            light.kill()
            self.assertGreaterEqual(self.expect_good(light.data, cluster.genesis)["height"], heights[-1])

    def public_copy(self, data, directory, *names):
        """Of these files alone, where who is not root can write nothing."""
        directory.mkdir()
        for name in names:
            shutil.copyfile(data / name, directory / name)
            (directory / name).chmod(0o444)
        directory.chmod(0o555)
        return directory


if __name__ == "__main__":
    unittest.main()
