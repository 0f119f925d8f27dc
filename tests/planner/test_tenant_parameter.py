"""PostgreSQL plans with a parameter for the tenant, and no finished plan holds one: it would raise an error."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Server

SCHEMA = """
do $$ begin if to_regrole('keyed_app') is null then create role keyed_app login; end if; end $$;
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


def test_the_finished_plan_calls_the_function(server: Server, keyed: str) -> None:
    server.execute("select tenancy.grant_explain('keyed_app', now() + interval '1 hour', 'tests')", dbname=keyed)
    with server.connect(user="keyed_app", dbname=keyed) as connection, connection.transaction():
        connection.execute("select tenancy.enter('one')")
        plan = "\n".join(row[0] for row in connection.execute("explain (verbose) select body from by_uuid where id = 3"))
    assert "tenancy.current_tenant_id()" in plan
    assert "Subplans Removed: 1" in plan
    assert "$" not in plan
