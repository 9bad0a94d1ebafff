"""The links between nodes, as faults see them, and the kind that a proxy carries.

The other kind, hosts of their own with a switch between them, is in `switched`.
"""

import itertools
import json
import pathlib
import subprocess
import sys

from node import free_port

PROXY = pathlib.Path(__file__).resolve().parent / "proxy.py"


class Links:
    """What every kind of links can do; a context that ends them. Not to be shared by threads.

    A kind has set(), orphan(), orphans(), heal() and close(), and says where nodes are. Every call
    returns when the links are as it asks.
    """

    # Whether frames can be lost, overtake each other, and hosts be off.
    has_frames = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, node):
        """`node` is to be linked with all that follow; before its address is asked for."""

    def listen_address(self, node):
        """Where `node` listens for its peers."""
        raise NotImplementedError

    def peer_address(self, node, peer):
        """Where `node` reaches `peer`."""
        raise NotImplementedError

    def set(self, source, target, mode="pass", **rule):
        """The rule of what `source` sends to `target`: mode, delay_ms, jitter_ms, rate, and what
        more that kind of links knows.
        """
        raise NotImplementedError

    def set_both(self, a, b, mode="pass", **rule):
        self.set(a, b, mode, **rule)
        self.set(b, a, mode, **rule)

    def separate(self, groups, mode="silent"):
        """No link between nodes of different groups, in either direction."""
        for one, other in itertools.combinations(groups, 2):
            for a, b in itertools.product(one, other):
                self.set_both(a, b, mode)

    def orphan(self, a, b):
        """The present connections between a and b are half-open for good."""
        raise NotImplementedError

    def orphans(self):
        """How many such connections at least one end still believes in."""
        raise NotImplementedError

    def heal(self):
        """All links pass, at once and without bound. Orphans stay orphans."""
        raise NotImplementedError


class ProxyLinks(Links):
    """One proxy process. The meaning of modes, rates and orphans is in proxy.py."""

    def __init__(self, seed=0):
        self._process = subprocess.Popen(
            [sys.executable, str(PROXY), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _ask(self, name, **arguments):
        self._process.stdin.write(json.dumps({"do": name, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the proxy ended with {self._process.wait(timeout=30)}")
        answer = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(f"the proxy did not {name} {arguments}: {answer['failed']}")
        return answer["done"]

    def listen_address(self, node):
        return f"127.0.0.1:{node.peers_port}"

    def peer_address(self, node, peer):
        port = free_port()
        self.listen(node.name, peer.name, port, peer.peers_port)
        return f"127.0.0.1:{port}"

    def listen(self, dialler, target, port, target_port):
        """From now on `port` is where `dialler` reaches `target`, which listens at target_port."""
        self._ask("listen", dialler=dialler, target=target, port=port, target_port=target_port)

    def set(self, source, target, mode="pass", **rule):
        self._ask("set", source=source, target=target, mode=mode, **rule)

    def orphan(self, a, b):
        self._ask("orphan", a=a, b=b)

    def orphans(self):
        return sum(link["orphans"] for link in self.told().values())

    def heal(self):
        self._ask("heal")

    def told(self):
        """What the links did so far; proxy.py has the form."""
        return self._ask("told")
