"""A cluster of three primaries: every node, moved slots, slots being moved, dead nodes."""

from contextlib import suppress

import pytest
from harness import Redis, RedisCluster, wait_for

from stores.redis_keys import fill, key, marker, ok, settings
from stores.store_driver import StoreError, desired, new_id, stamp, work


def tenant_of(cluster, node):
    """A new tenant whose slot the node has."""
    return next(each for each in iter(new_id, None) if cluster.owner(key(each, "")) is node)


@pytest.fixture(scope="module")
def shared():
    """A cluster for the tests that leave it as it is, but for its keys and who has which slot."""
    with RedisCluster() as made:
        yield made


@pytest.fixture
def store(shared, open_cluster):
    for node in shared.nodes:
        with node.connect() as raw:
            raw.flushall()
    return open_cluster(shared)


def test_every_primary_s_run_is_asked(store, shared):
    first = store.runs()
    assert store.runs() == first
    shared.nodes[1].restart()
    shared.wait_until_ok()
    with suppress(StoreError):
        store.runs()
    assert store.runs() != first


def test_a_connection_that_was_lost_is_made_anew_before_something_is_written(store, shared):
    """To nodes that are not looked at, too: erasing asks all of them, and may replace no connection itself."""
    instance, holder = new_id(), shared.owner("tenancy:instance")
    other = next(node for node in shared.nodes if node is not holder)
    gone = [work(tenant_of(shared, holder), "erase", present=False)]
    assert ok(store.apply(gone, instance))
    other.restart()
    shared.wait_until_ok()
    with pytest.raises(StoreError, match="ConnectionLost"):
        store.apply(gone, instance)
    before = store.connection
    store.read_stamp()
    assert store.connection != before, "what was verified of the stamp before counts no more"
    assert ok(store.apply(gone, instance))


def find(cluster, tenant):
    """The marker, wherever it is."""
    found = []
    for node in cluster.nodes:
        with node.connect() as raw:
            for name in raw.scan_iter(match=key(tenant, "tenancy:tenant")):
                found.append((node, name))
    return found


def size(cluster):
    total = 0
    for node in cluster.nodes:
        with node.connect() as raw:
            total += raw.dbsize()
    return total


def test_one_seed_is_enough(shared, store, open_cluster):
    tenants, instance = [new_id() for _ in range(300)], new_id()
    seeded = open_cluster(shared, addresses=[shared.nodes[2].address])
    assert seeded.write_stamp(stamp(instance)) is True
    assert store.read_stamp() == stamp(instance)
    jobs = [work(each, "publish", settings={"n": i}) for i, each in enumerate(tenants)]
    assert ok(seeded.apply(jobs, instance))
    found = store.observe([desired(each) for each in tenants])
    assert [each["settings"] for each in found] == [{"n": i} for i in range(300)]
    for node in shared.nodes:
        with node.connect() as raw:
            assert raw.dbsize() > 100
    assert {each["tenant"] for each in store.list().values()} == set(tenants)
    gone = tenants[:200]
    for tenant in gone[:10]:
        with shared.owner(key(tenant, "")).connect() as raw:
            fill(raw, tenant, ["*", "[a]", *map(str, range(1200))])
    assert ok(store.apply([work(each, "erase", present=False) for each in gone], instance))
    found = store.observe([desired(each, present=False) for each in tenants])
    assert [each["has_objects"] for each in found] == [False] * 200 + [True] * 100
    assert size(shared) == 200 + 1


def test_probe(store):
    found = store.probe()
    assert found["missing"] == [] and found["details"]["cluster"] is True
    assert found["details"]["primaries"] == 3


def move(cluster, tenant):
    """Gives the tenant's slot to another node; returns the new owner."""
    source = cluster.owner(key(tenant, ""))
    target = next(node for node in cluster.nodes if node is not source)
    slot = cluster.slot(key(tenant, ""))
    cluster.begin_move(slot, source, target)
    cluster.end_move(slot, source, target)
    return target


def test_a_moved_slot_is_followed(shared, store):
    tenant, instance = new_id(), new_id()
    assert ok(store.apply([work(tenant, "publish", settings={"a": 1})], instance))
    target = move(shared, tenant)
    assert store.observe([desired(tenant)])[0]["settings"] == {"a": 1}
    move(shared, tenant)
    assert ok(store.apply([work(tenant, "publish", generation=2, state="suspended")], instance))
    [(node, _)] = find(shared, tenant)
    with node.connect() as raw:
        assert marker(raw, tenant)["generation"] == "2"
    assert target is not None


@pytest.fixture
def moving(shared, store):
    """A tenant whose slot is being moved: (tenant, slot, source, target)."""
    tenant = new_id()
    slot = shared.slot(key(tenant, ""))
    source = shared.owner(key(tenant, ""))
    target = next(node for node in shared.nodes if node is not source)
    yield tenant, slot, source, target
    for node in (source, target):
        with node.connect() as raw:
            raw.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")


def test_keys_that_are_asked_of_the_target(shared, store, moving):
    tenant, slot, source, target = moving
    instance = new_id()
    assert ok(store.apply([work(tenant, "publish", settings={"a": 1})], instance))
    shared.begin_move(slot, source, target)
    for name in ("tenancy:tenant", "tenancy:settings"):
        shared.move_key(key(tenant, name), source, target)
    assert store.observe([desired(tenant)])[0]["settings"] == {"a": 1}
    assert ok(store.apply([work(tenant, "publish", generation=2, settings={"b": 2})], instance))
    with source.connect() as raw:
        assert not list(raw.scan_iter(match=key(tenant, "*")))
    shared.end_move(slot, source, target)
    with target.connect() as raw:
        assert settings(raw, tenant) == {"b": "2"}


def test_keys_on_both_sides_fail_that_tenant_only(shared, store, moving):
    tenant, slot, source, target = moving
    other, instance = tenant_of(shared, target), new_id()
    assert ok(store.apply([work(tenant, "publish", settings={"a": 1})], instance))
    shared.begin_move(slot, source, target)
    shared.move_key(key(tenant, "tenancy:settings"), source, target)
    outcomes = store.apply(
        [work(tenant, "publish", generation=2), work(other, "publish")], instance
    )
    assert outcomes[0]["failure"]["kind"] == "transient"
    assert outcomes[0]["failure"]["reason"] == "SlotMoving"
    assert outcomes[1]["failure"] is None
    shared.end_move(slot, source, target)
    assert ok(store.apply([work(tenant, "publish", generation=2)], instance))


def test_absence_is_not_claimed_while_keys_may_wander(shared, store, moving):
    tenant, slot, source, target = moving
    instance = new_id()
    with source.connect() as raw:
        fill(raw, tenant, [f"key {i}" for i in range(1000)])
    shared.begin_move(slot, source, target)
    for i in range(400):
        shared.move_key(key(tenant, f"key {i}"), source, target)
    [outcome] = store.apply([work(tenant, "erase", present=False)], instance)
    assert outcome["failure"]["kind"] == "transient"
    assert outcome["failure"]["reason"] == "KeysRemain"
    assert size(shared) == 0  # gone from both sides, but not proven
    assert store.observe([desired(tenant, present=False)])[0]["failure"]["reason"] == "SlotMoving"
    shared.end_move(slot, source, target)
    assert ok(store.apply([work(tenant, "erase", present=False)], instance))


def test_a_node_dies_and_comes_back(open_cluster, cluster):
    for node in cluster.nodes:
        with node.connect() as raw:
            raw.config_set("appendonly", "yes")
        wait_for(lambda node=node: _rewritten(node), 30, "the file")
        node.settings["appendonly"] = "yes"
    store, instance = open_cluster(cluster), new_id()
    dying = cluster.nodes[1]
    tenant = tenant_of(cluster, dying)
    assert ok(store.apply([work(tenant, "publish", settings={"a": 1})], instance))
    dying.kill()
    with pytest.raises(StoreError, match="Unavailable (Conn|ClusterDown)"):
        store.apply([work(tenant, "publish", generation=2)], instance)
    with pytest.raises(StoreError, match="Unavailable"):
        store.apply([work(tenant, "erase", present=False)], instance)
    with pytest.raises(StoreError, match="Unavailable"):
        store.list()
    dying.start()
    cluster.wait_until_ok()
    assert store.observe([desired(tenant)])[0]["settings"] == {"a": 1}
    assert ok(store.apply([work(tenant, "publish", generation=2)], instance))
    assert ok(store.apply([work(tenant, "erase", present=False)], instance))


def _rewritten(node: Redis) -> bool:
    with node.connect() as raw:
        return raw.info("persistence")["aof_rewrite_in_progress"] == 0


def test_a_frozen_node(open_cluster, cluster):
    store = open_cluster(cluster, operation_timeout_ms=500, connect_timeout_ms=500)
    frozen = cluster.nodes[0]
    here, there = tenant_of(cluster, frozen), tenant_of(cluster, cluster.nodes[2])
    frozen.freeze()
    with pytest.raises(StoreError, match="Unavailable (TimedOut|ClusterDown)"):
        store.observe([desired(here), desired(there)], within=5)
    assert store.took < 4.5
    frozen.thaw()
    cluster.wait_until_ok()
    assert [each["has_objects"] for each in store.observe([desired(here), desired(there)])] == [False, False]


def test_a_slot_that_nobody_has(open_cluster, cluster):
    store = open_cluster(cluster)
    tenant = tenant_of(cluster, cluster.nodes[0])
    with cluster.nodes[0].connect() as raw:
        raw.execute_command("CLUSTER", "DELSLOTS", cluster.slot(key(tenant, "")))
    with pytest.raises(StoreError, match="Unavailable ClusterDown"):
        store.observe([desired(tenant)])
    with pytest.raises(StoreError, match="Unavailable ClusterDown"):
        store.apply([work(tenant, "publish")], new_id())
