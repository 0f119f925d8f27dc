"""A parameter stands for the tenant in plans, whoever runs them; plans that are shown or parallel hold the call."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Server

from .planned import Planned

SCHEMA = """
do $$ begin if to_regrole('keyed_app') is null then create role keyed_app login in role pg_read_all_stats; alter role keyed_app set track_functions = 'all'; end if; end $$;
grant create on schema public to keyed_app;
select tenancy.provision('one', external_id => '1'), tenancy.provision('two', external_id => '2');
select tenancy.grant_access('keyed_app', '*', reason => 'tests');
create table by_uuid (tenant uuid, id int, body text) partition by list (tenant);
do $$ begin
    execute format('create table by_uuid_1 partition of by_uuid for values in (%L)', tenancy.tenant_id('one'));
    execute format('create table by_uuid_2 partition of by_uuid for values in (%L)', tenancy.tenant_id('two'));
end $$;
create table by_hash (tenant uuid, id int, body text) partition by hash (tenant);
create table by_hash_1 partition of by_hash for values with (modulus 2, remainder 0);
create table by_hash_2 partition of by_hash for values with (modulus 2, remainder 1);
create table by_name (tenant varchar, id int, body text) partition by list (tenant);
create table by_name_1 partition of by_name for values in ('1');
create table by_name_2 partition of by_name for values in ('2');
create table by_big (tenant bigint, id int, body text);
create table by_int (tenant int, id int, body text);
insert into by_uuid select t.id, g, t.slug from tenancy.tenant t, generate_series(1, 100) g;
insert into by_hash select * from by_uuid;
insert into by_name select t.external_id, g, t.slug from tenancy.tenant t, generate_series(1, 100) g;
insert into by_big select tenant::bigint, id, body from by_name;
insert into by_int select tenant::int, id, body from by_name;
select tenancy.protect(name::regclass, 'tenant') from unnest(array['by_uuid', 'by_hash', 'by_name', 'by_big', 'by_int']) as name;
grant select, insert, update, delete on by_uuid, by_hash, by_name, by_big, by_int to keyed_app;
analyze;
"""

TABLES = ["by_uuid", "by_hash", "by_name", "by_big", "by_int"]

QUERIES = [
    "select count(*), min(body), max(body) from {0} where id <= %s",
    "select count(*), min(a.body), max(b.body) from {0} a join {0} b using (tenant, id) where a.id <= %s",
    "select count(*), min(b.body), max(b.body) from {0} a left join {0} b on b.tenant = a.tenant and b.id = a.id where a.id <= %s",
    "select count(*), min(body), max(body) from {0} a where id <= %s and exists (select from {0} b where b.tenant = a.tenant and b.id = a.id)",
    "select count(*), min(body), max(body) from (select * from {0} union all select * from {0} where false) u where id <= %s",
    "with c as materialized (select * from {0}) select count(*), min(body), max(body) from c where id <= %s",
    "select count(*), min(s.body), max(s.body) from {0} a, lateral (select * from {0} b where b.tenant = a.tenant and b.id = a.id limit 1) s where a.id <= %s",
    "select count(*), min(body), max(body) from {0} where (tenant, id) in (select tenant, id from {0} where id <= %s)",
    "with c as (update {0} set body = body where id <= %s returning *) select count(*), min(body), max(body) from c",
]

MODES = {
    "as it is": "select 1",
    "index": "set local enable_seqscan = off",
    "nested": "set local enable_hashjoin = off; set local enable_mergejoin = off",
    "merge": "set local enable_hashjoin = off; set local enable_nestloop = off",
}


@pytest.fixture(scope="module")
def keyed(server: Server) -> Iterator[str]:
    database = server.createdb("keyed", extensions=["tenancy"])
    server.execute(SCHEMA, dbname=database)
    yield database
    server.dropdb(database)


def answer(connection: psycopg.Connection[Any], slug: str, sql: str, mode: str, prepare: bool) -> list[tuple[Any, ...]]:
    with connection.transaction(force_rollback=True):
        connection.execute("select tenancy.enter(%s)", [slug])
        connection.execute(mode)
        return connection.execute(sql, [40], prepare=prepare).fetchall()


@pytest.mark.parametrize("plans", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES.keys())
@pytest.mark.parametrize("table", TABLES)
def test_every_kind_of_key(server: Server, keyed: str, table: str, mode: str, plans: str) -> None:
    with server.connect(user="keyed_app", dbname=keyed, options=f"-c plan_cache_mode={plans}") as connection:
        for sql in QUERIES:
            for prepare in (False, True):
                for slug in ("one", "two", "one"):
                    assert answer(connection, slug, sql.format(table), mode, prepare) == [(40, slug, slug)]


@pytest.mark.parametrize("sql", ["select body from by_uuid where id = 3", "update by_uuid set body = body where id = 3"])
def test_a_plan_that_runs_calls_nothing(server: Server, keyed: str, sql: str) -> None:
    with server.connect(user="keyed_app", dbname=keyed) as connection, connection.transaction():
        connection.execute("select tenancy.enter('one')")
        connection.execute(sql)
        [(calls,)] = connection.execute("select pg_stat_get_xact_function_calls('tenancy.current_tenant_id()'::regprocedure)")
    assert calls is None


# PL/pgSQL numbers all variables of a function: here more than a million.
MANY_VARIABLES = """
do $outer$ begin
    execute 'do $$ begin '
        || repeat('declare ' || (select string_agg('a' || g || ' int;', '' order by g) from generate_series(1, 256) g) || ' begin end; ', 4096)
        || 'declare v uuid := gen_random_uuid(); w text := ''one''; x text := ''one''; y bigint := 3; z int := 3; found_rows int; begin'
        || ' select count(*) into found_rows from by_uuid where body = w and body = x and id = y and id = z and tenant <> v;'
        || ' if found_rows <> 1 then raise exception ''% rows'', found_rows; end if; end; end $$';
end $outer$
"""


def test_a_statement_cannot_number_its_parameters_as_high(server: Server, keyed: str) -> None:
    with server.connect(user="keyed_app", dbname=keyed) as connection, connection.transaction():
        connection.execute("select tenancy.enter('one')")
        connection.execute(MANY_VARIABLES)


def test_a_plan_that_is_shown_calls_the_function(server: Server, keyed: str) -> None:
    server.execute("select tenancy.grant_explain('keyed_app', now() + interval '1 hour', 'tests')", dbname=keyed)
    with server.connect(user="keyed_app", dbname=keyed) as connection, connection.transaction():
        connection.execute("select tenancy.enter('one')")
        for options in ("verbose", "verbose, analyze"):
            plan = "\n".join(row[0] for row in connection.execute(f"explain ({options}) select body from by_uuid where id = 3"))
            assert "tenancy.current_tenant_id()" in plan
            assert "Subplans Removed: 1" in plan
            assert "$" not in plan


def test_a_long_plan_that_is_shown(planned: Planned) -> None:
    """One that gets the tenant as a constant in its filters."""
    with planned.session("large") as session:
        session.execute("set local enable_seqscan = off")
        session.execute("set local cpu_tuple_cost = 1000")
        plan = "\n".join(row[0] for row in session.execute("explain (analyze) select count(*) from app.message where body like '%abcd%'"))
    assert "tenancy.current_tenant_id()" in plan
    assert "Filter: (tenant_id = '" in plan
    assert "$" not in plan, plan
