"""CALL tenancy.drain(): it returns when nothing of the tenant is left in flight."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest
from context_world import Tenant, World, enter, refused, world  # noqa: F401
from harness import Server, wait_for


@pytest.fixture(scope="module", params=["shared", "session"])
def drained(request) -> Iterator[World]:
    """With shared memory to tell whose transactions are whose, and without."""
    with Server(preload=request.param, name=f"drain_{request.param}") as server:
        made = World.create(server, "drain")
        made.shared = request.param == "shared"
        yield made


@pytest.fixture
def tenant(drained: World) -> Tenant:
    return drained.tenant(rows=5)


@pytest.fixture
def call(drained: World, tenant: Tenant) -> Iterator:
    """call(mode, timeout): suspends the tenant, then drains it in the background."""
    pool = ThreadPoolExecutor()

    def start(mode: str, timeout: str | None = "30 s") -> Future:
        drained.suspend(tenant)

        def drain() -> str:
            notices: list[str] = []
            with drained.connect("ops", application_name="drain") as connection:
                connection.add_notice_handler(lambda diag: notices.append(diag.message_primary))
                connection.execute("call tenancy.drain(%s, %s, %s::interval)", [tenant.slug, mode, timeout])
            return notices[0]

        return pool.submit(drain)

    yield start
    pool.shutdown()


@pytest.fixture
def worker(drained: World, tenant: Tenant) -> Iterator[psycopg.Connection]:
    """A session that is idle in a transaction of the tenant, with a row not yet committed."""
    with drained.connect() as connection:
        connection.execute("begin")
        enter(connection, tenant)
        connection.execute("insert into app.note (body) values ('late')")
        yield connection


def is_waiting(drained: World) -> bool:
    query = "select count(*) from pg_stat_activity where application_name = 'drain' and wait_event_type = 'Extension'"
    return drained.admin(query) == [(1,)]


def test_nothing_to_wait_for(drained: World, tenant: Tenant, call):
    assert "waited for 0 transactions" in call("wait").result(20)


def test_wait_returns_when_the_transaction_has_ended(drained: World, tenant: Tenant, worker, call):
    waiting = call("wait")
    wait_for(lambda: is_waiting(drained), 20, "drain to wait")
    assert not waiting.done()
    with refused("TN005"):
        worker.execute("commit")
    assert re.search("waited for [1-9]", waiting.result(20))
    assert drained.stored(tenant) == 5


def test_wait_times_out(drained: World, tenant: Tenant, worker, call):
    with refused("TN023"):
        call("wait", "300 ms").result(20)
    with refused("TN005"):
        worker.execute("select 1")


def test_cancel_ends_an_idle_transaction(drained: World, tenant: Tenant, worker, call):
    if not drained.shared:  # nobody knows whose transaction it is: none is ended, all are waited for
        with refused("TN023"):
            call("cancel", "1500 ms").result(20)
        worker.execute("rollback")
        return
    assert "waited for 1 transactions" in call("cancel").result(20)
    with pytest.raises(psycopg.Error):
        worker.execute("commit")
    assert drained.stored(tenant) == 5


@pytest.mark.parametrize("mode", ["wait", "cancel"])
def test_a_running_statement(drained: World, tenant: Tenant, call, mode: str):
    """One statement that has started before the suspension: it may finish, or is cancelled."""
    if mode == "cancel" and not drained.shared:
        mode = "wait"
    failed: list[psycopg.Error] = []
    with drained.connect("postgres") as gate:
        gate.execute("select pg_advisory_lock(4713)")

        def run() -> None:
            with drained.connect() as connection:
                connection.execute("begin")
                enter(connection, tenant)
                try:
                    connection.execute("select app.gate(4713) from app.note")
                    connection.execute("commit")
                except psycopg.Error as error:
                    failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        blocked = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4713 and not granted"
        wait_for(lambda: drained.admin(blocked) == [(1,)], 20, "the statement to run")
        waiting = call(mode)
        if mode == "wait":
            wait_for(lambda: is_waiting(drained), 20, "drain to wait")
            assert not waiting.done()
            gate.execute("select pg_advisory_unlock(4713)")
        assert re.search("waited for [1-9]", waiting.result(20))
        thread.join(20)
    assert [error.sqlstate for error in failed] == ["TN005" if mode == "wait" else "57014"]


def test_other_tenants_go_on(drained: World, tenant: Tenant, call):
    """With shared memory nobody waits for another tenant; without, for every transaction."""
    other = drained.tenant()
    with drained.connect() as connection:
        connection.execute("begin")
        enter(connection, other)
        connection.execute("insert into app.note (body) values ('x')")
        if drained.shared:
            assert "waited for 0 transactions" in call("cancel").result(20)
        else:
            with refused("TN023"):
                call("wait", "300 ms").result(20)
        connection.execute("commit")
    assert drained.stored(other) == 3


def test_a_transaction_of_all_tenants_is_waited_for(drained: World, tenant: Tenant, call):
    drained.admin("select tenancy.register_bypass('bypass', 'batch')")
    with drained.connect("bypass") as connection:
        connection.execute("begin")
        connection.execute("select tenancy.enter_all('test')")
        waiting = call("wait")
        wait_for(lambda: is_waiting(drained), 20, "drain to wait")
        assert not waiting.done()
        connection.execute("commit")
        assert re.search("waited for [1-9]", waiting.result(20))


def test_a_prepared_transaction(drained: World, tenant: Tenant, call):
    """Nothing is prepared in a context; without shared memory it counts like every transaction."""
    with drained.connect("postgres") as connection:
        connection.execute("begin")
        connection.execute("create table prepared_now ()")
        connection.execute("prepare transaction 'p'")
        try:
            if drained.shared:
                assert "waited for 0 transactions" in call("cancel").result(20)
            else:
                with refused("TN023"):
                    call("cancel", "300 ms").result(20)
        finally:
            connection.execute("rollback prepared 'p'")


def test_a_context_that_has_ended_is_not_waited_for(drained: World, tenant: Tenant, call):
    """The session is idle, or works for another tenant by now."""
    other = drained.tenant()
    with drained.connect() as connection:
        with connection.transaction():
            enter(connection, tenant)
        connection.execute("begin")
        connection.execute("select 1")
        enter(connection, other)
        if drained.shared:
            assert "waited for 0 transactions" in call("cancel").result(20)
        else:
            with refused("TN023"):
                call("wait", "300 ms").result(20)
        connection.execute("commit")


@pytest.mark.parametrize("user", ["app_any", "table_owner"])
def test_not_for_everybody(drained: World, tenant: Tenant, user: str):
    with drained.connect(user) as connection:
        with refused("42501"):
            connection.execute("call tenancy.drain(%s)", [tenant.slug])
        with refused("42501"):
            connection.execute("select tenancy.wait_for_tenant_writers(%s, true, 1)", [tenant.id])


def test_no_row_lands_after_drain(drained: World, tenant: Tenant):
    """Writers race with a suspension: what is there when drain returns is all there ever is."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            try:
                with drained.connect() as connection:
                    for _ in range(200):
                        with connection.transaction():
                            enter(connection, tenant)
                            connection.execute("insert into app.note (body) values ('late')")
            except psycopg.Error as error:
                if error.sqlstate != "TN005":
                    raise
                return

    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(write) for _ in range(3)]
        wait_for(lambda: drained.stored(tenant) > 20, 20, "the writers to write")
        drained.suspend(tenant)
        with drained.connect("ops") as operator:
            operator.execute("call tenancy.drain(%s, 'wait')", [tenant.slug])
        settled = drained.stored(tenant)
        stop.set()
        for writer in writers:
            writer.result(30)
    assert drained.stored(tenant) == settled
