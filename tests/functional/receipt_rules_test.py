"""Receipts that hash, mine and sign rightly and break one rule: both programs refuse them, for that rule."""

import unittest

import receipt_forge as forge_of
from receipt_forge import ATTRIBUTES, OBSERVER, STANDBY, Forge, body, invitation, member, member_set, text64
from receipt_judge import Judged
from receipts import receipt_values as values

TOKEN = b"t" * 32


WEAK_KEYS = (
    ("the identity", b"\1" + bytes(31)),
    ("the identity, with the sign of x", b"\1" + bytes(30) + b"\x80"),
    ("of order 4", bytes(31) + b"\x80"),
    ("of order 8", bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85")),
    ("a second spelling", b"\xf0" + b"\xff" * 30 + b"\x7f"),
)


class ReceiptRulesTest(Judged):
    def test_every_entry_of_every_small_log(self):
        forge = Forge()
        cases = []
        for size in range(1, 10):
            for position in range(size):
                receipt = forge.receipt(log=(position, size))
                cases.append((f"entry {position} of {size}", receipt, None))
                path = receipt["entry"]["path"]
                longer = {**receipt, "entry": {**receipt["entry"], "path": [*path, "33" * 32]}}
                cases.append((f"entry {position} of {size}, a hash too many", longer, "entry"))
            cases.append((f"entry {size} of {size}", forge.receipt(log=(size, size)), "entry"))
        self.judge(forge, cases)

    def test_bodies(self):
        id_, source, type_ = ATTRIBUTES
        good = body(id_, source, type_)
        many = [b"\x03a%02d\x00\x01" % number for number in range(63)]
        forge = Forge(event_bytes_max=len(good))
        self.judge(forge, [
            (what, forge.receipt(event=octets), step)
            for what, octets, step in (
                ("a good body", good, None),
                ("a body longer than the chain's", body(id_, source, b"\x04type\x02\x02\x00\x00\x00tt"), "body"),
                ("names not ascending", body(source, id_), "body"),
                ("a name twice", body(id_, id_, source), "body"),
                ("no id", body(source, type_), "body"),
                ("a whole number for an id", body(b"\x02id\x01\x01\x00\x00\x00", source, type_), "body"),
                ("a kind of value that is none", body(id_, source, b"\x04type\x03"), "body"),
                ("neither true nor false", body(b"\x01a\x00\x02", id_, source), "body"),
                ("data of no kind", body(id_, source, data=b"\x00\x01\x00\x00\x00x"), "body"),
                ("a kind of data that is none", body(id_, source, data=b"\x03" + bytes(4)), "body"),
                ("an octet too many", body(id_, source) + b"\x00", "body"),
                ("an octet too few", body(id_, source)[:-1], "body"),
                ("another structure", b"\x01ec:bodi" + body(id_, source)[8:], "body"),
                ("nothing", b"", "body"),
            )
        ])
        forge = Forge()
        self.judge(forge, [("too many attributes", forge.receipt(event=body(*many, id_, source, type_)), "body")])

    def test_rejections(self):
        forge = Forge()
        octets = body(*ATTRIBUTES)
        key = values.sha256(b"\x01ec:event-key", b"\x02\x00\x00\x00/s", b"1")[:16]

        def rejected(**other):
            rejection = {"key": key, "reason": 3, "stream_version": -1, **other}
            return forge.receipt(event=octets, rejection=rejection)

        unbodied = rejected(key=bytes(16))
        del unbodied["event"]
        swapped = rejected()
        swapped["rejection"]["path"].reverse()
        self.judge(forge, [
            ("a rejection", rejected(), None),
            ("for another reason", rejected(reason=1), None),
            ("the least version", rejected(stream_version=-(1 << 63)), None),
            ("of another event", rejected(key=bytes(16)), "body"),
            ("without a body any key is as good", unbodied, None),
            ("its path the other way round", swapped, "rejection"),
        ])

    def test_seals(self):
        forge = Forge()
        members = member_set(forge.members)
        block = forge.block(9, members)

        def sealed(members=members, **other):
            return forge.receipt(members, **other)

        standby = member_set([*forge.members, member(4, STANDBY, slot=0xFFFF)])
        cases = [
            ("a seal", sealed(), None),
            ("height 0", sealed(height=0), "seal"),
            ("the greatest height", sealed(height=(1 << 64) - 1), None),
            ("two shares where one is wanted", sealed(share_count=2), "seal"),
            ("a count that is not that of the shares", sealed(share_count=2, shares=block["shares"]), "seal"),
            ("no count", sealed(share_count=0), "seal"),
            ("time before started", sealed(started_ms="2001"), "seal"),
            ("sealed before time", sealed(sealed_at_ms="1999"), "seal"),
            ("all at once, before 1970", sealed(started_ms="-5", time_ms="-5", sealed_at_ms="-5"), "seal"),
            ("begun before 1970", sealed(started_ms="-1"), "seal"),
            ("from the first stamp to the last", sealed(started_ms="0", sealed_at_ms="253402300799999"), None),
            ("sealed after the year 9999", sealed(sealed_at_ms="253402300800000"), "seal"),
            ("sealed at the end of 64 bits", sealed(sealed_at_ms=str((1 << 63) - 1)), "seal"),
            ("a target too easy", sealed(share_target="20100000"), "seal"),
            ("a target that is harder", sealed(share_target="200ffffe"), None),
            ("a target that is not canonical", self.with_target(sealed(), "2000ffff"), "format"),
            ("a share in nobody's slot", sealed(shares=[f"{3 << 48:016x}00000000"]), "seal"),
            ("a share that misses", sealed(shares=["f" * 24]), "seal"),
            ("a share of the slot 65535 that misses", sealed(standby, shares=["f" * 24]), "work"),
        ]
        self.judge(forge, cases)
        forge = Forge(share_count=3)
        found = forge.block(9, members, log_size="1", share_count=3)["shares"]
        for what, shares, step in (
            ("three shares", None, None),
            ("a share twice", [found[0], found[0], found[1]], "seal"),
            ("descending shares", found[::-1], "seal"),
        ):
            self.judge(forge, [(what, forge.receipt(share_count=3, shares=shares), step)])

    def with_target(self, receipt, target):
        return {**receipt, "block": {**receipt["block"], "share_target": target}}

    def test_member_sets(self):
        forge = Forge()
        first, second, third = forge.members

        def with_fourth(**other):
            return member_set([*forge.members, member(4, **{"role": OBSERVER, **other})])

        def with_invitation(**other):
            return member_set(forge.members, invitations=[invitation(TOKEN, **other)])

        def with_invitations(count):
            return member_set(forge.members, invitations=[invitation(b"%032d" % one) for one in range(count)])

        def with_members(count):
            more = [
                member(4, OBSERVER, slot=one, node=b"%08d" % one * 2, key=b"%032d" % one, store=b"%016d" % one,
                       name=b"m%d" % one)
                for one in range(3, count)
            ]
            return member_set([*forge.members, *more])

        good = member_set(forge.members)
        self.judge(forge, [
            (what, forge.receipt(octets), step)
            for what, octets, step in (
                ("an observer more", with_fourth(), None),
                ("a light member", with_fourth(role=4), None),
                ("a role that is none", with_fourth(role=5), "format"),
                ("no role", with_fourth(role=0), "format"),
                ("a slot twice", with_fourth(slot=2), "member-sets"),
                ("an id twice", with_fourth(node=first.node), "member-sets"),
                ("an id that begins like another", with_fourth(node=first.node[:8] + b"x" * 8), "member-sets"),
                ("a key twice", with_fourth(key=first.key), "member-sets"),
                ("a store twice", with_fourth(store=first.store), "member-sets"),
                ("a name twice", with_fourth(name=first.name), "member-sets"),
                ("slots not ascending", member_set([second, first, third]), "member-sets"),
                ("an id of zeros", with_fourth(node=bytes(16)), "member-sets"),
                ("an id that begins with zeros", with_fourth(node=bytes(8) + b"x" * 8), "member-sets"),
                ("an id that ends with zeros", with_fourth(node=b"x" * 8 + bytes(8)), None),
                ("a key of zeros", with_fourth(key=bytes(32)), "member-sets"),
                ("an observer's key of small order", with_fourth(key=b"\1" + bytes(31)), None),
                *((f"a voter's key that is {what}", member_set([member(1, key=key), second, third]), "member-sets")
                  for what, key in WEAK_KEYS),
                ("a store of zeros", with_fourth(store=bytes(16)), "member-sets"),
                ("no name", with_fourth(name=b""), "member-sets"),
                ("a capital in a name", with_fourth(name=b"N4"), "member-sets"),
                ("a point in a name", with_fourth(name=b"n.4"), "member-sets"),
                ("33 letters", with_fourth(name=b"n" * 33), "format"),
                ("32 letters", with_fourth(name=b"n" * 32), None),
                ("a site", with_fourth(site=b"a-1.b"), None),
                ("33 letters of a site", with_fourth(site=b"a" * 33), "format"),
                ("a space in a site", with_fourth(site=b"a b"), "member-sets"),
                ("addresses", with_fourth(peers_address=b"db1:7100", api_address=b"10.0.0.1:1"), None),
                ("an address of IPv6", with_fourth(peers_address=b"[::1]:65535"), None),
                ("one of IPv6 without brackets", with_fourth(peers_address=b"::1:80"), "member-sets"),
                ("a bracket too few", with_fourth(peers_address=b"[::1:80"), "member-sets"),
                ("a capital in an address", with_fourth(peers_address=b"Db1:80"), "member-sets"),
                ("an underscore in an address", with_fourth(peers_address=b"db_1:80"), "member-sets"),
                ("a URL", with_fourth(peers_address=b"http://db1:80"), "member-sets"),
                ("port 0", with_fourth(peers_address=b"db1:0"), "member-sets"),
                ("port 65536", with_fourth(peers_address=b"db1:65536"), "member-sets"),
                ("a port with a zero in front", with_fourth(peers_address=b"db1:080"), "member-sets"),
                ("an address without a port", with_fourth(peers_address=b"db1"), "member-sets"),
                ("an empty port", with_fourth(api_address=b"db1:"), "member-sets"),
                ("a port of letters", with_fourth(api_address=b"db1:x"), "member-sets"),
                ("no host", with_fourth(api_address=b":80"), "member-sets"),
                ("valid from before 1970", with_fourth(valid_from=-1), "member-sets"),
                ("valid until before valid from", with_fourth(valid_from=5, valid_until=4), "member-sets"),
                ("valid until before 1970", with_fourth(valid_until=-1), "member-sets"),
                ("valid until valid from", with_fourth(valid_from=5, valid_until=5), None),
                ("an invitation", with_invitation(), None),
                ("one of 33 letters", with_invitation(name=b"n" * 33), "format"),
                ("one with a role that is none", with_invitation(role=5), "format"),
                ("one for a voter", with_invitation(role=1), "member-sets"),
                ("no voters", member_set([member(1, STANDBY)]), "member-sets"),
                ("8 voters", member_set([member(number + 1) for number in range(8)]), "member-sets"),
                ("1,024 members", with_members(1024), None),
                ("1,025 members", with_members(1025), "format"),
                ("256 invitations", with_invitations(256), None),
                ("257 invitations", with_invitations(257), "format"),
                ("an octet too many", good + b"\x00", "format"),
                ("an octet too few", good[:-1], "format"),
                ("another structure", b"\x02" + good[1:], "format"),
                ("voters since another block", member_set(forge.members, since=1), "certificate"),
                ("another key", member_set([member(1, key=member(9).key), second, third]), "certificate"),
                ("another id", member_set([member(1, node=b"x" * 16), second, third]), "certificate"),
                ("a voter less", member_set([first, second]), "certificate"),
                ("a voter more", member_set([*forge.members, member(4)]), "certificate"),
            )
        ])
        other = forge.receipt()
        other["member_sets"].append(text64(with_fourth()))
        self.judge(forge, [("a set that nobody names", other, "member-sets")])

    def test_certificates(self):
        forge = Forge(voters=4)
        standby = member_set([*forge.members, member(5, STANDBY)])

        def signed(*numbers, members=None, slots=None):
            return forge.receipt(members, numbers=numbers, slots=slots)

        self.judge(forge, [
            ("all", signed(1, 2, 3, 4), None),
            ("three of four", signed(1, 3, 4), None),
            ("half", signed(1, 2), "certificate"),
            ("nobody", signed(), "certificate"),
            ("descending slots", signed(3, 2, 1), "certificate"),
            ("one slot twice", signed(1, 1, 2, 3), "certificate"),
            ("a standby beside enough", signed(1, 2, 3, 5, members=standby), "certificate"),
            ("nobody's slot beside enough", signed(1, 2, 3, 6), "certificate"),
            ("another's slot beside enough", signed(1, 2, 3, 5, slots={5: 3}), "certificate"),
        ])
        forge = Forge(voters=1)
        self.judge(forge, [("the only voter", forge.receipt(numbers=(1,)), None)])

    def test_histories(self):
        forge = Forge()
        members, cases = member_set(forge.members), []
        for size in range(2, 10):
            for height in range(1, size):
                receipt = forge.receipt(height=height, newer=forge.history(members, size))
                cases.append((f"block {height} below block {size}", receipt, None))
        most = {"work": (1 << 256) - 1}
        for what, height, lie, step in (
            ("the newer block is not newer", 8, {}, "history"),
            ("the newer block is older", 9, {}, "history"),
            ("nodes that count too many blocks", 3, {"blocks": 2}, "history"),
            ("a node without blocks", 3, {"blocks": 0}, "history"),
            ("the greatest number of blocks", 3, {"blocks": (1 << 64) - 1}, "history"),
            ("all the work there can be", 3, most, None),
            ("times without sense", 3, {"first_time_ms": -(1 << 63), "last_time_ms": -1}, None),
        ):
            receipt = forge.receipt(height=height, newer=forge.history(members, 8, lie))
            cases.append((what, receipt, step))
        self.judge(forge, cases)

    def test_consistency_with_a_checkpoint(self):
        forge = Forge()
        leaves = forge.leaves(9, 0, values.sha256(b"\x01ec:commitment", bytes(32), body()))
        for size in range(1, 10):
            root = forge_of.tree_root(leaves[:size])
            checkpoint = self.work / "checkpoint"
            checkpoint.write_text(f"eventchain/{forge.chain.hex()}\n{size}\n{text64(root)}\n")
            cases = []
            for own in range(1, 10):
                small, large = sorted((own, size))
                path = [one.hex() for one in forge_of.consistency_path(small, leaves[:large])]
                receipt = forge.receipt(log=(0, own))
                right = {**receipt, "consistency": {"size": str(size), "path": path}}
                longer = {**receipt, "consistency": {"size": str(size), "path": [*path, "44" * 32]}}
                shorter = {**receipt, "consistency": {"size": str(size), "path": path[:-1]}}
                is_same = own == size  # then nobody looks at the path
                cases += [
                    (f"from {small} to {large}", right, None),
                    (f"from {small} to {large}, a hash too many", longer, None if is_same else "checkpoint"),
                    (f"from {small} to {large}, one too few", shorter, None if is_same else "checkpoint"),
                ]
            self.judge(forge, cases, checkpoint)
        checkpoint.write_text(f"eventchain/{forge.chain.hex()}\n0\n{text64(forge_of.EMPTY)}\n")
        receipt = forge.receipt()
        self.judge(forge, [
            ("the empty log", {**receipt, "consistency": {"size": "0", "path": []}}, None),
            ("the empty log by a path", {**receipt, "consistency": {"size": "0", "path": ["44" * 32]}}, "checkpoint"),
        ], checkpoint)
        checkpoint.write_text(f"eventchain/{forge.chain.hex()}\n0\n{text64(bytes(32))}\n")
        self.judge(forge, [
            ("another empty log", {**receipt, "consistency": {"size": "0", "path": []}}, "checkpoint"),
        ], checkpoint)


if __name__ == "__main__":
    unittest.main()
