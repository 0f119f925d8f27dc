"""What a tenant leaves in a pooled session is gone when the next one enters."""

import psycopg
import pytest
from context_world import World, enter, refused, world  # noqa: F401


@pytest.fixture(scope="module")
def two(world: World):  # noqa: F811
    world.tenant(slug="a")
    world.tenant(slug="b")
    world.admin("grant temp on database {} to app_any".format(world.database))
    return world


@pytest.fixture
def session(two: World):
    """A session of a superuser, whom no guard stops: what is left is what clearing has to find."""
    with two.connect("postgres") as connection:
        yield connection


def leave(connection: psycopg.Connection, slug: str, statement: str) -> None:
    with connection.transaction():
        enter(connection, slug)
        connection.execute(statement)


def seen(connection: psycopg.Connection, what: str) -> int:
    return connection.execute(what).fetchone()[0]


LEFT = {
    "temporary table": (
        "create temporary table t as select 'secret' as x",
        "select count(*) from pg_class where relname = 't' and relpersistence = 't'",
    ),
    "temporary table by search_path": (
        "set search_path = pg_temp; create table t2 as select 'secret' as x; reset search_path",
        "select count(*) from pg_class where relname = 't2' and relpersistence = 't'",
    ),
    "temporary view": (
        "create temporary view v as select 'secret' as x",
        "select count(*) from pg_class where relname = 'v' and relpersistence = 't'",
    ),
    "temporary function": (
        "create function pg_temp.f() returns int language sql as 'select 1'",
        "select count(*) from pg_proc where pronamespace = pg_my_temp_schema()",
    ),
    "prepared statement": (
        "prepare _pg3_0 as select 'secret'",
        "select count(*) from pg_prepared_statements where from_sql",
    ),
    "listen": ("listen secret", "select count(*) from pg_listening_channels()"),
    "advisory lock": (
        "select pg_advisory_lock(1), pg_advisory_lock(1), pg_advisory_lock_shared(2)",
        "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
    ),
    "advisory lock in a function": (
        "do $$ begin perform pg_try_advisory_lock(3); end $$",
        "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
    ),
}


@pytest.mark.parametrize("what", LEFT)
def test_cleared_for_the_next_tenant(session, what: str):
    make, count = LEFT[what]
    leave(session, "a", make)
    assert seen(session, count) > 0
    with session.transaction():
        enter(session, "a")
        assert seen(session, count) > 0, "the same tenant keeps what it has"
    with session.transaction():
        enter(session, "b")
        if what != "listen":  # UNLISTEN takes effect when the transaction commits
            assert seen(session, count) == 0
    assert seen(session, count) == 0


@pytest.mark.parametrize("what", LEFT)
def test_cleared_although_it_was_left_without_a_context(session, what: str):
    make, count = LEFT[what]
    session.execute(make)
    with session.transaction():
        enter(session, "b")
    assert seen(session, count) == 0


@pytest.mark.parametrize("what", LEFT)
@pytest.mark.parametrize("end", ["rollback", "savepoint", "error"])
def test_cleared_again_after_a_rollback(session, what: str, end: str):
    """What a rolled back transaction of b had cleared is back: the next one of b clears it again."""
    make, count = LEFT[what]
    leave(session, "a", make)
    session.execute("begin; savepoint s")
    enter(session, "b")
    if end == "savepoint":
        session.execute("rollback to s; commit")
    elif end == "error":
        with pytest.raises(psycopg.errors.DivisionByZero):
            session.execute("select 1 / 0")
        session.execute("commit")
    else:
        session.execute("rollback")
    with session.transaction():
        enter(session, "b")
        if what != "listen":
            assert seen(session, count) == 0
    assert seen(session, count) == 0


def test_sequence_cache(session):
    session.execute("create sequence if not exists app.cached cache 20")
    for read in ("select lastval()", "select currval('app.cached')"):
        leave(session, "a", "select nextval('app.cached')")
        assert session.execute(read).fetchone()
        with session.transaction():
            enter(session, "b")
            with refused("55000"), session.transaction():
                session.execute(read)
        with session.transaction():
            enter(session, "a")
            with refused("55000"), session.transaction():
                session.execute(read)


def test_cached_numbers_of_another_tenant_are_not_given_out(session):
    leave(session, "a", "create sequence if not exists app.numbers cache 50")
    leave(session, "a", "select nextval('app.numbers')")
    with session.transaction():
        enter(session, "b")
        assert session.execute("select nextval('app.numbers')").fetchone() == (51,)


def test_an_application_role(two: World):
    """lastval, the one thing that no guard can keep an application from leaving."""
    with two.connect() as connection:
        leave(connection, "a", "insert into app.note (body) values ('a')")
        assert connection.execute("select lastval()").fetchone()
        with connection.transaction():
            enter(connection, "b")
            with refused("55000"), connection.transaction():
                connection.execute("select lastval()")


def test_drivers_prepared_statements_stay(session):
    """They are names of the protocol, and hold no data: dropping them would break the driver."""
    for slug in "abab":
        with session.transaction():
            enter(session, slug)
            assert session.execute("select 1", prepare=True).fetchone() == (1,)
    assert seen(session, "select count(*) from pg_prepared_statements where not from_sql") > 0


def test_transaction_locks_stay(session):
    """A lock of the transaction itself is not a leftover."""
    with session.transaction():
        session.execute("select pg_advisory_xact_lock(5)")
        enter(session, "b")
        assert seen(session, LEFT["advisory lock"][1]) == 1


def test_a_table_in_use_is_refused(session):
    """What cannot be cleared keeps the next tenant out."""
    leave(session, "a", "create temporary table busy as select generate_series(1, 100) as x")
    session.execute("begin; declare c cursor for select * from busy; fetch 1 from c")
    with refused("55006"):
        enter(session, "b")
    session.execute("rollback")


def test_set_role_brings_another_session_user_no_leftovers(session):
    leave(session, "a", LEFT["temporary table"][0])
    session.execute("set role app_any")
    with session.transaction():
        enter(session, "b")
        assert seen(session, LEFT["temporary table"][1]) == 0


def test_entered_again_after_a_rollback_to_a_savepoint(session):
    """Within one transaction: the rollback brings back what entering had cleared."""
    make, count = LEFT["temporary table"]
    leave(session, "a", make)
    session.execute("begin; savepoint s")
    enter(session, "b")
    session.execute("rollback to s")
    enter(session, "b")
    assert seen(session, count) == 0
    session.execute("commit")
    assert seen(session, count) == 0


def test_the_same_tenant_keeps_its_own_after_a_rollback(session):
    make, count = LEFT["temporary table"]
    leave(session, "a", make)
    session.execute("begin")
    enter(session, "a")
    session.execute("rollback")
    with session.transaction():
        enter(session, "a")
        assert seen(session, count) == 1
