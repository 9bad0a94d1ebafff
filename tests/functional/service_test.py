"""What a service manager (systemd with Type=notify) is told, at a socket that the test listens at."""

import contextlib
import ctypes
import os
import pathlib
import select
import socket
import tempfile
import unittest

from cluster import Cluster
from waiting import wait_until

WATCHDOG_SECONDS = 2


class Manager:
    """The other end of NOTIFY_SOCKET. `name` is a path, or an abstract name after '@'."""

    def __init__(self, name):
        self.name = str(name)
        self.lines = []
        self.has_heard_ready = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.name.replace("@", "\0", 1))

    def environment(self):
        return {"NOTIFY_SOCKET": self.name, "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000)}

    def close(self):
        self._socket.close()

    def _listen(self, seconds):
        """Whether something came within so many seconds."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return False
        said = self._socket.recv(65536).decode().splitlines()
        self.lines += said
        self.has_heard_ready = self.has_heard_ready or "READY=1" in said
        return True

    def take(self):
        """All that was said since the last time."""
        while self._listen(0):
            pass
        said, self.lines = self.lines, []
        return said

    def wait_said(self, beginning, seconds=30.0):
        """Until a line begins like this; that line. What came before it is forgotten."""

        def search():
            self._listen(1)
            while self.lines:
                line = self.lines.pop(0)
                if line.startswith(beginning):
                    return line
            return None

        return wait_until(search, f"the node says {beginning}", seconds)

    def is_silent(self, seconds):
        """Whether nothing comes for so long."""
        return not self._listen(seconds)


@contextlib.contextmanager
def managed(node):
    with tempfile.TemporaryDirectory(prefix="eventchain-") as directory:
        manager = Manager(pathlib.Path(directory) / "notify")
        node.environment = {**node.environment, **manager.environment()}
        try:
            yield manager
        finally:
            node.environment = {}
            manager.close()


@contextlib.contextmanager
def hung(node):
    """All threads of the node stand still but its first, as a debugger holds them."""
    attach, detach, all_kinds = 16, 17, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    held = []
    try:
        for thread in map(int, os.listdir(f"/proc/{node.pid}/task")):
            if thread == node.pid:
                continue
            if libc.ptrace(attach, thread, None, None) != 0:
                raise unittest.SkipTest(f"ptrace: {os.strerror(ctypes.get_errno())}")
            held.append(thread)
            os.waitpid(thread, all_kinds)
        yield
    finally:
        for thread in held:
            libc.ptrace(detach, thread, None, None)


class ServiceTest(unittest.TestCase):
    def test_a_node_is_ready_only_with_a_leader_and_everything_it_had_committed(self):
        with Cluster() as cluster, managed(cluster.nodes[0]) as manager:
            node, *others = cluster.nodes
            node.stop()
            for other in others:
                other.stop()
            node.start()
            # Alone it lives, and asks for time.
            self.assertIn("opens", manager.wait_said("STATUS="))
            for _ in range(3):
                self.assertIn("waits for a leader", manager.wait_said("STATUS="))
                self.assertEqual(
                    manager.wait_said("EXTEND_TIMEOUT_USEC="),
                    f"EXTEND_TIMEOUT_USEC={WATCHDOG_SECONDS * 1_000_000}",
                )
                manager.wait_said("WATCHDOG=1")
            self.assertFalse(node.is_ready())
            self.assertFalse(manager.has_heard_ready)

            for other in others:
                other.start()
            manager.wait_said("READY=1")
            self.assertTrue(node.is_ready())
            manager.take()
            manager.wait_said("WATCHDOG=1")
            self.assertRegex(manager.wait_said("STATUS="), "STATUS=(leads|follows); height")

            node.stop()
            said = manager.take()
            self.assertIn("STOPPING=1", said)
            self.assertEqual(said[-1], "STATUS=stops")

    def test_a_node_that_hangs_gives_no_sign_and_one_that_goes_on_does(self):
        with Cluster(nodes=1) as cluster, managed(cluster.nodes[0]) as manager:
            node = cluster.nodes[0]
            node.stop()
            node.start()
            manager.wait_said("READY=1")
            node.freeze()
            manager.take()
            self.assertTrue(manager.is_silent(1.5 * WATCHDOG_SECONDS))
            node.thaw()
            manager.wait_said("WATCHDOG=1")

    def test_a_core_that_hangs_gives_no_sign_although_the_process_runs(self):
        with Cluster(nodes=1) as cluster, managed(cluster.nodes[0]) as manager:
            node = cluster.nodes[0]
            node.stop()
            node.start()
            manager.wait_said("READY=1")
            with hung(node):
                # What was on its way.
                manager.is_silent(WATCHDOG_SECONDS)
                manager.take()
                self.assertTrue(manager.is_silent(1.5 * WATCHDOG_SECONDS))
            manager.wait_said("WATCHDOG=1")

    def test_an_abstract_name_and_no_manager_at_all(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            manager = Manager(f"@eventchain-{cluster.directory.name}")
            node.stop()
            node.environment = manager.environment()
            node.start()
            manager.wait_said("READY=1")
            # One that went away is nobody's trouble.
            manager.close()
            node.wait_ready()
            node.stop()


if __name__ == "__main__":
    unittest.main()
