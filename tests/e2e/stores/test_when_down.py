"""docs/explanation/when-something-is-down.md, line by line."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from harness import wait_for
from harness.process import Daemon

from . import faults
from .copies import promoted_standby
from .proxy import RawProxy
from .shown import lagging
from .world import StoresDaemon, World

PAGE = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "when-something-is-down.md"

Test = Callable[..., None]
_tested: dict[str, list[Test]] = {}


def line(title: str) -> Callable[[Test], Test]:
    """Says which line of the table a test tries."""

    def mark(test: Test) -> Test:
        _tested.setdefault(title, []).append(test)
        return test

    return mark


def rows() -> dict[str, list[str]]:
    """The cells of each line of the page's table by its first."""
    lines = [[cell.strip() for cell in row.strip("|\n ").split(" | ")] for row in PAGE.read_text().splitlines() if row.startswith("| ")]
    assert lines[0] == ["down", "still works", "waits", "tells", "to do"]
    return {cells[0]: cells[1:] for cells in lines[2:]}


def test_every_line_is_tried() -> None:
    assert set(_tested) == set(rows())
    assert all(len(cells) == 4 for cells in rows().values())


@pytest.fixture
def daemon(world: World) -> StoresDaemon:
    """Of a world in which `one` is converged."""
    made = world.daemon(config={"postgres": {"connect_timeout": "1s", "statement_timeout": "1s"}})
    assert isinstance(made, StoresDaemon)
    world.provision("one")
    world.converged()
    return made


def says(daemon: StoresDaemon, reason: str) -> None:
    """Until /readyz names the reason."""
    wait_for(lambda: any(reason in each for each in daemon.readiness().get("reasons", [])), 20, reason)


def alarmed(world: World, alarm: str, store: str | None = None) -> None:
    """Until the alarm is there, once the grace that it gives is over."""
    try:
        wait_for(lambda: (store, alarm) in world.alarms(), 30, f"the alarm {alarm}")
    except TimeoutError:
        raise AssertionError(f"no {alarm}, but {world.alarms()}; {lagging(world)}") from None


def shown(world: World, slug: str = "one") -> tuple[str, str]:
    """The state that Redis and MongoDB show."""
    tenant = world.sql("select id from tenancy.tenant where slug = %s", [slug])[0][0]
    return shown_of(world, tenant.hex)


def shown_of(world: World, tenant: str) -> tuple[str, str]:
    with world.servers.redis.connect() as redis, world.servers.mongodb.client() as mongodb:
        document = mongodb[f"t_{tenant}"]["tenancy"].find_one() or {}
        return redis.hget(f"{{t:{tenant}}}:tenancy:tenant", "state") or "", document.get("state", "")


def tenant_of(world: World, slug: str = "one") -> str:
    return str(world.sql("select id from tenancy.tenant where slug = %s", [slug])[0][0].hex)


@line("PostgreSQL")
def test_postgresql(world: World, daemon: StoresDaemon) -> None:
    tenant = tenant_of(world)
    world.servers.postgres.stop("immediate")
    says(daemon, "PostgresUnavailable")
    assert daemon.get("/readyz")[0] == 503 and daemon.get("/livez")[0] == 200
    assert shown_of(world, tenant) == ("active", "active")
    world.servers.postgres.start()
    faults.tried("PostgreSQL down")
    world.act("suspend", ["one"])
    world.converged()


@line("a server restarted by a crash")
def test_postgresql_crashes(world: World, daemon: StoresDaemon) -> None:
    with world.servers.postgres.connect(user="stores_admin", dbname=world.name, autocommit=False) as connection:
        connection.execute("select tenancy.suspend('one', 'not committed')")
        world.servers.postgres.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    world.servers.postgres.start()
    faults.tried("kill -9 of postgres")
    world.converged()
    assert shown(world) == ("active", "active")


@line("the network between tenancyd and PostgreSQL")
def test_network_to_postgresql(world: World) -> None:
    postgres = world.servers.postgres
    with RawProxy(lambda: postgres.port) as network:
        through = f"host=127.0.0.1 port={network.port} dbname={world.name} user=tenancyd"
        limits = {"connect_timeout": "1s", "statement_timeout": "1s"}
        daemon = world.daemon(config={"postgres": {"conninfo": through} | limits})
        assert isinstance(daemon, StoresDaemon)
        world.provision("one")
        world.converged()
        network.refuse()
        says(daemon, "PostgresUnavailable")
        world.act("suspend", ["one"])
        assert shown(world) == ("active", "active")
        world.sql("update tenancy.daemon set seen_at = seen_at - interval '1 minute'")
        world.sql("update tenancy.store set defined_at = defined_at - interval '2 minutes'")
        alarmed(world, "no_daemon")
        network.accept()
        faults.tried("the network to PostgreSQL down")
        world.converged()
        daemon.stop()


def try_store(world: World, server: Daemon, store: str) -> None:
    """What both stores' lines say."""
    world.provision("doomed")
    world.converged()
    for action in ("suspend", "archive", "request_erasure"):
        world.act(action, ["doomed"])
    world.converged()
    server.kill()
    alarmed(world, "store_unreachable", store=store)
    world.act("suspend", ["one"])
    world.provision("new")
    tenant = tenant_of(world)
    if store == "cache":
        with world.servers.mongodb.client() as mongodb:
            wait_for(lambda: mongodb[f"t_{tenant}"]["tenancy"].find_one()["state"] == "suspended", 20, "the other store")
    else:
        with world.servers.redis.connect() as redis:
            wait_for(lambda: redis.hget(f"{{t:{tenant}}}:tenancy:tenant", "state") == "suspended", 20, "the other store")
    with pytest.raises(psycopg.Error) as caught:
        world.erase("doomed", timeout="300ms")
    assert caught.value.sqlstate == "TN025" and store in str(caught.value.diag.message_detail)
    assert world.states() == {"one": "suspended", "new": "provisioning", "doomed": "erasing"}
    backdate(world)
    alarmed(world, "suspension_not_reached", store=store)
    server.start()
    faults.tried(f"{server.name} down")
    world.erase("doomed")
    world.converged()
    assert world.states() == {"one": "suspended", "new": "active", "doomed": "erased"}


def backdate(world: World) -> None:
    """As if half a minute had gone by."""
    world.sql("alter table tenancy.tenant disable trigger user; update tenancy.tenant set changed_at = changed_at - interval '30 s'; alter table tenancy.tenant enable trigger user; alter table tenancy.tenant enable always trigger mark_stores")
    world.sql("update tenancy.tenant_store set pending_since = pending_since - interval '30 s'")


@line("Redis")
def test_redis(world: World, daemon: StoresDaemon) -> None:
    try_store(world, world.servers.redis, "cache")


@line("MongoDB")
def test_mongodb(world: World, daemon: StoresDaemon) -> None:
    try_store(world, world.servers.mongodb, "docs")


@line("a store that is required for nothing")
def test_store_required_for_nothing(world: World, daemon: StoresDaemon) -> None:
    world.admin("select tenancy.define_store('cache', 'redis', required_for => '{}')")
    world.converged()
    world.servers.redis.kill()
    faults.tried("redis down")
    alarmed(world, "store_unreachable", store="cache")
    world.provision("new")
    wait_for(lambda: world.states()["new"] == "active", 20, "the new tenant")
    for action in ("suspend", "archive", "request_erasure"):
        world.act(action, ["new"])
    world.erase("new")
    assert world.states()["new"] == "erased"
    world.admin("select tenancy.forget_store('cache', 'a test')")
    wait_for(lambda: world.alarms() == set(), 20, "the alarms to go")
    world.servers.redis.start()


def two_tenants(world: World) -> None:
    """`one` is active, `two` may be erased."""
    for slug in ("one", "two"):
        world.provision(slug)
    world.converged()
    for action in ("suspend", "archive", "request_erasure"):
        world.act(action, ["two"])
    world.converged()


def degraded(world: World) -> bool:
    return world.sql(
        "select count(*) from tenancy.store_condition where slug = 'new' and type = 'Degraded' and status"
    ) == [(1,)]


@line("Redis is full")
def test_full_redis(world: World) -> None:
    world.daemon(reconcile={"attempts": 2})
    two_tenants(world)
    with world.servers.redis.connect() as redis:
        world.servers.fill_redis()
        world.provision("new")
        wait_for(lambda: degraded(world), 20, "the condition")
        world.act("suspend", ["one"])
        wait_for(lambda: shown(world)[0] == "suspended", 20, "the suspension")
        world.erase("two")
        world.sql("update tenancy.tenant set created_at = created_at - interval '1 minute'")
        alarmed(world, "provisioning_not_reached", store="cache")
        redis.config_set("maxmemory", 0)
    faults.tried("a full store")
    world.converged()


@line("MongoDB is full")
def test_full_mongodb(world: World, daemon: StoresDaemon) -> None:
    world.servers.mongodb.fail_command("insert", "update", "create", "createIndexes", errorCode=14031)
    alarmed(world, "store_unreachable", store="docs")
    assert world.sql("select reason from tenancy.store_status where store = 'docs'") == [("StoreFull",)]
    world.act("suspend", ["one"])
    wait_for(lambda: shown(world) == ("suspended", "active"), 20, "the other store")
    world.servers.mongodb.heal()
    faults.tried("a full store")
    world.converged()


@line("a store that lost its stamp")
def test_lost_stamp(world: World, daemon: StoresDaemon) -> None:
    """Its files are lost; a daemon looks at the stamp of whoever answers a new connection."""
    server = world.servers.redis
    server.kill()
    shutil.rmtree(server.dir / "appendonlydir")
    server.start()
    with server.connect() as redis:
        says(daemon, "MissingStamp")
        faults.tried("a store that lost its stamp")
        world.act("suspend", ["one"])
        alarmed(world, "store_fenced", store="cache")
        wait_for(lambda: shown(world) == ("", "suspended"), 20, "the other store")
        assert redis.dbsize() == 0
    adopted = daemon.command("adopt", "--as", "member", "--store", "cache", "--yes")
    assert adopted.returncode == 0, adopted.stdout
    world.converged()


@line("tenancyd")
def test_tenancyd(world: World, daemon: StoresDaemon) -> None:
    daemon.kill()
    faults.tried("tenancyd down")
    world.act("suspend", ["one"])
    world.provision("new")
    assert shown(world) == ("active", "active")
    with pytest.raises(psycopg.Error) as caught:
        world.admin("call tenancy.await_stores('one', '200ms')")
    assert caught.value.sqlstate == "TN025"
    world.sql("update tenancy.daemon set seen_at = seen_at - interval '1 minute'")
    world.sql("update tenancy.store set defined_at = defined_at - interval '2 minutes'")
    alarmed(world, "no_daemon")
    daemon.start()
    world.admin("call tenancy.await_stores('one')")
    world.converged()
    assert (None, "no_daemon") not in world.alarms()


@line("one of two daemons")
def test_one_of_two(world: World, daemon: StoresDaemon) -> None:
    second = world.daemon("second", start=False)
    assert second.command("adopt", "--as", "member", "--yes").returncode == 0
    second.start()
    daemon.kill()
    faults.tried("one of two daemons down")
    world.act("suspend", ["one"])
    world.converged()
    daemons = {each["name"]: each["seen_at"] for each in world.admin("select tenancy.status_report()")[0][0]["daemons"]}
    assert daemons["tenancyd"] < daemons["second"]


@line("notifications (a full queue, a pooler)")
def test_notifications(world: World) -> None:
    """Nothing is ever sent, as when the queue is full."""
    [(before,)] = world.sql("select pg_get_functiondef('tenancy.notify_lifecycle'::regproc)")
    silent = re.sub(r"AS \$function\$.*\$function\$", "AS $function$BEGIN END$function$", before, flags=re.S)
    assert silent != before
    world.sql(silent)
    faults.tried("notifications lost")
    world.daemon()
    world.provision("one")
    world.converged()
    world.act("suspend", ["one"])
    world.converged()


@line("the state directory is read-only")
def test_read_only_state(world: World, daemon: StoresDaemon) -> None:
    daemon.state.chmod(0o500)
    try:
        world.act("suspend", ["one"])
        world.converged()
        daemon.stop()
        daemon.start()
        faults.tried("a state directory that is read-only")
        world.act("resume", ["one"])
        world.converged()
        refused = daemon.command("adopt", "--as", "member", "--yes")
        assert refused.returncode != 0 and "cannot be opened" in refused.stderr
    finally:
        daemon.state.chmod(0o700)


@line("the state file is damaged")
def test_damaged_state(world: World, daemon: StoresDaemon) -> None:
    daemon.stop()
    file = daemon.state / "instance.json"
    file.write_text(file.read_text()[:40])
    daemon.start()
    says(daemon, "StateFileUnusable")
    faults.tried("a damaged state file")
    world.act("suspend", ["one"])
    assert shown(world) == ("active", "active")
    file.unlink()
    assert daemon.command("adopt", "--as", "member", "--yes").returncode == 0
    world.converged()


@line("the primary, and a standby was promoted")
def test_failover(world: World, daemon: StoresDaemon) -> None:
    with promoted_standby(world) as (server, dbname):
        world.servers.postgres.stop("immediate")
        faults.tried("a failover")
        daemon.stop()
        daemon.server = server
        daemon.start()
        says(daemon, "IdentityMismatch")
        server.execute("select tenancy.suspend('one', 'a test')", user="stores_admin", dbname=dbname)
        tenant = server.execute("select id from tenancy.tenant", dbname=dbname)[0][0].hex
        assert shown_of(world, tenant) == ("active", "active")
        login = ("--conninfo", daemon.conninfo_of("stores_admin"))
        assert daemon.command("adopt", "--as", "replacement", "--yes", *login).returncode == 0
        wait_for(lambda: shown_of(world, tenant) == ("suspended", "suspended"), 20, "the stores to follow")
        daemon.close()
        world.daemons.remove(daemon)
