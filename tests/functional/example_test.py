"""A template for functional tests. Copy it, keep what fits, and delete these comments.

A functional test starts the programs as they ship and looks at them from outside only: HTTP,
signals, files, exit codes. It is for what shows with real processes alone: kill -9, sockets, TLS,
a full disk. Rules of the chain are cheaper to test in tests/unit, behaviour of clusters under
faults in tests/sim, where thousands of runs take a minute.

    tests/functional/run                      the whole suite
    tests/functional/run example_test         this file
    tests/functional/run --seed 7 example_test.ExampleTest.test_an_event_is_completed_once
"""

import unittest

from client import event
from cluster import Cluster
from seed import random_for
from waiting import wait_until


class ExampleTest(unittest.TestCase):
    """One class for each topic; its name and the tests' names make a sentence."""

    def test_an_event_is_completed_once(self):
        # Every random choice comes from a generator that is named after what it is for. The suite
        # prints the one seed behind all of them: the same seed draws the same choices.
        random = random_for("example")

        # Entering starts three nodes and waits until they are ready. Leaving ends them, and on a
        # failure prints the ends of their logs. Clusters are cheap (a second): share none.
        with Cluster() as cluster:
            node = random.choice(cluster.nodes)

            # A client keeps one connection to one node. An answer has a status, headers, a body.
            with node.client() as client:
                order = event("/shop", "order-1", stream="cart-7", data={"total": 12})
                answer = client.submit(order, wait="completed")

                # Pass the answer as the message: whoever reads the failure wants to see it.
                self.assertEqual(answer.status, 201, answer)

                # Positions and other 64-bit numbers are strings in JSON, as in the whole API.
                self.assertEqual(answer.json()["position"], "0")

                # The same event once more is the same event, not a second one.
                self.assertEqual(client.submit(order).json()["position"], "0")

            # Never sleep, never assert a time. Wait for what must come true, with a deadline that
            # only bounds how long a broken program holds up the suite.
            for other in cluster.nodes:
                wait_until(lambda: other.log_size() == 1, f"{other} has the event")
                with other.client() as client:
                    (placed,) = client.whole_log()
                    self.assertEqual(placed["event"]["data"], {"total": 12})

            # The usual last line: everybody on one tip, nothing pending.
            cluster.wait_same_tip()


if __name__ == "__main__":
    unittest.main()
