"""A hot standby: tenants read there, and what the primary withdraws is withdrawn there."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from context_world import Tenant, World, bodies, enter, refused, world  # noqa: F401
from harness import Server, Standby, wait_for


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[World, World]]:
    with Server(name="primary") as primary:
        here = World.create(primary, "app")
        for slug in ("a", "b"):
            here.tenant(slug=slug)
        standby = Standby(primary)
        standby.start()
        try:
            yield here, World(standby, "app")
        finally:
            standby.close()


@pytest.fixture
def tenant(pair) -> Tenant:
    primary, standby = pair
    made = primary.tenant(rows=10)
    standby.server.wait_for_catchup()
    return made


def test_tenants_read(pair):
    _, standby = pair
    standby.server.wait_for_catchup()
    with standby.connect() as connection:
        assert connection.execute("select pg_is_in_recovery()").fetchone() == (True,)
        for slug in "abab":
            with connection.transaction():
                enter(connection, slug)
                assert bodies(connection) == {slug}
            with connection.transaction():
                connection.execute(f"set local tenancy.context = '{slug}'")
                assert bodies(connection) == {slug}
        with refused("TN001"):
            bodies(connection)
        with refused("TN002"), connection.transaction():
            enter(connection, "a")
            enter(connection, "b")
    with standby.connect("app_none") as connection, refused("42501"):
        enter(connection, "a")


def test_tenants_do_not_write(pair):
    _, standby = pair
    with standby.connect() as connection:
        for write in ("insert into app.note (body) values ('x')", "delete from app.note", "select nextval('app.counter')"):
            with refused("25006"), connection.transaction():
                enter(connection, "a")
                connection.execute(write)


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
@pytest.mark.parametrize("step", ["select count(*) from app.note", "fetch 1 from c", "commit"])
def test_suspended_on_the_primary_in_mid_transaction(pair, tenant: Tenant, level: str, step: str):
    primary, standby = pair
    with standby.connect() as connection:
        connection.execute(f"begin isolation level {level}")
        enter(connection, tenant)
        connection.execute("declare c cursor for select * from app.note")
        assert bodies(connection) == {tenant.slug}
        primary.suspend(tenant)
        standby.server.wait_for_catchup()
        with refused("TN005"):
            connection.execute(step)
        connection.execute("rollback")
        with refused("TN005"), connection.transaction():
            enter(connection, tenant)


def test_draining(pair, tenant: Tenant):
    """It waits for those who still read there."""
    primary, standby = pair
    with standby.connect() as connection:
        connection.execute("begin")
        enter(connection, tenant)
        primary.suspend(tenant)
        standby.server.wait_for_catchup()
        with refused("TN023"):
            standby.admin(f"call tenancy.drain('{tenant.slug}', 'wait', '200ms')")
        connection.execute("rollback")
    standby.admin(f"call tenancy.drain('{tenant.slug}', 'wait', '20s')")


def test_suspended_and_resumed(pair, tenant: Tenant):
    primary, standby = pair
    with standby.connect() as connection:
        with connection.transaction():
            enter(connection, tenant)
        primary.suspend(tenant)
        standby.server.wait_for_catchup()
        with refused("TN005"), connection.transaction():
            enter(connection, tenant)
        primary.resume(tenant)
        standby.server.wait_for_catchup()
        with connection.transaction():
            enter(connection, tenant)
            assert bodies(connection) == {tenant.slug}


def test_a_grant_withdrawn_on_the_primary(pair, tenant: Tenant):
    primary, standby = pair
    primary.grant("app_some", tenant)
    standby.server.wait_for_catchup()
    with standby.connect("app_some") as connection:
        connection.execute("begin")
        enter(connection, tenant)
        assert bodies(connection) == {tenant.slug}
        primary.admin("select tenancy.revoke_access('app_some', %s)", tenant.slug)
        standby.server.wait_for_catchup()
        with refused("42501"):
            bodies(connection)


def test_a_loop_that_runs(pair, tenant: Tenant):
    primary, standby = pair
    failed: list[psycopg.Error] = []
    started = threading.Event()

    def run() -> None:
        with standby.connect(application_name="looping") as connection:
            connection.execute("begin")
            enter(connection, tenant)
            started.set()
            try:
                connection.execute(
                    "do $$ begin for i in 1..1000000000 loop perform count(*) from app.note; end loop; end $$"
                )
            except psycopg.Error as error:
                failed.append(error)
            connection.execute("rollback")

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(20)
    active = "select count(*) from pg_stat_activity where application_name = 'looping' and query like 'do%' and state = 'active'"
    wait_for(lambda: standby.admin(active) == [(1,)], 20, "the loop to run")
    primary.suspend(tenant)
    thread.join(30)
    assert not thread.is_alive()
    assert [error.sqlstate for error in failed] == ["TN005"]


def test_promoted(pair):
    """Last in this file: the standby becomes a primary of its own, and works for tenants at once."""
    _, standby = pair
    with standby.connect() as connection:
        with connection.transaction():
            enter(connection, "a")
            assert bodies(connection) == {"a"}
        standby.server.promote()
        with connection.transaction():
            enter(connection, "a")
            connection.execute("insert into app.note (body) values ('a')")
            assert bodies(connection) == {"a"}
