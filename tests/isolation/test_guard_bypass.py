"""Roles with BYPASSRLS, and writes without a context (leak C03; design, section 4)."""

import os
import subprocess

import psycopg
import pytest
from isolation.guarded import Guards, guards  # noqa: F401

READS = {
    "select": "select count(*) from messages",
    "join": "select count(*) from plain join messages using (id)",
    "sub-select": "select (select max(body) from messages)",
    "view": "select count(*) from bypass_view",
    "function": "select count_messages()",
    "cursor": "begin; declare c cursor for select * from messages",
}
WRITES = {
    "insert": "insert into messages (tenant_id, id, body) select id, 9999, 'x' from tenancy.tenant limit 0",
    "update": "update messages set body = 'x' where false",
    "delete": "delete from messages where false",
    "merge": "merge into messages using plain on false when not matched and false then do nothing",
    "cte": "with d as (delete from messages where false returning 1) select * from d",
}


@pytest.mark.parametrize("role", ["guard_etl", "guard_batch"])
@pytest.mark.parametrize("statement", [*READS.values(), *WRITES.values()], ids=[*READS, *WRITES])
def test_bypass_needs_enter_all(guards: Guards, role: str, statement: str) -> None:
    guards.admin("grant select on tenancy.tenant, bypass_view to guard_batch, guard_etl")
    error = guards.refused(statement, role=role, tenant=None, state="TN022")
    if "bypass_view" not in statement:
        assert ("register_bypass" in error.diag.message_hint) == (role == "guard_etl")
    if role == "guard_batch":
        guards.passes("begin", "select tenancy.enter_all('nightly job')", statement.removeprefix("begin; "),
                      role=role, tenant=None)


PORTAL = """do $$ declare rows refcursor; seen bigint; begin
  set role guard_etl;
  open rows for execute $q$ with n as (insert into plain values (0) returning 1) select count(*) from messages $q$;
  reset role;
  fetch rows into seen;
  raise exception 'saw %', seen;
end $$"""


def test_a_plan_made_with_bypassrls_runs_under_no_other_role(guards: Guards) -> None:
    """What writes besides reading starts with the first fetch, not when its portal is opened."""
    guards.admin("create role guard_member login in role guard_etl; grant select, insert on messages, plain to guard_member")
    try:
        guards.refused(PORTAL, role="guard_member", tenant=None, state="TN022", match="guard_etl")
    finally:
        guards.admin("drop owned by guard_member; drop role guard_member")


def test_functions_in_sql_are_called_after_entering(guards: Guards) -> None:
    """PostgreSQL plans all of one, or each statement when it comes to it, as of version 18."""
    guards.admin("set role guard_batch; create function report() returns bigint language sql as 'select count(*) from public.messages'")
    try:
        guards.refused("select report()", role="guard_batch", tenant=None, state="TN022")
        assert guards.passes("begin", "select tenancy.enter_all('x')", "select report()", role="guard_batch", tenant=None) == [(710,)]
    finally:
        guards.admin("drop function report()")


def test_unregistered_roles_cannot_enter(guards: Guards) -> None:
    guards.refused("begin", "select tenancy.enter_all('x')", role="guard_etl", tenant=None)


def test_without_bypassrls_a_registration_opens_nothing(guards: Guards) -> None:
    guards.admin("alter role guard_batch nobypassrls")
    try:
        guards.refused("select tenancy.enter_all('x')", role="guard_batch", tenant=None, match="work for all tenants")
    finally:
        guards.admin("alter role guard_batch bypassrls")


def test_all_tenants_are_seen_after_enter_all(guards: Guards) -> None:
    assert guards.passes("begin", "select tenancy.enter_all('count')", "select count(*) from messages",
                         role="guard_batch", tenant=None) == [(710,)]


@pytest.mark.parametrize("statement", ["select count(*) from bypass_view", "select bypass_count()"])
def test_definers_with_bypassrls_do_not_help_the_caller(guards: Guards, statement: str) -> None:
    """A view or function of a role with BYPASSRLS, used inside a tenant's context and without one."""
    guards.refused(statement, state="TN022")
    guards.refused(statement, tenant=None, state="TN022")


def copy_out(guards: Guards, role: str, *before: str) -> int:
    with guards.connect(role) as connection:
        connection.execute("begin")
        for statement in before:
            connection.execute(statement)
        with connection.cursor().copy("copy messages to stdout") as copy:
            return sum(1 for _ in copy.rows())


def copy_in(guards: Guards, role: str, *before: str) -> None:
    with guards.connect(role) as connection:
        connection.execute("begin")
        for statement in before:
            connection.execute(statement)
        with connection.cursor().copy("copy messages from stdin"):
            pass
        connection.execute("rollback")


def test_copy(guards: Guards) -> None:
    """COPY of a table by a role with BYPASSRLS never reaches the executor."""
    for role in ("guard_etl", "guard_batch"):
        for copy in (copy_out, copy_in):
            with pytest.raises(psycopg.Error) as raised:
                copy(guards, role)
            assert raised.value.sqlstate == "TN022"
    assert copy_out(guards, "guard_batch", "select tenancy.enter_all('export')") == 710
    copy_in(guards, "guard_batch", "select tenancy.enter_all('import')")


def test_backup_reads_and_does_not_write(guards: Guards) -> None:
    assert copy_out(guards, "guard_dump") == 710
    assert guards.passes("select count(*) from messages", role="guard_dump", tenant=None) == [(710,)]
    for statement in WRITES.values():
        guards.admin("grant select on tenancy.tenant to guard_dump")
        guards.refused(statement, role="guard_dump", tenant=None, state="TN022")
    with pytest.raises(psycopg.Error) as raised:
        copy_in(guards, "guard_dump")
    assert raised.value.sqlstate == "TN022"


def test_pg_dump(guards: Guards) -> None:
    for role, lines in (("guard_dump", 710), ("guard_batch", 0), ("guard_etl", 0)):
        done = subprocess.run(
            [guards.server.program("pg_dump"), "--data-only", "--table=messages"],
            env=os.environ | guards.server.environment(user=role, dbname="guards"), capture_output=True, text=True,
        )
        assert done.stdout.count(" message\n") == lines
        assert (done.returncode == 0) == (lines > 0)
        assert ("enter_all" in done.stderr or "register_bypass" in done.stderr) == (lines == 0)


def test_backup_is_no_cover_for_others(guards: Guards) -> None:
    guards.admin("create view dump_view as select * from messages; alter view dump_view owner to guard_dump;"
                 "grant select on dump_view to guard_app")
    guards.refused("select count(*) from dump_view", state="TN022")


def test_truncate(guards: Guards) -> None:
    guards.admin("set tenancy.guard = off; grant truncate on messages to guard_batch")
    guards.refused("truncate messages", role="guard_batch", tenant=None, state="TN022")
    guards.passes("begin", "select tenancy.enter_all('x')", "truncate messages", "rollback",
                  role="guard_batch", tenant=None)


def test_superusers_pass(guards: Guards) -> None:
    assert guards.admin("select count(*) from messages") == [(710,)]
    assert guards.admin("select bypass_count()") == [(710,)]


def test_the_check_does_not_depend_on_the_level(guards: Guards) -> None:
    """enter_all is an authority that is recorded, not a guard that can be set off."""
    guards.admin("alter role guard_batch set tenancy.guard = off")
    try:
        guards.refused("select count(*) from messages", role="guard_batch", tenant=None, state="TN022")
    finally:
        guards.admin("alter role guard_batch reset tenancy.guard")


def test_foreign_keys_of_a_bypass_owner(guards: Guards) -> None:
    """PostgreSQL's own checks of foreign keys pass, whoever owns the tables."""
    guards.admin("""
        create table parent (tenant_id uuid not null, id int, primary key (tenant_id, id));
        create table child (tenant_id uuid not null, id int, foreign key (tenant_id, id) references parent on delete cascade);
        alter table parent owner to guard_batch; alter table child owner to guard_batch;
        select tenancy.protect('parent'), tenancy.protect('child');
        grant select, insert, delete on parent, child to guard_app;
    """)
    guards.passes("insert into parent (id) values (1)", "insert into child (id) values (1)", "delete from parent")


def test_cascades_from_shared_parents_need_no_context(guards: Guards) -> None:
    """PostgreSQL deletes the children as their owner, outside row security."""
    guards.admin("""
        create table country (id int primary key);
        create table address (tenant_id uuid not null, id int, country int references country on delete cascade);
        alter table country owner to guard_owner; alter table address owner to guard_owner;
        select tenancy.protect('address');
        grant select, insert, delete on country, address to guard_app;
        insert into country values (1), (2);
    """)
    guards.passes("insert into address (id, country) values (1, 1), (2, 2)")
    guards.passes("delete from country where id = 1", tenant=None)
    assert guards.passes("select id from address") == [(2,)]


@pytest.mark.parametrize("statement", [
    "insert into messages (id, body) values (1, 'x')",
    "insert into messages (tenant_id, id, body) values (gen_random_uuid(), 1, 'x')",
    "update messages set body = 'x'",
    "delete from messages",
    "merge into messages using plain p on false when matched then delete",
    "with d as (delete from messages returning 1) select * from d",
    "do $$begin delete from messages; end$$",
])
def test_writes_without_a_context_are_errors(guards: Guards, statement: str) -> None:
    for role in ("guard_app", "guard_off"):
        for setting in ("error", "empty"):
            guards.refused(f"set tenancy.on_missing_context = '{setting}'", statement,
                           role=role, tenant=None, state="TN001")


def test_reads_without_a_context_may_be_empty(guards: Guards) -> None:
    assert guards.passes("set tenancy.on_missing_context = 'empty'", "select * from messages", tenant=None) == []
