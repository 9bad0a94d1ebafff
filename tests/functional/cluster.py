"""A cluster of real nodes on loopback, with its own authority, genesis and configurations."""

import pathlib
import shutil
import sys
import tempfile

from node import Node
from programs import eventchain
from waiting import Late, wait_until

# Blocks every tenth of a second at next to no work: the tests look at what happens between blocks
# and nodes, not at mining. Elections are quick, yet far above the time of an fsync.
WORK = ("--interval-ms", 100, "--shares", 4, "--first-hashes", 1024, "--easiest-hashes", 16)
SETTINGS = {"consensus.election_timeout_ms": 500, "consensus.heartbeat_ms": 50}


class Cluster:
    """Nodes n1, n2, ... in a temporary directory, each with two ports of its own.

    Use it as a context: entering starts all nodes and waits until they are ready; leaving ends
    exactly the processes it started and removes the directory. When the body failed, or a node
    ended by itself, the ends of all logs are printed first.

        with Cluster() as cluster:
            cluster.leader().kill()

    `settings` are further settings of every node, `tls` serves the API with TLS and lets the
    clients that cluster.client() makes show a certificate, `data` chooses another data directory
    (a function of the node's name). A subclass may have another `work` and `common_settings`, place
    a node when make_node() has made it, say by listen_address() and peer_address() that nodes reach
    each other by way of something, and add genesis_options().
    """

    work = WORK
    common_settings = SETTINGS

    def __init__(self, nodes=3, settings=None, tls=False, data=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="eventchain-"))
        self.authority = self.directory / "pki"
        self.genesis = self.directory / "genesis.json"
        self.nodes = []
        try:
            self._make_files(nodes, {**self.common_settings, **(settings or {})}, tls, data)
        except BaseException:
            shutil.rmtree(self.directory)
            raise

    def _make_files(self, count, settings, tls, data):
        names = [f"n{number}" for number in range(1, count + 1)]
        self.make_authority(self.authority)
        options = {}
        if tls:
            self.issue_client("writer")
            options = self.credentials("writer")
        for name in names:
            self.issue_node(name)
            home = self.authority / name
            place = data(name) if data else home / "data"
            self.nodes.append(self.make_node(name, home, place, settings, options))
        voters = [part for name in names for part in ("--voter", name)]
        eventchain(
            *("genesis", "create", self.authority, *voters, *self.work),
            *(*self.genesis_options(), "--out", self.genesis),
        )
        for node in self.nodes:
            peers = [
                part
                for peer in self.nodes
                if peer is not node
                for part in ("--peer", f"{peer.home}@{self.peer_address(node, peer)}")
            ]
            eventchain(
                *("config", "init", node.home, "--genesis", self.genesis, "--data", node.data),
                *("--peers-listen", self.listen_address(node)),
                *("--api-listen", f"127.0.0.1:{node.api_port}"),
                *("--mining-threads", 1, "--mining-duty", 20),
                *("--out", node.configuration),
                *([] if tls else ["--api-plain"]),
                *peers,
            )

    def genesis_options(self):
        """Further arguments of `genesis create`; the nodes and their ports are there already."""
        return ()

    def make_node(self, *parts):
        return Node(*parts)

    def listen_address(self, node):
        """Where `node` listens for its peers."""
        return f"127.0.0.1:{node.peers_port}"

    def peer_address(self, node, peer):
        """Where `node` reaches `peer`."""
        return self.listen_address(peer)

    @staticmethod
    def make_authority(directory):
        eventchain("pki", "init", directory, "--trust-domain", "example.org", "--chain", "tested")

    def issue_client(self, name, authority=None):
        eventchain("pki", "issue", authority or self.authority, "--client", name)

    def issue_node(self, name):
        """A node's certificate; a new one, where it has one."""
        eventchain("pki", "issue", self.authority, "--node", name, "--address", "127.0.0.1")

    def credentials(self, name, authority=None):
        """The arguments of Client for the certificate of client or node `name`."""
        authority = authority or self.authority
        home = authority / name
        return {
            "ca": authority / "ca.cert.pem",
            "certificate": home / "cert.pem",
            "key": home / "key.pem",
        }

    # --- life ------------------------------------------------------------------------------------

    def __enter__(self):
        try:
            for node in self.nodes:
                node.start()
            for node in self.nodes:
                node.wait_ready()
        except BaseException:
            self._leave(has_failed=True)
            raise
        return self

    def __exit__(self, kind, *_):
        dead = self._leave(has_failed=kind is not None)
        if kind is None and dead:
            raise AssertionError("ended by themselves: " + ", ".join(dead))

    def _leave(self, has_failed):
        codes = [(node, node.clean_up()) for node in self.nodes]
        dead = [f"{node.name} with exit code {code}" for node, code in codes if code is not None]
        if has_failed or dead:
            for node in self.nodes:
                print(f"--- end of the log of {node.name}\n{node.log_tail()}", file=sys.stderr)
        shutil.rmtree(self.directory, ignore_errors=True)
        return dead

    def running(self):
        return [node for node in self.nodes if node.is_running]

    # --- what the nodes agree on -----------------------------------------------------------------

    def leader(self, seconds=30.0):
        """The running node that says it leads and is ready; the newest term if two say so."""

        def search():
            found = []
            for node in self.running():
                status = node.status()
                if status and status["role"] == "leader" and status["ready"]:
                    found.append((int(status["term"]), node))
            return max(found, key=lambda one: one[0])[1] if found else None

        return wait_until(search, "a node leads", seconds)

    def follower(self):
        """A running node that does not lead, the first by name."""
        leader = self.leader()
        return next(node for node in self.running() if node is not leader)

    def wait_same_tip(self, seconds=30.0):
        """Until all running nodes hold no pending events and stand on one block; its id."""
        seen = {}

        def same():
            for node in self.running():
                seen[node.name] = node.status()
            if not all(seen.values()):
                return None
            tips = {status["tip"] for status in seen.values()}
            pending = sum(int(status["pool"]["events"]) for status in seen.values())
            return tips.pop() if len(tips) == 1 and pending == 0 else None

        try:
            return wait_until(same, "all nodes are at rest on one tip", seconds)
        except Late as late:
            raise Late(f"{late}\nlast seen: {seen}") from None
