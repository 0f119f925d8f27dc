"""COPY FROM as a statement: who may, where it is refused, the protocol, and other extensions."""

import psycopg
import pytest
from harness import wait_for
from isolation.copied import (  # noqa: F401
    ACME, GLOBEX, Altered, Copies, altered, begin_load, copies, describe, enter, load,
)


def test_owner(copies: Copies) -> None:
    """FORCE ROW LEVEL SECURITY binds the owner, too."""
    assert copies.same_as_copy("copy item (code) from stdin", b"one\n", role="load_owner").tag == "COPY 1"
    error = copies.refused("copy shop.item (tenant_id, code) from stdin", f"{GLOBEX}\tx\n".encode(), state="42501", role="load_owner")
    assert "row-level security" in str(error)


def test_files_and_programs(copies: Copies) -> None:
    program = "copy shop.item (code) from program 'printf ''one\\ntwo\\n'''"
    with copies.connect("load_files") as connection:
        assert connection.execute(program).statusmessage == "COPY 2"
        assert connection.execute("select code, tenant_id::text from shop.item order by 1").fetchall() == [("one", ACME), ("two", ACME)]
        connection.execute("rollback")
    for source in ("'/etc/hostname'", "program 'true'"):
        with copies.connect() as connection, pytest.raises(psycopg.Error) as raised:
            connection.execute(f"copy shop.item from {source}")
        with copies.connect() as connection, pytest.raises(psycopg.Error) as twin:
            connection.execute(f"copy twin.item from {source}")
        assert describe(raised.value) == describe(twin.value) and raised.value.sqlstate == "42501"


def test_in_a_function(copies: Copies) -> None:
    """PL/pgSQL runs COPY from a file or program, and counts its rows."""
    block = """do $$ declare loaded bigint; begin
        begin
            copy shop.item (code, amount) from program 'printf ''one\\t1\\ntwo\\t-1\\n''';
        exception when check_violation then null; end;
        copy shop.item (code) from program 'printf ''one\\n''';
        get diagnostics loaded = row_count;
        if loaded <> 1 then raise 'loaded %', loaded; end if;
    end $$"""
    with copies.connect("load_files") as connection:
        connection.execute(block)
        assert connection.execute("select code from shop.item").fetchall() == [("one",)]
        connection.execute("rollback")


def test_without_a_context(copies: Copies) -> None:
    for setting in ("error", "empty"):
        with copies.connect(tenant=None, options=f"-c tenancy.on_missing_context={setting}") as connection:
            with pytest.raises(psycopg.Error) as raised:
                load(connection, "copy shop.item (code) from stdin", b"one\n")
            assert raised.value.sqlstate == "TN001" and raised.value.diag.message_hint
            assert connection.execute("select 1").fetchone() == (1,)


def test_in_a_read_only_context(copies: Copies) -> None:
    with copies.connect("load_reader") as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="COPY FROM"):
            load(connection, "copy shop.item (code) from stdin", b"one\n")
    with copies.connect(tenant=None) as connection:
        connection.execute("begin read only")
        connection.execute("select tenancy.enter('acme')")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="COPY FROM"):
            load(connection, "copy shop.item (code) from stdin", b"one\n")


def test_row_security_off(copies: Copies) -> None:
    """Is refused, as it is for queries."""
    with copies.connect() as connection:
        connection.execute("set local row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            load(connection, "copy shop.item (code) from stdin", b"one\n")


def test_what_is_not_supported(copies: Copies, altered: Altered) -> None:
    error = copies.refused("copy shop.item (code) from stdin (freeze)", state="0A000")
    assert "FREEZE" in str(error) and error.diag.message_hint
    altered("create rule r as on insert to shop.plain do also insert into work.seen (what) values ('rule')", "drop rule r on shop.plain")
    error = copies.refused("copy shop.plain (id) from stdin", state="0A000")
    assert "rules" in str(error) and error.diag.message_hint
    copies.admin("alter table shop.plain disable rule r")
    with copies.connect() as connection:
        assert load(connection, "copy shop.plain (id) from stdin", b"1\n") == "COPY 1"
        connection.execute("rollback")


def test_tables_that_are_not_protected(copies: Copies, altered: Altered) -> None:
    """PostgreSQL's own COPY, and its own refusals."""
    altered("""create table work.own (id integer); alter table work.own enable row level security;
               create policy p on work.own using (true); grant insert on work.own to load_app""", "drop table work.own")
    assert "not supported with row-level security" in str(copies.refused("copy work.own from stdin", state="0A000"))
    altered("""create table work.everybodys (id integer); alter table work.everybodys owner to load_owner;
               set role load_owner; select tenancy.share('work.everybodys'); reset role""", "drop table work.everybodys")
    copies.refused("copy work.everybodys from stdin", state="42501")
    copies.refused("copy work.nothing from stdin", state="42P01")
    altered("create view work.some as select * from twin.plain; grant insert on work.some to load_app", "drop view work.some")
    copies.refused("copy work.some from stdin", state="42809")


def test_views_with_triggers(copies: Copies, altered: Altered) -> None:
    altered("""create view work.door as select id, body from shop.plain; alter view work.door owner to load_owner;
               create function work.through() returns trigger language plpgsql as
                 $$ begin insert into shop.plain (id, body) values (new.id, new.body); return new; end $$;
               create trigger t instead of insert on work.door for each row execute function work.through();
               grant insert on work.door to load_app""", "drop view work.door; drop function work.through()")
    with copies.connect() as connection:
        assert load(connection, "copy work.door from stdin", b"1\ta\n") == "COPY 1"
        assert connection.execute("select tenant_id::text, body from shop.plain").fetchall() == [(ACME, "a")]
        connection.execute("rollback")


def test_superusers_and_registered_roles(copies: Copies) -> None:
    """Row security does not bind them: PostgreSQL's own COPY, into any tenant."""
    row = f"{GLOBEX}\tx\n".encode()
    with copies.connect("postgres") as connection:
        assert load(connection, "copy shop.plain (tenant_id, body) from stdin", row) == "COPY 1"
        connection.execute("rollback")
    copies.refused("copy shop.plain (tenant_id, body) from stdin", row, state="TN022", role="load_batch", tenant=None)
    with copies.connect("load_batch", tenant=None) as connection:
        connection.execute("begin")
        connection.execute("select tenancy.enter_all('import')")
        assert load(connection, "copy shop.plain (tenant_id, body) from stdin (freeze off)", row) == "COPY 1"
        connection.execute("rollback")


def test_copy_to_and_from_again(copies: Copies) -> None:
    with copies.connect() as connection:
        load(connection, "copy shop.plain (id, body) from stdin", b"1\ta\n2\tb\n")
        with connection.cursor().copy("copy shop.plain to stdout") as copy:
            data = b"".join(bytes(block) for block in copy)
        connection.execute("delete from shop.plain")
        assert load(connection, "copy shop.plain from stdin", data) == "COPY 2"
        assert connection.execute("select body from shop.plain order by id").fetchall() == [("a",), ("b",)]
        connection.execute("rollback")


def test_rows_are_there_after_commit(copies: Copies, altered: Altered) -> None:
    altered("", "delete from shop.plain")
    with copies.connect() as connection:
        load(connection, "copy shop.plain (id) from stdin", b"".join(b"%d\n" % n for n in range(500)))
        connection.execute("commit")
        enter(connection, "globex")
        assert connection.execute("select count(*) from shop.plain").fetchone() == (0,)
        connection.execute("commit")
        enter(connection, "acme")
        assert connection.execute("select count(*), sum(id) from shop.plain").fetchone() == (500, 499 * 250)


def test_extended_protocol(copies: Copies) -> None:
    """A COPY that was prepared, and is executed more than once."""
    with copies.connect() as connection:
        pgconn = connection.pgconn
        assert pgconn.prepare(b"p", b"copy shop.plain (id, body) from stdin where id > 0").status == psycopg.pq.ExecStatus.COMMAND_OK
        for data in (b"1\ta\n-1\tz\n", b"2\tb\n"):
            assert pgconn.exec_prepared(b"p", []).status == psycopg.pq.ExecStatus.COPY_IN
            pgconn.put_copy_data(data)
            pgconn.put_copy_end()
            result = pgconn.get_result()
            assert result and result.command_status == b"COPY 1"
            assert pgconn.get_result() is None
        assert pgconn.exec_prepared(b"p", []).status == psycopg.pq.ExecStatus.COPY_IN
        pgconn.put_copy_data(b"x\ty\n")
        pgconn.put_copy_end()
        result = pgconn.get_result()
        assert result and result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"22P02"
        assert pgconn.get_result() is None
        connection.execute("rollback")
        assert connection.execute("select 1").fetchone() == (1,)


def test_several_statements_in_one_message(copies: Copies) -> None:
    with copies.connect() as connection:
        pgconn = connection.pgconn
        pgconn.send_query(b"delete from shop.plain; copy shop.plain (id) from stdin; delete from shop.plain where id = 2")
        results = []
        while result := pgconn.get_result():
            results.append(result.command_status or result.status)
            if result.status == psycopg.pq.ExecStatus.COPY_IN:
                pgconn.put_copy_data(b"1\n2\n")
                pgconn.put_copy_end()
        assert results == [b"DELETE 0", psycopg.pq.ExecStatus.COPY_IN, b"COPY 2", b"DELETE 1"]
        assert connection.execute("select id from shop.plain").fetchall() == [(1,)]
        connection.execute("rollback")


def test_progress(copies: Copies) -> None:
    """pg_stat_progress_copy counts as COPY does."""
    with copies.connect() as connection:
        query = f"""select relid::regclass::text, command, type, bytes_processed > 100000, tuples_processed, tuples_excluded
                    from pg_stat_progress_copy where pid = {connection.info.backend_pid}"""
        with connection.cursor().copy("copy shop.plain (id, body) from stdin where id <> 3") as copy:
            copy.write(b"".join(b"%d\t%s\n" % (n, b"x" * 300) for n in range(1001)))
            while connection.pgconn.flush():
                pass
            wait_for(lambda: copies.admin(query) == [("shop.plain", "COPY FROM", "PIPE", True, 1000, 1)], what="1000 rows")
        assert copies.admin(query) == []
        connection.execute("rollback")


def test_interrupts_between_rows_that_are_left_out(copies: Copies) -> None:
    with copies.connect("load_files") as connection:
        connection.execute("set local statement_timeout = '100ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("copy shop.plain (body) from program 'yes | head -n 5000000' where false")
        connection.execute("rollback")


@pytest.mark.parametrize("libraries", ["tenancy, pg_stat_statements, auto_explain", "auto_explain, pg_stat_statements, tenancy"])
def test_other_extensions(make_server, libraries: str) -> None:
    """Those that count statements know the load as the COPY it was; those that print plans can print this one."""
    settings = {"shared_preload_libraries": libraries, "auto_explain.log_min_duration": 0, "auto_explain.log_analyze": True,
                "auto_explain.log_verbose": True, "auto_explain.log_nested_statements": True, "pg_stat_statements.track": "all"}
    server = make_server(settings=settings)
    server.execute("create extension tenancy; create extension pg_stat_statements; create role app login;"
                   "create table t (id integer, tenant_id uuid); select tenancy.protect('t'); grant insert on t to app;"
                   "select tenancy.provision('acme'), tenancy.grant_access('app', '*', reason => 'test')")
    with server.connect(user="app") as connection:
        enter(connection)
        begin_load(connection, "select 1; copy t (id) from stdin", b"1\n2\n")
        connection.pgconn.put_copy_end()
        while connection.pgconn.get_result():
            pass
        connection.execute("commit")
    assert server.execute("select query, rows, calls from pg_stat_statements where query like 'copy t %'") == [("copy t (id) from stdin", 2, 1)]
    assert "Custom Scan (COPY FROM)" in server.log_text()
