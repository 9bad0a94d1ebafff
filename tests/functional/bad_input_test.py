"""Foreign octets: each is answered with the right problem, and the node goes on as before."""

import json
import threading
import unittest

from client import MANY_EVENTS, ONE_EVENT, event
from cluster import Cluster
from raw import RawConnection, exchange, head, post
from waiting import wait_until

MEBIBYTE = 1 << 20
BODY_MAX = 16 * MEBIBYTE
# Far above what a node needs for one body at a time, far below what the input asks for.
GROWTH_MAX = 160 * MEBIBYTE

CHUNKED = ("Content-Type: " + ONE_EVENT, "Transfer-Encoding: chunked")
POST = "POST /v1/events HTTP/1.1"

# What arrives, status, last part of the problem's type.
FRAMING = [
    ("a declared body over the limit", head(POST, f"Content-Length: {BODY_MAX + 1}"), 413,
     "too-large"),
    ("a length beyond 64 bits", head(POST, "Content-Length: " + "9" * 30), 400,
     "malformed-request"),
    ("a negative length", head(POST, "Content-Length: -1"), 400, "malformed-request"),
    ("a length that is no number", head(POST, "Content-Length: 0x10"), 400, "malformed-request"),
    ("two lengths", head(POST, "Content-Length: 3", "Content-Length: 4"), 400,
     "malformed-request"),
    ("length and chunks", head(POST, "Content-Length: 5", "Transfer-Encoding: chunked"), 400,
     "malformed-request"),
    ("chunks and length", head(POST, "Transfer-Encoding: chunked", "Content-Length: 5"), 400,
     "malformed-request"),
    ("another transfer coding", head(POST, "Transfer-Encoding: gzip, chunked"), 501,
     "transfer-encoding"),
    ("chunked twice", head(POST, "Transfer-Encoding: chunked, chunked"), 501,
     "transfer-encoding"),
    ("a chunk beyond the limit", head(POST, *CHUNKED) + b"7fffffff\r\n", 413, "too-large"),
    ("a chunk beyond 64 bits", head(POST, *CHUNKED) + b"f" * 17 + b"\r\n", 400,
     "malformed-request"),
    ("a chunk without a size", head(POST, *CHUNKED) + b"\r\n\r\n", 400, "malformed-request"),
    ("a chunk with a wrong end", head(POST, *CHUNKED) + b"2\r\nabXX\r\n", 400, "malformed-request"),
    ("no host", head("GET /livez HTTP/1.1", host=False), 400, "malformed-request"),
    ("two hosts", head("GET /livez HTTP/1.1", "Host: other"), 400, "malformed-request"),
    ("a header over the limit", head("GET /livez HTTP/1.1", "X-Long: " + "x" * 9000), 431,
     "header-too-large"),
    ("many fields", head("GET /livez HTTP/1.1", *("X: y" for _ in range(3000))), 431,
     "header-too-large"),
    ("a path over the limit", head(f"GET /{'a' * 9000} HTTP/1.1"), 431, "header-too-large"),
    ("a field without a colon", head("GET /livez HTTP/1.1", "Nonsense"), 400,
     "malformed-request"),
    ("a NUL in a field", head("GET /livez HTTP/1.1", "X: a\0b"), 400, "malformed-request"),
    ("the next version of HTTP", head("GET /livez HTTP/2.0"), 505, "http-version"),
    ("an unknown expectation", head(POST, "Expect: a-miracle", "Content-Length: 2"), 417,
     "expectation"),
    ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), 400,
     "malformed-request"),
]

ROUTES = [
    ("an unknown path", head("GET /v1/nothing HTTP/1.1"), 404, "not-found"),
    ("a path out of the tree", head("GET /../../etc/passwd HTTP/1.1"), 404, "not-found"),
    ("the root", head("GET / HTTP/1.1"), 404, "not-found"),
    ("a bad escape", head("GET /v1/%zz HTTP/1.1"), 400, "malformed-request"),
    ("DELETE of events", head("DELETE /v1/events HTTP/1.1"), 405, "method-not-allowed"),
    ("POST to the log", head("POST /v1/log HTTP/1.1", "Content-Length: 0"), 405,
     "method-not-allowed"),
    ("an invented method", head("BREW /livez HTTP/1.1"), 405, "method-not-allowed"),
    ("an unknown parameter", head("GET /v1/log?form=3 HTTP/1.1"), 400, "malformed-request"),
    ("a parameter twice", head("GET /v1/log?from=1&from=2 HTTP/1.1"), 400, "malformed-request"),
    ("a negative position", head("GET /v1/log?from=-1 HTTP/1.1"), 400, "malformed-request"),
    ("a position beyond 64 bits", head(f"GET /v1/log?from={1 << 64} HTTP/1.1"), 400,
     "malformed-request"),
    ("a height that is no number", head("GET /v1/blocks/top HTTP/1.1"), 400,
     "malformed-request"),
    ("a height above the tip", head("GET /v1/blocks/999999999 HTTP/1.1"), 404, "not-found"),
    ("a key that is no key", head("GET /v1/events/xyz HTTP/1.1"), 400, "malformed-request"),
    ("an unknown key", head(f"GET /v1/events/{'0' * 32} HTTP/1.1"), 404, "not-found"),
    ("a wait that is none", post(b"{}", path="/v1/events?wait=maybe"), 400, "malformed-request"),
    ("a type that is no event", post(b"{}", type="text/plain"), 415, "unsupported-media-type"),
    ("another charset", post(b"{}", type=ONE_EVENT + "; charset=latin-1"), 415,
     "unsupported-media-type"),
    ("no type", head(POST, "Content-Length: 2") + b"{}", 415, "unsupported-media-type"),
]


def with_data(text):
    """An event around `text` as its data."""
    return b'{"specversion":"1.0","source":"/bad","id":"1","type":"t","data":' + text + b"}"


def with_member(text):
    """An event with one more member."""
    return b'{"specversion":"1.0","source":"/bad","id":"1","type":"t",' + text + b"}"


MALFORMED = [
    ("an empty body", b""),
    ("half an event", with_data(b"1")[:-1]),
    ("two events in a row", with_data(b"1") * 2),
    ("an array", b"[]"),
    ("a number", b"7"),
    ("nested too deeply", with_data(b"[" * 40 + b"]" * 40)),
    ("nested beyond all stacks", with_data(b"[" * 500_000)),
    ("objects beyond all stacks", with_data(b'{"a":' * 200_000)),
    ("a member twice", with_member(b'"subject":"a","subject":"b"')),
    ("data twice", with_member(b'"data":1,"data":2')),
    ("data of both kinds", with_member(b'"data":1,"data_base64":"AA=="')),
    ("a member of the data twice", with_data(b'{"a":1,"b":{"c":1,"c":2}}')),
    ("a member twice, once escaped", with_data(b'{"a":1,"\\u0061":2}')),
    ("octets that are no UTF-8", with_data(b'"\xff\xfe"')),
    ("an overlong NUL", with_data(b'"\xc0\x80"')),
    ("a surrogate in UTF-8", with_data(b'"\xed\xa0\x80"')),
    ("half a character", with_data(b'"\xe2\x82"')),
    ("half a surrogate pair", with_data(b'"\\ud800"')),
    ("a number beyond a double", with_data(b"1e999")),
    ("NaN", with_data(b"NaN")),
    ("infinity", with_data(b"-Infinity")),
    ("a number with a leading zero", with_data(b"01")),
    ("a comment", with_data(b"/* */ 1")),
    ("a comma too many", with_data(b"[1,]")),
    ("a control character", with_data(b'"\x01"')),
    ("a byte order mark", b"\xef\xbb\xbf" + with_data(b"1")),
    ("compressed data", b"\x1f\x8b\x08" + bytes(40)),
]

INVALID = [
    ("no specversion", b'{"source":"/bad","id":"1","type":"t"}'),
    ("another specversion", b'{"specversion":"9.9","source":"/bad","id":"1","type":"t"}'),
    ("no id", b'{"specversion":"1.0","source":"/bad","type":"t"}'),
    ("an empty id", b'{"specversion":"1.0","source":"/bad","id":"","type":"t"}'),
    ("no source", b'{"specversion":"1.0","id":"1","type":"t"}'),
    ("no type", b'{"specversion":"1.0","source":"/bad","id":"1"}'),
    ("an object as attribute", with_member(b'"subject":{"a":1}')),
    ("a fraction as attribute", with_member(b'"weight":1.5')),
    ("an attribute beyond 32 bits", with_member(b'"weight":2147483648')),
    ("an attribute in capitals", with_member(b'"Weight":1')),
    ("an expectation below -1", with_member(b'"expectedversion":-2')),
    ("an expectation that is a string", with_member(b'"expectedversion":"1"')),
    ("a time that is none", with_member(b'"time":"yesterday"')),
    ("no base64", with_member(b'"data_base64":"***"')),
]


class BadInputTest(unittest.TestCase):
    def test_broken_framing_is_refused_and_the_connection_closed(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            for what, octets, status, kind in FRAMING:
                with self.subTest(what), RawConnection(node.api_port) as connection:
                    connection.send(octets)
                    self.check_problem(connection.answer(), status, kind)
                    self.assertTrue(connection.is_closed())
            self.check_alive(node)

    def test_unknown_paths_methods_parameters_and_types_are_told_apart(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            for what, octets, status, kind in ROUTES:
                with self.subTest(what):
                    answer = exchange(node.api_port, octets)
                    self.check_problem(answer, status, kind)
                    if status == 405:
                        self.assertIn(answer.headers["Allow"], ("GET", "POST, GET"))
            self.check_alive(node)

    def test_broken_json_and_broken_events_are_refused(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            for what, body in MALFORMED:
                with self.subTest(what):
                    self.check_problem(exchange(node.api_port, post(body)), 400, "malformed-event")
            for what, body in INVALID:
                with self.subTest(what):
                    self.check_problem(exchange(node.api_port, post(body)), 422, "invalid-event")
            # In a batch the refusal names the event, and none of the others is taken in.
            batch = b"[" + with_data(b"1") + b"," + with_data(b"1e999") + b"]"
            answer = exchange(node.api_port, post(batch, type=MANY_EVENTS))
            self.check_problem(answer, 400, "malformed-event")
            self.assertIn("event 1", answer.json()["detail"])
            answer = exchange(node.api_port, post(b"[]", type=MANY_EVENTS))
            self.check_problem(answer, 422, "invalid-event")
            self.check_alive(node)
            with node.client() as client:
                self.assertEqual(client.find("/bad", "1").status, 404)

    def test_batches_and_events_over_the_limits_are_refused_and_those_at_them_taken(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            with node.client() as client:
                many = [event("/many", str(number)) for number in range(10_001)]
                self.check_problem(client.submit(many), 413, "too-large")
                self.assertEqual(client.find("/many", "0").status, 404)
                answer = client.submit(many[:-1], wait="completed")
                self.assertEqual((answer.status, answer.json()["accepted"]), (201, 10_000))
                large = event("/large", "1", data="x" * MEBIBYTE)
                self.check_problem(client.submit(large), 413, "too-large")
                large["data"] = "x" * (MEBIBYTE - 1024)
                self.assertEqual(client.submit(large, wait="completed").status, 201)
            self.check_alive(node)

    def test_lengths_that_lie_end_with_their_connection(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            body = json.dumps(event("/lies", "1")).encode()
            with RawConnection(node.api_port) as connection:
                # Less than announced, then the end: nothing is taken in.
                connection.send(post(body)[:-5])
                connection.end_sending()
                self.assertIsNone(connection.answer())
            with RawConnection(node.api_port) as connection:
                # More than announced: what follows is the next request, and is none.
                connection.send(post(body) + b"smuggled rest\r\n\r\n")
                self.assertIn(connection.answer().status, (200, 202))
                self.check_problem(connection.answer(), 400, "malformed-request")
                self.assertTrue(connection.is_closed())
            self.check_alive(node)

    def test_memory_stays_bounded_whatever_is_announced_or_sent(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            before = node.memory()
            # Chunks without end, each of them small.
            with RawConnection(node.api_port) as connection:
                connection.send(head(POST, *CHUNKED))
                connection.send((b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 400)
                self.check_problem(connection.answer(), 413, "too-large")
            # Chunks of one octet, whose framing outweighs them.
            with RawConnection(node.api_port) as connection:
                connection.send(head(POST, *CHUNKED))
                for _ in range(64):
                    connection.send((b"1;" + b"x" * 1000 + b"\r\n \r\n") * 1024)
                self.check_problem(connection.answer(), 413, "too-large")
            # The largest bodies of the worst shapes, one after the other.
            for octets in (b"[" * BODY_MAX, b'{"a":' * (BODY_MAX // 5), b"\xff" * BODY_MAX):
                answer = exchange(node.api_port, post(octets, type=MANY_EVENTS))
                self.check_problem(answer, 400, "malformed-event")
            empty = b"[" + b"{}," * (BODY_MAX // 3 - 1) + b"{}]"
            answer = exchange(node.api_port, post(empty, type=MANY_EVENTS))
            self.check_problem(answer, 422, "invalid-event")
            names = b",".join(b'"%d":0' % number for number in range(100_000))
            answer = exchange(node.api_port, post(with_data(b"{" + names + b"}")))
            self.assertIn(answer.status, (202, 413), answer)
            grown = node.memory("VmHWM") - before
            self.assertLess(grown, GROWTH_MAX, f"grew by {grown / MEBIBYTE:.0f} MiB")
            print(f"(+{grown / MEBIBYTE:.0f} MiB) ", end="", flush=True)
            self.check_alive(node)

    def test_many_clients_that_announce_large_bodies_keep_nobody_out(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            before = node.memory()
            announced = [RawConnection(node.api_port) for _ in range(64)]
            try:
                for connection in announced:
                    connection.send(head(POST, f"Content-Type: {ONE_EVENT}",
                                         f"Content-Length: {BODY_MAX}") + b"{")
                self.check_alive(node)
                self.assertLess(node.memory() - before, GROWTH_MAX)
            finally:
                for connection in announced:
                    connection.close()

    def test_readers_that_never_read_cost_little(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            with node.client() as client:
                for number in range(12):
                    large = event("/read", str(number), data="x" * (MEBIBYTE - 1024))
                    self.assertEqual(client.submit(large, wait="completed").status, 201)
            before = node.memory()
            readers = [RawConnection(node.api_port) for _ in range(40)]
            try:
                for number, connection in enumerate(readers):
                    live = ["Accept: text/event-stream"] * (number % 2)
                    connection.send(head("GET /v1/log?from=0&limit=1000 HTTP/1.1", *live))
                for _ in range(5):
                    self.check_alive(node)
                grown = node.memory("VmHWM") - before
                self.assertLess(grown, 3 * GROWTH_MAX, f"grew by {grown / MEBIBYTE:.0f} MiB")
                print(f"(+{grown / MEBIBYTE:.0f} MiB) ", end="", flush=True)
            finally:
                for connection in readers:
                    connection.close()

    def test_slow_clients_are_cut_off_and_others_served_meanwhile(self):
        with Cluster(nodes=1) as cluster:
            node = cluster.nodes[0]
            slow = [RawConnection(node.api_port) for _ in range(100)]
            try:
                for number, connection in enumerate(slow):
                    if number % 2:
                        connection.send(b"POST /v1/events HTTP/1.1\r\nHost: no")
                    else:
                        connection.send(post(b"{" + b" " * 200)[:-100])
                self.check_alive(node)
                # 10 s for a header, 20 s for a body: the answers tell that it was the node's doing.
                answers = [None] * len(slow)

                def collect(number):
                    answers[number] = slow[number].answer()

                readers = [threading.Thread(target=collect, args=(n,)) for n in range(len(slow))]
                for reader in readers:
                    reader.start()
                while any(reader.is_alive() for reader in readers):
                    self.check_alive(node)
                    readers[-1].join(timeout=2)
                    readers[0].join(timeout=2)
                for answer in answers:
                    self.check_problem(answer, 408, "too-slow")
                wait_until(
                    lambda: node.ask(lambda c: c.metrics())["eventchain_http_connections"] <= 2,
                    "the connections are gone",
                )
            finally:
                for connection in slow:
                    connection.close()

    def check_problem(self, answer, status, kind):
        self.assertIsNotNone(answer, "closed without an answer")
        self.assertEqual((answer.status, answer.problem_type()), (status, kind), answer)
        document = answer.json()
        self.assertEqual(document["status"], status)
        self.assertTrue(document["title"] and document["detail"], document)

    def check_alive(self, node):
        """A good event is completed."""
        self._good = getattr(self, "_good", 0) + 1
        with node.client() as client:
            answer = client.submit(event("/good", str(self._good)), wait="completed")
            self.assertEqual(answer.status, 201, answer)


if __name__ == "__main__":
    unittest.main()
