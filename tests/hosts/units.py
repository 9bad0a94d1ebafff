"""What the units do of themselves."""

import time

from deployment import Deployment
from faults import leader_and_others
from growth import hashes_of
from lab import wait_until
from seen import complete_event, expect, ready_nodes, same_tip

WATCHDOG_SECONDS = 5


def watchdog(deployment):
    """A node that stands still, its host does not: systemd ends it and starts it again."""
    _, others = leader_and_others(deployment)
    node = others[0]
    host = node.host
    with host.drop_in("eventchain", f"WatchdogSec={WATCHDOG_SECONDS}", "TimeoutAbortSec=1", "RestartSec=1"):
        ready_nodes(deployment)
        before = host.property("eventchain", "MainPID")
        began = time.monotonic()
        host.run("kill", "-STOP", before)

        def is_new():
            now = host.property("eventchain", "MainPID")
            return now not in ("0", before) and host.property("eventchain", "ActiveState") == "active"

        wait_until(is_new, f"the watchdog has replaced the process of {node}")
        after = time.monotonic() - began
        said = host.run("journalctl", "-u", "eventchain", "--no-pager", "-n", "200").stdout
        expect("watchdog" in said.lower(), f"it was not the watchdog: {said[-2000:]}")
    ready_nodes(deployment)
    complete_event([node])
    same_tip(deployment)
    return f"stopped (SIGSTOP), ended by systemd and ready again after {after:.1f} s; WatchdogSec={WATCHDOG_SECONDS}"


def randomx(deployment):
    """A chain of its own on one more host, with the work function that compiles programs: the units' filters
    must let it."""
    host = deployment.lab.add_host()
    host.wait_up()
    other = Deployment(deployment.lab, deployment.package, deployment.other_packages, deployment.command, "heavy")
    other.variables["eventchain_work"] = "randomx-v1"
    node = other.add_node(host)
    other.play("site")
    ready_nodes(other)
    took = complete_event([node], seconds=300)
    hashes = hashes_of(other)[node.name]
    expect(hashes > 0, "nobody has mined")
    peak = {unit: int(host.property(unit, "MemoryCurrent")) >> 20 for unit in ("eventchain", "eventchain-miner")}
    host.crash(is_heard=True)
    return f"an event completed after {took:.1f} s and {hashes} hashes of randomx-v1; MiB {peak}"
