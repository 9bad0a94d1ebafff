"""Work proofs: what one node made shows by the genesis file alone that the work was done."""

import json
import shutil
import unittest

from client import event
from cluster import Cluster
from programs import eventchain
from receipt_test import changed, leaves
from seed import random_for
from waiting import wait_until

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_NOT_PROVED = 3
EXIT_NOT_YET = 4

# So few that a chain of some tens of blocks has some that are not shown.
ASKED = ("--bits", 2, "--last", 3)
LEAST = ("--bits", 2)


class IdleCluster(Cluster):
    """One whose blocks are paced, not worked for."""

    work = ("--work", "none", "--interval-ms", 100)


class WorkProofTest(unittest.TestCase):
    def prove(self, node, out, *asked, check=True):
        return eventchain(
            *("chain", "prove-work", "--endpoint", f"http://127.0.0.1:{node.api_port}"),
            *("--out", out, *asked),
            check=check,
        )

    def verify(self, file, genesis, *least):
        """The exit code, and what is said of the file."""
        done = eventchain(
            *("chain", "verify-work", file, "--trust", genesis, *(least or LEAST), "-o", "json"),
            check=False,
        )
        return done.returncode, json.loads(done.stdout)

    def grow(self, cluster, blocks):
        with cluster.nodes[0].client() as client:
            for number in range(blocks):
                answer = client.submit(event("/w", f"e{number}"), wait="final")
                self.assertEqual(answer.status, 201, answer)

    def test_the_work_of_a_chain_is_proved_by_any_node_and_by_a_cold_copy(self):
        with Cluster() as cluster:
            work = cluster.directory
            self.grow(cluster, 40)
            files = []
            for node in cluster.nodes:
                file = work / f"{node.name}.json"
                wait_until(
                    lambda: self.prove(node, file, *ASKED, check=False).returncode == 0,
                    f"{node} has a certificate",
                )
                files.append(file)
            for file in files:
                code, told = self.verify(file, cluster.genesis)
                self.assertEqual((code, told["proved"]), (0, True), told)
                facts = told["facts"]
                self.assertGreaterEqual(int(facts["head"]), 40)
                self.assertGreater(facts["samples"], 0)
                self.assertLess(facts["blocks_shown"], int(facts["head"]))
                self.assertLess(int(facts["work_shown"]), int(facts["work_claimed"]))
                self.assertGreaterEqual(len(facts["signers"]), 2)
            done = eventchain("chain", "verify-work", files[0], "--trust", cluster.genesis, *LEAST)
            self.assertIn("at least 50 % of that were really done", done.stdout)
            self.assertIn("not proved:", done.stdout)

            cluster.wait_same_tip()
            cluster.nodes[2].stop()
            copy = work / "copy"
            shutil.copytree(cluster.nodes[2].data, copy)
            cold = work / "cold.json"
            eventchain(
                *("chain", "prove-work", "--data", copy, "--genesis", cluster.genesis),
                *("--percent", 90, "--bits", 4, "--last", 2, "--out", cold),
            )
            code, told = self.verify(cold, cluster.genesis, "--percent", 90, "--bits", 4)
            self.assertEqual((code, told["facts"]["percent"]), (0, 90), told)
            # Less than what is asked for by default.
            code, told = self.verify(cold, cluster.genesis, "--bits", 40)
            self.assertEqual((code, told["failed_step"]), (EXIT_NOT_PROVED, "parameters"))

            self.expect_all_caught(files[0], work, cluster.genesis)
            self.expect_errors(cluster, files[0], copy)

    def expect_all_caught(self, proof, directory, genesis):
        """Every value that is changed is caught."""
        random = random_for("work-proof")
        whole = json.loads(proof.read_text())
        steps = set()
        file = directory / "changed.json"
        for path in leaves(whole):
            if path[0] in ("blocks", "nodes") and path[1] % 4 > 0:
                continue
            # With a bit more it may be the proof that this asks for.
            if path in (("sampling", "bits"), ("sampling", "last")):
                continue
            file.write_text(json.dumps(changed(whole, path, random)))
            code, told = self.verify(file, genesis)
            self.assertEqual((code, told["proved"]), (EXIT_NOT_PROVED, False), path)
            steps.add(told["failed_step"])
        self.assertLessEqual({"format", "head-chain", "history"}, steps)

    def expect_errors(self, cluster, proof, copy):
        work = cluster.directory
        other = work / "other.json"
        other.write_text(cluster.genesis.read_text().replace('"tested"', '"tester"'))
        code, told = self.verify(proof, other)
        self.assertEqual((code, told["failed_step"]), (EXIT_NOT_PROVED, "head-chain"))
        cut = work / "cut.json"
        cut.write_text(proof.read_text()[:-20])
        code, told = self.verify(cut, cluster.genesis)
        self.assertEqual((code, told["failed_step"]), (EXIT_NOT_PROVED, "format"))
        # A receipt is not a work proof.
        head = json.loads(proof.read_text())["head"]
        cut.write_text(json.dumps(head))
        code, told = self.verify(cut, cluster.genesis)
        self.assertEqual((code, told["failed_step"]), (EXIT_NOT_PROVED, "format"))
        done = eventchain(
            "chain", "verify-work", work / "none.json", "--trust", cluster.genesis, check=False
        )
        self.assertEqual(done.returncode, EXIT_ERROR, done)
        done = eventchain("chain", "prove-work", "--data", copy, check=False)
        self.assertEqual(done.returncode, EXIT_USAGE, done)
        done = self.prove(cluster.nodes[0], work / "x.json", "--percent", 60, check=False)
        self.assertEqual(done.returncode, EXIT_USAGE, done)

    def test_a_chain_without_work_has_nothing_to_prove(self):
        with IdleCluster(nodes=1) as cluster:
            self.grow(cluster, 2)
            out = cluster.directory / "none.json"
            done = self.prove(cluster.nodes[0], out, check=False)
            self.assertEqual(done.returncode, EXIT_ERROR, done)
            self.assertIn("no work to prove", done.stderr)
            self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main()
