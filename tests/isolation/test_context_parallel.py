"""Parallel workers work for the leader's tenant, and for none without."""

import psycopg
import pytest
from context_world import Tenant, World, enter, refused, world  # noqa: F401

FORCE = [
    "set parallel_setup_cost = 0",
    "set parallel_tuple_cost = 0",
    "set min_parallel_table_scan_size = 0",
    "set min_parallel_index_scan_size = 0",
    "set max_parallel_workers_per_gather = 2",
    "set enable_indexscan = off",
    "set enable_bitmapscan = off",
]
QUERIES = {
    "count": "select count(*), count(distinct body), min(body) from app.note",
    "rows": "select id, tenant_id, body from app.note",
    "join": "select count(*), 1, min(x.body) from app.note x join app.note y using (tenant_id)",
    "slug": "select count(*), count(distinct tenancy.current_tenant()), min(tenancy.current_tenant()) from app.note",
}


@pytest.fixture(scope="module")
def tenants(world: World):  # noqa: F811
    made = [world.tenant(rows=300, slug=slug) for slug in ("a", "b")]
    world.admin("alter table app.note set (parallel_workers = 2)")
    world.admin("analyze app.note")
    world.admin("select tenancy.grant_explain('app_any', now() + interval '1 day', 'tests look at plans')")
    world.server.psql(
        "create table app.seen (worker boolean); create function app.in_worker() returns boolean language sql"
        " volatile parallel safe as 'select count(*) > 0 from pg_stat_activity where pid = pg_backend_pid()"
        " and backend_type = ''parallel worker''';",
        dbname=world.database,
    )
    return made


@pytest.fixture(params=["on", "off"], ids=["leader works too", "workers only"])
def parallel(world: World, tenants, request):  # noqa: F811
    with world.connect() as connection:
        for statement in [*FORCE, f"set parallel_leader_participation = {request.param}"]:
            connection.execute(statement)
        yield connection


def plan(connection: psycopg.Connection, query: str) -> str:
    connection.execute("savepoint plan")
    try:
        rows = connection.execute(f"explain (costs off) {query}").fetchall()
        return "\n".join(row[0] for row in rows)
    finally:
        connection.execute("rollback to plan")


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("how", ["enter", "set"])
def test_the_same_rows(parallel, tenants: list[Tenant], query: str, how: str):
    for tenant in [*tenants, tenants[0]]:
        with parallel.transaction():
            if how == "enter":
                enter(parallel, tenant)
            else:
                parallel.execute(f"set local tenancy.context = '{tenant.slug}'")
            assert "Workers Planned" in plan(parallel, QUERIES[query])
            rows = parallel.execute(QUERIES[query]).fetchall()
            if query == "rows":
                assert len(rows) == 300 and {row[2] for row in rows} == {tenant.slug}
            else:
                assert rows == [(300 * 300 if query == "join" else 300, 1, tenant.slug)]


def test_workers_ran(parallel, tenants: list[Tenant]):
    """The plans above do start workers: else nothing of this file would mean anything."""
    parallel.execute("set parallel_leader_participation = off")
    with parallel.transaction():
        enter(parallel, tenants[0])
        rows = parallel.execute("select app.in_worker(), count(*) from app.note group by 1").fetchall()
    assert True in {row[0] for row in rows}


def test_no_context(parallel, tenants: list[Tenant]):
    with refused("TN001"):
        parallel.execute(QUERIES["count"])
    parallel.execute("set tenancy.on_missing_context = 'empty'")
    assert parallel.execute(QUERIES["count"]).fetchone() == (0, 0, None)


def test_after_an_error_in_a_worker(parallel, tenants: list[Tenant]):
    """An aborted parallel query leaves nothing behind for the next one."""
    for tenant in tenants:
        with pytest.raises(psycopg.errors.DivisionByZero), parallel.transaction():
            enter(parallel, tenant)
            parallel.execute("select count(*) from app.note where 1 / (id - id) = 1")
        with parallel.transaction():
            enter(parallel, tenant)
            assert parallel.execute(QUERIES["count"]).fetchone() == (300, 1, tenant.slug)
        with refused("TN001"):
            parallel.execute(QUERIES["count"])


def test_after_a_savepoint(parallel, tenants: list[Tenant]):
    with parallel.transaction():
        enter(parallel, tenants[1])
        for _ in range(2):
            parallel.execute("savepoint s")
            with pytest.raises(psycopg.errors.DivisionByZero):
                parallel.execute("select count(*) from app.note where 1 / (id - id) = 1")
            parallel.execute("rollback to s")
            assert parallel.execute(QUERIES["count"]).fetchone() == (300, 1, "b")
            parallel.execute("release s")


def test_session_context(parallel, world: World, tenants: list[Tenant]):  # noqa: F811
    world.grant("app_some", tenants[0], session_scope=True)
    with world.connect("app_some") as connection:
        for statement in FORCE:
            connection.execute(statement)
        connection.execute("select tenancy.enter('a', 'session')")
        assert connection.execute(QUERIES["count"]).fetchone() == (300, 1, "a")


@pytest.mark.parametrize("mode", ["on", "regress"])
def test_forced_parallel_mode(world: World, tenants: list[Tenant], mode: str):  # noqa: F811
    """Every statement that may run in a worker does, the entry statement's neighbours included."""
    with world.connect(options=f"-c {world.server.forced_parallel}={mode}") as connection:
        for tenant in tenants:
            with connection.transaction():
                enter(connection, tenant)
                assert connection.execute("select tenancy.current_tenant()").fetchone() == (tenant.slug,)
                assert connection.execute("select slug from tenancy.context()").fetchone() == (tenant.slug,)
                assert connection.execute(QUERIES["count"]).fetchone() == (300, 1, tenant.slug)
                connection.execute("insert into app.note (body) values ('x')")
                connection.execute("delete from app.note where body = 'x'")


def test_set_role_in_workers(world: World, tenants: list[Tenant]):  # noqa: F811
    world.admin("grant app_some to app_any")
    try:
        with world.connect() as connection:
            for statement in [*FORCE, "set role app_some"]:
                connection.execute(statement)
            with connection.transaction():
                enter(connection, "a")
                assert connection.execute(QUERIES["count"]).fetchone() == (300, 1, "a")
                connection.execute("reset role")
                with refused("TN003"):
                    connection.execute(QUERIES["count"])
                raise psycopg.Rollback
    finally:
        world.admin("revoke app_some from app_any")


def test_security_definer_in_workers(world: World, tenants: list[Tenant]):  # noqa: F811
    """Only the current user differs there, and the outer one decides."""
    world.server.psql(
        "create or replace function app.definer(text) returns text language sql stable parallel safe security definer"
        " as 'select tenancy.current_tenant()'; alter function app.definer(text) owner to table_owner",
        dbname=world.database,
    )
    with world.connect() as connection:
        for statement in FORCE:
            connection.execute(statement)
        with connection.transaction():
            enter(connection, "b")
            query = "select count(*), min(app.definer(body)), max(app.definer(body)) from app.note"
            assert connection.execute(query).fetchone() == (300, "b", "b")


@pytest.mark.parametrize("user", ["app_any", "ops", "postgres"])
@pytest.mark.parametrize(
    "statement",
    [
        "set tenancy.worker_context = 'x'",
        "select set_config('tenancy.worker_context', repeat('00', 1500), true)",
        "alter role current_user set tenancy.worker_context = 'x'",
    ],
)
def test_the_workers_setting_is_not_set_by_hand(world: World, user: str, statement: str):  # noqa: F811
    with world.connect(user) as connection, refused("TN009"):
        connection.execute(statement)


def test_the_workers_setting_is_not_seen(parallel, tenants: list[Tenant]):
    with parallel.transaction():
        enter(parallel, "a")
        assert parallel.execute("select current_setting('tenancy.worker_context')").fetchone() == ("",)
        names = "select count(*) from pg_settings where name in ('tenancy.context', 'tenancy.worker_context')"
        assert parallel.execute(names).fetchone() == (0,)
