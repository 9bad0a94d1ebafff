"""Final events: what a majority of voters has signed, checked here without the programs' help."""

import base64
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from client import event
from cluster import Cluster
from waiting import wait_until

# SubjectPublicKeyInfo of an Ed25519 key, up to the key itself (RFC 8410).
ED25519_KEY = bytes.fromhex("302a300506032b6570032100")


def statement(block):
    """The octets that voters sign, from chain/FORMATS.md."""
    lines = (
        f"eventchain/{block['chain']}",
        block["log_size"],
        base64.b64encode(bytes.fromhex(block["log_root"])).decode(),
        f"height {block['height']}",
        f"block {block['id']}",
        f"members {block['member_set']}",
    )
    return "".join(line + "\n" for line in lines).encode()


def verifies(public_key, message, signature):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        key = base64.b64encode(ED25519_KEY + public_key).decode()
        (path / "key.pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n")
        (path / "message").write_bytes(message)
        (path / "signature").write_bytes(signature)
        verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin"]
        files = ["-inkey", path / "key.pem", "-in", path / "message", "-sigfile", path / "signature"]
        return subprocess.run(verify + files, capture_output=True, check=False).returncode == 0


class FinalTest(unittest.TestCase):
    def signers(self, cluster, block):
        """The nodes whose signatures on a block hold."""
        genesis = json.loads(cluster.genesis.read_text())
        keys = {voter["node"]: bytes.fromhex(voter["signing_key"]) for voter in genesis["voters"]}
        for signature in block["signatures"]:
            octets = bytes.fromhex(signature["signature"])
            key = keys[signature["node"]]
            self.assertTrue(verifies(key, statement(block), octets), signature)
            self.assertFalse(verifies(key, statement(block) + b"x", octets), signature)
        return {signature["node"] for signature in block["signatures"]}

    def test_a_final_event_s_block_is_signed_by_a_majority_with_the_keys_of_genesis(self):
        with Cluster() as cluster:
            with cluster.nodes[0].client() as client:
                answer = client.submit(event("/final", "e1", stream="s"), wait="final")
                self.assertEqual(answer.status, 201, answer)
                self.assertEqual(answer.json()["detail"], "final", answer)
                height = answer.json()["height"]
                block = client.get(f"/v1/blocks/{height}").json()
                self.assertTrue(block["final"])
                self.assertGreaterEqual(len(self.signers(cluster, block)), 2)
                found = client.get("/v1/events", source="/final", id="e1")
                self.assertEqual(found.json()["detail"], "final", found)
            for node in cluster.nodes:
                wait_until(lambda: node.status()["certified"] >= height, f"{node} calls it final")

    def test_a_node_that_was_away_learns_what_is_final_and_signs_what_it_missed(self):
        with Cluster() as cluster:
            away = cluster.follower()
            away.stop()
            others = cluster.running()
            with others[0].client() as client:
                answer = client.submit(event("/final", "e1", stream="s"), wait="final")
                self.assertEqual(answer.status, 201, answer)
                height = int(answer.json()["height"])
            away.start()
            away.wait_ready()
            wait_until(lambda: int(away.status()["certified"]) >= height, f"{away} calls it final")
            tip = away.height()

            def all_have_signed():
                with others[0].client() as client:
                    block = client.get(f"/v1/blocks/{tip}").json()
                return len(block["signatures"]) == 3

            wait_until(all_have_signed, f"block {tip} has three signatures")
            with others[0].client() as client:
                self.assertEqual(len(self.signers(cluster, client.get(f"/v1/blocks/{tip}").json())), 3)

    def test_alone_nothing_becomes_final(self):
        with Cluster() as cluster:
            alone = cluster.nodes[0]
            for other in cluster.nodes[1:]:
                other.stop()
            with alone.client() as client:
                answer = client.submit(event("/final", "e1"), wait="final", seconds=2)
                self.assertEqual(answer.status, 202, answer)
                self.assertEqual(answer.json()["status"], "in-progress", answer)


if __name__ == "__main__":
    unittest.main()
