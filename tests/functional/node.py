"""One eventchaind process: started, stopped, killed and frozen by its process id."""

import contextlib
import os
import random
import signal
import socket
import subprocess

from client import Client, Unreachable
from programs import clean_environment, program
from waiting import wait_until

LOG_TAIL_LINES = 25

# Which ports are free is a matter of the machine, not of the test: no choice to be replayed.
_port_random = random.SystemRandom()
_ports_given = set()


def free_port():
    """A loopback port nobody listens on, below those that outgoing connections use.

    A node that is down keeps its port only because nobody else asks for it; the ports that the
    kernel hands out would be taken by the next client.
    """
    while True:
        port = _port_random.randrange(12000, 32000)
        if port in _ports_given:
            continue
        with socket.socket() as probe:
            # As the node's own listener does: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _ports_given.add(port)
        return port


class Node:
    """A node of a Cluster: its files, its process, and what it says of itself.

    `data` is the node's data directory, `configuration` its TOML file. All output goes to `log`.
    `environment` is added to the next process's, which is an `executable`. `within` makes a context
    in which the process is started and clients connect to it: a host of its own, if it has one.
    """

    def __init__(self, name, home, data, settings, client_options):
        self.name = name
        self.home = home
        self.data = data
        self.configuration = home / "node.toml"
        self.log = home / "log.txt"
        self.api_port = free_port()
        self.peers_port = free_port()
        self.environment = {}
        self.executable = "eventchaind"
        self.within = contextlib.nullcontext
        # Nodes that mine beside each other, on a host that runs other tests, would yield to that.
        self._settings = {"mining.stop_above": 100, "mining.steal_above": 100, **settings}
        self._client_options = client_options
        self._process = None
        self._is_frozen = False

    def __repr__(self):
        return self.name

    # --- the process -----------------------------------------------------------------------------

    @property
    def pid(self):
        return self._process.pid

    @property
    def is_running(self):
        return self._process is not None and self._process.poll() is None

    @property
    def is_frozen(self):
        return self._is_frozen

    def set(self, key, value):
        """A setting of the next process."""
        self._settings = {**self._settings, key: value}

    def start(self):
        """Starts the process and returns at once; wait_ready() says when it can be used."""
        assert not self.is_running, f"{self.name} runs already"
        command = [program(self.executable), "--config", str(self.configuration)]
        for key, value in self._settings.items():
            command += ["--set", f"{key}={value}"]
        with open(self.log, "ab") as output, self.within():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**clean_environment(), **self.environment},
            )

    def kill(self):
        """SIGKILL: what is not on disk or on the wire by now never happened."""
        self._end(signal.SIGKILL)

    def stop(self):
        """SIGTERM, and the exit code 0 of an orderly end."""
        code = self._end(signal.SIGTERM)
        assert code == 0, f"{self.name} exited with {code}\n{self.log_tail()}"

    def end_of_itself(self):
        """The exit code of a process that ended without being asked to, and forgets it; else None."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            self._process = None
        return code

    def freeze(self):
        """SIGSTOP: alive for the kernel, silent for everybody else."""
        os.kill(self.pid, signal.SIGSTOP)
        self._is_frozen = True

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)
        self._is_frozen = False

    def _end(self, by):
        assert self.is_running, f"{self.name} is not running\n{self.log_tail()}"
        os.kill(self.pid, by)
        if self._is_frozen:
            self.thaw()
        code = self._process.wait(timeout=30)
        self._process = None
        return code

    def clean_up(self):
        """Ends the process in whatever state. Returns the exit code it had already, if any."""
        if self._process is None:
            return None
        code = self._process.poll()
        if code is None:
            self._process.kill()
            self._process.wait(timeout=30)
        self._process = None
        return code

    def log_tail(self):
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join(f"  {self.name} | {line}" for line in lines)

    def memory(self, field="VmRSS"):
        """Octets of memory in use (VmRSS) or ever in use (VmHWM), as the kernel counts them."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise AssertionError(f"the kernel tells no {field} of {self.name}")

    # --- what it says of itself ------------------------------------------------------------------

    def client(self, timeout=40.0):
        """A new client of this node."""
        return Client(
            self.api_port, timeout=timeout, within=self.within, **self._client_options
        )

    def ask(self, question):
        """The answer to question(client), or None while the node cannot be reached."""
        with self.client(timeout=5.0) as client:
            try:
                return question(client)
            except Unreachable:
                return None

    def status(self):
        """/v1/cluster of this node, or None while it cannot be reached."""
        return self.ask(lambda client: client.cluster())

    def height(self):
        status = self.status()
        return int(status["height"]) if status else -1

    def log_size(self):
        status = self.status()
        return int(status["log_size"]) if status else -1

    def is_ready(self):
        answer = self.ask(lambda client: client.get("/readyz"))
        return answer is not None and answer.status == 200

    def wait_ready(self, seconds=30.0):
        def ready():
            assert self.is_running, f"{self.name} ended by itself\n{self.log_tail()}"
            return self.is_ready()

        wait_until(ready, f"{self.name} is ready", seconds)

    def wait_log_size(self, size, seconds=30.0):
        """Until the node has given out `size` positions."""
        wait_until(
            lambda: self.log_size() >= size, f"{self.name} has completed {size} events", seconds
        )
