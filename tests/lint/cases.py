"""The cases of tests/lint/cases: for each rule, what provokes it and what must not.

    -- fires RULE OBJECT        the SQL below, up to the next such line, makes the rule fire, and on
                                objects alone whose names begin so
    -- silent RULE              the SQL below does not
    (by hand), (extension), (session)   at the end of either line: only in that world
    (server 15.8)               judged as if the server were of that version
"""

import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "cases"
WORLD = r"\((?:by hand|extension|session|server [\d.]+)\)"
HEAD = re.compile(rf"^-- (fires|silent) (\w+)(?: ((?!{WORLD}).+?))?(?: ({WORLD}))?$", re.M)


@dataclass
class Case:
    kind: str
    rule: str
    object: str
    where: str
    sql: str
    place: str

    @property
    def worlds(self) -> tuple[str, ...]:
        word = self.where.strip("()")
        return (word,) if word in ("by hand", "extension", "session") else ("by hand", "extension")

    @property
    def version(self) -> str | None:
        """The version of the server that the case is about, as server_version_num."""
        found = re.search(r"server (\d+)\.(\d+)", self.where)
        return f"{int(found[1]) * 10000 + int(found[2])}" if found else None

    def __str__(self) -> str:
        return f"{self.kind}-{self.rule}-{self.place}"


def read(path: Path) -> list[Case]:
    text = path.read_text()
    heads = list(HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Case(*head.groups(default=""), text[head.end() : end], f"{path.stem}:{text.count(chr(10), 0, head.start()) + 1}")
        for head, end in zip(heads, ends, strict=True)
    ]


def all_cases() -> list[Case]:
    return [case for path in sorted(CASES.glob("*.sql")) for case in read(path)]
