"""A node that was away comes back, and readers that were away miss nothing."""

import sqlite3
import threading
import unittest

from client import Unreachable, event
from cluster import Cluster
from load import Load, check_log
from seed import random_for
from waiting import wait_until

BLOCKS_MISSED = 30
# Raft's log reaches back by no more than a few blocks.
SHORT_LOG = {"consensus.snapshot_every": 4, "consensus.snapshot_trailing": 2}


class CatchUpTest(unittest.TestCase):
    def test_a_node_that_missed_many_blocks_catches_up_while_others_go_on(self):
        with Cluster() as cluster:
            self.miss_blocks(cluster)

    def test_a_node_that_missed_more_than_raft_s_logs_reach_back_catches_up(self):
        with Cluster(settings=SHORT_LOG) as cluster:
            self.miss_blocks(cluster)
            for node in cluster.nodes:
                node.stop()
                self.assertGreater(self.first_entry(node), BLOCKS_MISSED // 2)

    def first_entry(self, node):
        """Where Raft's log of a stopped node begins."""
        (file,) = node.data.glob("*.db")
        with sqlite3.connect(file) as database:
            ((first,),) = database.execute("SELECT min(log_index) FROM raft_entry")
        database.close()
        return first

    def miss_blocks(self, cluster):
        with Load(cluster.nodes, writers=2) as load:
            wait_until(lambda: load.count() > 50, "events are taken in")
            away = cluster.follower()
            left_at = away.height()
            away.stop()
            others = cluster.running()
            goal = left_at + BLOCKS_MISSED
            wait_until(lambda: others[0].height() >= goal, "many blocks are made", 60)
            missed = others[0].height()
            away.start()
            away.wait_ready()
            wait_until(lambda: away.height() >= missed, f"{away} is at height {missed}")
        cluster.wait_same_tip()
        promises = load.promises()
        logs = [check_log(self, node, promises) for node in cluster.nodes]
        self.assertEqual(logs[0], logs[1])
        self.assertEqual(logs[0], logs[2])


class Reader(threading.Thread):
    """Follows the live log of changing nodes; after each end it goes on behind what it has seen."""

    def __init__(self, nodes, random):
        super().__init__(name="reader", daemon=True)
        self.positions = []
        self.streams = 0
        self.failure = None
        self._nodes = nodes
        self._random = random
        self._halt = threading.Event()
        self._client = None

    def run(self):
        try:
            while not self._halt.is_set():
                self._read_one_stream()
        except Exception as error:  # the test looks at it
            self.failure = error

    def _read_one_stream(self):
        # A short timeout: a stream without events is left, and so the test ends.
        self._client = self._random.choice(self._nodes).client(timeout=1.0)
        patience = self._random.randrange(1, 200)
        last = self.positions[-1] if self.positions else None
        try:
            for position, placed in self._client.follow(
                position=0 if last is None else None, last_event_id=last
            ):
                assert int(placed["position"]) == position, placed
                self.positions.append(position)
                patience -= 1
                if patience == 0 or self._halt.is_set():
                    break
        except Unreachable:
            pass
        finally:
            self.streams += 1
            self._client.close()

    def finish(self):
        self._halt.set()
        self.join()
        if self.failure is not None:
            raise AssertionError(f"the reader failed: {self.failure}")


class LiveLogTest(unittest.TestCase):
    def test_a_reader_that_resumes_by_position_sees_each_event_once(self):
        random = random_for("live log")
        with Cluster() as cluster:
            reader = Reader(cluster.nodes, random_for("reader"))
            reader.start()
            with Load(cluster.nodes, writers=2) as load:
                for _ in range(3):
                    goal = load.count() + 100
                    wait_until(lambda: load.count() >= goal, "events are taken in", 60)
                    victim = random.choice(cluster.nodes)
                    victim.kill()
                    goal = load.count() + 50
                    wait_until(lambda: load.count() >= goal, "events are taken in", 60)
                    victim.start()
                    victim.wait_ready()
            cluster.wait_same_tip()
            size = cluster.nodes[0].log_size()
            wait_until(
                lambda: reader.failure or len(reader.positions) >= size, "the reader has read all"
            )
            reader.finish()
            self.assertEqual(reader.positions, list(range(size)))
            self.assertGreater(reader.streams, 3)

    def test_a_live_reader_hears_of_an_event_without_asking_again(self):
        with Cluster() as cluster:
            reader = cluster.nodes[0].client(timeout=20.0)
            stream = reader.follow(position=0)
            try:
                for number, node in enumerate(cluster.nodes):
                    with node.client() as client:
                        client.submit(event("/live", str(number)), wait="completed")
                    position, placed = next(stream)
                    self.assertEqual(position, number)
                    self.assertEqual(placed["event"]["id"], str(number))
            finally:
                stream.close()
                reader.close()


if __name__ == "__main__":
    unittest.main()
