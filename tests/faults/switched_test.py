"""Hosts behave to each other as hosts do: silence is silence, and a host that was off has forgotten."""

import os
import socket
import types
import unittest

import namespaces
import paths  # noqa: F401  the modules of tests/functional
from switched import SwitchLinks
from waiting import wait_until

PORT = 5000
MISSING = namespaces.missing()


@unittest.skipIf(MISSING, MISSING)
class HostsTest(unittest.TestCase):
    def setUp(self):
        self.links = self.enterContext(SwitchLinks(seed=1))
        self.nodes = {}
        for name in ("a", "b"):
            node = types.SimpleNamespace(name=name, peers_port=PORT)
            self.links.add(node)
            self.nodes[name] = node
        self.server = self.listen("b")

    def address(self, name):
        return self.links.listen_address(self.nodes[name]).split(":")[0], PORT

    def listen(self, name):
        with self.nodes[name].within():
            server = socket.create_server(self.address(name))
        self.addCleanup(server.close)
        return server

    def dial(self, timeout=20):
        with self.nodes["a"].within():
            connection = socket.create_connection(self.address("b"), timeout)
        self.addCleanup(connection.close)
        return connection

    def connected(self):
        here = self.dial()
        there, _ = self.server.accept()
        there.settimeout(20)
        self.addCleanup(there.close)
        here.sendall(b"hello")
        self.assertEqual(there.recv(5), b"hello")
        return here, there

    def stays_silent(self, connection):
        connection.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            connection.recv(1)
        connection.settimeout(20)

    def test_only_hosts_see_each_other(self):
        self.connected()
        with socket.socket() as outside:
            # Not even an address to bind to: no program lands there that was not placed there.
            with self.assertRaises(OSError):
                outside.bind(self.address("b"))

    def test_loopback_is_each_hosts_own(self):
        with self.nodes["b"].within():
            server = socket.create_server(("127.0.0.1", PORT + 1))
        self.addCleanup(server.close)
        with self.nodes["b"].within():
            socket.create_connection(("127.0.0.1", PORT + 1)).close()
        with self.nodes["a"].within(), self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", PORT + 1))

    def test_a_dial_into_silence_hears_nothing_and_nobody_accepts_it(self):
        for silent in (("a", "b"), ("b", "a")):
            self.links.set(*silent, "silent")
            with self.assertRaises(TimeoutError):
                self.dial(timeout=0.3)
            self.server.settimeout(0)
            with self.assertRaises(BlockingIOError):
                self.server.accept()
            self.links.heal()

    def test_a_cut_link_refuses_dials_and_resets_what_speaks(self):
        here, there = self.connected()
        self.links.set_both("a", "b", "cut")
        with self.assertRaises(ConnectionRefusedError):
            self.dial()
        for end in (here, there):
            end.sendall(b"x")
            with self.assertRaises(ConnectionResetError):
                end.recv(1)

    def test_lost_frames_are_sent_again_until_all_has_arrived(self):
        here, there = self.connected()
        self.links.set_both("a", "b", loss=0.1, reorder=0.1, duplicate=0.1)
        sent = os.urandom(200_000)
        here.setblocking(False)
        there.setblocking(False)
        arrived = bytearray()
        left = memoryview(sent)

        def moved():
            nonlocal left
            try:
                left = left[here.send(left) :] if left else left
            except BlockingIOError:
                pass
            try:
                arrived.extend(there.recv(65536))
            except BlockingIOError:
                pass
            return len(arrived) == len(sent)

        wait_until(moved, "everything has arrived", 60, poll_seconds=0.001)
        self.assertEqual(arrived, sent)
        self.assertGreater(self.links.told()["a->b"]["lost"], 0)

    def test_of_a_host_that_vanishes_nobody_hears_and_back_it_has_forgotten(self):
        # Its programs are left alone, so that it is the host that forgets.
        here, there = self.connected()
        self.links.power_off("b")
        self.stays_silent(here)
        with self.assertRaises(TimeoutError):
            self.dial(timeout=0.3)
        self.links.heal()
        # A stranger answers to the old connection, and nobody to a new one until a program listens.
        here.sendall(b"do you remember?")
        with self.assertRaises(ConnectionResetError):
            here.recv(1)
        with self.assertRaises(ConnectionRefusedError):
            self.dial()
        self.server = self.listen("b")
        self.connected()

    def test_an_orphan_never_speaks_again_and_a_new_connection_does(self):
        here, there = self.connected()
        self.links.orphan("a", "b")
        self.links.heal()
        here.sendall(b"lost")
        self.stays_silent(there)
        self.connected()
        self.assertEqual(self.links.orphans(), 1)
        here.close()
        self.stays_silent(there)
        self.assertEqual(self.links.orphans(), 1, "the other end still believes in it")
        there.close()
        self.assertEqual(self.links.orphans(), 0)


if __name__ == "__main__":
    unittest.main()
