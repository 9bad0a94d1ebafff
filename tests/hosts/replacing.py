"""Hosts that are lost for good, and nodes of other kinds than the first voters."""

from growth import hashes_of
from lab import wait_until
from seen import complete_event, expect, ready_nodes, same_tip


def roles(deployment):
    return {member["name"]: member["role"] for member in deployment.ask("cluster", "members")["members"]}


def dead(deployment):
    """The leader's host is gone for good and is removed so. Then it is found again, with its old disk, which
    must harm nobody; it is cleaned, and joins as a voter."""
    lost = wait_until(deployment.leader, "somebody leads")
    others = [node for node in deployment.nodes if node is not lost]
    lost.host.crash()
    removed = deployment.play("remove-node", node=lost.name)
    expect(lost.name not in roles(deployment), f"{lost} is a member still")
    complete_event(others)

    lost.host.start()
    lost.host.wait_up()
    wait_until(
        lambda: lost.host.property("eventchain", "ActiveState") == "inactive",
        f"{lost} has learnt that it is no member any more, and ended cleanly",
    )
    expect(lost.host.property("eventchain", "NRestarts") == "0", f"{lost} was started again and again")
    deployment.play("remove-node", node=lost.name, eventchain_purge=True)
    left = lost.host.run("find", "/etc/eventchain", "/var/lib/eventchain", "-mindepth", "1").stdout
    expect(not left, f"left on {lost}: {left}")

    added = deployment.play("add-node", node=lost.name, eventchain_role="voter")
    ready_nodes(deployment)
    expect(roles(deployment)[lost.name] == "voter", f"{lost} is {roles(deployment)[lost.name]}")
    complete_event([lost])
    same_tip(deployment)
    return (
        f"removed while dead in {removed.seconds:.1f} s; back with its old disk it ended by itself; cleaned, it is a "
        f"voter again after {added.seconds:.1f} s"
    )


def light(deployment):
    """One more host that keeps headers only, and mines; then it goes."""
    others = list(deployment.nodes)
    host = deployment.lab.add_host()
    host.wait_up()
    node = deployment.add_node(host)
    added = deployment.play("add-node", node=node.name, eventchain_role="light")
    ready_nodes(deployment)
    expect(deployment.statuses()[node.name]["role"] == "light", f"{node} is no light member")
    complete_event(others)

    def follows():
        statuses = deployment.statuses()
        return len({status["tip"] for status in statuses.values()}) == 1 and len(statuses) == len(deployment.nodes)

    wait_until(follows, f"{node} has the tip that the others have")
    wait_until(lambda: hashes_of(deployment)[node.name] > 0, f"{node} has mined")
    octets = int(host.shell("du --bytes --total /var/lib/eventchain | tail -n 1 | cut -f 1"))
    deployment.play("remove-node", node=node.name, eventchain_purge=True)
    deployment.nodes.remove(node)
    host.crash(is_heard=True)
    complete_event(others)
    return f"added in {added.seconds:.1f} s, follows and mines with {octets:,} octets on its disk; removed"
