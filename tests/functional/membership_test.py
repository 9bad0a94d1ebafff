"""Nodes that join, change their roles and leave while the cluster works, by the commands people use."""

import hashlib
import http.server
import json
import threading
import unittest

from client import Client, event
from cluster import Cluster
from node import Node
from programs import eventchain, program
from service_test import managed
from waiting import wait_until

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_UNKNOWN = 5
EXIT_REMOVED = 69
JSON = {"Content-Type": "application/json"}


class GrowingCluster(Cluster):
    """A cluster whose genesis tells where the voters are, and that signs certificates by itself."""

    def __init__(self, tls=False):
        super().__init__(tls=tls, settings={"api.operators": "operator"})
        self.is_tls = tls
        if tls:
            self.issue_client("operator")
        signer = self.directory / "sign"
        signer.write_text(f"#!/bin/sh\nexec {program('eventchain')} pki sign {self.authority}\n")
        signer.chmod(0o700)
        for node in self.nodes:
            node.set("cluster.ca_command", signer)

    def genesis_options(self):
        return [
            part
            for node in self.nodes
            for part in ("--peers-address", f"{node.name}=127.0.0.1:{node.peers_port}")
        ]

    def access(self, node, client="operator"):
        """The arguments by which the command speaks to `node` as `client`."""
        if not self.is_tls:
            return ("--endpoint", f"http://127.0.0.1:{node.api_port}")
        who = self.credentials(client)
        return (
            *("--endpoint", f"https://127.0.0.1:{node.api_port}"),
            *("--ca", who["ca"], "--cert", who["certificate"], "--key", who["key"]),
        )

    def order(self, *arguments, at=None, client="operator", check=True):
        """eventchain cluster ...; the answer's JSON, or with check=False the finished process."""
        done = eventchain(
            *("cluster", *arguments, *self.access(at or self.running()[0], client), "-o", "json"),
            check=check,
        )
        return json.loads(done.stdout) if check else done

    def invite(self, name, role):
        return self.order("add", name, "--role", role)["token"]

    def join(self, name, token, at=None, client="operator", check=True, node=None):
        """Joins a new node of this name; it is not started yet."""
        if node is None:
            settings = {**self.common_settings, "mining.threads": 0}
            home = self.directory / name
            options = self.credentials("operator") if self.is_tls else {}
            node = Node(name, home, home / "data", settings, options)
        done = self.order(
            *("join", "--token", token, "--dir", node.home),
            *("--peers-listen", f"127.0.0.1:{node.peers_port}"),
            *("--peers-address", f"127.0.0.1:{node.peers_port}"),
            *("--api-listen", f"127.0.0.1:{node.api_port}"),
            *([] if self.is_tls else ["--api-plain"]),
            at=at,
            client=client,
            check=check,
        )
        return node, done

    def take_in(self, name, role):
        """Invites, joins and starts a node, and waits until it has what the others have."""
        node, _ = self.join(name, self.invite(name, role))
        self.nodes.append(node)
        node.start()
        self.wait_caught_up(node)
        return node

    def wait_caught_up(self, node):
        height = max(other.height() for other in self.running() if other is not node)
        wait_until(lambda: node.height() >= height, f"{node} has come to height {height}", 60)

    def roles(self, node):
        """Name -> role, as `node` has it."""
        answer = node.ask(lambda client: client.get("/v1/members"))
        if answer is None:
            return {}
        return {member["name"]: member["role"] for member in answer.json()["members"]}

    def wait_role(self, name, role):
        """Until every running node says so; None: it is no member."""
        for node in self.running():
            wait_until(
                lambda: (roles := self.roles(node)) and roles.get(name) == role,
                f"{node} knows {name} as {role}",
            )


class JoiningTest(unittest.TestCase):
    def test_an_observer_joins_and_serves_what_the_others_have(self):
        with GrowingCluster() as cluster:
            with cluster.nodes[0].client() as client:
                self.assertEqual(client.submit(event("/m", "before"), wait="completed").status, 201)
            observer = cluster.take_in("watcher", "observer")
            cluster.wait_role("watcher", "observer")
            with cluster.nodes[1].client() as client:
                self.assertEqual(client.submit(event("/m", "after"), wait="completed").status, 201)
            observer.wait_log_size(2)
            with observer.client() as client:
                log = [placed["event"]["id"] for placed in client.whole_log()]
                self.assertEqual(log, ["before", "after"])
                answer = client.submit(event("/m", "through the observer"), wait="completed")
                self.assertEqual(answer.status, 201, answer)
            cluster.wait_same_tip()

    def test_a_join_that_is_run_again_changes_nothing(self):
        with GrowingCluster() as cluster:
            token = cluster.invite("d", "standby")
            node, first = cluster.join("d", token)
            self.assertTrue(first["has_certificate"], first)
            kept = {
                name: (node.home / name).read_text()
                for name in ("member.json", "key.pem", "signing.key.pem", "node.toml", "cert.pem")
            }
            _, second = cluster.join("d", token, at=cluster.nodes[1], node=node)
            self.assertEqual(second["node"], first["node"])
            for name, text in kept.items():
                self.assertEqual((node.home / name).read_text(), text, name)
            self.assertEqual(
                (node.home / "data" / "store-id").read_text().strip(),
                json.loads(kept["member.json"])["store"],
            )

    def test_a_token_lets_one_node_in_and_no_other(self):
        with GrowingCluster() as cluster:
            token = cluster.invite("d", "observer")
            cluster.join("d", token)
            for what, other in {
                "a used token": token,
                "a revoked token": self.revoked(cluster),
            }.items():
                with self.subTest(what):
                    node, done = cluster.join("e", other, check=False)
                    self.assertEqual(done.returncode, EXIT_REFUSED, done.stderr)
                    self.assertIn("token", done.stderr)
            self.assertNotIn("e", cluster.roles(cluster.nodes[0]))

    def revoked(self, cluster):
        token = cluster.invite("e", "observer")
        cluster.order("revoke", "e")
        return token

    def test_a_token_that_nobody_drew_is_worth_nothing(self):
        with GrowingCluster() as cluster:
            node, done = cluster.join("d", "ab" * 32, check=False)
            self.assertEqual(done.returncode, EXIT_REFUSED, done.stderr)
            self.assertFalse((node.home / "key.pem").exists())
            _, done = cluster.join("d", "ab", check=False)
            self.assertEqual(done.returncode, EXIT_USAGE, done.stderr)
            body = {
                **{"token": "ab" * 32, "node": "11" * 16, "store": "22" * 16},
                **{"signing_key": "33" * 32},
            }
            with cluster.nodes[0].client() as client:
                answer = client.request("POST", "/v1/members", json.dumps(body).encode(), JSON)
                self.assertEqual(answer.status, 409, answer)
                self.assertEqual(answer.problem_type(), "order-refused")

    def test_the_genesis_that_a_node_hands_out_is_the_file(self):
        with GrowingCluster() as cluster:
            with cluster.nodes[0].client() as client:
                self.assertEqual(client.get("/v1/genesis").body, cluster.genesis.read_bytes())


class ChangingTest(unittest.TestCase):
    def test_a_standby_takes_the_place_of_a_voter_that_leaves(self):
        with GrowingCluster() as cluster:
            standby = cluster.take_in("d", "standby")
            cluster.wait_role("d", "standby")
            cluster.order("promote", "d")
            cluster.wait_role("d", "voter")

            leaving = cluster.follower()
            cluster.order("demote", leaving.name)
            cluster.wait_role(leaving.name, "standby")
            with standby.client() as client:
                self.assertEqual(client.submit(event("/m", "1"), wait="final").status, 201)
            cluster.order("remove", leaving.name, at=standby)
            code = wait_until(leaving.end_of_itself, f"{leaving} ends, for it was removed")
            self.assertEqual(code, EXIT_REMOVED, leaving.log_tail())
            cluster.wait_role(leaving.name, None)

            # The three voters are now others than those of genesis, and still outlive one.
            cluster.leader().kill()
            with cluster.running()[0].client() as client:
                self.assertEqual(client.submit(event("/m", "2"), wait="final").status, 201)
            cluster.wait_same_tip()

    def test_leadership_goes_where_it_is_handed(self):
        with GrowingCluster() as cluster:
            for _ in range(2):
                heir = cluster.follower()
                cluster.order("transfer", heir.name)
                wait_until(lambda: cluster.leader() is heir, f"{heir} leads")

    def test_an_order_at_an_observer_reaches_whoever_leads(self):
        with GrowingCluster() as cluster:
            voters = list(cluster.nodes)
            observer = cluster.take_in("watcher", "observer")
            # It is linked to two of them at most, and so not to each of these leaders.
            for number, heir in enumerate(voters):
                if cluster.leader() is not heir:
                    cluster.order("transfer", heir.name, at=observer)
                wait_until(lambda: cluster.leader() is heir, f"{heir} leads")
                cluster.order("policy", "--voters", 3, "--grace", 60 + number, at=observer)
                heirs_id = heir.status()["node"]
                wait_until(
                    lambda: observer.status().get("leader") == heirs_id,
                    f"the observer knows that {heir} leads",
                )
            done = cluster.order("promote", "n1", at=observer, check=False)
            self.assertEqual(done.returncode, EXIT_REFUSED, done.stderr)
            cluster.order("promote", "watcher", at=observer)
            cluster.wait_role("watcher", "standby")

    def test_an_observer_tells_how_old_its_answers_are(self):
        with GrowingCluster() as cluster:
            observer = cluster.take_in("watcher", "observer")
            with observer.client() as client:

                def age():
                    text = client.get("/v1/tips").headers.get("EventChain-Age", "unknown")
                    return None if text == "unknown" else int(text)

                wait_until(lambda: age() is not None, "the observer knows its age")
                for node in cluster.nodes[:3]:
                    node.kill()
                wait_until(lambda: age() >= 3000, "it grows when nobody tells anything")

    def test_who_is_removed_drains_first_if_it_can_be_reached(self):
        with GrowingCluster() as cluster:
            dead = cluster.follower()
            dead.kill()
            leader = cluster.leader()
            done = eventchain("cluster", "remove", dead.name, *cluster.access(leader))
            self.assertIn("not drained first", done.stderr)
            leaving = next(node for node in cluster.running() if node is not leader)
            done = eventchain(
                *("cluster", "remove", leaving.name),
                *(*cluster.access(leader), *cluster.access(leaving)),
            )
            self.assertNotIn("not drained", done.stderr)
            wait_until(leaving.end_of_itself, f"{leaving} ends, for it was removed")
            self.assertIn("this node drains", leaving.log.read_text())

    def test_who_is_removed_while_it_is_down_learns_of_it_when_it_is_back(self):
        with GrowingCluster() as cluster:
            dead = cluster.follower()
            dead.kill()
            cluster.order("remove", dead.name, at=cluster.leader())
            with managed(dead) as manager:
                dead.start()
                code = wait_until(dead.end_of_itself, f"{dead} ends, for it was removed")
                self.assertEqual(code, EXIT_REMOVED, dead.log_tail())
                # A service that ends before it was ready has failed, by systemd's rules.
                said = manager.take()
                self.assertIn("READY=1", said)
                self.assertLess(said.index("READY=1"), said.index("STOPPING=1"))
            self.assertIn("this node was removed", dead.log.read_text().splitlines()[-1])

    def test_who_is_asked_to_remove_itself_answers_and_ends(self):
        for tls in (False, True):
            with self.subTest(tls=tls), GrowingCluster(tls=tls) as cluster:
                leaving_nodes = [cluster.follower()]
                if not tls:
                    leaving_nodes.append(cluster.take_in("d", "observer"))
                for leaving in leaving_nodes:
                    options = cluster.credentials("operator") if tls else {}
                    with Client(leaving.api_port, timeout=60, **options) as client:
                        answer = client.request("DELETE", f"/v1/members/{leaving.name}", b"", JSON)
                    self.assertEqual(answer.status, 200, answer)
                    self.assertGreater(int(answer.json()["height"]), 0)
                    code = wait_until(leaving.end_of_itself, f"{leaving} ends, for it was removed")
                    self.assertEqual(code, EXIT_REMOVED, leaving.log_tail())
                    self.assertIn(
                        "this node was removed from the cluster; its data may be archived or purged",
                        leaving.log.read_text().splitlines()[-1],
                    )
                    cluster.wait_role(leaving.name, None)

    def test_what_the_rules_refuse_is_told_and_changes_nothing(self):
        with GrowingCluster() as cluster:
            before = cluster.roles(cluster.nodes[0])
            for arguments in (
                ("promote", "n1"),  # no role above
                ("promote", "nobody"),
                ("add", "n1"),  # the name is taken
                ("revoke", "nobody"),
            ):
                with self.subTest(arguments):
                    done = cluster.order(*arguments, check=False)
                    self.assertEqual(done.returncode, EXIT_REFUSED, done.stderr)
            self.assertEqual(cluster.roles(cluster.nodes[0]), before)

    def test_a_policy_is_part_of_the_members(self):
        with GrowingCluster() as cluster:
            cluster.order("policy", "--voters", 3, "--grace", 60)
            with cluster.nodes[2].client() as client:
                answer = client.get("/v1/members", consistency="linearizable").json()
            self.assertEqual(answer["policy"], {"wanted": 3, "grace_ms": 60_000})


class OperatorsTest(unittest.TestCase):
    ORDERS = {
        ("POST", "/v1/members/invitations"): {
            **{"name": "d", "role": "observer"},
            **{"token_hash": hashlib.sha256(b"").hexdigest()},
        },
        ("DELETE", "/v1/members/invitations/" + "ab" * 32): None,
        ("POST", "/v1/members/n1/role"): {"role": "standby"},
        ("PATCH", "/v1/members/n1"): {"site": "west"},
        ("DELETE", "/v1/members/n1"): None,
        ("PUT", "/v1/cluster/policy"): {"wanted": 3, "grace_ms": 60_000},
        ("POST", "/v1/cluster/leader"): {"to": "n1"},
    }

    def test_only_operators_change_the_cluster(self):
        with GrowingCluster(tls=True) as cluster:
            # A client like any other, and a node, which is no client at all.
            for name in ("writer", "n2"):
                options = cluster.credentials(name)
                with Client(cluster.nodes[0].api_port, **options) as client:
                    for (method, path), body in self.ORDERS.items():
                        with self.subTest(f"{name}: {method} {path}"):
                            text = b"" if body is None else json.dumps(body).encode()
                            answer = client.request(method, path, text, JSON)
                            self.assertEqual(answer.status, 403, answer)
                            self.assertEqual(answer.problem_type(), "forbidden")
            done = cluster.order("remove", "n1", client="writer", check=False)
            self.assertEqual(done.returncode, EXIT_REFUSED, done.stderr)
            self.assertEqual(set(cluster.roles(cluster.nodes[0]).values()), {"voter"})

    def test_an_operator_invites_and_whoever_has_the_token_joins(self):
        with GrowingCluster(tls=True) as cluster:
            invited = cluster.order("add", "d", "--role", "observer")
            with cluster.nodes[0].client() as client:
                (order,) = client.get(f"/v1/blocks/{invited['height']}").json()["annex"]
            self.assertEqual((order["kind"], order["by"]), ("invite", "operator"))
            cluster.join("d", invited["token"], client="writer")
            cluster.wait_role("d", "observer")


class LosingNode(http.server.BaseHTTPRequestHandler):
    """Tells the members, hears an order, and is gone before it says what became of it."""

    protocol_version = "HTTP/1.1"
    orders = []

    def do_GET(self):
        body = json.dumps({"members": [{"name": "d", "node": "11" * 16, "role": "standby"}]})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self):
        self.orders.append(self.path)
        self.close_connection = True

    def log_message(self, *_):
        pass


class LostAnswerTest(unittest.TestCase):
    def test_an_order_whose_answer_is_lost_is_not_given_twice(self):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), LosingNode) as server:
            serving = threading.Thread(target=server.serve_forever)
            serving.start()
            try:
                endpoint = f"http://127.0.0.1:{server.server_address[1]}"
                done = eventchain(
                    *("cluster", "promote", "d", "--endpoint", endpoint), check=False
                )
            finally:
                server.shutdown()
                serving.join()
        self.assertEqual(done.returncode, EXIT_UNKNOWN, done.stderr)
        self.assertIn("may or may not", done.stderr)
        self.assertEqual(LosingNode.orders, [f"/v1/members/{'11' * 16}/role"])


if __name__ == "__main__":
    unittest.main()
