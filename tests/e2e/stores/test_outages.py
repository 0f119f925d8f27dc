"""PostgreSQL, Redis and MongoDB die, freeze, refuse, slow down, fill up and forget, in the middle of work.

After each the stores show what they should again, by themselves, and nobody waits for a tenant that
cannot be helped. TENANCY_SEED chooses other moments.
"""

import os
import signal
from collections.abc import Callable

from harness import MongoDB, RedisCluster, Tenancyd, wait_for
from harness.process import Daemon, children

from . import faults
from .bulk import SEED, Bulk
from .proxied import proxied
from .proxy import Proxy
from .world import Servers, World, world_in

TENANTS = 200

# What the daemon waits for is over soon.
IMPATIENT = {"postgres": {"connect_timeout": "1s", "statement_timeout": "1s"}}


def noticed(daemon: Tenancyd, what: str, since: int) -> bool:
    """Whether the daemon has said since then that `what` (a store, or postgres) does not answer."""
    for event in daemon.events(since=since):
        if what == "postgres" and event["event"] in ("observing_only", "work_failed", "scan_failed"):
            return True
        if event.get("store") == what and event["event"] in ("store_unavailable", "store_not_ready", "scan_failed"):
            return True
    return False


def at_work(daemon: Tenancyd, what: str) -> bool:
    """Whether the last that the daemon said of it is good: only then has it something to say of a fault."""
    if what == "postgres":
        said = [event["event"] for event in daemon.events() if event["event"] in ("writing", "observing_only")]
        return said[-1:] == ["writing"]
    good, bad = ("store_ready", "store_back"), ("store_not_ready", "store_unavailable")
    said = [event["event"] for event in daemon.events() if event.get("store") == what and event["event"] in good + bad]
    return bool(said) and said[-1] in good


def give_work(world: World, store: str) -> None:
    """So that the store is asked: all may be in step already."""
    world.admin("select tenancy.retry_store(%s, everything => true)", [store])


def kill(server: Daemon) -> Callable[[], None]:
    def fault() -> None:
        server.kill()
        server.start()
        faults.tried(f"kill -9 of {server.name}")

    return fault


def test_killed(world: World) -> None:
    """kill -9 of each server in each step, back at once."""
    world.daemon(config=IMPATIENT)
    servers = world.servers
    Bulk(world, TENANTS, SEED).live([kill(servers.postgres), kill(servers.redis), kill(servers.mongodb)])


def test_refusing(world: World) -> None:
    """Away for as long as it takes until the daemon knows, then back."""
    daemon = world.daemon(config=IMPATIENT)
    servers = world.servers

    def away(server: Daemon, what: str) -> Callable[[], None]:
        def fault() -> None:
            wait_for(lambda: at_work(daemon, what), 30, f"tenancyd to be at work in {what}")
            mark = daemon.log_size()
            server.kill()
            wait_for(lambda: noticed(daemon, what, mark), 20, f"tenancyd to notice that {what} is away")
            server.start()
            faults.tried(f"{server.name} refuses")

        return fault

    stores = [(servers.postgres, "postgres"), (servers.redis, "cache"), (servers.mongodb, "docs")]
    Bulk(world, TENANTS // 2, SEED).live([away(*store) for store in stores])


def test_frozen(world: World) -> None:
    """SIGSTOP for longer than every time limit, then SIGCONT."""
    limits = {"connect_timeout": "300ms", "operation_timeout": "300ms"}
    daemon = world.daemon(config={"postgres": {"connect_timeout": "1s", "statement_timeout": "300ms"}}, store=limits)
    servers = world.servers

    def frozen(server: Daemon, what: str) -> Callable[[], None]:
        def fault() -> None:
            wait_for(lambda: at_work(daemon, what), 30, f"tenancyd to be at work in {what}")
            mark = daemon.log_size()
            family = [server.pid, *children(server.pid)]
            if what != "postgres":
                give_work(world, what)
            signal_all(family, signal.SIGSTOP)
            try:
                wait_for(lambda: noticed(daemon, what, mark), 30, f"tenancyd to notice that {what} is frozen")
            finally:
                signal_all(family, signal.SIGCONT)
            faults.tried(f"{server.name} frozen")

        return fault

    stores = [(servers.postgres, "postgres"), (servers.redis, "cache"), (servers.mongodb, "docs")]
    Bulk(world, TENANTS // 4, SEED).live([frozen(*store) for store in stores])


def test_frozen_idle(world: World) -> None:
    """A store that stops answering is missed although nothing is to be done there."""
    daemon = world.daemon(store={"connect_timeout": "300ms", "operation_timeout": "300ms"})
    world.provision_many(["one", "two"])
    world.converged()
    for server, store in ((world.servers.redis, "cache"), (world.servers.mongodb, "docs")):
        mark = daemon.log_size()
        server.freeze()
        try:
            wait_for(lambda: noticed(daemon, store, mark), 30, f"tenancyd to notice that {store} is frozen")
        finally:
            server.thaw()
        wait_for(lambda: at_work(daemon, store), 30, f"tenancyd to be at work in {store} again")
        faults.tried(f"{server.name} frozen while idle")


def signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def test_slow(world: World) -> None:
    """Each message takes its time; then longer than the time limit, which is an outage."""
    with proxied(world) as (cache, docs):
        daemon = world.daemon(store={"operation_timeout": "1s"})

        def slow(proxy: Proxy, delay: float) -> Callable[[], None]:
            def fault() -> None:
                asked = len(proxy.asked)
                proxy.delay = delay
                wait_for(lambda: len(proxy.asked) > asked + 3, 30, "a few slow messages")
                proxy.delay = 0.0
                faults.tried("a slow store")

            return fault

        def too_slow(proxy: Proxy, store: str) -> Callable[[], None]:
            def fault() -> None:
                wait_for(lambda: at_work(daemon, store), 30, f"tenancyd to be at work in {store}")
                mark = daemon.log_size()
                proxy.delay = 2.5
                give_work(world, store)
                wait_for(lambda: noticed(daemon, store, mark), 30, f"tenancyd to give up on {store}")
                proxy.delay = 0.0
                faults.tried("a store slower than its time limit")

            return fault

        slowly = [slow(cache, 0.05), slow(docs, 0.05), too_slow(cache, "cache"), too_slow(docs, "docs")]
        Bulk(world, 40, SEED).live(slowly)


def unanswered(daemon: Tenancyd, since: int) -> bool:
    """Whether it has said since then that MongoDB, which is there, did not answer in time about tenants."""
    return bool(daemon.events("tenants_unanswered", since)) or "TimedOut" in failures(daemon, "docs", since)


def test_mongodb_that_blocks(world: World) -> None:
    """The server's own failpoint: writes take longer than the time limit, and are done all the same."""
    daemon = world.daemon(store={"operation_timeout": "500ms"})
    bulk = Bulk(world, 10, SEED)

    def blocked() -> None:
        wait_for(lambda: at_work(daemon, "docs"), 30, "tenancyd to be at work in docs")
        mark = daemon.log_size()
        world.servers.mongodb.fail_command(
            "update", "insert", "create", "dropDatabase", times=1, blockConnection=True, blockTimeMS=900
        )
        world.admin("select tenancy.set_setting(%s, 'seats', %s)", [bulk.slugs[1], str(bulk.random.randint(1, 10**6))])
        wait_for(lambda: noticed(daemon, "docs", mark) or unanswered(daemon, mark), 20, "tenancyd to give up")
        faults.tried("a write that is done after the time limit")

    bulk.live([blocked])


def failures(daemon: Tenancyd, store: str, since: int) -> set[str]:
    return {event["reason"] for event in daemon.events("tenant_failed", since) if event["store"] == store}


def test_full(world: World) -> None:
    """Nothing fits any more: new tenants wait, and a suspension gets through in Redis all the same."""
    daemon = world.daemon(reconcile={"attempts": 1000})
    world.provision_many(["one", "two"])
    world.converged()
    servers = world.servers
    with servers.redis.connect() as redis:
        servers.fill_redis()
        mark = daemon.log_size()
        world.provision_many(["three"])
        wait_for(lambda: failures(daemon, "cache", mark), 20, "Redis to be full")
        two = world.sql("select id from tenancy.tenant where slug = 'two'")[0][0]
        world.act("suspend", ["two"])
        shown = lambda: redis.hget(f"{{t:{two.hex}}}:tenancy:tenant", "state")  # noqa: E731
        wait_for(lambda: shown() == "suspended", 20, "the suspension to reach the full server")
        assert world.states()["three"] == "provisioning"
        redis.config_set("maxmemory", 0)
    faults.tried("a full store")
    world.converged()
    mark = daemon.log_size()
    servers.mongodb.fail_command("insert", "update", "create", "createIndexes", errorCode=14031)
    world.provision_many(["four"])
    wait_for(lambda: noticed(daemon, "docs", mark), 20, "MongoDB to be full")
    servers.mongodb.heal()
    faults.tried("a full store")
    world.converged()


def test_failing_for_too_long(world: World) -> None:
    """Who has failed too often by itself is stalled, and an alarm; told to, it is tried again."""
    world.daemon(reconcile={"attempts": 2, "scan": "1h"})
    world.provision("none")
    world.converged()  # the server was probed, which takes the same command
    world.servers.mongodb.fail_command("create", errorCode=96)
    world.provision_many(["one"])
    wait_for(lambda: ("docs", "tenant_stalled") in world.alarms(), 20, "the tenant to be stalled")
    world.servers.mongodb.heal()
    faults.tried("a store that fails one step")
    assert world.admin("select tenancy.retry_store('docs')") == [(1,)]
    world.converged()
    assert world.alarms() == set()


def test_restored_while_stalled(world: World) -> None:
    """A suspended tenant that something else stalls is cut off again in a store that was restored."""
    world.daemon()
    tenant = world.provision("one")
    world.converged()
    stalled = "select parked from tenancy.tenant_store where store = 'docs' and observed_generation < reported_generation"
    with world.servers.mongodb.client() as mongodb:
        database = mongodb[f"t_{tenant.hex}"]
        database["orders"].insert_many([{"number": 1, "a": 7}, {"number": 2, "a": 7}])
        world.define_collection("orders", None, '[{"name": "by_a", "keys": [["a", 1]], "unique": true}]')
        wait_for(lambda: ("docs", "tenant_stalled") in world.alarms(), 20, "the tenant to be stalled")
        backup = database["tenancy"].find_one()
        assert backup is not None and backup["state"] == "active"
        world.act("suspend", ["one"])
        wait_for(lambda: database["tenancy"].find_one({"state": "suspended"}), 20, "the suspension")
        wait_for(lambda: world.sql(stalled) == [(True,)], 20, "the tenant to be stalled again")
        database["tenancy"].replace_one({"_id": "tenant"}, backup)
        faults.tried("a store restored while a tenant is stalled")
        wait_for(lambda: database["tenancy"].find_one({"state": "suspended"}), 20, "the suspension once more")


def test_suspended_with_unfit_settings(world: World) -> None:
    """Settings that MongoDB cannot hold, from before they were refused, keep no suspension back."""
    world.daemon()
    world.admin("select tenancy.define_setting('layout', '{}')")
    tenant = world.provision("one")
    world.converged()
    world.admin("select tenancy.set_setting('one', 'layout', '[]')")
    world.sql("update tenancy.setting_value set value = %s::jsonb returning 1", ["[" * 150 + "]" * 150])
    world.act("suspend", ["one"])
    with world.servers.mongodb.client() as mongodb:
        marker = mongodb[f"t_{tenant.hex}"]["tenancy"]
        wait_for(lambda: marker.find_one({"state": "suspended", "settings": {}}), 20, "the suspension")
    wait_for(lambda: ("docs", "tenant_stalled") in world.alarms(), 20, "the settings to be told")
    assert world.sql("select observed_state from tenancy.tenant_store where store = 'docs'") == [("suspended",)]
    faults.tried("settings that a store cannot hold")


def test_suspended_with_unreadable_settings(world: World) -> None:
    """Nor do numbers that nothing but PostgreSQL can read."""
    world.daemon()
    world.admin("select tenancy.define_setting('layout', '{}')")
    tenant = world.provision("one", layout=[])
    world.converged()
    world.sql("update tenancy.setting_value set value = '1e400' returning 1")
    world.act("suspend", ["one"])
    with world.servers.mongodb.client() as mongodb, world.servers.redis.connect() as redis:
        marker, place = mongodb[f"t_{tenant.hex}"]["tenancy"], f"{{t:{tenant.hex}}}:tenancy"
        wait_for(lambda: marker.find_one({"state": "suspended", "settings": {}}), 20, "the suspension in MongoDB")
        wait_for(lambda: redis.hget(f"{place}:tenant", "state") == "suspended", 20, "the suspension in Redis")
        assert redis.hgetall(f"{place}:settings") == {}
    stalled = {(store, "tenant_stalled") for store in ("cache", "docs")}
    wait_for(lambda: stalled <= world.alarms(), 20, "the settings to be told")
    faults.tried("settings that a store cannot hold", 2)
    world.admin("select tenancy.set_setting('one', 'layout', '[1]')")
    world.converged()


def test_forgetful(servers: Servers) -> None:
    """A server that acknowledges what it has not kept, killed: what is missing is made again."""
    with MongoDB(sync_on_commit=False, name="forgetful") as forgetful:
        own = Servers(servers.postgres, servers.redis, forgetful)
        with world_in(own, "forgetful") as world:
            world.define(on_missing_stamp="stamp", required_for=["provision", "suspend"])
            world.daemon()
            bulk = Bulk(world, 100, SEED)
            world.provision_many(bulk.slugs)
            for _ in range(3):
                bulk.moment(0.5, 1.0)
                forgetful.kill()
                forgetful.start()
                faults.tried("kill -9 of a store that does not sync")
            world.converged()
            world.act("suspend", bulk.slugs[::2])
            world.settled()
            forgetful.kill()
            forgetful.start()
            faults.tried("kill -9 of a store that does not sync")
            world.converged()


def test_a_node_of_a_cluster_goes_back(world: World) -> None:
    """A primary without the stamp comes back with the data of before: that is not left to the hourly scan."""
    with RedisCluster(settings={"rdbcompression": "no"}) as cluster:
        nodes = {"kind": "redis", "addresses": cluster.addresses, "cluster": True}
        stores = world.stores
        world.stores = lambda extra: stores(extra) | {"cache": nodes | dict(extra)}  # type: ignore[method-assign]
        world.daemon(reconcile={"scan": "1h"})
        stamped = cluster.owner("tenancy:instance")
        tenants = {slug: world.provision(slug) for slug in (f"tenant-{number}" for number in range(20))}
        slug, key = next(
            (slug, key)
            for slug, tenant in tenants.items()
            if cluster.owner(key := f"{{t:{tenant.hex}}}:tenancy:tenant") is not stamped
        )
        node = cluster.owner(key)

        def state() -> str | None:
            with node.connect() as redis:
                return redis.hget(key, "state")

        world.settled()
        assert state() == "active"
        with node.connect() as redis:
            redis.save()
        world.act("suspend", [slug])
        wait_for(lambda: state() == "suspended", 20, "the suspension")
        world.settled()
        node.kill()
        node.start()
        faults.tried("a node of a cluster that goes back")
        cluster.wait_until_ok()
        wait_for(lambda: state() == "suspended", 20, "the suspension once more")


def test_bad_tenants(world: World) -> None:
    """Objects of somebody else in a tenant's place keep nobody but that tenant."""
    world.daemon(reconcile={"attempts": 2})
    strangers = ["00000000-0000-4000-8000-00000000000%d" % number for number in range(3)]
    unmarked, foreign, both = (text.replace("-", "") for text in strangers)
    with world.servers.mongodb.client() as mongodb, world.servers.redis.connect() as redis:
        mongodb[f"t_{unmarked}"]["theirs"].insert_one({"x": 1})
        mongodb[f"t_{foreign}"]["tenancy"].insert_one(
            {"_id": "tenant", "instance": strangers[0], "generation": 7, "state": "active", "settings": {}}
        )
        redis.hset(f"{{t:{both}}}:tenancy:tenant", mapping={"instance": strangers[0], "generation": 1, "state": "active"})
        for number, tenant in enumerate(strangers):
            world.admin("select tenancy.provision(%s, id => %s)", [f"bad-{number}", tenant])
        others = [f"good-{number}" for number in range(30)]
        world.provision_many(others)
        wait_for(lambda: {world.states()[slug] for slug in others} == {"active"}, 30, "the others to be active")
        reasons = """select t.slug, s.store, s.reason from tenancy.tenant_store s join tenancy.tenant t on t.id = s.tenant_id
                     where s.parked order by 1, 2"""
        stalled = [("bad-0", "docs", "UnknownObjects"), ("bad-1", "docs", "ForeignInstance"), ("bad-2", "cache", "ForeignInstance")]
        wait_for(lambda: world.sql(reasons) == stalled, 30, "the bad ones to be stalled")
        world.act("suspend", others)
        world.settled(but=["bad-0", "bad-1", "bad-2"])
        faults.tried("a tenant whose place is taken", 3)
        mongodb.drop_database(f"t_{unmarked}")
        mongodb.drop_database(f"t_{foreign}")
        redis.delete(f"{{t:{both}}}:tenancy:tenant")
    world.admin("select tenancy.retry_store('docs'), tenancy.retry_store('cache')")
    world.converged()


def test_invalid_template(world: World) -> None:
    """A validator that the server refuses stalls tenants there, and no suspension waits for it."""
    world.daemon(reconcile={"attempts": 1000})
    world.provision_many(["one", "two"])
    world.converged()
    world.define_collection("bad", '{"$jsonSchema": {"bsonType": "no such type"}}', "[]")
    wait_for(lambda: ("docs", "tenant_stalled") in world.alarms(), 20, "the refusal to be told")
    tenant = world.sql("select id from tenancy.tenant where slug = 'one'")[0][0]
    world.act("suspend", ["one"])
    with world.servers.mongodb.client() as mongodb:
        marker = mongodb[f"t_{tenant.hex}"]["tenancy"]
        wait_for(lambda: marker.find_one()["state"] == "suspended", 20, "the suspension to get through")
    faults.tried("a template that the store refuses")
    world.admin("select tenancy.remove_collection('docs', 'bad')")
    world.converged()
