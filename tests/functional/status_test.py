"""What an operator is told: cluster status, cluster top and doctor, of a cluster that is well and of
one in which things go wrong."""

import json
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import sys
import unittest

from client import event
from cluster import Cluster
from disk_full_test import RESERVE, SmallDisk
from programs import clean_environment, eventchain, program
from waiting import wait_until

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "faults"))

from clock import PACKAGE, Clock, library  # noqa: E402
from links import ProxyLinks  # noqa: E402


def endpoints(nodes):
    return [part for node in nodes for part in ("--endpoint", f"http://127.0.0.1:{node.api_port}")]


def status(nodes, *options):
    """(exit code, everything) as the nodes' endpoints tell it."""
    done = eventchain(*endpoints(nodes), "-o", "json", "cluster", "status", *options, check=False)
    return done.returncode, json.loads(done.stdout)


def of(everything, node):
    (found,) = [one for one in everything["nodes"] if one.get("name") == node.name]
    return found


def codes(everything, node=None):
    """Codes of the warnings about a node (None: the cluster as a whole), notices left out."""
    name = None if node is None else node.name
    return {
        warning["code"]
        for warning in everything["warnings"]
        if warning.get("node") == name and warning["severity"] != "notice"
    }


class Addressed(Cluster):
    """The members' records say where their APIs are, so that one endpoint is enough."""

    def genesis_options(self):
        return [
            part
            for node in self.nodes
            for part in ("--api-address", f"{node.name}=127.0.0.1:{node.api_port}")
        ]


class Wired(Addressed):
    """Links between the nodes can be cut; clients reach all of them."""

    def __init__(self):
        self.links = ProxyLinks()
        try:
            super().__init__()
        except BaseException:
            self.links.close()
            raise

    def peer_address(self, node, peer):
        return self.links.peer_address(node, peer)

    def _leave(self, has_failed):
        try:
            return super()._leave(has_failed)
        finally:
            self.links.close()


class StatusTest(unittest.TestCase):
    def test_one_endpoint_tells_of_the_whole_cluster(self):
        with Addressed() as cluster:
            leader = cluster.leader()
            with leader.client() as client:
                client.submit(event("/s", "1"), wait="completed")
            cluster.wait_same_tip()
            code, everything = status(cluster.nodes[:1])
            self.assertEqual(code, 0)
            self.assertEqual(everything["cluster"]["leader"], leader.name)
            self.assertEqual(everything["cluster"]["voters_in_touch"], 3)
            self.assertEqual([one["name"] for one in everything["nodes"]], ["n1", "n2", "n3"])
            for one in everything["nodes"]:
                self.assertTrue(one["answers"], one)
                report = one["report"]
                self.assertEqual(report["member_role"], "voter")
                self.assertRegex(report["version"], r"^\d")
                self.assertGreater(int(report["disk"]["free_bytes"]), 0)
                (peers,) = [c for c in report["certificates"] if c["use"] == "peers"]
                self.assertGreater(peers["seconds_left"], 300 * 24 * 3600)
                self.assertLess(abs(one["clock_ahead_ms"]), 1000)
                self.assertIn(report["mining"]["state"], ("lends", "stopped", "no-work"))
            for node in cluster.nodes:
                self.assertEqual(codes(everything, node), set(), everything["warnings"])

            done = eventchain(*endpoints(cluster.nodes[:1]), "cluster", "status")
            lines = done.stdout.splitlines()
            self.assertRegex(lines[0], r"^NODE +ROLE +STATE")
            self.assertRegex(done.stdout, rf"{leader.name} +leader +ok")
            self.assertIn("3 of 3 voters in touch", lines[-1])

    def test_killed_frozen_and_both(self):
        with Addressed() as cluster:
            leader = cluster.leader()
            seen, gone = [node for node in cluster.nodes if node is not leader]
            gone.kill()

            def noticed():
                code, everything = status([seen])
                names = of(everything, gone)["unlinked_by"]
                return code == 0 and len(names) == 2 and everything

            everything = wait_until(noticed, "both others say that the link is gone")
            self.assertIn("unreachable", codes(everything, gone))
            self.assertIn("thin-quorum", codes(everything))
            self.assertIn("refused", of(everything, gone)["trouble"])
            self.assertEqual(codes(everything, seen), set(), everything["warnings"])
            done = eventchain(
                *endpoints([seen]), "cluster", "status", "--fail-on-warning", check=False
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn("systemctl status eventchain", done.stdout)

            # Without the leader, too, there is no majority. It hangs, and is waited for in vain.
            leader.freeze()

            def lost():
                code, everything = status([seen], "--timeout-ms", "500")
                return code == 5 and everything

            everything = wait_until(lost, "there is no leader any more")
            self.assertIn("no-leader", codes(everything))
            self.assertEqual(of(everything, leader)["trouble"], "no answer in time")
            self.assertIn("no-leader", codes(everything, seen))
            leader.thaw()
            gone.start()
            wait_until(lambda: status([seen])[0] == 0, "it is whole again")

    def test_a_node_cut_off_from_the_others(self):
        with Wired() as cluster:
            leader = cluster.leader()
            lone = cluster.follower()
            others = [node for node in cluster.nodes if node is not lone]
            cluster.links.separate([[lone.name], [node.name for node in others]], "cut")

            def links(everything):
                """What is said of missing links: once for all of them, and of the lone node."""
                return [
                    warning["text"] for warning in everything["warnings"]
                    if warning["code"] == "peer-unlinked" and warning["node"] == lone.name
                ]

            def told():
                code, everything = status([leader])
                (text,) = links(everything) or [""]
                return code == 0 and all(node.name in text for node in others) and everything

            everything = wait_until(told, "the links are missed")
            self.assertIn("no-leader", codes(everything, lone))
            self.assertIn("thin-quorum", codes(everything))
            self.assertEqual(everything["cluster"]["leader"], leader.name)
            for node in others:
                self.assertEqual(codes(everything, node), set(), everything["warnings"])
            # By way of the lone node it is the same: its clients reach the others.
            code, everything = status([lone])
            self.assertEqual(code, 0)
            cluster.links.heal()
            wait_until(
                lambda: not codes(status([lone])[1], lone), "the links are made again"
            )

    @unittest.skipIf(library() is None, f"clocks cannot be moved without {PACKAGE}")
    def test_a_clock_that_is_off(self):
        with Addressed() as cluster:
            node = cluster.follower()
            node.stop()
            clock = Clock(node)
            clock.rule()
            node.start()
            node.wait_ready()
            clock.move(90)
            wait_until(
                lambda: "clock" in codes(status(cluster.nodes[:1])[1], node), "the clock is told"
            )
            _, everything = status(cluster.nodes[:1])
            self.assertAlmostEqual(of(everything, node)["clock_ahead_ms"] / 1000, 90, delta=2)
            for other in cluster.nodes:
                if other is not node:
                    self.assertNotIn("clock", codes(everything, other))

    def test_members_without_addresses_are_told_of_by_those_that_are_asked(self):
        with Cluster() as cluster:
            asked, *others = cluster.nodes
            cluster.leader()
            _, everything = status([asked])
            for node in others:
                self.assertEqual(of(everything, node)["linked_by"], [asked.name])
                self.assertFalse(of(everything, node)["answers"])
            self.assertFalse([w for w in everything["warnings"] if w["severity"] == "critical"])
            code, everything = status(cluster.nodes)
            self.assertEqual(code, 0)
            self.assertTrue(all(one["answers"] for one in everything["nodes"]))

    def test_an_endpoint_where_nobody_answers_or_somebody_else_does(self):
        with Cluster(nodes=1) as cluster, socket.create_server(("127.0.0.1", 0)) as silent:
            hole = f"http://127.0.0.1:{silent.getsockname()[1]}"
            done = eventchain(
                *(*endpoints(cluster.nodes), "--endpoint", hole, "-o", "json"),
                *("cluster", "status", "--timeout-ms", "500"),
            )
            everything = json.loads(done.stdout)
            (stray,) = [one for one in everything["nodes"] if one.get("endpoint") == hole]
            self.assertEqual(stray["trouble"], "no answer in time")
        code, everything = status([cluster.nodes[0]])
        self.assertEqual(code, 5)
        self.assertFalse(everything["cluster"]["ready"])

    def test_certificates_that_run_out_are_told_in_time_and_over_tls(self):
        with Cluster(nodes=1, tls=True) as cluster:
            (node,) = cluster.nodes
            eventchain("pki", "issue", cluster.authority, "--node", "n1", "--address", "127.0.0.1",
                       "--days", 3)
            files = cluster.credentials("writer")
            tls = ("--ca", files["ca"], "--cert", files["certificate"], "--key", files["key"])

            def told():
                done = eventchain(
                    *("--endpoint", f"https://127.0.0.1:{node.api_port}", *tls, "-o", "json"),
                    *("cluster", "status"),
                )
                everything = json.loads(done.stdout)
                return sorted(
                    (warning["code"], warning["severity"])
                    for warning in everything["warnings"]
                    if warning["code"].startswith("certificate")
                )

            self.assertEqual(told(), [])
            os.kill(node.pid, signal.SIGHUP)
            wait_until(
                lambda: told() == [("certificate-expires", "critical")] * 2, "both are told"
            )

    def test_evidence_is_told(self):
        with Cluster(nodes=1) as cluster:
            (node,) = cluster.nodes
            evidence = pathlib.Path(node.data) / "evidence"
            evidence.mkdir(exist_ok=True)
            (evidence / "fork.json").write_text("{}")
            _, everything = status(cluster.nodes)
            self.assertEqual(codes(everything, node), {"evidence"})

    def test_a_full_disk_is_told(self):
        with SmallDisk() as disk:
            with Cluster(nodes=1, settings={"disk.reserve_bytes": RESERVE},
                         data=lambda _: disk.place / "data") as cluster:
                (node,) = cluster.nodes
                disk.fill(free=RESERVE // 2)
                _, everything = status(cluster.nodes)
                self.assertEqual(codes(everything, node), {"disk-full"})


class TopTest(unittest.TestCase):
    def test_once_and_piped_it_prints_plain_tables(self):
        with Addressed() as cluster:
            done = eventchain(
                *endpoints(cluster.nodes[:1]), "cluster", "top", "--once", "--interval", "0.2"
            )
            self.assertIn("DONE/S", done.stdout)
            self.assertNotIn("\x1b", done.stdout)
            for node in cluster.nodes:
                self.assertRegex(done.stdout, rf"[ *]{node.name} +\d+ +\d+ +\d+\.\d")
            top = subprocess.Popen(
                [program("eventchain"), *endpoints(cluster.nodes[:1]), "cluster", "top",
                 "--interval", "0.2"],
                env=clean_environment(), stdout=subprocess.PIPE, text=True,
            )
            with top:
                rounds = 0
                while rounds < 3:
                    rounds += "DONE/S" in top.stdout.readline()
                top.send_signal(signal.SIGTERM)
                top.stdout.read()
            self.assertEqual(top.returncode, 0)

    def test_on_a_terminal_it_gives_the_screen_back(self):
        with Cluster(nodes=1) as cluster:
            ours, theirs = pty.openpty()
            top = subprocess.Popen(
                [program("eventchain"), *endpoints(cluster.nodes), "cluster", "top",
                 "--interval", "0.2"],
                env=clean_environment(), stdin=theirs, stdout=theirs, stderr=theirs,
                start_new_session=True,
            )
            os.close(theirs)
            shown = b""

            def read(until):
                nonlocal shown
                while until not in shown:
                    ready, _, _ = select.select([ours], [], [], 30)
                    self.assertTrue(ready, shown)
                    try:
                        shown += os.read(ours, 65536)
                    except OSError:  # what a terminal without programs says
                        break
                self.assertIn(until, shown)

            try:
                read(b"\x1b[?1049h")
                read(b"DONE/S")
                top.send_signal(signal.SIGINT)
                read(b"\x1b[?25h\x1b[?1049l")
                self.assertEqual(top.wait(timeout=30), 0)
            finally:
                top.kill()
                top.wait()
                os.close(ours)


class DoctorTest(unittest.TestCase):
    def doctor(self, node, *options):
        """(exit code, checks) of the host of `node`, which is this one."""
        settings = [part for key, value in node.settings().items()
                    for part in ("--set", f"{key}={value}")]
        done = eventchain(
            *("-o", "json", "doctor", "--config", node.configuration, *settings, *options),
            check=False,
        )
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.returncode, json.loads(done.stdout)

    def failures(self, node):
        code, checks = self.doctor(node)
        failed = [check for check in checks if check["finding"] == "fail"]
        self.assertEqual(code, 1 if failed else 0)
        for check in failed:
            self.assertTrue(check["remedy"])
        return {check["topic"]: check["text"] for check in failed}

    def test_a_good_host_passes_whether_its_node_runs_or_not(self):
        with Cluster(nodes=2, tls=True) as cluster:
            node, other = cluster.nodes
            wait_until(lambda: not self.failures(node), "nothing is wrong")
            _, checks = self.doctor(node)
            texts = [check["text"] for check in checks]
            self.assertTrue(any("who it should be" in text for text in texts), texts)
            self.assertTrue(any(text.endswith("is this node's") for text in texts), texts)
            self.assertTrue(any(text.startswith("fsync takes") for text in texts), texts)
            node.stop()
            self.assertEqual(self.failures(node), {})
            other.stop()
            code, checks = self.doctor(node)
            self.assertEqual(code, 0)
            (peer,) = [check for check in checks if check["topic"] == "peers"]
            self.assertEqual(peer["finding"], "warn")
            self.assertIn("refused", peer["text"])
            done = eventchain("doctor", "--config", node.configuration)
            self.assertRegex(done.stdout, r"(?m)^ok +configuration ")

    def test_each_broken_thing_is_named(self):
        with Cluster(nodes=2, tls=True) as cluster:
            node, other = cluster.nodes
            node.stop()
            self.assertEqual(self.failures(node), {})
            key = node.home / "key.pem"

            with self.subTest("a key that everybody may read"):
                key.chmod(0o644)
                self.assertIn("permissions 0644", self.failures(node)["files"])
                key.chmod(0o600)
            with self.subTest("the key of another certificate"), Replaced(key):
                key.write_bytes((other.home / "key.pem").read_bytes())
                self.assertIn("cannot be used", self.failures(node)["certificates"])
            with self.subTest("another node's certificate and key"):
                with Replaced(key), Replaced(node.home / "cert.pem") as certificate:
                    key.write_bytes((other.home / "key.pem").read_bytes())
                    certificate.write_bytes((other.home / "cert.pem").read_bytes())
                    self.assertIn("but this node is", self.failures(node)["certificates"])
            with self.subTest("another authority"), Replaced(node.home / "ca.cert.pem") as ca:
                foreign = cluster.directory / "foreign"
                cluster.make_authority(foreign)
                ca.write_bytes((foreign / "ca.cert.pem").read_bytes())
                self.assertIn("did not issue it", self.failures(node)["certificates"])
            with self.subTest("no certificate"), Replaced(node.home / "cert.pem") as certificate:
                certificate.unlink()
                self.assertIn("is not there", self.failures(node)["files"])
            with self.subTest("another node's signing key"):
                with Replaced(node.home / "signing.key.pem") as signing:
                    signing.write_bytes((other.home / "signing.key.pem").read_bytes())
                    self.assertIn("signing_key", self.failures(node)["configuration"])
            with self.subTest("no genesis"), Replaced(cluster.genesis) as genesis:
                genesis.unlink()
                self.assertIn("genesis.json cannot be read", self.failures(node)["genesis"])
            with self.subTest("no database"), Replaced(node.data / "chain.db") as database:
                database.unlink()
                self.assertIn("neither a database", self.failures(node)["data"])
            with self.subTest("a port that somebody else has"):
                with socket.create_server(("127.0.0.1", node.api_port)):
                    self.assertIn("is taken by", self.failures(node)["ports"])
            with self.subTest("an unknown setting"), Replaced(node.configuration) as configuration:
                configuration.write_text("[nonsense]\nx = 1\n")
                self.assertEqual(list(self.failures(node)), ["configuration"])
            self.assertEqual(self.failures(node), {})
            node.start()
            node.wait_ready()

    def test_a_certificate_about_to_run_out_is_a_warning_and_a_hung_node_a_failure(self):
        with Cluster(nodes=1, tls=True) as cluster:
            (node,) = cluster.nodes
            eventchain("pki", "issue", cluster.authority, "--node", "n1", "--address", "127.0.0.1",
                       "--days", 1)
            code, checks = self.doctor(node)
            self.assertEqual(code, 0)
            self.assertIn("warn", {c["finding"] for c in checks if c["topic"] == "certificates"})
            node.freeze()
            code, checks = self.doctor(node, "--timeout-ms", "500")
            self.assertEqual(code, 1)
            (hung,) = [c for c in checks if c["topic"] == "node"]
            self.assertIn("gives no answer", hung["text"])
            node.thaw()


class Replaced:
    """A file that may be changed inside of the context and is as before after it, its mode too."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def __enter__(self):
        self.content = self.path.read_bytes()
        self.mode = self.path.stat().st_mode
        return self.path

    def __exit__(self, *_):
        self.path.write_bytes(self.content)
        self.path.chmod(self.mode)


if __name__ == "__main__":
    unittest.main()
