#!/usr/bin/env python3
"""The switch between hosts: each frame of a directed pair passes by that pair's rule, or vanishes.

A process of its own, so that a busy test does not slow the network: `switched.SwitchProcess` starts
it and talks to it over the socket that is its standard input: one JSON object a datagram, with the
descriptor of a new port, and one answer. It ends when that socket ends.

A *port* is a host's: each read of its descriptor is one frame that the host sends, each write one
that it receives. A frame is an IPv4 packet; anything else is passed over. The rule of a->b:

    mode        pass; silent: nothing arrives and nobody is told; cut: nothing arrives, and each TCP
                segment is answered with a reset, as by a firewall that refuses
    delay_ms    +- jitter_ms; frames stay in order
    rate        octets a second; what would wait beyond QUEUE_OCTETS is lost, as in any router
    loss        share of the frames (0 to 1) that vanish
    duplicate   share that arrives twice
    reorder     share that is held back by up to HOLD_BACK_SECONDS, so that others overtake
    longest     octets above which frames vanish

*Dead* flows are TCP connections of which no frame arrives any more, whatever the rules say.
"""

import collections
import dataclasses
import heapq
import itertools
import json
import os
import random
import select
import socket
import struct
import sys
import time

FRAME_MAX = 65536
# Frames taken from one port before the others have their turn.
BURST = 64
QUEUE_OCTETS = 128 * 1024
HOLD_BACK_SECONDS = 0.05
MODES = ("pass", "silent", "cut")

TCP = 6
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


@dataclasses.dataclass
class Rule:
    mode: str = "pass"
    delay_ms: float = 0
    jitter_ms: float = 0
    rate: float | None = None
    loss: float = 0
    duplicate: float = 0
    reorder: float = 0
    longest: int | None = None

    def __post_init__(self):
        if self.mode not in MODES:
            raise ValueError(f"no such mode: {self.mode}")


class Pair:
    """One direction between two hosts: its rule, and what became of its frames so far."""

    def __init__(self):
        self.rule = Rule()
        self.carried = 0
        self.lost = 0
        self._free_at = 0.0  # when the octets sent so far have left, at `rate`
        self._last_due = 0.0

    def arrivals(self, now, octets, random):
        """When a frame that is sent now arrives: at no moment, at one, or at two."""
        rule = self.rule
        if rule.mode != "pass" or (rule.longest is not None and octets > rule.longest):
            return ()
        if rule.loss and random.random() < rule.loss:
            return ()
        due = now
        if rule.rate is not None:
            free_at = max(self._free_at, now) + octets / rule.rate
            if (free_at - now) * rule.rate > QUEUE_OCTETS:
                return ()
            self._free_at = due = free_at
        if rule.delay_ms or rule.jitter_ms:
            drawn = rule.delay_ms + random.uniform(-rule.jitter_ms, rule.jitter_ms)
            due += max(0.0, drawn / 1000)
        if rule.reorder and random.random() < rule.reorder:
            due = max(self._last_due, due) + random.uniform(0, HOLD_BACK_SECONDS)
        else:
            due = self._last_due = max(self._last_due, due)
        if rule.duplicate and random.random() < rule.duplicate:
            return (due, due)
        return (due,)


def is_ipv4(frame):
    return len(frame) >= 20 and frame[0] >> 4 == 4


def flow_of(frame):
    """Both addresses and both ports as they stand in the frame."""
    header = (frame[0] & 0x0F) * 4
    return frame[12:20] + frame[header : header + 4]


def flow(source, target):
    """The same of a connection's ends, each an address and a port."""
    return (
        socket.inet_aton(source[0])
        + socket.inet_aton(target[0])
        + struct.pack("!HH", source[1], target[1])
    )


def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def refusal(frame):
    """The reset that a host answers a TCP segment with that nobody waits for (RFC 9293, 3.10.7.1);
    None for a reset and for what is no TCP.
    """
    header = (frame[0] & 0x0F) * 4
    if frame[9] != TCP or len(frame) < header + 20:
        return None
    source, target, sequence, acknowledged, bits = struct.unpack_from("!HHIIH", frame, header)
    if bits & RST:
        return None
    if bits & ACK:
        numbers = (acknowledged, 0, 5 << 12 | RST)
    else:
        octets = len(frame) - header - (bits >> 12) * 4 + bool(bits & SYN) + bool(bits & FIN)
        numbers = (0, (sequence + octets) & 0xFFFFFFFF, 5 << 12 | RST | ACK)
    addresses = frame[16:20] + frame[12:16]
    segment = struct.pack("!HHIIHHHH", target, source, *numbers, 0, 0, 0)
    sealed = checksum(addresses + struct.pack("!HH", TCP, len(segment)) + segment)
    segment = segment[:16] + struct.pack("!H", sealed) + segment[18:]
    before = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(segment), 0, 0, 64, TCP)
    sealed = checksum(before + b"\0\0" + addresses)
    return before + struct.pack("!H", sealed) + addresses + segment


class Switch:
    """All ports and pairs, the frames under way, and the commands that change them."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._ports = {}  # name -> descriptor
        self._names = {}  # descriptor -> name
        self._hosts = {}  # address in four octets -> name
        self._pairs = collections.defaultdict(Pair)  # (from, to)
        self._dead = set()
        self._under_way = []  # (due, number, pair, name of the target, frame)
        self._numbers = itertools.count()
        self._epoll = select.epoll()

    # --- frames ----------------------------------------------------------------------------------

    def run(self, control):
        self._epoll.register(control, select.EPOLLIN)
        while True:
            for descriptor, _ in self._epoll.poll(self._patience()):
                if descriptor != control.fileno():
                    self._take(descriptor)
                elif not self._obey_next(control):
                    return
            self._deliver_due()

    def _patience(self):
        """Seconds until the next frame is due; None if none is under way."""
        if not self._under_way:
            return None
        return max(0.0, self._under_way[0][0] - time.monotonic())

    def _take(self, descriptor):
        source = self._names.get(descriptor)
        if source is None:
            return  # disconnected by a command of this very turn
        for _ in range(BURST):
            try:
                frame = os.read(descriptor, FRAME_MAX)
            except OSError:
                return  # nothing left, or the device is going
            if is_ipv4(frame):
                self._forward(source, frame)

    def _forward(self, source, frame):
        target = self._hosts.get(frame[16:20])
        if target is None or target == source:
            return
        pair = self._pairs[source, target]
        if self._dead and flow_of(frame) in self._dead:
            pair.lost += 1
            return
        if pair.rule.mode == "cut":
            pair.lost += 1
            answer = refusal(frame)
            if answer is not None:
                self._write(source, answer)
            return
        now = time.monotonic()
        arrivals = pair.arrivals(now, len(frame), self._random)
        pair.lost += not arrivals
        for due in arrivals:
            if due <= now:
                self._deliver(pair, target, frame)
            else:
                heapq.heappush(self._under_way, (due, next(self._numbers), pair, target, frame))

    def _deliver_due(self):
        now = time.monotonic()
        while self._under_way and self._under_way[0][0] <= now:
            _, _, pair, target, frame = heapq.heappop(self._under_way)
            self._deliver(pair, target, frame)

    def _deliver(self, pair, target, frame):
        if self._write(target, frame):
            pair.carried += 1
        else:
            pair.lost += 1

    def _write(self, name, frame):
        """Whether the host is there and took the frame."""
        try:
            os.write(self._ports[name], frame)
        except (KeyError, OSError):
            return False
        return True

    # --- commands --------------------------------------------------------------------------------

    def _obey_next(self, control):
        line, descriptors, _, _ = socket.recv_fds(control, FRAME_MAX, 1)
        if not line:
            return False
        try:
            answer = {"done": self.obey(json.loads(line), descriptors)}
        except (OSError, ValueError, TypeError, KeyError) as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        control.send(json.dumps(answer).encode())
        return True

    def obey(self, command, descriptors):
        name = command.pop("do")
        if name == "connect":
            return self._connect(*descriptors, **command)
        if name not in ("disconnect", "set", "kill", "heal", "told"):
            raise ValueError(f"no such command: {name}")
        return getattr(self, f"_{name}")(**command)

    def _connect(self, descriptor, name, address):
        os.set_blocking(descriptor, False)
        self._ports[name] = descriptor
        self._names[descriptor] = name
        self._hosts[socket.inet_aton(address)] = name
        self._epoll.register(descriptor, select.EPOLLIN)

    def _disconnect(self, name):
        """What the host sent is under way; nothing reaches it, and nobody is told."""
        descriptor = self._ports.pop(name)
        del self._names[descriptor]
        self._epoll.unregister(descriptor)
        os.close(descriptor)

    def _set(self, source, target, **rule):
        self._pairs[source, target].rule = Rule(**rule)

    def _kill(self, flows):
        """These are the dead connections from now on, each given by its two ends."""
        self._dead = {flow(*ends) for one, other in flows for ends in ((one, other), (other, one))}

    def _heal(self):
        for pair in self._pairs.values():
            pair.rule = Rule()

    def _told(self):
        return {
            f"{source}->{target}": {"carried": pair.carried, "lost": pair.lost}
            for (source, target), pair in self._pairs.items()
        }


def main():
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as control:
        Switch(sys.argv[1] if len(sys.argv) > 1 else "0").run(control)


if __name__ == "__main__":
    main()
