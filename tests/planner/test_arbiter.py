"""ON CONFLICT goes on working where keys were made unique within a tenant."""

from typing import Any

import pytest
from context_world import refused
from harness import Server

SCHEMA = """
do $$ begin if to_regrole('arbiter_app') is null then create role arbiter_app login; end if; end $$;
create table contact (id bigint generated always as identity primary key, tenant_id uuid, email text unique, visits int default 1);
create unique index on contact (lower(email));
create table place (tenant_id uuid, code text, name text, unique (code, name));
select tenancy.provision('one'), tenancy.provision('two');
select tenancy.grant_access('arbiter_app', '*', reason => 'tests');
select tenancy.protect('contact', harden_keys => 'keys'), tenancy.protect('place', harden_keys => 'keys');
grant select, insert, update on contact, place to arbiter_app;
"""

UPSERTS = {
    "column": "insert into contact (email) values ('a@x') on conflict (email) do update set visits = contact.visits + 1 returning visits",
    "column and tenant": "insert into contact (email) values ('a@x') on conflict (tenant_id, email) do update set visits = contact.visits + 1 returning visits",
    "in a cte": "with made as (insert into contact (email) values ('a@x') on conflict (email) do update set visits = contact.visits + 1 returning visits) select * from made",
    "from a select": "insert into contact (email) select 'a@x' on conflict (email) do update set visits = contact.visits + 1 returning visits",
    "by constraint": "insert into contact (email) values ('a@x') on conflict on constraint contact_email_key do update set visits = contact.visits + 1 returning visits",
}


def run(server: Server, database: str, slug: str, sql: str) -> list[tuple[Any, ...]]:
    with server.connect(user="arbiter_app", dbname=database) as connection, connection.transaction():
        connection.execute("select tenancy.enter(%s)", [slug])
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("sql", UPSERTS.values(), ids=UPSERTS.keys())
def test_upsert(server: Server, database: str, sql: str) -> None:
    server.execute(SCHEMA, dbname=database)
    for slug in ("one", "two"):
        assert run(server, database, slug, sql) == [(1,)]
    assert run(server, database, "one", sql) == [(2,)]
    assert run(server, database, "two", "select visits from contact") == [(1,)]


@pytest.mark.parametrize("index", [
    "create unique index on contact (email) where visits > 100",
    "alter table contact add constraint late unique (email) deferrable",
], ids=["partial", "deferrable"])
def test_an_index_that_cannot_decide(server: Server, database: str, index: str) -> None:
    server.execute(SCHEMA, dbname=database)
    server.execute(index, dbname=database)
    assert run(server, database, "one", UPSERTS["column"]) == [(1,)]
    assert run(server, database, "one", UPSERTS["column"]) == [(2,)]


def test_several_columns(server: Server, database: str) -> None:
    server.execute(SCHEMA, dbname=database)
    sql = "insert into place (name, code) values ('n', 'c') on conflict (name, code) do nothing returning code"
    assert [run(server, database, slug, sql) for slug in ("one", "one", "two")] == [[("c",)], [], [("c",)]]


def test_a_key_that_does_not_exist_is_refused_as_before(server: Server, database: str) -> None:
    server.execute(SCHEMA, dbname=database)
    with refused("42P10"):
        run(server, database, "one", "insert into place (name) values ('n') on conflict (name) do nothing returning code")
