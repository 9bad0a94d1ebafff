"""Octets straight into a socket, for requests that no HTTP library would send."""

import http.client
import socket

from client import Answer


class Incoming:
    """What comes in on a socket, buffered once for all answers.

    HTTPResponse would take a buffer of its own, and with it the beginning of the next answer.
    """

    def __init__(self, connection):
        self._file = connection.makefile("rb")

    def makefile(self, _mode):
        return self

    def close(self):
        """Called at the end of each answer."""

    def __getattr__(self, name):
        return getattr(self._file, name)


class RawConnection:
    """One TCP connection to a node's API port."""

    def __init__(self, port, timeout=30.0):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._incoming = Incoming(self._socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def send(self, octets):
        """Sends; a node that refused and closed before everything was sent is no error."""
        try:
            self._socket.sendall(octets)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def end_sending(self):
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self):
        """The next answer, or None if the node closed the connection without one."""
        response = http.client.HTTPResponse(self._incoming)
        try:
            response.begin()
            return Answer(response.status, response.headers, response.read())
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return None

    def is_closed(self):
        """Whether nothing more comes: waits for the node to close."""
        try:
            return self._incoming.read(1) == b""
        except ConnectionResetError:
            return True


def head(line, *fields, host=True):
    """Start line and fields of a request, with the empty line."""
    lines = [line, *(["Host: node"] if host else []), *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def post(body, *fields, path="/v1/events", type="application/cloudevents+json"):
    """A whole POST of `body` as it is."""
    return head(
        f"POST {path} HTTP/1.1", f"Content-Type: {type}", f"Content-Length: {len(body)}", *fields
    ) + body


def exchange(port, octets):
    """Sends and returns the one answer."""
    with RawConnection(port) as connection:
        connection.send(octets)
        return connection.answer()
