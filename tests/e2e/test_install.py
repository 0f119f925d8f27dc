"""CREATE EXTENSION and DROP EXTENSION: in several databases of one cluster, beside hostile schemas."""

from collections.abc import Iterator

import pytest
from harness import Server
from isolation.operators import Later

ROLES = ["tenancy_admin", "tenancy_auditor", "tenancy_maintainer", "tenancy_sidecar"]


@pytest.fixture
def fresh() -> Iterator[Server]:
    """A cluster where the extension was never created, and that preloads it nowhere."""
    with Server(preload=None, name="fresh") as server:
        yield server


def roles(server: Server) -> list[str]:
    return [name for (name,) in server.execute("select rolname::text from pg_roles where rolname like 'tenancy%' order by 1")]


def test_two_databases_at_once(fresh: Server):
    """Roles belong to the cluster: the second CREATE EXTENSION waits for the first, and takes its roles."""
    for database in ("one", "two"):
        fresh.createdb(database)
    with fresh.connect(dbname="one", autocommit=False) as first, fresh.connect(dbname="two") as connection:
        first.execute("create extension tenancy")
        second = Later(connection, "create extension tenancy").wait_until_blocked(fresh)
        first.commit()
        second.result()
    assert roles(fresh) == ROLES
    for database in ("one", "two"):
        assert fresh.execute("show session_preload_libraries", dbname=database) == [("tenancy",)]


def test_the_second_database_leaves_roles_as_they_are(fresh: Server):
    for database in ("one", "two"):
        fresh.createdb(database)
    fresh.execute("create extension tenancy", dbname="one")
    fresh.execute("create role ann login; grant tenancy_admin to ann")
    fresh.execute("create extension tenancy", dbname="two")
    fresh.execute("drop extension tenancy", dbname="two")
    assert roles(fresh) == ROLES
    assert fresh.execute("select pg_has_role('ann', 'tenancy_admin', 'member')") == [(True,)]


def test_dropping_runs_nobodys_operators(fresh: Server):
    """The superuser's search_path may name a schema of an ordinary role, which fits an operator better."""
    fresh.createdb("installed")
    fresh.execute("create extension tenancy", dbname="installed")
    fresh.execute("create role mallory login; create schema mallory authorization mallory", dbname="installed")
    fresh.execute(
        """create function mallory.rise(oid, integer) returns boolean language plpgsql
           as $$ begin alter role mallory superuser; return true; end $$;
           create operator mallory.= (function = mallory.rise, leftarg = oid, rightarg = integer)""",
        user="mallory", dbname="installed",
    )
    fresh.execute("set search_path = mallory, public; drop extension tenancy", dbname="installed")
    assert fresh.execute("select rolsuper from pg_roles where rolname = 'mallory'") == [(False,)]
    assert fresh.execute("show session_preload_libraries", dbname="installed") == [("",)]


def test_dropping_takes_its_library_out_of_the_databases_list(fresh: Server):
    fresh.createdb("listed")
    fresh.execute("alter database listed set session_preload_libraries = auto_explain")
    listed = "select setconfig from pg_db_role_setting where setrole = 0"
    fresh.execute("create extension tenancy", dbname="listed")
    assert fresh.execute(listed) == [(["session_preload_libraries=auto_explain, tenancy"],)]
    fresh.execute("drop extension tenancy", dbname="listed")
    assert fresh.execute(listed) == [(["session_preload_libraries=auto_explain"],)]
