"""Who mines how much, by the shares in blocks, and what it would cost to redo the work."""

import collections
import json
import unittest

from client import event
from cluster import Cluster
from programs import eventchain
from waiting import wait_until

BLOCKS = 12


class Measured(Cluster):
    """Blocks of 16 shares that take enough hashes for the miners' own counts to mean something."""

    work = (
        *("--interval-ms", 2_000, "--shares", 16),
        *("--first-hashes", 200_000, "--easiest-hashes", 1_000),
        # What was looked at twice must not have grown in between.
        *("--heartbeat-ms", 0),
    )


def endpoint(node):
    return ("--endpoint", f"http://127.0.0.1:{node.api_port}")


def cost(*arguments, check=True):
    return eventchain("chain", "cost", *arguments, check=check)


def mine_blocks(cluster):
    """An event at a time, each waiting for its block; until there are enough blocks."""
    node = cluster.nodes[0]
    with node.client() as client:
        number = 0
        while int(client.cluster()["height"]) < BLOCKS:
            client.submit(event("/mined", str(number)), wait="completed")
            number += 1
    cluster.wait_same_tip()
    wait_until(
        lambda: all("in_work" not in node.status() for node in cluster.nodes), "nothing is in work"
    )


def view_of(node, **query):
    with node.client() as client:
        answer = client.get("/v1/mining/cluster", **query)
    assert answer.status == 200, answer
    return answer.json()


def headers_of(node):
    with node.client() as client:
        return client.get("/v1/headers", **{"from": 1, "limit": 1000}).json()["headers"]


class ClusterMiningTest(unittest.TestCase):
    def test_what_blocks_tell_of_the_miners_and_of_the_price_of_redoing_them(self):
        with Measured() as cluster:
            mine_blocks(cluster)
            self.shares_are_those_in_the_blocks(cluster)
            self.rates_are_those_that_the_miners_count(cluster)
            self.every_node_tells_the_same(cluster)
            self.people_get_a_table(cluster)
            told = self.redoing_costs_the_work_of_the_blocks(cluster)
            self.adversaries_are_reckoned_with(cluster)
            self.a_stopped_node_tells_the_same(cluster, told)

    def shares_are_those_in_the_blocks(self, cluster):
        headers = headers_of(cluster.nodes[0])
        found = collections.Counter(
            share["slot"] for header in headers for share in header["shares"]
        )
        view = view_of(cluster.nodes[0], blocks=1000)
        self.assertEqual(view["window"]["blocks"], str(len(headers)))
        self.assertEqual(view["window"]["shares"], str(16 * len(headers)))
        self.assertEqual(len(view["members"]), 3)
        for member in view["members"]:
            self.assertEqual(int(member["shares"]), found[member["slot"]], member)
        self.assertAlmostEqual(sum(member["part"] for member in view["members"]), 1)
        self.assertAlmostEqual(
            sum(member["rate"]["per_second"] for member in view["members"]),
            view["window"]["rate"]["per_second"],
            delta=view["window"]["rate"]["per_second"] * 1e-6,
        )
        self.assertEqual(view_of(cluster.nodes[0], blocks=3)["window"]["blocks"], "3")

    def rates_are_those_that_the_miners_count(self, cluster):
        """Loosely: bounds hold 95 times of 100, and a miner also counts what came to nothing."""
        view = view_of(cluster.nodes[0], blocks=1000)
        counted = {}
        for node in cluster.nodes:
            with node.client() as client:
                metrics = client.metrics()
            counted[node.name] = metrics["eventchain_hashes_total"]
            own = 'eventchain_shares_seen_total{{origin="own",result="{}"}}'
            (member,) = (one for one in view["members"] if one["name"] == node.name)
            self.assertGreaterEqual(metrics[own.format("accepted")], int(member["shares"]), member)
            self.assertEqual(metrics[own.format("refused")], 0)
            self.assertGreater(metrics['eventchain_cluster_hashes_per_second{bound="estimate"}'], 0)
            self.is_about(member, counted[node.name], slack=3)
        self.is_about(view["window"], sum(counted.values()), slack=2)

    def is_about(self, told, hashes, slack):
        low, high = (told["rate"][name] * told["mining_seconds"] for name in ("low", "high"))
        self.assertLess(low / slack, hashes, told)
        self.assertGreater(high * slack, hashes, told)

    def every_node_tells_the_same(self, cluster):
        def chain_alone(view):
            members = [
                {name: value for name, value in member.items() if name != "last_share"}
                for member in view["members"]
            ]
            return view["window"], members, view["next"]["height"], view["interval_ms"]

        first, *others = (chain_alone(view_of(node)) for node in cluster.nodes)
        for other in others:
            self.assertEqual(other, first)
        view = view_of(cluster.nodes[0])
        self.assertFalse(view["next"]["in_work"])
        rate = view["window"]["rate"]
        expected = 16 * int(view["next"]["hashes_per_share"]) / rate["per_second"]
        self.assertAlmostEqual(view["next"]["expected_seconds"], expected, delta=expected * 1e-6)
        self.assertLessEqual(view["next"]["expected_seconds_low"], expected)
        self.assertGreater(view["seen"]["useful_part"], 0)

    def people_get_a_table(self, cluster):
        words = ("mining", "status", "--cluster", *endpoint(cluster.nodes[1]))
        text = eventchain(*words).stdout
        for node in cluster.nodes:
            self.assertIn(f"\n{node.name} ", text)
        self.assertIn(f"shares in blocks 1 to {BLOCKS}", text)
        self.assertIn("hashes a share", text)
        told = json.loads(eventchain(*words, "--blocks", 5, "-o", "json").stdout)
        self.assertEqual(told["window"]["blocks"], "5")

    def redoing_costs_the_work_of_the_blocks(self, cluster):
        node = cluster.nodes[0]
        since = 4
        told = json.loads(cost("--since", since, "--json", *endpoint(node)).stdout)
        headers = headers_of(node)
        work = sum(int(header["work"]) for header in headers[since - 1 :])
        self.assertEqual(told["work"], str(work))
        self.assertEqual((told["since"], told["blocks"]), (str(since), str(len(headers) - 3)))
        self.assertLess(int(told["work_at_floor"]), work)
        self.assertEqual(told["cluster"]["shares"], 16 * len(headers))
        own = next(one for one in told["adversaries"] if one["name"] == "this cluster as it mines")
        seconds = work / told["cluster"]["per_second"]
        self.assertAlmostEqual(own["redo_seconds"], seconds, delta=seconds * 1e-6)
        for one in told["adversaries"]:
            self.assertTrue(one["rests_on"], one)
        text = cost("--since", since, *endpoint(node)).stdout
        self.assertIn("RTX 4090", text)
        self.assertIn("What the work does not protect from", text)
        self.assertIn("0.20 and an hour of a rented GPU 0.50", text)
        done = cost("--since", len(headers) + 1, *endpoint(node), check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"its tip is {len(headers)}", done.stderr)
        return told

    def adversaries_are_reckoned_with(self, cluster):
        words = ("--since", 1, "--json", *endpoint(cluster.nodes[0]))
        told = json.loads(
            cost(*words, "--rate", "1e9", "--adversary", "fast=1e12", "--adversary", "slow=1").stdout
        )
        self.assertEqual(told["cluster"]["per_second"], 1e9)
        fast, slow = told["adversaries"][-2:]
        self.assertGreater(fast["overtake_seconds"], fast["redo_seconds"])
        self.assertIsNone(slow["overtake_seconds"])
        measured = json.loads(cost(*words, "--measure").stdout)["adversaries"][0]
        self.assertEqual(measured["name"], "one core of this machine")
        self.assertGreater(measured["hashes_per_second"], 1e5)
        for wrong in ("=5", "name", "name=", "name=-1", "name=nan", "name=5x"):
            done = cost(*words, "--adversary", wrong, check=False)
            self.assertEqual(done.returncode, 2, (wrong, done.stderr))

    def a_stopped_node_tells_the_same(self, cluster, told):
        node = cluster.nodes[2]
        node.stop()
        stored = json.loads(
            cost(
                *("--since", told["since"], "--json"),
                *("--data", node.data, "--genesis", cluster.genesis),
            ).stdout
        )
        self.assertEqual(stored, told)


if __name__ == "__main__":
    unittest.main()
