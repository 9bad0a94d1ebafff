"""Hosts of their own for all nodes, joined by switch.py: frames are lost, and hosts vanish."""

import json
import os
import pathlib
import socket
import subprocess
import sys

from links import Links
from namespaces import Namespace

SWITCH = pathlib.Path(__file__).resolve().parent / "switch.py"
# Set aside for measurements between networks (RFC 2544); nothing outside of the namespaces has one.
ADDRESSES = "198.18.0"


class SwitchProcess:
    """One switch. ask() returns when it has obeyed; close() ends it. Not to be shared by threads."""

    def __init__(self, seed=0):
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen([sys.executable, str(SWITCH), str(seed)], stdin=theirs)

    def close(self):
        self._socket.close()
        self._process.wait(timeout=30)

    def ask(self, do, descriptors=(), **arguments):
        command = json.dumps({"do": do, **arguments}).encode()
        socket.send_fds(self._socket, [command], descriptors)
        line = self._socket.recv(1 << 20)
        if not line:
            raise RuntimeError(f"the switch ended with {self._process.wait(timeout=30)}")
        answer = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(f"the switch did not {do} {arguments}: {answer['failed']}")
        return answer["done"]

    def connect(self, name, address, port):
        """`port`, a file object or descriptor, is the switch's from now on."""
        self.ask("connect", [port], name=name, address=address)


class Host:
    """What a node lives in. When it is booted it knows nothing of any connection it had before."""

    def __init__(self, address):
        self.address = address
        self._namespaces = []

    def boot(self):
        """The descriptor of its port."""
        namespace = Namespace()
        self._namespaces.append(namespace)
        return namespace.make_device(self.address)

    def within(self):
        return self._namespaces[-1].entered()

    def open_connections(self):
        return self._namespaces[-1].open_connections()

    def close(self):
        # Not before: a thread that connects may just have looked up an earlier one.
        for namespace in self._namespaces:
            namespace.close()
        self._namespaces.clear()


class SwitchLinks(Links):
    """Each node is alone on a host, and reaches the others through the switch and no other way.

    Clients connect from within the node's own host, by its loopback device: never cut, not slowed,
    and not on any network that a fault may hit. So the API needs no certificates here, and there is
    no address of the network outside of it.
    """

    has_frames = True

    def __init__(self, seed=0):
        self._hosts = {}  # name -> Host
        self._off = set()
        self._orphans = set()  # (end, end), each an address and a port
        self._switch = SwitchProcess(seed)

    def close(self):
        self._switch.close()
        for host in self._hosts.values():
            host.close()

    # --- where nodes are -------------------------------------------------------------------------

    def add(self, node):
        host = Host(f"{ADDRESSES}.{len(self._hosts) + 1}")
        self._hosts[node.name] = host
        self._plug_in(node.name)
        node.within = host.within

    def listen_address(self, node):
        return f"{self._hosts[node.name].address}:{node.peers_port}"

    def peer_address(self, node, peer):
        return self.listen_address(peer)

    def _plug_in(self, name):
        host = self._hosts[name]
        port = host.boot()
        try:
            self._switch.connect(name, host.address, port)
        finally:
            # The switch has a copy; the device must go when that one is closed.
            os.close(port)

    def power_off(self, name):
        """The host is gone, and nobody hears a word of it. Its processes are the caller's to kill."""
        self._switch.ask("disconnect", name=name)
        self._off.add(name)

    # --- rules -----------------------------------------------------------------------------------

    def set(self, source, target, mode="pass", **rule):
        self._switch.ask("set", source=source, target=target, mode=mode, **rule)

    def heal(self):
        """All links pass, and hosts that were off are on again. Orphans stay orphans."""
        self._switch.ask("heal")
        for name in sorted(self._off):
            self._plug_in(name)
        self._off.clear()

    def told(self):
        """What became of the frames, {"a->b": {"carried": frames, "lost": frames}}."""
        return self._switch.ask("told")

    def orphan(self, a, b):
        ends = {self._hosts[a].address, self._hosts[b].address}
        for name in (a, b):
            for flow in self._hosts[name].open_connections():
                if {address for address, _ in flow} == ends:
                    self._orphans.add(tuple(sorted(flow)))
        self._switch.ask("kill", flows=sorted(self._orphans))

    def orphans(self):
        known = {
            tuple(sorted(flow))
            for host in self._hosts.values()
            for flow in host.open_connections()
        }
        self._orphans &= known
        # Whoever was given up by both ends is forgotten: its ports may serve a new connection.
        self._switch.ask("kill", flows=sorted(self._orphans))
        return len(self._orphans)
