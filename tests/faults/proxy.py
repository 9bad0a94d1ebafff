#!/usr/bin/env python3
"""The wires between nodes: a TCP proxy whose links are broken and healed while it runs.

A process of its own, so that a busy test does not slow the wires: `links.Links` starts it and talks
to it, one JSON object a line on standard input, one answer a line on standard output. It ends when
its standard input ends.

For every directed pair DIALLER->TARGET it listens on one port and connects onwards to the target's.
A *link* is a direction of octets between two nodes, whoever dialled: the rule of a->b holds for what
a sends on connections that a dialled and on those that b dialled.

    pass     octets arrive, after `delay_ms` +- `jitter_ms`, at most `rate` octets a second
    silent   nothing arrives, not even an end. As TCP does, the octets wait for the link to pass
             again (1 MiB of them, then the sender's own buffers fill). A dial is not answered while
             either direction is silent.
    cut      dials from a to b are reset, and so are the connections that a dialled

*Orphaned* connections stay open at both ends and never carry anything again, not even an end, while
new connections pass: half-open for good.
"""

import asyncio
import collections
import json
import random
import socket
import struct
import sys

CHUNK = 16 * 1024
# What one direction of one connection keeps for later: TCP's windows are of this size.
WAITING_MAX = 1 << 20


class Link:
    """One direction between two nodes: its rule, and what it did so far."""

    def __init__(self):
        self.delay = 0.0
        self.jitter = 0.0
        self.rate = None
        self.is_cut = False
        self.open = asyncio.Event()
        self.open.set()
        self.carried = 0
        self.lost = 0
        self._free_at = 0.0  # when the octets sent so far have left, at `rate`

    def set(self, mode="pass", delay_ms=0, jitter_ms=0, rate=None):
        self.delay = delay_ms / 1000
        self.jitter = jitter_ms / 1000
        self.rate = rate
        self.is_cut = mode == "cut"
        if mode == "silent":
            self.open.clear()
        elif mode in ("pass", "cut"):
            self.open.set()
        else:
            raise ValueError(f"no such mode: {mode}")
        self._free_at = 0.0

    def draw_delay(self, random):
        return max(0.0, self.delay + random.uniform(-self.jitter, self.jitter))

    def transmission(self, now, octets):
        """Seconds until `octets` have left, all connections of the link sharing its rate."""
        if self.rate is None:
            return 0.0
        self._free_at = max(self._free_at, now) + octets / self.rate
        return self._free_at - now


class Pump:
    """One direction of one connection: reads at once, writes when the link's rule lets it."""

    END = b""

    def __init__(self, link, reader, random):
        self.has_ended = False  # the sender has closed, whether that was told or not
        self.is_orphan = False
        self._link = link
        self._reader = reader
        self._random = random
        self._chunks = collections.deque()  # (due, octets)
        self._waiting = 0
        self._changed = asyncio.Condition()

    async def read(self):
        loop = asyncio.get_running_loop()
        last_due = 0.0
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._waiting < WAITING_MAX)
            try:
                octets = await self._reader.read(CHUNK)
            except OSError:
                octets = self.END
            # In order, whatever the jitter says.
            last_due = max(last_due, loop.time() + self._link.draw_delay(self._random))
            async with self._changed:
                self._chunks.append((last_due, octets))
                self._waiting += len(octets)
                self.has_ended = octets == self.END
                self._changed.notify_all()
            if self.has_ended:
                return

    async def write(self, writer):
        loop = asyncio.get_running_loop()
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._chunks)
                due, octets = self._chunks[0]
            await asyncio.sleep(max(0.0, due - loop.time()))
            await asyncio.sleep(self._link.transmission(loop.time(), len(octets)))
            if not self.is_orphan:
                await self._link.open.wait()
            async with self._changed:
                self._chunks.popleft()
                self._waiting -= len(octets)
                self._changed.notify_all()
            # Looked at after every wait: it may have become an orphan meanwhile.
            if self.is_orphan:
                self._link.lost += len(octets)
            elif octets == self.END:
                writer.write_eof()
            else:
                writer.write(octets)
                self._link.carried += len(octets)
                await writer.drain()
            if octets == self.END:
                return


class Connection:
    """A dialled connection and, once the link lets the dial through, its other half."""

    def __init__(self, wire, reader, writer, random):
        self._wire = wire
        self._writers = [writer]
        self._there = Pump(wire.there, reader, random)
        self._random = random
        self._back = None
        self._tasks = []

    async def run(self):
        try:
            self._tasks.append(asyncio.ensure_future(self._there.read()))
            while not (self._wire.there.open.is_set() and self._wire.back.open.is_set()):
                await self._wire.there.open.wait()
                await self._wire.back.open.wait()
            if self._there.has_ended or self._wire.there.is_cut:
                return  # the dialler gave up while nobody answered
            reader, writer = await asyncio.open_connection("127.0.0.1", self._wire.target_port)
            self._writers.append(writer)
            self._back = Pump(self._wire.back, reader, self._random)
            self._back.is_orphan = self._there.is_orphan
            self._tasks += [
                asyncio.ensure_future(task)
                for task in (
                    self._back.read(),
                    self._there.write(writer),
                    self._back.write(self._writers[0]),
                )
            ]
            await asyncio.gather(*self._tasks)
        except (OSError, RuntimeError, asyncio.CancelledError):
            # Refused, reset, or written to after its end: both ends learn of it below.
            pass
        finally:
            self.reset()

    @property
    def is_orphan(self):
        return self._there.is_orphan

    def orphan(self):
        self._there.is_orphan = True
        if self._back is not None:
            self._back.is_orphan = True

    def reset(self):
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            reset(writer)


def reset(writer):
    """Closes so that the other end sees a reset and not an orderly end."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Wire:
    """A directed pair that dials: its listener, its target, its two links and its connections."""

    def __init__(self, there, back, target_port, random):
        self.there = there
        self.back = back
        self.target_port = target_port
        self.connections = {}  # Connection -> its task
        self._random = random

    async def accept(self, reader, writer):
        if self.there.is_cut:
            reset(writer)
            return
        connection = Connection(self, reader, writer, self._random)
        self.connections[connection] = asyncio.current_task()
        try:
            await connection.run()
        finally:
            del self.connections[connection]

    def end_all(self):
        for task in list(self.connections.values()):
            task.cancel()


class Proxy:
    """All wires of a cluster, and the commands that change them."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._links = collections.defaultdict(Link)  # (from, to)
        self._wires = {}  # (dialler, target)
        self._servers = []

    async def listen(self, dialler, target, port, target_port):
        wire = Wire(
            self._links[dialler, target], self._links[target, dialler], target_port, self._random
        )
        self._wires[dialler, target] = wire
        self._servers.append(await asyncio.start_server(wire.accept, "127.0.0.1", port))

    async def set(self, source, target, **rule):
        self._links[source, target].set(**rule)
        if self._links[source, target].is_cut:
            self._wires[source, target].end_all()

    async def orphan(self, a, b):
        for pair in ((a, b), (b, a)):
            for connection in self._wires[pair].connections:
                connection.orphan()

    async def heal(self):
        for link in self._links.values():
            link.set()

    async def told(self):
        """What the links did, {"a->b": {"carried": octets, "lost": octets}}, and which connections
        a has dialled to b and at least one of them has not closed: "dialled", of these "orphans".
        """
        return {
            f"{source}->{target}": {
                "carried": link.carried,
                "lost": link.lost,
                "dialled": len(self._wires[source, target].connections),
                "orphans": sum(one.is_orphan for one in self._wires[source, target].connections),
            }
            for (source, target), link in self._links.items()
        }

    async def obey(self, command):
        name = command.pop("do")
        if name not in ("listen", "set", "orphan", "heal", "told"):
            raise ValueError(f"no such command: {name}")
        return await getattr(self, name)(**command)


async def main():
    proxy = Proxy(sys.argv[1] if len(sys.argv) > 1 else "0")
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        try:
            answer = {"done": await proxy.obey(json.loads(line))}
        except (OSError, ValueError, TypeError, KeyError) as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
