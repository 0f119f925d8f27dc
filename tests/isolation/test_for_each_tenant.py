"""CALL tenancy.for_each_tenant: one command, each tenant in its own context and transaction."""

import pytest
from context_world import World, enter, refused, world  # noqa: F401

MARK = "call tenancy.for_each_tenant('update app.note set body = ''marked''')"


def stored(world: World) -> dict[str, set[str]]:
    rows = world.admin("select t.slug, n.body from app.note n join tenancy.tenant t on t.id = n.tenant_id")
    return {slug: {body for other, body in rows if other == slug} for slug, _ in rows}


@pytest.fixture
def tenants(world: World) -> list[str]:
    world.admin("set row_security = off; delete from app.note")
    world.admin("select tenancy.suspend(slug, 'test') from tenancy.tenant where state = 'active'")
    return [world.tenant().slug for _ in range(3)]


def test_each_open_tenant_in_its_own_context(world: World, tenants: list[str]):
    idle = world.tenant()
    world.suspend(idle)
    with world.connect() as connection:
        connection.execute(MARK)
        with refused("TN001"):
            connection.execute("select from app.note")
    assert stored(world) == {slug: {"marked"} for slug in tenants} | {idle.slug: {idle.slug}}


def test_a_job_goes_on_where_it_failed(world: World, tenants: list[str]):
    in_order = [slug for (slug,) in world.admin("select slug from tenancy.tenant where state = 'active' order by id")]
    command = "call tenancy.for_each_tenant('insert into app.note (body) select 1 / (current_setting(''app.fail'') <> tenancy.current_tenant())::int', 'nightly')"
    with world.connect() as connection:
        connection.execute("select set_config('app.fail', %s, false)", [in_order[1]])
        with refused("22012"):
            connection.execute(command)
        connection.execute("set app.fail = ''")
        connection.execute(command)
        connection.execute(command)
    assert stored(world) == {slug: {slug, "1"} for slug in tenants}
    assert world.admin("select count(*), sum(rows_done) from tenancy.job_progress where job = 'nightly'") == [(3, 3)]
    with world.server.connect(dbname=world.database) as connection:
        connection.execute("set row_security = off")
        assert connection.execute("select count(*) from app.note where body = '1'").fetchone() == (3,)


def test_no_role_finishes_the_job_of_another(world: World, tenants: list[str]):
    world.admin("do $$ begin if to_regrole('app_jobs') is null then create role app_jobs login; end if; end $$")
    world.admin("select tenancy.grant_access('app_jobs', '*', reason => 'test')")
    with world.connect("app_jobs") as connection:
        connection.execute("call tenancy.for_each_tenant('select 1', 'redact')")
    with world.connect() as connection:
        connection.execute(MARK.replace("')", "', 'redact')"))
    assert stored(world) == {slug: {"marked"} for slug in tenants}


@pytest.mark.parametrize("role, sqlstate", {"app_none": "42501", "app_some": "42501", "bypass": "42501", "postgres": "42501"}.items())
def test_roles_that_may_not(world: World, tenants: list[str], role: str, sqlstate: str):
    with world.connect(role) as connection, refused(sqlstate):
        connection.execute(MARK)
    assert stored(world) == {slug: {slug} for slug in tenants}


def test_not_inside_a_transaction_or_a_function(world: World, tenants: list[str]):
    with world.connect() as connection:
        with refused("2D000"), connection.transaction():
            connection.execute(MARK)
        with refused("2D000"):
            connection.execute("begin; call tenancy.for_each_tenant('select 1'); commit")
    assert stored(world) == {slug: {slug} for slug in tenants}


def test_what_commands_return_is_not_kept(world: World):
    """Each tenant's result is a megabyte; the backend is no larger at the end than after the first."""
    for _ in range(30):
        world.tenant(rows=1)
    used = "(select sum(used_bytes) from pg_backend_memory_contexts)"
    world.admin("create table if not exists app.memory (at bigserial, used bigint); "
                "grant insert on app.memory to app_any; grant usage on sequence app.memory_at_seq to app_any; "
                "grant pg_read_all_stats to app_any")
    with world.connect() as connection:
        connection.execute(
            f"call tenancy.for_each_tenant('insert into app.memory (used) select {used};"
            " select repeat(''x'', 100000) from generate_series(1, 10)')"
        )
    used_at = [used for (used,) in world.admin("select used from app.memory order by at")]
    assert len(used_at) >= 30
    assert used_at[-1] - used_at[0] < 5_000_000
