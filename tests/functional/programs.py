"""Where the programs under test are, and running the command-line tool."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def build_directory():
    """The build under test: EVENTCHAIN_BUILD (set by ./run --build), else the release preset's."""
    return pathlib.Path(os.environ.get("EVENTCHAIN_BUILD", ROOT / "build" / "release"))


def program(name):
    """Path of a built program, or an error that says how to build it."""
    folders = {"eventchaind": "node", "eventchain": "tools", "eventchaind-next": "tests"}
    path = build_directory() / folders[name] / name
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(
            f"{path} is missing: build it, or name another build with --build DIR"
        )
    return str(path)


def clean_environment():
    """The environment without our variables: each of them would be taken as a setting."""
    return {key: text for key, text in os.environ.items() if not key.startswith("EVENTCHAIN_")}


def eventchain(*arguments, check=True, timeout=60):
    """Runs the command-line tool; with `check`, anything but exit code 0 is an error."""
    done = subprocess.run(
        [program("eventchain"), *map(str, arguments)],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if check and done.returncode != 0:
        raise RuntimeError(
            f"eventchain {' '.join(map(str, arguments))} exited with {done.returncode}:\n"
            f"{done.stdout}{done.stderr}"
        )
    return done
