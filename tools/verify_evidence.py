#!/usr/bin/env python3
"""Verifies evidence of two histories of one EventChain by the genesis file alone, without a network.

A second program beside `eventchain evidence verify`, written from chain/RECEIPTS.md; it uses
verify_receipt.py for the receipts in it, and wants the same as that.

Exit codes: 0 there are two histories; 1 a file cannot be read; 2 usage; 3 the evidence is damaged or a step failed.
"""

import argparse
import sys
from types import SimpleNamespace
from typing import NamedTuple

from receipt_values import Refused, load_json, number, one_of, read_checkpoint, read_genesis, receipt_of, shaped
from verify_receipt import (
    FILE_BYTES_MAX, Point, Unreadable, contradiction, points_of, read_file, signers_of_note, verify_values,
)

EVIDENCE_BYTES_MAX = 32 << 20
NOT_PROVED = (
    "which of the two is the true history, or was there first",
    "why: voters may have lied, keys may have been stolen, or a node was put back to an old copy of its disk",
    "where the two part: at the place that is named, or below it",
    "where voters changed: that no half of an even number of voters lied together then",
    "who voters are that came after genesis: their names are what the history that shows them says",
    "that anybody signed both, but for a key whose signature is in both",
    "that who signed as voters of an older set were voters when they signed",
    "that keys which were replaced, or whose voters left, were never misused: then one history is theirs",
    "anything at all, if the genesis file came from the wrong hands",
)


def part(value, where):
    """A receipt, or the note of a checkpoint that is signed."""
    if not isinstance(value, str):
        return receipt_of(value, where)
    try:
        note = read_checkpoint(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise Refused(f"{where} is no text") from None
    if len(value.encode()) > FILE_BYTES_MAX or note.height is None:
        raise Refused(f"{where} is too long, or a checkpoint that nobody signed")
    return note


EVIDENCE = {"format": one_of({"eventchain-evidence": 1}), "version": number(1, 1), "first": part, "second": part}


def read_evidence(octets):
    evidence = shaped(load_json(octets), EVIDENCE, "evidence")
    if is_note(evidence.first) and not is_note(evidence.second):
        raise Refused("first is not the receipt")
    return evidence


def is_note(one):
    return hasattr(one, "signatures")


def check_signatures(note, sets):
    """By the voters of its height, else by those of some time before, whom others have superseded."""
    before = [members for since, members in sets if since < max(1, note.height)][-1]
    after = [members for since, members in sets if since <= note.height][-1]
    # Until which block each set was in force.
    ends = [since for since, _ in sets[1:]] + [None]
    earlier = [(members, members, (since, end)) for (since, members), end in zip(sets, ends)
               if since < max(1, note.height)]
    held = {}
    for first, then, term in ((before, after, (0, None)), *reversed(earlier)):
        try:
            names, is_signed = signers_of_note(note, first, then, held)
        except Refused:
            continue
        since, end = term
        if is_signed and end is not None and end < note.height:
            return (f"signed by {names}, as voters of an older set: it was in force from block {since} on, and "
                    f"block {end} superseded it")
        if is_signed:
            return f"signed by {names}"
    raise Refused("no majority of voters that are known signed the checkpoint, or a signature does not hold")


class Verdict(NamedTuple):
    steps: list  # of (name, sentence), those that held
    failed_step: str  # None if all held
    reason: str

    def exit_code(self):
        return 0 if self.failed_step is None else 3


def verify(octets, genesis):
    """Takes the steps in their order until one fails."""
    steps, name, sets, points = [], "format", [(0, genesis.first_set)], []
    try:
        evidence = read_evidence(octets)
        steps.append((name, f"{len(octets)} octets"))
        for place in ("first", "second"):
            one = getattr(evidence, place)
            if is_note(one):
                name = f"{place}.origin"
                if one.origin != f"eventchain/{genesis.chain.hex()}":
                    raise Refused("the checkpoint is another chain's")
                steps.append((name, one.origin))
                name = f"{place}.signatures"
                steps.append((name, check_signatures(one, sets)))
                points.append([Point(one.height, one.block, one.size, one.root)])
            else:
                verdict = verify_values(one, genesis, None)
                steps += [(f"{place}.{step}", sentence) for step, sentence in verdict.steps]
                name = f"{place}.{verdict.failed_step}"
                if verdict.failed_step:
                    raise Refused(verdict.reason)
                sets = verdict.sets
                points.append(points_of(one))
        name = "contradiction"
        found = [why for one in points[0] for other in points[1] if (why := contradiction(one, other))]
        if not found:
            raise Refused("both hold, and both may be of one history")
        steps.append((name, found[0]))
    except Refused as refused:
        return Verdict(steps, name, str(refused))
    return Verdict(steps, None, "")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("evidence", metavar="EVIDENCE")
    parser.add_argument("--trust", metavar="GENESIS", required=True, help="the chain's genesis.json")
    options = parser.parse_args(arguments)
    try:
        genesis = read_file(options.trust, FILE_BYTES_MAX, read_genesis)
        verdict = verify(read_file(options.evidence, EVIDENCE_BYTES_MAX, bytes), genesis)
    except (Unreadable, OSError) as error:
        print(f"verify_evidence.py: {error}", file=sys.stderr)
        return 1
    for name, sentence in verdict.steps:
        print(f"{name}: {sentence}")
    if verdict.failed_step is not None:
        print(f"{verdict.failed_step}: FAILED: {verdict.reason}\n\nthis is evidence of nothing")
        return 3
    said = SimpleNamespace(**{name.replace(".", "_"): sentence for name, sentence in verdict.steps})
    print(f"\ntwo histories of one chain: {said.contradiction}")
    for place in ("first", "second"):
        signed = getattr(said, f"{place}_certificate", None) or getattr(said, f"{place}_signatures")
        print(f"  the {place}: {signed}")
    print("not proved:", *NOT_PROVED, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
