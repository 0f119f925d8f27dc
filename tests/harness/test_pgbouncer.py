"""The harness itself: a PgBouncer in transaction mode."""

import psycopg
import pytest
from harness import PgBouncer, Server, wait_for

BACKEND = "select pg_backend_pid(), current_user::text"


@pytest.fixture(scope="module")
def plain():
    with Server(preload=None) as server:
        server.execute("create role alice login; create role bob login password 'secret'")
        yield server


def test_two_clients_share_one_server_connection(plain):
    with PgBouncer(plain) as pooler:
        one, two = pooler.connect(user="alice"), pooler.connect(user="alice")
        first = one.execute(BACKEND).fetchone()
        assert first == two.execute(BACKEND).fetchone()
        assert first is not None and first[1] == "alice"


def test_a_transaction_holds_the_server_connection(plain):
    settings = {"query_wait_timeout": 1}
    with PgBouncer(plain, settings=settings) as pooler, pooler.connect(user="alice") as holder:
        with holder.transaction():
            holder.execute("select 1")
            with pooler.connect(user="alice") as waiter:
                with pytest.raises(psycopg.OperationalError, match="query_wait_timeout"):
                    waiter.execute("select 1")


def test_pool_size_and_roles(plain):
    with PgBouncer(plain, default_pool_size=2) as pooler:
        with pooler.connect(user="bob") as one, pooler.connect(user="bob") as two:
            with one.transaction(), two.transaction():
                a, b = one.execute(BACKEND).fetchone(), two.execute(BACKEND).fetchone()
        assert a != b and a is not None and a[1] == "bob"
    wait_for(
        lambda: plain.execute("select count(*) from pg_stat_activity where usename = 'bob'") == [(0,)],
        10,
        "the pooler's connections to end",
    )
