"""Proofs of the boundary between C++ and PostgreSQL (pg_extension/src/bridge): what one side raises
arrives whole on the other, every destructor runs, and the session goes on."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from harness import Server, wait_for
from harness.server import ROOT, tree

DATABASE = "bridge"

FUNCTIONS = {
    "made()": "bigint",
    "alive()": "bigint",
    "throw_error(message text)": "void",
    "throw_bad_alloc()": "void",
    "allocate_too_much()": "bigint",
    "throw_standard()": "void",
    "throw_unknown()": "void",
    "execute(sql text)": "void",
    "nest(depth integer, sql text)": "void",
    "nest_directly(sql text)": "void",
    "loop()": "void",
    "comes_back(sql text)": "boolean",
    "places()": "text",
}

SETUP = """
create table keyed (id integer constraint keyed_pk primary key);
insert into keyed values (1);
create function raise_all() returns void language plpgsql as $$
begin
  raise exception using errcode = 'TN999', message = 'message of PL/pgSQL', detail = 'Its detail.',
    hint = 'Its hint.', schema = 's', table = 't', column = 'c', constraint = 'k', datatype = 'd';
end $$;
"""


@pytest.fixture(scope="module")
def library(server: Server) -> Path:
    """The probe, built, in a place that the server's user can read."""
    make = ["make", "--no-print-directory", f"PG_CONFIG={tree()}/bin/pg_config", "build/bridge_probe.so"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    done = subprocess.run(make, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    copy = server.dir / "bridge_probe.so"
    shutil.copyfile(ROOT / "build" / "bridge_probe.so", copy)
    copy.chmod(0o755)
    return copy


@pytest.fixture(scope="module")
def prepared(server: Server, library: Path) -> Iterator[str]:
    server.dropdb(DATABASE)
    server.createdb(DATABASE)
    declarations = "create schema probe;" + "".join(
        f"create function probe.{signature} returns {result} language c strict"
        f" as '{library}', 'tenancy_probe_{signature.split('(')[0]}';"
        for signature, result in FUNCTIONS.items()
    )
    server.psql(declarations + SETUP, dbname=DATABASE)
    yield DATABASE
    server.dropdb(DATABASE)


@pytest.fixture
def connection(server: Server, prepared: str) -> Iterator[psycopg.Connection[Any]]:
    """A session in which, at the end, no C++ object is left alive and SQL still runs."""
    with server.connect(dbname=prepared) as session:
        yield session
        if not session.closed:
            assert value(session, "select probe.alive()") == 0
            assert value(session, "select 6 * 7") == 42


def value(connection: psycopg.Connection[Any], sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row and row[0]


def fails(connection: psycopg.Connection[Any], sql: str) -> psycopg.errors.Diagnostic:
    before = value(connection, "select probe.made()")
    with pytest.raises(psycopg.Error) as raised:
        connection.execute(sql)
    assert value(connection, "select probe.made()") > before, "no object was at stake"
    return raised.value.diag


def test_a_domain_error_arrives_whole(connection: psycopg.Connection[Any]) -> None:
    error = fails(connection, "select probe.throw_error('something is wrong')")
    assert error.sqlstate == "TN011"
    assert error.severity == "ERROR"
    assert error.message_primary == "something is wrong"
    assert error.message_detail == "There is a detail."
    assert error.message_hint == "Do something else."


def test_a_domain_error_has_the_context_of_its_callers(connection: psycopg.Connection[Any]) -> None:
    connection.execute("create or replace function calls() returns void language plpgsql as"
                       " $$begin perform probe.throw_error('x'); end$$")
    assert "PL/pgSQL function calls() line 1" in (fails(connection, "select calls()").context or "")


@pytest.mark.parametrize("character", ["x", "ü", "漢", "🦀"])
@pytest.mark.parametrize("start", ["", "a", "ab", "abc"])
def test_long_messages_are_cut_between_characters(
    connection: psycopg.Connection[Any], start: str, character: str
) -> None:
    error = fails(connection, f"select probe.throw_error('{start}' || repeat('{character}', 3000))")
    message = error.message_primary or ""
    assert 1000 <= len(message.encode()) <= 1023
    assert message == start + character * (len(message) - len(start))


@pytest.mark.parametrize("call", ["execute({})", "nest(0, {})", "nest(5, {})", "nest_directly({})"])
def test_an_error_of_postgresql_passes_cpp_whole(connection: psycopg.Connection[Any], call: str) -> None:
    error = fails(connection, "select probe." + call.format("'select raise_all()'"))
    assert error.sqlstate == "TN999"
    assert error.message_primary == "message of PL/pgSQL"
    assert error.message_detail == "Its detail."
    assert error.message_hint == "Its hint."
    assert (error.schema_name, error.table_name, error.column_name) == ("s", "t", "c")
    assert (error.constraint_name, error.datatype_name) == ("k", "d")
    assert "PL/pgSQL function raise_all() line 3" in (error.context or "")
    assert 'SQL statement "select raise_all()"' in (error.context or "")


def test_constraint_and_position_survive(connection: psycopg.Connection[Any]) -> None:
    error = fails(connection, "select probe.nest(2, 'insert into keyed values (1)')")
    assert error.sqlstate == "23505" and error.constraint_name == "keyed_pk"
    assert error.message_detail == "Key (id)=(1) already exists."
    error = fails(connection, "select probe.execute('select nothing')")
    assert error.sqlstate == "42703" and error.internal_position == "8"
    assert error.internal_query == "select nothing"


def test_nesting_unwinds_every_frame(connection: psycopg.Connection[Any]) -> None:
    before = value(connection, "select probe.made()")
    fails(connection, "select probe.nest(20, 'select 1/0')")
    assert value(connection, "select probe.made()") - before == 21
    before = value(connection, "select probe.made()")
    fails(connection, "select probe.nest_directly('select 1/0')")
    assert value(connection, "select probe.made()") - before == 2


@pytest.mark.parametrize("call", ["throw_error('x')", "throw_unknown()", "execute('select 1/0')"])
def test_a_cpp_error_below_postgresql_below_cpp(connection: psycopg.Connection[Any], call: str) -> None:
    inner = fails(connection, f"select probe.{call}")
    sql = f"select probe.{call}".replace("'", "''")
    outer = fails(connection, f"select probe.nest(3, '{sql}')")
    assert (outer.sqlstate, outer.message_primary) == (inner.sqlstate, inner.message_primary)


@pytest.mark.parametrize(("call", "state", "message"), [
    ("throw_bad_alloc()", "53200", "out of memory"),
    ("allocate_too_much()", "53200", "out of memory"),
    ("throw_standard()", "XX000", "not in range"),
    ("throw_unknown()", "XX000", "unknown C++ exception"),
])
def test_other_exceptions(connection: psycopg.Connection[Any], call: str, state: str, message: str) -> None:
    error = fails(connection, f"select probe.{call}")
    assert error.sqlstate == state
    assert message in (error.message_primary or "")


def test_success_leaves_nothing_behind(connection: psycopg.Connection[Any]) -> None:
    before = value(connection, "select probe.made()")
    connection.execute("select probe.nest(4, 'select 1')")
    assert value(connection, "select probe.made()") - before == 5
    assert value(connection, "select probe.alive()") == 0


@pytest.mark.parametrize("call", ["loop()", "execute('select pg_sleep(60)')", "nest(3, 'select probe.loop()')",
                                  "nest(3, 'select pg_sleep(60)')"])
def test_statement_timeout_unwinds(connection: psycopg.Connection[Any], call: str) -> None:
    connection.execute("set statement_timeout = '200ms'")
    for _ in range(3):
        error = fails(connection, f"select probe.{call}")
        assert error.sqlstate == "57014" and "statement timeout" in (error.message_primary or "")
    connection.execute("reset statement_timeout")


def test_cancel_unwinds(connection: psycopg.Connection[Any]) -> None:
    timer = threading.Timer(0.2, connection.cancel)
    timer.start()
    try:
        assert fails(connection, "select probe.nest(1, 'select probe.loop()')").sqlstate == "57014"
    finally:
        timer.join()


@pytest.mark.parametrize("sql", ["select 1/0", "select raise_all()", "syntax error",
                                 "select probe.nest(2, 'select 1/0')", "select probe.throw_error('x')"])
def test_a_failed_call_puts_everything_back(connection: psycopg.Connection[Any], sql: str) -> None:
    """Exception stack, error-context stack, memory context; then the transaction goes on."""
    with connection.transaction():
        connection.execute("insert into keyed values (2)")
        for _ in range(3):
            quoted = sql.replace("'", "''")
            assert value(connection, f"select probe.comes_back('{quoted}')") is True
        assert value(connection, "select count(*) from keyed") == 2
        raise psycopg.Rollback


def test_an_exception_block_of_plpgsql(connection: psycopg.Connection[Any]) -> None:
    """After a block has caught what came through C++, errors land and are annotated as before."""
    connection.execute("""
        create or replace function blocks(call text) returns boolean language plpgsql as $$
        declare
          before text := probe.places();
          caught integer := 0;
        begin
          for i in 1..100 loop
            begin
              execute call;
            exception when others then
              caught := caught + 1;
            end;
          end loop;
          return caught = 100 and before = probe.places() and probe.alive() = 0;
        end $$""")
    for call in ("select probe.nest(3, 'select 1/0')", "select probe.throw_error('x')", "select probe.throw_unknown()",
                 "select probe.nest_directly('select raise_all()')"):
        assert connection.execute("select blocks(%s)", [call]).fetchone() == (True,)
    connection.execute("create or replace function after_block() returns void language plpgsql as $$"
                       "begin begin perform probe.execute('select 1/0'); exception when others then end;"
                       " perform 1/0; end$$")
    assert (fails(connection, "select after_block()").context or "").count("PL/pgSQL function after_block()") == 1


def test_notices_pass(connection: psycopg.Connection[Any]) -> None:
    seen: list[str | None] = []
    connection.add_notice_handler(lambda notice: seen.append(notice.message_primary))
    connection.execute("""select probe.nest(2, 'do $$begin raise notice ''heard''; end$$')""")
    assert seen == ["heard"]


@pytest.mark.parametrize("call", ["loop()", "nest(3, 'select probe.loop()')", "execute('select pg_sleep(60)')"])
def test_fatal_is_not_swallowed(server: Server, prepared: str, call: str) -> None:
    """pg_terminate_backend inside a pg_call ends the session, and that session alone."""
    with server.connect(dbname=prepared) as bystander, server.connect(dbname=prepared) as victim:
        pid = victim.info.backend_pid
        raised: list[psycopg.Error] = []

        def run() -> None:
            try:
                victim.execute(f"select probe.{call}")
            except psycopg.Error as error:
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        active = f"select count(*) from pg_stat_activity where pid = {pid} and state = 'active'"
        wait_for(lambda: value(bystander, active) == 1, 10, "the statement to run")
        assert value(bystander, f"select pg_terminate_backend({pid}, 10000)") is True
        thread.join(10)
        assert not thread.is_alive() and raised and victim.broken
        assert raised[0].sqlstate == "57P01"
        assert value(bystander, "select probe.alive()") == 0
