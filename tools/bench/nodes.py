"""Nodes on loopback, for measurements that are too involved for a shell script."""

import json
import pathlib
import subprocess
import time
import urllib.request
import uuid


class Wrong(Exception):
    pass


def run(command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise Wrong(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def wait_for(is_true, what, seconds=30):
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise Wrong(f"{what} takes too long")
        time.sleep(0.05)


def need(*programs):
    for program in programs:
        if not program.exists():
            raise Wrong(f"{program} is missing; build first: cmake --preset release && cmake --build --preset release")


class Cluster:
    """Nodes on loopback with certificates of their own; links are TLS, the API is plain HTTP."""

    def __init__(self, home, port, build, nodes, genesis, settings):
        self.tool = build / "tools" / "eventchain"
        self.daemon = build / "node" / "eventchaind"
        need(self.tool, self.daemon)
        self.home = home
        names = [f"n{number + 1}" for number in range(nodes)]
        self.apis = [f"http://127.0.0.1:{port + 100 + number}" for number in range(nodes)]
        pki = home / "pki"
        run([self.tool, "pki", "init", pki, "--trust-domain", "bench.example", "--chain", "bench"])
        for name in names:
            run([self.tool, "pki", "issue", pki, "--node", name, "--address", "127.0.0.1"])
        voters = [word for name in names for word in ("--voter", name)]
        run([self.tool, "genesis", "create", pki, *voters, *genesis, "--out", home / "genesis.json"])
        self.configs = []
        self.processes = []
        for number, name in enumerate(names):
            peers = [word for other, peer in enumerate(names) if other != number
                     for word in ("--peer", f"{pki / peer}@127.0.0.1:{port + other}")]
            run([self.tool, "config", "init", pki / name, "--genesis", home / "genesis.json", "--data", home / name,
                 "--peers-listen", f"127.0.0.1:{port + number}", "--api-listen", f"127.0.0.1:{port + 100 + number}",
                 "--api-plain", *peers])
            self.configs.append(pki / name / "node.toml")
        self.log = open(home / "nodes.log", "w", encoding="utf-8")
        self.settings = [word for setting in settings for word in ("--set", setting)]
        try:
            self.begin()
        except Wrong:
            self.stop()
            raise

    def begin(self):
        for config in self.configs:
            self.processes.append(self.start([self.daemon, "--config", config, *self.settings]))
        wait_for(lambda: self.is_up() or self.has_ended(), "the start of the nodes")
        if self.has_ended():
            last = pathlib.Path(self.log.name).read_text(encoding="utf-8").strip().splitlines()[-1:]
            raise Wrong(f"a node has ended: {''.join(last)}")
        wait_for(self.submit, "a first event")

    def is_up(self):
        return all(self.get("/v1/mining", number) for number in range(len(self.apis)))

    def has_ended(self):
        return any(process.poll() is not None for process in self.processes)

    def start(self, command, **options):
        return subprocess.Popen([str(word) for word in command], stdout=self.log, stderr=self.log, **options)

    def get(self, path, node=0):
        """None if it does not answer, or not with 200."""
        try:
            with urllib.request.urlopen(self.apis[node] + path, timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    def submit(self, node=0):
        """One event; whether it was accepted."""
        event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/bench", "type": "bench", "data": 1}
        request = urllib.request.Request(f"{self.apis[node]}/v1/events", json.dumps(event).encode(),
                                         {"Content-Type": "application/cloudevents+json"})
        try:
            with urllib.request.urlopen(request, timeout=5):
                return True
        except OSError:
            return False

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        self.log.close()
