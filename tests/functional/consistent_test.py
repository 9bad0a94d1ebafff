"""Two histories of one chain, made by real nodes from the same genesis file and keys, and how they come to light."""

import base64
import json
import re
import shutil
import unittest

from client import event
from cluster import Cluster
from programs import eventchain
from receipts import evidence_by_program, take_receipt, verify_evidence_in_python
from seed import random_for
from waiting import wait_until

EXIT_TWO_HISTORIES = 3
EXIT_UNKNOWN = 4
BLOCKS = 4


def url(node):
    return f"http://127.0.0.1:{node.api_port}"


def write(node, name):
    """Events of their own in some blocks, all final here."""
    with node.client() as client:
        for number in range(BLOCKS):
            answer = client.submit(event("/c", f"{name}-{number}"), wait="final")
            assert answer.status == 201, answer


def take_checkpoint(node, out):
    with node.client() as client:
        out.write_bytes(client.get("/checkpoint").body)
    return out


def take_block(height, out, *where):
    def done():
        asked = eventchain("chain", "receipt", height, "--out", out, *where, check=False)
        return asked if asked.returncode != EXIT_UNKNOWN else None

    asked = wait_until(done, f"a receipt of block {height}")
    assert asked.returncode == 0, asked
    return out


class TwoHistories(Cluster):
    """Its nodes begin anew, from the same files, with nothing of what they knew."""

    def __init__(self, *parts, **options):
        super().__init__(*parts, **options)
        for node in self.nodes:
            shutil.copytree(node.data, node.home / "fresh")

    def begin_anew(self):
        """Where the first history of each node lies now."""
        for node in self.nodes:
            node.stop()
        first = [node.home / "first" for node in self.nodes]
        for node, place in zip(self.nodes, first):
            node.data.rename(place)
            shutil.copytree(node.home / "fresh", node.data)
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_ready()
        return first


class ConsistentTest(unittest.TestCase):
    def compare(self, cluster, a, b, code, verdict, *more):
        out = cluster.directory / f"evidence-{len(list(cluster.directory.glob('evidence-*')))}.json"
        done = eventchain("chain", "consistent", a, b, "--trust", cluster.genesis, "--out", out, "-o", "json", *more,
                          check=False)
        self.assertEqual(done.returncode, code, done)
        told = json.loads(done.stdout)
        self.assertEqual(told["verdict"], verdict, told)
        self.assertEqual(out.exists(), verdict == "two-histories", told)
        if verdict != "two-histories":
            return told
        self.assertEqual(list(evidence_by_program([out], cluster.genesis)), [(0, None)])
        done = verify_evidence_in_python(out, "--trust", cluster.genesis)
        self.assertEqual(done.returncode, 0, done)
        return out

    def expect_one_history(self, cluster, a, b, *more):
        return self.compare(cluster, a, b, 0, "consistent", *more)

    def expect_two(self, cluster, a, b, *more):
        return self.compare(cluster, a, b, EXIT_TWO_HISTORIES, "two-histories", *more)

    def expect_two_histories_to_show(self, cluster):
        work, node = cluster.directory, cluster.nodes[-1]
        write(node, "one")
        event_receipt = take_receipt(node, "/c one-3", work / "event.json")
        early = take_checkpoint(node, work / "early")
        write(node, "more")
        checkpoint = take_checkpoint(node, work / "checkpoint")
        height = int(re.search("height ([0-9]+)", checkpoint.read_text())[1])
        block_receipt = take_block(height, work / "block.json", "--endpoint", url(node))
        plain = work / "plain"
        plain.write_text(checkpoint.read_text().split("\n\n")[0] + "\n")

        kept = (event_receipt, early, checkpoint, block_receipt, plain)
        for one in kept:
            for member in cluster.nodes:
                wait_until(lambda: int(member.status()["certified"]) >= height, f"{member} has block {height}")
                self.expect_one_history(cluster, one, url(member))
        for member in cluster.nodes[1:]:
            self.expect_one_history(cluster, url(cluster.nodes[0]), url(member))
        # Two files that do not meet, and a member who has both.
        told = self.compare(cluster, early, checkpoint, EXIT_UNKNOWN, "unknown")
        self.assertIn("--endpoint", told["said"][0])
        self.expect_one_history(cluster, early, checkpoint, "--endpoint", url(node))

        first = cluster.begin_anew()[-1]
        for number in range(3 * BLOCKS):
            write(node, f"other-{number}")
            if number >= 2 and int(node.status()["certified"]) >= height:
                break
        for one in kept[:-1]:
            out = self.expect_two(cluster, one, url(node))
        self.compare(cluster, plain, url(node), EXIT_TWO_HISTORIES, "contradiction")
        # The stopped node's database against the node that goes on.
        self.expect_two(cluster, first, url(node))
        self.expect_one_history(cluster, first, block_receipt)
        self.expect_one_history(cluster, take_block(1, work / "cold.json", "--data", first, "--genesis",
                                                    cluster.genesis), first)
        self.expect_two(cluster, take_block(height, work / "other.json", "--endpoint", url(node)), first)
        other = take_checkpoint(node, work / "other")
        self.expect_two(cluster, early, other, "--endpoint", url(node))
        # Nothing is written over, and that is told.
        done = eventchain("chain", "consistent", first, url(node), "--trust", cluster.genesis, "--out", out, check=False)
        self.assertEqual(done.returncode, EXIT_TWO_HISTORIES, done)
        self.assertIn("not kept", done.stderr)
        return out

    def expect_all_caught(self, cluster, evidence):
        """Every letter of it changed, one at a time."""
        whole, random = evidence.read_text().rstrip(), random_for("evidence")
        files = []
        for place in random.sample(range(len(whole)), 400):
            letters = "0123456789abcdef" if whole[place] in "0123456789abcdef" else "xyz"
            other = random.choice([letter for letter in letters if letter != whole[place]])
            files.append(cluster.directory / f"changed-{place}")
            files[-1].write_text(whole[:place] + other + whole[place + 1 :])
        told = list(evidence_by_program(files, cluster.genesis))
        self.assertEqual([code for code, _ in told], [3] * len(files))
        print(f"{len(files)} changes to evidence of real nodes, all caught")

    def test_one_voter_s_two_histories(self):
        with TwoHistories(1) as cluster:
            evidence = self.expect_two_histories_to_show(cluster)
            self.expect_all_caught(cluster, evidence)

    def test_three_voters_two_histories(self):
        with TwoHistories() as cluster:
            self.expect_two_histories_to_show(cluster)

    def test_who_does_not_answer_or_is_another_chain_is_no_evidence(self):
        with Cluster(1) as cluster, Cluster(1) as stranger:
            for one in (cluster, stranger):
                write(one.nodes[0], "one")
            receipt = take_block(2, cluster.directory / "block.json", "--endpoint", url(cluster.nodes[0]))
            self.compare(cluster, receipt, url(stranger.nodes[0]), 3, "unverified")
            note = take_checkpoint(stranger.nodes[0], cluster.directory / "note")
            self.compare(cluster, receipt, note, 3, "unverified")
            forged = cluster.directory / "forged"
            origin = take_checkpoint(cluster.nodes[0], forged).read_text().split("\n")[0]
            forged.write_text(f"{origin}\n1\n{base64.b64encode(bytes(32)).decode()}\n")
            self.compare(cluster, forged, url(cluster.nodes[0]), 3, "contradiction")
            cluster.nodes[0].stop()
            told = self.compare(cluster, receipt, url(cluster.nodes[0]), EXIT_UNKNOWN, "unknown")
            self.assertIn(url(cluster.nodes[0]), told["said"][0])


if __name__ == "__main__":
    unittest.main()
