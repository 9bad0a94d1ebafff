"""Clients that post events all the time, to any node, and remember what they were promised."""

import collections
import threading

from client import Unreachable, event
from seed import random_for
from waiting import POLL_SECONDS

# What a node may answer while the cluster has no leader, no room or no time; the client comes back.
COME_BACK = (429, 503, 507)


class Writer(threading.Thread):
    """Posts events one after the other, as a careful client does: an event that was not promised is
    posted again, to another node, until it is.

    Some posts are single events and some batches, some wait for durability and some for
    completion. `promised` maps the id of an event to the position it was answered with, None when
    it was durable only. Any answer that is neither a promise nor COME_BACK ends the writer.
    """

    def __init__(self, nodes, number):
        super().__init__(name=f"writer {number}", daemon=True)
        self.source = f"/writer/{number}"
        self.promised = {}
        self.failure = None
        self._nodes = nodes
        self._random = random_for(f"writer {number}")
        self._halt = threading.Event()
        self._clients = {node: node.client(timeout=8.0) for node in nodes}

    def finish(self):
        self._halt.set()
        self.join()
        if self.failure is not None:
            raise AssertionError(f"{self.name}: {self.failure}")

    def run(self):
        number = 0
        try:
            while not self._halt.is_set():
                size = self._random.choice((1, 1, 5, 25))
                batch = [self._draw_event(number + i) for i in range(size)]
                number += size
                self._deliver(batch)
        except Exception as error:  # whatever it is, finish() tells it to the test
            self.failure = error
        finally:
            for client in self._clients.values():
                client.close()

    def _draw_event(self, number):
        stream = f"stream-{self._random.randrange(8)}"
        return event(self.source, str(number), stream=stream, data={"number": number})

    def _deliver(self, batch):
        wait = self._random.choice(("durable", "durable", "completed"))
        while batch and not self._halt.is_set():
            node = self._random.choice(self._nodes)
            try:
                answer = self._clients[node].submit(
                    batch if len(batch) > 1 else batch[0], wait=wait, seconds=3
                )
            except Unreachable:
                self._halt.wait(POLL_SECONDS)
                continue
            if answer.status in COME_BACK:
                self._halt.wait(POLL_SECONDS)
                continue
            if answer.status not in (200, 201, 202):
                raise AssertionError(f"{node} answered {answer} to {batch}")
            document = answer.json()
            outcomes = document["events"] if len(batch) > 1 else [document]
            batch = self._take(batch, outcomes)

    def _take(self, batch, outcomes):
        """Notes the promises; the events that nothing was promised for."""
        left = []
        for one, outcome in zip(batch, outcomes, strict=True):
            if outcome["detail"] == "received":
                left.append(one)
                continue
            assert outcome["detail"] in ("durable", "committed", "final", "witnessed"), outcome
            position = outcome.get("position")
            self.promised[one["id"]] = None if position is None else int(position)
        return left


class Load:
    """Several writers on several nodes; a context that ends them and tells their failures.

    `first` is the first writer's number: two loads on one chain must have different ones.
    """

    def __init__(self, nodes, writers=4, first=0):
        self._writers = [Writer(nodes, number) for number in range(first, first + writers)]

    def __enter__(self):
        for writer in self._writers:
            writer.start()
        return self

    def __exit__(self, kind, *_):
        for writer in self._writers:
            try:
                writer.finish()
            except AssertionError:
                if kind is None:
                    raise

    def count(self):
        """Promises so far."""
        for writer in self._writers:
            if writer.failure is not None:
                raise AssertionError(f"{writer.name}: {writer.failure}")
        return sum(len(writer.promised) for writer in self._writers)

    def promises(self):
        """(source, id) -> promised position or None. Once the writers have ended."""
        return {
            (writer.source, id): position
            for writer in self._writers
            for id, position in writer.promised.items()
        }


def check_log(test, node, promises=None):
    """What must hold for any node's log: returns [(source, id), ...] in order of position.

    Positions count from 0 without gaps, nothing is there twice, the versions of each stream count
    from 0 without gaps, and every promise was kept at the promised position.
    """
    with node.client() as client:
        log = client.whole_log()
    test.assertEqual([int(placed["position"]) for placed in log], list(range(len(log))), node)
    keys = [(placed["event"]["source"], placed["event"]["id"]) for placed in log]
    doubles = [key for key, times in collections.Counter(keys).items() if times > 1]
    test.assertEqual(doubles, [], f"twice in the log of {node}")
    versions = collections.defaultdict(list)
    for placed in log:
        versions[placed["event"].get("stream")].append(placed["version"])
    for stream, found in versions.items():
        test.assertEqual(found, list(range(len(found))), f"versions of {stream} on {node}")
    positions = {key: position for position, key in enumerate(keys)}
    for key, promised in (promises or {}).items():
        test.assertIn(key, positions, f"promised by a node and lost on {node}")
        if promised is not None:
            test.assertEqual(positions[key], promised, f"{key} on {node}")
    return keys
