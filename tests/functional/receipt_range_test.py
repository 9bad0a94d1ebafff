"""Receipts of a range of positions, from a node and from a cold copy, and again where it was stopped."""

import json
import unittest

from client import event
from cluster import Cluster
from programs import eventchain

EXIT_USAGE = 2
EXIT_NOT_YET = 4


class ReceiptRangeTest(unittest.TestCase):
    def test_a_range_comes_from_a_node_and_from_a_stopped_one_and_only_once(self):
        with Cluster() as cluster:
            with cluster.nodes[0].client() as client:
                for begin in range(0, 300, 100):
                    batch = [event("/range", str(number)) for number in range(begin, begin + 100)]
                    client.submit(batch, wait="final")
                keys = {placed["key"]: int(placed["position"]) for placed in client.whole_log()}
            out = cluster.directory / "receipts"
            node = cluster.nodes[1]
            endpoint = ("--endpoint", f"http://127.0.0.1:{node.api_port}")
            done = self.get(out, *endpoint, "--from", 20, "--to", 149)
            self.assertEqual(done.returncode, 0, done)
            self.assertIn("130 receipts", done.stderr)
            self.assertEqual(self.positions(out), list(range(20, 150)))

            # One is lost and one is cut: these two are fetched, and no other is touched.
            files = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
            lost, cut = sorted(files)[3:5]
            (out / lost).unlink()
            (out / cut).write_text((out / cut).read_text()[:-50])
            done = self.get(out, *endpoint, "--from", 20, "--to", 149)
            self.assertEqual(done.returncode, 0, done)
            self.assertIn("128 were there already", done.stderr)
            for path in out.iterdir():
                if path.name not in (lost, cut):
                    self.assertEqual(path.stat().st_mtime_ns, files[path.name], path)

            node.stop()
            done = self.get(out, "--data", node.data, "--genesis", cluster.genesis, "--from", 0)
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(self.positions(out), list(range(300)))
            for path in out.iterdir():
                receipt = json.loads(path.read_text())
                self.assertEqual(keys[path.stem], int(receipt["entry"]["position"]))
            told = eventchain(
                *("chain", "verify", "--data", node.data, "--genesis", cluster.genesis),
                *("--against", out, "-o", "json"),
            )
            self.assertEqual(json.loads(told.stdout)["against"]["receipts"], 300)

            done = self.get(out, "--data", node.data, "--genesis", cluster.genesis, "--from", 300)
            self.assertEqual(done.returncode, EXIT_NOT_YET, done)
            self.assertIn("the log has 300 events", done.stderr)
            other = ("--endpoint", f"http://127.0.0.1:{cluster.nodes[0].api_port}")
            done = self.get(out, *other, "--from", 7, "--to", 5)
            self.assertEqual(done.returncode, EXIT_USAGE, done)

    def get(self, out, *more):
        return eventchain("event", "receipt", "--out", out, *more, check=False)

    def positions(self, out):
        return sorted(int(json.loads(path.read_text())["entry"]["position"]) for path in out.glob("*.json"))


if __name__ == "__main__":
    unittest.main()
