"""The links between nodes, as a test sees them: starts proxy.py and tells it what to do."""

import itertools
import json
import pathlib
import subprocess
import sys

PROXY = pathlib.Path(__file__).resolve().parent / "proxy.py"


class Links:
    """One proxy process. Every call returns when the links are as it asks; close() ends it.

    Not to be shared by threads. The meaning of modes, rates and orphans is in proxy.py.
    """

    def __init__(self, seed=0):
        self._process = subprocess.Popen(
            [sys.executable, str(PROXY), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _ask(self, name, **arguments):
        self._process.stdin.write(json.dumps({"do": name, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the proxy ended with {self._process.wait(timeout=30)}")
        answer = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(f"the proxy did not {name} {arguments}: {answer['failed']}")
        return answer["done"]

    def listen(self, dialler, target, port, target_port):
        """From now on `port` is where `dialler` reaches `target`, which listens at target_port."""
        self._ask("listen", dialler=dialler, target=target, port=port, target_port=target_port)

    def set(self, source, target, mode="pass", **rule):
        """The rule of what `source` sends to `target`: mode, delay_ms, jitter_ms, rate."""
        self._ask("set", source=source, target=target, mode=mode, **rule)

    def set_both(self, a, b, mode="pass", **rule):
        self.set(a, b, mode, **rule)
        self.set(b, a, mode, **rule)

    def separate(self, groups, mode="silent"):
        """No link between nodes of different groups, in either direction."""
        for one, other in itertools.combinations(groups, 2):
            for a, b in itertools.product(one, other):
                self.set_both(a, b, mode)

    def orphan(self, a, b):
        """The present connections between a and b are half-open for good."""
        self._ask("orphan", a=a, b=b)

    def heal(self):
        """All links pass, at once and without bound. Orphans stay orphans."""
        self._ask("heal")

    def told(self):
        return self._ask("told")
