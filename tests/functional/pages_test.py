"""Manual pages and completions have all that the programs say of themselves."""

import re
import subprocess
import unittest

from programs import clean_environment, eventchain, program


def run(name, *arguments):
    return subprocess.run(
        [program(name), *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def listed(text, heading):
    """The first words of the lines below a heading of --help, up to an empty line."""
    found = re.search(rf"^{heading}:\n((?:  .*\n)+)", text, re.M)
    return re.findall(r"^  (\S+)", found.group(1), re.M) if found else []


def commands(name, path=()):
    """Each command of a program with its --help, by walking through all of them."""
    text = run(name, *path, "--help")
    yield path, text
    for word in listed(text, "Subcommands"):
        yield from commands(name, (*path, word))


def options(text):
    """The long and short names in a --help, without --help itself."""
    names = [name for word in listed(text, "Options") for name in word.split(",")]
    return [name for name in names if name.startswith("-") and name not in ("-h", "--help")]


class PagesTest(unittest.TestCase):
    def test_the_manual_names_every_command_and_option(self):
        for name in ("eventchain", "eventchaind"):
            manual = run(name, "--generate", "man").replace("\\-", "-")
            for path, text in commands(name):
                with self.subTest(program=name, command=path):
                    self.assertIn(" ".join(path), manual)
                    for option in options(text):
                        self.assertIn(f"\\fB{option}\\fR", manual)

    def test_the_completion_offers_every_command_and_option_where_it_may_stand(self):
        for name in ("eventchain", "eventchaind"):
            script = run(name, "--generate", "bash")
            for path, text in commands(name):
                with self.subTest(program=name, command=path):
                    words = " ".join([*listed(text, "Subcommands"), *options(text)])
                    line = [name, *path, ""]
                    offered = subprocess.run(
                        [
                            *("bash", "-c"),
                            script + '\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
                            f'_{name}; printf "%s\\n" "${{COMPREPLY[@]}}"',
                            *("bash", *line),
                        ],
                        capture_output=True,
                        text=True,
                        timeout=60,
                        check=True,
                    ).stdout.split()
                    self.assertLessEqual(set(words.split()), set(offered))

    def test_the_example_configuration_is_the_one_of_the_source(self):
        manual = run("eventchaind", "--generate", "man-settings").replace("\\-", "-")
        example = run("eventchaind", "--generate", "example")
        for key in re.findall(r"^(?:# (?:  )?)?([a-z_]+) = ", example, re.M):
            self.assertRegex(manual, rf"\\fB[a-z.]+\.{key}\\fR")

    def test_a_page_that_is_not_there_is_a_mistake_of_the_command_line(self):
        done = eventchain("--generate", "nothing", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("{bash,man}", done.stderr)


if __name__ == "__main__":
    unittest.main()
