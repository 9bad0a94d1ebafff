"""All processors of the leader's host taken by another unit: the leader goes on leading, and a promise
takes hardly longer. For that the leader's host gets a processor that it has for itself, and the other
hosts and the client share the rest: in life hosts are not busy with each other's services."""

import os
import random
import threading
import time

from client import event
from lab import Trouble
from neighbour import bench
from seen import Skipped, expect, ready_nodes

UNIT = "another"
ROUNDS = 8
SECONDS = 4
RATE = 60
# The project's own bound for the quotient of the 99th percentiles.
P99_QUOTIENT_MAX = 2.0
# Ahead of everybody: what is measured is the nodes' time and not the client's.
CLIENT_NICE = -15


def pin(host, processors):
    """All threads of the host, and those that they make from now on, run on these processors only."""
    for thread in host.threads():
        try:
            os.sched_setaffinity(thread, processors)
        except ProcessLookupError:
            continue  # it has ended meanwhile


def share_out(deployment, leader):
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        raise Skipped("this machine has one processor, so hosts cannot have one of their own")
    for node in deployment.nodes:
        pin(node.host, {first} if node is leader else set(others))
    os.sched_setaffinity(0, set(others))
    return {first, *others}


class OtherService:
    """A unit of ordinary weight that never waits: two processes for one processor."""

    def __init__(self, host):
        self._host = host

    def __enter__(self):
        burn = "for i in 1 2; do while :; do :; done & done; wait"
        self._host.run("systemd-run", "--quiet", f"--unit={UNIT}", "sh", "-c", burn)

    def __exit__(self, *_):
        self._host.run("systemctl", "stop", UNIT)


def quantile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


_posted = 0


def latencies(node, seconds):
    """Milliseconds from when an event was due to its promise, RATE times a second, one at a time."""
    global _posted
    found = []
    pace = threading.Event()  # never set: load comes at fixed times, whatever the answers do
    with node.client() as client:
        client.cluster()  # connected
        began = time.monotonic()
        for turn in range(int(seconds * RATE)):
            due = began + turn / RATE
            while (left := due - time.monotonic()) > 0:
                pace.wait(left)
            _posted += 1
            answer = client.submit(event("/hosts/busy", str(_posted)), wait="durable", seconds=10)
            if answer.status not in (200, 201, 202):
                raise Trouble(f"{node} answered {answer}")
            found.append(1000 * (time.monotonic() - due))
    return found


def window(mode, leader):
    if mode == "idle":
        found = latencies(leader, SECONDS)
    else:
        with OtherService(leader.host):
            found = latencies(leader, SECONDS)
    return {"mode": mode, "p50": quantile(found, 0.5), "p99": quantile(found, 0.99)}


def mean(turn, figure):
    found = [one[figure] for one in turn if one["mode"] == "idle"]
    return sum(found) / len(found)


def other_unit(deployment):
    ready_nodes(deployment)
    leader = deployment.leader()
    expect(leader is not None, "nobody leads")
    term = deployment.statuses()[leader.name]["term"]
    harm = bench()
    order = random.Random(1)
    rounds = []
    processors = share_out(deployment, leader)
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), CLIENT_NICE)
    try:
        for _ in range(ROUNDS):
            modes = ["idle", "idle", "busy"]
            order.shuffle(modes)
            rounds.append([window(mode, leader) for mode in modes])
    finally:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 0)
        os.sched_setaffinity(0, processors)
        for node in deployment.nodes:
            pin(node.host, processors)
    after = deployment.statuses()[leader.name]
    expect(after["role"] == "leader" and after["term"] == term, f"{leader} led in term {term}, and now: {after}")

    def of(mode, figure):
        return harm.confidence([one[figure] for turn in rounds for one in turn if one["mode"] == mode])

    def quotient(figure):
        return harm.confidence(
            [one[figure] / mean(turn, figure) for turn in rounds for one in turn if one["mode"] == "busy"]
        )

    idle = [[one["p99"] for one in turn if one["mode"] == "idle"] for turn in rounds]
    noise = harm.confidence([pair[0] / pair[1] for pair in idle])
    expect(quotient("p99")[1] <= P99_QUOTIENT_MAX, f"the p99 is {quotient('p99')} times that of an idle host: {rounds}")
    return (
        f"term {term} all the time; promised after ms, idle p50 {of('idle', 'p50')[0]:.1f} p99 {of('idle', 'p99')[0]:.1f}"
        + f", busy p50 {of('busy', 'p50')[0]:.1f} p99 {of('busy', 'p99')[0]:.1f}"
        + "; busy by idle: p50 {:.2f} [{:.2f}, {:.2f}]".format(*quotient("p50"))
        + ", p99 {:.2f} [{:.2f}, {:.2f}]".format(*quotient("p99"))
        + "; idle by idle p99 {:.2f} [{:.2f}, {:.2f}]".format(*noise)
    )
