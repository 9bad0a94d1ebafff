"""Reads of real processes: what a linearizable read must see and when it must refuse."""

import unittest

from client import event
from cluster import Cluster
from seed import random_for
from waiting import wait_until


class ReadTest(unittest.TestCase):
    def test_a_linearizable_read_sees_at_once_what_any_node_has_completed(self):
        random = random_for("linearizable reads")
        with Cluster() as cluster:
            for number in range(20):
                writer, reader = random.sample(cluster.nodes, 2)
                with writer.client() as client:
                    answer = client.submit(event("/read", f"e{number}", stream="s"), wait="completed")
                    self.assertEqual(answer.status, 201, answer)
                    key = answer.json()["key"]
                with reader.client() as client:
                    seen = client.get(f"/v1/events/{key}", consistency="linearizable")
                    self.assertEqual(seen.status, 200, seen)
                    self.assertEqual(seen.json()["status"], "completed", seen)
                    stream = client.get("/v1/streams/s", consistency="linearizable", limit=1000)
                    self.assertEqual(stream.json()["version"], number, stream)

    def test_without_a_majority_only_local_reads_are_answered_and_they_tell_their_age(self):
        with Cluster() as cluster:
            alone = cluster.nodes[0]
            with alone.client() as client:
                client.submit(event("/read", "e", stream="s"), wait="completed")
            wait_until(lambda: alone.log_size() == 1, f"{alone} has the event")
            for other in cluster.nodes[1:]:
                other.stop()
            with alone.client() as client:
                refused = client.get("/v1/log", consistency="linearizable")
                self.assertEqual(refused.status, 503, refused)
                self.assertEqual(refused.problem_type(), "not-ready", refused)
                answered = client.get("/v1/log")
                self.assertEqual(answered.status, 200, answered)
                # The refusal alone took longer than that.
                self.assertGreater(int(answered.headers["EventChain-Age"]), 2000)


if __name__ == "__main__":
    unittest.main()
