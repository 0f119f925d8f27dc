"""What is withdrawn while a transaction runs stops it: state, grant, expiry, at every step."""

import threading
from collections.abc import Callable

import psycopg
import pytest
from context_world import Tenant, World, bodies, enter, refused, world  # noqa: F401
from harness import wait_for
from wire import BEGIN, SYNC, bind, parse, read_until_ready, run, socket_of

LEVELS = ["read committed", "repeatable read", "serializable"]
INSERT = "insert into app.note (body) values ('late')"


@pytest.fixture
def tenant(world: World) -> Tenant:  # noqa: F811
    return world.tenant(rows=20)


@pytest.fixture
def work(world: World, tenant: Tenant):  # noqa: F811
    """A connection in a transaction of the tenant that has read and written."""
    with world.connect() as connection:
        connection.execute("begin")
        enter(connection, tenant)
        connection.execute(INSERT)
        bodies(connection)
        yield connection


def withdraw_grant(world: World, tenant: Tenant) -> None:  # noqa: F811
    world.admin("select tenancy.revoke_access('app_some', %s)", tenant.slug)


# What an operator does, and what the tenant's sessions then hear.
CUTS: dict[str, tuple[Callable[[World, Tenant], None], str]] = {
    "suspend": (World.suspend, "TN005"),
    "archive": (lambda w, t: (w.suspend(t), w.admin("select tenancy.archive(%s, 'test')", t.slug)) and None, "TN005"),
    "revoke_access": (withdraw_grant, "42501"),
}


@pytest.fixture(params=CUTS)
def cut(request, world: World, tenant: Tenant):  # noqa: F811
    """(connection in a transaction by a grant of its own, cut(), the SQLSTATE that follows)."""
    world.grant("app_some", tenant)
    act, sqlstate = CUTS[request.param]
    with world.connect("app_some") as connection:
        connection.execute("begin")
        enter(connection, tenant)
        connection.execute(INSERT)
        yield connection, lambda: act(world, tenant), sqlstate


STEPS = {
    "select": "select count(*) from app.note",
    "insert": INSERT,
    "no table at all": "select 1",
    "a utility statement": "lock table app.note in access share mode",
    "declare": "declare d cursor for select * from app.note",
    "DO": "do $$ begin perform 1 from app.note; end $$",
    "commit": "commit",
    "commit and chain": "commit and chain",
}


@pytest.mark.parametrize("step", STEPS)
def test_the_next_step_is_refused(cut, step: str, world: World, tenant: Tenant):  # noqa: F811
    connection, act, sqlstate = cut
    before = world.stored(tenant)
    act()
    with refused(sqlstate):
        connection.execute(STEPS[step])
    connection.execute("rollback")
    assert world.stored(tenant) == before


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("step", ["select count(*) from app.note", "commit"])
def test_at_every_isolation_level(world: World, tenant: Tenant, level: str, step: str):  # noqa: F811
    before = world.stored(tenant)
    with world.connect() as connection:
        connection.execute(f"begin isolation level {level}")
        enter(connection, tenant)
        connection.execute(INSERT)
        assert bodies(connection) == {tenant.slug, "late"}
        world.suspend(tenant)
        with refused("TN005"):
            connection.execute(step)
        connection.execute("rollback")
    assert world.stored(tenant) == before


def test_a_transaction_that_holds_its_locks(work, world: World, tenant: Tenant):  # noqa: F811
    work.execute("select * from app.note for update")
    world.suspend(tenant)
    with refused("TN005"):
        work.execute("update app.note set body = 'late'")


@pytest.mark.parametrize("fetch", ["fetch 1 from c", "move 1 in c", "fetch all from c"])
@pytest.mark.parametrize("level", LEVELS)
def test_an_open_cursor(world: World, tenant: Tenant, fetch: str, level: str):  # noqa: F811
    with world.connect() as connection:
        connection.execute(f"begin isolation level {level}")
        enter(connection, tenant)
        connection.execute("declare c cursor for select * from app.note")
        assert connection.execute("fetch 3 from c").fetchall()
        world.suspend(tenant)
        with refused("TN005"):
            connection.execute(fetch)


def test_rows_that_a_portal_still_owes(world: World, tenant: Tenant):  # noqa: F811
    """Execute messages with a row limit, and no FETCH."""
    with world.connect() as connection, socket_of(connection) as raw:
        raw.sendall(BEGIN + parse(f"select tenancy.enter('{tenant.slug}')") + bind() + run() + SYNC)
        assert read_until_ready(raw)[0] == b""
        raw.sendall(parse("select body from app.note") + bind(b"p") + run(b"p", 2) + SYNC)
        assert read_until_ready(raw)[0] == b""
        world.suspend(tenant)
        raw.sendall(run(b"p", 2) + SYNC)
        assert read_until_ready(raw)[0] == b"TN005"


LOOPS = {
    "statements": "perform count(*) from app.note",
    "dynamic": "execute 'select count(*) from app.note'",
    "the rows of its query alone": "null",
    "writes": "insert into app.note (body) values ('late')",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_runs(world: World, tenant: Tenant, loop: str):  # noqa: F811
    """PL/pgSQL that would go on for ever; it waits for an advisory lock so that the test knows it runs."""
    source = "select 1 from app.note a, app.note b, app.note c, app.note d, app.note e, app.note f"
    body = (
        "do $do$ declare r record; begin perform app.gate(4711);"
        f" for r in {source} loop {LOOPS[loop]}; end loop; end $do$"
    )
    failed: list[psycopg.Error] = []

    def run() -> None:
        with world.connect() as connection:
            connection.execute("begin")
            enter(connection, tenant)
            try:
                connection.execute(body)
            except psycopg.Error as error:
                failed.append(error)
            connection.execute("rollback")

    before = world.stored(tenant)
    thread = threading.Thread(target=run)
    thread.start()
    held = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and granted"
    wait_for(lambda: world.admin(held) == [(1,)], 20, "the loop to run")
    world.suspend(tenant)
    thread.join(30)
    assert not thread.is_alive(), "the loop goes on"
    assert [error.sqlstate for error in failed] == ["TN005"]
    assert world.stored(tenant) == before


def test_prepared_statements(world: World, tenant: Tenant):  # noqa: F811
    other = world.tenant()
    with world.connect() as connection:
        for _ in range(8):
            with connection.transaction():
                connection.execute("select tenancy.enter(%s)", [tenant.slug], prepare=True)
                assert connection.execute("select count(*) from app.note", prepare=True).fetchone() == (20,)
        world.suspend(tenant)
        for _ in range(3):
            with connection.transaction(), refused("TN005"):
                connection.execute("select tenancy.enter(%s)", [tenant.slug], prepare=True)
            with connection.transaction():
                connection.execute("select tenancy.enter(%s)", [other.slug], prepare=True)
                assert connection.execute("select count(*) from app.note", prepare=True).fetchone() == (2,)
        world.resume(tenant)
        with connection.transaction():
            connection.execute("select tenancy.enter(%s)", [tenant.slug], prepare=True)
            assert connection.execute("select count(*) from app.note", prepare=True).fetchone() == (20,)


def test_deferred_work_at_commit(world: World, tenant: Tenant):  # noqa: F811
    """The check is also after deferred triggers: what they waited for does not land either."""
    world.admin(
        "create table if not exists app.wait (x int);"
    )
    world.server.psql(
        "create or replace function app.wait_deferred() returns trigger language plpgsql as"
        " $$ begin perform app.gate(4712); return null; end $$;"
        " drop trigger if exists t on app.wait;"
        " create constraint trigger t after insert on app.wait deferrable initially deferred"
        " for each row execute function app.wait_deferred(); grant insert on app.wait to app_any",
        dbname=world.database,
    )
    before = world.stored(tenant)
    failed: list[psycopg.Error] = []
    with world.connect("postgres") as gate, world.connect() as connection:
        gate.execute("select pg_advisory_lock(4712)")
        connection.execute("begin")
        enter(connection, tenant)
        connection.execute(INSERT)
        connection.execute("insert into app.wait values (1)")

        def commit() -> None:
            try:
                connection.execute("commit")
            except psycopg.Error as error:
                failed.append(error)

        thread = threading.Thread(target=commit)
        thread.start()
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4712 and not granted"
        wait_for(lambda: world.admin(waiting) == [(1,)], 20, "COMMIT to wait in its trigger")
        world.suspend(tenant)
        gate.execute("select pg_advisory_unlock(4712)")
        thread.join(20)
    assert [error.sqlstate for error in failed] == ["TN005"]
    assert world.stored(tenant) == before


def test_only_that_tenant(work, world: World, tenant: Tenant):  # noqa: F811
    other = world.tenant()
    with world.connect() as connection:
        connection.execute("begin")
        enter(connection, other)
        world.suspend(tenant)
        connection.execute(INSERT)
        connection.execute("commit")
    assert world.stored(other) == 3
    with refused("TN005"):
        bodies(work)


def test_an_uncommitted_suspension_stops_nobody(work, world: World, tenant: Tenant):  # noqa: F811
    with world.connect("ops") as operator:
        operator.execute("begin")
        operator.execute("select tenancy.suspend(%s, 'test')", [tenant.slug])
        assert bodies(work) == {tenant.slug, "late"}
        operator.execute("rollback")
    assert bodies(work) == {tenant.slug, "late"}
    work.execute("commit")


def test_resume(work, world: World, tenant: Tenant):  # noqa: F811
    """Suspended and resumed between two statements: the tenant works again, also in this transaction."""
    world.suspend(tenant)
    world.resume(tenant)
    work.execute("commit")
    assert world.stored(tenant) == 21


def test_a_new_transaction_of_a_suspended_tenant(world: World, tenant: Tenant):  # noqa: F811
    world.suspend(tenant)
    with world.connect() as connection, refused("TN005", "is suspended") as caught:
        enter(connection, tenant)
    assert caught.value.diag.message_hint
    with world.connect("app_none") as connection, refused("42501"):
        enter(connection, tenant)  # whether it is suspended is not for everybody
    world.resume(tenant)
    with world.connect() as connection, connection.transaction():
        enter(connection, tenant)


def test_read_only_refuses_the_commit_of_what_was_written(work, world: World, tenant: Tenant):  # noqa: F811
    before = world.stored(tenant)
    world.admin("select tenancy.set_read_only(%s, 'test')", tenant.slug)
    with refused("25006"):
        work.execute("commit")
    assert world.stored(tenant) == before


def test_read_only_refuses_the_next_statement_of_a_writer(work, world: World, tenant: Tenant):  # noqa: F811
    world.admin("select tenancy.set_read_only(%s, 'test')", tenant.slug)
    with refused("25006"):
        bodies(work)


@pytest.mark.parametrize("how", ["state", "grant"])
def test_a_reader_goes_on_reading(world: World, tenant: Tenant, how: str):  # noqa: F811
    world.grant("app_some", tenant)
    with world.connect("app_some") as connection:
        connection.execute("begin")
        enter(connection, tenant)
        assert bodies(connection) == {tenant.slug}
        if how == "state":
            world.admin("select tenancy.set_read_only(%s, 'test')", tenant.slug)
        else:
            world.grant("app_some", tenant, mode="read_only")
        assert bodies(connection) == {tenant.slug}
        connection.execute("savepoint s")
        for write in (INSERT, "select nextval('app.counter')"):
            with refused("25006"):
                connection.execute(write)
            connection.execute("rollback to s")
        assert bodies(connection) == {tenant.slug}
        connection.execute("commit")


@pytest.mark.parametrize("step", ["select count(*) from app.note", "commit", "fetch 1 from c"])
def test_a_grant_that_expires(world: World, tenant: Tenant, step: str):  # noqa: F811
    world.admin(
        "select tenancy.grant_access('app_some', %s, until => clock_timestamp() + interval '700 ms')", tenant.slug
    )
    with world.connect("app_some") as connection:
        connection.execute("begin")
        enter(connection, tenant)
        connection.execute("declare c cursor for select * from app.note")
        connection.execute(INSERT)
        until = "select clock_timestamp() >= (select expires_at from tenancy.context())"
        ends = connection.execute("select expires_at from tenancy.context()").fetchone()[0]
        wait_for(lambda: world.admin("select clock_timestamp() >= %s", ends) == [(True,)], 10, until)
        with refused("TN007"):
            connection.execute(step)
        connection.execute("rollback")
        with connection.transaction(), refused("42501"):
            enter(connection, tenant)
    assert world.stored(tenant) == 20


def test_prepare_transaction(work, world: World, tenant: Tenant):  # noqa: F811
    with refused("0A000"):
        work.execute("prepare transaction 'late'")
    assert world.admin("select count(*) from pg_prepared_xacts where gid = 'late'") == [(0,)]


def test_prepare_transaction_without_a_context(world: World):  # noqa: F811
    with world.connect() as connection:
        connection.execute("begin; select 1")
        connection.execute("prepare transaction 'other'")
        connection.execute("rollback prepared 'other'")


def test_dropping_membership(world: World, tenant: Tenant):  # noqa: F811
    world.admin("do $$ begin create role team_check; end $$")
    world.admin("select tenancy.grant_access('team_check', %s, include_members => true)", tenant.slug)
    world.admin("grant team_check to app_none")
    try:
        with world.connect("app_none") as connection:
            connection.execute("begin")
            enter(connection, tenant)
            bodies(connection)
            world.admin("revoke team_check from app_none")
            with refused("42501"):
                bodies(connection)
    finally:
        world.admin("select tenancy.revoke_access('team_check', %s)", tenant.slug)
        world.admin("drop role team_check")


def test_session_context(world: World, tenant: Tenant):  # noqa: F811
    """A context for the session: only with a grant that says so, checked in each transaction."""
    other = world.tenant()
    world.grant("app_some", tenant)
    with world.connect("app_some") as connection:
        for statement in ("select tenancy.enter('{}', 'session')", "set tenancy.context = '{}'"):
            with refused("42501"):
                connection.execute(statement.format(tenant.slug))
    world.grant("app_some", tenant, session_scope=True)
    world.grant("app_some", other)
    for statement in ("select tenancy.enter('{}', 'session')", "set tenancy.context = '{}'"):
        with world.connect("app_some") as connection:
            connection.execute(statement.format(tenant.slug))
            for _ in range(2):
                assert bodies(connection) == {tenant.slug}
            connection.execute("begin")
            assert bodies(connection) == {tenant.slug}
            with refused("TN002"):
                enter(connection, other)
            connection.execute("rollback")
            with connection.transaction():
                enter(connection, other)
                assert bodies(connection) == {other.slug}
            assert bodies(connection) == {tenant.slug}
            world.suspend(tenant)
            with refused("TN005"):
                bodies(connection)
            world.resume(tenant)
            assert bodies(connection) == {tenant.slug}
            world.grant("app_some", tenant, session_scope=False)
            with refused("42501"):
                bodies(connection)
            connection.execute("reset tenancy.context")
            with refused("TN001"):
                bodies(connection)
            world.grant("app_some", tenant, session_scope=True)


def test_session_context_is_undone_by_a_rollback(world: World, tenant: Tenant):  # noqa: F811
    world.grant("app_some", tenant, session_scope=True)
    with world.connect("app_some") as connection:
        connection.execute("begin")
        connection.execute("select tenancy.enter(%s, 'session')", [tenant.slug])
        connection.execute("rollback")
        with refused("TN001"):
            bodies(connection)
        connection.execute("select tenancy.enter(%s, 'session')", [tenant.slug])
        connection.execute("discard all")
        with refused("TN001"):
            bodies(connection)
        connection.execute("select tenancy.enter(%s, 'session')", [tenant.slug])


def test_another_grant_remains_when_one_expires(world: World, tenant: Tenant):  # noqa: F811
    """app_any's grant for all tenants outlives one for a single tenant, remembered by the backend."""
    world.admin(
        "select tenancy.grant_access('app_any', %s, until => clock_timestamp() + interval '500 ms')", tenant.slug
    )
    with world.connect() as connection:
        with connection.transaction():
            enter(connection, tenant)
            ends = connection.execute("select expires_at from tenancy.context()").fetchone()
            assert ends is not None and ends[0] is not None
        wait_for(lambda: world.admin("select clock_timestamp() >= %s", ends[0]) == [(True,)], 10, "the end")
        with connection.transaction():
            enter(connection, tenant)
            assert bodies(connection) == {tenant.slug}
