"""A small file system in memory whose size can be changed while a node writes to it."""

import os
import pathlib
import subprocess
import tempfile

from waiting import wait_until

MEBIBYTE = 1 << 20
# What eventchaind ends with when its disk failed (node/daemon.h).
EXIT_DISK = 74
# Memory is used for what is written, not for the size.
ROOMY = 4096 * MEBIBYTE


class SmallDisk:
    """A mounted tmpfs; close() unmounts it. Needs root."""

    def __init__(self):
        self.is_small = False
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="eventchain-disk-"))
        done = self._run("mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", str(self.place))
        if done.returncode != 0:
            self.place.rmdir()
            raise OSError(done.stderr.strip())

    def close(self):
        done = self._run("umount", str(self.place))
        if done.returncode != 0:
            raise OSError(done.stderr.strip())
        self.place.rmdir()

    def leave(self, free):
        """Shrinks the file system to what is used and `free` octets, rounded to pages."""

        def shrunk():
            space = os.statvfs(self.place)
            used = (space.f_blocks - space.f_bfree) * space.f_frsize
            # The kernel refuses less than what is used, which grows meanwhile.
            return self._resize(used + free).returncode == 0

        self.is_small = True
        wait_until(shrunk, f"the disk has {free} octets left")

    def restore(self):
        self._resize(ROOMY).check_returncode()
        self.is_small = False

    def _resize(self, size):
        return self._run("mount", "-o", f"remount,size={size}", str(self.place))

    def _run(self, *command):
        return subprocess.run(command, capture_output=True, text=True, check=False)
