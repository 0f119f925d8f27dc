"""Daemons and operators at the same tenants: nothing is worked on twice, no change is lost, and
neither waits for the other."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from harness import Server, wait_for
from psycopg.types.json import Jsonb

from .operators import Connect, Later

Connection = psycopg.Connection[Any]
CLAIM = "select tenant_id, generation, store_generation, present, state, token from tenancy.claim_work(%s, 1, %s, %s, %s)"


class Daemon:
    """What tenancyd says to the database, one call at a time."""

    def __init__(self, connection: Connection, name: str, store: str = "docs") -> None:
        self.connection, self.name, self.store = connection, name, store

    def claim(self, most: int = 64, lease: str = "1 minute") -> list[tuple[Any, ...]]:
        return self.connection.execute(CLAIM, [self.name, self.store, most, lease]).fetchall()

    def report(self, claims: list[tuple[Any, ...]], **more: Any) -> list[bool]:
        results = [
            {"tenant": str(tenant), "token": token, "generation": generation, "store_generation": of_store,
             "outcome": "converged", "present": present, "state": state, "reason": "Converged", "message": "", **more}
            for tenant, generation, of_store, present, state, token in claims
        ]  # fmt: skip
        rows = self.connection.execute(
            "select accepted from tenancy.report_work(%s, 1, %s, %s)", [self.name, self.store, Jsonb(results)]
        )
        return [accepted for (accepted,) in rows]

    def settle(self) -> None:
        while claims := self.claim():
            self.report(claims)


@pytest.fixture
def tenants(server: Server, database: str) -> int:
    """Tenants t1 to t100, and two stores that are required for nothing."""
    server.psql(
        """select tenancy.provision('t' || n) from generate_series(1, 100) as n;
           select tenancy.define_store('docs', 'mongodb', '{}'), tenancy.define_store('cache', 'redis', '{}');
           select tenancy.bind_instance('new');
           do $$ begin if to_regrole('race_sidecar') is null then
             create role race_sidecar login in role tenancy_sidecar; end if; end $$;
           select tenancy.add_operator('race_sidecar', 'sidecar')""",
        dbname=database,
    )
    return 100


@pytest.fixture
def daemon(connect: Connect, tenants: int) -> Callable[..., Daemon]:
    return lambda name="one", store="docs": Daemon(connect("race_sidecar"), name, store)


def look(connection: Connection, slug: str, store: str = "docs") -> tuple[Any, ...]:
    """Generation, observed generation, whether it is due, and whether it is leased."""
    row = connection.execute(
        """select t.generation, s.observed_generation, s.due_at is not null or exists (
                    select from tenancy.store_mark as m where m.tenant_id = s.tenant_id and m.store = s.store),
                  s.lease_token is not null
             from tenancy.tenant_store as s join tenancy.tenant as t on t.id = s.tenant_id
            where t.slug = %s and s.store = %s""",
        [slug, store],
    ).fetchone()
    assert row is not None
    return row


def converged(connection: Connection) -> bool:
    """Whether every store shows every tenant as it is, and nothing is left to do."""
    row = connection.execute(
        """select not exists (select from tenancy.tenant_store as s join tenancy.tenant as t on t.id = s.tenant_id
                               where s.observed_generation <> t.generation or s.due_at is not null)
              and not exists (select from tenancy.store_mark)"""
    ).fetchone()
    return row == (True,)


def in_parallel(*works: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[work], daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread still runs"
    if errors:
        raise errors[0]


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


# A store that is being attached.


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_who_changed_a_tenant_while_the_store_was_attached_is_followed(
    daemon: Callable[..., Daemon], connect: Connect, isolation: str
) -> None:
    admin, slow = connect(), connect()
    slow.autocommit = False
    slow.execute(f"set transaction isolation level {isolation}")
    slow.execute("select count(*) from tenancy.tenant")
    if isolation == "read committed":
        slow.execute("select tenancy.suspend('t1', 'x'), tenancy.provision('unseen')")
    admin.execute("select tenancy.define_store('late', 'redis', '{}')")
    one = daemon("one", "late")
    one.settle()
    if isolation == "repeatable read":
        slow.execute("select tenancy.suspend('t1', 'x'), tenancy.provision('unseen')")
    slow.commit()
    wait_for(lambda: followed(one, admin), 20, "the store to be settled")
    assert look(admin, "t1", "late") == (3, 3, False, False)
    assert look(admin, "unseen", "late") == (2, 2, False, False)


def test_whose_erasing_began_while_the_store_was_attached_is_claimed(
    daemon: Callable[..., Daemon], connect: Connect
) -> None:
    """Its row says that it is to be there, and whoever began did not see the row."""
    admin, slow = connect(), connect()
    for step in ("suspend('t1', 'x')", "archive('t1', 'x')", "request_erasure('t1', 'x', '0')"):
        admin.execute(f"select tenancy.{step}")
    slow.autocommit = False
    slow.execute("select tenancy.define_store('late', 'redis', '{}')")
    admin.execute("select tenancy.begin_erasure('t1', 1000)")
    slow.commit()
    one = daemon("one", "late")
    wait_for(lambda: followed(one, admin), 20, "the store to be settled")
    proven = "select erased_at is not null from tenancy.tenant_store where store = 'late' and tenant_id = tenancy.tenant_id('t1')"
    assert admin.execute(proven).fetchone() == (True,)


def followed(daemon: Daemon, admin: Connection) -> bool:
    daemon.settle()
    return admin.execute("select settled from tenancy.store where name = %s", [daemon.store]).fetchone() == (True,)


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_who_was_provisioned_while_the_definition_changed_follows_it(
    daemon: Callable[..., Daemon], connect: Connect, isolation: str
) -> None:
    """Neither transaction sees the other's rows, and the tenant has converged before the change commits."""
    admin, slow, one = connect(), connect(), daemon()
    wait_for(lambda: followed(one, admin), 20, "the store to be settled")
    slow.autocommit = False
    slow.execute(f"set transaction isolation level {isolation}")
    with connect() as other:
        other.autocommit = False
        if isolation == "repeatable read":
            slow.execute("select count(*) from tenancy.tenant")
        other.execute("select tenancy.provision('unseen')")
        if isolation == "read committed":
            slow.execute("select tenancy.define_collection('docs', 'notes')")
        other.commit()
    if isolation == "repeatable read":
        slow.execute("select tenancy.define_collection('docs', 'notes')")
    one.settle()
    assert look(admin, "unseen") == (2, 2, False, False)
    slow.commit()
    wait_for(lambda: followed(one, admin), 20, "the store to be settled")
    behind = """select count(*) from tenancy.tenant_store as s join tenancy.store as d on d.name = s.store
                 where d.name = 'docs' and s.observed_store_generation < d.generation"""
    assert admin.execute(behind).fetchone() == (0,)


def test_a_definition_reaches_tenants_while_an_old_snapshot_is_open(daemon: Callable[..., Daemon], connect: Connect, tenants: int) -> None:
    """Only the second comparison waits for it."""
    admin, old, one = connect(), connect(), daemon()
    one.settle()
    old.autocommit = False
    old.execute("set transaction isolation level repeatable read")
    old.execute("select count(*) from tenancy.tenant")
    admin.execute("select tenancy.define_collection('docs', 'notes')")
    assert len([*one.claim(), *one.claim()]) == tenants
    assert not followed(one, admin)


@pytest.mark.parametrize(
    ("coming", "generation"), [("select tenancy.provision('new', tier => 'gold')", 3), ("select tenancy.set_tier('t1', 'gold')", 4)]
)
def test_who_comes_into_a_tier_beside_a_change_of_it_follows_it(
    server: Server, daemon: Callable[..., Daemon], connect: Connect, database: str, coming: str, generation: int
) -> None:
    admin, slow, one = connect(), connect(), daemon()
    admin.execute("select tenancy.define_tier('gold')")
    server.psql("select tenancy.define_setting('n', '{}')", dbname=database)
    one.settle()
    with admin.transaction():
        admin.execute(coming)
        setting = Later(slow, "select tenancy.set_setting('tier:gold', 'n', '1')").wait_until_blocked(server)
    wait_for(lambda: not setting.running, 20, "the setting to be set")
    assert setting.error is None
    query = "select tenant_id, settings from tenancy.desired_page('docs', null, 1000)"
    wanted = {tenant: settings for tenant, settings in one.connection.execute(query) if settings}
    assert list(wanted.values()) == [{"n": 1}]
    assert [(tenant, reached) for tenant, reached, *_ in one.claim()] == [(tenant, generation) for tenant in wanted]


# A store that is being forgotten.


def test_who_is_provisioned_while_its_store_is_forgotten_does_not_wait_for_it(server: Server, connect: Connect, tenants: int) -> None:
    admin, early, late = connect(), connect(), connect()
    admin.execute("select tenancy.define_store('late', 'redis', '{provision}')")
    early.autocommit = admin.autocommit = False
    early.execute("select tenancy.provision('early')")
    forgetting = Later(admin, "select tenancy.forget_store('late', 'x')").wait_until_blocked(server)
    early.commit()
    wait_for(lambda: not forgetting.running, 20, "the store to be forgotten")
    assert forgetting.error is None
    provisioning = Later(late, "select tenancy.provision('late')").wait_until_blocked(server)
    admin.commit()
    wait_for(lambda: not provisioning.running, 20, "the tenant to be provisioned")
    assert provisioning.error is None
    states = late.execute("select slug, state from tenancy.tenant where slug in ('early', 'late') order by slug").fetchall()
    assert states == [("early", "active"), ("late", "active")]
    assert late.execute("select count(*) from tenancy.tenant_store where store = 'late'").fetchone() == (0,)


# An instance that is bound anew.


def test_a_heartbeat_beside_an_adoption_is_of_the_old_epoch(
    server: Server, connect: Connect, daemon: Callable[..., Daemon], database: str
) -> None:
    """It began before and comes after: it neither stands in the adoption's way nor counts."""
    admin, beating = connect(), daemon("old").connection
    beating.execute("select tenancy.tick_instance('old', '1', 1)")
    with server.connect(dbname=database, autocommit=False) as holder:
        holder.execute("lock table tenancy.instance in share mode")
        adoption = Later(admin, "select epoch from tenancy.bind_instance('replacement')").wait_until_blocked(server)
        beat = Later(beating, "select tenancy.tick_instance('old', '1', 1)").wait_until_blocked(server)
        holder.rollback()
    wait_for(lambda: not adoption.running and not beat.running, 20, "both to be over")
    assert adoption.rows == [(2,)] and adoption.error is None
    assert beat.error is not None and beat.error.sqlstate == "TN026"
    assert server.execute("select count(*) from tenancy.daemon", dbname=database) == [(0,)]


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
