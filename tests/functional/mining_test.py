"""What nodes lend of their host: paused, resumed and limited by an operator, stopped by a file."""

import json
import unittest

from cluster import Cluster
from programs import eventchain
from waiting import wait_until

STILL = 5


def mining(node, *words):
    """The node's own report after the command."""
    done = eventchain(
        *("mining", *words, "--endpoint", f"http://127.0.0.1:{node.api_port}", "-o", "json")
    )
    (one,) = json.loads(done.stdout)
    return one["mining"]


def hashes(node):
    return int(mining(node, "status")["hashes"])


def goes_on(node):
    """Waits until the node has hashed more."""
    before = hashes(node)
    wait_until(lambda: hashes(node) > before, f"{node} mines")


class Stillness:
    """True once so many looks in a row saw the same count: a thread may wait for a processor in the
    middle of its last quantum. The other nodes go on meanwhile, so it is no lack of work."""

    def __init__(self, node, other):
        self.node, self.other = node, other
        self.seen, self.count = None, 0

    def __call__(self):
        before = hashes(self.other)
        wait_until(lambda: hashes(self.other) > before, "the other node mines")
        now = hashes(self.node)
        self.count = self.count + 1 if now == self.seen else 0
        self.seen = now
        return self.count >= STILL


class Endless(Cluster):
    """Nodes with a template that nobody can seal: there is always work."""

    work = ("--interval-ms", 600_000, "--shares", 4, "--first-hashes", 1 << 50, "--easiest-hashes", 16)

    def __init__(self):
        super().__init__(nodes=2, settings={"mining.duty_percent": 20})
        for node in self.nodes:
            node.set("mining.kill_switch", self.switch(node))

    @staticmethod
    def switch(node):
        return node.home / "stop-mining"


class MiningTest(unittest.TestCase):
    def test_an_operator_and_a_file_stop_a_node_and_let_it_go_on(self):
        with Endless() as cluster:
            node, other = cluster.nodes
            with node.client() as client:
                client.submit({"specversion": "1.0", "id": "1", "source": "/m", "type": "t"},
                              wait="durable")
            goes_on(node)
            goes_on(other)

            self.assertTrue(mining(node, "pause")["paused"])
            wait_until(lambda: mining(node, "status")["state"] == "stopped", "it is paused")
            self.assertEqual(mining(node, "status")["reason"], "paused")
            wait_until(Stillness(node, other), "a paused node hashes nothing")
            self.assertFalse(mining(node, "resume")["paused"])
            goes_on(node)

            cluster.switch(node).touch()
            wait_until(lambda: mining(node, "status")["reason"] == "kill-switch", "it is seen")
            wait_until(Stillness(node, other), "a node with its kill switch hashes nothing")
            self.assertIn("remove the file", mining(node, "status")["why"])
            cluster.switch(node).unlink()
            goes_on(node)

            self.assertEqual(mining(node, "limit", 3)["limit_percent"], 3)
            wait_until(
                lambda: mining(node, "status")["reason"] == "operator-limit", "the limit holds"
            )
            self.assertAlmostEqual(mining(node, "status")["allowed"], 0.03)
            self.the_metrics_tell(node)

    def test_a_node_that_lends_nothing_refuses_words_on_it(self):
        with Cluster(nodes=1, settings={"mining.threads": 0}) as cluster:
            (node,) = cluster.nodes
            self.assertEqual(mining(node, "status")["state"], "off")
            endpoint = ("--endpoint", f"http://127.0.0.1:{node.api_port}")
            done = eventchain("mining", "pause", *endpoint, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("mining.threads", done.stderr)

    def the_metrics_tell(self, node):
        with node.client() as client:
            text = client.get("/metrics").body.decode()
        self.assertIn('eventchain_mining_state{state="lends"} 1', text)
        self.assertIn('eventchain_mining_reason{reason="operator-limit"} 1', text)
        self.assertIn("eventchain_mining_allowed_ratio 0.03", text)


if __name__ == "__main__":
    unittest.main()
