"""One host is in trouble: what `eventchain cluster status` says of it, and that the others go on."""

import concurrent.futures
import contextlib
import time

from lab import wait_until
from seen import STATUS_SECONDS, complete_event, event, expect, ready_nodes, same_tip

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
CLOCK_OFF_SECONDS = 3600
SMALL_DISK_BYTES = 200 * 1024 * 1024
LEFT_BYTES = 32 * 1024 * 1024


def leader_and_others(deployment):
    victim = wait_until(deployment.leader, "somebody leads")
    return victim, [node for node in deployment.nodes if node is not victim]


def said_of(deployment, node):
    """The node's state in `cluster status`, and the warnings about it."""
    said = deployment.ask("cluster", "status") or {}
    states = [one["state"] for one in said.get("nodes", []) if one.get("name") == node.name]
    warnings = [one["code"] for one in said.get("warnings", []) if one.get("node") == node.name]
    return ", ".join(states + warnings)


def told(deployment, node, is_told, began):
    """Waits until the command says it; (seconds since `began`, its words)."""
    words = wait_until(
        lambda: (said := said_of(deployment, node)) and is_told(said) and said,
        f"cluster status tells what is wrong with {node}",
        seconds=STATUS_SECONDS,
    )
    return time.monotonic() - began, words


def others_lead(deployment, victim, others):
    def has_other():
        leader = deployment.leader()
        return leader is not None and leader is not victim

    wait_until(has_other, f"one of {others} leads")


def strike(deployment, begin, end, is_told):
    """The leader's host: the fault begins, is told, others go on; it ends, and all are as before."""
    victim, others = leader_and_others(deployment)
    began = time.monotonic()
    begin(victim)
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            going_on = pool.submit(complete_event, others)
            after, words = told(deployment, victim, is_told, began)
            went_on = going_on.result()
        others_lead(deployment, victim, others)
    finally:
        ended = time.monotonic()
        end(victim)
    ready_nodes(deployment)
    back = time.monotonic() - ended
    complete_event([victim])
    same_tip(deployment)
    return f'told after {after:.1f} s: "{words}"; an event completed after {went_on:.1f} s; back in {back:.1f} s'


def is_silent(said):
    return "no answer" in said


def crash(deployment):
    def end(node):
        node.host.start()
        node.host.wait_up()

    return strike(deployment, lambda node: node.host.crash(), end, is_silent)


def freeze(deployment):
    return strike(deployment, lambda node: node.host.freeze(), lambda node: node.host.thaw(), is_silent)


def partition(deployment):
    return strike(
        deployment,
        lambda node: deployment.lab.isolate(node.host),
        lambda node: deployment.lab.heal(),
        lambda said: "not ready" in said,
    )


def disk(deployment):
    """A node without a lead, whose data is on a small disk."""
    _, others = leader_and_others(deployment)
    victim = others[0]
    rest = [node for node in deployment.nodes if node is not victim]
    host = victim.host
    host.run("systemctl", "stop", "eventchain")
    with on_small_disk(host):
        host.run("systemctl", "start", "eventchain")
        ready_nodes(deployment)
        began = time.monotonic()
        # Below its reserve, and not so full that it cannot write at all.
        host.shell(
            "left=$(df --output=avail --block-size=1 /var/lib/eventchain | tail -n 1);"
            f"head -c $((left - {LEFT_BYTES})) /dev/zero > /var/lib/eventchain/ballast"
        )

        def is_told():
            status = deployment.statuses().get(victim.name)
            return status is not None and status["intake_open"] is False

        wait_until(is_told, f"{victim} says that it takes in nothing", STATUS_SECONDS)
        after = time.monotonic() - began
        with victim.client() as client:
            answer = client.submit(event("/hosts/disk", str(began)))
        expect(answer.status == 507, f"a full disk answers {answer}")
        complete_event(rest)
        went_on = time.monotonic() - began
        host.shell("rm /var/lib/eventchain/ballast")
        wait_until(
            lambda: deployment.statuses().get(victim.name, {}).get("intake_open"), f"{victim} takes in events"
        )
        complete_event([victim])
        host.run("systemctl", "stop", "eventchain")
    host.run("systemctl", "start", "eventchain")
    ready_nodes(deployment)
    same_tip(deployment)
    return f"told after {after:.1f} s (intake_open), 507 to clients; an event completed after {went_on:.1f} s"


@contextlib.contextmanager
def on_small_disk(host):
    """While the node is stopped at both ends: its data is on a disk of its own, and then back."""
    host.shell(
        f"mount -t tmpfs -o size={SMALL_DISK_BYTES},mode=750,uid=$(id -u eventchain),gid=$(id -g eventchain) "
        "tmpfs /mnt; cp -a /var/lib/eventchain/. /mnt/; mount --bind /mnt /var/lib/eventchain; umount /mnt"
    )
    try:
        yield
    finally:
        host.shell(
            "systemctl stop eventchain; mkdir -p /var/tmp/kept; cp -a /var/lib/eventchain/. /var/tmp/kept/;"
            "umount /var/lib/eventchain; cp -a /var/tmp/kept/. /var/lib/eventchain/; rm -r /var/tmp/kept"
        )


def clock(deployment):
    _, others = leader_and_others(deployment)
    victim = others[0]
    with victim.host.drop_in("eventchain", f"Environment=LD_PRELOAD={FAKETIME} FAKETIME=+{CLOCK_OFF_SECONDS}s"):
        ready_nodes(deployment)
        began = time.monotonic()

        # By what the nodes say to each other, every few seconds at least.
        def is_told():
            status = deployment.statuses().get(victim.name, {})
            return abs(status.get("leader_clock_ahead_ms", 0)) > 0.9 * CLOCK_OFF_SECONDS * 1000

        wait_until(is_told, f"{victim} says how far its clock is off", 3 * STATUS_SECONDS)
        after = time.monotonic() - began
        complete_event([victim])
    ready_nodes(deployment)
    same_tip(deployment)
    return f"told after {after:.1f} s (leader_clock_ahead_ms); events are completed by all, also by it"
