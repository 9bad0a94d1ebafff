"""Whether a concurrent history of one stream could have happened one operation after the other.

The search of Wing and Gong with Lowe's memoisation, as Porcupine does it: take any operation that
had begun before every other remaining one ended, apply it to the model, go on; step back when the
model refuses. What was taken (a set of operations) together with the state it led to is remembered,
and never searched twice.
"""

import dataclasses
import math

FOREVER = math.inf


class Undecided(Exception):
    """The search took more steps than it was allowed; nothing is known."""


@dataclasses.dataclass(frozen=True)
class Call:
    """One operation of a history: when it was invoked and returned, and what it says.

    An operation whose end was never learnt returns FOREVER after. `may_be_missing` says that it need
    not have happened at all.
    """

    invoked: float
    returned: float
    step: object  # state -> the next state, or None if this cannot happen in `state`
    may_be_missing: bool = False
    label: str = ""


class _Entry:
    """A beginning or an end of a call, in a list that is doubly linked."""

    __slots__ = ("call", "bit", "end", "before", "after")

    def __init__(self, call, bit, end):
        self.call = call
        self.bit = bit
        self.end = end  # of a beginning: its end; None for ends
        self.before = self.after = None

    def unlink(self):
        self.before.after = self.after
        if self.after is not None:
            self.after.before = self.before

    def relink(self):
        self.before.after = self
        if self.after is not None:
            self.after.before = self


def _linked(calls):
    """Head of the list of all beginnings and ends in order of time."""
    timed = []
    for number, call in enumerate(calls):
        end = _Entry(call, 1 << number, None)
        # Beginnings before ends of the same moment: what touches counts as concurrent.
        timed.append(((call.invoked, 0, number), _Entry(call, 1 << number, end)))
        timed.append(((call.returned, 1, number), end))
    timed.sort(key=lambda one: one[0])
    head = last = _Entry(None, 0, None)
    for _, entry in timed:
        last.after, entry.before = entry, last
        last = entry
    return head


def is_linearizable(calls, state, steps_max=None):
    """Whether some order of `calls` that respects their times leads the model from `state` on.

    Returns (True, None), or (False, the longest list of calls that could be ordered).
    """
    head = _linked(calls)
    needed = sum(1 << number for number, call in enumerate(calls) if not call.may_be_missing)
    taken = 0
    seen = set()
    stack = []
    longest = []
    entry = head.after
    steps = 0
    while taken & needed != needed:
        steps += 1
        if steps_max is not None and steps > steps_max:
            raise Undecided(f"no answer after {steps_max} steps")
        if entry is not None and entry.end is not None:
            following = entry.call.step(state)
            if following is None or (taken | entry.bit, following) in seen:
                entry = entry.after
                continue
            seen.add((taken | entry.bit, following))
            stack.append((entry, state))
            taken |= entry.bit
            state = following
            entry.end.unlink()
            entry.unlink()
            entry = head.after
        elif entry is not None and entry.call.may_be_missing:
            entry = entry.after
        else:
            # An end that was passed over, or nothing left: some earlier choice was wrong.
            if len(stack) > len(longest):
                longest = [taken_entry.call for taken_entry, _ in stack]
            if not stack:
                return False, longest
            entry, state = stack.pop()
            taken &= ~entry.bit
            # In the reverse order of taking out, so that both find their neighbours.
            entry.relink()
            entry.end.relink()
            entry = entry.after
    return True, None
