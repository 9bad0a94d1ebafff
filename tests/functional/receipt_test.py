"""Receipts: what one node made is verified by the genesis file alone, and whatever is changed in it shows."""

import base64
import json
import pathlib
import shutil
import unittest

from client import event
from cluster import Cluster
from membership_test import GrowingCluster
from programs import eventchain
from receipts import EXIT_NOT_YET, take_receipt, verify_in_python
from seed import random_for
from waiting import wait_until

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_NOT_PROVED = 3


def leaves(value, path=()):
    """Where the strings and numbers of a JSON value are."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, (*path, place))
    else:
        yield path


def changed(value, path, random):
    """A copy of a JSON value in which one character of one leaf is another of the same kind."""
    made = json.loads(json.dumps(value))
    holder = made
    for name in path[:-1]:
        holder = holder[name]
    leaf = holder[path[-1]]
    if isinstance(leaf, int):
        holder[path[-1]] = leaf + 1
        return made
    place = random.randrange(len(leaf))
    letters = "0123456789" if leaf[place].isdigit() else "abcdef"
    other = random.choice([letter for letter in letters if letter != leaf[place]])
    holder[path[-1]] = leaf[:place] + other + leaf[place + 1 :]
    return made


class ReceiptTest(unittest.TestCase):
    def verify(self, *files, genesis, more=()):
        """The finished process, and what it says of each file."""
        done = eventchain(
            *("receipt", "verify", *files, "--trust", genesis, "-o", "json", *more), check=False
        )
        told = json.loads(done.stdout) if done.stdout else []
        return done, told if isinstance(told, list) else [told]

    def prove(self, *files, genesis, more=()):
        """By both programs that can."""
        done, told = self.verify(*files, genesis=genesis, more=more)
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(all(one["proved"] for one in told), told)
        for file, one in zip(files, told):
            done = verify_in_python(file, "--trust", genesis, *more)
            self.assertEqual(done.returncode, 0, done)
            steps = [line.split(":")[0] for line in done.stdout.split("\n\n")[0].splitlines()]
            self.assertEqual(steps, [step["step"] for step in one["steps"]])
        return told

    def changed_files(self, receipt, directory):
        """One file for each leaf of a receipt, changed there; by what was changed."""
        random = random_for("receipt")
        whole = json.loads(receipt.read_text())
        files = {}
        for number, path in enumerate(leaves(whole)):
            file = directory / f"changed-{number}.json"
            file.write_text(json.dumps(changed(whole, path, random)))
            files[path] = file
        return files

    def expect_all_caught(self, receipt, directory, genesis):
        """Every leaf that is changed is caught, and which steps catch them."""
        files = self.changed_files(receipt, directory)
        done, told = self.verify(*files.values(), genesis=genesis)
        self.assertEqual(done.returncode, EXIT_NOT_PROVED, done)
        self.assertEqual(len(told), len(files))
        for path, verdict in zip(files, told):
            self.assertFalse(verdict["proved"], path)
        return {verdict["failed_step"] for verdict in told}

    def test_what_any_node_made_of_a_completed_or_a_rejected_event_holds_and_no_byte_may_change(self):
        with Cluster() as cluster:
            work = cluster.directory
            with cluster.nodes[0].client() as client:
                batch = [event("/r", f"e{number}", stream="s") for number in range(20)]
                answer = client.submit(batch, wait="final")
                self.assertEqual(answer.status, 201, answer)
                keys = [outcome["key"] for outcome in answer.json()["events"]]
                # Two that want to be the next one of the stream: a block takes one of them.
                rivals = [event("/r", name, stream="s", expected=19) for name in ("soon", "late")]
                client.submit(rivals, wait="completed")
                late = client.get("/v1/events", source="/r", id="late").json()
                self.assertEqual(late["status"], "rejected", late)
                rejected, height = late["key"], int(late["height"])
            wait_until(
                lambda: all(int(node.status()["certified"]) >= height for node in cluster.nodes),
                "the rejection is final everywhere",
            )

            taken = [
                take_receipt(node, keys[7], work / f"{node.name}.json") for node in cluster.nodes
            ]
            told = self.prove(*taken, genesis=cluster.genesis)
            for one in told:
                self.assertIn("id 'e7', source '/r'", one["proves"][0])
                self.assertGreaterEqual(len(one["facts"]["signers"]), 2)
            refused = take_receipt(cluster.nodes[2], rejected, work / "rejected.json")
            (one,) = self.prove(refused, genesis=cluster.genesis)
            self.assertIn("rejected the event with id 'late'", one["proves"][0])

            # Of a whole stream, as files.
            eventchain(
                *("event", "receipt", "--stream", "s", "--out", work / "stream"),
                *("--endpoint", f"http://127.0.0.1:{cluster.nodes[1].api_port}"),
            )
            files = sorted((work / "stream").glob("*.json"))
            self.assertLessEqual(set(keys), {file.stem for file in files})
            self.assertEqual(len(files), len(keys) + 1)
            self.prove(*files, genesis=cluster.genesis)

            steps = self.expect_all_caught(taken[0], work, cluster.genesis)
            self.assertLessEqual({"format", "chain", "body", "entry", "certificate"}, steps)
            steps = self.expect_all_caught(refused, work, cluster.genesis)
            self.assertIn("rejection", steps)

            self.expect_errors(cluster, taken[0])

    def expect_errors(self, cluster, receipt):
        work = cluster.directory
        done, _ = self.verify(work / "none.json", genesis=cluster.genesis)
        self.assertEqual(done.returncode, EXIT_ERROR, done)
        self.assertIn("none.json", done.stderr)
        done = eventchain("receipt", "verify", receipt, check=False)
        self.assertEqual(done.returncode, EXIT_USAGE, done)
        cut = work / "cut.json"
        cut.write_text(receipt.read_text()[:-20])
        done, (told,) = self.verify(cut, genesis=cluster.genesis)
        self.assertEqual((done.returncode, told["failed_step"]), (EXIT_NOT_PROVED, "format"), done)
        # Another chain's constitution, which differs in a letter.
        other = work / "other.json"
        other.write_text(cluster.genesis.read_text().replace('"tested"', '"tester"'))
        done, (told,) = self.verify(receipt, genesis=other)
        self.assertEqual((done.returncode, told["failed_step"]), (EXIT_NOT_PROVED, "chain"), done)

    def test_a_cold_data_directory_gives_receipts_and_a_checkpoint_says_whether_it_is_one_history(self):
        with Cluster() as cluster:
            work = cluster.directory
            with cluster.nodes[0].client() as client:
                first = client.submit(event("/r", "first"), wait="final").json()["key"]
                client.submit([event("/r", f"e{n}") for n in range(30)], wait="final")
                note = client.get("/checkpoint").body.decode()
            online = take_receipt(cluster.nodes[0], first, work / "online.json")
            cluster.wait_same_tip()
            node = cluster.nodes[1]
            node.stop()
            copy = work / "copy"
            shutil.copytree(node.data, copy)
            checkpoint = work / "checkpoint"
            checkpoint.write_text(note)

            cold = work / "cold.json"
            eventchain(
                *("event", "receipt", "/r", "first", "--data", copy, "--genesis", cluster.genesis),
                *("--checkpoint", checkpoint, "--newest", "--out", cold),
            )
            known = ("--checkpoint", checkpoint)
            (told,) = self.prove(cold, genesis=cluster.genesis, more=known)
            self.assertIn("work_since", told["facts"])
            self.assertTrue(any("one history" in sentence for sentence in told["proves"]), told)
            # What was taken before has no path to that log: nothing is wrong, and nothing shown.
            done, (told,) = self.verify(online, genesis=cluster.genesis, more=known)
            self.assertEqual((done.returncode, told["proved"]), (EXIT_NOT_YET, True), done)
            done = verify_in_python(online, "--trust", cluster.genesis, *known)
            self.assertEqual(done.returncode, EXIT_NOT_YET, done)
            # The second program also asks who signed the checkpoint.
            done = verify_in_python(cold, "--trust", cluster.genesis, *known)
            self.assertIn("it is signed by n", done.stdout)

            # Another root of a log of that size, and the same of another log.
            origin, size, root = note.split("\n")[:3]
            for lines in (
                (origin, size, base64.b64encode(bytes(32)).decode()),
                (origin[:-1], size, root),
            ):
                checkpoint.write_text("".join(f"{line}\n" for line in lines))
                done, (told,) = self.verify(cold, genesis=cluster.genesis, more=known)
                self.assertEqual(
                    (done.returncode, told["failed_step"]), (EXIT_NOT_PROVED, "checkpoint"), done
                )
                done = verify_in_python(cold, "--trust", cluster.genesis, *known)
                self.assertEqual(done.returncode, EXIT_NOT_PROVED, done)
                self.assertIn("checkpoint: FAILED", done.stdout)

    def test_receipts_lead_past_voters_that_come_and_go(self):
        with GrowingCluster() as cluster:
            work = pathlib.Path(cluster.directory)
            with cluster.nodes[0].client() as client:
                before = client.submit(event("/r", "before"), wait="final").json()["key"]
            cluster.take_in("d", "standby")
            cluster.order("promote", "d")
            cluster.wait_role("d", "voter")
            cluster.order("demote", cluster.follower().name)
            with cluster.leader().client() as client:
                answer = client.submit(event("/r", "after"), wait="final")
                self.assertEqual(answer.status, 201, answer)
                after = answer.json()["key"]
            leader = cluster.leader()
            files = [
                take_receipt(leader, after, work / "after.json"),
                take_receipt(leader, before, work / "before.json", "--newest"),
            ]
            for told in self.prove(*files, genesis=cluster.genesis):
                steps = [one["step"] for one in told["steps"]]
                self.assertEqual(sum(step.startswith("voters-") for step in steps), 2, steps)
            steps = self.expect_all_caught(files[1], work, cluster.genesis)
            self.assertTrue(any(step.startswith("voters-") for step in steps), steps)
            self.assertIn("history", steps)


if __name__ == "__main__":
    unittest.main()
