"""Who may speak to a node: TLS on the API, and strangers at the port of the peers."""

import http.client
import os
import signal
import socket
import ssl
import threading
import unittest

from client import Client, event
from cluster import Cluster
from seed import random_for
from waiting import wait_until

# What a client sees of a refusal depends on who was first: an alert, a reset, a closed connection.
Refused = (ssl.SSLError, ConnectionError, http.client.HTTPException)


class ApiTlsTest(unittest.TestCase):
    def test_only_clients_of_the_chains_own_authority_are_served(self):
        with Cluster(nodes=1, tls=True) as cluster:
            port = cluster.nodes[0].api_port
            cluster.issue_client("reader")
            foreign = cluster.directory / "foreign"
            cluster.make_authority(foreign)
            cluster.issue_client("writer", authority=foreign)
            ours = cluster.authority / "ca.cert.pem"
            theirs = cluster.credentials("writer", authority=foreign)

            with Client(port, **cluster.credentials("reader")) as client:
                answer = client.submit(event("/tls", "1"), wait="completed")
                self.assertEqual(answer.status, 201, answer)

            for what, options in {
                "no certificate": {"ca": ours},
                "a certificate of another authority": {**theirs, "ca": ours},
            }.items():
                with self.subTest(what), Client(port, **options) as client:
                    self.assertRaises(Refused, client.get, "/v1/log")
            with self.subTest("a client that trusts another authority"):
                with Client(port, **theirs) as client:
                    self.assertRaises(ssl.SSLCertVerificationError, client.get, "/v1/log")
            with self.subTest("no TLS at all"), Client(port) as client:
                self.assertRaises(Refused, client.get, "/v1/log")
            with self.subTest("an older TLS"):
                context = ssl.create_default_context(cafile=str(ours))
                context.load_cert_chain(*self.certificate(cluster, "reader"))
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
                    self.assertRaises(Refused, context.wrap_socket, plain,
                                      server_hostname="127.0.0.1")

            with Client(port, **cluster.credentials("reader")) as client:
                self.assertEqual(client.get("/v1/log").status, 200)

    def test_plain_clients_that_never_shake_hands_are_cut_off(self):
        with Cluster(nodes=1, tls=True) as cluster:
            node = cluster.nodes[0]
            silent = [socket.create_connection(("127.0.0.1", node.api_port)) for _ in range(40)]
            try:
                with node.client() as client:
                    self.assertEqual(client.get("/livez").status, 200)
                for connection in silent:
                    connection.settimeout(20)
                    self.assertEqual(connection.recv(1), b"")
            finally:
                for connection in silent:
                    connection.close()

    def certificate(self, cluster, name):
        chosen = cluster.credentials(name)
        return str(chosen["certificate"]), str(chosen["key"])


class ReloadTest(unittest.TestCase):
    def test_new_certificates_are_taken_while_events_go_on(self):
        with Cluster(tls=True) as cluster:
            node, other = cluster.nodes[0], cluster.nodes[1]
            with node.client() as client:
                self.assertEqual(client.submit(event("/reload", "1"), wait="completed").status, 201)
                before = self.serial(cluster, node)
                cluster.issue_node(node.name)
                self.assertEqual(self.serial(cluster, node), before)
                os.kill(node.pid, signal.SIGHUP)
                wait_until(lambda: self.serial(cluster, node) != before, "the new certificate is shown")
                # The connection from before, and links that must be made anew.
                self.assertEqual(client.submit(event("/reload", "2"), wait="completed").status, 201)
            other.kill()
            other.start()
            other.wait_ready()
            cluster.nodes[2].kill()  # the two are a majority only if they are linked
            with other.client() as client:
                self.assertEqual(client.submit(event("/reload", "3"), wait="completed").status, 201)

    def test_a_certificate_that_is_no_use_is_named_and_the_old_one_stays(self):
        with Cluster(nodes=1, tls=True) as cluster:
            node = cluster.nodes[0]
            before = self.serial(cluster, node)
            certificate = node.home / "cert.pem"
            certificate.write_text("no certificate")
            os.kill(node.pid, signal.SIGHUP)
            wait_until(lambda: "could not be read again" in node.log_tail(), "the complaint")
            self.assertIn(str(certificate), node.log_tail())
            self.assertEqual(self.serial(cluster, node), before)
            with node.client() as client:
                self.assertEqual(client.submit(event("/reload", "1"), wait="completed").status, 201)

    def serial(self, cluster, node):
        """What the node's API shows itself with."""
        chosen = cluster.credentials("writer")
        context = ssl.create_default_context(cafile=str(chosen["ca"]))
        context.load_cert_chain(chosen["certificate"], chosen["key"])
        with socket.create_connection(("127.0.0.1", node.api_port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as shown:
                return shown.getpeercert()["serialNumber"]


class PeerPortTest(unittest.TestCase):
    def test_strangers_and_garbage_at_the_peers_port_disturb_nobody(self):
        random = random_for("peer port")
        # Patient followers: whatever unseats the leader here is no mere lack of processors.
        with Cluster(settings={"consensus.election_timeout_ms": 3000}) as cluster:
            leader = cluster.leader()
            term = leader.status()["term"]
            # Links may still be changing hands just after the start.
            for node in cluster.nodes:
                self.wait_linked(node)
            foreign = cluster.directory / "foreign"
            cluster.make_authority(foreign)
            cluster.issue_client("stranger")
            cluster.issue_client("n1", authority=foreign)
            halt = threading.Event()
            besiegers = [
                threading.Thread(target=besiege, args=(halt, node.peers_port, attack))
                for node in cluster.nodes
                for attack in (
                    garbage(random.randbytes(3000)),
                    garbage(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                    handshake(None, b"x" * 100),
                    # A client's certificate opens no link between nodes.
                    handshake(cluster.credentials("stranger"), b"\xff\xff\xff\xff" * 1000),
                    handshake(cluster.credentials("n1", authority=foreign), b"\x00" * 64),
                    # A node's own key with nonsense inside of TLS.
                    handshake(cluster.credentials("n2"), random.randbytes(100_000)),
                )
            ]
            for besieger in besiegers:
                besieger.start()
            try:
                for number in range(20):
                    with random.choice(cluster.nodes).client() as client:
                        answer = client.submit(event("/calm", str(number)), wait="completed")
                        self.assertEqual(answer.status, 201, answer)
            finally:
                halt.set()
                for besieger in besiegers:
                    besieger.join()
            cluster.wait_same_tip()
            self.assertEqual(cluster.leader().status()["term"], term)
            for node in cluster.nodes:
                self.wait_linked(node)

    def wait_linked(self, node):
        def linked():
            metrics = node.ask(lambda client: client.metrics())
            return metrics and metrics["eventchain_links"] == 2

        wait_until(linked, f"{node} has both links")


def besiege(halt, port, attack):
    while not halt.is_set():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
                attack(plain)
        except OSError:
            pass
        halt.wait(0.2)


def garbage(octets):
    def attack(plain):
        plain.sendall(octets)
        plain.recv(1)

    return attack


def handshake(credentials, octets):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if credentials is not None:
        context.load_cert_chain(str(credentials["certificate"]), str(credentials["key"]))

    def attack(plain):
        with context.wrap_socket(plain) as secret:
            secret.sendall(octets)
            secret.recv(1)

    return attack


if __name__ == "__main__":
    unittest.main()
