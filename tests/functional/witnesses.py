"""Clusters that vouch for each other's logs, and what a cosignature is, without the programs' help."""

import base64
import hashlib

from client import Client
from cluster import Cluster
from final_test import verifies
from node import free_port
from programs import eventchain

COSIGNATURE_KIND = b"\x04"


def openings(note):
    """The text of a signed note, and (name, key id, signature) of each line."""
    text, _, lines = note.rpartition("\n\n")
    found = []
    for line in lines.splitlines():
        dash, name, octets = line.split(" ")
        assert dash == "—", line
        octets = base64.b64decode(octets, validate=True)
        found.append((name, octets[:4], octets[4:]))
    return text + "\n", found


def cosigned_at(note, verifier):
    """When the witness of that verifier key cosigned the note (seconds since 1970), or None."""
    name, id, key = verifier.split("+", 2)
    octets = base64.b64decode(key, validate=True)
    assert octets[:1] == COSIGNATURE_KIND, verifier
    assert hashlib.sha256(name.encode() + b"\n" + octets).hexdigest()[:8] == id, verifier
    text, lines = openings(note)
    for line_name, line_id, signature in lines:
        if (line_name, line_id.hex()) != (name, id):
            continue
        time = int.from_bytes(signature[:8], "big")
        message = f"cosignature/v1\ntime {time}\n{text}".encode()
        if len(signature) == 72 and verifies(octets[1:], message, signature[8:]):
            return time
    return None


class Sisters:
    """Cluster `log`, whose nodes ask, and cluster `sister`, whose nodes are witnesses of it.

    As a context: enters both. The sister's API wants certificates of its own authority; witnesses
    listen at a port of their own, for everybody, with TLS.
    """

    def __init__(self, log_nodes=1, witnesses=2, quorum=2):
        self.log = Cluster(nodes=log_nodes)
        try:
            self.sister = Cluster(nodes=witnesses, tls=True)
        except BaseException:
            self.log.__exit__(None, None, None)
            raise
        self.verifiers = []
        self.ports = []
        keys = eventchain("genesis", "keys", self.log.genesis).stdout.split()
        for node in self.sister.nodes:
            self._make_witness(node, keys)
        for node in self.log.nodes:
            self._ask(node, quorum)

    def _make_witness(self, node, keys):
        home = node.home / "witness"
        name = f"sister.example/{node.name}"
        made = eventchain("witness", "key", home, "--name", name).stdout.strip()
        assert eventchain("witness", "key", home).stdout.strip() == made
        self.verifiers.append(made)
        self.ports.append(free_port())
        quoted = ", ".join(f'"{key}"' for key in keys)
        with node.configuration.open("a") as file:
            file.write(
                f'\n[witness]\ndirectory = "{home}"\nlisten = "127.0.0.1:{self.ports[-1]}"\n'
                f"[[witness.logs]]\nkeys = [{quoted}]\n"
            )

    def _ask(self, node, quorum):
        with node.configuration.open("a") as file:
            file.write(f"\n[witnesses]\nquorum = {quorum}\ninterval_s = 1\ntimeout_s = 5\n")
            for verifier, port in zip(self.verifiers, self.ports, strict=True):
                file.write(
                    f'[[witnesses.nodes]]\nkey = "{verifier}"\nurl = "https://127.0.0.1:{port}"\n'
                    f'ca = "{self.sister.authority / "ca.cert.pem"}"\n'
                )

    def __enter__(self):
        try:
            self.sister.__enter__()
        except BaseException:
            self.log.__exit__(None, None, None)
            raise
        try:
            self.log.__enter__()
        except BaseException:
            self.sister.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *failure):
        try:
            self.log.__exit__(*failure)
        finally:
            self.sister.__exit__(*failure)

    def stranger(self, index):
        """A client of a witness' own port, without a certificate."""
        return Client(self.ports[index], ca=self.sister.authority / "ca.cert.pem")


def witnesses_of(node):
    """What a node says of its log's witnesses, by name, and the rest of it."""
    told = (node.status() or {}).get("witnesses", {"nodes": [], "log_size": "0"})
    return {one["name"]: one for one in told["nodes"]}, told
