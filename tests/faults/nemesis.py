"""The faults. Each strikes, demands progress of those who must still make it, and says what it did.

A fault is a function of (arena, workload, random, limits). What it leaves broken, Arena.heal() mends.
Wherever a majority is alive and linked, an event must be completed while the fault lasts.
"""

import dataclasses
import datetime
import math
import os
import time

from clock import PACKAGE, Clock, library
from disk import EXIT_DISK, MEBIBYTE
from seed import random_for
from waiting import random_moment, wait_until

FAULTS = {}
HOUR = 3600


@dataclasses.dataclass
class Limits:
    """How long faults last at most, in seconds."""

    stop_max: float = 10.0
    # Beyond the 10 s after which a silent link is given up.
    hold_max: float = 14.0

    def draw(self, random, most):
        """Short as often as long: each tenth to tenfold is as likely as the next."""
        return math.exp(random.uniform(math.log(0.1), math.log(most)))

    def hold(self, random):
        seconds = self.draw(random, self.hold_max)
        random_moment(random, seconds, seconds)


def fault(name, needs=lambda kind: None):
    """Registers a fault; `needs` returns a sentence about what is missing here, or None. It is given
    the kind of links that nodes have.
    """

    def register(function):
        function.missing = needs
        FAULTS[name] = function
        return function

    return register


# --- whom it hits ---------------------------------------------------------------------------------


def draw_victim(arena, random):
    """The leader as often as any of the others."""
    leader = arena.leader()
    return leader if random.random() < 0.5 else random.choice(arena.others(leader))


def draw_minority(arena, random):
    """A victim, and with more than three nodes now and then as many as a majority can spare."""
    first = draw_victim(arena, random)
    spare = (len(arena.nodes) - 1) // 2
    more = random.randrange(spare)
    return [first, *random.sample(arena.others(first), more)]


def name_of(arena_leader, node):
    return f"{node} (leader)" if node is arena_leader else str(node)


def make_leader(arena, workload, wanted):
    """Whoever else leads is frozen until another does, at most ten times: chance decides.

    The clock of a leader goes into the blocks, that of a follower does not.
    """
    for _ in range(10):
        leader = arena.leader()
        if leader is wanted:
            return
        leader.freeze()
        try:
            workload.demand(arena.others(leader), f"{leader} was frozen for another to lead")
        finally:
            leader.thaw()


def names_of(arena, nodes):
    leader = arena.leader()
    return ", ".join(name_of(leader, node) for node in nodes)


# --- processes ------------------------------------------------------------------------------------


@fault("kill")
def kill(arena, workload, random, limits):
    """SIGKILL of one, of a minority, now and then of all at once."""
    if random.random() < 0.15:
        victims = random.sample(arena.nodes, len(arena.nodes))
    else:
        victims = draw_minority(arena, random)
    said = names_of(arena, victims)
    random_moment(random, 0.2)
    for node in victims:
        node.kill()
    others = arena.others(*victims)
    if not arena.is_majority(others):
        return f"{said} killed"
    seconds = workload.demand(others, f"{said} were killed")
    limits.hold(random)
    return f"{said} killed; the others went on after {seconds:.2f} s"


@fault("stop")
def stop(arena, workload, random, limits):
    """SIGSTOP of one for a tenth of a second up to limits.stop_max, then SIGCONT."""
    victim = draw_victim(arena, random)
    said = names_of(arena, [victim])
    seconds = limits.draw(random, limits.stop_max)
    others = arena.others(victim)
    victim.freeze()
    try:
        if seconds < 2:
            random_moment(random, seconds, seconds)
            return f"{said} stood still for {seconds:.1f} s"
        first = workload.demand(others, f"{said} stood still")
        rest = max(0.0, seconds - first)
        random_moment(random, rest, rest)
    finally:
        victim.thaw()
    return f"{said} stood still for {first + rest:.1f} s; the others went on after {first:.2f} s"


@fault("flapping")
def flapping(arena, workload, random, limits):
    """Whoever leads is killed or frozen, and so is its successor, again and again."""
    terms = []
    falls = random.randrange(3, 6)
    for _ in range(falls):
        leader = arena.leader()
        terms.append(arena.term())
        is_killed = random.random() < 0.5
        if is_killed:
            leader.kill()
        else:
            leader.freeze()
        workload.demand(arena.others(leader), f"{leader}, who led, is away")
        if is_killed:
            leader.start()
            leader.wait_ready()
        else:
            leader.thaw()
    return f"{falls} leaders fell one after the other, from term {terms[0]} to {arena.term()}"


# --- links ----------------------------------------------------------------------------------------


@fault("partition")
def partition(arena, workload, random, limits):
    """A minority is cut off, with the leader or without; now and then nobody has a majority."""
    mode = random.choice(("silent", "silent", "cut"))
    if random.random() < 0.2:
        arena.links.separate([[node.name] for node in arena.nodes], mode)
        limits.hold(random)
        return f"every node alone ({mode})"
    minority = draw_minority(arena, random)
    said = names_of(arena, minority)
    majority = arena.others(*minority)
    arena.links.separate([[n.name for n in minority], [n.name for n in majority]], mode)
    seconds = workload.demand(majority, f"{said} were cut off ({mode})")
    limits.hold(random)
    return f"{said} cut off ({mode}); the others went on after {seconds:.2f} s"


@fault("asymmetric")
def asymmetric(arena, workload, random, limits):
    """One node is not heard, or hears nobody: by all others, or by one of them."""
    victim = draw_victim(arena, random)
    said = names_of(arena, [victim])
    others = arena.others(victim)
    if random.random() < 0.4:
        others = [random.choice(others)]
    is_mute = random.random() < 0.5
    for node in others:
        pair = (victim.name, node.name) if is_mute else (node.name, victim.name)
        arena.links.set(*pair, "silent")
    what = f"{said} {'is not heard by' if is_mute else 'does not hear'} {names_of(arena, others)}"
    seconds = workload.demand(arena.others(victim), what)
    limits.hold(random)
    return f"{what}; the others went on after {seconds:.2f} s"


@fault("partial")
def partial(arena, workload, random, limits):
    """Not everybody is linked with everybody, yet some node is linked with a majority."""
    names = [node.name for node in random.sample(arena.nodes, len(arena.nodes))]
    bridge, *rest = names
    half = len(rest) // 2
    if random.random() < 0.5:
        arena.links.separate([rest[:half], rest[half:]])
        what = f"only {bridge} links {' and '.join(rest[:half])} with {' and '.join(rest[half:])}"
    else:
        arena.links.separate([rest[:1], rest[-1:]])
        what = f"{rest[0]} and {rest[-1]} are not linked"
    seconds = workload.demand(arena.nodes, what)
    limits.hold(random)
    # Not only a lucky moment: whoever leads goes on leading.
    again = workload.demand(arena.nodes, what)
    return f"{what}; an event took {seconds:.2f} s, and {again:.2f} s later on"


@fault("slow")
def slow(arena, workload, random, limits):
    """All links are slow, or those of one node very slow, with little room."""
    if random.random() < 0.5:
        delay = random.randrange(10, 80)
        rule = {"delay_ms": delay, "jitter_ms": delay // 2, "rate": random.choice((None, 256_000))}
        pairs = [(a.name, b.name) for a in arena.nodes for b in arena.others(a)]
        what = "all links"
    else:
        victim = draw_victim(arena, random)
        delay = random.randrange(200, 1000)
        rule = {"delay_ms": delay, "jitter_ms": delay // 2, "rate": random.choice((32_000, 128_000))}
        pairs = [(victim.name, node.name) for node in arena.others(victim)]
        pairs += [(b, a) for a, b in pairs]
        what = f"the links of {names_of(arena, [victim])}"
    for pair in pairs:
        arena.links.set(*pair, **rule)
    what += f" take {rule['delay_ms']} +- {rule['jitter_ms']} ms"
    what += f", {rule['rate']} octets/s" if rule["rate"] else ""
    seconds = workload.demand(arena.nodes, what)
    limits.hold(random)
    return f"{what}; an event took {seconds:.2f} s"


@fault("half-open")
def half_open(arena, workload, random, limits):
    """The connections of one node, or of one pair, are dead and nobody is told."""
    victim = draw_victim(arena, random)
    others = arena.others(victim)
    if random.random() < 0.3:
        others = [random.choice(others)]
    what = f"dead links of {names_of(arena, [victim])} with {names_of(arena, others)}"
    for node in others:
        arena.links.orphan(victim.name, node.name)
    seconds = workload.demand(arena.nodes, what)
    # Nothing heals these links but the nodes themselves.
    arena.wait_linked()
    return f"{what}; an event took {seconds:.2f} s, all are linked again"


# --- the machine ----------------------------------------------------------------------------------


@fault("disk-full", needs=lambda _: None if os.geteuid() == 0 else "mounting a small disk needs root")
def disk_full(arena, workload, random, limits):
    """The disk of one node has less than its reserve left, or nothing at all."""
    poor = arena.poor
    said = names_of(arena, [poor])
    others = arena.others(poor)
    if random.random() < 0.5:
        arena.disk.leave(16 * MEBIBYTE)
        wait_until(lambda: not (poor.status() or {"intake_open": True})["intake_open"], "intake ends")
        what = f"the disk of {said} below its reserve"
    else:
        arena.disk.leave(0)
        what = f"the disk of {said} full"
    seconds = workload.demand(others, what)
    limits.hold(random)
    # A node that cannot write ends rather than promise what it cannot keep, and says so.
    code = poor.end_of_itself()
    if code is not None:
        assert code == EXIT_DISK, f"{poor} ended with exit code {code}\n{poor.log_tail()}"
        what += ", which therefore ended"
    return f"{what}; the others went on after {seconds:.2f} s"


def block_time_ahead(arena):
    """Seconds by which the newest block's time is ahead of this machine's clock."""
    node = arena.leader()
    with node.client() as client:
        header = client.header(node.height())
    return datetime.datetime.fromisoformat(header["time"]).timestamp() - time.time()


@fault(
    "clock-jump",
    needs=lambda _: None if library() else f"moving clocks needs libfaketime (package {PACKAGE})",
)
def clock_jump(arena, workload, random, limits):
    """The wall clock of one node is off by up to an hour, forward or back, while it runs."""
    victim = draw_victim(arena, random)
    clock = Clock(victim)
    jumps = [random.choice((-HOUR, -60, -3, 3, 60, HOUR)) for _ in range(random.randrange(1, 4))]
    victim.kill()
    clock.rule()
    victim.start()
    victim.wait_ready()
    if random.random() < 0.6:
        make_leader(arena, workload, victim)
    said = names_of(arena, [victim])
    times = []
    ahead = []
    for seconds in jumps:
        clock.move(seconds)
        wait_until(clock.is_obeyed, f"the clock of {said} is {seconds:+d} s off")
        limits.hold(random)
        times.append(workload.demand(arena.nodes, f"the clock of {said} is {seconds:+d} s off"))
        ahead.append(block_time_ahead(arena))
    clock.let_go()
    victim.kill()
    took = ", ".join(f"{jump:+d} s ({one:.2f} s)" for jump, one in zip(jumps, times))
    return (
        f"the clock of {said} off by (an event took) {took}; "
        f"the newest block's time was up to {max(ahead):+.0f} s off"
    )


def draw_faults(names):
    """For ever: all of `names` in a drawn order, then all in another, each with a generator."""
    order = random_for("order of faults")
    number = 0
    while True:
        for name in order.sample(names, len(names)):
            number += 1
            yield number, name, random_for(f"fault {number}")
