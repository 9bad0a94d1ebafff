"""The Debian package under test, and one with a higher version to upgrade to."""

import pathlib
import re
import shutil
import subprocess

from paths import ROOT


def find(given):
    """The .deb named on the command line, else the newest that tools/package has made."""
    if given is not None:
        return pathlib.Path(given).resolve()
    found = sorted((ROOT / "build/package").glob("eventchain_*.deb"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise RuntimeError("there is no package to try: make one with tools/package, or name one with --package")
    return found[-1]


def version(package):
    return subprocess.check_output(["dpkg-deb", "--field", str(package), "Version"], text=True).strip()


def unpack(package, folder):
    subprocess.check_call(["dpkg-deb", "--extract", str(package), str(folder)])


def _remade(package, folder, suffix, change):
    """The package with `suffix` to its version, and its eventchaind as change(path) leaves it."""
    tree = folder / "remade"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.check_call(["dpkg-deb", "--raw-extract", str(package), str(tree)])
    control = tree / "DEBIAN/control"
    wanted = version(package) + suffix
    control.write_text(re.sub(r"^Version: .*$", f"Version: {wanted}", control.read_text(), flags=re.M))
    change(tree / "usr/bin/eventchaind")
    (tree / "usr/bin/eventchaind").chmod(0o755)
    made = folder / f"eventchain_{wanted}_{package.stem.rsplit('_', 1)[1]}.deb"
    subprocess.check_call(
        ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(made)], stdout=subprocess.DEVNULL
    )
    shutil.rmtree(tree)
    return made


def libraries(program):
    lines = subprocess.check_output(["readelf", "--dynamic", str(program)], text=True).splitlines()
    return {line.split("[")[1] for line in lines if "(NEEDED)" in line}


def broken_version(package, folder):
    """A higher version whose node does not start; lower than higher_version()."""
    return _remade(package, folder, "+0broken", lambda program: program.write_text("#!/bin/sh\nexit 1\n"))


def higher_version(package, folder):
    """The same package with a higher version. Where the build has the program of the next feature level
    (tests/functional has it too), that is in it, so that the cluster's level can rise after the upgrade."""
    following = ROOT / "build/release/tests/eventchaind-next"

    def change(program):
        # One of another build may want libraries that the package does not name.
        if following.exists() and libraries(following) <= libraries(program):
            subprocess.check_call(["strip", "-o", str(program), str(following)])

    return _remade(package, folder, "+1", change)
