"""One node of a cluster, as it is seen from outside."""

import random
import socket

from client import Client, Unreachable
from process import Process
from waiting import wait_until

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


class Node(Process):
    """A node of a Cluster: its files, its process, and what it says of itself.

    `data` is the node's data directory. Clients connect to it `within` the same context.
    """

    def __init__(self, name, home, data, settings, client_options):
        super().__init__(name, home / "node.toml", home / "log.txt", settings)
        self.home = home
        self.data = data
        self.api_port = free_port()
        self.peers_port = free_port()
        self._client_options = client_options

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
