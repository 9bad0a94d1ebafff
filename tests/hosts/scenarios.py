"""What is tried, in order. Each scenario leaves a cluster that works; each asserts and returns figures."""

import dataclasses
from typing import Callable

import busy
import faults
import growth
import neighbour
import papers
import replacing
import units
import upkeep
import watching
from seen import Skipped  # noqa: F401


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    what: str
    play: Callable
    needs: tuple = ("site",)
    is_long: bool = False


SCENARIOS = [
    Scenario("papers", "ansible-lint, and every variable documented", papers.check, needs=()),
    Scenario("check", "--check on bare hosts", growth.check_bare_hosts, needs=()),
    Scenario("site", "from bare hosts to a mining cluster that completes events", growth.site, needs=()),
    Scenario("again", "a second run changes nothing", growth.site_again),
    Scenario("mining", "mining is paused, capped and let go on by the playbook", upkeep.mining),
    # A standby that has lost its leader goes on saying that it has one; with voters alone nobody does.
    Scenario("alerts", "Prometheus: node down, no quorum", watching.alerts),
    Scenario("add", "a fourth host is added", growth.add_node),
    Scenario("refused", "no upgrade where a majority would be lost", upkeep.upgrade_refused),
    Scenario("broken", "an upgrade ends at the first node that does not come back", upkeep.upgrade_broken),
    Scenario("upgrade", "rolling upgrade under load", upkeep.upgrade, needs=("site", "add")),
    Scenario("rotate", "certificates rotated under load", upkeep.rotate),
    Scenario("crash", "a host loses its power and comes back", faults.crash),
    Scenario("freeze", "a host stands still", faults.freeze),
    Scenario("partition", "a host is cut off from the others", faults.partition),
    Scenario("disk", "a host's disk is full", faults.disk),
    Scenario("clock", "a host's clock is wrong", faults.clock),
    Scenario("watchdog", "a node stands still, its host does not", units.watchdog),
    Scenario("dead", "a voter's host is lost for good, and replaced", replacing.dead),
    Scenario("light", "a host that keeps headers only", replacing.light),
    Scenario("randomx", "a chain whose work is RandomX, on a host of its own", units.randomx, needs=(), is_long=True),
    Scenario("busy", "another unit takes all processors", busy.other_unit, is_long=True),
    Scenario("neighbour", "redis beside the miner", neighbour.redis, is_long=True),
    Scenario("remove", "a node is removed", growth.remove_node, needs=("site", "add")),
]


def needed_for(names):
    """These and what they need, in order."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    unknown = set(names) - set(known)
    if unknown:
        raise SystemExit(f"no scenario is called {', '.join(sorted(unknown))}; see: tests/hosts/run --list")
    wanted = set()

    def want(name):
        for need in known[name].needs:
            want(need)
        wanted.add(name)

    for name in names:
        want(name)
    return [scenario for scenario in SCENARIOS if scenario.name in wanted]
