"""The assertions for users' own suites find pgTAP wherever it is. (What they find out: tests/pgtap/assertions.sql.)"""

import psycopg
import pytest

TABLE = """
do $$ begin create role assert_app; exception when duplicate_object then null; end $$;
create table note (tenant_id uuid not null, text text);
grant select, insert, update, delete on note to assert_app;
select tenancy.protect('note');
"""
CALLS = ["tenancy.tap_protected('public.note')", "tenancy.tap_isolated('public.note', role => 'assert_app')", "tenancy.tap_no_findings('error')"]


@pytest.fixture
def connection(server, database):
    server.psql(TABLE, dbname=database)
    with server.connect(dbname=database) as connection:
        yield connection


def passes(connection):
    """All are counted; what the linter finds depends on the other tests' roles."""
    for number, call in enumerate(CALLS, 1):
        [(line,)] = connection.execute(f"select {call}").fetchall()
        assert line.startswith((f"ok {number} - ", "not ok 3 - the linter finds")), line


@pytest.mark.parametrize("path", ["public", '"$user", public', "pg_catalog", ""])
def test_pgtap_in_a_schema_of_its_own(connection, path):
    connection.execute('create schema "my tests"; create extension pgtap schema "my tests"')
    connection.execute('set search_path = public, "my tests"; select plan(3)')
    connection.execute("select set_config('search_path', %s, false)", [path])
    passes(connection)
    assert connection.execute("show search_path").fetchall() == [(path,)]


def test_pgtap_that_is_no_extension(connection):
    """As on servers where its script was run: then it is where the caller finds it."""
    connection.execute("create extension pgtap")
    # From 17 on the type of an array goes with that of its elements, and that of a view's rows with the view.
    member = (
        "select pg_describe_object(d.classid, d.objid, 0) from pg_depend d join pg_extension e on e.oid = d.refobjid"
        " where e.extname = 'pgtap' and d.deptype = 'e' order by d.classid = 'pg_type'::regclass, pg_describe_object(d.classid, d.objid, 0) like '%[]' limit 1"
    )
    while (found := connection.execute(member).fetchone()) is not None:
        connection.execute(f"alter extension pgtap drop {found[0]}")
    connection.execute("drop extension pgtap; select plan(3)")
    passes(connection)


def test_path_is_put_back_when_an_assertion_fails_to_run(connection):
    connection.execute("create schema tap; create extension pgtap schema tap")
    with pytest.raises(psycopg.Error, match="without a plan"):
        passes(connection)
    assert connection.execute("show search_path").fetchall() == [('"$user", public',)]


def test_without_pgtap(connection):
    with pytest.raises(psycopg.errors.UndefinedFunction, match="pgTAP is not installed") as caught:
        passes(connection)
    assert "tenancy.try_isolation()" in (caught.value.diag.message_hint or "")
    problems = connection.execute("select problem from tenancy.try_isolation('note', role => 'assert_app') where not passed").fetchall()
    assert problems == []
