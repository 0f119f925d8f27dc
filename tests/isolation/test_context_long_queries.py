"""Long queries get the tenant as a constant, in a plan that serves one execution only: whatever the
plan and however often it is used again, each tenant sees its own rows."""

import psycopg
import pytest
from context_world import Tenant, World, enter, world  # noqa: F401

KINDS = {
    "uuid": "tenancy.current_tenant_id()",
    "text": "tenancy.current_tenant_external_id()",
    "bigint": "tenancy.current_tenant_external_bigint()",
    "integer": "tenancy.current_tenant_external_integer()",
}
ROWS = 4000  # of each tenant

TABLE = """
create table app.by_{kind} (tenant_id {kind} not null, name text, n integer);
insert into app.by_{kind} select t.key::{kind}, t.slug, n from app.owner_of_rows t, generate_series(1, {rows}) n;
create index on app.by_{kind} (tenant_id);
alter table app.by_{kind} enable row level security, force row level security;
create policy r on app.by_{kind} as restrictive using (tenant_id = {function});
create policy p on app.by_{kind} using (tenant_id = {function});
grant select, update on app.by_{kind} to app_any;
analyze app.by_{kind};
drop table app.owner_of_rows;
"""

FUNCTIONS = """
create function app.counted() returns bigint language sql volatile
    as 'select count(*) from app.by_uuid where name is not null';
create function app.looped() returns bigint language plpgsql volatile as $$
declare r record; seen bigint := 0;
begin
    for r in select name from app.by_uuid where n > 0 loop seen := seen + 1; end loop;
    return seen;
end $$;
"""

SHAPES = {
    "plain": "select name, count(*) from app.by_uuid group by name",
    "union": "select name, count(*) / 2 from (select * from app.by_uuid union all select * from app.by_uuid) u group by 1",
    "join": "select x.name, count(*) from app.by_uuid x left join app.by_uuid y using (tenant_id, n) group by 1",
    "subplan": "select min(x.name), count(*) from app.by_uuid x"
               " where n in (select n from app.by_uuid where name = x.name offset 0) and n <= 3 or n > 3",
    "not exists": "select name, count(*) from app.by_uuid x where not exists"
                  " (select from app.by_uuid y where y.n = x.n and y.name <> x.name) group by 1",
    "window": "select distinct name, count(*) over () from (select name from app.by_uuid offset 0) q",
    "cte": "with c as materialized (select * from app.by_uuid) select name, count(*) from c group by 1",
    "function": "select tenancy.current_tenant(), app.counted()",
    "loop": "select tenancy.current_tenant(), app.looped()",
}  # fmt: skip


@pytest.fixture(scope="module")
def tenants(world: World):  # noqa: F811
    made = [world.tenant(slug=f"long-{n}", external_id=str(n)) for n in (11, 12)]
    for kind, function in KINDS.items():
        key = "id" if kind == "uuid" else "external_id"
        world.server.psql(
            f"create table app.owner_of_rows as select {key}::text as key, slug from tenancy.tenant"
            " where slug like 'long-%';" + TABLE.format(kind=kind, function=function, rows=ROWS),
            dbname=world.database,
        )
    world.server.psql(FUNCTIONS, dbname=world.database)
    world.admin("select tenancy.grant_explain('app_any', now() + interval '1 day', 'tests look at plans')")
    return made


@pytest.fixture
def scanning(world: World, tenants):  # noqa: F811
    """A connection that reads whole tables and keeps generic plans."""
    with world.connect(prepare_threshold=0) as connection:
        for setting in ("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan"):
            connection.execute(f"set {setting} = off")
        connection.execute("set plan_cache_mode = force_generic_plan")
        connection.execute("set max_parallel_workers_per_gather = 0")
        yield connection


def plan(connection: psycopg.Connection, query: str, *options: str) -> str:
    rows = connection.execute(f"explain ({', '.join(['costs off', *options])}) {query}").fetchall()
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key(scanning, tenants: list[Tenant], kind: str):
    for tenant in [*tenants, *tenants]:
        with scanning.transaction():
            enter(scanning, tenant)
            query = f"select name, count(*) from app.by_{kind} group by name"
            assert scanning.execute(query).fetchall() == [(tenant.slug, ROWS)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape(scanning, tenants: list[Tenant], shape: str):
    for tenant in [*tenants, *tenants]:
        with scanning.transaction():
            enter(scanning, tenant)
            assert scanning.execute(SHAPES[shape]).fetchall() == [(tenant.slug, ROWS)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_query_compares_with_a_constant(scanning, tenants: list[Tenant], kind: str):
    query = f"select count(*) from app.by_{kind}"
    with scanning.transaction():
        enter(scanning, tenants[0])
        assert f"(tenant_id = {KINDS[kind]})" in plan(scanning, query)
        executed = plan(scanning, query, "analyze", "timing off", "summary off")
        assert "current_tenant" not in executed
        assert (tenants[0].id if kind == "uuid" else "11") in executed


def test_rows_are_updated_as_seen(scanning, tenants: list[Tenant]):
    with scanning.transaction(force_rollback=True):
        enter(scanning, tenants[0])
        assert scanning.execute("update app.by_uuid set n = n").rowcount == ROWS


def test_a_cursor_stops_when_its_tenant_is_suspended(world: World, scanning, tenants: list[Tenant]):  # noqa: F811
    with pytest.raises(psycopg.Error) as failure, scanning.transaction():
        enter(scanning, tenants[1])
        scanning.execute("declare c cursor for select name from app.by_uuid")
        assert scanning.execute("fetch 2 from c").fetchall() == [(tenants[1].slug,)] * 2
        world.suspend(tenants[1])
        scanning.execute("fetch 2 from c")
    assert failure.value.sqlstate == "TN005"
    world.resume(tenants[1])


def test_a_query_without_context_is_refused(scanning, tenants):
    with pytest.raises(psycopg.Error) as failure:
        scanning.execute("select count(*) from app.by_uuid")
    assert failure.value.sqlstate == "TN001"


def test_where_tenants_may_switch_the_function_stays(world: World, scanning, tenants: list[Tenant]):  # noqa: F811
    with world.connect("postgres") as superuser:
        superuser.execute("set tenancy.test_mode = on")
        superuser.execute("set enable_indexscan = off; set enable_bitmapscan = off; set enable_indexonlyscan = off")
        with superuser.transaction():
            superuser.execute("select tenancy.enter(%s)", [tenants[0].slug])
            query = "select count(*) from app.by_uuid where tenant_id = tenancy.current_tenant_id()"
            assert "current_tenant_id()" in plan(superuser, query, "analyze", "timing off", "summary off")
