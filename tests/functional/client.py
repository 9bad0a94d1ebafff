"""A client of one node's HTTP API, on http.client alone."""

import contextlib
import http.client
import json
import ssl
import urllib.parse

ONE_EVENT = "application/cloudevents+json"
MANY_EVENTS = "application/cloudevents-batch+json"
PROBLEM = "application/problem+json"

# What a request may end with while its node is killed, stopped or not started yet.
Unreachable = (OSError, http.client.HTTPException)


def event(source, id, stream=None, data=None, expected=None, type="org.example.tested"):
    """A CloudEvent as a dictionary. The stream is the source's when none is named."""
    made = {"specversion": "1.0", "source": source, "id": id, "type": type}
    if stream is not None:
        made["stream"] = stream
    if expected is not None:
        made["expectedversion"] = expected
    made["data"] = {"of": id} if data is None else data
    return made


class Answer:
    """Status, headers and body of one answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def content_type(self):
        return self.headers.get("Content-Type", "").split(";")[0]

    def json(self):
        return json.loads(self.body)

    def problem_type(self):
        """The stable last part of a problem's type, or None if this is no problem document."""
        if self.content_type != PROBLEM:
            return None
        return self.json()["type"].rsplit(":", 1)[-1]

    def __repr__(self):
        return f"<{self.status} {self.content_type} {self.body[:300]!r}>"


class Client:
    """Talks to one node over one connection that is kept alive. Not to be shared by threads.

    With `ca` it speaks TLS and checks the node's certificate; `certificate` and `key` name the
    client's own. `within` makes a context in which to connect. A request that fails raises one of
    Unreachable and is not repeated, except when an idle connection turns out to have been closed:
    then nothing was processed.
    """

    def __init__(
        self,
        port,
        host="127.0.0.1",
        ca=None,
        certificate=None,
        key=None,
        timeout=40.0,
        within=contextlib.nullcontext,
    ):
        self._address = (host, port)
        self._timeout = timeout
        self._within = within
        self._context = None
        if ca is not None:
            self._context = ssl.create_default_context(cafile=str(ca))
            if certificate is not None:
                self._context.load_cert_chain(str(certificate), str(key))
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self):
        host, port = self._address
        if self._context is None:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        else:
            connection = http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=self._context
            )
        with self._within():
            connection.connect()
        return connection

    def _send(self, method, path, body, headers):
        is_old = self._connection is not None
        try:
            if not is_old:
                self._connection = self._connect()
            self._connection.request(method, path, body=body, headers=headers)
            return self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            if not is_old:
                raise
        except Unreachable:
            self.close()
            raise
        return self._send(method, path, body, headers)

    def request(self, method, path, body=None, headers=None):
        response = self._send(method, path, body, headers or {})
        try:
            answer = Answer(response.status, response.headers, response.read())
        except Unreachable:
            self.close()
            raise
        if response.will_close:
            self.close()
        return answer

    # --- the API ---------------------------------------------------------------------------------

    def get(self, path, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return self.request("GET", path)

    def submit(self, events, wait="durable", seconds=30):
        """Posts one event (a dictionary) or a batch (a list); waits at most `seconds`."""
        is_batch = isinstance(events, list)
        return self.request(
            "POST",
            "/v1/events?wait=" + wait,
            body=json.dumps(events).encode(),
            headers={
                "Content-Type": MANY_EVENTS if is_batch else ONE_EVENT,
                "Prefer": f"wait={seconds}",
            },
        )

    def find(self, source, id):
        return self.get("/v1/events", source=source, id=id)

    def cluster(self):
        return self.get("/v1/cluster").json()

    def header(self, height):
        """The header at `height`, or None if the node has not got so far."""
        headers = self.get("/v1/headers", **{"from": height, "limit": 1}).json()["headers"]
        return headers[0] if headers else None

    def whole_log(self):
        """All events with a position, in order."""
        events = []
        position = 0
        while True:
            page = self.get("/v1/log", **{"from": position, "limit": 1000}).json()
            events += page["events"]
            if not page["events"]:
                return events
            position = int(page["next"])

    def metrics(self):
        """Metric name with labels -> value."""
        lines = self.get("/metrics").body.decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def follow(self, position=None, last_event_id=None):
        """Yields (id, event) of the live log until the node or the caller ends the stream.

        The connection belongs to the stream: use a client of its own and close() it.
        """
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        path = "/v1/log" if position is None else f"/v1/log?from={position}"
        response = self._send("GET", path, None, headers)
        if response.status != 200:
            raise AssertionError(f"no stream: {response.status} {response.read()!r}")
        fields = {}
        for line in response:
            name, _, text = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = fields[name] + "\n" + text if name in fields else text
            elif fields:
                if fields.get("event") == "event":
                    yield int(fields["id"]), json.loads(fields["data"])
                fields = {}
