"""What the tests of the guards work on: two tenants, a protected table, and roles.

guard_app   an application role, guarded
guard_off   the same, for which a superuser has set tenancy.guard = off: what it can do is the leak
guard_etl   a role with BYPASSRLS that nobody registered
guard_batch one that is registered, for batch jobs
guard_dump  one that is registered for backups
"""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Server

DATABASE = "guards"
ROLES = ("guard_app", "guard_off", "guard_etl", "guard_batch", "guard_dump", "guard_owner")

SETUP = """
create role guard_app login;
create role guard_off login;
create role guard_etl login bypassrls;
create role guard_batch login bypassrls;
create role guard_dump login bypassrls;
create role guard_owner nologin;
alter role guard_off set tenancy.guard = off;
grant create on schema public to guard_owner, guard_app, guard_off, guard_batch;

select tenancy.provision('acme'), tenancy.provision('globex');
select tenancy.grant_access('guard_app', '*', reason => 'test'),
       tenancy.grant_access('guard_off', '*', reason => 'test');

set role guard_owner;
create table messages (tenant_id uuid not null, id integer not null, body text not null);
create table plain (id integer, body text);
reset role;
insert into messages select t.id, n, t.slug || ' message'
  from tenancy.tenant t, generate_series(1, case t.slug when 'acme' then 10 else 700 end) n;
insert into plain select n, 'plain' from generate_series(1, 10) n;
alter table messages add primary key (tenant_id, id);
analyze messages;
select tenancy.protect('messages');
grant select, insert, update, delete on messages, plain
  to guard_app, guard_off, guard_etl, guard_batch, guard_dump;

set role guard_owner;
create view message_view with (security_invoker) as select * from messages;
create function count_messages() returns bigint language plpgsql as
  $$begin return (select count(*) from public.messages); end$$;
create function list_messages() returns setof text language plpgsql as
  $$declare r record; begin for r in select body from public.messages loop return next r.body; end loop; end$$;
create function inlined_messages() returns setof public.messages language sql stable as
  $$select * from public.messages$$;
reset role;
grant select, insert, update, delete on message_view to guard_app, guard_off;

create view bypass_view as select * from messages;
alter view bypass_view owner to guard_batch;
grant select on bypass_view to guard_app;
create function bypass_count() returns bigint language sql security definer
  begin atomic select count(*) from messages; end;
alter function bypass_count() owner to guard_batch;

select tenancy.register_bypass('guard_batch', 'batch jobs'),
       tenancy.register_bypass('guard_dump', 'backup');
"""


class Guards:
    """A database with the setup above, and ways to run statements in it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def connect(self, role: str = "guard_app", *, tenant: str | None = None) -> psycopg.Connection[Any]:
        """A connection in autocommit; with a tenant, inside a transaction that works for it."""
        connection = self.server.connect(user=role, dbname=DATABASE)
        if tenant:
            enter(connection, tenant)
        return connection

    def admin(self, sql: str) -> list[tuple[Any, ...]]:
        return self.server.execute(sql, dbname=DATABASE)

    def passes(self, *statements: str, role: str = "guard_app", tenant: str | None = "acme") -> list[Any]:
        """Runs the statements in one transaction (one by one without a tenant); the last one's rows."""
        with self.connect(role, tenant=tenant) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
            if tenant:
                connection.execute("commit")
            return rows

    def refused(
        self, *statements: str, role: str = "guard_app", tenant: str | None = "acme", state: str = "42501",
        match: str = "",
    ) -> psycopg.Error:
        """The last statement, or else the COMMIT, is refused with the state; those before it pass."""
        with self.connect(role, tenant=tenant) as connection:
            for statement in statements[:-1]:
                connection.execute(statement)
            with pytest.raises(psycopg.Error) as raised:
                connection.execute(statements[-1])
            assert raised.value.sqlstate == state, raised.value
            assert re.search(match, str(raised.value)), raised.value
            assert raised.value.diag.message_hint or state == "25006"
            connection.execute("rollback")
        return raised.value

    def is_the_guards_work(
        self, *statements: str, tenant: str | None = "acme", match: str = ""
    ) -> psycopg.Error:
        """Passes where tenancy.guard is off, and is refused to an application role."""
        self.passes(*statements, role="guard_off", tenant=tenant)
        return self.refused(*statements, tenant=tenant, match=match)


def enter(connection: psycopg.Connection[Any], tenant: str) -> None:
    connection.execute("begin")
    connection.execute("select tenancy.enter(%s)", [tenant])


@pytest.fixture(scope="session")
def guards(server: Server) -> Iterator[Guards]:
    server.dropdb(DATABASE)
    _drop_roles(server)
    server.createdb(DATABASE, extensions=["tenancy"])
    server.psql(SETUP, dbname=DATABASE)
    yield Guards(server)
    server.dropdb(DATABASE)
    _drop_roles(server)


def _drop_roles(server: Server) -> None:
    for role in ROLES:
        server.execute(f"drop role if exists {role}")
