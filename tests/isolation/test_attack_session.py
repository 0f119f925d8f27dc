"""Ways round the guards on sessions: parallel workers, held cursors, domains."""

from context_world import World, enter, world  # noqa: F401
from isolation.guarded import Guards, guards  # noqa: F401

EXPLAINS = """
create function public.explains(query text) returns text language plpgsql parallel safe as
$$ declare plan json; begin execute 'explain (format json) ' || query into plan; return plan; end $$"""
COUNTS = """
create function public.counts() returns bigint language plpgsql parallel safe as
$$ begin return (select count(*) from public.messages); end $$"""


def test_parallel_workers_explain_nothing(guards: Guards):  # noqa: F811
    error = guards.refused(
        EXPLAINS, f"set local {guards.server.forced_parallel} = on", "select public.explains('select 1 from messages')",
        match="EXPLAIN",
    )
    assert "parallel worker" in error.diag.context


def test_parallel_workers_need_enter_all(guards: Guards):  # noqa: F811
    guards.admin("grant create on schema public to guard_batch")
    error = guards.refused(
        "begin", COUNTS, f"set local {guards.server.forced_parallel} = on", "select public.counts()",
        role="guard_batch", tenant=None, state="TN022",
    )
    assert "parallel worker" in error.diag.context
    assert guards.passes(
        "begin", "select tenancy.enter_all('count')", COUNTS, f"set local {guards.server.forced_parallel} = on",
        "select public.counts()", role="guard_batch", tenant=None,
    ) == [(710,)]


def test_parallel_workers_read_in_the_context(guards: Guards):  # noqa: F811
    assert guards.passes(
        COUNTS.replace("counts", "own_count"), f"set local {guards.server.forced_parallel} = on", "select public.own_count()"
    ) == [(10,)]


def test_domains_over_arrays_are_temporary_objects_too(guards: Guards):  # noqa: F811
    guards.is_the_guards_work("create domain pg_temp.int8 as int[]")


def test_held_cursors_are_closed_for_the_next_tenant(world: World):  # noqa: F811
    world.tenant(slug="holder")
    world.tenant(slug="next")
    with world.connect("postgres") as connection:  # whom no guard stops
        with connection.transaction():
            enter(connection, "holder")
            connection.execute("declare held cursor with hold for select * from app.note")
        assert connection.execute("select count(*) from pg_cursors where name = 'held'").fetchone() == (1,)
        with connection.transaction():
            enter(connection, "next")
            assert connection.execute("select count(*) from pg_cursors where name = 'held'").fetchone() == (0,)


def test_clearing_a_session_of_one_tenant_ends(world: World):  # noqa: F811
    """The queries that clear are in no context themselves: they would clear first."""
    world.tenant(slug="kept")
    world.tenant(slug="tried")
    with world.connect("postgres") as connection:
        connection.execute("set tenancy.context = 'kept'")
        connection.execute("begin")
        connection.execute("set local tenancy.context = 'tried'")
        connection.execute("prepare z as select 1")
        connection.execute("rollback")
        assert connection.execute("select tenancy.current_tenant()").fetchone() == ("kept",)
        assert connection.execute("select count(*) from pg_prepared_statements where from_sql").fetchone() == (0,)
