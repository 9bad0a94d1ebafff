"""N Debian hosts on one machine: systemd as first process, sshd, a root file system and a network
address of their own. To be used inside of namespace.go_inside()."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

import paths  # noqa: F401  first: it says where the others are

import cgroups
import namespace
import waiting

NETWORK = "10.99.7"
CONTROLLER = f"{NETWORK}.1"
BRIDGE = "br0"
HOSTS_MAX = 9


class Trouble(RuntimeError):
    pass


def run(*command, check=True, timeout=60, **options):
    """A command on the controller; its output is in the exception when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL if "input" not in options else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        **options,
    )
    if check and done.returncode != 0:
        raise Trouble(f"{' '.join(words)} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def wait_until(condition, what, seconds=60.0, poll_seconds=0.1):
    return waiting.wait_until(condition, what, seconds, poll_seconds)


class Host:
    """One host. Commands run in it by its namespaces, so that they need no network of it."""

    def __init__(self, lab, number):
        self.name = f"h{number}"
        self.address = f"{NETWORK}.{10 + number}"
        self.link = f"v{number}"  # the bridge's end of its cable
        self.home = lab.folder / self.name
        self.root = self.home / "root"
        self._lab = lab
        self._groups = cgroups.HostGroups(namespace.label(), self.name)
        self._nspawn = None

    def __repr__(self):
        return self.name

    def make(self):
        for part in ("upper", "work", "root"):
            (self.home / part).mkdir(parents=True)
        layers = f"lowerdir={self._lab.base},upperdir={self.home / 'upper'},workdir={self.home / 'work'}"
        run("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
        (self.root / "etc/hostname").write_text(self.name + "\n")
        (self.root / "etc/hosts").write_text(self._lab.hosts_file())
        keys = self.root / "root/.ssh/authorized_keys"
        keys.write_text(self._lab.key.with_suffix(".pub").read_text())
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", self.link, "master", BRIDGE, "up")
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        run("ip", "-n", self.name, "addr", "add", f"{self.address}/24", "dev", "eth0")
        run("ip", "-n", self.name, "link", "set", "eth0", "up")
        self._groups.make()

    # --- its life ----------------------------------------------------------------------------

    def start(self):
        run("ip", "link", "set", self.link, "up")
        command = ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--register=no", "--keep-unit"]
        command += [f"--machine={self.name}", f"--network-namespace-path=/run/netns/{self.name}"]
        command += ["--resolv-conf=off", "--kill-signal=SIGRTMIN+3", "--capability=CAP_NET_ADMIN"]
        with open(self.home / "console", "ab") as console:
            self._nspawn = subprocess.Popen(
                [*command, "/sbin/lab-init"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                preexec_fn=self._groups.enter,
            )

    def is_running(self):
        return self._nspawn is not None and self._nspawn.poll() is None

    def first_process(self):
        """The host's systemd as seen from here; None if there is none."""
        if not self.is_running():
            return None
        children = pathlib.Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        found = children.read_text().split()
        return int(found[0]) if found else None

    def wait_up(self, seconds=60):
        def is_up():
            if not self.is_running():
                raise Trouble(f"{self} ended by itself:\n{(self.home / 'console').read_text()[-2000:]}")
            if self.first_process() is None:
                return False
            state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
            return state in ("running", "degraded")

        wait_until(is_up, f"{self} is up", seconds)

    def crash(self, is_heard=False):
        """Off at once. Unless `is_heard`, nobody hears of it: no connection is closed."""
        if not is_heard:
            run("ip", "link", "set", self.link, "down")
        first = self.first_process()
        if first is not None:
            os.kill(first, 9)
        if self._nspawn is not None:
            self._nspawn.wait()

    def freeze(self):
        self._groups.freeze(True)

    def thaw(self):
        self._groups.freeze(False)

    def threads(self):
        """Of all its processes, as they are numbered here."""
        return self._groups.threads()

    def remove(self):
        if self.is_running():
            self.thaw()
            self.crash(is_heard=True)
        run("umount", "--recursive", self.root, check=False)
        self._groups.remove()
        shutil.rmtree(self.home, ignore_errors=True)

    # --- within ------------------------------------------------------------------------------

    def run(self, *command, check=True, timeout=60, **options):
        first = self.first_process()
        if first is None:
            raise Trouble(f"{self} is off")
        enter = ["nsenter", f"--target={first}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd=/"]
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        return run(*enter, "--", *clean, *command, check=check, timeout=timeout, **options)

    def shell(self, script, check=True, timeout=60):
        return self.run("sh", "-ec", script, check=check, timeout=timeout).stdout

    @contextlib.contextmanager
    def drop_in(self, unit, *settings):
        """The unit, started anew, has these settings of its [Service] besides; at the end not any more."""
        folder = f"/etc/systemd/system/{unit}.service.d"
        file = f"{folder}/lab.conf"
        text = "\n".join(["[Service]", *settings]) + "\n"
        self.run("sh", "-ec", f"mkdir -p {folder}; cat > {file}; systemctl daemon-reload", input=text)
        try:
            self.run("systemctl", "restart", unit)
            yield
        finally:
            self.shell(f"rm {file}; systemctl daemon-reload; systemctl restart {unit}")

    def property(self, unit, name):
        return self.run("systemctl", "show", "--property", name, "--value", unit).stdout.strip()


class Lab:
    """The hosts and the network between them. A context: what it made is gone at its end."""

    def __init__(self, folder, base):
        self.folder = folder
        self.base = base
        self.key = folder / "key"
        self.hosts = []

    def __enter__(self):
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        pathlib.Path("/run/netns").mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{CONTROLLER}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        run("nft", "add", "table", "bridge", "lab")
        run("nft", "add chain bridge lab cut { type filter hook forward priority 0; }")
        return self

    def __exit__(self, *_):
        # Nobody is to interrupt this half-way; should it be killed, only empty cgroups are left.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for host in self.hosts:
            try:
                host.remove()
            except Exception as error:  # the others are to go, too
                print(f"cleaning up {host}: {error}", flush=True)

    def hosts_file(self):
        lines = ["127.0.0.1 localhost"]
        lines += [f"{NETWORK}.{10 + number} h{number}" for number in range(1, HOSTS_MAX + 1)]
        return "\n".join(lines) + "\n"

    def add_host(self):
        host = Host(self, len(self.hosts) + 1)
        self.hosts.append(host)
        host.make()
        host.start()
        return host

    def isolate(self, host):
        """The other hosts and it do not hear each other; the controller hears all."""
        others = ", ".join(other.link for other in self.hosts if other is not host)
        for one, two in ((f'"{host.link}"', f"{{ {others} }}"), (f"{{ {others} }}", f'"{host.link}"')):
            run("nft", f"add rule bridge lab cut iifname {one} oifname {two} drop")

    def heal(self):
        run("nft", "flush", "chain", "bridge", "lab", "cut")
