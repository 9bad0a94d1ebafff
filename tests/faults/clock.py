"""The wall clock of one process, moved by libfaketime; what counts steadily stays as it is."""

import os
import pathlib

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

    def rule(self):
        self.move(0)
        self._node.environment = {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def move(self, seconds):
        """The clock is `seconds` off from now on, at most a second later."""
        fresh = self._offset.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n", encoding="ascii")
        fresh.replace(self._offset)

    def let_go(self):
        self._node.environment = {}
