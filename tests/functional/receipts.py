"""Receipts taken from nodes, and what the two programs that verify them say; those share nothing."""

import functools
import json
import subprocess
import sys

from programs import ROOT, clean_environment, eventchain
from waiting import wait_until

sys.path.insert(0, str(ROOT / "tools"))
import receipt_values
import verify_evidence
import verify_receipt

EXIT_NOT_YET = 4
# Most receipts of a test bear the same signatures.
verify_receipt.signature_holds = functools.cache(verify_receipt.signature_holds)


def take_receipt(node, key, out, *more):
    """A node's receipt of an event, once it has the certificates that it takes. Returns `out`.

    `key` is the event's, or its source and id with a space between.
    """

    def done():
        asked = eventchain(
            *("event", "receipt", *key.split(), "--endpoint", f"http://127.0.0.1:{node.api_port}"),
            *("--out", out, *more),
            check=False,
        )
        return asked if asked.returncode != EXIT_NOT_YET else None

    asked = wait_until(done, f"{node} has a receipt of {key}")
    assert asked.returncode == 0, asked
    return out


def verify_in_python(*arguments, program="verify_receipt.py"):
    """The finished process of tools/verify_receipt.py, or of another program there."""
    return subprocess.run(
        [sys.executable, "-B", ROOT / "tools" / program, *map(str, arguments)],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def verify_evidence_in_python(*arguments):
    return verify_in_python(*arguments, program="verify_evidence.py")


def by_module(octets, genesis, checkpoint=None):
    """(exit code, step that failed) of the program in Python, run in this process."""
    verdict = verify_receipt.verify(octets, genesis, checkpoint)
    return verdict.exit_code(), verdict.failed_step


def by_program(files, genesis, checkpoint=None):
    """The same of `eventchain receipt verify`, for each of the files."""
    more = ("--checkpoint", checkpoint) if checkpoint else ()
    done = eventchain("receipt", "verify", *files, "--trust", genesis, "-o", "json", *more, check=False)
    told = json.loads(done.stdout)
    for one in told if isinstance(told, list) else [told]:
        is_open = one["steps"][-1]["step"] == "checkpoint" and one["steps"][-1]["state"] == "not checked"
        yield (4 if is_open else 0) if one["proved"] else 3, one.get("failed_step")


def evidence_by_program(files, genesis):
    """The same of `eventchain evidence verify`."""
    done = eventchain("evidence", "verify", *files, "--trust", genesis, "-o", "json", check=False)
    told = json.loads(done.stdout)
    for one in told if isinstance(told, list) else [told]:
        yield 0 if one["proved"] else 3, one.get("failed_step")
