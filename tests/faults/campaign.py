"""Rounds on one cluster for so many seconds, and the report about them."""

import collections
import os
import pathlib
import time
import traceback

from arena import Arena
from nemesis import FAULTS, Limits, draw_faults
from rounds import CheckFailed, Rounds
from workload import Workload


def choose(names, kind):
    """Those of the faults that can be done here; says why the others cannot."""
    can = []
    for name in names:
        missing = FAULTS[name].missing(kind)
        if missing:
            print(f"skipped: {name}: {missing}")
        else:
            can.append(name)
    return can


class Campaign:
    """Rounds on one cluster; what they come to is for the report."""

    def __init__(self, options, kind, names, seconds, hold_max):
        self.done = collections.Counter()
        self.seconds = 0.0
        self.operations = 0
        self.violations = []
        self._options = options
        self._kind = kind
        self._names = names
        self._least_seconds = seconds
        self._hold_max = hold_max

    def run(self):
        options = self._options
        began = time.monotonic()
        has_disk = "disk-full" in self._names
        with Arena(options.nodes, has_disk, options.settings, self._kind) as arena:
            with Workload(arena.nodes, options.clients) as workload:
                rounds = Rounds(arena, workload)
                try:
                    self._play(rounds, arena, workload, began)
                    rounds.finish()
                except CheckFailed:
                    pass  # the report tells what it found
                except AssertionError as error:
                    rounds.violations.append(str(error))
                    traceback.print_exc()
                self.seconds = time.monotonic() - began
                self._report(rounds, arena)

    def _play(self, rounds, arena, workload, began):
        limits = Limits(stop_max=self._options.stop_max, hold_max=self._hold_max)
        for number, name, drawn in draw_faults(self._names):
            is_over = time.monotonic() > began + self._least_seconds
            if is_over and len(self.done) == len(self._names):
                return
            try:
                said = rounds.play(lambda: FAULTS[name](arena, workload, drawn, limits))
            except CheckFailed:
                print(f"in the round of {name}")
                raise
            except AssertionError as error:
                raise AssertionError(f"in the round of {name}: {error}") from error
            self.done[name] += 1
            print(f"{number:4} {name:10} {said}")

    def _report(self, rounds, arena):
        print(f"faults: {', '.join(f'{name} {n}' for name, n in sorted(self.done.items()))}")
        outcomes = rounds.outcomes
        print(f"operations: {', '.join(f'{name} {n}' for name, n in sorted(outcomes.items()))}")
        print(f"elections: {rounds.terms} terms; longest way back to one tip {rounds.longest:.1f} s")
        print(
            f"checked: {rounds.streams} streams, {len(rounds.log)} events on {len(arena.nodes)} "
            f"nodes; {rounds.undecided} searches without an end"
        )
        self.operations = sum(outcomes.values())
        self.violations = rounds.violations
        if not self.violations:
            return
        seed = os.environ["EVENTCHAIN_SEED"]
        place = pathlib.Path(self._options.keep) / f"seed-{seed}"
        arena.keep_logs(place)
        rounds.keep(place)
        for violation in self.violations[:20]:
            print(f"VIOLATION: {violation}")
        print(f"kept in {place}; again with: --seed {seed}")
