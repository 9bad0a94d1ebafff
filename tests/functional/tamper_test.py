"""One byte changed on disk is found, and named."""

import shutil
import sqlite3
import unittest

from client import event
from cluster import Cluster
from programs import eventchain
from seed import random_for

EVENTS = 300
EXIT_TAMPERED = 3


class TamperTest(unittest.TestCase):
    def test_one_changed_byte_of_one_event_is_named_by_offline_verification(self):
        random = random_for("tamper")
        with Cluster() as cluster:
            batch = [
                event("/vault", str(number), stream="vault", data={"mark": f"marked-{number:04}-"})
                for number in range(EVENTS)
            ]
            with cluster.nodes[0].client() as client:
                answer = client.submit(batch, wait="completed")
                self.assertEqual(answer.status, 201, answer)
            cluster.wait_same_tip()
            node = cluster.nodes[1]
            with node.client() as client:
                victim = random.choice(client.whole_log())
            node.stop()

            done = self.verify(cluster, node.data)
            self.assertEqual(done.returncode, 0, done)

            copy = cluster.directory / "copy"
            shutil.copytree(node.data, copy)
            self.change_one_byte(copy, victim["event"]["data"]["mark"].encode())
            done = self.verify(cluster, copy)
            self.assertEqual(done.returncode, EXIT_TAMPERED, done)
            self.assertIn(f"event {victim['position']}:", done.stdout)
            # It names this event, and no other.
            self.assertEqual(done.stdout.count("BAD event"), 1, done.stdout)

            # What it was copied from is as good as before.
            self.assertEqual(self.verify(cluster, node.data).returncode, 0)

    def verify(self, cluster, data):
        return eventchain(
            "chain", "verify", "--data", data, "--genesis", cluster.genesis, check=False
        )

    def change_one_byte(self, directory, mark):
        """In the file itself, as a failing disk or a hand with an editor would."""
        (file,) = directory.glob("*.db")
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        octets = bytearray(file.read_bytes())
        self.assertEqual(octets.count(mark), 1)
        octets[octets.index(mark)] ^= 1
        file.write_bytes(octets)


if __name__ == "__main__":
    unittest.main()
