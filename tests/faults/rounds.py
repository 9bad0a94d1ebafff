"""One round: a fault strikes, everything heals, the clients pause, and their history is checked."""

import collections
import itertools
import json
import pathlib
import time

from history import Append, Placed, check_log, check_promises, check_reads, check_same, check_streams


def read_log(node, position):
    """The log of `node` from `position` on."""
    placed = []
    with node.client() as client:
        while True:
            page = client.get("/v1/log", **{"from": position, "limit": 1000}).json()
            placed += [Placed.of(entry) for entry in page["events"]]
            if not page["events"]:
                return placed
            position = int(page["next"])


class CheckFailed(Exception):
    """A check of a round found violations; they are in Rounds.violations."""


class Rounds:
    """Plays rounds and adds up what they showed. `log` is what all nodes agreed on so far."""

    def __init__(self, arena, workload):
        self.violations = []
        self.outcomes = collections.Counter()
        self.streams = 0
        self.undecided = 0
        self.longest = 0.0
        self.terms = arena.term()
        self.log = []
        self._first_term = arena.term()
        self._placed = {}  # key -> Placed
        self._promised = []  # appends whose promise must hold to the end
        self._operations = []  # of the last round
        self._arena = arena
        self._workload = workload

    def play(self, strike):
        """One round; a line about it. Raises CheckFailed, and AssertionError for a standstill."""
        arena, workload = self._arena, self._workload
        began = time.monotonic()
        try:
            said = strike()
        finally:
            # Even of a round that fails the history is worth having.
            self._operations = workload.take()
        healed = arena.heal()
        workload.pause()
        rest = arena.wait_at_rest()
        arena.check_alive()
        self._operations += workload.take()
        self.longest = max(self.longest, healed + rest)
        self.terms = arena.term() - self._first_term
        self._check(self._operations)
        if self.violations:
            raise CheckFailed
        workload.resume()
        seconds = time.monotonic() - began
        return (
            f"{said} | ready after {healed:.1f} s, at rest after {rest:.1f} s | "
            f"{len(self._operations)} operations in {seconds:.1f} s"
        )

    def finish(self):
        """All logs once more, from their beginnings: nothing that was ever promised is gone."""
        self._workload.pause()
        self._arena.wait_at_rest()
        for node in self._arena.nodes:
            log = read_log(node, 0)
            self.violations += check_log(log)
            self.violations += check_same({"what was agreed": self.log, node.name: log})
            if len(log) < len(self.log):
                self.violations.append(f"{node} has only {len(log)} of {len(self.log)} events")
            placed = {one.key: one for one in log}
            self.violations += check_promises(self._promised, placed, set())

    def _check(self, operations):
        # A request that lay in a frozen node's socket may be placed even now: what the nodes have
        # in common counts, the rest belongs to the next round.
        first = len(self.log)
        logs = {node.name: read_log(node, first) for node in self._arena.nodes}
        self.violations += check_same(logs)
        fresh = min(logs.values(), key=len)
        self.violations += check_log(fresh, first)
        for placed in fresh:
            if placed.key in self._placed:
                self.violations.append(f"placed twice: {self._placed[placed.key]} and {placed}")
            self._placed[placed.key] = placed
        self.log += fresh

        appends = [one for one in operations if isinstance(one, Append)]
        reads = [one for one in operations if not isinstance(one, Append)]
        rejections = {one.key for one in appends if self._is_rejected(one)}
        self.violations += check_promises(appends, self._placed, rejections)
        self.violations += check_reads(reads, appends, self.log)
        found, streams, undecided = check_streams(operations, self._placed)
        self.violations += found
        self.streams += streams
        self.undecided += undecided
        self.outcomes.update(one.outcome for one in appends)
        self.outcomes["read"] += len(reads)
        self._promised += [one for one in appends if one.key in self._placed and one.node]

    def _is_rejected(self, append):
        """Whether every node says that a block rejected what was promised to be durable."""
        if append.outcome != "durable" or append.key in self._placed:
            return False
        for node in self._arena.nodes:
            with node.client() as client:
                answer = client.find(*append.key)
            if answer.status != 200 or answer.json()["status"] != "rejected":
                return False
        return True

    def keep(self, directory):
        """Writes the last round's history and the log where a violation is looked into."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        operations = itertools.chain(self._operations, self._workload.take())
        with open(directory / "history.txt", "w", encoding="utf-8") as file:
            for operation in sorted(operations, key=lambda one: one.invoked):
                file.write(f"{operation}\n")
        with open(directory / "log.jsonl", "w", encoding="utf-8") as file:
            for placed in self.log:
                file.write(json.dumps(vars(placed)) + "\n")
        (directory / "violations.txt").write_text("\n".join(self.violations) + "\n")
