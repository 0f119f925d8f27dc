"""Preloading: shared, by session, by the database's own setting, and the refusal without."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest
from context_world import World, bodies, enter, refused, world  # noqa: F401
from harness import Server

names = (f"preload{n}" for n in itertools.count())


@pytest.fixture(scope="module")
def bare() -> Iterator[Server]:
    """A server that names the library nowhere."""
    with Server(preload=None, name="bare") as server:
        yield server


@contextmanager
def refused_any(*sqlstates: str) -> Iterator[None]:
    with pytest.raises(psycopg.Error) as caught:
        yield
    assert caught.value.sqlstate in sqlstates


def filled(server: Server) -> World:
    made = World.create(server, next(names))
    for slug in ("a", "b"):
        made.tenant(slug=slug)
    return made


@pytest.fixture(scope="module")
def own(bare: Server) -> World:
    """A database that preloads the library by its own setting."""
    return filled(bare)


@pytest.mark.parametrize("kind", ["server", "session_server"])
def test_preloaded(request, kind: str):
    made = filled(request.getfixturevalue(kind))
    with made.connect() as connection:
        for slug in "ab":
            with connection.transaction():
                enter(connection, slug)
                assert bodies(connection) == {slug}
        with refused("TN001"):
            bodies(connection)
    made.server.dropdb(made.database)


def test_the_database_preloads_where_nothing_else_does(own: World):
    assert own.admin("show session_preload_libraries") == [("tenancy",)]
    with own.connect() as connection, connection.transaction():
        enter(connection, "a")
        assert bodies(connection) == {"a"}


def test_parallel_workers_with_a_session_preload(own: World):
    """Workers load what their leader had loaded, early enough."""
    made = own
    made.admin("alter table app.note set (parallel_workers = 2)")
    with made.connect() as connection, connection.transaction():
        for statement in ("parallel_setup_cost = 0", "parallel_tuple_cost = 0", "min_parallel_table_scan_size = 0",
                          "enable_indexscan = off", "enable_bitmapscan = off", "parallel_leader_participation = off"):
            connection.execute(f"set local {statement}")
        enter(connection, "a")
        assert connection.execute("select count(*), min(body), max(body) from app.note").fetchone() == (2, "a", "a")


def test_the_session_that_installs_it(bare: Server):
    """Its library came in the middle of the session: the policies refuse to answer."""
    bare.createdb("installing")
    with bare.connect(dbname="installing") as connection:
        connection.execute("create extension tenancy")
        for query in (
            "select tenancy.current_tenant_id()",
            "select tenancy.enter('a')",
            "select tenancy.current_tenant()",
            "select tenancy.default_tenant_id()",
        ):
            with refused("TN008"):
                connection.execute(query)
    bare.dropdb("installing")


LATE = {
    "a function is called": "select tenancy.current_tenant()",
    "LOAD": "load 'tenancy'",
    "a setting of it": "set tenancy.context = 'a'",
    "the table itself": "select count(*) from app.note",
    "nothing": "select 1",
}


def late(connection, first: str) -> None:
    """A session that loads the library now or never gets nothing of any tenant."""
    with suppress(psycopg.Error):
        connection.execute(first)
    for query in ("select count(*) from app.note", "select tenancy.enter('a')", "insert into app.note (body) values ('x')"):
        with refused("TN008"):
            connection.execute(query)


@pytest.fixture(scope="module")
def copied(bare: Server, own: World) -> World:
    """CREATE DATABASE ... TEMPLATE copies policies, but not the database's settings."""
    bare.createdb("copy", template=own.database)
    return World(bare, "copy")


@pytest.mark.parametrize("first", LATE)
@pytest.mark.parametrize("user", ["app_any", "table_owner"])
def test_a_copy_of_the_database(copied: World, first: str, user: str):
    assert copied.admin("show session_preload_libraries") == [("",)]
    with copied.connect(user) as connection:
        late(connection, LATE[first])


@pytest.mark.parametrize("first", LATE)
def test_a_roles_own_list_replaces_the_databases(own: World, first: str):
    own.admin(f"alter role app_any in database {own.database} set session_preload_libraries = 'auto_explain'")
    try:
        with own.connect() as connection:
            late(connection, LATE[first])
    finally:
        own.admin(f"alter role app_any in database {own.database} reset session_preload_libraries")


def test_options_of_the_connection_do_not_take_it_away(own: World):
    """A superuser may, as the way in where the library is missing; no tenant's row comes that way."""
    made = own
    with pytest.raises(psycopg.OperationalError, match="permission denied to set parameter"):
        made.connect(options="-c session_preload_libraries=")
    with made.connect("postgres", options="-c session_preload_libraries=") as connection:
        with refused("TN008"):
            connection.execute("select tenancy.enter('a')")


def test_a_late_session_in_parallel(copied: World):
    """Workers of a late leader are not preloaded by it."""
    copied.admin("alter table app.note set (parallel_workers = 2)")
    with copied.connect() as connection:
        for statement in ("parallel_setup_cost = 0", "parallel_tuple_cost = 0", "min_parallel_table_scan_size = 0",
                          "enable_indexscan = off", "enable_bitmapscan = off", "parallel_leader_participation = off"):
            connection.execute(f"set {statement}")
        with refused_any("TN001", "TN008"):
            connection.execute("select count(*) from app.note")
        connection.execute("set tenancy.on_missing_context = 'empty'")
        with refused_any("TN001", "TN008"):
            connection.execute("select count(*) from app.note")


def test_a_session_open_before_the_extension_came(server: Server):
    """With the library shared, connections of a pool go on when the extension is installed."""
    server.dropdb("early")
    server.createdb("early")
    with server.connect(dbname="early") as connection:
        connection.execute("select 1")
        made = World.create_in(server, "early")
        made.tenant(slug="a")
        with connection.transaction():
            enter(connection, "a")
            assert connection.execute("select tenancy.current_tenant()").fetchone() == ("a",)
        server.execute("drop schema app cascade", dbname="early")
        server.execute("drop extension tenancy", dbname="early")
        connection.execute("select 1")
    server.dropdb("early")
