"""Operators that call themselves use more of the stack for some values than for others. Who nests functions of their
own to just below max_stack_depth must not learn from the error which values others have."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Server

SCHEMA = """
do $$ begin if to_regrole('nesting_app') is null then create role nesting_app login; end if; end $$;
grant create on schema public to nesting_app;
select tenancy.provision('own'), tenancy.provision('other');
select tenancy.grant_access('nesting_app', '*', reason => 'tests');
create table deep (tenant_id uuid, body text);
insert into deep select tenancy.tenant_id('other'), repeat('a', 1000) from generate_series(1, 6000) g;
insert into deep select tenancy.tenant_id('own'), 'own' from generate_series(1, 10) g;
select tenancy.protect('deep');
grant select on deep to nesting_app;
analyze deep;
"""

NEST = """
create function nest(levels int, query text) returns boolean language plpgsql as $$begin
    if levels > 0 then return nest(levels - 1, query); end if;
    execute query;
    return true;
end$$;
create function count_rows(levels int) returns bigint language plpgsql as $$begin
    if levels > 0 then return count_rows(levels - 1); end if;
    return count(*) from deep;
end$$;
"""


@pytest.fixture(scope="module")
def nesting(server: Server) -> Iterator[str]:
    database = server.createdb("nesting", extensions=["tenancy"])
    server.execute(SCHEMA, dbname=database)
    server.execute(NEST, user="nesting_app", dbname=database)
    yield database
    server.dropdb(database)


def refusal(connection: psycopg.Connection[Any], levels: int, call: str) -> psycopg.Error | None:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("select tenancy.enter('own')")
            connection.execute(f"select {call.format(levels=levels)}")
    except psycopg.errors.StatementTooComplex as error:
        return error
    return None


def deepest(connection: psycopg.Connection[Any], call: str) -> int:
    """The most levels of nesting at which the call has no error."""
    few, many = 0, 4000
    assert refusal(connection, few, call) is None
    assert refusal(connection, many, call) is not None
    while many - few > 1:
        between = (few + many) // 2
        if refusal(connection, between, call) is None:
            few = between
        else:
            many = between
    return few


def test_what_the_planner_compares(server: Server, nesting: str) -> None:
    """A pattern that finds its place in what the other tenant has, and one that does not."""
    with server.connect(user="nesting_app", dbname=nesting) as connection:
        def call(pattern: str) -> str:
            return f"nest({{levels}}, $sql$select count(*) from deep where body like '{pattern}'$sql$)"

        assert deepest(connection, call("a%" * 400 + "b")) == deepest(connection, call("c%" * 400 + "b"))


def test_a_plan_that_was_made_where_there_was_room(server: Server, nesting: str) -> None:
    with server.connect(user="nesting_app", dbname=nesting) as connection:
        call = "count_rows({levels})"
        refused = refusal(connection, deepest(connection, call) + 1, call)
    assert refused is not None
    assert "256 kB of max_stack_depth" in (refused.diag.message_detail or "")
