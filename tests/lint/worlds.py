"""Two databases with the same tables in good order: one protected by the extension, one by policies
written by hand, without the extension. Cases change them and are rolled back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from harness import Server

PLAIN_FILE = Path(__file__).resolve().parents[2] / "tenancy_lint.sql"

ROLES = """
create role lint_owner;
create role lint_app login;
create role lint_reader login;
"""

TABLES = """
revoke temporary on database {database} from public;
revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public;
create schema shop authorization lint_owner;
grant usage on schema shop to lint_app;
set role lint_owner;
create table shop.customers (id uuid default gen_random_uuid() primary key, tenant_id uuid not null, email text, unique (tenant_id, id));
create table shop.orders (
    id uuid default gen_random_uuid() primary key, tenant_id uuid not null, customer_id uuid, item text, amount numeric,
    constraint orders_customer_fkey foreign key (tenant_id, customer_id) references shop.customers (tenant_id, id));
create table shop.events (tenant_id uuid not null, at timestamptz not null, payload text) partition by range (at);
create table shop.events_old partition of shop.events for values from (minvalue) to ('2026-01-01');
create table shop.country (code text primary key);
reset role;
grant select, insert, update, delete on shop.customers, shop.orders, shop.events to lint_app;
grant select on shop.country to lint_app;
"""

BY_THE_EXTENSION = """
select tenancy.protect('shop.customers'), tenancy.protect('shop.orders'), tenancy.protect('shop.events'),
       tenancy.share('shop.country', 'ISO 3166');
"""

BY_HAND = """
do $$
declare
    relation text;
begin
    foreach relation in array array['customers', 'orders', 'events', 'events_old'] loop
        execute format('create policy rows on shop.%1$I using (tenant_id = current_setting(''app.tenant'')::uuid);
                        create policy own_rows on shop.%1$I as restrictive using (tenant_id = current_setting(''app.tenant'')::uuid);
                        alter table shop.%1$I enable row level security, force row level security;
                        create index on shop.%1$I (tenant_id)', relation);
    end loop;
end
$$;
"""


@dataclass
class Finding:
    rule: str
    severity: str
    object: str
    message: str
    demonstration: str
    fix: str
    fingerprint: str


class World:
    """A database to be linted, and how."""

    def __init__(self, server: Server, name: str, *, extension: bool) -> None:
        self.server = server
        self.name = name
        self.extension = extension
        server.createdb(name, extensions=["tenancy"] if extension else [])
        server.psql(TABLES.format(database=name) + (BY_THE_EXTENSION if extension else BY_HAND), dbname=name)
        self.connection = server.connect(dbname=name)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """A superuser's, in which the guards let everything happen, and of which nothing stays."""
        with self.connection.transaction(force_rollback=True):
            self.connection.execute("set local client_min_messages = error")
            if self.extension:
                self.connection.execute("set local tenancy.guard = off")
            yield self.connection

    def lint(self, connection: psycopg.Connection[Any], version: str | None = None) -> list[Finding]:
        """What is found now: by the plain file as a role without any right, where there is no extension."""
        columns = "rule, severity, object, message, demonstration, fix, fingerprint"
        if self.extension and version is None:
            rows = connection.execute(f"select {columns} from tenancy.check_isolation()").fetchall()
        elif self.extension:
            [(body,)] = connection.execute("select prosrc from pg_proc where oid = 'tenancy.isolation_lint'::regproc").fetchall()
            query = of_version(body, version)
            rows = connection.execute(f"select {columns} from ({query}) as findings where object is not null").fetchall()
        else:
            connection.execute("set local role lint_reader")
            rows = connection.execute(f"select {columns} from ({of_version(plain_query(), version)}) as findings").fetchall()
            connection.execute("reset role")
        return [Finding(*row) for row in rows]


def plain_query() -> str:
    """The plain file's one query."""
    return re.sub(r"^SET .*;$|;\s*\Z", "", PLAIN_FILE.read_text(), flags=re.M)


def of_version(query: str, version: str | None) -> str:
    """The query as it judges a server of that version."""
    asked = "current_setting('server_version_num')::integer"
    assert query.count(asked) == 1
    return query.replace(asked, version or asked)
