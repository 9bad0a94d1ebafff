"""`eventchain bench mine` says what this machine can mine: its form, not its figures."""

import json
import os
import unittest

from programs import eventchain

SECONDS = ("--seconds", "0.2")


class BenchMineTest(unittest.TestCase):
    def bench(self, *options):
        return eventchain("bench", "mine", *SECONDS, *options)

    def check_rate(self, rate, unit):
        self.assertGreater(rate[unit], 0, rate)
        # Unknown on processors whose clock cannot be estimated.
        self.assertTrue(rate["cycles_each"] is None or rate["cycles_each"] > 0, rate)
        self.assertGreaterEqual(rate["chunks"], 1, rate)
        self.assertLessEqual(rate["clean_chunks"], rate["chunks"], rate)

    def test_json_has_every_kernel_with_one_thread_and_with_all(self):
        report = json.loads(self.bench("--json").stdout)
        self.assertEqual(list(report), ["chosen", "kernels", "openssl"])
        lines = [(line["name"], line["threads"]) for line in report["kernels"]]
        self.assertEqual(len(set(lines)), len(lines), lines)
        names = [name for name, threads in lines if threads == 1]
        # The one that runs everywhere is always there.
        self.assertIn("vectors", names)
        self.assertIn(report["chosen"], names)
        processors = len(os.sched_getaffinity(0))
        if processors > 1:
            self.assertEqual([line for line in lines if line[1] == processors],
                             [(name, processors) for name in names])
        for line in report["kernels"]:
            self.assertEqual(list(line), ["name", "threads", "hashes_per_second", "cycles_each",
                                          "chunks", "clean_chunks"])
            self.check_rate(line, "hashes_per_second")
        openssl = report["openssl"]
        self.assertEqual(list(openssl), ["version", "blocks", "messages"])
        self.check_rate(openssl["blocks"], "blocks_per_second")
        self.check_rate(openssl["messages"], "hashes_per_second")

    def test_the_shared_option_asks_for_json_too(self):
        self.assertIn("chosen", json.loads(self.bench("--output", "json").stdout))

    def test_the_table_names_the_kernel_that_a_node_uses(self):
        text = self.bench().stdout
        heading, first = text.splitlines()[:2]
        self.assertEqual(heading.split()[:3], ["KERNEL", "THREADS", "M/S"])
        chosen = text.split("A node mines with ")[1].split()[0]
        rows = [line.split()[0] for line in text.splitlines() if line]
        self.assertIn(chosen, rows)
        self.assertIn("OpenSSL", rows)
        self.assertGreater(float(first.split()[2]), 0)

    def test_randomx_is_measured_with_one_thread_and_with_all(self):
        report = json.loads(self.bench("--work", "randomx", "--json").stdout)
        self.assertEqual(list(report), ["work", "machine_code", "cache_seconds", "dataset_seconds",
                                        "lines"])
        self.assertIsNone(report["dataset_seconds"])
        processors = len(os.sched_getaffinity(0))
        self.assertEqual([(line["mode"], line["threads"]) for line in report["lines"]],
                         [("light", count) for count in sorted({1, processors})])
        for line in report["lines"]:
            self.assertGreater(line["hashes_per_second_each"], 0, line)
        self.assertIn("RANDOMX", self.bench("--work", "randomx").stdout)

    def test_help_and_usage(self):
        self.assertIn("--seconds", eventchain("bench", "mine", "--help").stdout)
        self.assertEqual(eventchain("bench", "mine", "--seconds", "0", check=False).returncode, 2)
        self.assertEqual(eventchain("bench", check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
