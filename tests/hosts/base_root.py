"""The root file system that all hosts of a lab start from, made once and kept.

Everything that hosts need is in it, because they have no network but their own: a minimal Debian
with systemd and sshd, what Ansible needs, what the package depends on, and the co-located service.
The package itself is not.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

HOST_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "libnss-systemd", "openssh-server", "python3", "python3-apt"),
    *("iproute2", "iputils-ping", "procps", "ca-certificates", "openssl"),
    # Clocks that go wrong, and a service that somebody else's hosts are there for.
    *("faketime", "redis-server", "redis-tools"),
)
# Nothing of this is wanted in a host that lives for minutes.
MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"),
    *("e2scrub_reap.service", "fstrim.timer", "console-getty.service", "redis-server.service"),
)
# systemd-nspawn mounts the controllers of cgroup version 1 read-only, and then CPUWeight, MemoryMax
# and TasksMax of units do nothing, silently. The groups are the host's own (cgroups.py).
INIT = """#!/bin/sh
for controller in cpu cpuacct memory pids blkio devices freezer; do
  [ -d /sys/fs/cgroup/$controller ] &&
    mount -o remount,bind,rw,nosuid,nodev,noexec /sys/fs/cgroup/$controller
done
exec /lib/systemd/systemd "$@"
"""


def depends_of(package):
    """Names that a .deb depends on; of alternatives the first."""
    text = subprocess.check_output(["dpkg-deb", "--field", str(package), "Pre-Depends", "Depends"], text=True)
    text = ",".join(line.partition(":")[2] for line in text.splitlines())
    return sorted({re.split(r"[ |(:]", one.strip())[0] for one in text.split(",") if one.strip()})


def codename():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    raise RuntimeError("/etc/os-release names no VERSION_CODENAME; is this a Debian?")


def apt_sources():
    """The files that name this machine's own archive, without suites of later versions."""
    files = [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*.sources"))]
    wanted = re.compile(rf"^(Suites:|deb ).*\b{codename()}(-updates|-security)?\b(?!-)", re.M)
    found = [str(file) for file in files if file.exists() and wanted.search(file.read_text())]
    if not found:
        raise RuntimeError("no apt source of this machine is of its own release")
    return found


def base_root(folder, package):
    """The base's directory, made now if need be."""
    names = sorted({*HOST_PACKAGES, *depends_of(package)})
    digest = hashlib.sha256("\n".join((*names, *MASKED, INIT)).encode()).hexdigest()[:12]
    base = folder / f"base-{digest}"
    if base.exists():
        return base
    for old in folder.glob("base-*"):
        shutil.rmtree(old)
    print(f"making the hosts' root file system in {base} (once)", flush=True)
    making = folder / f"base-{digest}.new"
    _bootstrap(making, names)
    _prepare(making)
    making.rename(base)
    return base


def _bootstrap(root, names):
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{of}/*" for of in ("doc", "man", "locale")]
    command += ["--aptopt=Acquire::Languages \"none\"", "--aptopt=APT::Install-Recommends \"0\""]
    command += ["--include=" + ",".join(names), codename(), str(root), *apt_sources()]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(root, ignore_errors=True)
        raise RuntimeError(f"mmdebstrap failed:\n{done.stdout[-2000:]}")


def _prepare(root):
    (root / "etc/default").mkdir(exist_ok=True)
    (root / "etc/default/locale").write_text("")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/machine-id").write_text("")
    for unit in MASKED:
        place = root / "etc/systemd/system" / unit
        place.unlink(missing_ok=True)
        place.symlink_to("/dev/null")
    init = root / "sbin/lab-init"
    init.write_text(INIT)
    init.chmod(0o755)
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    # Devices are nspawn's.
    for device in (root / "dev").iterdir():
        if not device.is_dir() or device.is_symlink():
            os.unlink(device)
