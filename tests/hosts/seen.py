"""What several scenarios look at, and load whose promises are kept in mind."""

import time
import unittest

import paths  # noqa: F401  first: it says where the others are

from client import event
from lab import Trouble, wait_until
from load import Load, check_log

# In which time an operator is to see what is wrong.
STATUS_SECONDS = 10.0


class Skipped(Exception):
    """Why a scenario cannot be played here."""


def expect(condition, what):
    if not condition:
        raise Trouble(what)


def ready_nodes(deployment, nodes=None, seconds=60):
    """Waits until these nodes, or all, are ready; the seconds it took."""
    began = time.monotonic()
    names = {node.name for node in nodes or deployment.nodes}

    def are_ready():
        statuses = deployment.statuses()
        return all(name in statuses and statuses[name]["ready"] for name in names)

    wait_until(are_ready, f"{', '.join(sorted(names))} are ready", seconds, poll_seconds=0.3)
    return time.monotonic() - began


_completed = 0


def complete_event(nodes, seconds=60):
    """One event through one of these nodes, to its completion; the seconds it took."""
    global _completed
    _completed += 1
    began = time.monotonic()

    def is_completed():
        for node in nodes:
            try:
                with node.client(timeout=12.0) as client:
                    answer = client.submit(event("/hosts/one", str(_completed)), wait="completed", seconds=10)
            except OSError:
                continue
            if answer.status in (200, 201):
                return True
        return False

    wait_until(is_completed, f"an event is completed through {nodes}", seconds)
    return time.monotonic() - began


def same_tip(deployment, seconds=60):
    def is_same():
        statuses = deployment.statuses()
        tips = {status["tip"] for status in statuses.values()}
        pending = sum(int(status["pool"]["events"]) for status in statuses.values())
        return len(statuses) == len(deployment.nodes) and len(tips) == 1 and pending == 0

    wait_until(is_same, "all nodes stand on one tip with nothing pending", seconds, poll_seconds=0.2)


class WatchedLoad:
    """Clients that write all the time while something is done to the cluster. At the end every promise
    must have been kept, on every node, once. A client's request may be sent again, but never fail."""

    _next_writer = 0

    def __init__(self, deployment, writers=3):
        self._deployment = deployment
        self._load = Load(deployment.nodes, writers=writers, first=WatchedLoad._next_writer)
        WatchedLoad._next_writer += writers

    def __enter__(self):
        self._load.__enter__()
        wait_until(lambda: self._load.count() > 20, "events are taken in")
        return self

    def __exit__(self, kind, *rest):
        if kind is None:
            before = self._load.count()
            wait_until(lambda: self._load.count() > before + 20, "events are taken in afterwards")
        self._load.__exit__(kind, *rest)

    def check(self):
        """How many promises there were; once the load has ended."""
        same_tip(self._deployment)
        promises = self._load.promises()
        logs = [check_log(unittest.TestCase(), node, promises) for node in self._deployment.nodes]
        expect(all(log == logs[0] for log in logs), "the nodes' logs differ")
        return len(promises)
