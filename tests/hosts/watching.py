"""Prometheus as it comes, scraping all nodes, with the package's alert rules."""

import contextlib
import json
import subprocess
import time
import urllib.parse
import urllib.request

from lab import CONTROLLER, run, wait_until
from seen import Skipped, expect, ready_nodes

PORT = 9090
CLIENT = "prometheus"
# The rules wait for a minute and for half of one before they fire.
FIRING_SECONDS = 180


def ask(path, **query):
    url = f"http://{CONTROLLER}:{PORT}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]


def firing():
    """(alert, instance or "") of those that fire."""
    return {
        (alert["labels"]["alertname"], alert["labels"].get("instance", ""))
        for alert in ask("/api/v1/alerts")["alerts"]
        if alert["state"] == "firing"
    }


def rules_of(deployment):
    folder = deployment.command.parents[2]
    found = sorted(file for file in folder.rglob("*.yml") if "rules" in file.name and "test" not in file.name)
    if not found:
        raise Skipped("the package has no alert rules")
    return found[0]


def issue_client(deployment):
    """The certificate with which Prometheus asks: the API asks for one."""
    if not (deployment.authority / CLIENT / "cert.pem").exists():
        deployment.eventchain("pki", "issue", deployment.authority, "--client", CLIENT)
    return deployment.credentials(CLIENT)


@contextlib.contextmanager
def prometheus(deployment):
    folder = deployment.lab.folder / "prometheus"
    folder.mkdir(exist_ok=True)
    who = issue_client(deployment)
    targets = [f"{node.host.address}:8100" for node in deployment.nodes]
    configuration = {
        "global": {"scrape_interval": "2s", "evaluation_interval": "2s", "scrape_timeout": "2s"},
        "rule_files": [str(rules_of(deployment))],
        "scrape_configs": [
            {
                "job_name": "eventchain",
                "scheme": "https",
                "tls_config": {
                    "ca_file": str(who["ca"]),
                    "cert_file": str(who["certificate"]),
                    "key_file": str(who["key"]),
                },
                "static_configs": [{"targets": targets}],
            }
        ],
    }
    file = folder / "prometheus.yml"
    file.write_text(json.dumps(configuration, indent=2))  # JSON is YAML
    run("promtool", "check", "config", file)
    with open(folder / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(
            ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder}/data"]
            + [f"--web.listen-address={CONTROLLER}:{PORT}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def check_metrics(deployment):
    with deployment.nodes[0].client() as client:
        text = client.get("/metrics").body
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    expect(done.returncode == 0, f"promtool check metrics: {done.stderr.decode()}")


def is_up():
    with contextlib.suppress(OSError):
        return {one["metric"]["instance"]: one["value"][1] for one in ask("/api/v1/query", query="up")["result"]}
    return {}


def alerts(deployment):
    """One host is lost: node down. Then another of three voters: no quorum. Then both are back: neither."""
    check_metrics(deployment)
    voters = [member["name"] for member in deployment.ask("cluster", "members")["members"] if member["role"] == "voter"]
    lost = [node for node in deployment.nodes if node.name in voters][:2]
    with prometheus(deployment):
        wait_until(
            lambda: list(is_up().values()) == ["1"] * len(deployment.nodes), "Prometheus reaches all nodes"
        )
        began = time.monotonic()
        instance = f"{lost[0].host.address}:8100"
        try:
            lost[0].host.crash()
            wait_until(lambda: ("EventChainNodeDown", instance) in firing(), "node down fires", FIRING_SECONDS)
            down = time.monotonic() - began
            expect(not any(name == "EventChainNoQuorum" for name, _ in firing()), "no quorum fires with a majority")
            second = time.monotonic()
            lost[1].host.crash()
            wait_until(
                lambda: any(name == "EventChainNoQuorum" for name, _ in firing()), "no quorum fires", FIRING_SECONDS
            )
            quorum = time.monotonic() - second
        finally:
            for node in lost:
                if not node.host.is_running():
                    node.host.start()
                    node.host.wait_up()
        ready_nodes(deployment)
        wait_until(
            lambda: not {name for name, _ in firing()} & {"EventChainNodeDown", "EventChainNoQuorum"},
            "both have stopped firing",
            FIRING_SECONDS,
        )
    return f"node down after {down:.0f} s, no quorum after {quorum:.0f} s, both end when the hosts are back"
