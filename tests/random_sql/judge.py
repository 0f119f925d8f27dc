"""A proxy before the server that puts a client into a tenant's context and searches every answer for the values of
other tenants. It stands between sqlsmith and the server, message by message: a verdict belongs to one statement."""

import re
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from e2e.stores.proxy import Peer, Proxy

from .vocabulary import close, with_constants
from .world import TENANTS, Tenant

# Internal errors that PostgreSQL itself is known to raise for odd statements: the source file that raises it, a
# pattern of the message, and what is in such a statement. Anything else of class XX is a finding.
KNOWN_INTERNAL = [
    # The function interval(interval, integer) takes any number for a type modifier.
    ("timestamp.c", "unrecognized interval typmod|invalid INTERVAL typmod", ""),
    # A constant of no type yet, as an argument of a polymorphic function.
    ("parse_coerce.c", "failed to find conversion function from unknown to", ""),
    # Flags of jsonb_to_tsvector with an array among them.
    ("jsonfuncs.c", "unexpected end of flag array", "jsonb_to_tsvector("),
    # The functions bit(integer, integer) and bit(bigint, integer) take any number for a length.
    ("mcxt.c", r"invalid memory alloc request size \d{9,}$", "pg_catalog.bit("),
]

# What sqlsmith sets at its start: a notice has to be seen, and a statement may not take long.
INSTEAD = {
    "set client_min_messages": "set client_min_messages to 'debug1'",
    "set statement_timeout": "set statement_timeout to '200ms'",
}
DISTRUSTED = "is not trusted with other tenants' values"
CHANGED = re.compile(rb"(?:INSERT 0|UPDATE|DELETE|MERGE) ([1-9]\d*)\0")
COMMIT_EVERY = 10


@dataclass
class Finding:
    reason: str
    statement: str

    def __str__(self) -> str:
        return f"{self.reason}\n{self.statement}"


@dataclass
class Verdict:
    """What came of a run: findings, and the numbers that say that it tried something."""

    findings: list[Finding] = field(default_factory=list)
    statements: int = 0
    succeeded: int = 0
    own_seen: int = 0  # answers with a value of the tenant itself
    changed: int = 0
    committed: int = 0
    notices: int = 0
    distrusted: int = 0  # statements whose plan kept the barrier of row security, for an operator that is not trusted
    states: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Verdict") -> None:
        self.findings += other.findings
        for name in ("statements", "succeeded", "own_seen", "changed", "committed", "notices", "distrusted"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.states += other.states

    def __str__(self) -> str:
        states = ", ".join(f"{state} {count}" for state, count in self.states.most_common(8))
        return (f"{self.statements} statements, {self.succeeded} succeeded, {self.own_seen} with own values, "
                f"{self.changed} changed rows, {self.committed} committed, {self.notices} notices, "
                f"{self.distrusted} behind the barrier; errors: {states}")


class Judge(Proxy):
    """Forwards to the server on `target()`, in the tenant's context and after the statements `first`. What a client
    asks before it names itself sqlsmith::dut reads catalogs, and is not judged. `everything`: as the catalogs are,
    instead of what vocabulary.py leaves of them."""

    def __init__(
        self, target: Callable[[], int], tenant: Tenant, first: Sequence[str] = (), everything: bool = False
    ) -> None:
        self.tenant, self.verdict = tenant, Verdict()
        self._first, self._everything = first, everything
        self._changed = False
        foreign = [other for other in TENANTS if other != tenant]
        self._own = tenant.marks()
        self._foreign = [mark for other in foreign for mark in other.marks()]
        self._foreign_in_case = [mark for other in foreign for mark in other.marks_in_case()]
        super().__init__(target)

    def _forward(self, client: Peer, server: Peer) -> None:
        [length] = struct.unpack("!I", start := client.exactly(4))
        server.send(start + client.exactly(length - 4))
        greeting = _answer(server)
        own_rows = "select body from samples"
        for statement in [f"select tenancy.enter('{self.tenant.slug}', 'session')", *self._first, own_rows]:
            answer = _ask(server, statement)
            if error := _fields(answer, b"E"):
                self._find(f"not in the context: {error[0]}", statement)
        if self.tenant.rune.encode() not in answer:
            self._find("the tenant does not see its own rows", own_rows)
        client.send(greeting)
        judged = False
        while True:
            kind, length = struct.unpack("!cI", head := client.exactly(5))
            body = client.exactly(length - 4)
            if kind != b"Q":
                server.send(head + body)
                return
            statement = body[:-1].decode()
            client.send(self._judged(server, statement) if judged else self._prepared(server, statement))
            judged |= "sqlsmith::dut" in statement

    def _prepared(self, server: Peer, statement: str) -> bytes:
        for beginning, instead in INSTEAD.items():
            statement = instead if statement.startswith(beginning) else statement
        return _ask(server, statement if self._everything else close(statement))

    def _judged(self, server: Peer, statement: str) -> bytes:
        """The answer to the statement, after a look at it. sqlsmith brackets what it makes with BEGIN and ROLLBACK;
        some of what changed rows is committed, so that it has to pass what runs at COMMIT too."""
        bracket = statement.rstrip("; ").upper()
        if bracket == "ROLLBACK" and self._may_commit():
            statement = "commit"
            self.verdict.committed += 1
        elif bracket not in ("BEGIN", "ROLLBACK"):
            statement = with_constants(statement)
        answer = _ask(server, statement)
        if bracket not in ("BEGIN", "ROLLBACK"):
            self._count(answer)
        self._look(statement, answer)
        return answer

    def _may_commit(self) -> bool:
        changed, self._changed = self._changed, False
        return changed and self.verdict.changed % COMMIT_EVERY == 0

    def _count(self, answer: bytes) -> None:
        errors, lower = _fields(answer, b"E"), answer.lower()
        self.verdict.statements += 1
        self.verdict.succeeded += not errors
        notices = _fields(answer, b"N")
        self.verdict.notices += len(notices)
        self.verdict.distrusted += any(DISTRUSTED in notice["M"] for notice in notices)
        self.verdict.states.update(error["C"] for error in errors)
        self.verdict.own_seen += any(mark in lower for mark in self._own)
        self._changed = not errors and CHANGED.search(answer) is not None
        self.verdict.changed += self._changed

    def _look(self, statement: str, answer: bytes) -> None:
        lower = answer.lower()
        marks = [mark for mark in self._foreign if mark in lower]
        marks += [mark for mark in self._foreign_in_case if mark in answer]
        for mark in marks[:1]:
            at = max(lower.find(mark), answer.find(mark))
            self._find(f"a value of another tenant, {mark!r}: ...{answer[max(0, at - 60) : at + 60]!r}", statement)
        for error in _fields(answer, b"E"):
            if error["C"] == "ZZ001" or (error["C"].startswith("XX") and not _is_known(error, statement)):
                self._find(f"{error['C']}: {error['M']} ({error.get('F')}, {error.get('R')})", statement)

    def _find(self, reason: str, statement: str) -> None:
        self.verdict.findings.append(Finding(reason, statement))


def _is_known(error: dict[str, str], statement: str) -> bool:
    return any(
        error.get("F") == file and re.match(pattern, error["M"]) and part in statement
        for file, pattern, part in KNOWN_INTERNAL
    )


def _ask(server: Peer, statement: str) -> bytes:
    body = statement.encode() + b"\0"
    server.send(b"Q" + struct.pack("!I", len(body) + 4) + body)
    return _answer(server)


def _answer(server: Peer) -> bytes:
    """All messages up to ReadyForQuery."""
    parts: list[bytes] = []
    while not parts or parts[-1][:1] != b"Z":
        head = server.exactly(5)
        parts.append(head + server.exactly(struct.unpack("!I", head[1:])[0] - 4))
    return b"".join(parts)


def _fields(answer: bytes, kind: bytes) -> list[dict[str, str]]:
    """The fields of the errors (E) or notices (N) in an answer."""
    found, at = [], 0
    while at < len(answer):
        [length] = struct.unpack_from("!I", answer, at + 1)
        if answer[at : at + 1] == kind:
            texts = answer[at + 5 : at + 1 + length].decode(errors="replace").split("\0")
            found.append({text[0]: text[1:] for text in texts if text})
        at += 1 + length
    return found
