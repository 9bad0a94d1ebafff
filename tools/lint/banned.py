#!/usr/bin/env python3
"""Looks for what must not be in the tree.  Usage: tools/lint/banned.py [--root DIR]

Each rule names what it looks for, where it is allowed, and what to do instead. Comments and string
literals of C++ are skipped where a rule is about code.
"""
import argparse
import pathlib
import re
import subprocess
import sys

SHELLS = r"^(net/asio/|net/http/|node/(api/|runtime|main|program|metrics|log|miner_|share_checks|host_watch|link_watch|witnessing/)|tools/)"

# (what, pattern, files it looks at, files where it is allowed, remedy)
CODE_RULES = [
    ("clock", r"::now\s*\(\s*\)|\b(gettimeofday|clock_gettime|clock_nanosleep)\s*\(|"
              r"\b(std::)?time\s*\(\s*(nullptr|NULL|0)\s*\)",
     r".", SHELLS + r"|^mining/(thread_miner|host_probe|kernel_trial)|^tests/(sim|functional)/|"
     r"^store/sqlite/chain_scan",
     "time comes in as an argument (chain::Now); only shells read clocks"),
    ("random device", r"\brandom_device\b|\b(std::)?s?rand\s*\(|\bmt19937",
     r".", r"^$", "use chain::Rng with a seed that is handed in, or NodePort::draw_salt()"),
    ("sleep", r"\bsleep_(for|until)\b|\b(u|nano)?sleep\s*\(",
     r".", r"^(net/asio/|net/http/|node/runtime|mining/thread_miner|tools/)",
     "wait for the event itself, with a deadline"),
    ("thread", r"\bstd::(j?thread|async)\b(?!::id)",
     r".", SHELLS + r"|^mining/((thread_|governed_|paced_)?miner|randomx/|process/(remote_miner|miner_process))|^store/sqlite/|^tests/",
     "core code runs on one thread; threads belong to the shells"),
    ("exit", r"\b(std::)?(exit|abort|_exit|quick_exit)\s*\(",
     r".", r"^(node/(main|program|runtime)|tools/|tests/|chain/result\.cpp)",
     "return an error; only the outermost edge ends the process"),
]
TEXT_RULES = [
    ("open end", r"\b(TODO|FIXME|XXX)\b", r".", r"^tools/lint/",
     "finish it, or open an issue and name its number"),
    ("machine path", r"(?<![\w.$}])/(work|root|home/\w+|tmp/ec)/", r".", r"^tools/lint/",
     "write the path relative to the project, or take it from an argument"),
]
TEST_SLEEP = ("sleep in a test", r"\btime\.sleep\s*\(|(^|[;&|({]\s*|\b(do|then)\s+)sleep\s+[\d$.]",
              r"^tests/.*\.(py|sh)$|^tests/functional/",
              # The one place that asks real processes again and again, up to a deadline.
              r"^tests/functional/waiting\.py$",
              "wait for the event itself: a line of output, a status, a file")

CPP = (".h", ".cpp", ".hpp", ".cc")
TEXT = CPP + (".py", ".sh", ".md", ".txt", ".cmake", ".json", ".toml", ".proto", ".yml", "")
COROUTINE_WORD = re.compile(r"\bco_(await|return|yield)\b")
LAMBDA_HEAD = re.compile(
    r"\[[^\[\]{};]*\]\s*(<[^<>{};]*>\s*)?(\((?:[^(){};]|\([^(){};]*\))*\))?\s*"
    r"((mutable|noexcept|constexpr)\s*)*(->\s*[\w:<>,&*\s]+)?$")


def tracked(root):
    out = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"],
                         check=True, capture_output=True).stdout
    return sorted(name for name in out.decode().split("\0") if name and (root / name).is_file())


def code_only(text):
    """The text with comments and literals blanked, every line in its place."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'
                         r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def coroutine_lambdas(code):
    """Offsets of lambdas that are coroutines: their captures die with the lambda object while the
    coroutine still runs."""
    stack, found = [], []
    for match in re.finditer(r"[{}]|\bco_(?:await|return|yield)\b", code):
        if match.group(0) == "{":
            head = code[max(0, match.start() - 400):match.start()].rstrip()
            lambda_head = LAMBDA_HEAD.search(head)
            is_function = lambda_head is None and re.search(
                r"\)\s*(const|noexcept|override|final|\s)*(->[^;{}]*)?$", head) is not None
            is_control = re.search(r"\b(if|for|while|switch|catch)\s*(constexpr\s*)?\((?:[^(){};]|"
                                   r"\((?:[^()]|\([^()]*\))*\)|;)*\)$", head) is not None
            kind = "lambda" if lambda_head else "function" if is_function and not is_control else ""
            stack.append((kind, match.start()))
        elif match.group(0) == "}":
            if stack:
                stack.pop()
        else:
            for kind, offset in reversed(stack):
                if kind:
                    if kind == "lambda":
                        found.append(offset)
                    break
    return sorted(set(found))


def apply_rule(rule, path, text, complain):
    what, pattern, where, allowed, remedy = rule
    if not re.search(where, path) or re.search(allowed, path):
        return
    for match in re.finditer(pattern, text, re.M):
        complain(path, text.count("\n", 0, match.start()) + 1, f"{what}: {remedy}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2])
    root = pathlib.Path(parser.parse_args().root)
    problems, looked_at = [], 0

    def complain(path, line, text):
        problems.append(f"{path}:{line}: {text}")

    for path in tracked(root):
        if pathlib.PurePath(path).suffix not in TEXT:
            continue
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        looked_at += 1
        for rule in TEXT_RULES + [TEST_SLEEP]:
            apply_rule(rule, path, text, complain)
        if not path.endswith(CPP):
            continue
        code = code_only(text)
        for rule in CODE_RULES:
            apply_rule(rule, path, code, complain)
        for offset in coroutine_lambdas(code):
            complain(path, code.count("\n", 0, offset) + 1,
                     "coroutine lambda: make it a function whose state is in its parameters")
    for problem in problems:
        print(problem)
    print(f"banned: {looked_at} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
