"""Drain: after it, no transaction is left that can still write for the tenant."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Server

from .operators import Connect, Later

TABLE = """
do $$ begin if to_regrole('race_app') is null then create role race_app login; end if; end $$;
create table message (id bigint generated always as identity primary key, tenant_id uuid not null, body text);
grant select, insert on message to race_app;
select tenancy.provision('acme'), tenancy.provision('other');
select tenancy.protect('message');
select tenancy.grant_access('race_app', '*', reason => 'test');
"""


@pytest.fixture
def admin(server: Server, database: str, connect: Connect) -> psycopg.Connection[Any]:
    server.psql(TABLE, dbname=database)
    return connect()


@pytest.fixture
def writer(connect: Connect, admin: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """An application's transaction that has written for acme, and is open."""
    app = connect("race_app")
    app.autocommit = False
    app.execute("select tenancy.enter('acme')")
    app.execute("insert into message (body) values ('late')")
    yield app


def count(server: Server, database: str) -> int:
    with server.connect(dbname=database) as look:
        row = look.execute("select count(*) from message").fetchone()
    assert row is not None
    return row[0]


def test_waiting_lets_transactions_end(
    server: Server, database: str, admin: psycopg.Connection[Any], writer: psycopg.Connection[Any]
) -> None:
    admin.execute("select tenancy.suspend('acme', 'x')")
    with pytest.raises(psycopg.Error) as caught:
        admin.execute("call tenancy.drain('acme', 'wait', '100ms')")
    assert caught.value.sqlstate == "TN023"
    later = Later(admin, "call tenancy.drain('acme', 'wait')")
    with pytest.raises(psycopg.Error) as refused:
        writer.commit()
    assert refused.value.sqlstate == "TN005"
    later.result()
    assert "waited for" in later.notices[0]
    assert count(server, database) == 0


def test_cancelling_ends_transactions(
    server: Server, database: str, admin: psycopg.Connection[Any], writer: psycopg.Connection[Any]
) -> None:
    admin.execute("select tenancy.suspend('acme', 'x')")
    admin.execute("call tenancy.drain('acme', 'cancel', '20s')")
    with pytest.raises(psycopg.Error):
        writer.commit()
    assert count(server, database) == 0


def test_other_tenants_are_left_alone(
    server: Server, database: str, connect: Connect, admin: psycopg.Connection[Any]
) -> None:
    app = connect("race_app")
    with app.transaction():
        app.execute("select tenancy.enter('other')")
        app.execute("insert into message (body) values ('fine')")
        admin.execute("select tenancy.suspend('acme', 'x')")
        admin.execute("call tenancy.drain('acme', 'cancel', '5s')")
    assert count(server, database) == 1


def test_an_open_transaction_of_a_read_only_tenant(
    admin: psycopg.Connection[Any], writer: psycopg.Connection[Any], server: Server, database: str
) -> None:
    admin.execute("select tenancy.set_read_only('acme', 'unpaid')")
    with pytest.raises(psycopg.Error):
        admin.execute("call tenancy.drain('acme', 'wait', '100ms')")
    with pytest.raises(psycopg.Error):
        writer.execute("insert into message (body) values ('later')")
        writer.commit()
    writer.rollback()
    admin.execute("call tenancy.drain('acme', 'wait', '10s')")
    assert count(server, database) == 0


def test_without_shared_memory_nobody_is_ended(session_server: Server) -> None:
    name = session_server.createdb("drain_session", extensions=["tenancy"])
    with session_server.connect(dbname=name, autocommit=False) as other, session_server.connect(dbname=name) as superuser:
        superuser.execute("select tenancy.provision('acme'), tenancy.provision('other')")
        superuser.execute("select tenancy.suspend('acme', 'x')")
        other.execute("select tenancy.enter('other')")
        with pytest.raises(psycopg.Error) as caught:
            superuser.execute("call tenancy.drain('acme', 'cancel', '1 second')")
        assert caught.value.sqlstate == "TN023"
        assert other.execute("select tenancy.current_tenant()").fetchone() == ("other",)
        other.commit()
        superuser.execute("call tenancy.drain('acme', 'cancel', '20 seconds')")
    session_server.dropdb(name)


def test_a_pipeline_goes_on_after_it(admin: psycopg.Connection[Any], server: Server, database: str) -> None:
    admin.execute("select tenancy.suspend('acme', 'x')")
    with server.connect(dbname=database) as superuser, superuser.pipeline():
        superuser.execute("call tenancy.drain('acme')")
        superuser.execute("insert into message (tenant_id, body) select tenancy.tenant_id('other'), 'fine'")
    assert count(server, database) == 1
