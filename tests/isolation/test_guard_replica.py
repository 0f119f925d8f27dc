"""Writes under session_replication_role = replica, which silences foreign keys and triggers (leak C47)."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Server, wait_for
from isolation.guarded import Guards, guards  # noqa: F401

NEW = "select tenant_id, 9999, 'x' from messages limit 1"
WRITES = {
    "insert": f"insert into messages {NEW}",
    "update": "update messages set body = 'x'",
    "delete": "delete from messages where false",
    "merge": "merge into messages using plain on false when not matched and false then do nothing",
    "cte": "with d as (delete from messages where false returning 1) select * from d",
    "view": "update message_view set body = 'x'",
    "do": "do $$ begin update messages set body = 'x'; end $$",
}
SETUP = """
grant set on parameter session_replication_role to guard_app, guard_off;
set role guard_owner;
create function write_as_owner() returns void language sql security definer as 'update public.messages set body = body';
reset role;
create function write_as_superuser() returns void language sql security definer as 'update public.messages set body = body where false';
"""
UNDO = """
drop function write_as_owner(), write_as_superuser();
revoke set on parameter session_replication_role from guard_app, guard_off;
"""


@pytest.fixture(autouse=True)
def granted(guards: Guards) -> Iterator[None]:
    guards.admin(SETUP)
    yield
    guards.admin(UNDO)


def becomes(value: str) -> str:
    return f"set local session_replication_role = {value}"


@pytest.mark.parametrize("role", ["guard_app", "guard_off"])
@pytest.mark.parametrize("statement", [*WRITES.values(), "select write_as_owner()"], ids=[*WRITES, "definer"])
def test_writes_are_refused_at_every_level(guards: Guards, statement: str, role: str) -> None:
    if "do $$" not in statement and "view" not in statement:
        guards.passes(becomes("local"), f"explain {statement}" if role == "guard_off" else statement, "rollback", role=role)
    guards.refused(becomes("replica"), statement, role=role, state="TN018", match='"messages" under session_replication_role')


def test_prepared_before(guards: Guards) -> None:
    """The plan is the one of before."""
    with guards.connect(tenant="acme") as connection:
        update = "update messages set body = body where id = %s"
        for _ in range(6):
            connection.execute(update, [1], prepare=True)
        connection.execute(becomes("replica"))
        with pytest.raises(psycopg.Error, match="session_replication_role"):
            connection.execute(update, [1], prepare=True)
        connection.execute("rollback")


def test_copy(guards: Guards) -> None:
    with guards.connect(tenant="acme") as connection:
        connection.execute(becomes("replica"))
        with pytest.raises(psycopg.Error) as raised, connection.cursor().copy("copy messages (id, body) from stdin") as copy:
            copy.write_row((9999, "x"))
        assert raised.value.sqlstate == "TN018", raised.value
        connection.execute("rollback")


@pytest.mark.parametrize("value", ["origin", "local"])
def test_the_other_values_pass(guards: Guards, value: str) -> None:
    guards.passes(becomes(value), WRITES["insert"], "rollback")


@pytest.mark.parametrize("statement", ["select * from messages", "insert into plain values (11, 'x')", "select write_as_superuser()"])
def test_what_passes(guards: Guards, statement: str) -> None:
    """Reads, tables that are not protected, and what a superuser has decided."""
    guards.passes(becomes("replica"), statement, "rollback")


def test_roles_that_are_not_guarded_pass(guards: Guards) -> None:
    guards.admin("set session_replication_role = replica; begin; update messages set body = body; rollback")
    guards.admin("grant set on parameter session_replication_role to guard_batch")
    try:
        guards.passes("begin", "select tenancy.enter_all('load')", becomes("replica"), "delete from messages where false", "rollback",
                      role="guard_batch", tenant=None)
    finally:
        guards.admin("revoke set on parameter session_replication_role from guard_batch")


PUBLISHED = """
create table messages (tenant_id uuid not null, id integer not null, body text not null, primary key (tenant_id, id));
insert into messages select gen_random_uuid(), 0, 'copied';
create publication feed for table messages;
"""
SUBSCRIBED = """
select tenancy.provision('acme');
create table messages (tenant_id uuid not null, id integer not null, body text not null, primary key (tenant_id, id));
select tenancy.protect('messages');
"""
FEED = "create subscription feed connection 'host={host} port={port} user=postgres dbname=published' publication feed with (slot_name = feed, create_slot = false)"


@pytest.fixture
def replicated() -> Iterator[Server]:
    """Two databases of one server; a superuser's subscription fills the protected table of the second one."""
    with Server(name="replicated", settings={"wal_level": "logical"}) as server:
        server.createdb("published")
        server.createdb("subscribed", extensions=["tenancy"])
        server.psql(PUBLISHED, dbname="published")
        server.psql(SUBSCRIBED, dbname="subscribed")
        server.execute("select pg_create_logical_replication_slot('feed', 'pgoutput')", dbname="published")
        server.execute(FEED.format(host=server.dir, port=server.port), dbname="subscribed")
        yield server


def bodies(server: Server) -> list[Any]:
    return server.execute("select id, body from messages order by id", dbname="subscribed")


def test_a_superusers_subscription_goes_on(replicated: Server) -> None:
    """Its apply worker runs under replica."""
    wait_for(lambda: bodies(replicated) == [(0, "copied")], what="the first copy")
    replicated.psql("insert into messages select tenant_id, 1, 'added' from messages; update messages set body = 'changed' where id = 0",
                    dbname="published")
    wait_for(lambda: bodies(replicated) == [(0, "changed"), (1, "added")], what="the changes")
    replicated.psql("delete from messages where id = 0", dbname="published")
    wait_for(lambda: bodies(replicated) == [(1, "added")], what="the deletion")
