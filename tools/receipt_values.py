"""Receipts, genesis files and checkpoints as values: how their octets and their JSON are read, strictly.

Of verify_receipt.py, which says what they prove. Raises Refused, and nothing else, for whatever is
not as chain/RECEIPTS.md and chain/FORMATS.md have it; lengths are checked before anything is taken.
"""

import base64
import hashlib
import json
import re
from types import SimpleNamespace
from typing import NamedTuple

U16, U32, U64, U256 = ((1 << bits) - 1 for bits in (16, 32, 64, 256))
I64 = (1 << 63) - 1
VOTER = 1
WORK_FUNCTIONS = {"sha256": 1, "randomx-v1": 2, "none": 3}
REASONS = {"version-conflict": 1, "expectation-expired": 2, "key-conflict": 3}


class Refused(Exception):
    """What was read is not what it should be. The text says why, in one sentence."""


# --- hashes and canonical octets (FORMATS.md) --------------------------------------------------------


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def header(tag):
    return b"\x01" + tag


def target_value(compact):
    """None if the compact target is not canonical."""
    exponent, mantissa = compact >> 24, compact & 0xFFFFFF
    if mantissa == 0 or not 3 <= exponent <= 32 or (exponent > 3 and mantissa < 0x010000):
        return None
    return mantissa << 8 * (exponent - 3)


# Layouts: the fields in their order, each with its kind. A number is so many octets as they are; u and
# i are integers of so many octets without and with sign; the texts have their length before them, as u1.
MEMBER = ("node 16, key 32, slot u2, name name, site name, store 16, role role, "
          "peers_address text, api_address text, valid_from i8, valid_until i8")
INVITATION = "token_hash 32, role role, name name, site name, until i8"
REJECTION = "key 16, commitment 32, reason reason, stream_version i8"
ANNEX = {1: REJECTION, 2: f"by by, {INVITATION}", 3: "by by, token_hash 32",
         4: f"by by, token 32, {MEMBER}", 5: "by by, node 16, role role", 6: f"by by, {MEMBER}",
         7: "by by, node 16", 8: "by by, wanted u1, grace u4", 9: "by by, level u2"}
TEMPLATE = ("height u8, parent 32, log_size u8, log_root 32, history_root 32, annex_root 32, "
            "started_ms i8, time_ms i8, share_target u4, share_count u2, member_set 32")
NODE = "hash 32, work u32, blocks u8, first_time_ms i8, last_time_ms i8"
GENESIS = ("name text, trust_domain text, created_ms i8, work_function u1, share_count u2, "
           "interval_ms u4, heartbeat_ms u4, first_target u4, easiest_target u4, "
           "event_bytes_max u4, block_events_max u4, block_bytes_max u4")
SMALL = {"role": (1, 4), "reason": (1, 3)}  # u1 of a range
TEXTS = {"name": 32, "by": 64, "text": 255}  # the longest of each


def fields(layout):
    return [field.split(" ") for field in layout.split(", ")]


def encode(layout, value):
    """The octets of a structure whose fields are attributes of `value`."""
    parts = []
    for name, kind in fields(layout):
        field = getattr(value, name)
        if kind in TEXTS:
            parts += [bytes([len(field)]), field]
        elif kind.isdigit():
            parts.append(field)
        else:
            size = 1 if kind in SMALL else int(kind[1:])
            parts.append(field.to_bytes(size, "little", signed=kind[0] == "i"))
    return b"".join(parts)


class Octets:
    """Reads canonical octets from front to back; refuses what is shorter or longer than it should be."""

    def __init__(self, octets, what, tag):
        self.octets, self.what, self.place = octets, what, 0
        if self.take(len(tag) + 1) != header(tag):
            raise Refused(f"{what} does not begin as such a structure does")

    def take(self, count):
        if count > len(self.octets) - self.place:
            raise Refused(f"{self.what} ends too early")
        self.place += count
        return self.octets[self.place - count : self.place]

    def number(self, size, low=0, high=U64):
        value = int.from_bytes(self.take(size), "little", signed=low < 0)
        if not low <= value <= high:
            raise Refused(f"{self.what} has {value} where {low} to {high} is allowed")
        return value

    def structure(self, layout):
        found = {}
        for name, kind in fields(layout):
            if kind in TEXTS:
                found[name] = self.take(self.number(1, 0, TEXTS[kind]))
            elif kind.isdigit():
                found[name] = self.take(int(kind))
            elif kind in SMALL:
                found[name] = self.number(1, *SMALL[kind])
            else:
                found[name] = self.number(int(kind[1:]), -I64 - 1 if kind[0] == "i" else 0)
        return SimpleNamespace(**found)

    def end(self):
        if self.place != len(self.octets):
            raise Refused(f"{self.what} is longer than its structure")


class MemberSet(NamedTuple):
    hash: bytes
    members: list
    voters_since: int
    invited_roles: frozenset = frozenset()

    def voters(self):
        return {member.slot: member for member in self.members if member.role == VOTER}

    def signers(self):
        return self.voters_since, [(one.slot, one.node, one.name, one.key) for one in self.voters().values()]


def check_member(member):
    host, port = rb"([a-z0-9.-]+|\[[0-9a-f:.]{2,}\])", rb"[1-9][0-9]{0,4}"
    if not (any(member.node[:8]) and any(member.key) and any(member.store)):
        raise Refused(f"an id or the key of the member in slot {member.slot} is zero")
    if not re.fullmatch(rb"[a-z0-9-]{1,32}", member.name):
        raise Refused(f"the member in slot {member.slot} has a bad name")
    if not re.fullmatch(rb"[a-z0-9.-]{0,32}", member.site):
        raise Refused(f"the member in slot {member.slot} has a bad site")
    for address in (member.peers_address, member.api_address):
        if address and (not re.fullmatch(host + b":" + port, address) or int(address.split(b":")[-1]) > U16):
            raise Refused(f"the member in slot {member.slot} has an address that is not host:port")
    if member.valid_from < 0 or (member.valid_until != 0 and member.valid_until < member.valid_from):
        raise Refused(f"the member in slot {member.slot} has bad times")


# The y coordinates of the points whose order divides 8: anybody can sign under a key that is one.
SMALL_ORDER = {bytes.fromhex(y) for y in (
    "00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")}


def check_key(key):
    y = key[:31] + bytes([key[31] & 0x7F])
    if y in SMALL_ORDER:
        raise Refused("a voter's key is a point of small order, under which anybody can sign")
    if int.from_bytes(y, "little") >= (1 << 255) - 19:
        raise Refused("a voter's key is not spelled as RFC 8032 has it")


def check_member_set(members, invited_roles=frozenset()):
    for member in members:
        check_member(member)
        if member.role == VOTER:
            check_key(member.key)
    slots = [member.slot for member in members]
    if slots != sorted(set(slots)):
        raise Refused("the members of a set are not strictly ascending by slot")
    for name, values in (("first 8 octets of the node id", {member.node[:8] for member in members}),
                         ("signing key", {member.key for member in members}),
                         ("store id", {member.store for member in members}),
                         ("name", {member.name for member in members})):
        if len(values) != len(members):
            raise Refused(f"two members of a set have the same {name}")
    if not 1 <= sum(member.role == VOTER for member in members) <= 7:
        raise Refused("a set has no voters, or more than 7")
    if VOTER in invited_roles:
        raise Refused("a set has an invitation for a voter")


# --- JSON, read strictly -----------------------------------------------------------------------------


def load_json(octets):
    def once(pairs):
        if len(dict(pairs)) != len(pairs):
            raise Refused("an object has a member twice")
        return dict(pairs)

    def integer(text):
        if len(text) > 20:  # more than any number here has
            raise Refused("a number is out of range")
        return int(text)

    def refuse(text):
        raise Refused(f"the number {text[:30]} is no integer")

    try:
        return json.loads(octets.decode("utf-8"), object_pairs_hook=once, parse_int=integer,
                          parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the file is not JSON in UTF-8: {error}") from None


def shaped(value, shape, where):
    """`value` as its shape has it: a dictionary of shapes is an object with these members ("name?" may be
    absent, and is None then), a pair (most, shape) a list, and a function reads anything else."""
    if callable(shape):
        return shape(value, where)
    if isinstance(shape, tuple):
        most, of = shape
        if not isinstance(value, list) or len(value) > most:
            raise Refused(f"{where} is not a list of at most {most}")
        return [shaped(item, of, f"{where}[{place}]") for place, item in enumerate(value)]
    if not isinstance(value, dict):
        raise Refused(f"{where} is not an object")
    found = SimpleNamespace()
    for name, of in shape.items():
        plain = name.rstrip("?")
        if plain == name and name not in value:
            raise Refused(f"{where} has no member {name}")
        setattr(found, plain, shaped(value[plain], of, f"{where}.{plain}") if plain in value else None)
    for name in value:
        if name not in vars(found):
            raise Refused(f"{where} has an unknown member {name[:40]!a}")
    return found


def hexadecimal(octets):
    def read(value, where):
        if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * octets}}}", value):
            raise Refused(f"{where} is not {2 * octets} digits of lower-case hex")
        return bytes.fromhex(value)

    return read


def decimal(low, high):
    def read(value, where):
        if isinstance(value, str) and re.fullmatch("0|-?[1-9][0-9]{0,77}", value):
            if low <= int(value) <= high:
                return int(value)
        raise Refused(f"{where} is not a decimal in a string, from {low} to {high}")

    return read


def number(low, high):
    def read(value, where):
        if type(value) is not int or not low <= value <= high:
            raise Refused(f"{where} is not a number from {low} to {high}")
        return value

    return read


def one_of(meanings):
    def read(value, where):
        if not isinstance(value, str) or value not in meanings:
            raise Refused(f"{where} is not {' or '.join(meanings)}")
        return meanings[value]

    return read


def text(least):
    def read(value, where):
        octets = value.encode("utf-8", "replace") if isinstance(value, str) else b""
        if not isinstance(value, str) or not least <= len(octets) <= 255:
            raise Refused(f"{where} is not a string of {least} to 255 octets")
        return octets

    return read


def base64_octets(value, where):
    try:
        found = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        found = b""
    if base64.b64encode(found).decode() != value:
        raise Refused(f"{where} is not base64 as RFC 4648 has it")
    return found


def target(value, where):
    compact = int.from_bytes(hexadecimal(4)(value, where), "big")
    if target_value(compact) is None:
        raise Refused(f"{where} is not a canonical target")
    return compact


# --- the genesis file --------------------------------------------------------------------------------

HASH, ID = hexadecimal(32), hexadecimal(16)
LIMIT = number(0, U32)
GENESIS_SHAPE = {
    "format": number(1, 1), "name": text(1), "trust_domain": text(1), "created_ms": number(0, I64),
    "work_function": one_of(WORK_FUNCTIONS), "share_count": number(1, 256), "interval_ms": LIMIT,
    "heartbeat_ms": LIMIT, "first_target": target, "easiest_target": target, "event_bytes_max": LIMIT,
    "block_events_max": LIMIT, "block_bytes_max": LIMIT,
    "voters": (7, {"name": text(1), "site": text(0), "node": ID, "store": ID, "signing_key": HASH,
                   "peers_address": text(0), "api_address": text(0)}),
}


def read_genesis(octets):
    genesis = shaped(load_json(octets), GENESIS_SHAPE, "genesis")
    without = (1, 0x20FFFFFF, 0x20FFFFFF)
    if genesis.work_function == WORK_FUNCTIONS["none"] and without != (
            genesis.share_count, genesis.first_target, genesis.easiest_target):
        raise Refused("without work, share_count must be 1 and the targets 20ffffff")
    for slot, voter in enumerate(genesis.voters):
        vars(voter).update(slot=slot, key=voter.signing_key, role=VOTER, valid_from=0, valid_until=0)
    check_member_set(genesis.voters)
    members = [encode(MEMBER, voter) for voter in genesis.voters]
    count = len(members).to_bytes(2, "little")
    genesis.chain = sha256(header(b"ec:genesis"), encode(GENESIS, genesis), count, *members)
    # Nobody asks for its hash: what headers name is in the receipt.
    genesis.first_set = MemberSet(b"", genesis.voters, 0)
    return genesis


# --- receipts -------------------------------------------------------------------------------------


def share(value, where):
    octets = hexadecimal(12)(value, where)
    return int.from_bytes(octets[:8], "big"), int.from_bytes(octets[8:], "big")


def member_set(value, where):
    octets = base64_octets(value, where)
    read = Octets(octets, where, b"ec:members")
    members = [read.structure(MEMBER) for _ in range(read.number(2, 0, 1024))]
    invitations = [read.structure(INVITATION) for _ in range(read.number(2, 0, 256))]
    rest = read.structure("voters_since u8, wanted u1, grace u4, level u2")
    read.end()
    return MemberSet(sha256(octets), members, rest.voters_since, frozenset(one.role for one in invitations))


def annex_item(value, where):
    octets = base64_octets(value, where)
    read = Octets(octets, where, b"ec:annex")
    kind = read.number(1, 1, max(ANNEX))
    item = read.structure(ANNEX[kind])
    read.end()
    item.kind, item.leaf = kind, sha256(b"\x00", octets)
    return item


DECIMAL, TIME, NUMBER = decimal(0, U64), decimal(-I64 - 1, I64), number(0, U16)
BLOCK = {
    "height": DECIMAL, "parent": HASH, "log_size": DECIMAL, "log_root": HASH, "history_root": HASH,
    "annex_root": HASH, "started_ms": TIME, "time_ms": TIME, "share_target": target,
    "share_count": NUMBER, "member_set": HASH, "sealed_at_ms": TIME, "shares": (256, share),
}
CERTIFICATE = (8, {"slot": NUMBER, "signature": hexadecimal(64)})
HISTORY_NODE = {"hash": HASH, "work": decimal(0, U256), "blocks": DECIMAL,
                "first_time_ms": TIME, "last_time_ms": TIME}
SIBLING = {"side": one_of({"left": True, "right": False}), "hash": HASH}
BLOCK_RECEIPT = {
    "format": one_of({"eventchain-block-receipt": 1}), "version": number(1, 1), "chain": HASH, "block": BLOCK,
    "newer?": {"block": BLOCK, "path": (64, HISTORY_NODE)},
    "certificate": CERTIFICATE,
    "voters": (4096, {"block": BLOCK, "annex": (4096, annex_item), "certificate": CERTIFICATE}),
    "member_sets": (2 + 4096, member_set),
    "consistency?": {"size": DECIMAL, "path": (65, HASH)},
}


EVENT_RECEIPT = {
    **BLOCK_RECEIPT, "format": one_of({"eventchain-receipt": 1}),
    "event?": {"salt": HASH, "body": base64_octets},
    "entry?": {"commitment": HASH, "position": DECIMAL, "path": (64, HASH)},
    "rejection?": {"commitment": HASH, "key": ID, "reason": one_of(REASONS), "stream_version": TIME,
                   "path": (64, SIBLING)},
}


def receipt_of(value, where):
    """The receipt as values, under the names that they have in the file."""
    is_block = isinstance(value, dict) and value.get("format") == "eventchain-block-receipt"
    if is_block:
        receipt = SimpleNamespace(event=None, entry=None, rejection=None, **vars(shaped(value, BLOCK_RECEIPT, where)))
    else:
        receipt = shaped(value, EVENT_RECEIPT, where)
        if (receipt.entry is None) == (receipt.rejection is None):
            raise Refused(f"{where} must have either an entry or a rejection")
        receipt.commitment = (receipt.entry or receipt.rejection).commitment
    receipt.certified = receipt.newer.block if receipt.newer else receipt.block
    receipt.set_of = {one.hash: one for one in receipt.member_sets}
    return receipt


def read_receipt(octets):
    """Step 'format'."""
    return receipt_of(load_json(octets), "receipt")


# --- checkpoints --------------------------------------------------------------------------------------


def read_checkpoint(octets):
    """A C2SP checkpoint: a signed note, or the text of one. Without signatures its height is None."""
    try:
        whole = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("the file is not UTF-8") from None
    if re.search("[\0-\x09\x0b-\x1f]", whole):
        raise Refused("the file has control characters")
    note, is_signed, tail = whole.rpartition("\n\n") if "\n\n" in whole else (whole[:-1], "", "")
    if not whole.endswith("\n") or tail.count("\n") > 100:
        raise Refused("the file was cut, or has more than 100 signatures")
    signatures = []
    for line in tail.split("\n")[:-1]:
        found = re.fullmatch("\N{EM DASH} ([^\0- +\x7f]+) (.+)", line)
        signed = base64_octets(found[2], "a signature") if found else b""
        if len(signed) < 5:
            raise Refused("a line of signatures is none")
        signatures.append((found[1], signed[:4], signed[4:]))
    lines = note.split("\n")
    found = re.fullmatch("height (.+)\nblock ([0-9a-f]{64})\nmembers [0-9a-f]{64}", "\n".join(lines[3:]))
    if len(lines) < 3 or not lines[0] or (is_signed and not (found and signatures)):
        raise Refused("it is no checkpoint, or a signed one that is no certified statement (FORMATS.md)")
    root = base64_octets(lines[2], "the root")
    if len(root) != 32:
        raise Refused("the root has not 32 octets")
    height = DECIMAL(found[1], "the height") if is_signed else None
    block = bytes.fromhex(found[2]) if is_signed else None
    return SimpleNamespace(text=f"{note}\n".encode(), origin=lines[0], size=DECIMAL(lines[1], "the size"),
                           root=root, height=height, block=block, signatures=signatures)
