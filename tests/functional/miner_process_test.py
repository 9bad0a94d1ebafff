"""Miners that are processes of their own: they come, go and hang, and their nodes go on."""

import unittest

from client import event
from cluster import Cluster
from mining_test import goes_on, hashes, mining
from process import Process
from waiting import wait_until

EXIT_FAILED = 1


class Miner(Process):
    """The miner process of a node, with a configuration of its own that has nothing else."""

    arguments = ("mine",)

    def __init__(self, node):
        home = node.home
        super().__init__(f"miner of {node}", home / "miner.toml", home / "miner.log", {})
        self.configuration.write_text(
            f'[mining]\nsocket = "{node.data}/miner.sock"\nthreads = 1\nduty_percent = 20\n'
        )


class ProcessCluster(Cluster):
    """Nodes that hash nothing themselves; `miners` in their order."""

    def __init__(self, nodes=3, work=None):
        self.work = work or self.work
        self.miners = []
        super().__init__(nodes=nodes, settings={"mining.run": "process"})
        self.miners = [Miner(node) for node in self.nodes]

    def __enter__(self):
        try:
            for miner in self.miners:
                miner.start()
        except BaseException:
            for miner in self.miners:
                miner.clean_up()
            raise
        return super().__enter__()

    def _leave(self, has_failed):
        codes = [(miner, miner.clean_up()) for miner in self.miners]
        if has_failed:
            for miner in self.miners:
                print(miner.log_tail())
        dead = [f"{miner} with exit code {code}" for miner, code in codes if code is not None]
        return dead + super()._leave(has_failed or dead)


def state(node):
    return mining(node, "status")["state"]


def wait_state(node, *wanted):
    wait_until(lambda: state(node) in wanted, f"the miner of {node} is {wanted}")


class MinerProcessTest(unittest.TestCase):
    def submit(self, node, id, wait):
        with node.client() as client:
            answer = client.submit(event("/miner", id), wait=wait)
        self.assertLess(answer.status, 300, answer)

    def test_events_are_completed_by_processes_that_mine_and_a_killed_one_is_replaced(self):
        with ProcessCluster() as cluster:
            node, miner = cluster.nodes[0], cluster.miners[0]
            for one in cluster.nodes:
                self.submit(one, f"first at {one}", "completed")
                # The others may have found all shares before this one had begun.
                wait_until(lambda: hashes(one) > 0 or self.more(one), f"{one} has a miner")

            miner.kill()
            wait_state(node, "no-process")
            report = mining(node, "status")
            self.assertEqual(report["reason"], "no-process")
            self.assertIn("eventchaind mine", report["why"])
            self.submit(node, "without a miner", "completed")

            before = hashes(node)
            miner.start()
            wait_state(node, "no-work", "stopped", "lends")
            wait_until(lambda: hashes(node) > before or self.more(node), "the new one mines")
            cluster.wait_same_tip()
            # An orderly end.
            miner.stop()
            miner.start()

    def more(self, node):
        """Work for the miners, and whether there was nothing to see yet: never true."""
        self.more_events = getattr(self, "more_events", 0) + 1
        self.submit(node, f"more {self.more_events}", "durable")

    def test_processes_that_hang_hold_up_blocks_but_no_promise(self):
        with ProcessCluster() as cluster:
            for node in cluster.nodes:
                self.submit(node, f"first at {node}", "completed")
            for miner in cluster.miners:
                miner.freeze()
            for node in cluster.nodes:
                self.submit(node, f"meanwhile at {node}", "durable")
                wait_state(node, "silent")
                report = mining(node, "status")
                self.assertIn("has said nothing", report["why"])
                self.assertGreater(report["last_word_ms"], 1000)
            # A status takes no longer than a node takes, and orders go nowhere without waiting.
            for number in range(20):
                self.submit(cluster.nodes[0], f"more {number}", "durable")
            for miner in cluster.miners:
                miner.thaw()
            for node in cluster.nodes:
                node.wait_log_size(6 + 20)
            cluster.wait_same_tip()

    def test_a_process_finds_its_node_again(self):
        with ProcessCluster() as cluster:
            node = cluster.nodes[0]
            for end in (node.stop, node.kill):
                self.submit(node, f"before {end}", "completed")
                end()
                node.start()
                node.wait_ready()
                wait_state(node, "no-work", "stopped", "lends")
                self.submit(node, f"after {end}", "completed")
            self.assertTrue(cluster.miners[0].is_running)

    def test_an_operators_word_reaches_the_process_and_the_next_one(self):
        endless = ("--interval-ms", 600_000, "--shares", 4, "--first-hashes", 1 << 50)
        with ProcessCluster(nodes=1, work=(*endless, "--easiest-hashes", 16)) as cluster:
            (node,), (miner,) = cluster.nodes, cluster.miners
            self.submit(node, "endless", "durable")
            goes_on(node)
            self.assertTrue(mining(node, "pause")["paused"])
            wait_until(lambda: mining(node, "status")["reason"] == "paused", "it is paused")
            miner.kill()
            wait_state(node, "no-process")
            miner.start()
            wait_until(lambda: mining(node, "status")["reason"] == "paused", "it is paused again")
            self.assertFalse(mining(node, "resume")["paused"])
            goes_on(node)
            self.assertEqual(mining(node, "limit", 3)["limit_percent"], 3)
            wait_until(
                lambda: mining(node, "status")["reason"] == "operator-limit", "the limit holds"
            )
            # The report that named the reason had the share, too.
            self.assertAlmostEqual(mining(node, "status")["allowed"], 0.03)

    def test_a_second_node_at_one_socket_and_a_miner_without_a_socket_say_why(self):
        with ProcessCluster(nodes=2) as cluster:
            first, second = cluster.nodes
            second.stop()
            second.set("mining.socket", first.data / "miner.sock")
            second.start()
            wait_until(lambda: second.end_of_itself() == EXIT_FAILED, "it ends")
            self.assertIn("two nodes need two sockets", second.log_tail())
            miner = cluster.miners[0]
            miner.stop()
            miner.configuration.write_text("[mining]\n")
            miner.start()
            wait_until(lambda: miner.end_of_itself() == EXIT_FAILED, "it ends")
            self.assertIn("mining.socket", miner.log_tail())


if __name__ == "__main__":
    unittest.main()
