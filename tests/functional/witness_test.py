"""Witnesses: a sister cluster vouches for a log, and a rewritten one is found out."""

import shutil
import unittest

from client import event
from receipts import by_program, take_receipt, verify_in_python
from waiting import wait_until
from witnesses import Sisters, cosigned_at, openings, witnesses_of


def submit(node, source, count):
    """So many final events; the key of the last."""
    with node.client() as client:
        answer = client.submit([event(source, str(n)) for n in range(count)], wait="final")
        assert answer.status == 201, answer
        return answer.json()["events"][-1]["key"]


def detail(node, key):
    answer = node.ask(lambda client: client.get(f"/v1/events/{key}/status"))
    return answer.json()["detail"] if answer else None


def wait_witnessed(node, key):
    wait_until(lambda: detail(node, key) == "witnessed", f"{node} calls {key} witnessed", 60)


def witnessed_note(node):
    answer = node.ask(lambda client: client.get("/checkpoint/witnessed"))
    return answer.body.decode() if answer and answer.status == 200 else None


def metric(node, name):
    """The values of all samples of a family."""
    with node.client() as client:
        text = client.get("/metrics").body.decode()
    return [float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
            if line.startswith((f"eventchain_{name} ", f"eventchain_{name}{{"))]


class WitnessTest(unittest.TestCase):
    def test_events_become_witnessed_on_every_node_that_asks_and_anybody_can_check_it(self):
        with Sisters(log_nodes=3) as both:
            nodes = both.log.nodes
            key = submit(nodes[0], "/w", 20)
            for node in nodes:
                wait_witnessed(node, key)
                note = witnessed_note(node)
                text, lines = openings(note)
                self.assertGreaterEqual(int(text.split("\n")[1]), 20)
                self.assertGreaterEqual(len(lines), 2 + 2)  # voters and witnesses
                for verifier in both.verifiers:
                    self.assertIsNotNone(cosigned_at(note, verifier), note)
                self.assertGreaterEqual(metric(node, "witnessed_log_size_events")[0], 20)
                self.assertEqual(metric(node, "witness_alarm"), [0, 0])
            for node, port in zip(both.sister.nodes, both.ports, strict=True):
                logs = node.status()["cosigner"]["logs"]
                self.assertEqual([log["log_size"] for log in logs], ["20"], port)

            # Cosignatures do not disturb who holds a receipt against the note.
            checkpoint = both.log.directory / "witnessed"
            checkpoint.write_text(note)
            receipt = take_receipt(nodes[0], key, both.log.directory / "receipt", "--checkpoint", checkpoint)
            self.assertEqual(list(by_program([receipt], both.log.genesis, checkpoint)), [(0, None)])
            done = verify_in_python(receipt, "--trust", both.log.genesis, "--checkpoint", checkpoint)
            self.assertEqual(done.returncode, 0, done)

            # Anybody may show a witness what it has cosigned, and gets no more than that.
            with both.stranger(0) as client:
                body = f"old 20\n\n{note}".encode()
                answer = client.request("POST", "/add-checkpoint", body)
                self.assertEqual(answer.status, 200, answer)
                self.assertIsNotNone(cosigned_at(f"{text}\n{answer.body.decode()}", both.verifiers[0]))
                answer = client.request("POST", "/add-checkpoint", f"old 0\n\n{note}".encode())
                self.assertEqual((answer.status, answer.body), (409, b"20\n"), answer)
                self.assertEqual(answer.content_type, "text/x.tlog.size")
                forged = note.replace("\n20\n", "\n21\n", 1).encode()
                answer = client.request("POST", "/add-checkpoint", b"old 20\n\n" + forged)
                self.assertEqual(answer.status, 403, answer)
                self.assertEqual(client.get("/v1/cluster").status, 404)

    def test_what_is_witnessed_outlives_restarts_of_both_sides_and_waits_for_a_witness_that_is_away(self):
        with Sisters() as both:
            node, away = both.log.nodes[0], both.sister.nodes[1]
            first = submit(node, "/first", 5)
            wait_witnessed(node, first)
            away.stop()
            second = submit(node, "/second", 5)

            def is_cosigned_by_one():
                sizes = sorted(one.get("log_size") for one in witnesses_of(node)[0].values())
                return sizes == ["10", "5"]

            wait_until(is_cosigned_by_one, "the witness that is there cosigns")
            wait_until(lambda: any(one["condition"] == "silent" for one in witnesses_of(node)[0].values()),
                       "the one that is away is named")
            self.assertEqual(detail(node, second), "final")

            node.kill()
            both.sister.nodes[0].kill()
            node.start()
            node.wait_ready()
            self.assertEqual(detail(node, first), "witnessed")
            self.assertEqual(int(openings(witnessed_note(node))[0].split("\n")[1]), 5)
            both.sister.nodes[0].start()
            away.start()
            wait_witnessed(node, second)
            third = submit(node, "/third", 5)
            wait_witnessed(node, third)
            self.assertEqual(metric(node, "witness_alarm"), [0, 0])

    def test_a_rewritten_chain_with_the_same_keys_is_refused_and_raises_the_alarm(self):
        both = Sisters()
        node = both.log.nodes[0]
        # Its data as it is before the first start, and its keys, are all that a forger needs.
        virgin = both.log.directory / "virgin"
        shutil.copytree(node.data, virgin)
        with both:
            key = submit(node, "/true", 20)
            wait_witnessed(node, key)
            note = witnessed_note(node)
            node.stop()
            kept = node.data.with_name("kept")
            node.data.rename(kept)

            with self.subTest("a new history that is shorter, in a directory that knows of no witness"):
                shutil.copytree(virgin, node.data)
                node.start()
                node.wait_ready()
                forged = submit(node, "/forged", 5)
                self.wait_condition(both, "ahead")
                self.assertEqual(detail(node, forged), "final")
            with self.subTest("and longer"):
                forged = submit(node, "/longer", 30)
                self.wait_condition(both, "contradicts")
                self.assertEqual(detail(node, forged), "final")
                self.assertEqual(metric(node, "witness_alarm"), [1, 1])
                self.assertIn("ALARM", node.log.read_text())
                for sister in both.sister.nodes:
                    told = sister.status()["cosigner"]
                    self.assertEqual(told["logs"][0]["log_size"], "20", told)
                    self.assertGreater(int(told["unproven"]), 0, told)
            with self.subTest("the node that still has its witnesses' word sees it without asking them"):
                node.stop()
                for sister in both.sister.nodes:
                    sister.stop()
                shutil.copy(kept / "cosignatures.db", node.data / "cosignatures.db")
                node.start()
                node.wait_ready()
                self.assertIn("not in its log", witnesses_of(node)[1]["alarm"])
                self.assertEqual(detail(node, forged), "final")
                self.assertIsNone(witnessed_note(node))
                self.assertEqual(metric(node, "witness_memory_alarm"), [1])
            with self.subTest("the true history is at peace with its witnesses"):
                node.stop()
                shutil.rmtree(node.data)
                kept.rename(node.data)
                for sister in both.sister.nodes:
                    sister.start()
                node.start()
                node.wait_ready()
                self.assertEqual(detail(node, key), "witnessed")
                self.assertEqual(witnessed_note(node), note)
                wait_witnessed(node, submit(node, "/more", 5))
                self.assertNotIn("alarm", witnesses_of(node)[1])

    def test_a_witness_starts_with_its_own_key_and_memory_or_not_at_all(self):
        with Sisters(witnesses=1, quorum=1) as both:
            witness = both.sister.nodes[0]
            home = witness.home / "witness"
            witness.stop()

            def refuses(text):
                witness.start()
                self.assertEqual(wait_until(witness.end_of_itself, f"{witness} ends"), 1)
                self.assertIn(text, witness.log_tail())

            (home / "key.pem").chmod(0o640)
            refuses("chmod 600")
            (home / "key.pem").chmod(0o600)
            (home / "witness.db").rename(home / "kept")
            refuses("make a new one with a new key")
            (home / "kept").rename(home / "witness.db")
            (home / "key.pem").rename(home / "kept")
            shutil.copy(witness.home / "signing.key.pem", home / "key.pem")
            (home / "key.pem").chmod(0o600)
            refuses("own signing key")
            shutil.copy(both.log.nodes[0].home / "signing.key.pem", home / "key.pem")
            refuses("of two witnesses")
            (home / "kept").replace(home / "key.pem")
            witness.start()
            witness.wait_ready()
            wait_witnessed(both.log.nodes[0], submit(both.log.nodes[0], "/w", 3))

    def wait_condition(self, both, condition):
        node = both.log.nodes[0]

        def all_say_it():
            found = witnesses_of(node)[0].values()
            return found and all(one["condition"] == condition and one["alarm"] for one in found)

        wait_until(all_say_it, f"every witness is said to be: {condition}", 60)
        for name, one in witnesses_of(node)[0].items():
            self.assertIn("WITNESS.md", one["problem"], name)


if __name__ == "__main__":
    unittest.main()
