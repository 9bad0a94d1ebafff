"""Two programs that share nothing say the same of evidence of two histories, and of every change to it."""

import collections
import functools
import hashlib
import itertools
import json
import pathlib
import tempfile
import unittest
import unittest.mock
from types import SimpleNamespace

import receipt_forge
from programs import ROOT, eventchain
from receipt_mutations import changed_texts, changed_values
from receipts import (
    evidence_by_program, receipt_values, verify_evidence, verify_evidence_in_python, verify_receipt,
)
from seed import random_for

RECEIPTS = ROOT / "tests" / "data" / "receipts"
GENESIS = RECEIPTS / "genesis.json"
NAMES = ("evidence-receipts", "evidence-checkpoint", "evidence-checkpoints")
FILES_AT_ONCE = 400


def immaterial(whole, octets):
    """Why changed evidence may still be some: it has the same two things of the same histories."""

    def head(part):
        if isinstance(part, str):
            return part.split("\n\n")[0]
        return json.dumps([part["block"], part.get("newer")], sort_keys=True)

    made = json.loads(octets)
    if json.dumps(made, sort_keys=True) == json.dumps(whole, sort_keys=True):
        return "the same values, spelled otherwise"
    if sorted(map(head, (made["first"], made["second"]))) == sorted(map(head, (whole["first"], whole["second"]))):
        return "the same blocks, with less or more beside them that does not matter"
    return None


class EvidencePythonTest(unittest.TestCase):
    def setUp(self):
        self.genesis = receipt_values.read_genesis(GENESIS.read_bytes())
        directory = tempfile.TemporaryDirectory(prefix="eventchain-")
        self.addCleanup(directory.cleanup)
        self.work = pathlib.Path(directory.name)

    def test_both_take_the_golden_evidence(self):
        for name in NAMES:
            file = RECEIPTS / f"{name}.json"
            done = verify_evidence_in_python(file, "--trust", GENESIS)
            self.assertEqual(done.returncode, 0, done)
            self.assertIn("two histories of one chain: other-block", done.stdout)
            self.assertEqual(list(evidence_by_program([file], GENESIS)), [(0, None)])
            done = eventchain("evidence", "verify", file, "--trust", GENESIS)
            self.assertIn("TWO HISTORIES", done.stdout)
            self.assertIn("Which of the two is the true history", done.stdout)

    def test_both_refuse_every_change_at_the_same_step(self):
        made, accepted = collections.Counter(), collections.Counter()
        for name in NAMES:
            octets = (RECEIPTS / f"{name}.json").read_bytes()
            whole = json.loads(octets)
            random = random_for(name)
            mutations = itertools.chain(changed_values(whole), changed_texts(octets, random))
            # Receipts have a test of their own: of two, some of the changes are enough.
            every = 4 if name == "evidence-receipts" else 1
            mutations = itertools.islice(mutations, random.randrange(every), None, every)
            while some := list(itertools.islice(mutations, FILES_AT_ONCE)):
                files = [self.work / f"{number}.json" for number in range(len(some))]
                for file, mutation in zip(files, some):
                    file.write_bytes(mutation.octets)
                told = list(evidence_by_program(files, GENESIS))
                self.assertEqual(len(told), len(some))
                for mutation, theirs in zip(some, told):
                    verdict = verify_evidence.verify(mutation.octets, self.genesis)
                    ours = verdict.exit_code(), verdict.failed_step
                    self.assertEqual(ours, theirs, f"Python's and C++'s word on {name}: {mutation}")
                    made[theirs[1] or "none"] += 1
                    if theirs[0] == 0:
                        why = immaterial(whole, mutation.octets)
                        self.assertIsNotNone(why, f"{name}: {mutation} is accepted")
                        accepted[why] += 1
        steps = ", ".join(f"{step} {count}" for step, count in made.most_common())
        print(f"{made.total()} changed files of evidence, both programs agree; the steps that failed: {steps}")
        print("\n".join(f"  accepted by both, {count}: {why}" for why, count in accepted.most_common()))
        wanted = {"format", "first.chain", "first.certificate", "second.history", "second.certificate",
                  "second.signatures", "first.signatures"}
        self.assertLessEqual(wanted, set(made))

    def test_exit_codes_are_the_same(self):
        file = RECEIPTS / "evidence-receipts.json"
        none, other = self.work / "none.json", self.work / "other.json"
        other.write_text(GENESIS.read_text().replace('"shop"', '"shap"'))
        twice = json.loads(file.read_text())
        twice["second"] = twice["first"]
        same = self.work / "same.json"
        same.write_text(json.dumps(twice))
        for code, arguments in (
            (0, (file, "--trust", GENESIS)),
            (1, (none, "--trust", GENESIS)),
            (1, (file, "--trust", none)),
            (2, (file,)),
            (3, (file, "--trust", other)),
            (3, (same, "--trust", GENESIS)),
            (3, (RECEIPTS / "event.json", "--trust", GENESIS)),
        ):
            with self.subTest(arguments=arguments):
                theirs = eventchain("evidence", "verify", *arguments, check=False)
                ours = verify_evidence_in_python(*arguments)
                self.assertEqual((theirs.returncode, ours.returncode), (code, code), (theirs, ours))
                self.assertNotIn("Traceback", ours.stderr)
        done = eventchain("receipt", "verify", file, "--trust", GENESIS, check=False)
        self.assertEqual(done.returncode, 3, done)


# Two keys with one id under this name, as tests/unit/chain/note_check_test.cpp has them.
NAME = "log.example/collision"
SEEDS = [hashlib.sha256(text).digest() for text in (b"key 15594", b"key 18094")]


@functools.cache
def public_key(seed):
    return receipt_forge.openssl(*"pkey -inform DER -in key -pubout -outform DER".split(), octets=(seed, b""))[-32:]


def signed_note(by, height=9):
    """A checkpoint with the lines of these seeds."""
    text, signatures = f"{NAME}\n7\n{'A' * 43}=\n".encode(), []
    for seed in by:
        id_ = hashlib.sha256(NAME.encode() + b"\n\x01" + public_key(seed)).digest()[:4]
        arguments = "pkeyutl -sign -keyform DER -inkey key -rawin -in message".split()
        signatures.append((NAME, id_, receipt_forge.openssl(*arguments, octets=(seed, text))))
    return SimpleNamespace(origin=NAME, height=height, text=text, signatures=signatures)


def voters(*seeds):
    members = [SimpleNamespace(slot=slot, key=public_key(seed), name=b"n%d" % (slot + 1), role=receipt_values.VOTER)
               for slot, seed in enumerate(seeds)]
    return receipt_values.MemberSet(b"", members, 0)


class NoteSignersTest(unittest.TestCase):
    """What no file of evidence shows cheaply; the unit tests ask the same of the other program."""

    def judge(self, note, *seeds):
        return verify_receipt.signers_of_note(note, voters(*seeds), voters(*seeds), {})

    def test_a_line_is_of_all_keys_of_its_id(self):
        one, other = SEEDS
        for by, verdict in (
            ((one, other), ("n1, n2", True)),
            ((other, one), ("n1, n2", True)),
            ((one,), ("n1", False)),
            ((other,), ("n2", False)),
            ((other, other), ("n2", False)),
            ((one, other, one), ("n1, n2", True)),
        ):
            self.assertEqual(self.judge(signed_note(by), one, other), verdict)
        thrice = signed_note((one, other, one))
        thrice.signatures[2] = (*thrice.signatures[2][:2], bytes(64))
        for note, known in ((thrice, SEEDS), (signed_note((one, other)), SEEDS[:1]), (signed_note((other,)), SEEDS[:1])):
            with self.assertRaises(receipt_values.Refused):
                self.judge(note, *known)
        spoilt = signed_note((one, other))
        name, id_, signature = spoilt.signatures[1]
        spoilt.signatures[1] = name, id_, signature[:-1] + bytes([signature[-1] ^ 1])
        with self.assertRaises(receipt_values.Refused):
            self.judge(spoilt, one, other)

    def test_a_note_costs_each_line_and_key_once(self):
        one, other = SEEDS
        alike, differing = signed_note((one,) * 100), signed_note((one,) * 100)
        differing.signatures = [(name, id_, bytes([at]) * 64)
                                for at, (name, id_, _) in enumerate(differing.signatures)]
        for note, holds in ((alike, False), (differing, False), (differing, True)):
            with unittest.mock.patch.object(verify_receipt, "signature_holds", return_value=holds) as asked:
                with self.assertRaises(receipt_values.Refused):
                    verify_evidence.check_signatures(note, [(at, voters(one)) for at in range(9)])
                self.assertEqual(asked.call_count, 1)

    def test_who_signed_as_a_voter_of_an_older_set_is_told_to_be_one(self):
        one, other = SEEDS
        stranger = hashlib.sha256(b"key 1").digest()
        sets = [(0, voters(one)), (4, voters(other)), (6, voters(stranger))]
        check = verify_evidence.check_signatures
        self.assertEqual(check(signed_note((stranger,)), sets), "signed by n1")
        self.assertEqual(
            check(signed_note((one,)), sets),
            "signed by n1, as voters of an older set: it was in force from block 0 on, and block 4 superseded it",
        )
        self.assertIn("block 6 superseded it", check(signed_note((other,)), sets))
        self.assertEqual(check(signed_note((other,), height=6), sets), "signed by n1")


if __name__ == "__main__":
    unittest.main()
