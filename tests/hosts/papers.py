"""What can be said of the playbooks without a host."""

import re

from deployment import PLAYBOOKS
from lab import run
from seen import expect

ROLE = PLAYBOOKS / "roles/eventchain"


def names(pattern, file):
    return set(re.findall(pattern, (ROLE / file).read_text(), re.M))


def check(_):
    """ansible-lint is content, and every variable is documented and checked."""
    books = sorted(PLAYBOOKS.glob("*.yml"))
    run("ansible-lint", "--offline", "--nocolor", "-p", "--profile", "production", *books, timeout=300, cwd=PLAYBOOKS)
    defaults = names(r"^(?:# )?(eventchain_\w+):", "defaults/main.yml")
    documented = names(r"^\| `(eventchain_\w+)` \|", "README.md")
    checked = names(r"^      (eventchain_\w+):", "meta/argument_specs.yml")
    expect(defaults == documented, f"documented, or a default, alone: {defaults ^ documented}")
    expect(defaults == checked, f"checked, or a default, alone: {defaults ^ checked}")
    return f"ansible-lint: production; {len(defaults)} variables, each documented and checked"
