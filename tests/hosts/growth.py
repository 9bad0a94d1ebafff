"""From bare hosts to a cluster, larger and smaller."""

import time

from lab import Trouble, wait_until
from seen import complete_event, expect, ready_nodes


def check_bare_hosts(deployment):
    recap = deployment.play("site", "--check")
    for node in deployment.nodes:
        found = node.host.run("dpkg-query", "-W", "eventchain", check=False)
        expect(found.returncode != 0, f"--check has installed the package on {node}")
    expect(not deployment.authority.exists(), "--check has made an authority")
    return f"{recap.seconds:.1f} s, failed={recap.sum_of('failed')}"


def site(deployment):
    recap = deployment.play("site")
    after = time.monotonic()
    ready_nodes(deployment)
    complete_event(deployment.nodes)
    completed = time.monotonic() - after

    wait_until(lambda: all(hashes_of(deployment).values()), "every host has mined")
    for node in deployment.nodes:
        for secret in ("key.pem", "signing.key.pem"):
            rights = node.host.run("stat", "--format=%a", f"/etc/eventchain/{secret}").stdout.strip()
            expect(rights == "640", f"{secret} of {node} has mode {rights}")
        keys = list(deployment.authority.glob(f"{node.name}/*key*"))
        expect(not keys, f"the authority has keys of {node}: {keys}")
    shown = deployment.play("status").output
    for node in deployment.nodes:
        expect(f'"{node.name} ' in shown, f"the playbook status has no row for {node}")
    return f"playbook {recap.seconds:.1f} s, then an event completed after {completed:.1f} s"


def hashes_of(deployment):
    """Node -> how many hashes its host has computed."""
    return {
        node.name: int(one["mining"].get("hashes", 0))
        for node in deployment.nodes
        for one in deployment.ask("mining", "status", at=[node])
    }


def site_again(deployment):
    recap = deployment.play("site")
    changed = recap.sum_of("changed")
    if changed != 0:
        raise Trouble(f"a second run changed {changed} things:\n" + changes_of(recap))
    recap_of_check = deployment.play("site", "--check")
    if recap_of_check.sum_of("changed") != 0:
        raise Trouble("--check would change something:\n" + changes_of(recap_of_check))
    return f"changed=0 in {recap.seconds:.1f} s; --check the same"


def changes_of(recap):
    """The tasks that changed something."""
    task, lines = "", []
    for line in recap.output.splitlines():
        if line.startswith("TASK"):
            task = line
        elif line.startswith("changed:"):
            lines.append(f"{task}\n  {line}")
    return "\n".join(lines)


def add_node(deployment):
    host = deployment.lab.add_host()
    host.wait_up()
    before = {node.name: node.host.property("eventchain", "ExecMainPID") for node in deployment.nodes}
    node = deployment.add_node(host)
    recap = deployment.play("add-node", node=node.name)
    ready_nodes(deployment, [node])
    complete_event([node])
    members = {member["name"]: member["role"] for member in deployment.ask("cluster", "members")["members"]}
    expect(members.get(node.name) == "standby", f"{node} is {members.get(node.name)}")
    after = {name: deployment_pid(deployment, name) for name in before}
    expect(before == after, "a node that was there was restarted")
    return f"playbook {recap.seconds:.1f} s, {node} is a standby and completes events"


def deployment_pid(deployment, name):
    node = next(node for node in deployment.nodes if node.name == name)
    return node.host.property("eventchain", "ExecMainPID")


def remove_node(deployment):
    node = deployment.nodes[-1]
    recap = deployment.play("remove-node", node=node.name)
    deployment.nodes.remove(node)
    names = [member["name"] for member in deployment.ask("cluster", "members")["members"]]
    expect(node.name not in names, f"{node} is a member still")
    state = node.host.property("eventchain", "ActiveState")
    expect(state == "inactive", f"the unit of {node} is {state}")
    complete_event(deployment.nodes)
    again_on = deployment.play("site")
    expect(again_on.sum_of("changed") == 0, "site changed something:\n" + changes_of(again_on))
    wait_until(lambda: deployment.leader() is not None, "somebody leads")
    return f"playbook {recap.seconds:.1f} s; the others go on, site changes nothing"
