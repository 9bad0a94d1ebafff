"""What clients asked and were told, and whether the cluster kept its word.

The model of a stream is its version: -1 while empty, one more with every event.

| told | what it means for the order |
|---|---|
| completed at version k | the stream stood at k-1 (and at `expectedversion`, if there was one), then at k |
| rejected, version c | a block decided so: at some moment of the call the stream stood at c, and c is not what was expected |
| refused, version c | the asked node's own view, which may be old: the stream stands at c or later, and c is past what was expected |
| durable, or nothing | may have happened, or not, at any time after the call began |
| linearizable read of version r | at some moment of the call the stream stood at r |
| local read of version r | it may be old: the stream stands at r or later |

No order is promised among appends that expect no version, but that whatever begins after another was
told to be completed comes behind it: a call that was told durable has no end here.

So appends and linearizable reads are linearizable, local reads are not: they never show what is not
there yet, and on one node they never go back, which is checked apart from the search.
"""

import collections
import dataclasses

from linearizability import FOREVER, Call, Undecided, is_linearizable

# Without the log's help an operation without an answer doubles the search; an honest "undecided" is
# worth more than minutes of it.
STEPS_MAX = 100_000


@dataclasses.dataclass
class Append:
    """One event offered by a client, over all its attempts."""

    key: tuple  # (source, id)
    stream: str
    expected: int | None
    invoked: float
    returned: float = FOREVER
    # completed, rejected, refused, durable, failed (certainly not taken in), unknown
    outcome: str = "unknown"
    position: int | None = None
    version: int | None = None
    height: int | None = None
    node: str | None = None  # that gave the answer

    def __str__(self):
        expectation = "" if self.expected is None else f" expecting {self.expected}"
        place = "" if self.version is None else f" at version {self.version}"
        place += "" if self.position is None else f", position {self.position}"
        return (
            f"[{self.invoked:.4f}, {self.returned:.4f}] append {'/'.join(self.key)} to "
            f"{self.stream}{expectation}: {self.outcome}{place} ({self.node})"
        )


@dataclasses.dataclass
class Read:
    """One listing of a stream, from `start` on, by one node."""

    stream: str
    node: str
    start: int
    invoked: float
    returned: float
    version: int  # where the node said that the stream stands
    keys: list  # of the events listed
    is_linearizable: bool = False

    def __str__(self):
        kind = "linearizable read of" if self.is_linearizable else "read"
        return (
            f"[{self.invoked:.4f}, {self.returned:.4f}] {kind} {self.stream} on {self.node}: "
            f"version {self.version}, {len(self.keys)} events from {self.start}"
        )


@dataclasses.dataclass(frozen=True)
class Placed:
    """An event in the log."""

    key: tuple
    stream: str
    position: int
    version: int
    expected: int | None

    @staticmethod
    def of(entry):
        event = entry["event"]
        return Placed(
            key=(event["source"], event["id"]),
            stream=event.get("stream"),
            position=int(entry["position"]),
            version=entry["version"],
            expected=event.get("expectedversion"),
        )


# --- the model --------------------------------------------------------------------------------------


def appended(version, expected):
    """The event is in the stream at `version`."""
    if expected is not None and expected != version - 1:
        return lambda state: None
    return lambda state: version if state == version - 1 else None


def appended_somewhere(expected):
    return lambda state: state + 1 if expected is None or expected == state else None


def rejected(version, expected):
    return lambda state: state if state == version and version != expected else None


def stood_at(version):
    return lambda state: state if state == version else None


def stood_at_least_at(version):
    return lambda state: state if state >= version else None


def call_of(operation, placed):
    """The operation as the search sees it; None if it says nothing about the stream.

    `placed` is its event in the log, None if it is not there; the text "unseen" leaves the log aside.
    """
    invoked, returned, label = operation.invoked, operation.returned, str(operation)
    if isinstance(operation, Read) and operation.is_linearizable:
        return Call(invoked, returned, stood_at(operation.version), label=label)
    if isinstance(operation, Read):
        return Call(invoked, returned, stood_at_least_at(operation.version), label=label)
    expected = operation.expected
    if operation.outcome == "completed":
        step = appended(operation.version, expected)
    elif operation.outcome == "rejected":
        step = rejected(operation.version, expected)
    elif operation.outcome == "refused":
        is_past = expected is not None and operation.version > expected
        step = stood_at_least_at(operation.version) if is_past else lambda state: None
    elif operation.outcome == "failed":
        return None
    elif placed == "unseen":
        return Call(invoked, FOREVER, appended_somewhere(expected), may_be_missing=True, label=label)
    elif placed is None:
        return None
    else:
        return Call(invoked, FOREVER, appended(placed.version, expected), label=label)
    return Call(invoked, returned, step, label=label)


# --- the checks -------------------------------------------------------------------------------------


def check_log(log, first=0):
    """Positions from `first` on, nothing twice, versions in order; [Placed] in, violations out."""
    violations = []
    last = {}
    for number, placed in enumerate(log, start=first):
        if placed.position != number:
            violations.append(f"the log has position {placed.position} where {number} should be")
        before = last.get(placed.stream)
        if before is not None and placed.version != before + 1:
            violations.append(f"{placed.stream} goes from version {before} to {placed}")
        last[placed.stream] = placed.version
        if placed.expected is not None and placed.expected != placed.version - 1:
            violations.append(f"placed against its expectation: {placed}")
    for key, times in collections.Counter(placed.key for placed in log).items():
        if times > 1:
            violations.append(f"{'/'.join(key)} is {times} times in the log")
    return violations


def check_same(logs):
    """{node: [Placed]}: one log on all, as far as each goes."""
    violations = []
    (first, reference), *others = logs.items()
    for node, log in others:
        for mine, theirs in zip(log, reference):
            if mine != theirs:
                violations.append(f"the logs differ: {mine} on {node}, {theirs} on {first}")
                break
    return violations


def check_promises(appends, placed, rejections):
    """What was promised is there, once and where it was said; what was turned down is not.

    `placed` maps keys to their place in the log, `rejections` is the set of keys which the cluster
    says it rejected.
    """
    violations = []
    for append in appends:
        found = placed.get(append.key)
        if append.outcome == "completed":
            if found is None:
                violations.append(f"completed, and not in the log: {append}")
            elif (found.position, found.version, found.stream) != (
                append.position,
                append.version,
                append.stream,
            ):
                violations.append(f"completed elsewhere than told: {append}; the log: {found}")
        elif append.outcome == "durable":
            if found is None and append.key not in rejections:
                violations.append(f"durable, and neither in the log nor rejected: {append}")
        elif append.outcome in ("rejected", "refused", "failed") and found is not None:
            violations.append(f"turned down, and in the log all the same: {append}; {found}")
    return violations


def check_reads(reads, appends, log):
    """Reads show what the log has, and on one node they never go back."""
    violations = []
    streams = collections.defaultdict(list)
    for placed in log:
        streams[placed.stream].append(placed.key)
    for read in reads:
        stream = streams[read.stream]
        end = read.start + len(read.keys)
        # The version is read before the events, which may be more by then, never fewer.
        if read.keys != stream[read.start : end] or end <= read.version < 1000:
            violations.append(f"not what the log has: {read}: {read.keys}")
    seen = [(read.node, read.stream, read.invoked, read.returned, read.version) for read in reads]
    # A node that told of a completed event shows it from then on.
    seen += [
        (append.node, append.stream, FOREVER, append.returned, append.version)
        for append in appends
        if append.outcome == "completed"
    ]
    by_place = collections.defaultdict(list)
    for node, stream, *rest in seen:
        by_place[node, stream].append(rest)
    for (node, stream), views in by_place.items():
        ends = sorted((returned, version) for _, returned, version in views)
        highest, next_end = -1, 0
        for invoked, _, version in sorted(views):
            while next_end < len(ends) and ends[next_end][0] < invoked:
                highest = max(highest, ends[next_end][1])
                next_end += 1
            if invoked < FOREVER and version < highest:
                violations.append(
                    f"{node} went back: {stream} at version {version} at {invoked:.4f}, "
                    f"after {highest}"
                )
    return violations


def check_stream(operations, placed=None):
    """Linearizability of one stream's operations; with `placed`, all answers completed by the log.

    Returns (violations, whether the search came to an end).
    """
    calls = [
        call_of(operation, "unseen" if placed is None else placed.get(getattr(operation, "key", None)))
        for operation in operations
    ]
    calls = [call for call in calls if call is not None]
    try:
        is_fine, longest = is_linearizable(calls, -1, STEPS_MAX)
    except Undecided:
        return [], False
    if is_fine:
        return [], True
    stuck = sorted(set(calls) - set(longest), key=lambda call: call.invoked)
    story = "\n    ".join(call.label for call in longest[-5:])
    rest = "\n    ".join(call.label for call in stuck[:10])
    return [
        f"no order of {len(calls)} operations explains {operations[0].stream}. "
        f"The last that fit:\n    {story}\n  and then none of:\n    {rest}"
    ], True


def check_streams(operations, placed):
    """Every stream twice: by what clients saw alone, and with the log's help.

    Returns (violations, streams, searches without an end).
    """
    by_stream = collections.defaultdict(list)
    for operation in operations:
        by_stream[operation.stream].append(operation)
    violations = []
    undecided = 0
    for stream in by_stream.values():
        for help_of_log in (None, placed):
            found, is_decided = check_stream(stream, help_of_log)
            violations += found
            undecided += not is_decided
            if found:
                break
    return violations, len(by_stream), undecided
