"""Two programs judge forged receipts."""

import json
import pathlib
import tempfile
import unittest

from receipts import by_module, by_program
from receipts import receipt_values as values


class Judged(unittest.TestCase):
    """Forged receipts before both programs."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="eventchain-")
        self.addCleanup(directory.cleanup)
        self.work = pathlib.Path(directory.name)

    def judge(self, forge, cases, checkpoint=None):
        """Cases are (what it is, receipt, the step that refuses it or None); both programs on each."""
        genesis, files = self.work / "genesis.json", []
        genesis.write_text(json.dumps(forge.genesis))
        for number, (_, receipt, _) in enumerate(cases):
            files.append(self.work / f"{number}.json")
            files[-1].write_text(json.dumps(receipt))
        told = list(by_program(files, genesis, checkpoint))
        self.assertEqual(len(told), len(cases))
        trusted = values.read_genesis(genesis.read_bytes())
        known = values.read_checkpoint(checkpoint.read_bytes()) if checkpoint else None
        for (what, _, step), file, theirs in zip(cases, files, told):
            with self.subTest(what=what):
                ours = by_module(file.read_bytes(), trusted, known)
                wanted = (3 if step else 0, step)
                self.assertEqual((ours, theirs), (wanted, wanted), "Python's and C++'s word")
