"""A primary with replicas and nobody who says which is which."""

from contextlib import suppress

import pytest
from harness import wait_for

from stores.redis_keys import marker, ok
from stores.store_driver import StoreError, new_id, stamp, work


def synchronised(replica):
    with replica.connect() as raw:
        return raw.info("replication")["master_link_status"] == "up"


@pytest.fixture
def primary(make_redis):
    return make_redis(name="primary")


@pytest.fixture
def replica(make_redis, primary):
    made = make_redis(replica_of=primary, name="replica")
    wait_for(lambda: synchronised(made), 30, "the replica")
    return made


@pytest.fixture
def pair(replica, primary):
    """Addresses, the replica's first."""
    return [replica.address, primary.address]


def swap(primary, replica):
    """A failover by hand, once the replica has all that the primary has."""
    with replica.connect() as new, primary.connect() as old:
        wait_for(lambda: _offset(new, "slave_repl_offset") == _offset(old, "master_repl_offset"), 30, "the replica")
        new.execute_command("REPLICAOF", "NO", "ONE")
        old.execute_command("REPLICAOF", "127.0.0.1", replica.port)
    wait_for(lambda: synchronised(primary), 30, "the old primary")


def test_the_primary_is_found(primary, pair, open_redis):
    store, tenant = open_redis(primary, addresses=pair), new_id()
    assert ok(store.apply([work(tenant, "publish")], new_id()))
    with primary.connect() as raw:
        assert marker(raw, tenant)["state"] == "active"


def test_a_replica_alone_is_no_store(replica, open_redis):
    with pytest.raises(StoreError, match="Unavailable NoPrimary"):
        open_redis(replica)


def test_failover_by_hand(primary, replica, pair, open_redis):
    store, tenant, instance = open_redis(primary, addresses=pair), new_id(), new_id()
    assert store.write_stamp(stamp(instance)) is True
    assert ok(store.apply([work(tenant, "publish")], instance))
    swap(primary, replica)
    before = store.connection
    with pytest.raises(StoreError, match="Unavailable (ReadOnlyReplica|ConnectionLost)"):
        store.apply([work(tenant, "publish", generation=2)], instance)
    assert store.read_stamp() == stamp(instance)
    assert store.connection > before
    assert ok(store.apply([work(tenant, "publish", generation=2)], instance))
    with replica.connect() as raw:
        assert marker(raw, tenant)["generation"] == "2"


def test_the_primary_dies_and_the_replica_takes_over(primary, replica, pair, open_redis):
    store, tenant, instance = open_redis(primary, addresses=pair), new_id(), new_id()
    assert ok(store.apply([work(tenant, "publish")], instance))
    wait_for(lambda: _has(replica, tenant), 10, "the replica to have it")
    primary.kill()
    with pytest.raises(StoreError, match="Unavailable (NoPrimary|ConnectionLost)"):
        store.apply([work(tenant, "publish", generation=2)], instance)
    with pytest.raises(StoreError, match="Unavailable NoPrimary.*refused"):
        store.read_stamp()
    with replica.connect() as raw:
        raw.execute_command("REPLICAOF", "NO", "ONE")
    store.read_stamp()
    assert ok(store.apply([work(tenant, "publish", generation=2)], instance))


def _offset(raw, name):
    return raw.info("replication")[name]


def _has(server, tenant):
    with server.connect() as raw:
        return marker(raw, tenant)


def test_a_failover_and_a_restart_are_new_runs(primary, replica, pair, open_redis):
    store = open_redis(primary, addresses=pair)
    first = store.runs()
    assert store.runs() == first
    primary.restart()
    store.read_stamp()
    second = store.runs()
    assert second != first
    swap(primary, replica)
    with suppress(StoreError):
        store.read_stamp()
    store.read_stamp()
    assert store.runs() not in (first, second)


def test_two_primaries(primary, replica, pair, open_redis):
    store = open_redis(primary, addresses=pair)
    with replica.connect() as raw:
        raw.execute_command("REPLICAOF", "NO", "ONE")
    with pytest.raises(StoreError, match="Unavailable TwoPrimaries.*both"):
        store.probe()
    with pytest.raises(StoreError, match="Unavailable TwoPrimaries"):
        store.read_stamp()
    with primary.connect() as raw:
        raw.execute_command("REPLICAOF", "127.0.0.1", replica.port)
    assert store.read_stamp() is None


def test_a_frozen_replica_does_not_keep_the_primary_away(primary, replica, pair, open_redis):
    replica.freeze()
    store = open_redis(primary, addresses=pair, connect_timeout_ms=300)
    assert ok(store.apply([work(new_id(), "publish")], new_id()))
    assert store.probe()["missing"] == []


def test_too_few_replicas(make_redis, open_redis):
    server = make_redis(settings={"min-replicas-to-write": 1})
    store = open_redis(server)
    with pytest.raises(StoreError, match="Unavailable TooFewReplicas"):
        store.apply([work(new_id(), "publish")], new_id())
