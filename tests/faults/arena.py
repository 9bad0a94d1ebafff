"""A cluster whose links, disk and clocks can be broken, and which must recover when they heal."""

import pathlib
import shutil
import time

from cluster import Cluster
from disk import EXIT_DISK, MEBIBYTE, SmallDisk
from links import ProxyLinks
from seed import suite_seed
from waiting import wait_until

# Bounds for a broken program, far above what any fault takes to heal.
READY_SECONDS = 60
SAME_TIP_SECONDS = 90
DISK_RESERVE = 32 * MEBIBYTE


class EndedByItself(AssertionError):
    """A node's process ended and nobody had asked for it."""


class LinkedCluster(Cluster):
    """A cluster whose nodes reach each other through links of a `kind` that can be broken."""

    def __init__(self, kind, *arguments, **options):
        self.links = kind(suite_seed())
        try:
            super().__init__(*arguments, **options)
        except BaseException:
            self.links.close()
            raise

    def make_node(self, *parts):
        node = super().make_node(*parts)
        self.links.add(node)
        return node

    def listen_address(self, node):
        return self.links.listen_address(node)

    def peer_address(self, node, peer):
        return self.links.peer_address(node, peer)

    def vanish(self, node):
        """The node's host is gone: its process, and every word that could tell of it.

        links.heal() brings the host back, without the node.
        """
        self.links.power_off(node.name)
        node.kill()

    def _leave(self, has_failed):
        try:
            return super()._leave(has_failed)
        finally:
            self.links.close()


class Arena(LinkedCluster):
    """All that can be broken. With `has_disk` the first node's data is on a small disk of its own."""

    def __init__(self, nodes=3, has_disk=False, settings=None, kind=ProxyLinks):
        self.disk = SmallDisk() if has_disk else None
        try:
            settings = {"disk.reserve_bytes": DISK_RESERVE, **(settings or {})}
            super().__init__(kind, nodes, settings, data=self._place)
        except BaseException:
            self._close()
            raise

    @property
    def poor(self):
        """The node with the small disk."""
        return self.nodes[0]

    def _place(self, name):
        if self.disk is not None and name == "n1":
            return self.disk.place / "data"
        return self.authority / name / "data"

    def _leave(self, has_failed):
        try:
            return super()._leave(has_failed)
        finally:
            self._close()

    def _close(self):
        if self.disk is not None:
            self.disk.close()

    # --- who is there ----------------------------------------------------------------------------

    def running(self):
        """Those that can answer: a frozen process holds up whoever asks it."""
        return [node for node in super().running() if not node.is_frozen]

    def others(self, *nodes):
        return [node for node in self.nodes if node not in nodes]

    def is_majority(self, nodes):
        return 2 * len(nodes) > len(self.nodes)

    def term(self):
        return max(int(status["term"]) for node in self.running() if (status := node.status()))

    def check_alive(self, may_end=None):
        """`may_end` may have ended because of its disk."""
        for node in self.nodes:
            code = node.end_of_itself()
            if code is not None and not (node is may_end and code == EXIT_DISK):
                raise EndedByItself(f"{node} ended with exit code {code}\n{node.log_tail()}")

    # --- back to normal --------------------------------------------------------------------------

    def heal(self):
        """Ends every fault and waits until all nodes are ready; the seconds that took."""
        began = time.monotonic()
        self.links.heal()
        # A node may meet its full disk just before there is room again.
        may_end = self.poor if self.disk is not None and self.disk.is_small else None
        if self.disk is not None:
            self.disk.restore()
        for node in self.nodes:
            if node.is_frozen:
                node.thaw()
        self.check_alive(may_end)
        for node in self.nodes:
            if not node.is_running:
                node.start()
        for node in self.nodes:
            self._wait_ready(node, may_end)
        return time.monotonic() - began

    def _wait_ready(self, node, may_end):
        try:
            node.wait_ready(READY_SECONDS)
        except AssertionError:
            if node is not may_end or node.end_of_itself() != EXIT_DISK:
                raise
            node.start()
            node.wait_ready(READY_SECONDS)

    def wait_at_rest(self):
        """Until all nodes stand on one tip with nothing pending; the seconds that took."""
        began = time.monotonic()
        self.wait_same_tip(SAME_TIP_SECONDS)
        return time.monotonic() - began

    def wait_linked(self, seconds=60):
        """Until nobody holds on to a dead connection, and every node has a link to every other."""

        def linked():
            if self.links.orphans() > 0:
                return False
            statuses = [node.status() for node in self.nodes]
            return all(
                status and all(peer["linked"] for peer in status["peers"]) for status in statuses
            )

        wait_until(linked, "all nodes are linked", seconds)

    def keep_logs(self, directory):
        """Copies what the nodes wrote, before it goes with the cluster's directory."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for node in self.nodes:
            if node.log.exists():
                shutil.copy(node.log, directory / f"{node.name}.log")
