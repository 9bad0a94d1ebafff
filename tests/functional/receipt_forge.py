"""Receipts made from nothing: any values, yet hashed, mined and signed as the formats have it.

What is changed in a true receipt breaks a hash or a signature first. Here whoever breaks a rule has all
keys, so that nothing but the rule itself can show it.
"""

import base64
import functools
import hashlib
import json
import pathlib
import subprocess
import tempfile
from types import SimpleNamespace

from receipts import receipt_values, verify_receipt
from receipt_values import ANNEX, INVITATION, MEMBER, NODE, REJECTION, encode, header, sha256

STANDBY, OBSERVER = 2, 3
TARGET = "200fffff"  # every 16th hash meets it
EMPTY = hashlib.sha256().digest()
# What an event must have, as octets of its body.
ATTRIBUTES = (
    b"\x02id\x02\x01\x00\x00\x001",
    b"\x06source\x02\x02\x00\x00\x00/s",
    b"\x04type\x02\x01\x00\x00\x00t",
)


def openssl(*arguments, octets):
    """What openssl makes of octets with a key; both lie in files, as it wants them."""
    key, message = octets
    with tempfile.TemporaryDirectory(prefix="eventchain-") as place:
        pathlib.Path(place, "key").write_bytes(bytes.fromhex("302e020100300506032b657004220420") + key)
        pathlib.Path(place, "message").write_bytes(message)
        done = subprocess.run(["openssl", *arguments], cwd=place, capture_output=True, check=True)
    return done.stdout


def seed(number):
    return sha256(b"seed of member %d" % number)


@functools.cache
def public_key(number):
    arguments = ("pkey", "-inform", "DER", "-in", "key", "-pubout", "-outform", "DER")
    return openssl(*arguments, octets=(seed(number), b""))[-32:]


@functools.cache
def sign(number, message):
    arguments = ("pkeyutl", "-sign", "-keyform", "DER", "-inkey", "key", "-rawin", "-in", "message")
    return openssl(*arguments, octets=(seed(number), message))


# --- trees, by their recursive definitions -----------------------------------------------------------


def half(count):
    return 1 << (count - 1).bit_length() - 1


def tree_root(leaves, parent=verify_receipt.tree_parent):
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    middle = half(len(leaves))
    return parent(tree_root(leaves[:middle], parent), tree_root(leaves[middle:], parent))


def tree_path(index, leaves, parent=verify_receipt.tree_parent):
    """(is on the left, hash), from the leaf up: RFC 6962, section 2.1.1."""
    if len(leaves) < 2:
        return []
    middle = half(len(leaves))
    if index < middle:
        return [*tree_path(index, leaves[:middle], parent), (False, tree_root(leaves[middle:], parent))]
    return [*tree_path(index - middle, leaves[middle:], parent), (True, tree_root(leaves[:middle], parent))]


def consistency_path(size, leaves, is_whole=True):
    """RFC 6962, section 2.1.2."""
    if size == len(leaves):
        return [] if is_whole else [tree_root(leaves)]
    middle = half(len(leaves))
    if size <= middle:
        return [*consistency_path(size, leaves[:middle], is_whole), tree_root(leaves[middle:])]
    return [*consistency_path(size - middle, leaves[middle:], False), tree_root(leaves[:middle])]


# --- what a receipt is made of ------------------------------------------------------------------------


def text64(octets):
    return base64.b64encode(octets).decode()


def member(number, role=receipt_values.VOTER, **other):
    one = {
        "node": sha256(b"node %d" % number)[:16], "key": public_key(number), "slot": number - 1,
        "name": b"n%d" % number, "site": b"", "store": sha256(b"store %d" % number)[:16], "role": role,
        "peers_address": b"", "api_address": b"", "valid_from": 0, "valid_until": 0,
    }
    return SimpleNamespace(**{**one, **other})


def invitation(token, role=STANDBY, name=b"n5"):
    return SimpleNamespace(token_hash=sha256(header(b"ec:token"), token), role=role, name=name, site=b"", until=1 << 50)


def member_set(members, since=0, invitations=()):
    return b"".join((
        header(b"ec:members"), len(members).to_bytes(2, "little"), *(encode(MEMBER, one) for one in members),
        len(invitations).to_bytes(2, "little"), *(encode(INVITATION, one) for one in invitations),
        since.to_bytes(8, "little"), bytes(5), b"\x01\x00",
    ))


def order(kind, what=None, **fields):
    values = SimpleNamespace(**{"by": b"ann", **(vars(what) if what else {}), **fields})
    return header(b"ec:annex") + bytes([kind]) + encode(ANNEX[kind], values)


def body(*attributes, data=b"\x00" + bytes(4)):
    """An event's, of attributes as octets."""
    attributes = attributes or ATTRIBUTES
    return header(b"ec:body") + len(attributes).to_bytes(2, "little") + b"".join(attributes) + data


def leaf_of(commitment):
    return sha256(b"\x00\x01", commitment)


class Forge:
    """A chain of voters 1, 2, .. and receipts of it."""

    def __init__(self, voters=3, **limits):
        self.slot = 0  # whose shares are found
        self.members = [member(number + 1) for number in range(voters)]
        self.genesis = {
            "format": 1, "name": "forged", "trust_domain": "example.org", "created_ms": 1000,
            "work_function": "sha256", "share_count": 1, "interval_ms": 1000, "heartbeat_ms": 60000,
            "first_target": TARGET, "easiest_target": TARGET, "event_bytes_max": 1000,
            "block_events_max": 100, "block_bytes_max": 100000, **limits,
            "voters": [
                {"name": one.name.decode(), "site": "", "node": one.node.hex(), "store": one.store.hex(),
                 "signing_key": one.key.hex(), "peers_address": "", "api_address": ""}
                for one in self.members
            ],
        }
        self.chain = receipt_values.read_genesis(json.dumps(self.genesis).encode()).chain

    def block(self, height, members, shares=None, **other):
        """Mined, if `shares` are not given; `members` is an encoded set."""
        made = {
            "height": str(height), "parent": "11" * 32, "log_size": "0", "log_root": EMPTY.hex(),
            "history_root": "22" * 32, "annex_root": EMPTY.hex(), "started_ms": "1000", "time_ms": "2000",
            "share_target": TARGET, "share_count": 1, "member_set": sha256(members).hex(),
            "sealed_at_ms": "3000", "shares": [], **other,
        }
        found = iter(self.shares(made))
        return {**made, "shares": shares or [next(found) for _ in range(max(1, made["share_count"]))]}

    def shares(self, block):
        """Ascending ones that meet the target, tried as the verifier does."""
        for low in range(1 << 20):
            share = f"{self.slot << 48:016x}{low:08x}"
            try:
                self.work({**block, "shares": [share]})
                yield share
            except receipt_values.Refused:
                pass

    def work(self, block):
        genesis = SimpleNamespace(work_function=receipt_values.WORK_FUNCTIONS["sha256"])
        return verify_receipt.check_work(SimpleNamespace(block=self.values(block), chain=self.chain), genesis)

    def values(self, block):
        return receipt_values.shaped(block, receipt_values.BLOCK, "block")

    def statement(self, block):
        return "\n".join((
            f"eventchain/{self.chain.hex()}", block["log_size"], text64(bytes.fromhex(block["log_root"])),
            f"height {block['height']}", f"block {verify_receipt.block_id(self.values(block), self.chain).hex()}",
            f"members {block['member_set']}", "",
        )).encode()

    def certificate(self, block, numbers, slots=None):
        """By members of these numbers, each in his slot or in that of `slots`."""
        slots = slots or {}
        return [
            {"slot": slots.get(number, number - 1), "signature": sign(number, self.statement(block)).hex()}
            for number in numbers
        ]

    def step(self, height, before, orders, numbers, slots=None, **other):
        root = tree_root([sha256(b"\x00", one) for one in orders])
        block = self.block(height, before, **{"annex_root": root.hex(), **other})
        return {"block": block, "annex": [text64(one) for one in orders],
                "certificate": self.certificate(block, numbers, slots)}

    def receipt(self, members=None, steps=(), sets=(), numbers=(1, 2), height=9, event=None, log=(0, 1),
                slots=None, newer=None, rejection=None, **other):
        """Of the event `event` at position and size `log`, in a block with the encoded set `members`.

        `sets` are further ones that headers name. `newer` makes of the block the newer one and a path.
        """
        members = members or member_set(self.members)
        octets, salt = body() if event is None else event, bytes(32)
        commitment = sha256(header(b"ec:commitment"), salt, octets)
        position, size = log
        leaves = self.leaves(size, position, commitment)
        if rejection:
            values = SimpleNamespace(commitment=commitment, **rejection)
            items = [header(b"ec:annex") + b"\x01" + encode(REJECTION, values), order(9, level=2), order(9, level=3)]
            items = [sha256(b"\x00", one) for one in items]
            path = [{"side": "left" if left else "right", "hash": one.hex()} for left, one in tree_path(0, items)]
            other = {"annex_root": tree_root(items).hex(), **other}
            reasons = {number: name for name, number in receipt_values.REASONS.items()}
            stands = {"rejection": {
                "commitment": commitment.hex(), "key": values.key.hex(), "reason": reasons[values.reason],
                "stream_version": str(values.stream_version), "path": path,
            }}
        else:
            path = [one.hex() for _, one in tree_path(position, leaves)] if position < size else []
            stands = {"entry": {"commitment": commitment.hex(), "position": str(position), "path": path}}
        other = {"log_size": str(size), "log_root": tree_root(leaves).hex(), **other}
        block = self.block(height, members, **other)
        certified, made = block, {}
        if newer:
            certified, path = newer(block)
            made = {"newer": {"block": certified, "path": path}}
        return {
            "format": "eventchain-receipt", "version": 1, "chain": self.chain.hex(),
            "event": {"salt": salt.hex(), "body": text64(octets)}, **stands, "block": block, **made,
            "certificate": self.certificate(certified, numbers, slots), "voters": list(steps),
            "member_sets": [text64(one) for one in dict.fromkeys((members, *sets))],
        }

    @staticmethod
    def leaves(size, position, commitment):
        return [leaf_of(commitment if one == position else sha256(b"other %d" % one)) for one in range(size)]

    def history(self, members, size, lie=None, work=1):
        """For receipt(newer=..): the block lies in a history of so many; `lie` changes the node of another."""

        def newer(block):
            values = self.values(block)
            nodes = [SimpleNamespace(hash=sha256(b"leaf %d" % one), work=work, blocks=1, first_time_ms=one,
                                     last_time_ms=one) for one in range(size)]
            for name, value in (lie or {}).items():
                setattr(nodes[-1], name, value)
            own = SimpleNamespace(id=verify_receipt.block_id(values, self.chain), work=verify_receipt.work_of(values),
                                  blocks=1, first_time_ms=values.time_ms, last_time_ms=values.sealed_at_ms)
            octets = encode("id 32, work u32, first_time_ms i8, last_time_ms i8", own)
            own.hash = sha256(header(b"ec:history-leaf"), octets)
            if values.height < size:
                nodes[values.height] = own
            parent = verify_receipt.history_parent
            root = sha256(header(b"ec:history-root"), encode(NODE, tree_root(nodes, parent)))
            path = tree_path(values.height, nodes, parent) if values.height < size else []
            path = [{"hash": one.hash.hex(), "work": str(one.work), "blocks": str(one.blocks),
                     "first_time_ms": str(one.first_time_ms), "last_time_ms": str(one.last_time_ms)}
                    for _, one in path]
            return self.block(size, members, history_root=root.hex()), path

        return newer
