"""Daemons and operators at the same tenants: nothing is worked on twice, no change is lost, and
neither waits for the other."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
from harness import Server, wait_for
from psycopg.types.json import Jsonb

from .operators import Connect, Later
from .store_daemons import Daemon, converged, daemon, in_parallel, look, tenants  # noqa: F401

# Several daemons.


def test_two_daemons_never_hold_the_same_tenant(daemon: Callable[..., Daemon], connect: Connect, tenants: int) -> None:
    """Both claim all there is, at once, in small batches: together each tenant once."""
    claimed: list[list[Any]] = [[], []]

    def work(who: int) -> Callable[[], None]:
        one = daemon(f"d{who}")

        def run() -> None:
            while claims := one.claim(3):
                claimed[who] += [tenant for tenant, *_ in claims]

        return run

    in_parallel(work(0), work(1))
    assert len(claimed[0]) + len(claimed[1]) == tenants
    assert len({*claimed[0], *claimed[1]}) == tenants


def test_a_claim_passes_over_what_another_is_claiming(daemon: Callable[..., Daemon], tenants: int) -> None:
    """A daemon that is stopped in the middle of a call holds up no other one."""
    frozen, other = daemon("frozen"), daemon("other")
    frozen.connection.autocommit = False
    held = {tenant for tenant, *_ in frozen.claim(40)}
    assert len(held) == 40
    free = other.claim()
    assert len(free) == tenants - 40 and not held & {tenant for tenant, *_ in free}
    assert all(other.report(free))
    frozen.connection.rollback()
    assert {tenant for tenant, *_ in other.claim()} == held


def test_a_lease_that_ran_out_is_taken_over_and_the_late_report_refused(daemon: Callable[..., Daemon], connect: Connect) -> None:
    slow, other, admin = daemon("slow"), daemon("other"), connect()
    other.report(other.claim(99))
    late = slow.claim(64, "1 millisecond")
    assert len(late) == 1
    taken = wait_for_claim(other)
    assert [tenant for tenant, *_ in taken] == [late[0][0]]
    assert slow.report(late, outcome="parked") == [False]
    # The other one's lease is untouched by that; once it has reported, the tenant is looked at again.
    assert other.report(taken) == [True]
    again = other.claim()
    assert [tenant for tenant, *_ in again] == [late[0][0]]
    assert other.report(again) == [True]
    row = admin.execute("select count(*) from tenancy.tenant_store where store = 'docs' and due_at is not null").fetchone()
    assert row == (0,)


def wait_for_claim(daemon: Daemon) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []

    def look() -> bool:
        found.extend(daemon.claim())
        return bool(found)

    wait_for(look, 10, "something to be due")
    return found


# Operators beside daemons.


def test_a_suspension_does_not_wait_for_a_daemon(daemon: Callable[..., Daemon], connect: Connect) -> None:
    """Neither while one is stopped in the middle of a claim, nor of a report; and it is not lost."""
    one, admin = daemon(), connect()
    admin.execute("set lock_timeout = '1s'")
    one.connection.autocommit = False
    claims = one.claim()
    admin.execute("select tenancy.suspend('t1', 'x')")
    one.connection.commit()
    assert all(one.report(claims))
    admin.execute("select tenancy.resume('t1'), tenancy.suspend('t2', 'x')")
    one.connection.commit()
    one.settle()
    one.connection.commit()
    assert look(admin, "t1") == (4, 4, False, False)
    assert look(admin, "t2") == (3, 3, False, False)


def test_a_daemon_does_not_wait_for_an_operator(daemon: Callable[..., Daemon], connect: Connect, tenants: int) -> None:
    """A transaction that changed tenants stays open: claims and reports go on, then it is followed."""
    one, admin = daemon(), connect()
    one.connection.execute("set lock_timeout = '1s'")
    admin.autocommit = False
    admin.execute("select tenancy.suspend('t' || n, 'x') from generate_series(1, 10) as n")
    claims = [*one.claim(), *one.claim()]
    assert len(claims) == tenants
    assert all(one.report(claims))
    assert one.claim() == []
    admin.commit()
    followed = one.claim()
    assert sorted(state for *_, state, _token in followed) == ["suspended"] * 10
    assert all(one.report(followed))


def test_a_change_during_the_report_stays_due(daemon: Callable[..., Daemon], connect: Connect) -> None:
    """The change commits before the report does, but after the report has looked at the tenant."""
    one, admin = daemon(), connect()
    one.settle()
    admin.execute("select tenancy.set_display_name('t1', 'x')")
    claims = one.claim()
    one.connection.autocommit = False
    assert one.report(claims) == [True]
    admin.execute("select tenancy.suspend('t1', 'x')")
    one.connection.commit()
    assert look(admin, "t1") == (4, 3, True, False)
    one.settle()
    one.connection.commit()
    assert look(admin, "t1") == (4, 4, False, False)


def test_a_change_that_began_before_the_report_stays_due(daemon: Callable[..., Daemon], connect: Connect) -> None:
    one, admin, other = daemon(), connect(), connect()
    one.settle()
    other.execute("select tenancy.set_display_name('t1', 'x')")
    claims = one.claim()
    with admin.transaction():
        admin.execute("select tenancy.suspend('t1', 'x')")
        assert one.report(claims) == [True]
        assert one.claim() == []
    assert look(admin, "t1") == (4, 3, True, False)
    assert [state for *_, state, _token in one.claim()] == ["suspended"]


def test_a_report_on_a_row_in_other_hands_is_refused_and_made_due(daemon: Callable[..., Daemon], connect: Connect, server: Server, database: str) -> None:
    one = daemon()
    claims = one.claim()
    with server.connect(dbname=database, autocommit=False) as other:
        other.execute("select from tenancy.tenant_store where tenant_id = %s for update", [claims[0][0]])
        accepted = one.report(claims)
        assert accepted.count(False) == 1 and accepted[0] is False
        assert claims[0][0] not in [tenant for tenant, *_ in one.claim()]
        other.rollback()
    # Long before the lease, which nobody holds any more, would have ended.
    assert [tenant for tenant, *_ in one.claim()] == [claims[0][0]]


def test_changes_of_all_tenants_beside_reports_lose_nothing(daemon: Callable[..., Daemon], connect: Connect, server: Server, database: str) -> None:
    """A tier's setting changes, tenants are suspended and resumed, two daemons a store report: no
    deadlock, no error, and in the end everything is as it should be."""
    server.psql("select tenancy.define_setting('n', '{}')", dbname=database)
    ended = threading.Event()

    def changes() -> None:
        with connect() as admin:
            try:
                for n in range(15):
                    admin.execute("select tenancy.set_setting('tier:standard', 'n', %s)", [Jsonb(n)])
            finally:
                ended.set()

    def flips(first: int) -> Callable[[], None]:
        admin = connect()

        def run() -> None:
            while not ended.is_set():
                for n in range(first, first + 5):
                    admin.execute(f"select tenancy.suspend('t{n}', 'x')")
                    admin.execute(f"select tenancy.resume('t{n}')")

        return run

    def works(name: str, store: str) -> Callable[[], None]:
        one = daemon(name, store)

        def run() -> None:
            while not ended.is_set():
                one.report(one.claim(16))

        return run

    in_parallel(changes, flips(1), flips(50), *(works(name, store) for name in ("one", "two") for store in ("docs", "cache")))
    deadlocks = server.execute("select deadlocks from pg_stat_database where datname = %s", [database])
    assert deadlocks == [(0,)]
    admin = connect()
    for store in ("docs", "cache"):
        daemon("last", store).settle()
    assert converged(admin)


# Onboarding and erasing.


def test_a_tenant_in_other_hands_is_activated_later(daemon: Callable[..., Daemon], connect: Connect) -> None:
    admin, holder, one = connect(), connect(), daemon()
    one.settle()
    admin.execute("select tenancy.define_store('docs', 'mongodb', '{provision}')")
    one.settle()
    admin.execute("select tenancy.provision('new')")
    with holder.transaction():
        holder.execute("select tenancy.set_display_name('new', 'x')")
        one.connection.execute("set statement_timeout = '2s'")
        assert one.report(one.claim()) == [True]
    wait_for(lambda: one.settle() is None and look(admin, "new")[:2] == (3, 3), 20, "the tenant to be active and followed")
    assert admin.execute("select state from tenancy.tenant where slug = 'new'").fetchone() == ("active",)


def test_erasing_waits_for_the_stores_and_ends_with_them(daemon: Callable[..., Daemon], connect: Connect) -> None:
    admin, look_on = connect(), connect()
    admin.execute("select tenancy.define_store('docs', 'mongodb', '{erase}')")
    one = daemon()
    one.settle()
    admin.execute("select tenancy.suspend('t1', 'x')")
    admin.execute("select tenancy.archive('t1', 'x')")
    admin.execute("select tenancy.request_erasure('t1', 'x', '0')")
    one.settle()
    later = Later(admin, "call tenancy.erase('t1', timeout => '25 s')")
    gone = wait_for_claim(one)
    assert [(present, state) for *_, present, state, _token in gone] == [(False, "erasing")]
    assert later.running
    assert one.report(gone) == [True]
    later.result()
    assert look_on.execute("select state from tenancy.tenant where slug = 't1'").fetchone() == ("erased",)


def test_awaiting_ends_when_the_store_has_followed(daemon: Callable[..., Daemon], connect: Connect) -> None:
    admin, one, other = connect(), daemon(), daemon("two", "cache")
    one.settle()
    other.settle()
    admin.execute("select tenancy.suspend('t1', 'x')")
    later = Later(admin, "call tenancy.await_stores('t1', '25 s')")
    one.report(wait_for_claim(one))
    assert later.running
    other.report(wait_for_claim(other))
    later.result()
