"""Receipts changed in one place: every value, every list and object, and the text as such."""

import json
import re
from typing import NamedTuple

LONGEST = {"path": 65, "shares": 256, "certificate": 8, "voters": 4096, "annex": 4096,
           "member_sets": 4098}
WORDS = {"left": "right", "right": "left", "key-conflict": "version-conflict",
         "eventchain-receipt": "eventchain-block-receipt", "eventchain-block-receipt": "eventchain-receipt"}
CUT_STEP = 97  # octets between a cut and the next


class Mutation(NamedTuple):
    kind: str
    path: tuple  # where it is in the receipt; empty for the text as such
    octets: bytes

    def __str__(self):
        return f"{self.kind} of {'.'.join(map(str, self.path)) or 'the text'}"


def places(value, path=()):
    """Every value in a JSON value, with the path to it, from the outside in."""
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


def swapped(items, one, other):
    """A copy of a list or an object in which two items have changed places."""
    made = dict(items) if isinstance(items, dict) else list(items)
    made[one], made[other] = items[other], items[one]
    return made


def other_letter(text, place, letters):
    return text[:place] + letters[(letters.find(text[place]) + 1) % len(letters)] + text[place + 1 :]


def other_types(value):
    for kind, other in (("null", None), ("true", True), ("an empty list", []), ("an empty object", {}),
                        ("a list around it", [value]), ("an empty string", "")):
        yield kind, other


def other_strings(text):
    """By what it looks like: another value of the same form, and other spellings of the same value."""
    if not text:
        yield "a letter", "a"
    elif text in WORDS:
        yield "another word", WORDS[text]
        yield "capitals", text.upper()
    elif re.fullmatch("-?[0-9]{1,20}", text):
        yield "one more", str(int(text) + 1)
        yield "one less", str(int(text) - 1)
        yield "its negative", f"-{text}"
        yield "a zero in front", f"0{text}"
        yield "a plus in front", f"+{text}"
        yield "a space in front", f" {text}"
        yield "a number", int(text)
        yield "2^64", str(1 << 64)
        yield "hex", hex(int(text))
    elif re.fullmatch("[0-9a-f]+", text):
        for place in (0, len(text) // 2, len(text) - 1):
            yield f"digit {place}", other_letter(text, place, "0123456789abcdef")
        if text != text.upper():
            yield "capitals", text.upper()
        yield "two digits less", text[:-2]
        yield "two digits more", text + "00"
        yield "one digit less", text[1:]
        yield "0x in front", f"0x{text}"
    else:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        inner = text.rstrip("=")
        for place in {0, len(inner) // 2, len(inner) - 1}:
            yield f"letter {place}", other_letter(text, place, letters)
        yield "four letters more", f"AAAA{text}"
        yield "four letters less", text[4:]
        yield "a line feed", text[:4] + "\n" + text[4:]
        yield "its padding" if inner != text else "more padding", inner if inner != text else f"{text}="
        yield "the URL's alphabet", text.replace("+", "-").replace("/", "_") + ("" if re.search("[+/]", text) else "-")
        # The last octet of base64 spelled with bits that do not count.
        if inner != text:
            yield "loose bits", other_letter(text, len(inner) - 1, letters)


def other_numbers(value):
    yield "one more", value + 1
    yield "one less", value - 1
    yield "2^16 more", value + (1 << 16)
    yield "a string", str(value)
    yield "a half more", value + 0.5
    yield "a fraction", float(value)


def other_lists(items, name):
    yield "an empty list", []
    for place in range(len(items)):
        yield f"item {place} twice", [*items[: place + 1], *items[place:]]
    for place in range(len(items) - 1):
        yield f"item {place} after the next", swapped(items, place, place + 1)
    if items and name in LONGEST:
        yield "too many", (items * (LONGEST[name] + 1))[: LONGEST[name] + 1]


def other_objects(members):
    yield "an unknown member", {**members, "note": ""}
    names = list(members)
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            values = members[names[one]], members[names[other]]
            if values[0] != values[1] and {type(value) for value in values} <= {str, int}:
                yield f"{names[one]} and {names[other]} swapped", swapped(members, names[one], names[other])
    if len(names) > 1:
        yield "other order", dict(reversed(members.items()))


def with_value(whole, path, value):
    """A copy of `whole` with another value at `path`; only what leads there is copied."""
    if not path:
        return value
    made = dict(whole) if isinstance(whole, dict) else list(whole)
    made[path[0]] = with_value(whole[path[0]], path[1:], value)
    return made


def without(whole, path):
    *before, last = path
    holder = whole
    for name in before:
        holder = holder[name]
    made = dict(holder) if isinstance(holder, dict) else list(holder)
    del made[last]
    return with_value(whole, tuple(before), made)


def changed_values(receipt):
    """Every place in a receipt (a JSON value) changed in every way."""
    for path, value in places(receipt):
        if path:
            yield Mutation("absence", path, json.dumps(without(receipt, path)).encode())
        others = list(other_types(value))
        if isinstance(value, str):
            others += other_strings(value)
        elif isinstance(value, int):
            others += other_numbers(value)
        elif isinstance(value, list):
            others += other_lists(value, path[-1])
        else:
            others += other_objects(value)
        for kind, other in others:
            if json.dumps(other) != json.dumps(value):
                yield Mutation(kind, path, json.dumps(with_value(receipt, path, other)).encode())


def changed_texts(octets, random):
    """What is not a value: cuts, flipped bits, and other spellings of JSON."""
    text = octets.decode()
    for end in range(0, len(octets) - 1, CUT_STEP):
        yield Mutation(f"cut at {end}", (), octets[:end])
    # But for the line feed at the end: another white space is as good.
    for place in range(len(octets.rstrip())):
        flipped = bytes([octets[place] ^ (1 << random.randrange(8))])
        yield Mutation(f"flipped bit at {place}", (), octets[:place] + flipped + octets[place + 1 :])
    for name in dict.fromkeys(re.findall('"([a-z_]+)":', text)):
        twice = re.sub(f'("{name}":("[^"]*"|[0-9]+))', r"\1,\1", text, count=1)
        if twice != text:
            yield Mutation(f"{name} twice", (), twice.encode())
    for kind, was, made in (
        ("minus zero", '"slot":0', '"slot":-0'), ("an exponent", '"version":1', '"version":1e0'),
        ("a leading zero", '"version":1', '"version":01'), ("a comment", "{", "/**/{"),
        ("not a number", '"version":1', '"version":NaN'), ("a comma too many", "]", ",]"),
        ("single quotes", '"version"', "'version'"), ("a control character", '"chain":"', '"chain":"\t'),
        ("half a surrogate", '"chain":"', '"chain":"\\ud800'), ("a NUL", '"chain":"', '"chain":"\\u0000'),
        ("escaped letters", '"chain":"', '"\\u0063hain":"'), ("white space", ":", " :\r\n\t"),
        ("form feeds", ":", ":\f"), ("no-break spaces", ":", ":\N{NO-BREAK SPACE}"),
    ):
        if was in text:
            yield Mutation(kind, (), text.replace(was, made, 1).encode())
    yield Mutation("a byte order mark", (), b"\xef\xbb\xbf" + octets)
    yield Mutation("UTF-16", (), text.encode("utf-16"))
    yield Mutation("no UTF-8", (), octets.replace(b'"chain":"', b'"chain":"\xff', 1))
    yield Mutation("more after it", (), octets + b"{}")
    yield Mutation("a list around it", (), b"[" + octets + b"]")
    yield Mutation("deep lists", (), b"[" * 100_000)
    yield Mutation("deep objects", (), b'{"event":' * 100_000)
    yield Mutation("a long number", (), text.replace('"version":1', '"version":' + "1" * 10_000).encode())
    yield Mutation("16 MiB of white space", (), octets + b" " * ((16 << 20) - len(octets)))
