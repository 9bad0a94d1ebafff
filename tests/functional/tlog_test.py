"""The log as others read it: a node's checkpoint and tiles, checked by Go's own libraries."""

import base64
import hashlib
import json
import os
import subprocess
import unittest
from pathlib import Path

from client import event
from cluster import Cluster
from programs import eventchain
from waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


def build_reader(directory):
    """tests/interop as a program; skips the test where Go's packages cannot be installed."""
    done = subprocess.run([ROOT / "tools" / "install-packages", "interop"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise unittest.SkipTest(f"Go cannot be installed here: {done.stderr.strip()[-300:]}")
    program = Path(directory) / "interop"
    # Debian's packages lie where GOPATH looks; nothing is fetched from anywhere.
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                   "GOCACHE": str(Path(directory) / "go-cache"), "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", "-o", program, ROOT / "tests" / "interop" / "main.go"], check=True, env=environment)
    return program


def verifier_key(name, key):
    """As signed notes name a key (C2SP signed-note)."""
    octets = b"\x01" + bytes.fromhex(key)
    id = hashlib.sha256(name.encode() + b"\n" + octets).hexdigest()[:8]
    return f"{name}+{id}+{base64.b64encode(octets).decode()}"


class TlogTest(unittest.TestCase):
    def test_go_reads_the_checkpoint_and_the_tiles(self):
        with Cluster() as cluster:
            reader = build_reader(cluster.directory)
            genesis = json.loads(cluster.genesis.read_text())
            with cluster.nodes[0].client() as client:
                chain = client.header(0)["chain"]
                origin = f"eventchain/{chain}"
                keys = [verifier_key(origin, voter["signing_key"]) for voter in genesis["voters"]]
                self.assertEqual(eventchain("genesis", "keys", cluster.genesis).stdout.split(), keys)
                self.fill(client, 0, 300)
                old = self.checkpoint_of(cluster.nodes[0], 300)
                self.fill(client, 300, 700)
            older = cluster.directory / "older"
            older.write_bytes(old)

            for node in cluster.nodes:
                self.checkpoint_of(node, 700)
                done = self.read(reader, node, origin, keys, older)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("400 entries follow the 300 of the older head", done.stdout)
                self.assertIn("700 entries are in the log", done.stdout)

            # Neither other keys nor another history will do.
            strangers = [verifier_key(origin, "00" * 31 + f"{number:02x}") for number in range(1, 4)]
            done = self.read(reader, cluster.nodes[0], origin, strangers, older)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no verifiable signatures", done.stderr)
            older.write_bytes(old.replace(b"\n300\n", b"\n299\n"))
            self.assertEqual(self.read(reader, cluster.nodes[0], origin, keys, older).returncode, 1)

    def read(self, reader, node, origin, keys, older):
        return subprocess.run(
            [reader, f"http://127.0.0.1:{node.api_port}", origin, ",".join(keys), "2", older],
            capture_output=True, text=True, check=False,
        )

    def fill(self, client, begin, end):
        for first in range(begin, end, 100):
            batch = [event("/tlog", str(number)) for number in range(first, first + 100)]
            self.assertEqual(client.submit(batch, wait="final").status, 201)

    def checkpoint_of(self, node, size):
        """Once it covers so many entries and has all voters' signatures."""
        found = []

        def covers():
            with node.client() as client:
                answer = client.get("/checkpoint")
            found[:] = [answer.body]
            return answer.status == 200 and answer.body.split(b"\n")[1] == str(size).encode() and answer.body.count(
                "—".encode()) == 3

        wait_until(covers, f"a checkpoint of {size} entries at {node}")
        return found[0]


if __name__ == "__main__":
    unittest.main()
