#!/usr/bin/env python3
"""Which sources of a target can be compiled as one file.  Usage: unity_groups.py MOST < paths

Reads paths of C++ sources, one a line, and writes `GROUP;PATH` for each: at most MOST files have one
GROUP, a number. No two of a group use or include a name that is private to the other (in an unnamed
namespace, or a macro), for in one file the compiler would take one for the other. Names are told by their
looks, not by the language's rules: it takes for a collision what may be one, and keeps the files apart.
"""
import functools
import os
import re
import sys

# Comments, and literals: raw, strings, characters. A digit separator is no character.
SKIPPED = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
DEFINE = re.compile(r"^\s*#\s*define\s+(\w+)", re.M)
DIRECTIVE = re.compile(r"^\s*#(?:[^\n\\]|\\.)*", re.M | re.S)
TOKEN = re.compile(r"[A-Za-z_]\w*|::|->|\S")
TYPE_KEYS = {"struct", "class", "enum", "union", "using"}
MEMBER_OF = {".", "->", "::"}
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Words that stand where the name of something declared could stand.
KEYWORDS = set(
    "alignas auto bool case catch char const constexpr const_cast decltype default delete do double else "
    "explicit extern false final float for if inline int long mutable namespace new noexcept nullptr "
    "operator override private protected public requires return short signed sizeof static static_cast "
    "struct switch template this throw true try typename unsigned using virtual void while "
    "std TEST_CASE TEST_CASE_FIXTURE SUBCASE CHECK REQUIRE".split()
)


def is_name(token):
    return (token[0].isalpha() or token[0] == "_") and token not in KEYWORDS


@functools.cache
def parts(path):
    """A file's tokens, its macros, and which of the project's headers it includes."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    places = (os.path.dirname(path), ROOT)
    included = []
    for name in INCLUDE.findall(text):
        for place in places:
            header = os.path.normpath(os.path.join(place, name))
            if os.path.isfile(header):
                included.append(header)
                break
    text = SKIPPED.sub(lambda found: " " if found[0].startswith("/") else '""', text)
    return TOKEN.findall(DIRECTIVE.sub("", text)), set(DEFINE.findall(text)), included


def declared(tokens):
    """What is declared right in a namespace: (qualified name, name, is in an unnamed one)."""
    scopes = []  # of each open brace: the namespace's name ("" for none), or None for another scope
    start = brackets = 0  # where the statement starts; round and square ones that are open
    for i, token in enumerate(tokens):
        if token in "{};" and brackets == 0:
            if token == "{":
                words = tokens[start:i]
                scopes.append("".join(words[words.index("namespace") + 1 :]) if "namespace" in words else None)
            elif token == "}":
                scopes = scopes[:-1]
            start = i + 1
        elif token in "([":
            brackets += 1
        elif token in ")]":
            brackets -= 1
        elif is_name(token) and brackets == 0 and None not in scopes and 0 < i < len(tokens) - 1:
            before, after = tokens[i - 1], tokens[i + 1]
            is_alias = tokens[start] == "using" and tokens[start + 1] != "namespace" and after == ";"
            if before in TYPE_KEYS or (after in "(={;[" and before not in MEMBER_OF) or is_alias:
                yield "::".join([*filter(None, scopes), token]), token, "" in scopes


def aliases(tokens):
    """Of each `using a::b;` outside of braces other than namespaces': a::b, b."""
    text = " ".join(tokens)
    for target in re.findall(r"(?:^|[;{}] )using ((?:\w+ :: )+\w+) ;", text):
        yield target.replace(" ", ""), target.split()[-1]


@functools.cache
def of_header(path):
    """Qualified names and macros that a header, and those that it includes itself, bring to a file."""
    files, names = {path}, set()
    waiting = [path]
    while waiting:
        tokens, macros, included = parts(waiting.pop())
        names |= macros | {qualified for qualified, _, _ in declared(tokens)}
        waiting += set(included) - files
        files |= set(included)
    return names


def last(qualified):
    return qualified.rpartition("::")[2]


class Source:
    def __init__(self, path):
        self.path = path
        tokens, macros, included = parts(path)
        self.private = macros | {name for _, name, is_unnamed in declared(tokens) if is_unnamed}
        self.aliases = dict(map(reversed, aliases(tokens)))
        self.included = set().union(*map(of_header, included))
        self.others = set(map(last, self.included)) | {
            token for i, token in enumerate(tokens) if is_name(token) and (i == 0 or tokens[i - 1] not in MEMBER_OF)
        }

    def hides(self, other):
        if not self.private.isdisjoint(other.others):
            return True
        # An alias is in the other's way where the name stands for something else there.
        return any(
            last(name) in self.aliases and not name.endswith(self.aliases[last(name)])
            for name in other.included - self.included
        )

    def collides(self, other):
        return self.hides(other) or other.hides(self)


def grouped(sources, most):
    groups = []
    for source in sources:
        for group in groups:
            if len(group) < most and not any(source.collides(member) for member in group):
                group.append(source)
                break
        else:
            groups.append([source])
    return groups


def main():
    most = int(sys.argv[1])
    sources = [Source(path) for path in sys.stdin.read().splitlines()]
    for number, group in enumerate(grouped(sources, most)):
        for source in group:
            print(f"{number};{source.path}")


if __name__ == "__main__":
    main()
