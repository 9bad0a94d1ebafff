"""The switch does what its rules say: a fault that is not one would make every check pass."""

import random
import socket
import struct
import unittest

import paths  # noqa: F401  the modules of tests/functional
from switch import QUEUE_OCTETS, Pair, Rule, checksum, refusal
from switched import SwitchProcess

ADDRESSES = {"a": "198.18.0.1", "b": "198.18.0.2", "c": "198.18.0.3"}
SYN, RST, ACK = 0x02, 0x04, 0x10


def packet(source, target, text, ports=(7, 9), protocol=17):
    """An IPv4 packet whose checksums nobody looks at."""
    addresses = socket.inet_aton(ADDRESSES[source]) + socket.inet_aton(ADDRESSES[target])
    payload = struct.pack("!HH", *ports) + text
    before = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
    return before + addresses + payload


def segment(source, target, bits, sequence=1000, acknowledged=0, text=b""):
    header = struct.pack("!IIHHHH", sequence, acknowledged, 5 << 12 | bits, 0, 0, 0)
    return packet(source, target, header + text, protocol=6)


class RuleTest(unittest.TestCase):
    """What a rule says of each frame, at moments of the test's choice."""

    def setUp(self):
        self.pair = Pair()
        self.random = random.Random(1)

    def send(self, count, octets=100, now=1.0):
        return [self.pair.arrivals(now, octets, self.random) for _ in range(count)]

    def test_without_a_rule_each_frame_arrives_once_and_at_once(self):
        self.assertEqual(self.send(3), [(1.0,)] * 3)

    def test_nothing_arrives_on_a_silent_or_cut_link(self):
        for mode in ("silent", "cut"):
            self.pair.rule = Rule(mode=mode)
            self.assertEqual(self.send(2), [(), ()])

    def test_the_named_share_is_lost(self):
        self.pair.rule = Rule(loss=0.2)
        lost = self.send(10_000).count(())
        self.assertTrue(1800 < lost < 2200, lost)

    def test_large_frames_vanish_and_small_ones_pass(self):
        self.pair.rule = Rule(longest=600)
        self.assertEqual(self.send(1, octets=600), [(1.0,)])
        self.assertEqual(self.send(1, octets=601), [()])

    def test_delay_keeps_the_order_whatever_the_jitter_says(self):
        self.pair.rule = Rule(delay_ms=50, jitter_ms=50)
        dues = [due for (due,) in self.send(1000)]
        self.assertEqual(dues, sorted(dues))
        self.assertTrue(all(1.0 <= due <= 1.1 for due in dues))
        self.assertGreater(dues[-1], 1.09)

    def test_a_rate_spreads_frames_and_loses_what_has_no_room(self):
        self.pair.rule = Rule(rate=100_000)
        self.assertEqual(self.send(2, octets=1000), [(1.01,), (1.02,)])
        frames = self.send(1000, octets=1000)
        waiting = 2 + sum(bool(arrivals) for arrivals in frames)
        self.assertEqual(waiting, QUEUE_OCTETS // 1000)
        # What has left makes room.
        self.assertNotEqual(self.send(1, octets=1000, now=1.02), [()])

    def test_some_frames_are_overtaken_and_some_arrive_twice(self):
        self.pair.rule = Rule(reorder=0.3, duplicate=0.2)
        frames = self.send(1000)
        dues = [arrivals[0] for arrivals in frames]
        self.assertTrue(250 < sum(due > 1.0 for due in dues) < 350)
        self.assertNotEqual(dues, sorted(dues))
        self.assertTrue(150 < sum(len(arrivals) == 2 for arrivals in frames) < 250)

    def test_a_mode_that_is_none_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no such mode"):
            Rule(mode="slippery")


class RefusalTest(unittest.TestCase):
    def answer(self, *arguments, **options):
        frame = refusal(segment("a", "b", *arguments, **options))
        self.assertEqual(checksum(frame[:20]), 0)
        pseudo = frame[12:20] + struct.pack("!HH", 6, len(frame) - 20)
        self.assertEqual(checksum(pseudo + frame[20:]), 0)
        self.assertEqual(socket.inet_ntoa(frame[12:16]), ADDRESSES["b"])
        self.assertEqual(socket.inet_ntoa(frame[16:20]), ADDRESSES["a"])
        fields = struct.unpack_from("!HHIIH", frame, 20)
        self.assertEqual(fields[:2], (9, 7))
        return fields[2], fields[3], fields[4] & 0x3F

    def test_a_dial_is_answered_as_by_a_closed_port(self):
        self.assertEqual(self.answer(SYN), (0, 1001, RST | ACK))

    def test_a_segment_is_answered_with_the_number_that_its_sender_waits_for(self):
        self.assertEqual(self.answer(ACK, acknowledged=77, text=b"octets"), (77, 0, RST))

    def test_resets_and_other_protocols_are_not_answered(self):
        self.assertIsNone(refusal(segment("a", "b", RST)))
        self.assertIsNone(refusal(packet("a", "b", b"a datagram")))


class SwitchTest(unittest.TestCase):
    """A running switch, between ports that are sockets of this test."""

    def setUp(self):
        self.switch = SwitchProcess(seed=1)
        self.addCleanup(self.switch.close)
        self.ports = {name: self.plug_in(name) for name in ADDRESSES}

    def plug_in(self, name):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(ours.close)
        ours.settimeout(20)
        with theirs:
            self.switch.connect(name, ADDRESSES[name], theirs.fileno())
        return ours

    def carries(self, source, target, text):
        """Whether this frame is what the target receives next."""
        frame = packet(source, target, text)
        self.ports[source].send(frame)
        return self.ports[target].recv(65536) == frame

    def loses(self, source, target, text=b"lost"):
        self.ports[source].send(packet(source, target, text))
        self.ports[target].settimeout(0.2)
        with self.assertRaises(TimeoutError):
            self.ports[target].recv(65536)
        self.ports[target].settimeout(20)

    def test_a_frame_reaches_the_host_of_its_address_alone(self):
        self.assertTrue(self.carries("a", "b", b"one"))
        self.assertTrue(self.carries("b", "a", b"two"))
        self.assertTrue(self.carries("a", "c", b"three"))
        self.assertEqual(self.switch.ask("told")["a->b"], {"carried": 1, "lost": 0})

    def test_what_is_no_ipv4_is_passed_over(self):
        for frame in (b"\x60" + bytes(60), b"short"):
            self.ports["a"].send(frame)
        self.assertTrue(self.carries("a", "b", b"next"))

    def test_one_direction_is_silent_until_it_heals_and_what_was_sent_is_lost(self):
        self.switch.ask("set", source="a", target="b", mode="silent")
        self.loses("a", "b")
        self.assertTrue(self.carries("b", "a", b"back"))
        self.assertTrue(self.carries("a", "c", b"aside"))
        self.switch.ask("heal")
        self.assertTrue(self.carries("a", "b", b"again"))
        self.assertEqual(self.switch.ask("told")["a->b"], {"carried": 1, "lost": 1})

    def test_a_cut_link_answers_with_a_reset(self):
        self.switch.ask("set", source="a", target="b", mode="cut")
        dial = segment("a", "b", SYN)
        self.ports["a"].send(dial)
        self.assertEqual(self.ports["a"].recv(65536), refusal(dial))
        self.assertTrue(self.carries("c", "b", b"first that b receives"))

    def test_delayed_frames_arrive_in_order(self):
        self.switch.ask("set", source="a", target="b", delay_ms=30, jitter_ms=30)
        sent = [packet("a", "b", b"%d" % number) for number in range(50)]
        for frame in sent:
            self.ports["a"].send(frame)
        self.assertEqual([self.ports["b"].recv(65536) for _ in sent], sent)

    def test_a_host_that_is_off_hears_nothing_and_is_back_on_a_new_port(self):
        self.assertTrue(self.carries("a", "b", b"one"))
        self.switch.ask("disconnect", name="b")
        self.assertEqual(self.ports["b"].recv(65536), b"", "the port has been closed")
        self.ports["a"].send(packet("a", "b", b"lost"))
        self.assertTrue(self.carries("a", "c", b"after it"))
        self.ports["b"] = self.plug_in("b")
        self.assertTrue(self.carries("a", "b", b"again"))
        self.assertEqual(self.switch.ask("told")["a->b"], {"carried": 2, "lost": 1})

    def test_of_a_dead_flow_nothing_arrives_and_other_flows_pass(self):
        ends = [(ADDRESSES["a"], 7), (ADDRESSES["b"], 9)]
        self.switch.ask("kill", flows=[ends])
        self.ports["a"].send(packet("a", "b", b"lost", ports=(7, 9)))
        self.ports["b"].send(packet("b", "a", b"lost", ports=(9, 7)))
        other = packet("a", "b", b"other", ports=(8, 9))
        self.ports["a"].send(other)
        self.assertEqual(self.ports["b"].recv(65536), other)
        self.switch.ask("kill", flows=[])
        self.assertTrue(self.carries("b", "a", b"alive"))

    def test_a_command_that_cannot_be_obeyed_is_an_error(self):
        with self.assertRaisesRegex(RuntimeError, "no such mode"):
            self.switch.ask("set", source="a", target="b", mode="slippery")
        with self.assertRaisesRegex(RuntimeError, "no such command"):
            self.switch.ask("explode")


if __name__ == "__main__":
    unittest.main()
