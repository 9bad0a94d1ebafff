"""A node whose disk is nearly full takes nothing in, goes on voting, and recovers by itself."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from client import event
from cluster import Cluster
from waiting import wait_until

MEBIBYTE = 1 << 20
DISK = 96 * MEBIBYTE
RESERVE = 32 * MEBIBYTE


class SmallDisk:
    """A file system of DISK octets in memory; a context."""

    def __enter__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="eventchain-disk-"))
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(self.place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.place.rmdir()
            raise unittest.SkipTest(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", str(self.place)], check=True)
        self.place.rmdir()

    def fill(self, free):
        """Leaves `free` octets."""
        space = os.statvfs(self.place)
        with open(self.place / "filler", "wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, space.f_bavail * space.f_bsize - free)

    def empty(self):
        (self.place / "filler").unlink()


class DiskFullTest(unittest.TestCase):
    def test_intake_stops_before_the_disk_is_full_and_voting_goes_on(self):
        with SmallDisk() as disk:
            settings = {"disk.reserve_bytes": RESERVE}
            with Cluster(settings=settings, data=self.on(disk)) as cluster:
                poor, *others = cluster.nodes
                # It has to vote: the third node is down.
                others[1].kill()
                cluster.leader()
                with poor.client() as mine, others[0].client() as theirs:
                    number = iter(range(1000))

                    def offer(client):
                        return client.submit(event("/disk", str(next(number))), wait="completed")

                    self.assertEqual(offer(mine).status, 201)
                    disk.fill(free=RESERVE // 2)
                    refusal = wait_until(
                        lambda: next((a for a in [offer(mine)] if a.status == 507), None),
                        "intake stops",
                    )
                    self.assertEqual(refusal.problem_type(), "disk-full", refusal)
                    for _ in range(5):
                        size = poor.log_size()
                        self.assertEqual(offer(theirs).status, 201)
                        poor.wait_log_size(size + 1)
                    self.assertEqual(offer(mine).status, 507)
                    self.assertFalse(mine.cluster()["intake_open"])
                    disk.empty()
                    wait_until(lambda: offer(mine).status == 201, "intake goes on")
                    self.assertTrue(mine.cluster()["intake_open"])
                others[1].start()
                others[1].wait_ready()
                cluster.wait_same_tip()

    def on(self, disk):
        """The data directory of n1 is on the small disk."""
        elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="eventchain-"))
        self.addCleanup(subprocess.run, ["rm", "-r", str(elsewhere)], check=False)
        return lambda name: (disk.place if name == "n1" else elsewhere) / name


if __name__ == "__main__":
    unittest.main()
