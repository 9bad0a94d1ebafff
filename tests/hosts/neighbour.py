"""redis in a unit of its own beside the miner: mining on against mining off, and off against off.

What tools/bench/harm does with many windows on a quiet machine, here with few: its analysis and its
load, but the units of the package. It tells a disaster from none; figures to rely on are the bench's."""

import importlib.machinery
import importlib.util
import os
import random
import sys

from paths import ROOT  # first: it says where the others are

from client import event
from deployment import Deployment
from lab import run, wait_until
from seen import Skipped, expect, ready_nodes

PORT = 6379
ROUNDS = 10
OPEN_SECONDS = 3
CLOSED_SECONDS = 1
LOAD = 0.35
# A service must keep most of what it has. Competing at ordinary priority leaves it 0.6 and 27 times its p99.
THROUGHPUT_MIN = 0.8
# mining.stop_above by default.
STOP_ABOVE = 0.65


def bench():
    """tools/bench/harm as a module."""
    sys.path.insert(0, str(ROOT / "tools/bench"))
    loader = importlib.machinery.SourceFileLoader("harm", str(ROOT / "tools/bench/harm"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("harm", loader))
    loader.exec_module(module)
    return module


class HostRedis:
    """redis in the host, its clients in the host's network."""

    def __init__(self, host, open_loop):
        self.host = host
        self.open_loop = open_loop
        host.shell("rm -f /etc/systemd/system/redis-server.service; systemctl daemon-reload")
        host.run("systemctl", "start", "redis-server")

    def _client(self, *command):
        return run("ip", "netns", "exec", self.host.name, *command, timeout=120).stdout

    def throughput(self, seconds, estimate):
        count = max(1000, int(seconds * (estimate or 30_000)))
        out = self._client("redis-benchmark", "-p", PORT, "-t", "get", "-c", 20, "-n", count, "--csv")
        return float(out.splitlines()[-1].split(",")[1].strip('"'))

    def latencies(self, rate, seconds):
        words = self._client(self.open_loop, "--port", PORT, "--rate", rate, "--seconds", seconds).split()
        return [float(word) for word in words[1:4]]

    def stop(self):
        self.host.run("systemctl", "stop", "redis-server")


def endless_work(deployment):
    """The node of a chain of its own, on one more host, whose block is never found: the miner always has work,
    and the node none."""
    host = deployment.lab.add_host()
    host.wait_up()
    chain = Deployment(deployment.lab, deployment.package, deployment.other_packages, deployment.command, "endless")
    hashes = 10**13
    chain.variables.update(
        eventchain_interval_ms=3_600_000,
        eventchain_heartbeat_ms=3_600_000,
        eventchain_genesis_options=[f"--first-hashes={hashes}", f"--easiest-hashes={hashes}"],
        # The governor's own settings, but for what a shared machine does to all of its hosts.
        eventchain_mining_settings={"steal_above": 100},
    )
    node = chain.add_node(host)
    chain.play("site")
    ready_nodes(chain)
    with node.client() as client:
        answer = client.submit(event("/hosts/endless", "1"))
    expect(answer.status == 202, f"{node} answered {answer}")
    return node


def redis(deployment):
    open_loop = ROOT / "build/release/tools/bench/open-loop"
    if not open_loop.exists():
        raise Skipped(f"{open_loop} is not built")
    harm = bench()
    deployment.play("mining", eventchain_mining=False)
    node = endless_work(deployment)
    host = node.host
    service = HostRedis(host, open_loop)
    order = random.Random(1)
    try:
        rate = harm.find_rate(service, LOAD)
        estimates, rounds = {}, []
        for _ in range(ROUNDS):
            modes = ["off", "off", "mining"]
            order.shuffle(modes)
            rounds.append([window(harm, mode, host, service, rate, estimates) for mode in modes])
    finally:
        service.stop()
        host.crash(is_heard=True)
        deployment.play("mining")
    ready_nodes(deployment)
    print(harm.table(rounds, ["mining"]))
    print("latencies in microseconds; the rows below are quotients by off", flush=True)
    quotient = {
        figure: harm.confidence(
            [one[figure] / mean_off(turn, figure) for turn in rounds for one in turn if one["mode"] == "mining"]
        )
        for figure in ("throughput", "p99")
    }
    pairs = [[one["p99"] for one in turn if one["mode"] == "off"] for turn in rounds]
    noise = harm.confidence([pair[0] / pair[1] for pair in pairs])
    mined = sum(one["miner"] for turn in rounds for one in turn if one["mode"] == "mining") / ROUNDS
    busy = sorted(one["busy"] for turn in rounds for one in turn if one["mode"] == "off")[ROUNDS]
    if mined <= 0.01 and busy > STOP_ABOVE:
        raise Skipped(f"{100 * busy:.0f} % busy without the miner, which therefore lent nothing: leave the machine alone")
    expect(mined > 0.01, "the miner did nothing, so this shows nothing")
    expect(quotient["throughput"][2] > THROUGHPUT_MIN, f"redis lost throughput to mining: {quotient}")
    return (
        "mining by off: throughput {:.2f} [{:.2f}, {:.2f}]".format(*quotient["throughput"])
        + ", p99 {:.2f} [{:.2f}, {:.2f}]".format(*quotient["p99"])
        + "; off by off p99 {:.2f} [{:.2f}, {:.2f}]".format(*noise)
        + f"; the miner had {mined:.2f} processors"
    )


def mean_off(turn, figure):
    offs = [one[figure] for one in turn if one["mode"] == "off"]
    return sum(offs) / len(offs)


def miner_seconds(host):
    """Processor time of the miner's process so far."""
    process = host.property("eventchain-miner", "MainPID")
    fields = host.run("cat", f"/proc/{process}/stat").stdout.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def window(harm, mode, host, service, rate, estimates):
    host.run("systemctl", "start" if mode == "mining" else "stop", "eventchain-miner")
    if mode == "mining":
        wait_until(lambda: host.property("eventchain-miner", "ActiveState") == "active", "the miner runs")
    throughput = service.throughput(CLOSED_SECONDS, estimates.get(mode))
    estimates[mode] = throughput
    before, use = miner_seconds(host) if mode == "mining" else 0.0, harm.Use()
    p50, p99, p999 = service.latencies(rate, OPEN_SECONDS)
    mined = (miner_seconds(host) - before) / OPEN_SECONDS if mode == "mining" else 0.0
    return {"mode": mode, "throughput": throughput, "p50": p50, "p99": p99, "p99.9": p999, "miner": mined,
            "busy": use.part()}
