"""A cgroup of its own for each host, in every hierarchy that this machine has.

Hosts that were started from one cgroup would share their units' groups; and what a host uses must
count where this process is counted, so the groups are made below its own.
"""

import os
import pathlib
import re

PREFIX = "lab-"


def _mounts():
    """Controller (or name=..., or "" for version 2) -> where its hierarchy is mounted."""
    found = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        place = before.split()[4]
        if kind == "cgroup2":
            found.setdefault("", place)
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, place)
    return found


def own_groups():
    """This process's own group in each hierarchy."""
    mounts = _mounts()
    groups = []
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        place = mounts.get(controllers.split(",")[0])
        # A new group of version 1's cpuset has no processor; nothing here is about which ones to use.
        if place is not None and controllers != "cpuset":
            groups.append(pathlib.Path(place + path.rstrip("/")))
    return groups


class HostGroups:
    """The groups of one host; `label` tells the labs of one machine apart."""

    def __init__(self, label, host):
        self.paths = [group / f"{PREFIX}{label}-{host}" for group in own_groups()]

    def make(self):
        for path in self.paths:
            path.mkdir(exist_ok=True)

    def enter(self):
        """To be called in the process that becomes the host."""
        for path in self.paths:
            (path / "cgroup.procs").write_text("0")

    def threads(self):
        """All that are in these groups and below."""
        found = set()
        for path in self.paths:
            for folder, _, _ in os.walk(path):
                listed = pathlib.Path(folder, "tasks")  # version 1
                if not listed.exists():
                    listed = pathlib.Path(folder, "cgroup.threads")
                try:
                    found.update(int(line) for line in listed.read_text().split())
                except OSError:
                    continue  # it is gone, or of a kind that has none
        return found

    def freeze(self, is_frozen):
        """All processes of the host stand still, or go on."""
        for path in self.paths:
            if (path / "freezer.state").exists():
                (path / "freezer.state").write_text("FROZEN" if is_frozen else "THAWED")
                return
            if (path / "cgroup.freeze").exists():
                (path / "cgroup.freeze").write_text("1" if is_frozen else "0")
                return
        raise RuntimeError("no cgroup hierarchy of this machine can freeze")

    def remove(self):
        for path in self.paths:
            remove_tree(path)


def remove_tree(path):
    """Removes empty groups, from the leaves on; one in use is left."""
    for folder, _, _ in os.walk(path, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            pass


def remove_stale():
    """Those of labs that were killed before they could clean up."""
    for group in own_groups():
        for path in group.glob(PREFIX + "*"):
            match = re.fullmatch(PREFIX + r"(\d+)-.*", path.name)
            if match and not pathlib.Path(f"/proc/{match[1]}").exists():
                remove_tree(path)
