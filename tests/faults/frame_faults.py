"""The faults that only frames can show: importing this adds them to those of `nemesis`."""

import math

from nemesis import draw_minority, draw_victim, fault, names_of
from waiting import random_moment


def frames(kind):
    return None if kind.has_frames else "on loopback no frame can be lost; see --netns"


def rule_pairs(arena, victim=None):
    """All directed pairs, or those of one node."""
    pairs = [(a.name, b.name) for a in arena.nodes for b in arena.others(a)]
    return [pair for pair in pairs if victim is None or victim.name in pair]


def count_frames(arena, pairs):
    """How many were lost and how many were carried since the beginning."""
    told = arena.links.told()
    links = [told[f"{source}->{target}"] for source, target in pairs]
    return sum(link["lost"] for link in links), sum(link["carried"] for link in links)


@fault("vanish", needs=frames)
def vanish(arena, workload, random, limits):
    """Hosts are off, now and then all of them; nobody is told, and back on they know of nothing."""
    victims = list(arena.nodes) if random.random() < 0.1 else draw_minority(arena, random)
    said = names_of(arena, victims)
    random_moment(random, 0.2)
    for node in victims:
        arena.vanish(node)
    others = arena.others(*victims)
    if not arena.is_majority(others):
        return f"{said} vanished"
    if random.random() < 0.25:
        # Back before anybody can have noticed: the others' connections lead to a stranger.
        random_moment(random, 0.5)
        return f"{said} vanished for a moment"
    seconds = workload.demand(others, f"{said} had vanished")
    limits.hold(random)
    return f"{said} vanished; the others went on after {seconds:.2f} s"


@fault("loss", needs=frames)
def loss(arena, workload, random, limits):
    """A share of all frames is lost, or a larger one of those from and to one node."""
    victim = draw_victim(arena, random) if random.random() < 0.4 else None
    most = 0.6 if victim else 0.25
    share = math.exp(random.uniform(math.log(0.02), math.log(most)))
    pairs = rule_pairs(arena, victim)
    before = count_frames(arena, pairs)
    for pair in pairs:
        arena.links.set(*pair, loss=share)
    what = f"{share:.0%} of the frames of {names_of(arena, [victim]) if victim else 'all'} are lost"
    seconds = workload.demand(arena.others(victim) if victim else arena.nodes, what)
    limits.hold(random)
    lost, carried = (now - then for now, then in zip(count_frames(arena, pairs), before))
    return f"{what}, {lost} of {lost + carried}; an event took {seconds:.2f} s"


@fault("disorder", needs=frames)
def disorder(arena, workload, random, limits):
    """On all links frames overtake each other and arrive twice."""
    rule = {"reorder": random.uniform(0.02, 0.4), "duplicate": random.uniform(0, 0.3)}
    for pair in rule_pairs(arena):
        arena.links.set(*pair, **rule)
    what = f"{rule['reorder']:.0%} of all frames are held back, {rule['duplicate']:.0%} come twice"
    seconds = workload.demand(arena.nodes, what)
    limits.hold(random)
    return f"{what}; an event took {seconds:.2f} s"


@fault("black-hole", needs=frames)
def black_hole(arena, workload, random, limits):
    """Large frames from one node, to it, or both, are lost and small ones pass: a path whose limit
    nobody told. Links open and the smallest messages arrive, then nothing moves.
    """
    victim = draw_victim(arena, random)
    said = names_of(arena, [victim])
    longest = random.randrange(300, 1200)
    direction = random.choice(("from", "to", "from and to"))
    for source, target in rule_pairs(arena, victim):
        if direction == "from and to" or (source == victim.name) == (direction == "from"):
            arena.links.set(source, target, longest=longest)
    what = f"frames above {longest} octets {direction} {said} are lost"
    seconds = workload.demand(arena.others(victim), what)
    limits.hold(random)
    return f"{what}; the others went on after {seconds:.2f} s"
