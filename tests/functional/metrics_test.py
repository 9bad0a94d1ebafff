"""The metrics of real nodes, as Prometheus and the shipped alert rules see them."""

import os
import re
import shutil
import subprocess
import unittest

from client import event
from cluster import Cluster
from programs import ROOT


def promtool():
    """Prometheus' own tool: EVENTCHAIN_PROMTOOL, one that tests/deploy/run has fetched, or none."""
    kept = ROOT / "build" / "promtool"
    return os.environ.get("EVENTCHAIN_PROMTOOL") or (
        str(kept) if os.access(kept, os.X_OK) else shutil.which("promtool")
    )


class MetricsTest(unittest.TestCase):
    def test_every_metric_of_an_alert_is_there_and_prometheus_finds_no_fault(self):
        rules = (ROOT / "deploy" / "eventchain.rules.yml").read_text(encoding="utf-8")
        # These come where witnesses are configured.
        wanted = set(re.findall(r"eventchain_(?!witness|cosigner)[a-z_]+", rules))
        with Cluster() as cluster:
            with cluster.nodes[0].client() as client:
                self.assertLess(client.submit(event("/metrics", "1"), wait="completed").status, 300)
                text = client.get("/metrics").body.decode()
        names = set(re.findall(r"^(eventchain_[a-z_]+)", text, re.M))
        self.assertEqual(wanted - names, set())
        families = set(re.findall(r"^# TYPE (\S+)", text, re.M))
        self.assertEqual(families, set(re.findall(r"^# HELP (\S+) \S", text, re.M)))
        tool = promtool()
        if tool is None:
            self.skipTest("no promtool (Debian package prometheus)")
        done = subprocess.run(
            [tool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
