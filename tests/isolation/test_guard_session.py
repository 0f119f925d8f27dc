"""What would carry a tenant's rows into another one's transaction (leaks X37, X38, X60)."""

from typing import Any

import psycopg
import pytest
from isolation.guarded import Guards, enter, guards  # noqa: F401
from wire import fast_path_call

TEMPORARY = {
    "table": "create temp table t (a int)",
    "table, delete rows": "create temp table t (a int) on commit delete rows",
    "table in pg_temp": "create table pg_temp.t (a int)",
    "table by search_path": "set local search_path = pg_temp, public; create table t (a int)",
    "create table as": "create temp table t as select * from messages",
    "create table as in pg_temp": "create table pg_temp.t as select 1 as a",
    "select into": "select * into temp t from messages",
    "as, by search_path": "set local search_path = pg_temp, public; create table t as select * from public.messages",
    "view": "create temp view v as select 1",
    "view in pg_temp": "create view pg_temp.v as select 1",
    "sequence": "create temp sequence s",
    "function": "create function pg_temp.f() returns int language sql as 'select 1'",
    "procedure": "create procedure pg_temp.p() language sql as 'select 1'",
    "aggregate": "create aggregate pg_temp.a (int) (sfunc = int4pl, stype = int)",
    "enum": "create type pg_temp.e as enum ('a')",
    "composite": "create type pg_temp.c as (a int)",
    "domain": "create domain pg_temp.d as int",
    "in DO": "do $$begin create temp table t (a int); end$$",
    "dynamic": "do $$begin execute 'create temp table t (a int)'; end$$",
    "while one is made that drops": (
        "create function pg_temp_maker() returns int language plpgsql as"
        " $$begin create temp table inner_t (a int); return 1; end$$;"
        "create temp table t on commit drop as select pg_temp_maker() as a"
    ),
}


@pytest.mark.parametrize("tenant", ["acme", None], ids=["context", "no context"])
@pytest.mark.parametrize("statement", TEMPORARY.values(), ids=TEMPORARY.keys())
def test_temporary_objects(guards: Guards, statement: str, tenant: str | None) -> None:
    if tenant is None:
        if "messages" in statement:
            statement = statement.replace("public.messages", "messages").replace("messages", "public.plain")
        statement = f"begin; {statement}"
    guards.refused(statement, tenant=tenant, match="outlive the transaction")
    guards.passes(statement, "rollback", role="guard_off", tenant=tenant)


@pytest.mark.parametrize("statement", [
    "create temp table t (id serial primary key, a int default 1, b text) on commit drop; insert into t (a) values (1)",
    "create temp table t (id int generated always as identity, b text unique) on commit drop; insert into t (b) values ('x')",
    "create temp table t on commit drop as select * from messages",
    "create temp table t (like messages including all) on commit drop",
    "set local search_path = pg_temp, public; create table t (a int) on commit drop",
])
def test_tables_that_drop_at_commit_pass(guards: Guards, statement: str) -> None:
    if "search_path" in statement:
        guards.refused(statement.replace("create table", "create temp table").replace(" on commit drop", ""))
        statement = statement.replace("create table", "create temp table")
    guards.passes(statement)


def test_searches_that_stop_early(guards: Guards) -> None:
    """An index of type GIN counts the rows of all tenants for it."""
    statement = "set local gin_fuzzy_search_limit = 10; select count(*) from messages"
    guards.refused(statement, match="gin_fuzzy_search_limit")
    guards.passes(statement, "rollback", role="guard_off")
    guards.passes("set local gin_fuzzy_search_limit = 10; select count(*) from plain")


WRITES = [
    "insert into bag select body from messages",
    "update bag set body = (select min(body) from messages)",
    "with w as (insert into bag values ('x') returning 1) select * from w",
    "merge into bag using messages m on false when not matched then insert values (m.body)",
    "do $$begin insert into bag select body from messages; end$$",
    "copy bag from stdin",
]


@pytest.mark.parametrize("statement", WRITES)
def test_an_older_temporary_table_takes_no_rows(guards: Guards, statement: str) -> None:
    """Made in the same session by somebody unguarded, between two transactions of one tenant."""
    for role in ("guard_off", "guard_app"):
        with guards.connect("postgres") as connection:
            connection.execute(f"set tenancy.guard = {'off' if role == 'guard_off' else 'strict'}")
            connection.execute(f"set role {role}")
            enter(connection, "acme")
            connection.execute("commit; reset role; create temp table bag (body text)")
            connection.execute(f"grant all on bag to public; insert into bag values ('-'); set role {role}")
            enter(connection, "acme")
            if role == "guard_off":
                write(connection, statement)
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="older than this transaction"):
                    write(connection, statement)
            connection.execute("rollback")


def write(connection: psycopg.Connection[Any], statement: str) -> None:
    if not statement.startswith("copy"):
        connection.execute(statement)
        return
    with connection.cursor().copy(statement) as copy:
        copy.write("x\n")


def test_cursor_with_hold(guards: Guards) -> None:
    leak = "declare c cursor with hold for select body from messages"
    error = guards.refused(leak, match="WITH HOLD")
    assert "DISABLE_SERVER_SIDE_CURSORS" in (error.diag.message_hint or "")
    with guards.connect("guard_off", tenant="acme") as connection:
        connection.execute(leak)
        connection.execute("commit")
        assert connection.execute("fetch 1 from c").fetchall() == [("acme message",)]
        enter(connection, "globex")
        assert connection.execute("select count(*) from pg_cursors where is_holdable").fetchone() == (0,)
        connection.execute("rollback")


@pytest.mark.parametrize("query", [
    "select * from message_view", "select * from inlined_messages()", "select (select max(body) from messages)",
])
def test_cursor_with_hold_by_detours(guards: Guards, query: str) -> None:
    guards.is_the_guards_work(f"declare c cursor with hold for {query}", match="WITH HOLD")


@pytest.mark.parametrize("query", ["select list_messages()", "select * from list_messages()", "select count_messages()"])
@pytest.mark.parametrize("end", ["fetch all from c", "commit"])
def test_cursor_with_hold_over_a_function(guards: Guards, query: str, end: str) -> None:
    """The rows are read when the cursor runs, at the latest when COMMIT saves it."""
    guards.is_the_guards_work(f"declare c scroll cursor with hold for {query}", end, match="WITH HOLD")


def test_cursor_with_hold_over_a_copy(guards: Guards) -> None:
    """The temporary table goes at COMMIT, the cursor's rows would stay."""
    copy = "create temp table copied on commit drop as select body from messages"
    guards.is_the_guards_work(copy, "declare c cursor with hold for select * from copied", match="WITH HOLD")


def test_cursors_that_end_with_the_transaction_pass(guards: Guards) -> None:
    assert len(guards.passes("declare c cursor for select * from messages", "fetch all from c")) == 10
    guards.passes("declare c cursor with hold for select * from plain")


def test_a_driver_that_reads_in_parts_passes(guards: Guards) -> None:
    """A named portal, as JDBC with a fetch size makes it: it ends with the transaction."""
    with guards.connect(tenant="acme") as connection:
        with connection.cursor("named") as cursor:
            cursor.itersize = 3
            assert len(list(cursor.execute("select * from messages"))) == 10
        connection.execute("commit")


LOOPS = {
    "commit": "for r in select body from messages loop commit; end loop;",
    "rollback": "for r in select body from messages loop rollback; end loop;",
    "dynamic": "for r in execute 'select body from messages' loop commit; end loop;",
    "view": "for r in select body from message_view loop commit; end loop;",
}


@pytest.mark.parametrize("end", LOOPS.values(), ids=LOOPS.keys())
def test_commit_in_a_loop(guards: Guards, end: str) -> None:
    """A context of the session, since a procedure cannot commit inside BEGIN ... COMMIT."""
    guards.admin("select tenancy.grant_access('guard_off', '*', reason => 'test', session_scope => true),"
                 "tenancy.grant_access('guard_app', '*', reason => 'test', session_scope => true)")
    for role in ("guard_off", "guard_app"):
        with guards.connect(role) as connection:
            connection.execute("select tenancy.enter('acme', 'session')")
            loop = f"do $$declare r record; begin {end} end$$"
            if role == "guard_off":
                connection.execute(loop)
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="in a loop over protected"):
                    connection.execute(loop)
                assert connection.execute("select count(*) from messages").fetchall() == [(10,)]
                connection.execute("do $$declare r record; begin"
                                   " for r in select body from plain loop commit; end loop; end$$")


def test_prepare(guards: Guards) -> None:
    guards.is_the_guards_work("prepare p as select 1", match="PREPARE")
    guards.is_the_guards_work("prepare p as select 1", tenant=None, match="PREPARE")
    guards.refused("do $$begin execute 'prepare p as select 1'; end$$", match="PREPARE")
    with guards.connect(tenant="acme") as connection:
        for _ in range(10):
            assert connection.execute("select count(*) from messages where id > %s", [0], prepare=True).fetchall()
        connection.execute("rollback")


def channel(guards: Guards, tenant: str) -> str:
    return guards.passes("select tenancy.channel('events')", tenant=tenant)[0][0]


def test_channels_of_other_tenants(guards: Guards) -> None:
    acme, globex = channel(guards, "acme"), channel(guards, "globex")
    assert acme != globex and len(acme) == 2 + 32 + 1 + len("events")
    for statement in ("listen {}", "notify {}", "notify {}, 'payload'", "do $$begin execute 'notify {}'; end$$"):
        guards.is_the_guards_work(statement.format(globex), match="channel")
        guards.is_the_guards_work(statement.format(acme), tenant=None, match="channel")
        guards.passes(statement.format(acme))
        guards.passes(statement.format("anything"))
    guards.passes(f"unlisten {globex}")


def test_notify_in_place_of_pg_notify(guards: Guards) -> None:
    guards.is_the_guards_work("select pg_notify('anything', 'x')", match="pg_notify")
    guards.is_the_guards_work("do $$begin perform pg_notify('anything', 'x'); end$$", match="pg_notify")
    acme = channel(guards, "acme")
    with guards.server.connect(dbname="guards") as listener:
        listener.execute(f"listen {acme}")
        guards.passes("select tenancy.notify('events', 'hello')")
        guards.passes("select tenancy.notify('events', 'for others')", tenant="globex")
        guards.passes("select tenancy.notify('events', 'bye')")
        received = [n.payload for n in listener.notifies(timeout=10, stop_after=2)]
    assert received == ["hello", "bye"]


def test_pg_notify_by_an_operator(guards: Guards) -> None:
    guards.admin("create operator public.!!! (leftarg = text, rightarg = text, function = pg_catalog.pg_notify)")
    guards.is_the_guards_work("select 'anything'::text operator(public.!!!) 'x'::text", match="pg_notify")


def test_pg_notify_by_a_function_call_message(guards: Guards) -> None:
    for role, state in (("guard_off", b""), ("guard_app", b"42501")):
        with guards.connect(role) as connection:
            assert fast_path_call(connection, "pg_notify(text,text)", "anything", "x")[0] == state


@pytest.mark.parametrize("name", ["", "x" * 29])
def test_channel_names_have_limits(guards: Guards, name: str) -> None:
    with guards.connect(tenant="acme") as connection, pytest.raises(psycopg.errors.InvalidParameterValue):
        connection.execute("select tenancy.channel(%s)", [name])
    with guards.connect() as connection, pytest.raises(psycopg.Error) as raised:
        connection.execute("select tenancy.channel('x')")
    assert raised.value.sqlstate == "TN001"


STRONG = ["share update exclusive", "share", "share row exclusive", "exclusive", "access exclusive"]


@pytest.mark.parametrize("mode", STRONG)
def test_lock_table(guards: Guards, mode: str) -> None:
    guards.is_the_guards_work(f"lock table messages in {mode} mode", match="lock")
    guards.is_the_guards_work(f"lock table plain, messages in {mode} mode", match="lock")
    guards.is_the_guards_work(f"lock table message_view in {mode} mode", match="lock")
    guards.refused(f"do $$begin execute 'lock messages in {mode} mode'; end$$", match="lock")
    guards.passes(f"lock table plain in {mode} mode")


@pytest.mark.parametrize("mode", ["access share", "row share", "row exclusive"])
def test_weak_table_locks_pass(guards: Guards, mode: str) -> None:
    guards.passes(f"lock table messages in {mode} mode")


def test_session_advisory_locks_end_with_the_tenant(guards: Guards) -> None:
    """Taken between two contexts, as job queues do, they are released before another tenant works."""
    held = "select count(*) from pg_locks where locktype = 'advisory' and pid ="
    for call in ("pg_advisory_lock(42)", "pg_try_advisory_lock_shared(1, 2)"):
        with guards.connect(tenant="acme") as connection:
            connection.execute("commit")
            connection.execute(f"select {call}")
            for tenant, expected in (("acme", 1), ("globex", 0)):
                enter(connection, tenant)
                assert guards.admin(f"{held} {connection.info.backend_pid}") == [(expected,)]
                connection.execute("commit")


def test_large_objects_in_a_read_only_context(guards: Guards) -> None:
    calls = ["lo_create(0)", "lo_creat(-1)", "lo_from_bytea(0, 'x')", "lo_unlink(1)", "lo_put(1, 0, 'x')"]
    guards.passes("select lo_unlink(lo_create(0))", role="guard_off")
    guards.admin("select tenancy.grant_access('guard_off', 'acme', 'read_only', reason => 'test')")
    try:
        for call in calls:
            guards.refused(f"select {call}", role="guard_off", state="25006", match="large objects")
    finally:
        guards.admin("select tenancy.revoke_access('guard_off', 'acme')")


LARGE_OBJECTS = (
    "lo_creat(-1)", "lo_create(0)", "lo_from_bytea(0, 'x')", "lo_import('/dev/null')", "lo_import('/dev/null', 1)",
    "lo_open(1, 262144)", "lo_close(0)", "loread(0, 1)", "lowrite(0, 'x')", "lo_lseek(0, 0, 0)", "lo_lseek64(0, 0, 0)",
    "lo_tell(0)", "lo_tell64(0)", "lo_truncate(0, 0)", "lo_truncate64(0, 0)", "lo_get(1)", "lo_get(1, 0, 1)",
    "lo_put(1, 0, 'x')", "lo_export(1, '/tmp/x')", "lo_unlink(1)",
)


@pytest.mark.parametrize("call", LARGE_OBJECTS)
def test_large_objects(guards: Guards, call: str) -> None:
    files = "execute on function lo_import(text), lo_import(text, oid), lo_export(oid, text)"
    guards.admin(f"grant {files} to guard_app")
    try:
        guards.refused(f"select {call}", match="permission denied for large objects")
    finally:
        guards.admin(f"revoke {files} from guard_app")


def test_large_objects_by_the_fast_path(guards: Guards) -> None:
    """As libpq calls them."""
    with guards.connect(tenant="acme") as connection:
        assert fast_path_call(connection, "pg_catalog.lo_creat(int)", "-1")[0] == b"42501"


def test_large_objects_pass_before_any_tenant(guards: Guards) -> None:
    guards.passes("select lo_unlink(lo_create(0))", tenant=None)
    with guards.connect(tenant="acme") as connection:
        connection.execute("commit")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="large objects"):
            connection.execute("select lo_create(0)")


@pytest.mark.parametrize("function", [
    "activity", "activity_start", "xact_start", "wait_event_type", "wait_event", "client_addr", "client_port",
])
def test_what_other_sessions_do(guards: Guards, function: str) -> None:
    query = f"select pg_stat_get_backend_{function}(id) from pg_stat_get_backend_idset() id"
    guards.is_the_guards_work(query, match="what other sessions do")
    guards.passes(query, tenant=None)


@pytest.mark.parametrize("view", [
    "pg_stat_activity", "pg_stat_ssl", "pg_stat_gssapi", "pg_stat_replication", "pg_stat_progress_copy",
    "pg_stat_progress_create_index",
])
def test_views_of_other_sessions(guards: Guards, view: str) -> None:
    guards.is_the_guards_work(f"select count(*) from {view}", match="what other sessions do")
    guards.passes(f"select count(*) from {view}", tenant=None)
