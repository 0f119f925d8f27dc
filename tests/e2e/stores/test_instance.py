"""Copies of a database with a daemon started on them, and other servers under a store's name.

Not one write reaches a store from a copy until somebody adopts it.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import MongoDB, Redis, wait_for

from . import copies, faults
from .copies import READS, RedisWatch, cold_copy, daemon_on, everything, from_template, promoted_standby, restored_dump
from .proxy import MongoProxy, RawProxy, command_name
from .world import Servers, StoresDaemon, World, world_in

COPIES = {
    "dump": restored_dump,
    "template": from_template,
    "promoted": promoted_standby,
    "cold": cold_copy,
}


@pytest.fixture(scope="module")
def original(servers: Servers) -> Iterator[World]:
    """A world with some tenants, whose daemon has stopped; each test leaves it as it was."""
    with world_in(servers, "original") as world:
        world.define()
        daemon = world.daemon("original")
        for number in range(4):
            world.provision(f"tenant-{number}", seats=number)
        world.converged()
        daemon.stop()
        yield world


def reasons(daemon: StoresDaemon) -> str:
    return " ".join(daemon.readiness().get("reasons", []))


def but_stamps(found: dict[str, Any]) -> dict[str, Any]:
    """Of everything(): stamps go on ticking."""
    return {name: content for name, content in found.items() if name != "tenancy.instance"}


@pytest.mark.parametrize("memory", ["fresh", "copied"])
@pytest.mark.parametrize("how", COPIES)
def test_not_one_write(original: World, how: str, memory: str) -> None:
    """A daemon on a copy, with an empty or with the original's state directory, and work to do."""
    state = original.daemons[0].state if memory == "copied" else None
    with COPIES[how](original) as (server, dbname), MongoProxy(lambda: original.servers.mongodb.port) as docs:
        daemon = daemon_on(original, server, dbname, state=state, name=f"{how}-{memory}")
        ports = dict(original.ports)
        original.ports["docs"] = lambda: docs.port
        server.execute(
            """select tenancy.suspend('tenant-1', 'a test'), tenancy.provision('of-the-copy'),
                      tenancy.set_setting('tenant-2', 'seats', '77'),
                      tenancy.define_collection('docs', 'more', null, '[]')""",
            user="stores_admin",
            dbname=dbname,
        )
        server.execute("update tenancy.tenant_store set due_at = now(), lease_holder = null, lease_token = null, lease_until = null", dbname=dbname)
        before = everything(original)
        watch = RedisWatch(original)
        try:
            daemon.start()
            wait_for(lambda: watch.looks() > 4 and docs.asked, 20, "the daemon to look at the stores")
            wait_for(lambda: any(command_name(asked) == "find" for asked in docs.asked), 20, "the stamp to be read")
            report = daemon.readiness()
            told = daemon.events("observing_only") + [e for e in daemon.events("store_not_ready") if e["reason"] == "StampMismatch"]
        finally:
            daemon.close()
            original.daemons.remove(daemon)
            original.ports = ports
        assert told, report
        assert watch.writes() == []
        assert {command_name(asked) for asked in docs.asked} <= READS
        assert everything(original) == before
        faults.tried("a daemon on a copy of the database")
    assert original.sql("select count(*) from tenancy.tenant where slug = 'of-the-copy'") == [(0,)]


def test_the_original_goes_on(original: World) -> None:
    """After all that the original's daemon has nothing to repair, and writes."""
    if not original.daemons[0].running:
        original.daemons[0].start()
    original.act("suspend", ["tenant-0"])
    original.converged()
    original.act("resume", ["tenant-0"])
    original.converged()
    original.daemons[0].stop()


def adopt(daemon: StoresDaemon, role: str, *more: str) -> str:
    """A member joins by the daemon's own login; the rest is for an admin."""
    login = [] if role == "member" else ["--conninfo", daemon.conninfo_of("stores_admin")]
    done = daemon.command("adopt", "--as", role, "--yes", *more, *login)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_member(world: World) -> None:
    """A second host with an empty state directory only observes until it has joined."""
    world.daemon("first")
    world.provision("one")
    world.converged()
    second = world.daemon("second")
    assert isinstance(second, StoresDaemon)
    assert "NotMember" in reasons(second)
    adopt(second, "member")
    wait_for(lambda: not second.readiness()["observing"], 20, "the second to write")
    world.daemons[0].stop()
    world.act("suspend", ["one"])
    world.converged()


def test_replacement(world: World) -> None:
    """The copy takes over under the next epoch; the original, come back, only observes."""
    first = world.daemon("first")
    assert isinstance(first, StoresDaemon)
    world.provision_many(["one", "two"])
    world.converged()
    first.stop()
    with promoted_standby(world) as (server, dbname):
        second = daemon_on(world, server, dbname, state=first.state, name="second")
        second.start()
        assert "IdentityMismatch" in reasons(second)
        world.act("suspend", ["one"])  # what the original did last, and nobody saw
        adopt(second, "replacement")
        server.execute("select tenancy.suspend('two', 'a test')", user="stores_admin", dbname=dbname)
        behind = "select tenancy.stores_behind(id) from tenancy.tenant"
        wait_for(lambda: set(server.execute(behind, dbname=dbname)) == {(None,)}, 30, "the copy's stores to follow")
        watch = RedisWatch(world)
        first.start()
        wait_for(lambda: "StampMismatch" in reasons(first), 20, "the original to be fenced")
        mine = [write for write in watch.writes() if "TENANCY:TENANT" in write.upper()]
        assert mine == []
        faults.tried("an original that comes back after its replacement")
        with world.servers.redis.connect() as redis:
            assert redis.hget("tenancy:instance", "epoch") == "2"
        second.close()
        world.daemons.remove(second)


def test_replacement_from_an_older_state(world: World) -> None:
    """What the stores learned after the copy was made gives way to what the replacement says."""
    first = world.daemon("first")
    assert isinstance(first, StoresDaemon)
    world.provision_many(["one", "two"])
    world.converged()
    with promoted_standby(world) as (server, dbname):
        world.act("suspend", ["one"])
        world.act("set_read_only", ["two"])
        world.converged()  # the stores show generations that the copy has never had
        first.stop()
        second = daemon_on(world, server, dbname, state=first.state, name="second")
        second.start()
        adopt(second, "replacement")
        markers = [f"{{t:{tenant.replace('-', '')}}}:tenancy:tenant" for (tenant,) in server.execute("select id::text from tenancy.tenant", dbname=dbname)]
        documents = [f"t_{marker[3:35]}" for marker in markers]
        with world.servers.redis.connect() as redis, world.servers.mongodb.client() as mongodb:

            def states() -> list[str]:
                shown = [redis.hget(marker, "state") for marker in markers]
                return shown + [mongodb[name]["tenancy"].find_one("tenant")["state"] for name in documents]

            wait_for(lambda: states() == ["active"] * 4, 30, "the stores to go back to active")
        faults.tried("a replacement from an older state than the stores'")
        second.close()
        world.daemons.remove(second)


def test_clone_in_another_database_of_the_same_redis(world: World) -> None:
    """Tenants are erased in every database of a server: so a server belongs to one installation."""
    world.daemon("first")
    world.provision("one")
    world.converged()
    with restored_dump(world) as (server, dbname):
        clone = daemon_on(world, server, dbname, state=None, name="clone")
        adopt(clone, "clone")
        stores = world.stores
        world.stores = lambda extra: {"cache": stores(extra)["cache"] | {"database": 1}}  # type: ignore[method-assign]
        server.execute("select tenancy.define_store('cache', 'redis', unknown_objects => 'prune')", user="stores_admin", dbname=dbname)
        clone.start()
        status = "select reason, fenced from tenancy.store_status where store = 'cache'"
        wait_for(lambda: server.execute(status, dbname=dbname) == [("StampElsewhere", True)], 30, "the clone to be refused")
        with world.servers.redis.connect(db=1) as redis:
            assert redis.dbsize() == 0
        clone.close()
        world.daemons.remove(clone)
    faults.tried("a clone in another database of its original's server")
    world.converged()


def test_clone(world: World, make_redis: Callable[..., Redis]) -> None:
    """A clone lets go of every store; it may have others of its own."""
    first = world.daemon("first")
    world.provision("one")
    world.converged()
    with restored_dump(world) as (server, dbname):
        before = everything(world)
        clone = daemon_on(world, server, dbname, state=None, name="clone")
        adopt(clone, "clone")
        clone.start()
        stores = server.execute("select name, state from tenancy.store order by 1", dbname=dbname)
        assert stores == [("cache", "forgotten"), ("docs", "forgotten")]
        server.execute("select tenancy.suspend('one', 'a test')", user="stores_admin", dbname=dbname)
        own = make_redis()
        clone.stop()
        world.ports["cache"] = lambda: own.port
        clone.start()
        world.ports["cache"] = lambda: world.servers.redis.port
        server.execute("select tenancy.define_store('cache', 'redis')", user="stores_admin", dbname=dbname)
        behind = "select tenancy.stores_behind(id) from tenancy.tenant"
        wait_for(lambda: server.execute(behind, dbname=dbname) == [(None,)], 30, "the clone's own store to follow")
        with own.connect() as redis:
            [(instance,)] = server.execute("select id::text from tenancy.instance", dbname=dbname)
            assert redis.hget("tenancy:instance", "instance") == instance
        clone.close()
        world.daemons.remove(clone)
        assert but_stamps(everything(world)) == but_stamps(before)
    faults.tried("a clone beside its original")
    assert first.running
    world.act("suspend", ["one"])
    world.converged()


def test_sessions_that_come_to_a_clone(world: World) -> None:
    """While the session that watches the instance is still with the original: nothing else tells the
    workers, since a clone begins with its original's epoch."""
    answering = [world.servers.postgres]
    with RawProxy(lambda: answering[0].port) as network:
        through = f"host=127.0.0.1 port={network.port} dbname={world.name} user=tenancyd"
        daemon = world.daemon(config={"postgres": {"conninfo": through}})
        world.provision("one")
        world.converged()
        with promoted_standby(world) as (copy, dbname):
            clone = daemon_on(world, copy, dbname, state=None, name="clone")
            adopt(clone, "clone")
            for statement in ("define_store('cache', 'redis')", "provision('of-the-clone')", "suspend('one', 'a test')"):
                copy.execute(f"select tenancy.{statement}", user="stores_admin", dbname=dbname)
            before, watch = but_stamps(everything(world)), RedisWatch(world)
            answering[0] = copy
            workers = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where usename = 'tenancyd' and query ~ 'claim_work'"
            assert world.sql(workers) >= [(4,)]
            wait_for(lambda: copy.log_text().count("is not the instance that may write") > 3, 20, "workers at the clone")
            assert [command for command in watch.writes() if "tenancy:instance" not in command] == []
            assert but_stamps(everything(world)) == before
            answering[0] = world.servers.postgres
        faults.tried("sessions that come to a clone")
        world.act("suspend", ["one"])
        world.converged()
        daemon.stop()


def test_an_empty_server_under_the_name(world: World, make_redis: Callable[..., Redis]) -> None:
    """The address leads to another, empty server: observed only, until adopt; then filled."""
    daemon = world.daemon()
    assert isinstance(daemon, StoresDaemon)
    world.provision("one")
    world.converged()
    empty = make_redis()
    daemon.stop()
    world.ports["cache"] = lambda: empty.port
    daemon.start()
    wait_for(lambda: "MissingStamp" in reasons(daemon), 20, "the missing stamp to be seen")
    world.act("suspend", ["one"])
    wait_for(lambda: ("cache", "store_fenced") in world.alarms(), 20, "the alarm")
    with empty.connect() as redis:
        assert redis.dbsize() == 0
    faults.tried("another server under a store's name")
    world.servers = Servers(world.servers.postgres, empty, world.servers.mongodb)
    adopt(daemon, "member", "--store", "cache")
    world.converged()


def test_a_store_of_another_instance_under_the_name(world: World, make_redis: Callable[..., Redis]) -> None:
    daemon = world.daemon()
    assert isinstance(daemon, StoresDaemon)
    world.provision("one")
    world.converged()
    theirs = make_redis()
    with theirs.connect() as redis:
        stamp = {"instance": "00000000-0000-4000-8000-000000000001", "store": "cache", "epoch": 3, "tick": 9}
        redis.hset("tenancy:instance", mapping=stamp)
        redis.hset("{t:" + "0" * 32 + "}:tenancy:tenant", mapping={"instance": stamp["instance"], "generation": 1, "state": "active"})
    daemon.stop()
    world.ports["cache"] = lambda: theirs.port
    daemon.start()
    wait_for(lambda: "StampMismatch" in reasons(daemon), 20, "the other instance to be seen")
    world.act("suspend", ["one"])
    wait_for(lambda: ("cache", "store_fenced") in world.alarms(), 20, "the alarm")
    with theirs.connect() as redis:
        assert redis.hget("tenancy:instance", "tick") == "9" and redis.dbsize() == 2
    faults.tried("another server under a store's name")
    refused = daemon.command("adopt", "--as", "member", "--yes")
    assert refused.returncode != 0 and "belongs to instance" in refused.stdout
    adopt(daemon, "member", "--store", "cache")
    with theirs.connect() as redis:
        wait_for(lambda: redis.dbsize() >= 4, 20, "the store to be filled")
        # What belongs to the other instance is reported, and not touched.
        unknown = "select reason, resolution from tenancy.unknown_object"
        wait_for(lambda: world.sql(unknown) == [("ForeignInstance", "reported")], 20, "the scan to report it")


def test_exchanged_addresses_of_two_stores(world: World, make_redis: Callable[..., Redis]) -> None:
    """One of them is required for nothing: a tenant must not be proven gone from it in the other's name."""
    other = make_redis()
    ports = {"cache": world.servers.redis, "other": other}
    stores = world.stores
    world.stores = lambda extra: stores(extra) | {  # type: ignore[method-assign]
        name: {"kind": "redis", "addresses": [f"127.0.0.1:{redis.port}"]} | dict(extra) for name, redis in ports.items()
    }
    world.admin("select tenancy.define_store('other', 'redis', required_for => '{}')")
    daemon = world.daemon()
    assert isinstance(daemon, StoresDaemon)
    tenant = world.provision("one")
    wait_for(lambda: world.sql("select tenancy.stores_behind(id) from tenancy.tenant") == [(None,)], 30, "the stores to follow")
    world.plant(tenant)
    daemon.stop()
    ports["cache"], ports["other"] = other, world.servers.redis
    daemon.start()
    for store in ("cache", "other"):
        wait_for(lambda store=store: f"store {store}: OtherStore" in reasons(daemon), 20, "the exchange to be seen")
    for action in ("suspend", "archive"):
        world.act(action, ["one"])
    world.begin_erasing(["one"])
    wait_for(lambda: {("cache", "store_fenced"), ("other", "store_fenced")} <= world.alarms(), 20, "the alarms")
    looked = daemon.log_size()
    wait_for(lambda: world.sql("select present from tenancy.tenant_store where store = 'docs'") == [(False,)], 20, "MongoDB to be rid of it")
    assert world.states() == {"one": "erasing"} and not daemon.events("observing_only", since=looked)
    with world.servers.redis.connect() as redis, other.connect() as theirs:
        assert redis.exists(f"{{t:{tenant.hex}}}:session:1", f"{{t:{tenant.hex}}}:tenancy:tenant") == 2
        assert theirs.hget(f"{{t:{tenant.hex}}}:tenancy:tenant", "state") == "active"
    faults.tried("two stores with each other's address")
    refused = daemon.command("adopt", "--as", "member", "--yes")
    assert refused.returncode != 0 and "store cache: not stamped: it is store other of the instance" in refused.stdout
    daemon.stop()
    ports["cache"], ports["other"] = world.servers.redis, other
    world.planted.clear()
    daemon.start()
    world.converged()


def test_another_database_of_the_same_redis(world: World) -> None:
    """One database of a server is the store: what lies in the others is erased with it, and not stamped twice."""
    daemon = world.daemon()
    assert isinstance(daemon, StoresDaemon)
    world.provision("one")
    world.converged()
    daemon.stop()
    stores = world.stores
    world.stores = lambda extra: stores(extra) | {"cache": stores(extra)["cache"] | {"database": 5}}  # type: ignore[method-assign]
    daemon.start()
    wait_for(lambda: "StampElsewhere" in reasons(daemon), 20, "the other database to be seen")
    refused = daemon.command("adopt", "--as", "member", "--store", "cache", "--yes")
    assert refused.returncode != 0 and "set `database` in tenancyd.toml" in refused.stdout
    with world.servers.redis.connect(db=5) as redis:
        assert redis.dbsize() == 0
    faults.tried("another database of the same Redis")


def test_a_store_from_an_old_backup(servers: Servers) -> None:
    """The files of both stores are put back to what they were three changes ago: erased tenants are
    there again, new ones are missing, a suspended one is active; all of it is mended."""
    with (
        Redis(settings={"appendonly": "yes"}, name="old_redis") as redis,
        MongoDB(name="old_mongodb") as mongodb,
        world_in(Servers(servers.postgres, redis, mongodb), "restored_stores") as world,
    ):
        world.define()
        world.daemon()
        world.provision_many(["erased", "suspended", "same"])
        world.converged()
        redis.stop()
        mongodb.stop()
        old = redis.dir / "appendonlydir"
        keep(old)
        keep(mongodb.data)
        redis.start()
        mongodb.start()
        world.act("suspend", ["suspended", "erased"])
        world.act("archive", ["erased"])
        world.act("request_erasure", ["erased"])
        world.erase("erased")
        world.provision("new")
        world.converged()
        redis.stop()
        mongodb.stop()
        put_back(old)
        put_back(mongodb.data)
        redis.start()
        mongodb.start()
        faults.tried("a store restored from an old backup", 2)
        world.converged()


def keep(directory: Path) -> None:
    subprocess.run(["cp", "-a", str(directory), f"{directory}.old"], check=True)


def put_back(directory: Path) -> None:
    shutil.rmtree(directory)
    Path(f"{directory}.old").rename(directory)


STRANGER = "0123456789abcdef0123456789abcdef"


def plant_unknown(world: World) -> None:
    with world.servers.redis.connect(db=1) as redis:
        redis.set(f"{{t:{STRANGER}}}:left", "over")
    with world.servers.mongodb.client() as mongodb:
        mongodb[f"t_{STRANGER}"]["left"].insert_one({"over": True})


def unknown_left(world: World) -> tuple[bool, bool]:
    with world.servers.redis.connect(db=1) as redis, world.servers.mongodb.client() as mongodb:
        return bool(redis.exists(f"{{t:{STRANGER}}}:left")), f"t_{STRANGER}" in mongodb.list_database_names()


@pytest.mark.parametrize("policy", ["report", "adopt", "prune"])
def test_unknown_objects(bare_world: World, policy: str) -> None:
    world = bare_world.define(unknown_objects=policy)
    world.daemon()
    world.provision("one")
    world.converged()
    plant_unknown(world)
    found = "select store, resolution from tenancy.unknown_object order by 1"
    word = {"report": "reported", "adopt": "adopted", "prune": "pruned"}[policy]
    seen: set[tuple[str, str]] = set()

    def reported() -> bool:
        seen.update(world.sql(found))
        return {("cache", word), ("docs", word)} <= seen

    wait_for(reported, 30, f"both to be {word}")
    faults.tried("objects that no tenant explains", 2)
    assert unknown_left(world) == ((False, False) if policy == "prune" else (True, True))
    if policy == "report":
        wait_for(lambda: ("docs", "unknown_objects") in world.alarms(), 20, "the alarm")
    if policy == "adopt":
        [(instance,)] = world.sql("select id::text from tenancy.instance")
        with world.servers.mongodb.client() as mongodb:
            assert mongodb[f"t_{STRANGER}"]["tenancy"].find_one()["instance"] == instance
    assert copies.tick_of(world) > 0
