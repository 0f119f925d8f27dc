"""What the planner and the executor tell of rows that a policy hides."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from .sides import ACME, GLOBEX, IDS, Side, collect, foreign
from .trial import Attack, Trial, in_context, last

THEIRS = f"select * from app.contact where tenant_id = '{IDS[GLOBEX]}'"
NO_INDEX = "set local enable_indexscan = off; set local enable_bitmapscan = off; set local enable_indexonlyscan = off;"


def shown(pattern: str) -> Callable[[Any], bool]:
    """Whether the rows of an answer show it."""
    return lambda rows: any(re.search(pattern, str(row)) for row in rows)


DYNAMIC = """
do $$ declare line text; begin
    for line in execute 'explain {0}' loop raise notice '%', line; end loop;
end $$"""
EXPLAINS = {
    "explain": "explain {0}",
    "json": "explain (format json, costs on) {0}",
    "as a table": "explain create table scratch.x as {0}",
    "of a cursor": "explain declare c cursor for {0}",
    "of a sub-select": "explain select (select count(*) from ({0}) as t)",
    "of an update": f"explain update app.contact set salary = 1 where tenant_id = '{IDS[GLOBEX]}'",
    "of an insert": "explain insert into app.outbox select email from ({0}) as t",
    "under a union": "explain select email from ({0}) as t union all select 'x'",
}


@pytest.mark.parametrize("how", EXPLAINS)
def test_p27_how_many_rows_another_has(leak: Trial, how: str) -> None:
    leak.stops(in_context(EXPLAINS[how].format(THEIRS), learn=shown(r"rows=700|Plan Rows. ?: 700")), "42501", "EXPLAIN")


def told_by(statements: str, pattern: str, **session: Any) -> Attack:
    """Whether notices of the statements show it."""

    def run(side: Side) -> bool:
        with side.session(**session) as connection:
            told = collect(connection)
            connection.execute(statements)
            return shown(pattern)(told)

    return run


def test_p27_in_a_function(leak: Trial) -> None:
    leak.stops(told_by(DYNAMIC.format(THEIRS.replace("'", "''")), "rows=700"), "42501", "EXPLAIN")


def test_p27_of_a_drivers_statement(leak: Trial) -> None:
    def explains(connection: psycopg.Connection[Any]) -> bool:
        connection.pgconn.prepare(b"drivers", THEIRS.encode())
        return shown("rows=700")(connection.execute("explain execute drivers"))

    leak.stops(in_context(explains), "42501", "EXPLAIN")


@pytest.mark.parametrize("options", ["-c tenancy.guard=off", "-c tenancy.guard=standard", "-c tenancy.test_mode=on"])
def test_p27_whatever_the_connection_asks_for(leak: Trial, options: str) -> None:
    def explains(side: Side) -> bool:
        with side.connect(options=options) as connection:
            connection.execute("begin")
            side.enter(connection, ACME)
            return shown("rows=700")(connection.execute(f"explain {THEIRS}"))

    leak.stops(explains, "42501", "EXPLAIN")


def test_p27_how_their_values_are_spread(leak: Trial) -> None:
    """The estimate for salaries above a bound drops to one where the bound is above globex's highest."""

    def steps(connection: psycopg.Connection[Any]) -> bool:
        plans = [last(connection, f"explain select * from app.contact where salary > {n}")[0][0] for n in (4000, 6000)]
        return "rows=10 " in plans[0] and "rows=1 " in plans[1]

    leak.stops(in_context(steps), "42501", "EXPLAIN")


@pytest.mark.parametrize("options", ["analyze", "(analyze, costs off, timing off)", "(analyze, buffers, format xml)"])
def test_p28_rows_removed(leak: Trial, options: str) -> None:
    removed = r"Rows Removed by Filter: 700|<Rows-Removed-by-Filter>700<"
    leak.stops(in_context(f"{NO_INDEX} explain {options} select * from app.ticket", learn=shown(removed)), "42501", "EXPLAIN")


PEEK = """
create function scratch.peek({0}, {0}) returns boolean language plpgsql cost 0.0001 {1} as
    $$ begin raise notice 'saw %', $1; return true; end $$;
"""


def test_p29_a_leakproof_function(leak: Trial) -> None:
    def peeks(connection: psycopg.Connection[Any]) -> Any:
        told = collect(connection)
        connection.execute(f"{NO_INDEX} select * from app.ticket where scratch.peek(body, body)")
        return foreign(told)

    leak.found(PEEK.format("text", "leakproof"), peeks)


PREPARED = {
    "a table": "select body from app.note",
    "a view": "select body from app.noted",
    "a function": "select * from app.notes()",
    "a sub-select": "select (select string_agg(body, ',') from app.note)",
    "a CTE": "with n as materialized (select body from app.note) select body from n",
    "a join": "select n.body from app.note as n left join app.note as m on m.tenant_id <> n.tenant_id",
    "a union": "select body from app.note union all select body from app.note",
    "grouped": "select tenant_id, string_agg(body, ',') from app.note group by 1 order by 1",
    "a lateral": "select x.body from generate_series(1, 2) as i, lateral (select body || i as body from app.note) as x",
    "exists": "select 'globex' where exists (select from app.note where body like '%globex%')",
    "an update": "update app.note set body = body returning body",
    "a delete": "delete from app.note returning body",
    "locked rows": "select body from app.note for update",
}
NOTES = f"""
create table app.note (tenant_id uuid not null, body text) partition by list (tenant_id);
create table app.note_1 partition of app.note for values in ('{IDS[GLOBEX]}');
create table app.note_2 partition of app.note for values in ('{IDS[ACME]}');
insert into app.note values ('{IDS[GLOBEX]}', 'of globex'), ('{IDS[ACME]}', 'of acme');
create view app.noted with (security_invoker) as select * from app.note;
create function app.notes() returns setof text language sql stable as $$ select body from app.note $$;
grant all on app.note, app.noted to attack_app;
"""
IMMUTABLE = """
create function app.present() returns uuid language sql immutable as $$ select current_setting('app.tenant', true)::uuid $$;
create policy t on app.note using (tenant_id = app.present());
alter table app.note enable row level security, force row level security;
"""


@pytest.fixture(scope="module")
def noted(both: tuple[Side, Side]) -> Iterator[None]:
    for side in both:
        side.admin(NOTES + (IMMUTABLE if side.plain else "select tenancy.protect('app.note')"))
    yield
    for side in both:
        side.admin("drop view app.noted; drop function app.notes(); drop table app.note; drop function if exists app.present()")


def executed(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """The rows of the prepared statement. psycopg would forget its own after a rollback."""
    result = connection.pgconn.exec_prepared(b"shape", [])
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        raise psycopg.errors.error_from_result(result)
    return [(result.get_value(row, result.nfields - 1),) for row in range(result.ntuples)]


@pytest.mark.parametrize("shape", PREPARED)
def test_p32_an_immutable_context(leak: Trial, noted: None, shape: str) -> None:
    """A statement is prepared while globex works, and executed while acme does."""

    def keeps(side: Side) -> list[Any]:
        with side.connect(options="-c plan_cache_mode=force_generic_plan") as connection:
            connection.pgconn.prepare(b"shape", PREPARED[shape].encode())
            for tenant in (GLOBEX, GLOBEX, ACME):
                with connection.transaction(force_rollback=True):
                    side.enter(connection, tenant)
                    rows = executed(connection)
                    assert bool(foreign(rows)) or tenant == ACME
        return foreign(rows)

    leak.stops(keeps)


KEPT = {
    "plainly": "select body from app.ticket",
    "in a CTE": "with t as materialized (select body from app.ticket) select * from t",
    "in a sub-select": "select body from (select body from app.ticket offset 0) as t",
    "in a function": "select app.bodies()",
}
BODIES = "create function app.bodies() returns setof text language sql stable as $$ select body from app.ticket $$;"


@pytest.mark.parametrize("how", KEPT)
def test_p33_a_plan_of_another_role(leak: Trial, how: str) -> None:
    """CVE-2016-2193, CVE-2023-2455 and CVE-2024-10976."""

    def keeps_plan(side: Side) -> list[Any]:
        with side.connect("postgres") as connection, connection.transaction(force_rollback=True):
            connection.execute(BODIES)
            for _ in range(2):
                assert len(foreign(connection.execute(KEPT[how], prepare=True))) == 700
            connection.execute("set local role attack_app")
            side.enter(connection, ACME)
            return foreign(connection.execute(KEPT[how], prepare=True))

    if keeps_plan(leak.plain):
        leak.leaks(keeps_plan)
    else:
        leak.cannot_leak("this server has the corrections of these CVEs")
    leak.holds(keeps_plan)


def test_p30_totals(leak: Trial) -> None:
    """How many rows all tenants have, from the catalog and from the size of a table."""
    sizes = "pg_relation_size('app.ticket') / current_setting('block_size')::int > 3"
    counts = f"select 'globex has more' from pg_class where oid = 'app.ticket'::regclass and reltuples = 710 and {sizes}"
    leak.found("select", counts, standing=True)


def test_p54_debug_print_plan(leak: Trial) -> None:
    printing = f"set local client_min_messages = log; set local debug_print_plan = on; {THEIRS}"
    leak.stops(told_by(printing, ":plan_rows 700"), "42501", "printed")


LOADED = """
load 'auto_explain';
set local auto_explain.log_min_duration = 0;
set local auto_explain.log_analyze = on;
set local auto_explain.log_nested_statements = on;
"""


@pytest.mark.parametrize("statement", ["select * from app.ticket", "do $$ begin perform * from app.ticket; end $$"])
def test_p54_auto_explain(leak: Trial, statement: str) -> None:
    leak.stops(told_by(f"set local client_min_messages = log; {NO_INDEX} {statement}", "Rows Removed by Filter: 700", setup=LOADED))


COUNTERS = {
    "rows of a table": "select pg_stat_get_xact_tuples_returned('app.ticket'::regclass)",
    "the view": "select seq_tup_read from pg_stat_xact_user_tables where relname = 'ticket'",
    "all tables": "select seq_tup_read from pg_stat_xact_all_tables where relname = 'ticket'",
}


@pytest.mark.parametrize("how", COUNTERS)
def test_p55_counters_of_the_transaction(leak: Trial, how: str) -> None:
    reads = f"{NO_INDEX} select count(*) from app.ticket; {COUNTERS[how]}"
    leak.stops(in_context(reads, learn=lambda rows: rows[0][0] == 710), "42501", "statistics")


def test_p55_counters_of_an_index(leak: Trial) -> None:
    """Whether another tenant has a value: one entry read, or none."""

    def looks(connection: psycopg.Connection[Any]) -> list[int]:
        counts = []
        for email in ("nobody@nowhere.example", "c1@acme.example"):
            connection.execute(f"set local enable_seqscan = off; select count(*) from app.contact where email = '{email}'")
            counts += [n for (n,) in last(connection, "select pg_stat_get_xact_tuples_returned('app.contact_email_key'::regclass)")]
        return counts if counts[0] < counts[1] else []

    leak.stops(in_context(looks, tenant=GLOBEX), "42501", "statistics")


def reading(counter: str) -> Attack:
    """Whether a counter tells globex which of two addresses acme has, and a scan's rows."""

    def run(side: Side) -> Any:
        grown = {}
        with side.connect() as connection:
            connection.execute("set enable_seqscan = off; set enable_bitmapscan = off")
            for email in ("c1@acme.example", "nobody@nowhere.example") * 2:  # the first time fills caches
                before = counted(connection, counter)
                with connection.transaction():
                    side.enter(connection, GLOBEX)
                    connection.execute(f"select count(*) from app.contact where email = '{email}'")
                grown[email] = counted(connection, counter) - before
        return grown if grown["c1@acme.example"] > grown["nobody@nowhere.example"] else None

    return run


def counted(connection: psycopg.Connection[Any], counter: str) -> int:
    connection.execute("select pg_stat_force_next_flush()")
    connection.execute("select pg_stat_clear_snapshot()")
    [(count,)] = connection.execute(counter).fetchall()
    return int(count or 0)


OF_THE_DATABASE = "(select oid from pg_database where datname = current_database())"


@pytest.mark.parametrize("counter", [
    "select tup_fetched from pg_stat_database where datname = current_database()",
    f"select pg_stat_get_db_tuples_fetched({OF_THE_DATABASE})",
    f"select pg_stat_get_db_blocks_hit({OF_THE_DATABASE})",
    "select sum(shared_blks_hit) from pg_stat_statements where query like 'select count(*) from app.contact where email%%'",
])  # fmt: skip
def test_p55_counters_of_the_database(leak: Trial, counter: str) -> None:
    """Exact where nobody else works in the database, and so for whoever tries often enough."""
    leak.stops(reading(counter), "42501", "statistics")


# Some teams write a view with the condition in place of a policy; then the planner is free to begin with the
# statement's own conditions. So it would be with policies whose operators are trusted.
BY_VIEW = """
create function app.tenant() returns uuid language plpgsql stable cost 500 as
    $$ begin return (select id from app.tenant where active and id = current_setting('app.tenant', true)::uuid); end $$;
create view app.own as select * from app.ticket where tenant_id = app.tenant();
grant select on app.own to attack_app;
"""
LONG = f"insert into app.ticket (tenant_id, body) values ('{IDS[GLOBEX]}', repeat('globex', 500));"


def through_view(side: Side) -> str:
    return f"{BY_VIEW if side.plain else ''} {LONG} {NO_INDEX}"


RAISING = {
    "an escape at the end": "body like '%%@{0}\\'",
    "not like": "body not like '%%@{0}\\'",
    "case-insensitive": "body ilike '%%@{0}\\'",
    "a column as the pattern": "'of c1@{0}.example, and more' like body || '\\'",
}


@pytest.mark.parametrize("how", RAISING)
def test_p56_an_error_that_depends_on_the_row(leak: Trial, how: str) -> None:
    def raises(side: Side) -> Any:
        answers = [raised(side, RAISING[how].format(word)) for word in (GLOBEX, "nowhere")]
        return answers if answers[0] != answers[1] else None

    leak.stops(raises)


def raised(side: Side, condition: str, *parameters: Any) -> str | None:
    with side.session(setup=through_view) as connection:
        try:
            connection.execute(f"select * from app.{'own' if side.plain else 'ticket'} where {condition}", parameters or None)
        except psycopg.Error as error:
            return error.sqlstate
    return None


def test_p56_a_notice_that_depends_on_the_row(leak: Trial) -> None:
    def notices(side: Side) -> list[str]:
        with side.session(setup=through_view) as connection:
            told = collect(connection)
            connection.execute(f"select * from app.{'own' if side.plain else 'ticket'} where to_tsvector('simple', body) @@ 'x'::tsquery")
            return told

    leak.stops(notices)


OPERATOR = PEEK.format("text", "") + """
create operator scratch.=== (leftarg = text, rightarg = text, function = scratch.peek, restrict = eqsel);
create table app.mood (tenant_id uuid not null, mood text);
insert into app.mood select tenant_id, case when body like '%globex%' then 'globex is sad' else 'acme is glad' end from app.ticket;
analyze app.mood;
grant select on app.mood to attack_app;
"""


def test_p57_statistics_for_a_users_operator(leak: Trial) -> None:
    """The planner tries an operator on the most common values, to estimate."""

    def setup(side: Side) -> str:
        by_hand = BY_VIEW.replace("app.ticket", "app.mood")
        return OPERATOR + (by_hand if side.plain else "select tenancy.protect('app.mood')")

    def plans(side: Side) -> list[str]:
        with side.session(setup=setup) as connection:
            told = collect(connection)
            connection.execute(f"select * from app.{'own' if side.plain else 'mood'} where mood operator(scratch.===) 'x'")
            return foreign(told)

    leak.stops(plans)
