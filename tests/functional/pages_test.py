"""Manual pages and completions have all that the programs say of themselves."""

import pathlib
import re
import shutil
import subprocess
import tempfile
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

    def check_completion(self, shell, offered_at):
        """Of each place: the commands, and the options behind a dash; `offered_at` asks the shell."""
        for name in ("eventchain", "eventchaind"):
            script = run(name, "--generate", shell)
            for path, text in commands(name):
                with self.subTest(program=name, command=path):
                    words = listed(text, "Subcommands")
                    self.assertLessEqual(set(words), offered_at(script, [name, *path], ""))
                    offered = offered_at(script, [name, *path], "--")
                    long_names = {option for option in options(text) if option.startswith("--")}
                    self.assertLessEqual(long_names | {"--help"}, offered)

    @unittest.skipIf(shutil.which("zsh") is None, "no zsh (Debian package zsh)")
    def test_zsh_offers_every_command_and_option_where_it_may_stand(self):
        def offered_at(script, line, word):
            # What belongs to zsh's completion system, and cannot be had without a terminal.
            stubs = (
                "_describe() { while [[ $1 == -* ]]; do shift; done;"
                ' local entry; for entry in "${(@P)2}"; do print -r -- "${entry%%:*}"; done }\n'
                "_files() { print -r -- FILES }\n"
            )
            call = f'words=("$@"); CURRENT=$#words; _{line[0]}'
            return self.output("zsh", "-f", "-c", stubs + script + call, "zsh", *line, word)

        self.check_completion("zsh", offered_at)
        script = run("eventchain", "--generate", "zsh")
        line = ["eventchain", "cluster", "add"]
        self.assertEqual(
            offered_at(script, [*line, "--role"], ""), {"standby", "observer", "light"}
        )
        self.assertEqual(offered_at(script, [*line, "--ca"], ""), {"FILES"})
        self.assertIn("FILES", offered_at(script, ["eventchain", "receipt", "verify"], ""))
        self.assertNotIn("FILES", offered_at(script, ["eventchain", "receipt"], ""))

    @unittest.skipIf(shutil.which("zsh") is None, "no zsh (Debian package zsh)")
    def test_zsh_loads_the_completion_from_its_path(self):
        with tempfile.TemporaryDirectory() as directory:
            for name in ("eventchain", "eventchaind"):
                pathlib.Path(directory, f"_{name}").write_text(run(name, "--generate", "zsh"))
            loaded = self.output(
                *("zsh", "-f", "-c"),
                'fpath=("$1" $fpath); autoload -Uz compinit; compinit -D -u;'
                "print ${_comps[eventchain]}; print ${_comps[eventchaind]}",
                *("zsh", directory),
            )
        self.assertEqual(loaded, {"_eventchain", "_eventchaind"})

    @unittest.skipIf(shutil.which("fish") is None, "no fish (Debian package fish)")
    def test_fish_offers_every_command_and_option_where_it_may_stand(self):
        def offered_at(script, line, word):
            # Nothing is on the path that fish could ask, nor in the folder that it could list.
            with tempfile.TemporaryDirectory() as folder:
                pathlib.Path(folder, "a-file").touch()
                return self.output(
                    *("fish", "--no-config", "-c", script + "complete -C $argv[1]"),
                    " ".join([*line, word]),
                    cwd=folder,
                    home=folder,
                )

        self.check_completion("fish", offered_at)
        script = run("eventchain", "--generate", "fish")
        line = ["eventchain", "cluster", "add"]
        self.assertEqual(
            offered_at(script, [*line, "--role"], ""), {"standby", "observer", "light"}
        )
        self.assertEqual(offered_at(script, [*line, "--ca"], ""), {"a-file"})
        self.assertIn("a-file", offered_at(script, ["eventchain", "receipt", "verify"], ""))
        self.assertNotIn("a-file", offered_at(script, ["eventchain", "receipt"], ""))

    def output(self, *command, cwd=None, home=None):
        """The first words of the lines that a command prints; it must have nothing to complain of."""
        environment = clean_environment()
        if home is not None:
            environment["HOME"] = home
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=True, cwd=cwd, env=environment
        )
        self.assertEqual(done.stderr, "")
        return {line.split("\t")[0] for line in done.stdout.splitlines()}

    def test_the_example_configuration_is_the_one_of_the_source(self):
        manual = run("eventchaind", "--generate", "man-settings").replace("\\-", "-")
        example = run("eventchaind", "--generate", "example")
        for key in re.findall(r"^(?:# (?:  )?)?([a-z_]+) = ", example, re.M):
            self.assertRegex(manual, rf"\\fB[a-z.]+\.{key}\\fR")

    def test_a_page_that_is_not_there_is_a_mistake_of_the_command_line(self):
        done = eventchain("--generate", "nothing", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("{bash,fish,man,zsh}", done.stderr)


if __name__ == "__main__":
    unittest.main()
