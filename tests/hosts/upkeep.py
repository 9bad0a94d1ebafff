"""What operators do to a cluster that works."""

from lab import wait_until
from seen import WatchedLoad, complete_event, expect, ready_nodes


def versions(deployment):
    query = ("dpkg-query", "--show", "--showformat=${Version}", "eventchain")
    return {node.name: node.host.run(*query).stdout for node in deployment.nodes}


def started(node):
    return node.host.property("eventchain", "ExecMainStartTimestampMonotonic")


def mining(deployment):
    before = {node.name: started(node) for node in deployment.nodes}
    first, *others = deployment.nodes

    def reports():
        told = {}
        for node in deployment.nodes:
            for one in deployment.ask("mining", "status", at=[node]):
                told[node.name] = one["mining"]
        return told

    paused = deployment.play("mining", "--limit", first.name, eventchain_mining_paused=True)
    wait_until(lambda: reports()[first.name]["reason"] == "kill-switch", f"{first} says why it lends nothing")
    still = int(reports()[first.name]["hashes"])
    complete_event(deployment.nodes)
    expect(int(reports()[first.name]["hashes"]) == still, f"{first} has mined while it was paused")
    expect(deployment.play("mining", "--limit", first.name, eventchain_mining_paused=True).sum_of("changed") == 0,
           "pausing twice changed something")

    deployment.play("mining")
    wait_until(lambda: reports()[first.name]["reason"] != "kill-switch", f"{first} lends again")
    smaller = {**deployment.variables["eventchain_mining_settings"], "cap_percent": 5}
    capped = deployment.play("mining", "--limit", others[0].name, eventchain_mining_settings=smaller)
    wait_until(lambda: reports()[others[0].name].get("cap_percent") == 5, f"{others[0]} has the lower cap")
    deployment.play("mining")
    wait_until(lambda: reports()[others[0].name].get("cap_percent") != 5, f"{others[0]} has its cap back")
    expect(before == {node.name: started(node) for node in deployment.nodes}, "a node was restarted")
    return f"paused in {paused.seconds:.1f} s, capped in {capped.seconds:.1f} s; no node was restarted"


def upgrade_refused(deployment):
    voters = [member["name"] for member in deployment.ask("cluster", "members")["members"] if member["role"] == "voter"]
    stopped = next(node for node in deployment.nodes if node.name == voters[0])
    others = [node for node in deployment.nodes if node is not stopped]
    before = {node.name: started(node) for node in others}
    stopped.host.run("systemctl", "stop", "eventchain")
    recap = deployment.play("rolling-upgrade", "--limit", others[0].name, check=False, **package_of(deployment))
    stopped.host.run("systemctl", "start", "eventchain")
    expect(recap.code != 0, "it was upgraded although a voter was away")
    expect("there would be no majority" in recap.output, f"refused for another reason:\n{recap.output[-3000:]}")
    expect(before == {node.name: started(node) for node in others}, "a node was restarted all the same")
    ready_nodes(deployment)
    return f"refused after {recap.seconds:.1f} s, nothing was touched"


def package_of(deployment, which="higher"):
    return {"eventchain_package": str(deployment.other_packages[which])}


def upgrade_broken(deployment):
    """One node gets a program that does not start; no other is touched. What mends it is the next upgrade."""
    before = {node.name: started(node) for node in deployment.nodes}
    recap = deployment.play("rolling-upgrade", check=False, eventchain_ready_seconds=5, **package_of(deployment, "broken"))
    expect(recap.code != 0, "the upgrade went on over a node that did not come back")
    broken = [name for name, version in versions(deployment).items() if version.endswith("broken")]
    expect(len(broken) == 1, f"upgraded: {broken}")
    untouched = [node for node in deployment.nodes if node.name not in broken]
    expect(all(started(node) == before[node.name] for node in untouched), "another node was restarted")
    complete_event(untouched)
    return f"stopped at {broken[0]} after {recap.seconds:.1f} s; the others work and were not touched"


def upgrade(deployment):
    before = versions(deployment)
    with WatchedLoad(deployment) as load:
        recap = deployment.play("rolling-upgrade", **package_of(deployment))
    after = versions(deployment)
    expect(all(after[name] != before[name] for name in before), f"not upgraded: {after}")
    promises = load.check()
    deployment.variables.update(package_of(deployment))
    again = deployment.play("rolling-upgrade")
    expect(again.sum_of("changed") == 0, "a second run changed something")
    levels = {status["feature_level"] for status in deployment.statuses().values()}
    return f"{len(before)} nodes in {recap.seconds:.1f} s; {promises} promises kept, no request failed; level {levels}"


def rotate(deployment):
    def serials():
        show = ("openssl", "x509", "-noout", "-serial", "-in", "/etc/eventchain/cert.pem")
        return {node.name: node.host.run(*show).stdout for node in deployment.nodes}

    before = serials()
    running = {node.name: started(node) for node in deployment.nodes}
    untouched = deployment.play("rotate-certificates")
    expect(untouched.sum_of("changed") == 0 and serials() == before, "certificates were rotated before their time")
    with WatchedLoad(deployment) as load:
        recap = deployment.play("rotate-certificates", eventchain_renew_within_days=3650)
    after = serials()
    expect(all(after[name] != before[name] for name in before), f"not rotated: {after}")
    expect(running == {node.name: started(node) for node in deployment.nodes}, "a node was restarted")
    promises = load.check()
    return f"{len(before)} nodes in {recap.seconds:.1f} s, none restarted; {promises} promises kept, no request failed"
