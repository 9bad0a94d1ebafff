"""Everything of a lab in namespaces of its own, so that it ends with one process, whichever way.

Outside: what needs the network (packages, the base root). Inside: network, mounts and processes are
the lab's. Its addresses and routes are in no other network, and no mount is seen elsewhere.
"""

import os
import signal
import subprocess
import sys

MARK = "EVENTCHAIN_HOSTS_INSIDE"


def is_inside():
    return MARK in os.environ


def label():
    """Tells this lab's cgroups from those of others: the process outside that waits for it."""
    return os.environ[MARK]


def go_inside(arguments):
    """Runs this program again inside; the exit code."""
    command = ["unshare", "--mount", "--propagation", "private", "--net", "--ipc", "--pid", "--fork"]
    command += ["--kill-child", "--mount-proc", sys.executable, sys.argv[0], *arguments]
    inside = subprocess.Popen(command, env={**os.environ, MARK: str(os.getpid())})
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A terminal tells all of a group; whoever is told alone must tell the others.
        signal.signal(number, lambda *_: _signal_children(inside.pid, signal.SIGTERM))
    return inside.wait()


def _signal_children(pid, number):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            for child in children.read().split():
                os.kill(int(child), number)
    except OSError:
        pass


def as_first_process(work):
    """Calls work() in a child; this process, the namespace's first, collects orphans meanwhile.

    Returns the exit code. A signal ends the child by SystemExit, so that it cleans up.
    """
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
        signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        code = 1
        try:
            code = work()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda got, _: os.kill(child, signal.SIGTERM))
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status)
