"""What the tests of the context work on: a database with one protected table, roles, tenants.

    from context_world import World, world  # noqa: F401

`world` lasts for a module. Tests that change a tenant or a grant make tenants of their own.
"""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from harness import Server

ENTER = "select tenancy.enter(%s)"

# app_any may enter every tenant, app_none has no grant, app_some gets grants from single tests. None
# is superuser, owner or BYPASSRLS.
ROLES = """
do $$
declare name text;
begin
    foreach name in array array['table_owner', 'app_any', 'app_some', 'app_none', 'ops', 'bypass'] loop
        if to_regrole(name) is null then
            execute format('create role %I login', name);
        end if;
    end loop;
end $$;
alter role bypass bypassrls;
grant tenancy_admin to ops;
"""

SCHEMA = """
select tenancy.add_operator('ops', 'admin');
grant create, temp on database {database} to table_owner;
create schema app authorization table_owner;
grant usage on schema app to public;
set role table_owner;
create table app.note (
    id bigint generated always as identity primary key,
    tenant_id uuid not null default tenancy.default_tenant_id(),
    body text not null
);
create index on app.note (tenant_id);
alter table app.note enable row level security, force row level security;
create policy r on app.note as restrictive
    using (tenant_id = tenancy.current_tenant_id()) with check (tenant_id = tenancy.current_tenant_id());
create policy p on app.note
    using (tenant_id = tenancy.current_tenant_id()) with check (tenant_id = tenancy.current_tenant_id());
grant select, insert, update, delete on app.note to app_any, app_some, app_none, bypass;
create sequence app.counter;
grant usage on sequence app.note_id_seq to app_any;
grant usage, update on sequence app.counter to app_any, app_some;
reset role;
-- Where a test holds a tenant's statement: a superuser's function, since tenants get no lock that others share.
create function app.gate(key bigint) returns void language sql security definer as
    'select pg_catalog.pg_advisory_xact_lock_shared(key)';
select tenancy.grant_access('app_any', '*', reason => 'tests');
"""


@dataclass(frozen=True)
class Tenant:
    slug: str
    id: str


class World:
    """A database of `server` with the schema above."""

    def __init__(self, server: Server, database: str) -> None:
        self.server = server
        self.database = database
        self._numbers = itertools.count(1)

    @classmethod
    def create(cls, server: Server, database: str) -> "World":
        server.dropdb(database)
        server.createdb(database)
        return cls.create_in(server, database)

    @classmethod
    def create_in(cls, server: Server, database: str) -> "World":
        server.execute("create extension tenancy", dbname=database)
        server.execute(ROLES, dbname=database)
        server.execute(SCHEMA.format(database=database), dbname=database)
        return cls(server, database)

    def connect(self, user: str = "app_any", **more: Any) -> psycopg.Connection[Any]:
        return self.server.connect(user=user, dbname=self.database, **more)

    def admin(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Runs a statement as a superuser, and commits."""
        return self.server.execute(sql, parameters or None, dbname=self.database)

    def tenant(self, rows: int = 2, **options: Any) -> Tenant:
        """A new active tenant with rows whose body is its slug."""
        slug = options.pop("slug", f"t{next(self._numbers)}")
        [(made,)] = self.admin(
            "select tenancy.provision(slug => %s, external_id => %s)::text", slug, options.pop("external_id", None)
        )
        with self.connect() as connection, connection.transaction():
            connection.execute(ENTER, [slug])
            connection.execute("insert into app.note (body) select %s from generate_series(1, %s)", [slug, rows])
        return Tenant(slug, made)

    def grant(self, role: str, tenant: Tenant, **options: Any) -> None:
        names = "".join(f", {name} => %({name})s" for name in options)
        with self.server.connect(dbname=self.database) as connection:
            connection.execute(
                f"select tenancy.grant_access(%(role)s, %(tenant)s, reason => 'test'{names})",
                {"role": role, "tenant": tenant.slug} | options,
            )

    def suspend(self, tenant: Tenant) -> None:
        self.admin("select tenancy.suspend(%s, 'test')", tenant.slug)

    def resume(self, tenant: Tenant) -> None:
        self.admin("select tenancy.resume(%s)", tenant.slug)

    def stored(self, tenant: Tenant) -> int:
        """How many rows the tenant has in the table."""
        with self.server.connect(dbname=self.database) as connection:
            connection.execute("set row_security = off")
            row = connection.execute("select count(*) from app.note where tenant_id = %s", [tenant.id]).fetchone()
            assert row is not None
            return int(row[0])


@pytest.fixture(scope="module")
def world(server: Server, request: pytest.FixtureRequest) -> Iterator[World]:
    name = re.sub(r"\W+", "_", request.module.__name__).lower()[-40:]
    yield World.create(server, name)
    server.dropdb(name)


@contextmanager
def refused(sqlstate: str, match: str | None = None) -> Iterator[pytest.ExceptionInfo[psycopg.Error]]:
    """Expects an error with this SQLSTATE, and with a hint when it is one of tenancy's own."""
    with pytest.raises(psycopg.Error, match=match) as caught:
        yield caught
    error = caught.value
    assert error.sqlstate == sqlstate, f"{error.sqlstate}: {error}"
    if sqlstate.startswith("TN"):
        assert error.diag.message_hint, f"{sqlstate} without a hint"


def enter(connection: psycopg.Connection[Any], tenant: Tenant | str) -> None:
    connection.execute(ENTER, [tenant.slug if isinstance(tenant, Tenant) else tenant])


def bodies(connection: psycopg.Connection[Any]) -> set[str]:
    """The tenants whose rows the connection sees."""
    return {row[0] for row in connection.execute("select distinct body from app.note")}
