"""A statement prepared once, in a pooled session, has the right plan for each tenant that comes."""

import itertools
from typing import Any

import psycopg
import pytest

from .planned import Planned, explain, shape

SEARCH = "select m.id from app.message m where m.body like '%abc%'"
BY_AMOUNT = "select m.id from app.message m where m.amount > $1 and m.body like '%abc%'"
PARTITIONED = "select count(*) from app.event e join app.message m on m.id = e.id where e.kind like 'kind 1%'"


def pooled(planned: Planned, *settings: str) -> psycopg.Connection[Any]:
    options = " ".join(f"-c {setting}" for setting in settings)
    return planned.server.connect(user="planned_app", dbname=planned.database, options=options)


def plan_of(connection: psycopg.Connection[Any], slug: str, execute: str) -> list[tuple[Any, ...]]:
    with connection.transaction(force_rollback=True):
        connection.execute("select tenancy.enter(%s)", [slug])
        return shape(connection, explain(connection, execute))


@pytest.mark.parametrize(
    "statement, execute, literal",
    [
        (SEARCH, "execute q", SEARCH),
        (BY_AMOUNT, "execute q (10)", BY_AMOUNT.replace("$1", "10")),
        (PARTITIONED, "execute q", PARTITIONED),
    ],
    ids=["without parameters", "generic", "partitioned"],
)
def test_each_size_gets_its_plan(planned: Planned, statement: str, execute: str, literal: str) -> None:
    settings = ("max_parallel_workers_per_gather=0", "plan_cache_mode=force_generic_plan")
    expected = {}
    for slug in ("small", "large"):
        with pooled(planned, *settings) as fresh:
            fresh.pgconn.prepare(b"q", statement.encode())
            expected[slug] = plan_of(fresh, slug, execute)
    assert expected["small"] != expected["large"]
    with pooled(planned, *settings) as connection:
        connection.pgconn.prepare(b"q", statement.encode())
        for slug in ("small", "large", "large", "small", "middle", "small", "large"):
            found = plan_of(connection, slug, execute)
            if slug in expected:
                assert found == expected[slug], slug


def test_plans_that_the_protocol_makes(planned: Planned) -> None:
    """As a driver does: the plan is made after the context was entered and before its first statement."""
    expected = {}
    for slug in ("small", "large"):
        with planned.session(slug, "max_parallel_workers_per_gather=0") as fresh:
            expected[slug] = shape(fresh, explain(fresh, SEARCH))
    with pooled(planned, "max_parallel_workers_per_gather=0") as connection:
        connection.pgconn.prepare(b"q", SEARCH.encode())
        for slug in ("small", "large", "small", "large"):
            with connection.transaction(force_rollback=True):
                connection.execute("select tenancy.enter(%s)", [slug])
                connection.pgconn.exec_prepared(b"q", [])
                assert shape(connection, explain(connection, "execute q")) == expected[slug], slug


def test_tenants_of_one_size_share_a_plan(planned: Planned) -> None:
    """The messages that name an operator come with each planning."""
    planned.admin("select tenancy.provision('empty-one'), tenancy.provision('empty-two')")
    planned_times = []
    with pooled(planned, "client_min_messages=debug1") as connection:
        connection.add_notice_handler(
            lambda notice: planned_times.append(slug) if "is not trusted" in (notice.message_primary or "") else None
        )
        connection.pgconn.prepare(b"q", SEARCH.replace("like", "~").encode())
        for slug in ("empty-one", "empty-two", "empty-one", "large", "empty-two"):
            with connection.transaction():
                connection.execute("select tenancy.enter(%s)", [slug])
                connection.execute("execute q")
    assert [slug for slug, _ in itertools.groupby(planned_times)] == ["empty-one", "large", "empty-two"]


def test_a_column_of_another_type(planned: Planned) -> None:
    """A policy of the users' own that has the form of the tenant's: its table is not protected by it."""
    planned.admin("create table public.named (tenant name, n int); alter table public.named owner to planned_app")
    with planned.server.connect(user="planned_app", dbname=planned.database) as owner:
        owner.execute(
            "insert into public.named select tenant, n from (values ('abbbbbbbbbbbbbbb'), ('bbbbbbbbbbbbbbbb')) t(tenant), generate_series(1, 100) n;"
            "alter table public.named enable row level security, force row level security; analyze public.named;"
            "create policy own on public.named as restrictive using (tenant = tenancy.current_tenant_external_id());"
            "create policy any_row on public.named using (tenant = tenancy.current_tenant_external_id())")
    assert planned.admin("select key_kind from tenancy.protection('public.named')") == [(None,)]
    with planned.session("small") as session, pytest.raises(psycopg.errors.InvalidParameterValue):
        session.execute("select count(*) from public.named")
    planned.admin("drop table public.named")
