"""The entry rule: which statements may set the context, and which may not."""

import psycopg
import pytest
from context_world import World, bodies, enter, refused, world  # noqa: F401
from psycopg import ClientCursor, pq
from wire import BEGIN, SYNC, bind, fast_path_call, parse, read_until_ready, run, socket_of

# Every one of these tries to become tenant b; as one query string of its own, so that nothing but
# the rule stands in the way: the role may enter b.
ESCAPES = {
    "set_config": "select set_config('tenancy.context', 'b', true)",
    "set_config for the session": "select set_config('tenancy.context', 'b', false)",
    "set_config inside a query": "select * from app.note where set_config('tenancy.context', 'b', true) = 'b'",
    "set_config in a sub-select": "select (select set_config('tenancy.context', 'b', true)) from app.note",
    "set_config in DO": "do $$ begin perform set_config('tenancy.context', 'b', true); end $$",
    "pg_settings": "update pg_settings set setting = 'b' where name = 'tenancy.context'",
    "SET in DO": "do $$ begin set local tenancy.context = 'b'; end $$",
    "SET by EXECUTE": "do $$ begin execute 'set local tenancy.context = ''b'''; end $$",
    "SET from current": "set local tenancy.context from current",
    "enter in DO": "do $$ begin perform tenancy.enter('b'); end $$",
    "enter by EXECUTE": "do $$ begin execute $q$select tenancy.enter('b')$q$; end $$",
    "enter assigned": "do $$ declare x uuid; begin x := tenancy.enter('b'); end $$",
    "enter through a cursor in DO": "do $$ declare c cursor for select tenancy.enter('b'); x uuid;"
    " begin open c; fetch c into x; end $$",
    "enter in a procedure": "call app.proc()",
    "enter in a PL/pgSQL function": "select app.plpgsql_enter()",
    "enter in an SQL function": "select app.sql_enter()",
    "enter in an SQL function named enter": "select app.enter('b')",
    "enter in an immutable function": "select 1 where app.immutable_enter() = 1",
    "a function with a SET clause": "select app.set_clause()",
    "a view": "select * from app.enter_view",
    "a view's column": "select enter from app.enter_view",
    "a domain": "select 'x'::app.entering",
    "an operator": "select 1 operator(app.<->) 2",
    "a default": "insert into app.plain default values",
    "a deferred trigger": "insert into app.deferred values (1)",
    "a rule": "insert into app.ruled values (1)",
    "an expression as argument": "select tenancy.enter('' || 'b')",
    "a sub-select as argument": "select tenancy.enter((select 'b'))",
    "a function as argument": "select tenancy.enter(lower('B'))",
    "a CTE": "with x as (select 'b') select tenancy.enter('b')",
    "a table": "select tenancy.enter('b') from generate_series(1, 1)",
    "FROM": "select * from tenancy.enter('b')",
    "UNION": "select tenancy.enter('b') union all select null",
    "two columns": "select tenancy.enter('b'), 1",
    "two calls": "select tenancy.enter('b'), tenancy.enter('b')",
    "WHERE": "select tenancy.enter('b') where true",
    "DISTINCT": "select distinct tenancy.enter('b')",
    "LIMIT": "select tenancy.enter('b') limit 1",
    "nested": "select (select tenancy.enter('b'))",
    "cast": "select tenancy.enter('b')::text",
    "VALUES": "values (tenancy.enter('b'))",
    "EXPLAIN ANALYZE": "explain analyze select tenancy.enter('b')",
    "CREATE TABLE AS": "create temporary table x as select tenancy.enter('b')",
    "SELECT INTO": "select tenancy.enter('b') into temporary x",
    "COPY": "copy (select tenancy.enter('b')) to stdout",
    "a prepared statement": "prepare e as select tenancy.enter('b'); execute e",
    "a prepared statement with a parameter": "prepare e(text) as select tenancy.enter($1); execute e('b')",
    "a cursor": "begin; declare c cursor for select tenancy.enter('b'); fetch c",
    "after a statement": "select 1; select tenancy.enter('b')",
    "after a statement, SET": "select 1; set local tenancy.context = 'b'",
    "after COMMIT": "begin; commit; begin; select tenancy.enter('b')",
    "after COMMIT, SET": "begin; commit; begin; set local tenancy.context = 'b'",
    "after ROLLBACK AND CHAIN": "begin; rollback and chain; select tenancy.enter('b')",
    "after SET": "set work_mem = '1MB'; select tenancy.enter('b')",
    "after a savepoint": "begin; savepoint s; select tenancy.enter('b')",
}

# Made by a superuser: what an application's owner might have left lying about, or have injected.
TRAPS = """
create table app.plain (x uuid);
grant select, insert on app.plain to app_any;
create function app.plpgsql_enter() returns uuid language plpgsql as $$ begin return tenancy.enter('b'); end $$;
create function app.sql_enter() returns uuid language sql as $$ select tenancy.enter('b') $$;
create function app.enter(text) returns uuid language sql as $$ select tenancy.enter($1) $$;
create function app.immutable_enter() returns int language plpgsql immutable
    as $$ begin perform tenancy.enter('b'); return 1; end $$;
create function app.set_clause_later() returns text language plpgsql
    as $$ begin set local tenancy.context = 'b'; return tenancy.current_tenant(); end $$;
create function app.set_clause() returns text language sql as $$ select app.set_clause_later() $$;
create procedure app.proc() language plpgsql as $$ begin commit; perform tenancy.enter('b'); end $$;
create view app.enter_view with (security_barrier = false) as select tenancy.enter('b') as enter;
create function app.domain_check(text) returns boolean language plpgsql
    as $$ begin perform tenancy.enter('b'); return true; end $$;
create domain app.entering as text check (app.domain_check(value));
create function app.operator_enter(int, int) returns uuid language sql as $$ select tenancy.enter('b') $$;
create operator app.<-> (leftarg = int, rightarg = int, function = app.operator_enter);
alter table app.plain alter column x set default tenancy.enter('b');
create table app.deferred (x int);
create function app.deferred_enter() returns trigger language plpgsql
    as $$ begin perform tenancy.enter('b'); return null; end $$;
create constraint trigger t after insert on app.deferred deferrable initially deferred
    for each row execute function app.deferred_enter();
create table app.ruled (x int);
create rule r as on insert to app.ruled do instead select tenancy.enter('b');
grant select, insert on app.deferred, app.ruled, app.enter_view to app_any;
"""


@pytest.fixture(scope="module")
def entry(world: World):  # noqa: F811
    world.tenant(slug="a", external_id="7")
    world.tenant(slug="b")
    world.admin("select tenancy.add_alias('a', 'host', 'a.example.com')")
    world.server.psql(TRAPS, dbname=world.database)
    # Guards refuse some of the escapes earlier: what is shown here is that the rule refuses them alone.
    world.admin(f"alter database {world.database} set tenancy.guard = off")
    return world


def simple(connection: psycopg.Connection, text: str) -> list[pq.PGresult]:
    """Sends one query string by the simple protocol; raises its error."""
    pgconn = connection.pgconn
    pgconn.send_query(text.encode())
    results = []
    while (result := pgconn.get_result()) is not None:
        if result.status in (pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_IN):
            while pgconn.get_copy_data(0)[0] > 0:
                pass
        results.append(result)
    for result in results:
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)
    return results


def extended(connection: psycopg.Connection, text: str) -> None:
    """Sends one statement by the extended protocol; raises its error."""
    result = connection.pgconn.exec_params(text.encode(), [])
    if result.status == pq.ExecStatus.COPY_OUT:
        while connection.pgconn.get_copy_data(0)[0] > 0:
            pass
        while (last := connection.pgconn.get_result()) is not None:
            result = last
    if result.status == pq.ExecStatus.FATAL_ERROR:
        raise psycopg.errors.error_from_result(result)


# pg_settings does not show the row, so nothing is updated; the others raise before they get as far.
NO_ERROR = {"pg_settings"}
OTHER_ERRORS = {
    "set_config inside a query": "TN001",
    "set_config in a sub-select": "TN001",
}


# Several statements take the simple protocol.
WAYS = [(simple, how) for how in ESCAPES] + [
    (extended, how) for how, text in ESCAPES.items() if ";" not in text.split("$$")[0]
]


@pytest.mark.parametrize(("send", "how"), WAYS)
def test_escape_without_context(entry: World, send, how: str):
    with entry.connect() as connection:
        if how in NO_ERROR:
            send(connection, ESCAPES[how])
        else:
            with refused(OTHER_ERRORS.get(how, "TN009")):
                send(connection, ESCAPES[how])
        if connection.info.transaction_status != pq.TransactionStatus.IDLE:
            connection.execute("rollback")
        assert connection.execute("select tenancy.current_tenant()").fetchone() == (None,)
        with refused("TN001"):
            bodies(connection)


@pytest.mark.parametrize("how", ESCAPES)
def test_escape_in_a_context(entry: World, how: str):
    """The same, out of a transaction that works for tenant a."""
    with entry.connect() as connection:
        connection.execute("begin")
        enter(connection, "a")
        if how in NO_ERROR:
            simple(connection, ESCAPES[how])
            assert bodies(connection) == {"a"}
        else:
            with pytest.raises(psycopg.Error) as caught:
                simple(connection, ESCAPES[how])
                if connection.info.transaction_status == pq.TransactionStatus.INTRANS:
                    simple(connection, "commit")
            # 2D000: the procedure's COMMIT in a transaction block; TN002: as b is refused already.
            assert caught.value.sqlstate in ("TN009", "TN002", "2D000"), caught.value
        if connection.info.transaction_status != pq.TransactionStatus.IDLE:
            connection.execute("rollback")
        assert connection.execute("select tenancy.current_tenant()").fetchone() == (None,)


@pytest.mark.parametrize(
    "statement",
    [
        "alter role app_any set tenancy.context = 'b'",
        "alter database {database} set tenancy.context = 'b'",
        "alter system set tenancy.context = 'b'",
        "create function app.stored() returns int language sql set tenancy.context = 'b' as 'select 1'",
        "alter function app.sql_enter() set tenancy.context = 'b'",
    ],
)
def test_the_context_is_never_stored_not_even_by_a_superuser(entry: World, statement: str):
    with entry.connect("postgres") as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement.format(database=entry.database))
        assert caught.value.sqlstate in ("TN009", "55P02")


def test_the_context_is_not_taken_from_the_connection(entry: World):
    with pytest.raises(psycopg.OperationalError, match="cannot be stored or given at connection"):
        entry.connect(options="-c tenancy.context=b")
    with pytest.raises(psycopg.OperationalError, match="set by the server alone"):
        entry.connect(options="-c tenancy.worker_context=b")


@pytest.mark.parametrize(
    "text",
    [
        "select tenancy.enter('a')",
        "SELECT tenancy.enter('a') AS tenant;",
        "/* by hand */ select tenancy.enter(tenant => 'a', scope => 'transaction')",
        "select tenancy.enter('a'::text)",
    ],
)
def test_enter_as_a_statement(entry: World, text: str):
    with entry.connect() as connection, connection.transaction():
        simple(connection, text)
        assert bodies(connection) == {"a"}


@pytest.mark.parametrize(
    "text",
    [
        "begin; select tenancy.enter('a'); select distinct body from app.note; commit",
        "start transaction read only; select tenancy.enter('a'); select distinct body from app.note; commit",
        "select tenancy.enter('a'); select distinct body from app.note",
        "begin; set local tenancy.context = 'a'; select distinct body from app.note; commit",
        "set local tenancy.context to 'a'; select distinct body from app.note",
    ],
)
def test_enter_first_in_a_query_string(entry: World, text: str):
    with entry.connect() as connection:
        results = [result for result in simple(connection, text) if result.nfields == 1]
        assert results[-1].get_value(0, 0) == b"a" and results[-1].ntuples == 1


def test_bound_parameters(entry: World):
    with entry.connect() as connection:
        with connection.transaction():
            connection.execute("select tenancy.enter(%s)", ["a"])
            assert bodies(connection) == {"a"}
        for _ in range(8):  # past psycopg's threshold and PostgreSQL's generic plan
            for slug in "ab":
                with connection.transaction():
                    connection.execute("select tenancy.enter(%s)", [slug], prepare=True)
                    assert bodies(connection) == {slug}
        with connection.transaction():
            connection.execute("select tenancy.enter(%s, %s)", ["b", "transaction"])
            assert bodies(connection) == {"b"}


def test_client_side_binding(entry: World):
    with entry.connect(cursor_factory=ClientCursor) as connection, connection.transaction():
        connection.execute("select tenancy.enter(%s)", ["a"])
        assert bodies(connection) == {"a"}


def test_pipeline_without_begin(entry: World):
    with entry.connect() as connection:
        for slug in ("a", "b", "a"):
            with connection.pipeline():
                connection.execute("select tenancy.enter(%s)", [slug])
                cursor = connection.execute("select distinct body from app.note")
            assert cursor.fetchall() == [(slug,)]


def test_no_second_tenant_in_a_pipeline(entry: World):
    with entry.connect() as connection, refused("TN002"), connection.pipeline():
        connection.execute("select tenancy.enter(%s)", ["a"])
        connection.execute("select tenancy.enter(%s)", ["b"])


@pytest.mark.parametrize("text", ["set local tenancy.context = 'a'", "select tenancy.enter('a')"])
def test_alone_it_lasts_for_its_own_transaction(entry: World, text: str):
    with entry.connect() as connection:
        if text.startswith("set"):
            with refused("25P01"):
                simple(connection, text)
        else:
            simple(connection, text)
        assert connection.execute("select tenancy.current_tenant()").fetchone() == (None,)
        with refused("TN001"):
            bodies(connection)


@pytest.mark.parametrize("function", ["app.plpgsql_enter()", "app.sql_enter()", "app.cursor_enter()"])
def test_fast_path_call_of_a_function_that_enters(entry: World, function: str):
    entry.admin(
        "create or replace function app.cursor_enter() returns uuid language plpgsql as"
        " $$ declare c cursor for select tenancy.enter('b'); x uuid;"
        " begin open c; fetch c into x; return x; end $$"
    )
    with entry.connect() as connection:
        assert fast_path_call(connection, function)[0] == b"TN009"


def test_fast_path_call(entry: World):
    with entry.connect() as connection:
        assert fast_path_call(connection, "tenancy.enter(text,text)", "b", "transaction")[0] == b"TN009"
        assert fast_path_call(connection, "set_config(text,text,boolean)", "tenancy.context", "b", "f")[0] in (
            b"TN009",
            b"22P03",
        )
        connection.execute("begin")
        enter(connection, "a")
        assert fast_path_call(connection, "tenancy.enter(text,text)", "b", "transaction")[0] == b"TN009"


@pytest.mark.parametrize(
    ("order", "state"),
    [
        ((b"one", b"two"), b"TN002"),
        ((b"two", b"one"), b"TN002"),
        ((b"two", b"two"), b""),
        ((b"one",), b"TN009"),  # only the one bound last counts as sent first
    ],
)
def test_two_portals_in_any_order(entry: World, order: tuple[bytes, ...], state: bytes):
    """Bound before either runs; whichever runs first decides, and the other one is refused."""
    script = BEGIN + parse("select tenancy.enter($1)", b"s")
    script += bind(b"one", b"a", statement=b"s") + bind(b"two", b"b", statement=b"s")
    script += b"".join(run(portal) for portal in order) + SYNC
    with entry.connect() as connection, socket_of(connection) as raw:
        raw.sendall(script)
        code, _ = read_until_ready(raw)
        assert code in ({state, b"TN009"} if state else {b""})
        raw.sendall(parse("select distinct body from app.note") + bind(b"") + run(b"") + SYNC)
        code, result = read_until_ready(raw)
        if state:
            assert code == b"25P02"
        else:
            assert result.endswith(b"b" if order[0] == b"two" else b"a")


def test_a_portal_bound_before_the_context(entry: World):
    """A query bound before enter sees the tenant of the context in which it runs."""
    script = BEGIN
    script += parse("select distinct body from app.note", b"q") + bind(b"q", statement=b"q")
    script += parse("select tenancy.enter($1)") + bind(b"", b"b") + run(b"") + run(b"q") + SYNC
    with entry.connect() as connection, socket_of(connection) as raw:
        raw.sendall(script)
        code, result = read_until_ready(raw)
        assert code == b"" and result.endswith(b"b")


def test_a_cursor_run_by_the_protocol(entry: World):
    """DECLARE makes a portal that Execute messages can run, with no FETCH around it."""
    with entry.connect() as connection, socket_of(connection) as raw:
        script = BEGIN
        script += parse("declare c cursor for select tenancy.enter('b')") + bind(b"") + run(b"")
        raw.sendall(script + run(b"c") + SYNC)
        assert read_until_ready(raw)[0] == b"TN009"


def test_a_function_of_the_same_name_elsewhere(entry: World):
    """SELECT enter('b') by search_path, where it is inlined to a call of tenancy.enter."""
    with entry.connect() as connection:
        connection.execute("set search_path = app, tenancy")
        with refused("TN009"):
            connection.execute("select enter('b')")
        with refused("TN009"):
            connection.execute("select app.enter(%s)", ["b"])


def test_nobody_shadows_the_schema(entry: World):
    with entry.connect("table_owner") as connection:
        with refused("42P06"):
            connection.execute("create schema tenancy")
        for statement in (
            "create function tenancy.mine() returns int language sql as 'select 1'",
            "create or replace function tenancy.enter(t text, scope text default 'x') returns uuid"
            " language sql as 'select null::uuid'",
            "create function tenancy.current_tenant_id(int) returns uuid language sql as 'select null::uuid'",
            "alter schema tenancy rename to other",
        ):
            with refused("42501"):
                connection.execute(statement)


def test_names_of_a_tenant(entry: World):
    with entry.connect() as connection:
        row = connection.execute("select tenancy.enter('a')").fetchone()
        assert row is not None
        names = ["a", str(row[0]), str(row[0]).upper(), "external:7", "host:a.example.com", "host:A.Example.COM."]
        for name in names:
            with connection.transaction():
                enter(connection, name)
                assert bodies(connection) == {"a"}


@pytest.mark.parametrize("name", ["nobody", "external:8", "host:b.example.com", "tier:a"])
@pytest.mark.parametrize("user", ["app_any", "app_none"])
def test_unknown_and_forbidden_read_alike(entry: World, name: str, user: str):
    with entry.connect(user) as connection, refused("42501") as caught:
        enter(connection, name)
    assert caught.value.diag.message_primary == f'permission denied for tenant "{name}"'


def test_a_tenant_without_grant_reads_like_an_unknown_one(entry: World):
    errors = []
    for name in ("a", "x"):
        with entry.connect("app_none") as connection, refused("42501") as caught:
            enter(connection, name)
        diag = caught.value.diag
        errors.append((diag.message_primary.replace(f'"{name}"', ""), diag.message_hint, diag.message_detail))
    assert errors[0] == errors[1]


def test_operators_are_told_that_a_tenant_is_unknown(entry: World):
    with entry.connect("postgres") as connection, refused("TN004"):
        enter(connection, "nobody")


@pytest.mark.parametrize("name", ["", " a", "a ", "A", "a.b", "a.b.c.d", "x" * 40, "a\nb", ":x", "host:"])
def test_malformed_names(entry: World, name: str):
    with entry.connect() as connection, pytest.raises(psycopg.Error) as caught:
        enter(connection, name)
    assert caught.value.sqlstate in ("TN011", "42501")
    assert caught.value.diag.message_hint


def test_null_and_unknown_scope(entry: World):
    with entry.connect() as connection:
        with refused("22004"):
            connection.execute("select tenancy.enter(null)")
        with refused("22023"):
            connection.execute("select tenancy.enter('a', 'always')")
