"""The cases of tests/lint/cases: for each rule, what provokes it and what must not.

    -- fires RULE [OBJECT]      the SQL below, up to the next such line, makes the rule fire, on OBJECT
    -- silent RULE              the SQL below does not
    (by hand), (extension)      at the end of either line: only in that world
"""

import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "cases"
HEAD = re.compile(r"^-- (fires|silent) (\w+)(?: ((?!\((?:by hand|extension)\)).+?))?(?: \((by hand|extension)\))?$", re.M)


@dataclass
class Case:
    kind: str
    rule: str
    object: str | None
    world: str | None
    sql: str
    place: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.rule}-{self.place}"


def read(path: Path) -> list[Case]:
    text = path.read_text()
    heads = list(HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Case(*head.groups(), text[head.end() : end], f"{path.stem}:{text.count(chr(10), 0, head.start()) + 1}")
        for head, end in zip(heads, ends, strict=True)
    ]


def all_cases() -> list[Case]:
    return [case for path in sorted(CASES.glob("*.sql")) for case in read(path)]
