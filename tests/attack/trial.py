"""An attack on both sides, and whether it came out as the registry says."""

import functools
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from . import linter
from .leaks import Leak, Status
from .sides import ACME, GLOBEX, Setup, Side, foreign

Attack = Callable[[Side], Any]
InContext = Callable[[psycopg.Connection[Any]], Any]


class Trial:
    """What one test has shown of its leak. An attack returns what it has learnt, nothing where that is nothing."""

    def __init__(self, leak: Leak, plain: Side, guarded: Side) -> None:
        self.leak, self.plain, self.guarded = leak, plain, guarded
        self.shown = self.stopped = self.remaining = self.asked = False

    def leaks(self, attack: Attack) -> None:
        """It works on the twin: a test whose attack works nowhere shows nothing."""
        assert attack(self.plain), f"{self.leak.id} does not leak on the twin"
        self.shown = True

    def cannot_leak(self, why: str) -> None:
        """The twin cannot show it, and the test says why."""
        assert why
        self.shown = True

    def holds(self, attack: Attack, sqlstate: str | tuple[str, ...] | None = None, match: str | None = None) -> None:
        """With the extension it is refused, with one of these states, or finds nothing."""
        if sqlstate is None:
            found = attack(self.guarded)
            assert not found, f"{self.leak.id} leaks: {found}"
        else:
            refused(lambda: attack(self.guarded), sqlstate, match)
        self.stopped = True

    def stops(self, attack: Attack, sqlstate: str | tuple[str, ...] | None = None, match: str | None = None) -> None:
        self.leaks(attack)
        self.holds(attack, sqlstate, match)

    def remains(self, attack: Attack) -> None:
        """It works on both sides: what the registry says that remains."""
        self.leaks(attack)
        assert attack(self.guarded), f"{self.leak.id} is said to remain, and does not"
        self.remaining = True
        if self.leak.status is Status.FOUND:
            with self.guarded.connect("postgres") as connection:
                self._ask(connection, standing=True)

    def found(
        self, setup: Setup, attack: str | InContext, *, role: str = "attack_app", tenant: str | None = ACME, standing: bool = False
    ) -> None:
        """Opened by what somebody trusted sets up, it works on both sides; the linter has to say so. A
        standing one is open without that."""
        findings_before(self.guarded)  # before the setup takes locks
        for side in (self.plain, self.guarded):
            ask = (lambda _: None) if side.plain else (lambda connection: self._ask(connection, standing))
            with side.session(tenant, role=role, setup=setup, before=ask) as connection:
                shown = attack(connection) if callable(attack) else foreign(last(connection, attack))
                assert shown, f"{self.leak.id} does not leak on the {side.name} side: correct the test, or the registry"
        self.shown = self.remaining = True

    def _ask(self, connection: psycopg.Connection[Any], standing: bool) -> None:
        found = linter.findings(connection) - (set() if standing else findings_before(self.guarded))
        assert self.leak.id in {leak for leak, _ in found}, f"the linter says nothing of {self.leak.id}"
        self.asked = True

    def conclude(self, part: str | None) -> None:
        """Fails a test that has not shown what the registry says, or the part of it that its name does."""
        status = self.leak.status
        assert self.shown, f"the test does not show {self.leak.id} on the twin, nor says why it cannot"
        if part == "refused_" or (part is None and status is Status.PREVENTED):
            assert self.stopped, f"the test does not show that {self.leak.id} is prevented"
            return
        assert self.remaining, f"the test does not show that {self.leak.id} remains"
        if part is None and status is Status.FOUND:
            assert self.asked, f"nothing prevents {self.leak.id}, and the linter was not asked"


@functools.cache
def findings_before(side: Side) -> set[tuple[str, str]]:
    """What the linter reports where no test has opened anything: each test takes back what it did."""
    with side.connect("postgres") as connection:
        return linter.findings(connection)


def refused(attack: Callable[[], Any], sqlstate: str | tuple[str, ...], match: str | None = None) -> None:
    """The attack raises one of these; a hint says what to do instead."""
    with pytest.raises(psycopg.Error, match=match) as caught:
        found = attack()
        pytest.fail(f"not refused: {found}")
    state = caught.value.sqlstate or ""
    assert state in ([sqlstate] if isinstance(sqlstate, str) else sqlstate), f"{state}: {caught.value}"
    assert caught.value.diag.message_hint or not state.startswith("TN")


def last(connection: psycopg.Connection[Any], statements: str) -> list[Any]:
    """The rows of the last of several statements."""
    cursor = connection.execute(statements)
    while cursor.nextset():
        pass
    return cursor.fetchall() if cursor.description else []


def in_context(
    attack: str | InContext, *, setup: Setup = "", role: str = "attack_app", tenant: str | None = ACME,
    learn: Callable[[Any], Any] = foreign,
) -> Attack:
    """The attack of one session inside a tenant's transaction: statements, the last one's rows being what is
    learnt of globex, or a function of the connection."""

    def run(side: Side) -> Any:
        with side.session(tenant, role=role, setup=setup) as connection:
            return attack(connection) if callable(attack) else learn(last(connection, attack))

    return run


def carried(make: str, read: str, *, clean: str = "", victim: str = GLOBEX) -> Attack:
    """What a pooled connection shows acme after a transaction of globex."""

    def run(side: Side) -> Any:
        with side.connect() as connection:
            try:
                with connection.transaction():
                    side.enter(connection, victim)
                    connection.execute(make)
                with connection.transaction(force_rollback=True):
                    side.enter(connection, ACME)
                    return foreign(last(connection, read))
            finally:
                connection.execute(clean or "select")

    return run
