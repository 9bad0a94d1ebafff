"""The proxy does what its rules say: a fault that is not one would make every check pass."""

import socket
import threading
import unittest

import paths  # noqa: F401  the modules of tests/functional
from links import ProxyLinks
from node import free_port
from waiting import wait_until


class Echo:
    """A server that sends back what it gets; a context. `heard` is all it got."""

    def __enter__(self):
        self.heard = b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.served = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        # A blocked accept() notices shutdown(), not close().
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()
        for connection in self.served:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.served.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while octets := connection.recv(65536):
                self.heard += octets
                connection.sendall(octets)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.echo = self.enterContext(Echo())
        self.links = self.enterContext(ProxyLinks())
        self.port = free_port()
        self.links.listen("a", "b", self.port, self.echo.port)
        self.links.listen("b", "a", free_port(), self.echo.port)

    def dial(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.addCleanup(connection.close)
        return connection

    def receive(self, connection, count):
        octets = b""
        while len(octets) < count:
            piece = connection.recv(count - len(octets))
            if not piece:
                raise EOFError(f"ended after {octets!r}")
            octets += piece
        return octets

    def stays_silent(self, connection):
        connection.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            connection.recv(1)
        connection.settimeout(20)

    def test_octets_pass_in_order_and_an_end_arrives(self):
        connection = self.dial()
        sent = bytes(range(256)) * 4000
        writer = threading.Thread(target=connection.sendall, args=(sent,))
        writer.start()
        self.assertEqual(self.receive(connection, len(sent)), sent)
        writer.join()
        connection.shutdown(socket.SHUT_WR)
        self.assertEqual(connection.recv(1), b"")

    def test_a_silent_direction_keeps_octets_until_it_passes_again(self):
        connection = self.dial()
        connection.sendall(b"one")
        self.receive(connection, 3)
        self.links.set("b", "a", "silent")
        connection.sendall(b"two")
        wait_until(lambda: self.echo.heard == b"onetwo", "the other direction passes")
        self.stays_silent(connection)
        self.links.heal()
        self.assertEqual(self.receive(connection, 3), b"two")

    def test_nothing_arrives_in_the_silent_direction(self):
        connection = self.dial()
        connection.sendall(b"one")
        self.receive(connection, 3)
        self.links.set("a", "b", "silent")
        connection.sendall(b"two")
        self.stays_silent(connection)
        self.assertEqual(self.echo.heard, b"one")

    def test_a_dial_is_not_answered_while_either_direction_is_silent(self):
        for silent in (("a", "b"), ("b", "a")):
            self.links.set(*silent, "silent")
            connection = self.dial()
            connection.sendall(b"x")
            self.stays_silent(connection)
            self.assertEqual(self.echo.served, [])
            connection.close()
            gone = lambda: self.links.told()["a->b"]["dialled"] == 0  # noqa: E731
            self.links.heal()
            wait_until(gone, "a dial that was given up is forgotten")
            self.assertEqual(self.echo.served, [])

    def test_a_cut_link_resets_and_refuses_until_it_heals(self):
        connection = self.dial()
        connection.sendall(b"one")
        self.receive(connection, 3)
        self.links.set("a", "b", "cut")
        with self.assertRaises(ConnectionResetError):
            connection.recv(1)
        with self.assertRaises(ConnectionResetError):
            self.dial().recv(1)
        self.links.heal()
        again = self.dial()
        again.sendall(b"two")
        self.assertEqual(self.receive(again, 3), b"two")

    def test_an_orphan_never_speaks_again_and_a_new_connection_does(self):
        connection = self.dial()
        connection.sendall(b"one")
        self.receive(connection, 3)
        self.links.orphan("a", "b")
        connection.sendall(b"two")
        wait_until(lambda: self.links.told()["a->b"]["lost"] == 3, "the octets are lost")
        self.links.heal()
        self.stays_silent(connection)
        # Nor does an end arrive: the far end of a half-open connection learns nothing.
        connection.close()
        self.echo.served[0].settimeout(0.2)
        with self.assertRaises(TimeoutError):
            self.echo.served[0].recv(1)
        again = self.dial()
        again.sendall(b"new")
        self.assertEqual(self.receive(again, 3), b"new")
        self.assertEqual(self.links.told()["a->b"]["orphans"], 1)
        self.echo.served[0].shutdown(socket.SHUT_RDWR)
        wait_until(lambda: self.links.told()["a->b"]["orphans"] == 0, "both ends gave it up")

    def test_delay_and_rate_let_everything_through_late_and_in_order(self):
        self.links.set("a", "b", delay_ms=20, jitter_ms=20, rate=1 << 20)
        connection = self.dial()
        sent = b"".join(b"%06d" % number for number in range(20000))
        writer = threading.Thread(target=connection.sendall, args=(sent,))
        writer.start()
        self.assertEqual(self.receive(connection, len(sent)), sent)
        writer.join()
        self.assertEqual(self.links.told()["a->b"]["carried"], len(sent))

    def test_a_command_that_cannot_be_obeyed_is_an_error(self):
        with self.assertRaisesRegex(RuntimeError, "no such mode"):
            self.links.set("a", "b", "slippery")


if __name__ == "__main__":
    unittest.main()
