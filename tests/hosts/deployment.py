"""The cluster on the hosts as its operators have it: an inventory, the playbooks, the command."""

import json
import os
import re
import subprocess
import time

from paths import ROOT  # first: it says where the others are

from client import Client
from lab import Trouble, run

PLAYBOOKS = ROOT / "deploy/ansible"
API_PORT = 8100
OPERATOR = "operator"
CHAIN = "lab"


class Node:
    """A host's node as clients see it. What tests/functional's writers want of a node."""

    def __init__(self, host, credentials):
        self.host = host
        self.name = host.name
        self._credentials = credentials

    def __repr__(self):
        return self.name

    @property
    def endpoint(self):
        return f"https://{self.host.address}:{API_PORT}"

    def client(self, timeout=10.0):
        return Client(API_PORT, host=self.host.address, timeout=timeout, **self._credentials())


class Recap:
    """How a run of a playbook ended."""

    def __init__(self, code, seconds, output):
        self.code = code
        self.seconds = seconds
        self.output = output
        self.hosts = {}
        for line in output.rpartition("PLAY RECAP")[2].splitlines():
            match = re.match(r"(\S+)\s*: (ok=.*)", line)
            if match:
                self.hosts[match[1]] = {
                    name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", match[2])
                }

    def sum_of(self, what):
        return sum(counts[what] for counts in self.hosts.values())


class Deployment:
    def __init__(self, lab, package, other_packages, command, chain=CHAIN):
        self.lab = lab
        self.package = package
        self.other_packages = other_packages  # "higher" and "broken", as package.py has them
        self.command = command  # the eventchain program, here on the controller
        self.authority = lab.folder / f"authority-{chain}"
        self.nodes = []
        self.variables = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(lab.key),
            "ansible_python_interpreter": "/usr/bin/python3",
            "eventchain_trust_domain": "lab.example.org",
            "eventchain_chain": chain,
            "eventchain_package": str(package),
            "eventchain_authority_dir": str(self.authority),
            "eventchain_command": str(command),
            # Fast blocks, so that a run takes minutes.
            "eventchain_interval_ms": 1000,
            "eventchain_heartbeat_ms": 10000,
            # Several hosts on one machine: each would take the others' mining for its own services.
            "eventchain_mining_settings": {"stop_above": 100, "steal_above": 100, "cap_percent": 10},
            "eventchain_node_settings": {"disk": {"reserve_bytes": 67108864}},
        }
        self._logs = 0

    # --- playbooks -----------------------------------------------------------------------------

    def play(self, book, *arguments, check=True, timeout=900, **variables):
        """Runs deploy/ansible/<book>.yml; `variables` are for this run alone."""
        inventory = self._write_inventory()
        command = ["ansible-playbook", "-i", str(inventory), str(PLAYBOOKS / f"{book}.yml"), *arguments]
        if variables:
            command += ["--extra-vars", json.dumps(variables)]
        settings = {
            **{key: value for key, value in os.environ.items() if not key.startswith("EVENTCHAIN_")},
            "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            # Beside the ssh_args of ansible.cfg, which are under test, too.
            "ANSIBLE_SSH_COMMON_ARGS": "-o UserKnownHostsFile=/dev/null",
            "ANSIBLE_SSH_CONTROL_PATH": f"{self.lab.folder}/ssh-%%C",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORKS": "10",
        }
        self._logs += 1
        log = self.lab.folder / f"playbook-{self._logs:02}-{book}.log"
        began = time.monotonic()
        with open(log, "w", encoding="utf-8") as out:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=settings, timeout=timeout, check=False
            )
        recap = Recap(done.returncode, time.monotonic() - began, log.read_text())
        if check and recap.code != 0:
            raise Trouble(f"playbook {book} exited with {recap.code}:\n{recap.output[-6000:]}")
        return recap

    def _write_inventory(self):
        lines = ["[eventchain]"]
        lines += [f"{node.name} ansible_host={node.host.address} eventchain_site={node.name}" for node in self.nodes]
        (self.lab.folder / "inventory.ini").write_text("\n".join(lines) + "\n")
        variables = self.lab.folder / "group_vars"
        variables.mkdir(exist_ok=True)
        (variables / "eventchain.json").write_text(json.dumps(self.variables, indent=2))
        return self.lab.folder / "inventory.ini"

    # --- the command ---------------------------------------------------------------------------

    def credentials(self, client=OPERATOR):
        home = self.authority / client
        return {"ca": home / "ca.cert.pem", "certificate": home / "cert.pem", "key": home / "key.pem"}

    def add_node(self, host):
        self.nodes.append(Node(host, self.credentials))
        return self.nodes[-1]

    def eventchain(self, *arguments, at=None, check=True, timeout=60):
        """The command as the operator; `at` names the nodes to ask, all if not given."""
        who = self.credentials()
        settings = {
            "PATH": os.environ["PATH"],
            "EVENTCHAIN_CA": str(who["ca"]),
            "EVENTCHAIN_CERT": str(who["certificate"]),
            "EVENTCHAIN_KEY": str(who["key"]),
            "EVENTCHAIN_ENDPOINT": ",".join(node.endpoint for node in (at or self.nodes)),
        }
        return run(self.command, *arguments, check=check, timeout=timeout, env=settings)

    def ask(self, *arguments, at=None):
        """The command's JSON, whatever it exits with."""
        return json.loads(self.eventchain(*arguments, "-o", "json", at=at, check=False).stdout or "null")

    def statuses(self):
        """Name -> what the node says of itself; nodes that say nothing are not there."""
        heard = (self.ask("cluster", "status") or {}).get("nodes", [])
        return {one["report"]["name"]: one["report"] for one in heard if "report" in one}

    def leader(self):
        """The node that says it leads and is ready, or None."""
        for node in self.nodes:
            status = self.statuses().get(node.name)
            if status is not None and status["role"] == "leader" and status["ready"]:
                return node
        return None
