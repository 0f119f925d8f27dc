"""What can be seen of plans and counters, which are made of the rows of all tenants."""

import re
from collections.abc import Callable
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


def test_p30_totals(leak: Trial) -> None:
    """How many rows all tenants have, from the catalog and from the size of a table."""
    sizes = "pg_relation_size('app.ticket') / current_setting('block_size')::int > 3"
    counts = f"select 'globex has more' from pg_class where oid = 'app.ticket'::regclass and reltuples = 710 and {sizes}"
    leak.found("select", counts, standing=True)


def test_p54_debug_print_plan(leak: Trial) -> None:
    printing = f"set local client_min_messages = log; set local debug_print_plan = on; {THEIRS}"
    leak.stops(told_by(printing, "plan_rows 700"), "42501", "printed")


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
