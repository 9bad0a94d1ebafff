#!/usr/bin/env python3
"""Checks who includes whom.  Usage: tools/lint/include_rule.py [--root DIR]

The rule (README.md of the project, "The house"): the chain knows nothing of ours; consensus and
mining know the chain; and so on outwards to the node, which wires everything. Libraries with a named
room (Boost, SQLite, Protobuf, OpenSSL, libraft) stay in it. There are no exceptions to list: an
include that does not fit belongs into another room, or behind a port.
"""
import argparse
import pathlib
import re
import sys

# A room is the longest of these prefixes that a path starts with. Files of `node/` itself are the
# deterministic core unless SHELL_OF_NODE names them.
ROOMS = ["chain/", "consensus/", "mining/", "net/", "net/asio/", "net/http/", "store/",
         "store/sqlite/", "node/", "node/api/", "node/runtime/", "tools/", "tests/"]
SHELL_OF_NODE = re.compile(
    r"^node/(api|runtime|inbox|daemon|program|deployment|evidence_file|main|config|genesis_json|host_watch|link_watch|json_|toml|log\b|logging|metrics|mining_setup|neighbours|signals|miner_|share_checks|witnessing/|"
    r"disk_|options|setup|service)")

CONSENSUS_TYPES = {"consensus/types.h", "consensus/log_store.h"}
MINING_TYPES = {"mining/work.h"}
NODE_PORTS = {"node/port.h", "node/inputs.h", "node/effects.h", "node/status.h"}

# room -> (rooms it may include, single headers beyond them). Every room may include itself.
MAY_INCLUDE = {
    "chain/": (set(), set()),
    "consensus/": ({"chain/"}, set()),
    "mining/": ({"chain/"}, set()),
    "net/": ({"chain/"}, CONSENSUS_TYPES | MINING_TYPES),
    "net/asio/": ({"net/", "chain/"}, CONSENSUS_TYPES | MINING_TYPES),
    "net/http/": ({"net/", "chain/"}, set()),
    "store/": ({"chain/"}, CONSENSUS_TYPES),
    "store/sqlite/": ({"store/", "chain/"}, CONSENSUS_TYPES),
    "node/": ({"chain/", "consensus/", "mining/", "net/", "store/"}, set()),
    "node shell": ({"node/", "chain/", "consensus/", "mining/", "net/", "net/asio/", "net/http/",
                    "store/", "store/sqlite/"}, set()),
    "tools/": ({"chain/", "store/", "store/sqlite/"},
               {"mining/kernel_trial.h", "mining/work_functions.h", "mining/thread_miner.h",
                "mining/randomx/memory.h", "mining/randomx/machine.h", "mining/host_probe.h",
                "node/api/evidence_json.h", "node/api/json_text.h", "node/api/rate_estimate.h",
                "node/api/receipt_json.h", "node/api/work_proof_json.h", "node/config.h",
                "node/completions.h", "node/deployment.h", "node/genesis_json.h", "node/program_pages.h", "node/version.h",
                "net/identity.h", "net/asio/certificate_file.h"}
               | CONSENSUS_TYPES),
}

# Foreign header -> where it may be included, and what to do instead.
FENCES = [
    (r"^boost/", r"^(net/(asio|http)/|node/(api|runtime|genesis_json|evidence_file|config|json_|main)|tools/|tests/)",
     "Boost lives in net/asio, net/http, the node's runtime and API, and tools"),
    (r"^(sqlite3\.h|SQLiteCpp/)", r"^(store/sqlite/|tests/)", "SQLite lives behind store's ports"),
    (r"\.pb\.h$", r"^(net/(codec|raft_codec|wire)[^/]*\.(cpp|h)|tests/unit/net/|tests/fuzz/)",
     "Protobuf's output is seen by net's codec alone"),
    (r"^(google/protobuf/)", r"^(net/(codec|raft_codec|wire)[^/]*\.(cpp|h)|tests/unit/net/)",
     "Protobuf is seen by net's codec alone"),
    (r"^openssl/",
     r"^(chain/(hash|keys)\w*\.cpp|net/asio/|net/http/|node/(runtime|api)|tests/|"
     r"tools/eventchain/(openssl_handles\.h|certificate(_request)?\.cpp|pki\.cpp|peer_identity\.cpp|"
     r"kernel_bench\.cpp))",
     "OpenSSL lives in chain's hash and keys, in TLS and in the tools' certificates and bench"),
    (r"^randomx\.h$", r"^mining/randomx/", "RandomX lives in mining/randomx"),
    (r"^raft\.h$|^raft/", r"^consensus/(raft_c\.h|core\.cpp)",
     "libraft is seen by consensus/raft_c.h and core.cpp alone"),
    (r"^(toml\+\+/|toml\.hpp)", r"^(node/(config|toml)|tools/|tests/)", "TOML is the configuration's"),
    (r"^prometheus/", r"^(node/(metrics|api|runtime)|tests/)", "metrics are the node's shell"),
    (r"^spdlog/", r"^(node/(log|main|runtime|api|metrics)|tests/)",
     "only the node's shell logs; the core answers with notices"),
    (r"^(thread|mutex|shared_mutex|condition_variable|future|semaphore|stop_token)$",
     r"^(net/(asio|http)/|node/(api|runtime|inbox|daemon|program|main|log|metrics|miner_|service|share_checks|host_watch|link_watch|witnessing/)|mining/((thread_|governed_|paced_)?miner|memo_digest|randomx/|process/(remote_miner|miner_process))|"
     r"store/sqlite/|tools/|tests/)",
     "threads belong to the shells; core code is handed its inputs one at a time"),
    (r"^(fstream|filesystem|sys/socket\.h|netinet/.*|sys/random\.h|random)$",
     r"^(net/(asio|http)/|node/(api|runtime|daemon|program|deployment|evidence_file|main|config|genesis_json|host_watch|log|metrics|service|disk_|witnessing/setup)|"
     r"store/sqlite/|tools/|tests/|mining/(cpu_features|thread_miner|host_probe|host_memory|process/(unix_socket|link)))",
     "the core ring has no files, sockets or random devices"),
]

INCLUDE = re.compile(r'^[ \t]*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)


def room_of(path):
    if path.startswith("node/") and SHELL_OF_NODE.match(path):
        return "node shell"
    best = max((room for room in ROOMS if path.startswith(room)), key=len, default=None)
    return "node shell" if best in ("node/api/", "node/runtime/") else best


def sources(root):
    for top in sorted({room.split("/")[0] for room in ROOMS}):
        for path in sorted((root / top).rglob("*")):
            if (path.suffix in (".h", ".cpp", ".hpp", ".cc") or path.name.endswith(".h.in")) and path.is_file():
                yield path


def read_includes(path):
    text = path.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def check_own(path, line, target, known, complain):
    if target not in known and target + ".in" in known:
        return  # generated by CMake from a file beside it
    if target not in known:
        complain(path, line, f'"{target}" is no file of the project; paths are from the root')
        return
    room, other = room_of(path), room_of(target)
    if room == other or room in (None, "tests/"):
        return
    rooms, headers = MAY_INCLUDE[room]
    if other in rooms or target in headers:
        return
    allowed = ", ".join(sorted(rooms | headers)) or "nothing of ours"
    complain(path, line, f'{room} must not include "{target}" (of {other}); it may include {allowed}')


def check_fences(path, line, header, complain):
    for pattern, home, why in FENCES:
        if re.search(pattern, header) and not re.search(home, path):
            complain(path, line, f"<{header}> does not belong here: {why}")


def find_cycle(graph):
    state, trail = {}, []

    def visit(node):
        state[node] = "open"
        trail.append(node)
        for after in graph.get(node, []):
            if state.get(after) == "open":
                return trail[trail.index(after):] + [after]
            if after not in state and (cycle := visit(after)):
                return cycle
        trail.pop()
        state[node] = "done"
        return None

    for node in sorted(graph):
        if node not in state and (cycle := visit(node)):
            return cycle
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2])
    root = pathlib.Path(parser.parse_args().root)
    problems = []

    def complain(path, line, text):
        problems.append(f"{path}:{line}: {text}")

    files = [str(path.relative_to(root)) for path in sources(root)]
    known, graph = set(files), {}
    for path in files:
        for line, own, foreign in read_includes(root / path):
            name = own or foreign
            if foreign and name in known:
                complain(path, line, f'<{name}> is ours: include it with quotation marks')
            elif own and path.startswith("tests/") and (root / path).parent.joinpath(own).is_file():
                pass  # a test's fixture beside it
            elif own and not name.endswith(".pb.h"):
                check_own(path, line, name, known, complain)
                graph.setdefault(path, []).append(name)
            check_fences(path, line, name, complain)
    if cycle := find_cycle(graph):
        complain(cycle[0], 1, "includes itself through " + " -> ".join(cycle[1:]))
    for problem in problems:
        print(problem)
    print(f"include rule: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
