"""The wall clock of one process, moved by libfaketime; what counts steadily stays as it is."""

import email.utils
import os
import pathlib
import time

PACKAGE = "libfaketime"


def library():
    """libfaketime for programs with threads: EVENTCHAIN_FAKETIME or Debian's place; None if absent."""
    named = os.environ.get("EVENTCHAIN_FAKETIME")
    if named:
        return pathlib.Path(named)
    found = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None


class Clock:
    """A node's clock. The node has to be started anew to get under its rule, and out of it."""

    def __init__(self, node):
        self._node = node
        self._offset = node.home / "clock-offset"
        self._seconds = 0

    def rule(self):
        self.move(0)
        self._node.environment = {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def move(self, seconds):
        """The clock is to be `seconds` off; libfaketime looks into the file once a second."""
        fresh = self._offset.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n", encoding="ascii")
        fresh.replace(self._offset)
        self._seconds = seconds

    def is_obeyed(self):
        """Whether the node's clock shows what move() said last, by the date of an answer."""
        with self._node.client() as client:
            said = email.utils.parsedate_to_datetime(client.get("/livez").headers["Date"])
        # The date has whole seconds; the smallest jump is larger than what that and the way cost.
        return abs(said.timestamp() - time.time() - self._seconds) < 2

    def let_go(self):
        self._node.environment = {}
