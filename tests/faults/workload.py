"""Clients that append and read all the time, and write down all they ask and are told."""

import collections
import threading
import time

from client import Unreachable, event
from history import Append, Read
from seed import random_for
from waiting import POLL_SECONDS, Late

# The node waits for less than the client, so that an answer tells how far an event has come.
WAIT_SECONDS = 2
CLIENT_SECONDS = 3.0
# For how long a client prefers others to a node that left it waiting.
AVOID_SECONDS = 3.0
# How long one client stays with one event, over all its attempts.
PATIENCE_SECONDS = 8.0
STREAMS = 4
# Mean pause between two operations of a client: a load that the machine carries while faults, not
# the load, decide what happens.
THINK_SECONDS = 0.06

PROMISED = {"durable": "durable", "committed": "completed", "final": "completed", "witnessed": "completed"}


def take_answer(append, answer, node):
    """Notes the answer to one attempt; whether it settles the event."""
    document = answer.json()
    if answer.status in (200, 201, 202):
        if document["detail"] not in PROMISED:
            return False
        append.outcome = PROMISED[document["detail"]]
    elif answer.status == 409 and answer.problem_type() == "version-conflict":
        # "rejected" is a block's word, "refused" that of the asked node.
        append.outcome = document["event"]["status"]
        document = {"version": document["version"]}
    else:
        raise AssertionError(f"{node} answered {answer} to {append}")
    append.node = node.name
    append.version = document.get("version")
    append.position = int(document["position"]) if "position" in document else None
    return True


class Worker(threading.Thread):
    """One client: an append or a read, a pause, and again; any node, mostly another each time."""

    def __init__(self, workload, number):
        super().__init__(name=f"client {number}", daemon=True)
        self.failure = None
        self._workload = workload
        self._source = f"/client/{number}"
        self._random = random_for(f"client {number}")
        self._number = 0
        self._avoided = {}  # node -> until when
        self._clients = {node: node.client(timeout=CLIENT_SECONDS) for node in workload.nodes}

    def run(self):
        workload = self._workload
        try:
            while workload.enter():
                try:
                    if self._random.random() < 0.3:
                        self._read(workload.draw_stream(self._random))
                    else:
                        self._append(workload.draw_stream(self._random))
                finally:
                    workload.leave()
                workload.halt.wait(self._random.uniform(0, 2 * THINK_SECONDS))
        except Exception as error:  # whatever it is, the round that looks next tells it
            self.failure = error
        finally:
            for client in self._clients.values():
                client.close()

    def _draw_node(self):
        now = time.monotonic()
        nodes = [node for node in self._clients if self._avoided.get(node, 0) < now]
        return self._random.choice(nodes or self._workload.nodes)

    def _avoid(self, node):
        self._avoided[node] = time.monotonic() + AVOID_SECONDS

    def _read(self, stream):
        node = self._draw_node()
        start = max(0, self._workload.known[stream] - self._random.choice((0, 5, 1000)))
        consistency = self._random.choice(("local", "local", "linearizable"))
        invoked = time.monotonic()
        try:
            answer = self._clients[node].get(
                f"/v1/streams/{stream}", **{"from": start, "limit": 1000, "consistency": consistency}
            )
        except Unreachable:
            self._avoid(node)
            return
        returned = time.monotonic()
        is_linearizable = consistency == "linearizable"
        if is_linearizable and answer.problem_type() == "not-ready":
            return  # no majority in time: that is what it is for
        assert answer.status == 200, f"{node} answered {answer} to a read of {stream}"
        document = answer.json()
        keys = [(one["event"]["source"], one["event"]["id"]) for one in document["events"]]
        self._workload.know(stream, document["version"])
        self._workload.record(
            Read(
                stream, node.name, start, invoked, returned, document["version"], keys, is_linearizable
            )
        )

    def _append(self, stream):
        random = self._random
        expected = None
        if random.random() < 0.5:
            # Mostly the version that the client believes in, which others race for.
            expected = max(-1, self._workload.known[stream] - random.choice((0, 0, 0, 1)))
        self._number += 1
        append = Append((self._source, str(self._number)), stream, expected, time.monotonic())
        self._workload.record(append)
        offered = event(*append.key, stream=stream, expected=expected)
        wait = random.choice(("durable", "completed"))
        attempts = 1 if random.random() < 0.2 else 1000  # some clients never come back
        if self._offer(append, offered, wait, attempts):
            append.returned = time.monotonic()
            if append.version is not None:
                self._workload.know(stream, append.version)

    def _offer(self, append, offered, wait, attempts):
        """Until the event is settled or patience ends; whether the client knows what became of it."""
        deadline = append.invoked + PATIENCE_SECONDS
        is_certain = True  # that no attempt was taken in
        while attempts > 0 and time.monotonic() < deadline and not self._workload.halt.is_set():
            attempts -= 1
            node = self._draw_node()
            try:
                answer = self._clients[node].submit(offered, wait=wait, seconds=WAIT_SECONDS)
            except Unreachable:
                is_certain = False
                self._avoid(node)
            else:
                if answer.status not in (429, 503, 507):
                    if take_answer(append, answer, node):
                        return True
                    is_certain = False
                    self._avoid(node)
                elif answer.status == 503:
                    is_certain = False
            self._workload.halt.wait(POLL_SECONDS)
        if is_certain:
            append.outcome = "failed"
        return is_certain


class Workload:
    """Several workers; a context that ends them.

    pause() returns when no operation is under way; take() hands over what was recorded since the
    last time; resume() goes on with streams of their own, so that each round is checked by itself.
    """

    def __init__(self, nodes, workers=4):
        self.nodes = nodes
        self.halt = threading.Event()
        self.known = collections.defaultdict(lambda: -1)  # stream -> highest version heard of
        self._lock = threading.Condition()
        self._operations = []
        self._busy = 0
        self._is_paused = False
        self._round = 0
        self._streams = []
        self._probes = 0
        self._draw_streams()
        self._workers = [Worker(self, number) for number in range(workers)]

    def __enter__(self):
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_):
        self.halt.set()
        with self._lock:
            self._lock.notify_all()
        for worker in self._workers:
            worker.join()

    def _draw_streams(self):
        self._round += 1
        self._streams = [f"round-{self._round}-{number}" for number in range(STREAMS)]
        self.known.clear()

    # --- for the workers -------------------------------------------------------------------------

    def enter(self):
        """Waits while paused; False when it is over."""
        with self._lock:
            self._lock.wait_for(lambda: self.halt.is_set() or not self._is_paused)
            if self.halt.is_set():
                return False
            self._busy += 1
            return True

    def leave(self):
        with self._lock:
            self._busy -= 1
            self._lock.notify_all()

    def draw_stream(self, random):
        return random.choice(self._streams)

    def record(self, operation):
        with self._lock:
            self._operations.append(operation)

    def know(self, stream, version):
        with self._lock:
            self.known[stream] = max(self.known[stream], version)

    # --- for the rounds --------------------------------------------------------------------------

    def check(self):
        for worker in self._workers:
            if worker.failure is not None:
                raise AssertionError(f"{worker.name}: {worker.failure}") from worker.failure

    def pause(self):
        with self._lock:
            self._is_paused = True
            self._lock.wait_for(lambda: self._busy == 0)
        self.check()

    def take(self):
        with self._lock:
            taken, self._operations = self._operations, []
            return taken

    def resume(self):
        with self._lock:
            self._draw_streams()
            self._is_paused = False
            self._lock.notify_all()

    def demand(self, nodes, why, seconds=60.0):
        """One event must be completed through any of `nodes`; the seconds that took."""
        self._probes += 1
        append = Append(("/probe", str(self._probes)), self._streams[0], None, time.monotonic())
        self.record(append)
        offered = event(*append.key, stream=append.stream)
        attempt = 0
        while time.monotonic() < append.invoked + seconds:
            node = nodes[attempt % len(nodes)]
            attempt += 1
            with node.client(timeout=CLIENT_SECONDS) as client:
                try:
                    answer = client.submit(offered, wait="completed", seconds=WAIT_SECONDS)
                except Unreachable:
                    answer = None
            if answer is not None and answer.status not in (429, 503, 507):
                if take_answer(append, answer, node) and append.outcome == "completed":
                    append.returned = time.monotonic()
                    self.know(append.stream, append.version)
                    return append.returned - append.invoked
            self.halt.wait(POLL_SECONDS)
        raise Late(f"no event was completed by any of {nodes} within {seconds:g} s while {why}")
