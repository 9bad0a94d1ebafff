#!/usr/bin/env python3
"""What may be compiled as one file, and what not."""
import os
import tempfile
import unittest

from unity_groups import Source, grouped


class Groups(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def groups(self, *texts, most=8):
        place = tempfile.mkdtemp(dir=self.folder)  # a new one: what was read of a file is kept
        sources = [Source(self.write(os.path.join(place, f"{number}.cpp"), text)) for number, text in enumerate(texts)]
        return [[os.path.basename(source.path)[0] for source in group] for group in grouped(sources, most)]

    def assert_apart(self, *texts):
        self.assertEqual(self.groups(*texts), [["0"], ["1"]])

    def assert_together(self, *texts):
        self.assertEqual(self.groups(*texts), [["0", "1"]])

    def test_no_more_than_so_many_are_together(self):
        self.assertEqual(self.groups(*["int a();"] * 5, most=2), [["0", "1"], ["2", "3"], ["4"]])

    def test_two_private_things_of_one_name(self):
        self.assert_apart("namespace { int at(int x) { return x; } }", "namespace { struct at {}; }")
        self.assert_apart("namespace a { namespace { constexpr int kMost = 1; } }", "namespace { int kMost{2}; }")

    def test_a_private_thing_that_the_other_uses_from_elsewhere(self):
        self.assert_apart("namespace { bool contains(int); }", "bool b = contains(2);")
        self.assert_together("namespace { bool contains(int); }", "bool b = set.contains(2) || std::contains(3);")

    def test_a_private_thing_that_the_other_includes(self):
        self.write("deep.h", "namespace n {\nenum class Finding { kOk };\n}")
        self.write("verify.h", '#include "deep.h"\n')
        self.assert_apart("namespace { struct Finding {}; }", '#include "../verify.h"\n')
        self.assert_together("namespace { struct Found {}; }", '#include "../verify.h"\n')

    def test_an_alias_of_what_is_something_else_for_the_other(self):
        self.write("verdict.h", "namespace tools {\nstruct Verdict { int a; };\n}")
        self.write("result.h", "namespace chain {\nclass Verdict {};\n}")
        self.assert_apart("namespace tools { using chain::Verdict; }", '#include "../verdict.h"\n')
        self.assert_together("namespace tools { using chain::Verdict; }", '#include "../result.h"\n')

    def test_macros(self):
        self.assert_apart("#define CHECKED 1\n", "int CHECKED = 2;")

    def test_what_is_no_name(self):
        members = "namespace { struct A { int value; void go() { int local = 1; } }; }"
        self.assert_together(members, "int value = 1; int go(); int local;")
        self.assert_together('namespace { const char* a = "x { namespace y"; /* int b; */ }', "int b, x, y;  // a")


if __name__ == "__main__":
    unittest.main()
