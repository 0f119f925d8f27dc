"""What the tests of COPY FROM work on: the same tables twice, in schema `shop`, where they are
protected, and in schema `twin`, where they are not.

load_owner  owns the tables
load_app    an application role
load_reader one that may only read, by its access grant
load_narrow an application role that may write two columns of item
load_files  an application role that may read the server's files and run its programs

What a load into a twin does, rows, errors with their lines, triggers, is what PostgreSQL's own COPY
does, and what a load into the protected table must do, too.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from harness import Server, wait_for

Altered = Callable[[str, str], None]
DATABASE = "copies"
ROLES = ("load_app", "load_reader", "load_narrow", "load_files", "load_batch", "load_owner")
ACME = "aaaaaaaa-0000-4000-8000-000000000001"
GLOBEX = "bbbbbbbb-0000-4000-8000-000000000002"

SETUP = """
create role load_owner login;
create role load_app login;
create role load_reader login;
create role load_narrow login;
create role load_files login in role pg_read_server_files, pg_execute_server_program;
create role load_batch login bypassrls;
select tenancy.provision('acme', id => '{acme}'), tenancy.provision('globex', id => '{globex}');
select tenancy.grant_access(role, '*', reason => 'test')
  from unnest(array['load_owner', 'load_app', 'load_narrow', 'load_files']::regrole[]) role;
select tenancy.grant_access('load_reader', '*', 'read_only', reason => 'test');
select tenancy.register_bypass('load_batch', 'batch jobs');
create schema shop authorization load_owner;
create schema twin authorization load_owner;
create schema work;
grant usage on schema shop, twin, work to public;
grant create on schema work to load_app, load_owner;
create domain work.positive as integer check (value > 0);
create table work.seen (number bigint generated always as identity, what text, count bigint, who name default current_user);
grant insert, select on work.seen to public;
"""

# The same in both schemas; `tenant` is the default of the tenant column in the twins.
TABLES = """
set role load_owner;
set search_path = {schema};
create table item (
    gone text,
    id bigint generated always as identity primary key,
    tenant_id uuid not null default {tenant},
    code text not null,
    amount work.positive,
    price numeric(10, 2) default 9.99,
    at date default '2026-01-01',
    doubled integer generated always as (amount * 2) stored,
    note text,
    check (price < 1000)
);
alter table item drop column gone;
create unique index on item (tenant_id, code);

create table event (id bigint not null, tenant_id uuid not null default {tenant}, at date not null, body text) partition by range (at);
create table event_2025 partition of event for values from ('2025-01-01') to ('2026-01-01');
create table event_2026 (body text, at date not null, spare text, tenant_id uuid not null default {tenant}, id bigint not null);
alter table event_2026 drop column spare;
alter table event attach partition event_2026 for values from ('2026-01-01') to ('2027-01-01');

create table line (id bigint primary key, tenant_id uuid not null default {tenant}, item_id bigint references item, body text);
create table plain (id bigint, tenant_id uuid not null default {tenant}, body text);

create function row_seen() returns trigger language plpgsql as $$ begin
    insert into work.seen (what) values (tg_op || ' ' || tg_when || ' row ' || coalesce(new.note, '-'));
    if new.note = 'tell' then raise notice 'told by a trigger'; end if;
    if new.note = 'skip' then return null; end if;
    if new.note = 'refuse' then raise exception 'refused by a trigger' using errcode = 'P0001'; end if;
    if new.note = 'change' then new.note := 'changed'; end if;
    return new;
end $$;
create trigger before_row before insert on item for each row execute function row_seen();
create trigger after_row after insert on item for each row execute function row_seen();
create function statement_seen() returns trigger language plpgsql as $$ begin
    insert into work.seen (what) values (tg_op || ' ' || tg_when || ' statement');
    if current_setting('work.refuse', true) = tg_when then raise exception 'refused %', tg_when; end if;
    return null;
end $$;
create trigger before_statement before insert on item execute function statement_seen();
create trigger statement_after after insert on item execute function statement_seen();
create function rows_seen() returns trigger language plpgsql as $$ begin
    insert into work.seen (what, count) select 'rows of ' || tg_table_name, count(*) from fresh;
    return null;
end $$;
create trigger after_statement after insert on item referencing new table as fresh execute function rows_seen();
create trigger after_statement after insert on event referencing new table as fresh execute function rows_seen();
grant select, insert, update, delete on item, event, event_2025, event_2026, line, plain to load_app, load_reader, load_files, load_batch;
grant usage on sequence item_id_seq to load_app, load_files;
grant insert (code, note), select on item to load_narrow;
reset role;
reset search_path;
"""

PROTECT = """
set role load_owner;
select tenancy.protect(('shop.' || name)::regclass) from unnest(array['item', 'event', 'line', 'plain']) with ordinality t(name, n) order by n;
reset role;
"""


@dataclass
class Outcome:
    """What a load came to, and what its tables and triggers have seen."""

    tag: str = ""
    error: tuple[str | None, ...] = ()
    notices: list[tuple[str | None, str | None]] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    seen: list[tuple[Any, ...]] = field(default_factory=list)


def describe(error: psycopg.Error) -> tuple[str | None, ...]:
    """Without the values of a row that breaks a constraint, which row security has PostgreSQL withhold."""
    diag = error.diag
    detail = None if error.sqlstate and error.sqlstate.startswith("23") else diag.message_detail
    return (error.sqlstate, diag.message_primary, detail, diag.message_hint, diag.context)


def enter(connection: psycopg.Connection[Any], tenant: str = "acme") -> None:
    connection.execute("begin")
    connection.execute("select tenancy.enter(%s)", [tenant])


def load(connection: psycopg.Connection[Any], statement: str, data: bytes | Iterable[bytes] = b"") -> str:
    """Sends the data to a COPY; its command tag."""
    cursor = connection.cursor()
    with cursor.copy(statement) as copy:
        for block in [data] if isinstance(data, bytes) else data:
            copy.write(block)
    return cursor.statusmessage or ""


def begin_load(connection: psycopg.Connection[Any], statement: str, data: bytes) -> None:
    """Begins a COPY, sends the data, and leaves it at that."""
    assert connection.pgconn.exec_(statement.encode()).status == psycopg.pq.ExecStatus.COPY_IN
    connection.pgconn.put_copy_data(data)


def binary(*rows: list[bytes | None], header: bytes = b"PGCOPY\n\xff\r\n\0" + bytes(8), end: bytes = b"\xff\xff") -> bytes:
    """The binary format of COPY."""
    data = header
    for row in rows:
        data += struct.pack("!h", len(row))
        for value in row:
            data += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return data + end


class Copies:
    """A database with the setup above."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def connect(self, role: str = "load_app", *, tenant: str | None = "acme", **more: Any) -> psycopg.Connection[Any]:
        """A connection inside a transaction of the tenant, or in autocommit."""
        connection = self.server.connect(user=role, dbname=DATABASE, **more)
        if tenant:
            enter(connection, tenant)
        return connection

    def admin(self, sql: str) -> list[tuple[Any, ...]]:
        return self.server.execute(sql, dbname=DATABASE)

    def outcome(
        self, schema: str, statement: str, data: bytes = b"", *, role: str = "load_app", table: str = "item",
        before: str = "",
    ) -> Outcome:
        """Of a load into one of the schemas, which is rolled back. `before` is run in its transaction."""
        result = Outcome()
        self.admin(f"alter table {schema}.item alter id restart")
        with self.connect(role) as connection:
            connection.execute(f"set search_path = {schema}, work")
            connection.add_notice_handler(lambda diag: result.notices.append((diag.message_primary, diag.context)))
            if before:
                connection.execute(before)
            connection.execute("savepoint s")
            try:
                result.tag = load(connection, statement, data)
            except psycopg.Error as error:
                result.error = describe(error)
                connection.execute("rollback to s")
            result.rows = connection.execute(f"select *, tableoid::regclass::text from {table} order by id").fetchall()
            result.seen = connection.execute("select what, count from work.seen order by number").fetchall()
            connection.execute("rollback")
        return result

    def same_as_copy(self, statement: str, data: bytes = b"", **options: Any) -> Outcome:
        """Loads the same into the protected table and its twin; both must come to the same."""
        protected = self.outcome("shop", statement, data, **options)
        assert protected == self.outcome("twin", statement, data, **options)
        return protected

    def refused(
        self, statement: str, data: bytes = b"", *, state: str, role: str = "load_app", tenant: str | None = "acme"
    ) -> psycopg.Error:
        """The load fails, the session goes on, and nothing is left behind."""
        with self.connect(role, tenant=tenant) as connection:
            with pytest.raises(psycopg.Error) as raised:
                load(connection, statement, data)
            assert raised.value.sqlstate == state, raised.value
            connection.execute("rollback")
            assert connection.execute("select 1").fetchone() == (1,)
        return raised.value

    def is_there(self, backend: int) -> bool:
        return self.admin(f"select 1 from pg_stat_activity where pid = {backend}") != []

    def wait_for_rows(self, connection: psycopg.Connection[Any], rows: int) -> None:
        """Sends what the driver has kept, and waits until so many rows of the connection's COPY are in."""
        while connection.pgconn.flush():
            pass
        backend = connection.info.backend_pid
        query = f"select 1 from pg_stat_progress_copy where pid = {backend} and tuples_processed >= {rows}"
        wait_for(lambda: self.admin(query), what=f"{rows} rows")

    def count(self, table: str) -> int:
        """The rows of all tenants."""
        [(count,)] = self.admin(f"select count(*) from {table}")
        return int(count)


@pytest.fixture(scope="session")
def copies(server: Server) -> Iterator[Copies]:
    remove(server)
    server.createdb(DATABASE, extensions=["tenancy"])
    server.psql(SETUP.format(acme=ACME, globex=GLOBEX), dbname=DATABASE)
    for schema, tenant in (("shop", "tenancy.default_tenant_id()"), ("twin", f"'{ACME}'")):
        server.psql(TABLES.format(schema=schema, tenant=tenant), dbname=DATABASE)
    server.psql(PROTECT, dbname=DATABASE)
    yield Copies(server)
    remove(server)


def remove(server: Server) -> None:
    server.dropdb(DATABASE)
    for role in ROLES:
        server.execute(f"drop role if exists {role}")


@pytest.fixture
def altered(copies: Copies) -> Iterator[Altered]:
    """altered(do, undo): changes the schema for one test."""
    undone: list[str] = []

    def change(do: str, undo: str) -> None:
        copies.server.psql(do, dbname=DATABASE)
        undone.append(undo)

    yield change
    for undo in reversed(undone):
        copies.server.psql(undo, dbname=DATABASE)
