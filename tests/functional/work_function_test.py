"""Chains whose work function is not SHA-256: RandomX, and none."""

import unittest

from client import event
from cluster import Cluster
from light_test import LightCluster
from programs import eventchain
from receipts import take_receipt, verify_in_python
from waiting import wait_until

EVENTS = 3


class RandomXCluster(LightCluster):
    """Every second hash is a share: what is tested is the way of shares and seals, not patience.

    256 MiB for each node. They lend what they have, for a hash takes a tenth of a block's time.
    """

    work = ("--work", "randomx-v1", "--interval-ms", 1000, "--shares", 2,
            "--first-hashes", 2, "--easiest-hashes", 2)
    common_settings = {
        "consensus.election_timeout_ms": 2000,
        "consensus.heartbeat_ms": 50,
        "mining.randomx": "light",
        "mining.duty_percent": 100,
        "mining.cap_percent": 100,
        "mining.stop_above": 100,
        "mining.steal_above": 100,
    }


class NoWorkCluster(Cluster):
    work = ("--work", "none", "--interval-ms", 200)


class WorkFunctionTest(unittest.TestCase):
    def test_nodes_on_randomx_complete_events_and_their_chain_verifies(self):
        with RandomXCluster() as cluster:
            self.complete(cluster)
            # A node that was away checks the seals that it missed.
            away = cluster.nodes[2]
            away.stop()
            self.complete(cluster, cluster.nodes[:2], begin=EVENTS)
            away.start()
            away.wait_ready()
            wait_until(lambda: away.log_size() == 2 * EVENTS, "the node that was away has all")
            with away.client() as client:
                self.assertEqual(client.get("/v1/genesis").json()["work_function"], "randomx-v1")
            self.prove(cluster, away, "not checked: this program cannot compute RandomX")
            self.verify(cluster, away)

    def test_a_light_member_checks_the_seals_of_randomx(self):
        with RandomXCluster() as cluster:
            voters = cluster.nodes[:]
            self.complete(cluster)
            light = cluster.take_in_light()
            self.complete(cluster, voters, begin=EVENTS)
            cluster.wait_caught_up(light)
            with light.client() as client:
                self.assertEqual(client.cluster()["counters"]["peer_faults"], "0")
            self.verify(cluster, light)

    def test_nodes_without_work_complete_events_at_the_pace_of_the_interval(self):
        with NoWorkCluster() as cluster:
            self.complete(cluster)
            node = cluster.nodes[0]
            self.assertIn("no proof of work", node.log.read_text())
            with node.client() as client:
                tip = client.header(EVENTS)
            self.assertEqual(tip["work"], "1", tip)
            self.assertEqual(tip["share_target"], "20ffffff", tip)
            self.prove(cluster, node, "none, as the genesis file has it")
            self.verify(cluster, node)

    def test_a_genesis_without_work_that_names_work_is_refused(self):
        with NoWorkCluster() as cluster:
            done = eventchain(
                *("genesis", "create", cluster.authority, "--voter", "n1", "--work", "none"),
                *("--shares", 4, "--out", cluster.directory / "other.json"), check=False,
            )
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("share_count must be 1", done.stderr)
            done = eventchain(
                *("genesis", "create", cluster.authority, "--voter", "n1", "--work", "scrypt"),
                *("--out", cluster.directory / "other.json"), check=False,
            )
            self.assertIn("use sha256, randomx-v1 or none", done.stderr)

    def complete(self, cluster, nodes=None, begin=0):
        """One event after the other, so that each has a block of its own."""
        nodes = nodes or cluster.nodes
        for number in range(begin, begin + EVENTS):
            with nodes[number % len(nodes)].client() as client:
                answer = client.submit(event("/w", str(number)), wait="completed")
                self.assertEqual(answer.status, 201, answer)
        for node in nodes:
            wait_until(lambda: node.log_size() == begin + EVENTS, f"{node} has all events")

    def prove(self, cluster, node, work):
        """A receipt by both programs that can; what the one in Python says of the step 'work'."""
        receipt = take_receipt(node, "/w 0", cluster.directory / "receipt.json")
        eventchain("receipt", "verify", receipt, "--trust", cluster.genesis)
        done = verify_in_python(receipt, "--trust", cluster.genesis)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(f"work: {work}", done.stdout)

    def verify(self, cluster, node):
        node.stop()
        done = eventchain(
            "chain", "verify", "--data", node.data, "--genesis", cluster.genesis, check=False
        )
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout, r"(?m)^verified: .*committed")


if __name__ == "__main__":
    unittest.main()
