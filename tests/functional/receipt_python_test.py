"""Two programs that share nothing say the same of every receipt, and of every one that was changed.

tools/verify_receipt.py runs inside of this process, `eventchain receipt verify` takes many files at once.
"""

import base64
import collections
import hashlib
import itertools
import json
import pathlib
import tempfile
import unittest

from programs import ROOT, eventchain
from receipt_mutations import changed_texts, changed_values
from receipts import by_module, by_program, receipt_values, verify_in_python, verify_receipt
from seed import random_for

RECEIPTS = ROOT / "tests" / "data" / "receipts"
GENESIS = RECEIPTS / "genesis.json"
CHECKPOINT = RECEIPTS / "checkpoint.txt"
NAMES = ("event", "event-newer", "event-without-body", "event-consistency", "rejection", "block")
FILES_AT_ONCE = 400
SPELLED_OTHERWISE = "the same values, spelled otherwise"


def checkpoint_for(name):
    return CHECKPOINT if name == "event-consistency" else None


def immaterial(whole, octets):
    """What about a changed receipt may differ although it proves something; None if that is too much."""

    def spelled(value):
        return json.dumps(value, sort_keys=True)

    made = json.loads(octets)
    differ = [name for name in {**whole, **made} if spelled(whole.get(name)) != spelled(made.get(name))]
    if not differ:
        return SPELLED_OTHERWISE
    if differ == ["event"] and "event" not in made:
        return "the body is left out: it speaks of a commitment only"
    if differ == ["member_sets"] and sorted(made["member_sets"]) == sorted(whole["member_sets"]):
        return "the member sets in another order"
    if differ == ["certificate"] and all(one in whole["certificate"] for one in made["certificate"]):
        return "a majority's signatures are left"
    if differ == ["consistency"]:
        return "no path to the checkpoint's log"
    return None


class ReceiptPythonTest(unittest.TestCase):
    def setUp(self):
        self.genesis = receipt_values.read_genesis(GENESIS.read_bytes())
        directory = tempfile.TemporaryDirectory(prefix="eventchain-")
        self.addCleanup(directory.cleanup)
        self.work = pathlib.Path(directory.name)

    def test_both_take_the_golden_receipts(self):
        for name in NAMES:
            file, checkpoint = RECEIPTS / f"{name}.json", checkpoint_for(name)
            done = verify_in_python(file, "--trust", GENESIS, *(("--checkpoint", checkpoint) if checkpoint else ()))
            self.assertEqual(done.returncode, 0, done)
            self.assertIn("\nproved:\n", done.stdout)
            self.assertEqual(list(by_program([file], GENESIS, checkpoint)), [(0, None)])

    def test_both_refuse_every_change_at_the_same_step(self):
        made, accepted = collections.Counter(), collections.Counter()
        for name in NAMES:
            octets = (RECEIPTS / f"{name}.json").read_bytes()
            whole, checkpoint = json.loads(octets), checkpoint_for(name)
            known = receipt_values.read_checkpoint(checkpoint.read_bytes()) if checkpoint else None
            mutations = itertools.chain(changed_values(whole), changed_texts(octets, random_for(name)))
            while some := list(itertools.islice(mutations, FILES_AT_ONCE)):
                files = [self.work / f"{number}.json" for number in range(len(some))]
                for file, mutation in zip(files, some):
                    file.write_bytes(mutation.octets)
                told = list(by_program(files, GENESIS, checkpoint))
                self.assertEqual(len(told), len(some))
                for mutation, theirs in zip(some, told):
                    ours = by_module(mutation.octets, self.genesis, known)
                    self.assertEqual(ours, theirs, f"Python's and C++'s word on {name}: {mutation}")
                    made[theirs[1] or "none"] += 1
                    if theirs[0] != 3:
                        why = immaterial(whole, mutation.octets)
                        self.assertIsNotNone(why, f"{name}: {mutation} is accepted")
                        accepted[why] += 1
        steps = ", ".join(f"{step} {count}" for step, count in made.most_common())
        print(f"{made.total()} changed receipts, both programs agree; the steps that failed: {steps}")
        print("\n".join(f"  accepted by both, {count}: {why}" for why, count in accepted.most_common()))
        wanted = {"format", "chain", "member-sets", "body", "entry", "rejection", "seal", "work", "history",
                  "voters-6", "voters-8", "voters-10", "certificate", "checkpoint"}
        self.assertLessEqual(wanted, set(made))

    def test_exit_codes_are_the_same(self):
        event = RECEIPTS / "event.json"
        cut = self.work / "cut.json"
        cut.write_bytes(event.read_bytes()[:-20])
        other = self.work / "other.json"
        other.write_text(GENESIS.read_text().replace('"shop"', '"shap"'))
        none = self.work / "none.json"
        large = self.work / "large.json"
        large.write_bytes(event.read_bytes().ljust((16 << 20) + 1))
        for code, arguments in (
            (0, (event, "--trust", GENESIS)),
            (1, (none, "--trust", GENESIS)),
            (1, (self.work, "--trust", GENESIS)),
            (1, (large, "--trust", GENESIS)),
            (1, (event, "--trust", none)),
            (1, (event, "--trust", cut)),
            (1, (event, "--trust", event)),
            (1, (event, "--trust", GENESIS, "--checkpoint", none)),
            (1, (event, "--trust", GENESIS, "--checkpoint", event)),
            (2, (event,)),
            (2, (event, "--trust", GENESIS, "--colour")),
            (3, (cut, "--trust", GENESIS)),
            (3, (event, "--trust", other)),
            (4, (event, "--trust", GENESIS, "--checkpoint", CHECKPOINT)),
        ):
            with self.subTest(arguments=arguments):
                theirs = eventchain("receipt", "verify", *arguments, check=False)
                ours = verify_in_python(*arguments)
                self.assertEqual((theirs.returncode, ours.returncode), (code, code), (theirs, ours))
                self.assertNotIn("Traceback", ours.stderr)

    def test_a_changed_genesis_file_is_refused_or_another_chains(self):
        octets = GENESIS.read_bytes()
        whole, count = json.loads(octets), 0
        for mutation in itertools.chain(changed_values(whole), changed_texts(octets, random_for("genesis"))):
            count += 1
            try:
                chain = receipt_values.read_genesis(mutation.octets).chain
            except receipt_values.Refused:
                continue
            if chain == self.genesis.chain:
                self.assertEqual(immaterial(whole, mutation.octets), SPELLED_OTHERWISE, mutation)
        print(f"{count} changed genesis files")

    # --- checkpoints that voters signed ----------------------------------------------------------

    def note(self, name, step=None):
        """The certificate of a golden receipt's certified block, or of a step, as a signed checkpoint."""
        receipt = receipt_values.read_receipt((RECEIPTS / f"{name}.json").read_bytes())
        block, certificate = receipt.certified, receipt.certificate
        if step is not None:
            block, certificate = receipt.voters[step].block, receipt.voters[step].certificate
        origin = f"eventchain/{receipt.chain.hex()}"
        keys = {one.slot: one.key for one in receipt.set_of[block.member_set].members}
        lines = [
            *(origin, str(block.log_size), base64.b64encode(block.log_root).decode()),
            f"height {block.height}",
            f"block {verify_receipt.block_id(block, receipt.chain).hex()}",
            *(f"members {block.member_set.hex()}", ""),
        ]
        for one in certificate:
            id_ = hashlib.sha256(origin.encode() + b"\n\x01" + keys[one.slot]).digest()[:4]
            lines.append(f"\N{EM DASH} {origin} {base64.b64encode(id_ + one.signature).decode()}")
        return lines

    def judge(self, name, lines):
        """What the program in Python says; the other one agrees."""
        octets = "".join(f"{line}\n" for line in lines).encode()
        file = self.work / "note"
        file.write_bytes(octets)
        receipt = RECEIPTS / f"{name}.json"
        verdict = verify_receipt.verify(receipt.read_bytes(), self.genesis, receipt_values.read_checkpoint(octets))
        ours = verdict.exit_code(), verdict.failed_step
        self.assertEqual([ours], list(by_program([receipt], GENESIS, file)), lines)
        return verdict.exit_code(), verdict.reason or verdict.steps[-1][1]

    def test_a_signed_checkpoint_is_checked_by_the_voters_of_its_time(self):
        code, text = self.judge("event", self.note("event"))
        self.assertEqual(code, 0, text)
        self.assertIn("signed by n1, n2, n3", text)
        # Before the voters changed, at a block that changes them, and after.
        for note, names in (
            (self.note("event"), "n1, n2, n3"),
            (self.note("event-newer", 0), "n2, n3"),
            (self.note("event-newer", 1), "n1, n3, n4"),
            (self.note("event-newer", 2), "n3, n4"),
            (self.note("event-newer"), "n2, n4"),
        ):
            code, text = self.judge("event-newer", note)
            self.assertEqual(code, 4, text)
            self.assertIn(f"signed by {names}", text)
        # Voters whom this receipt does not know signed a later one.
        code, text = self.judge("event", self.note("event-newer"))
        self.assertEqual(code, 4, text)
        self.assertIn("may have become a voter after", text)

    def test_a_checkpoint_with_wrong_or_too_few_signatures_is_refused(self):
        note = self.note("event")
        stranger = f"\N{EM DASH} somebody {base64.b64encode(bytes(68)).decode()}"
        code, text = self.judge("event", [*note, stranger])
        self.assertEqual(code, 0, text)
        code, text = self.judge("event", note[:-1])
        self.assertEqual(code, 0, text)
        self.assertIn("signed by n1, n2", text)
        for lines in (note[:-2], [*note[:7], stranger]):
            self.assertEqual(
                self.judge("event", lines),
                (3, "those who signed the checkpoint are not a majority of the voters"),
            )
        other_height = [*note[:3], "height 2", *note[4:]]
        other_root = [*note[:2], base64.b64encode(bytes(32)).decode(), *note[3:]]
        other_signature = [*note[:7], note[7][:-9] + "AAAAAAAA=", *note[8:]]
        for lines in (other_height, other_root, other_signature):
            self.assertEqual(self.judge("event", lines), (3, "the signature of slot 0 does not hold"))

    def refuse(self, octets):
        """By both programs, before any receipt is looked at."""
        file = self.work / "note"
        file.write_bytes(octets)
        with self.subTest(octets=octets[:300]), self.assertRaises(receipt_values.Refused):
            receipt_values.read_checkpoint(octets)
        done = eventchain("receipt", "verify", RECEIPTS / "event.json", "--trust", GENESIS, "--checkpoint", file,
                          check=False)
        self.assertEqual(done.returncode, 1, (octets[:300], done))

    def test_every_change_to_a_signed_checkpoint_is_judged_alike(self):
        """Every octet of the text and of a signature, and lines out, twice, in another order or strangers' between.

        What is accepted has the same text, and signatures of a majority.
        """
        note = self.note("event-newer", 1)
        whole = "".join(f"{line}\n" for line in note).encode()
        stranger = f"\N{EM DASH} somebody {base64.b64encode(bytes(68)).decode()}"
        first_signature = whole.index(b"\n", whole.index(b"\n\n") + 2)
        mutants = [whole[:place] + bytes([whole[place] ^ (1, 0x20)[place % 2]]) + whole[place + 1:]
                   for place in range(first_signature + 1)]
        for place, line in enumerate(note):
            for lines in ([*note[:place], *note[place + 1:]], [*note[:place], line, *note[place:]],
                          [*note[:place], *note[place + 1:place + 2], line, *note[place + 2:]],
                          [*note[:place], stranger, *note[place:]]):
                mutants.append("".join(f"{one}\n" for one in lines).encode())
        newer = RECEIPTS / "event-newer.json"
        made, octets_of_receipt = collections.Counter(), newer.read_bytes()
        for octets in dict.fromkeys(mutants):
            file = self.work / "note"
            file.write_bytes(octets)
            done = eventchain("receipt", "verify", newer, "--trust", GENESIS, "--checkpoint", file, check=False)
            try:
                known = receipt_values.read_checkpoint(octets)
            except receipt_values.Refused:
                self.assertEqual(done.returncode, 1, (octets, done))
            else:
                ours, _ = by_module(octets_of_receipt, self.genesis, known)
                self.assertEqual(ours, done.returncode, (octets, done))
                if ours != 3 and known.height is not None:
                    self.assertEqual(octets[:octets.index(b"\n\n")], whole[:whole.index(b"\n\n")], octets)
            made[done.returncode] += 1
        print(f"{made.total()} changed checkpoints, both programs agree; by exit code: {dict(made)}")
        self.assertLessEqual({1, 3, 4}, set(made))

    def test_what_is_no_checkpoint_is_refused(self):
        note = self.note("event")
        for lines in (
            note[:2], [*note[:6], ""], [*note[:4], *note[6:]], [*note, "x"], [""], [], ["", *note[1:]],
            [note[0] + "\t", *note[1:]], [*note[:3]] + ["height 01"] + note[4:],
            [note[0], "03", note[2]], [*note[:2], "AAAA"], [*note[:7], note[7].replace("=", "")],
        ):
            self.refuse("".join(f"{line}\n" for line in lines).encode())
        for octets in (b"\xff\n", "\n".join(note).encode(), b"x\n" * (1 << 20)):
            self.refuse(octets)


if __name__ == "__main__":
    unittest.main()
