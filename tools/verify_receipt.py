#!/usr/bin/env python3
"""Verifies a receipt of EventChain by the genesis file alone, without a network.

A second program beside `eventchain receipt verify`, written from the texts chain/RECEIPTS.md and
chain/FORMATS.md and sharing nothing with the first, so that a mistake of either shows in the other.
Needs Python 3.11, receipt_values.py beside it and, for Ed25519 signatures, the program openssl (3.0 or
newer). There is a function for each step of RECEIPTS.md, in the order and under the names of that text.

Exit codes: 0 proved; 1 a file cannot be read; 2 usage; 3 the receipt is damaged or a step failed;
4 proved, but nothing in the receipt leads to the checkpoint.
"""

import argparse
import base64
import datetime
import pathlib
import subprocess
import sys
import tempfile
from types import SimpleNamespace
from typing import NamedTuple

from receipt_values import (
    NODE, REASONS, REJECTION, TEMPLATE, U64, U256, VOTER, WORK_FUNCTIONS, MemberSet, Octets, Refused,
    check_member, check_member_set, encode, header, read_checkpoint, read_genesis, read_receipt, sha256, target_value,
)

RECEIPT_BYTES_MAX = 16 << 20
FILE_BYTES_MAX = 1 << 20  # of a genesis file or a checkpoint
LAST_STAMP_MS = 253402300799999  # the end of the year 9999
NOT_CHECKED = "not checked: "
NOT_PROVED = (
    "that there are no other events, before, between or after; the event's version in its stream",
    "the time, beyond the word of the leader who stamped it and of the voters who signed",
    "that target and height followed the rules: that too is the voters' word",
    "that voters who lie together did not sign another history for others",
    "that keys which were replaced, or whose voters left, were never misused",
    "where voters changed: that no half of an even number of voters lied together then",
    "anything at all, if the genesis file came from the wrong hands",
)
NOT_PROVED_OF_REJECTIONS = "that no other block gave the event a position"


class Unreadable(Exception):
    """A file, or the program openssl, cannot be used, so nothing was found out about the receipt."""


# --- hashes ------------------------------------------------------------------------------------------


def tree_parent(left, right):
    return sha256(b"\x01", left, right)


def tree_root(leaves):
    """RFC 6962, section 2.1, of leaves that are hashed already."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return tree_parent(tree_root(leaves[:half]), tree_root(leaves[half:]))


def template_hash(block, chain):
    return sha256(header(b"ec:hdr"), chain, encode(TEMPLATE, block))


def block_id(block, chain):
    shares = b"".join(high.to_bytes(8, "little") + low.to_bytes(4, "little") for high, low in block.shares)
    seal = header(b"ec:seal") + encode("sealed_at_ms i8", block) + len(block.shares).to_bytes(2, "little")
    return sha256(header(b"ec:block"), template_hash(block, chain), seal, shares)


def work_of(block):
    return min(U256, block.share_count * ((1 << 256) // (target_value(block.share_target) + 1)))


# --- steps chain, member-sets and body ---------------------------------------------------------------


def check_chain(receipt, genesis):
    if receipt.chain != genesis.chain:
        raise Refused(f"the receipt is of the chain {receipt.chain.hex()}, not {genesis.chain.hex()}")
    return f"the genesis file's, {genesis.chain.hex()}"


def check_member_sets(receipt, genesis):
    blocks = [receipt.block, receipt.certified, *(step.block for step in receipt.voters)]
    if len(receipt.set_of) != len(receipt.member_sets):
        raise Refused("a member set is there twice")
    if set(receipt.set_of) != {block.member_set for block in blocks}:
        raise Refused("the member sets are not those that the headers name")
    for one in receipt.member_sets:
        check_member_set(one.members, one.invited_roles)
    return f"{len(receipt.member_sets)}, as the headers name them"


def read_body(octets):
    """The texts among an event's attributes, by name; the rules for what is in them are left out."""
    read = Octets(octets, "the body", b"ec:body")
    texts, last = {}, None
    for _ in range(read.number(2, 0, 64)):
        name, kind = read.take(read.number(1)), read.number(1, 0, 2)
        if last is not None and name <= last:
            raise Refused("the body's attributes are not strictly ascending")
        last = name
        if kind == 0:
            read.number(1, 0, 1)
        elif kind == 1:
            read.take(4)
        else:
            texts[name] = read.take(read.number(4))
    kind, length = read.number(1, 0, 2), read.number(4)
    if kind == 0 and length:
        raise Refused("the body has data of no kind")
    read.take(length)
    read.end()
    if not {b"id", b"source"} <= set(texts):
        raise Refused("the body has no id or no source")
    return texts


def check_body(receipt, genesis):
    if receipt.event is None:
        return NOT_CHECKED + "the receipt has no body, so it speaks of a commitment only"
    salt, body = receipt.event.salt, receipt.event.body
    if len(body) > genesis.event_bytes_max:
        raise Refused(f"the body is longer than the {genesis.event_bytes_max} octets of the chain")
    texts = read_body(body)
    if sha256(header(b"ec:commitment"), salt, body) != receipt.commitment:
        raise Refused("salt and body do not give the commitment")
    source = texts[b"source"]
    key = sha256(header(b"ec:event-key"), len(source).to_bytes(4, "little"), source, texts[b"id"])[:16]
    if receipt.rejection and key != receipt.rejection.key:
        raise Refused("the body's source and id do not give the key that was rejected")
    return f"salt and {len(body)} octets give the commitment"


# --- steps entry, rejection, seal and work -----------------------------------------------------------


def sides(index, size, length):
    """RFC 9162, section 2.1.3.2: for each hash of a path, whether it is on the left."""
    if index >= size:
        raise Refused(f"{index} is not below {size}")
    found, low, last = [], index, size - 1
    for _ in range(length):
        if last == 0:
            raise Refused("the path is too long")
        found.append(bool(low & 1) or low == last)
        while found[-1] and not low & 1 and low:
            low, last = low >> 1, last >> 1
        low, last = low >> 1, last >> 1
    if last != 0:
        raise Refused("the path is too short")
    return found


def climb(node, path, parent):
    """Where a path of (is on the left, sibling) leads to."""
    for is_left, sibling in path:
        node = parent(sibling, node) if is_left else parent(node, sibling)
    return node


def check_entry(receipt, genesis):
    entry, block = receipt.entry, receipt.block
    path = zip(sides(entry.position, block.log_size, len(entry.path)), entry.path)
    leaf = sha256(b"\x00", b"\x01", entry.commitment)
    if climb(leaf, path, tree_parent) != block.log_root:
        raise Refused("the path does not lead to the block's log root")
    return f"at position {entry.position} in the log of {block.log_size} as of block {block.height}"


def check_rejection(receipt, genesis):
    leaf = sha256(b"\x00", header(b"ec:annex"), b"\x01", encode(REJECTION, receipt.rejection))
    path = [(sibling.side, sibling.hash) for sibling in receipt.rejection.path]
    if climb(leaf, path, tree_parent) != receipt.block.annex_root:
        raise Refused("the path does not lead to the block's annex root")
    return f"in the annex of block {receipt.block.height}"


def check_seal(receipt, genesis):
    block, members = receipt.block, receipt.set_of[receipt.block.member_set].members
    if block.height == 0:
        raise Refused("the genesis block has no seal")
    if not block.share_count == len(block.shares) == genesis.share_count:
        raise Refused(f"there are not {genesis.share_count} shares")
    if not block.started_ms <= block.time_ms <= block.sealed_at_ms:
        raise Refused("started, time and sealed at are not in this order")
    if block.started_ms < 0 or block.sealed_at_ms > LAST_STAMP_MS:
        raise Refused("a stamp lies before 1970 or after the year 9999")
    if target_value(block.share_target) > target_value(genesis.easiest_target):
        raise Refused("the target is easier than the genesis file's easiest one")
    if block.shares != sorted(set(block.shares)):
        raise Refused("the shares are not strictly ascending")
    slots = {high >> 48 for high, _ in block.shares}
    if not slots <= {member.slot for member in members}:
        raise Refused("a share is in a slot of no member")
    return f"{len(block.shares)} shares, of {len(slots)} of {len(members)} members"


def check_work(receipt, genesis):
    block = receipt.block
    if genesis.work_function == WORK_FUNCTIONS["none"]:
        return "none, as the genesis file has it"
    if genesis.work_function != WORK_FUNCTIONS["sha256"]:
        return NOT_CHECKED + f"this program cannot compute RandomX; the header claims {work_of(block)} hashes"
    template, height = template_hash(block, receipt.chain), block.height.to_bytes(8, "little")
    for high, low in block.shares:
        first = b"EVC1" + template + high.to_bytes(8, "little") + bytes(20)
        second = receipt.chain + height + block.share_target.to_bytes(4, "little") + bytes(4)
        digest = sha256(first, second, low.to_bytes(4, "little"))
        value = b"".join(digest[place : place + 4] for place in range(28, -1, -4))
        if int.from_bytes(value, "big") > target_value(block.share_target):
            raise Refused(f"the share {high:016x}{low:08x} does not meet the target")
    return f"the shares meet the target, for which {work_of(block)} hashes are expected"


# --- step history ------------------------------------------------------------------------------------


def history_parent(left, right):
    return SimpleNamespace(
        hash=sha256(header(b"ec:history-node"), encode(NODE, left), encode(NODE, right)),
        work=min(U256, left.work + right.work), blocks=min(U64, left.blocks + right.blocks),
        first_time_ms=left.first_time_ms, last_time_ms=right.last_time_ms)


def check_history(receipt, genesis):
    block, newer = receipt.block, receipt.newer.block
    leaf = SimpleNamespace(hash=block_id(block, receipt.chain), work=work_of(block), blocks=1,
                           first_time_ms=block.time_ms, last_time_ms=block.sealed_at_ms)
    octets = encode("hash 32, work u32, first_time_ms i8, last_time_ms i8", leaf)
    leaf.hash = sha256(header(b"ec:history-leaf"), octets)
    path = list(zip(sides(block.height, newer.height, len(receipt.newer.path)), receipt.newer.path))
    if not all(node.blocks for node in receipt.newer.path):
        raise Refused("a node of the path has no blocks")
    top = climb(leaf, path, history_parent)
    if sha256(header(b"ec:history-root"), encode(NODE, top)) != newer.history_root:
        raise Refused(f"the path does not lead to the history root of block {newer.height}")
    if top.blocks != newer.height:
        raise Refused(f"the history counts {top.blocks} blocks, not {newer.height}")
    work = work_of(block) + work_of(newer) + sum(node.work for is_left, node in path if not is_left)
    return f"from block {block.height} to block {newer.height} it claims work of {min(U256, work)} hashes"


# --- steps voters-H and certificate ------------------------------------------------------------------


def signature_holds(key, message, signature):
    """Ed25519 (RFC 8032), by openssl: one call for each signature."""
    # SubjectPublicKeyInfo of an Ed25519 key (RFC 8410).
    files = {"key": bytes.fromhex("302a300506032b6570032100") + key, "of": message, "by": signature}
    with tempfile.TemporaryDirectory(prefix="verify-receipt-") as place:
        for name, octets in files.items():
            pathlib.Path(place, name).write_bytes(octets)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", f"{place}/key",
                   "-rawin", "-in", f"{place}/of", "-sigfile", f"{place}/by"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0 and b"Signature Verification Failure" not in done.stdout:
        raise Unreadable(f"openssl cannot check a signature: {done.stderr.decode(errors='replace')[:200]!a}")
    return done.returncode == 0


def is_majority(slots, voters):
    return 2 * len(set(slots) & set(voters)) > len(voters)


def check_signatures(message, signatures, before, after):
    """That all hold, each of a voter before or after; `signatures`: (slot, signature). Who signed."""
    members, voters = {one.slot: one for one in before.members}, {**before.voters(), **after.voters()}
    for slot, signature in signatures:
        if slot not in members or slot not in voters:
            raise Refused(f"slot {slot} is no voter's")
        if len(signature) != 64 or not signature_holds(members[slot].key, message, signature):
            raise Refused(f"the signature of slot {slot} does not hold")
    return ", ".join(members[slot].name.decode() for slot, _ in signatures)


def check_certificate_of(block, chain, certificate, before, after):
    slots = [one.slot for one in certificate]
    if slots != sorted(set(slots)):
        raise Refused("the slots of the certificate are not strictly ascending")
    if not is_majority(slots, before.voters()) and not is_majority(slots, after.voters()):
        raise Refused("those who signed are not a majority of the voters")
    root = base64.b64encode(block.log_root).decode()
    statement = (f"eventchain/{chain.hex()}\n{block.log_size}\n{root}\nheight {block.height}\n"
                 f"block {block_id(block, chain).hex()}\nmembers {block.member_set.hex()}\n")
    signatures = [(one.slot, one.signature) for one in certificate]
    return check_signatures(statement.encode(), signatures, before, after)


def set_after(step, before):
    """What a block's orders make of the set before it, as far as it matters to signers."""
    members, slots = {one.node: one for one in before.members}, {one.slot for one in before.members}
    changes, voters = 0, len(before.voters())
    for order in step.annex:
        was = members.get(order.node) if order.kind in (4, 5, 6, 7) else None
        if order.kind in (5, 6, 7) and was is None:
            raise Refused("an order names a node that is no member")
        if order.kind in (4, 6):
            check_member(order)
        if order.kind == 4:
            if was or order.slot in slots or order.role == VOTER:
                raise Refused("an order adds a voter, or a member in another's place")
            members[order.node] = order
            slots.add(order.slot)
        elif order.kind == 5:
            if order.role == was.role:
                raise Refused("an order sets a role that the member has")
            members[order.node] = SimpleNamespace(**{**vars(was), "role": order.role})
            changes += (was.role == VOTER) != (order.role == VOTER)
            voters += (order.role == VOTER) - (was.role == VOTER)
            if changes > 1 or not 1 <= voters <= 7:
                raise Refused("the orders change more than one voter, or leave none or more than 7")
        elif order.kind == 6:
            if (was.slot, was.store, was.name, was.role) != (order.slot, order.store, order.name, order.role):
                raise Refused("an order changes slot, store id, name or role with a member's record")
            members[order.node] = order
        elif order.kind == 7:
            if was.role == VOTER:
                raise Refused("an order removes a voter")
            slots.remove(members.pop(order.node).slot)
    members = sorted(members.values(), key=lambda member: member.slot)
    return MemberSet(b"", members, step.block.height if changes else before.voters_since)


def check_voters(receipt, step, last, known):
    """The sets before and after, as RECEIPTS.md calls them, and a sentence."""
    if not last < step.block.height < receipt.certified.height:
        raise Refused("its height is not above the one before and below the certified block's")
    before = receipt.set_of[step.block.member_set]
    if known.signers() != before.signers():
        raise Refused("the signers before it are not those that are known")
    if tree_root([item.leaf for item in step.annex]) != step.block.annex_root:
        raise Refused("the annex does not have the root that the header names")
    after = set_after(step, before)
    if before.signers() == after.signers():
        raise Refused("the block does not change who signs")
    nodes = [{member.node for member in one.voters().values()} for one in (before, after)]
    if len(nodes[0] ^ nodes[1]) > 1:
        raise Refused("the block changes more than one voter")
    names = check_certificate_of(step.block, receipt.chain, step.certificate, before, after)
    return before, after, f"another set of signers, vouched for by {names}"


def check_certificate(receipt, known):
    block = receipt.certified
    members = receipt.set_of[block.member_set]
    if members.signers() != known.signers():
        raise Refused("the signers of the certified block are not those that are known")
    names = check_certificate_of(block, receipt.chain, receipt.certificate, members, members)
    return f"block {block.height} is signed by {names}, of {len(members.voters())} voters"


# --- step checkpoint ---------------------------------------------------------------------------------


class Point(NamedTuple):
    """What a receipt or a checkpoint says of a history; without signatures height and block are None."""

    height: int
    block: bytes
    size: int
    root: bytes


def points_of(receipt):
    return [Point(one.height, block_id(one, receipt.chain), one.log_size, one.log_root)
            for one in (receipt.block, receipt.certified)]


def contradiction(one, other):
    """Why the two cannot be of one history; None if that cannot be seen."""
    have_blocks = None not in (one.height, other.height)
    if have_blocks and one.height == other.height and one.block != other.block:
        return f"other-block: two blocks at height {one.height}"
    if one.size == other.size and one.root != other.root:
        return f"other-log: two logs of {one.size} entries"
    if have_blocks and (one.height - other.height) * (one.size - other.size) < 0:
        return "shorter-log: the higher block has fewer entries below it"
    return None


def signers_of_note(checkpoint, before, after, held):
    """(their names, whether they are a majority). A line under a voter's name and id must hold by a voter's
    key of that id, of which there may be several; of an id there are no more lines, each another, than such keys.
    `held`: whether a signature holds by a key, as far as that is known; what was looked at is added."""
    voters, keys, signed, seen = {**before.voters(), **after.voters()}, {}, set(), {}
    for member in before.members:
        if member.slot in voters:
            id_ = sha256(checkpoint.origin.encode(), b"\n\x01", member.key)[:4]
            keys.setdefault(id_, []).append(member)
    for name, id_, signature in checkpoint.signatures:
        if name != checkpoint.origin or id_ not in keys:
            continue
        seen.setdefault(id_, set()).add(signature)
        if len(seen[id_]) > len(keys[id_]):
            raise Refused(f"there are more lines under the key id of slot {keys[id_][0].slot} than voters' keys")
        for member in keys[id_]:
            if (member.key, signature) not in held:
                sound = len(signature) == 64 and signature_holds(member.key, checkpoint.text, signature)
                held[member.key, signature] = sound
        by = {member.slot for member in keys[id_] if held[member.key, signature]}
        if not by:
            raise Refused(f"the signature of slot {keys[id_][0].slot} does not hold")
        signed |= by
    names = ", ".join(member.name.decode() for member in before.members if member.slot in signed)
    return names, is_majority(signed, before.voters()) or is_majority(signed, after.voters())


def check_note(checkpoint, certified_height, sets):
    """The note's signatures, by the voters that the steps have proved; `sets`: (from this block on, set)."""
    if checkpoint.height is None:
        return "it bears no signatures, so it is the reader's own word"
    before = [members for since, members in sets if since < max(1, checkpoint.height)][-1]
    after = [members for since, members in sets if since <= checkpoint.height][-1]
    names, is_signed = signers_of_note(checkpoint, before, after, {})
    if is_signed:
        return f"it is signed by {names}"
    if checkpoint.height > certified_height:
        return NOT_CHECKED + "whoever signed it may have become a voter after the receipt's newest block"
    raise Refused("those who signed the checkpoint are not a majority of the voters")


def check_consistency(small, small_root, large, large_root, path):
    """RFC 9162, section 2.1.4.2."""
    low, last = small - 1, large - 1
    while small and low & 1:
        low, last = low >> 1, last >> 1
    path = [small_root, *path] if small & (small - 1) == 0 else path
    first = second = path[0] if path else b""
    for sibling in path[1:]:
        if small == 0 or last == 0:
            raise Refused("the path between the two logs is too long")
        if low & 1 or low == last:
            first, second = tree_parent(sibling, first), tree_parent(sibling, second)
            while not low & 1 and low:
                low, last = low >> 1, last >> 1
        else:
            second = tree_parent(second, sibling)
        low, last = low >> 1, last >> 1
    is_whole = small_root == sha256() if small == 0 else second == large_root and last == 0
    if first != small_root or not is_whole:
        raise Refused("the two logs are not of one history")


def check_checkpoint(receipt, checkpoint, sets):
    block, consistency = receipt.block, receipt.consistency
    if checkpoint.origin != f"eventchain/{receipt.chain.hex()}":
        raise Refused("the checkpoint is another chain's")
    signed = check_note(checkpoint, receipt.certified.height, sets)
    for point in points_of(receipt):
        if why := contradiction(point, Point(checkpoint.height, checkpoint.block, checkpoint.size, checkpoint.root)):
            raise Refused(f"there are two histories: {why}")
    if checkpoint.size != block.log_size:
        if not consistency or consistency.size != checkpoint.size:
            return NOT_CHECKED + f"the receipt has no path to a log of {checkpoint.size}; {signed}"
        logs = sorted([(block.log_size, block.log_root), (checkpoint.size, checkpoint.root)])
        check_consistency(*logs[0], *logs[1], consistency.path)
    sentence = f"one history with its log of {checkpoint.size}; {signed}"
    return NOT_CHECKED + sentence if signed.startswith(NOT_CHECKED) else sentence


# --- all steps, and what they mean -------------------------------------------------------------------


class Verdict(NamedTuple):
    steps: list  # of (name, sentence), those that held
    failed_step: str  # None if all held
    reason: str
    receipt: SimpleNamespace  # None if it is none
    sets: list  # of (from this block on, who signs), as far as the steps have proved it

    def exit_code(self):
        if self.failed_step is not None:
            return 3
        name, sentence = self.steps[-1]
        return 4 if name == "checkpoint" and sentence.startswith(NOT_CHECKED) else 0


def verify(octets, genesis, checkpoint=None):
    """Takes the steps in their order until one fails."""
    try:
        receipt = read_receipt(octets)
    except Refused as refused:
        return Verdict([], "format", str(refused), None, [])
    return verify_values(receipt, genesis, checkpoint, ("format", f"{len(octets)} octets"))


def verify_values(receipt, genesis, checkpoint, *steps):
    """The same of a receipt that has been read."""
    steps, sets = list(steps), [(0, genesis.first_set)]
    stand = [("entry", check_entry)] if receipt.entry else [("rejection", check_rejection)]
    event = [("body", check_body), *stand] if receipt.entry or receipt.rejection else []
    history = [("history", check_history)] if receipt.newer else []
    try:
        for name, check in (("chain", check_chain), ("member-sets", check_member_sets), *event,
                            ("seal", check_seal), ("work", check_work), *history):
            steps.append((name, check(receipt, genesis)))
        for step in receipt.voters:
            name = f"voters-{step.block.height}"
            since, known = sets.pop()
            before, after, sentence = check_voters(receipt, step, since, known)
            sets += [(since, before), (step.block.height, after)]
            steps.append((name, sentence))
        name = "certificate"
        steps.append((name, check_certificate(receipt, sets[-1][1])))
        if checkpoint:
            name = "checkpoint"
            steps.append((name, check_checkpoint(receipt, checkpoint, sets)))
    except Refused as refused:
        return Verdict(steps, name, str(refused), receipt, sets)
    return Verdict(steps, None, "", receipt, sets)


def time_text(milliseconds):
    if not 0 <= milliseconds <= LAST_STAMP_MS:
        return f"{milliseconds} ms"
    return datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.timezone.utc).isoformat()


def proved(receipt, steps):
    """What was proved, in sentences: what, by whom, since when, under how much work."""
    said, block = dict(steps), receipt.block
    if receipt.event:
        texts = read_body(receipt.event.body)
        event = "the event with id {!a} and source {!a}".format(
            *(texts[name].decode("utf-8", "replace") for name in (b"id", b"source")))
    elif receipt.entry or receipt.rejection:
        event = f"the event behind the commitment {receipt.commitment.hex()}"
    if receipt.entry:
        yield f"{event} stands in the log at position {receipt.entry.position}"
    elif receipt.rejection:
        reason = next(name for name, one in REASONS.items() if one == receipt.rejection.reason)
        yield f"{event} was rejected in block {block.height}: {reason}"
    else:
        yield f"block {block.height} is {block_id(block, receipt.chain).hex()}, with a log of {block.log_size}"
    yield f"that was so when block {block.height} was sealed: {time_text(block.sealed_at_ms)}"
    yield f"by whom: {said['certificate']}"
    yield f"work of block {block.height}: {said['work']}"
    if receipt.newer:
        yield f"on the word of those who signed: {said['history']}"
    if "checkpoint" in said:
        yield f"checkpoint: {said['checkpoint']}"


def read_file(path, bytes_max, read):
    try:
        with open(path, "rb") as file:
            octets = file.read(bytes_max + 1)
        if len(octets) > bytes_max:
            raise Refused(f"it has more than {bytes_max} octets, so it is another file")
        return read(octets)
    except (OSError, ValueError, Refused) as error:
        raise Unreadable(f"{path}: {error}") from None


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("receipt", metavar="RECEIPT")
    parser.add_argument("--trust", metavar="GENESIS", required=True, help="the chain's genesis.json")
    parser.add_argument("--checkpoint", metavar="FILE", help="a head of the log that you know")
    options = parser.parse_args(arguments)
    try:
        genesis = read_file(options.trust, FILE_BYTES_MAX, read_genesis)
        checkpoint = options.checkpoint and read_file(options.checkpoint, FILE_BYTES_MAX, read_checkpoint)
        verdict = verify(read_file(options.receipt, RECEIPT_BYTES_MAX, bytes), genesis, checkpoint)
    except (Unreadable, OSError) as error:
        print(f"verify_receipt.py: {error}", file=sys.stderr)
        return 1
    for name, sentence in verdict.steps:
        print(f"{name}: {sentence}")
    if verdict.failed_step is not None:
        print(f"{verdict.failed_step}: FAILED: {verdict.reason}\n\nnothing is proved")
        return verdict.exit_code()
    print("\nproved:", *proved(verdict.receipt, verdict.steps), sep="\n  ")
    also = (NOT_PROVED_OF_REJECTIONS,) if verdict.receipt.rejection else ()
    print("not proved:", *also, *NOT_PROVED, sep="\n  ")
    return verdict.exit_code()


if __name__ == "__main__":
    sys.exit(main())
