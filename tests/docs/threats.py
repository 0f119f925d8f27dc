"""python threats.py FILE: writes the page of threats from the registry and the tests of tests/attack."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from attack.leaks import AREAS, LEAKS, Leak, Status

TESTS = Path(__file__).resolve().parents[1]
NAME = re.compile(r"test_([a-z]\d\d)_(remains_|refused_)?")

INTRO = f"""\
<!-- Made by scripts/threats from tests/attack. Do not edit. -->

# Threats

How one tenant's rows, or what can be known of them, reach another tenant in PostgreSQL, one line for each
way. The tests attack two databases of one server with the same schema: a twin, whose policies are written
by hand as a careful team writes them, and one with tenancy. An attack that does not succeed on the twin
fails its test, unless the test says why it cannot; then the same attack has to come out with tenancy as
this page says. The test of a line is found by its id: `test_o16_...` in `tests/attack`, where the column names
one there.

| status | meaning |
| --- | --- |
| {Status.PREVENTED.value} | refused, or finds nothing, with tenancy |
| {Status.PREVENTED.value}; linter | the same, and `tenancy.check_isolation()` reports where it is open all the same: tables that are not protected, rights that were there before |
| {Status.FOUND.value} | works with tenancy too; `tenancy.check_isolation()` reports it, and the test asks it |
| {Status.DOCUMENTED.value} | works with tenancy too: know of it |

The last column says what is left in any case. Who attacks, and what superusers and owners of tables may
do, is in [The context](context.md); what the guards refuse is in [Guards](guards.md).
"""


def functions(path: Path) -> Iterator[str]:
    """The names of a file's tests."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def attacks() -> dict[str, list[tuple[Path, str]]]:
    """The tests of each leak, by its id; those that name none are under the empty string."""
    found: dict[str, list[tuple[Path, str]]] = {}
    for path in sorted((TESTS / "attack").glob("test_*.py")):
        for name in functions(path):
            match = NAME.match(name)
            found.setdefault(match[1].upper() if match else "", []).append((path, name))
    return found


def link(path: Path, text: str) -> str:
    return f"[{text}](../../tests/{path.relative_to(TESTS)})"


def cases(leak: Leak) -> list[Path]:
    """The linter's own tests of the leak."""
    path = TESTS / "lint" / "cases" / f"{leak.id}.sql"
    return [path] if path.exists() else []


def status(leak: Leak) -> str:
    return leak.status.value + ("; linter" if leak.status is Status.PREVENTED and "L" in leak.letters else "")


def proofs(leak: Leak, tests: list[tuple[Path, str]]) -> str:
    here = [link(path, path.name) for path in dict.fromkeys(path for path, _ in tests)]
    named = [name.removeprefix("tests/").partition("::") for name in leak.elsewhere]
    there = [link(TESTS / path, test or Path(path).name) for path, _, test in named]
    linted = [link(path, f"lint/{path.name}") for path in cases(leak) if "L" in leak.letters]
    return ", ".join(here + there + linted) or "–"


def cell(text: str) -> str:
    return text.replace("|", r"\|")


def page() -> str:
    tests = attacks()
    parts = [INTRO]
    for letter, area in AREAS.items():
        rows = [
            f"| {leak.id} | {cell(leak.title)} | {status(leak)} | {proofs(leak, tests.get(leak.id, []))} | {cell(leak.remains)} |\n"
            for leak in LEAKS.values()
            if leak.id.startswith(letter)
        ]
        parts.append(f"## {area}\n\n| id | leak | status | shown by | what remains |\n| --- | --- | --- | --- | --- |\n{''.join(rows)}")
    return "\n".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page())
