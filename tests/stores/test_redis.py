"""The Redis store on one server: stamp, marker, settings, state."""

import json
from contextlib import nullcontext

import pytest

from stores.redis_keys import key, marker, ok, settings
from stores.store_driver import StoreError, desired, new_id, stamp, work


@pytest.fixture
def store(redis, open_redis):
    return open_redis(redis)


@pytest.fixture
def raw(redis):
    with redis.connect() as connection:
        yield connection


def test_stamp_is_compared_and_set(store):
    mine, other = new_id(), new_id()
    assert store.read_stamp() is None
    assert store.write_stamp(stamp(mine)) is True
    assert store.write_stamp(stamp(other)) is False
    assert store.read_stamp() == stamp(mine)
    assert store.write_stamp(stamp(mine, 1, 2), stamp(mine, 1, 0)) is False
    assert store.write_stamp(stamp(mine, 1, 2), stamp(mine)) is True
    assert store.write_stamp(stamp(mine, 2, 9), stamp(mine, 1, 2)) is True
    assert store.read_stamp() == stamp(mine, 2, 9)


@pytest.mark.parametrize("spoil", ["text", "fields", "numbers", "name"])
def test_an_unreadable_stamp_is_no_missing_one(store, raw, spoil):
    name = "tenancy:instance"
    if spoil == "text":
        raw.set(name, "x")
    else:
        spoilt = {"fields": {"epoch": "", "tick": ""}, "numbers": {"epoch": "-1"}, "name": {"store": ""}}
        raw.hset(name, mapping=stamp(new_id()) | spoilt[spoil])
    with pytest.raises(StoreError, match="Unavailable StampUnreadable"):
        store.read_stamp()
    with pytest.raises(StoreError) if spoil == "text" else nullcontext():
        assert store.write_stamp(stamp(new_id())) is False


def test_publish_and_observe(store, raw):
    tenant, instance = new_id(), new_id()
    wanted = {"plan": "gold", "limits": {"seats": 5}, "ünï \"code\"": [1, None, True, 1.5]}
    found = store.observe([desired(tenant)])
    assert found == [{"marker": None, "settings": None, "collections": {}, "has_objects": False}]
    assert ok(store.apply([work(tenant, "publish", generation=7, settings=wanted)], instance))
    assert marker(raw, tenant) == {"instance": instance, "generation": "7", "state": "active"}
    assert {name: json.loads(text) for name, text in settings(raw, tenant).items()} == wanted
    [found] = store.observe([desired(tenant)])
    assert found["marker"] == {"instance": instance, "generation": 7, "state": "active"}
    assert found["settings"] == wanted and found["has_objects"] is True


def test_settings_are_replaced_wholly(store, raw):
    tenant, instance = new_id(), new_id()
    for generation, wanted in enumerate([{"a": 1, "b": 2}, {"b": 3, "c": 4}, {}, {"d": 5}], 1):
        assert ok(store.apply([work(tenant, "publish", generation=generation, settings=wanted)], instance))
        assert settings(raw, tenant) == {name: str(value) for name, value in wanted.items()}
        assert store.observe([desired(tenant)])[0]["settings"] == wanted


def test_many_settings(store):
    tenant, instance = new_id(), new_id()
    wanted = {f"setting {number}": "x" * 100 for number in range(9000)}
    assert ok(store.apply([work(tenant, "publish", settings=wanted)], instance))
    assert store.observe([desired(tenant)])[0]["settings"] == wanted


def test_an_older_generation_changes_nothing(store, raw):
    tenant, instance = new_id(), new_id()
    newest = 2**62 + 1
    store.apply([work(tenant, "publish", generation=newest, state="suspended", settings={"a": 1})], instance)
    [outcome] = store.apply([work(tenant, "publish", generation=newest - 1, settings={"a": 2})], instance)
    assert outcome["failure"]["kind"] == "superseded" and outcome["actions_done"] == 0
    assert str(newest) in outcome["failure"]["message"]
    assert marker(raw, tenant)["state"] == "suspended" and settings(raw, tenant) == {"a": "1"}
    assert ok(store.apply([work(tenant, "publish", generation=newest, settings={"a": 3})], instance))
    assert settings(raw, tenant) == {"a": "3"}


def test_only_the_generation_that_is_disowned_gives_way(store, raw):
    tenant, instance = new_id(), new_id()
    store.apply([work(tenant, "publish", generation=99)], instance)
    publish = {"generation": 5, "state": "suspended"}
    [outcome] = store.apply([work(tenant, "publish", disowned=98, **publish)], instance)
    assert outcome["failure"]["kind"] == "superseded"
    assert ok(store.apply([work(tenant, "publish", disowned=99, **publish)], instance))
    assert marker(raw, tenant) == {"instance": instance, "generation": "5", "state": "suspended"}


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "1e9", "0099", "9223372036854775808", "9" * 100])
def test_what_is_no_generation_gives_way(store, raw, nonsense):
    tenant, instance = new_id(), new_id()
    raw.hset(key(tenant, "tenancy:tenant"), mapping={"instance": instance, "generation": nonsense, "state": "active"})
    assert ok(store.apply([work(tenant, "publish", generation=5, state="suspended")], instance))
    assert marker(raw, tenant) == {"instance": instance, "generation": "5", "state": "suspended"}


@pytest.mark.parametrize("action", ["publish", "claim", "erase"])
def test_another_instances_keys_are_not_touched(store, raw, action):
    tenant, owner = new_id(), new_id()
    store.apply([work(tenant, "publish", settings={"a": 1})], owner)
    before = marker(raw, tenant), settings(raw, tenant)
    [outcome] = store.apply([work(tenant, action, generation=9, present=action != "erase")], new_id())
    assert outcome["failure"]["kind"] == "foreign"
    assert outcome["failure"]["reason"] == "ForeignInstance"
    assert (marker(raw, tenant), settings(raw, tenant)) == before


def test_claim_only_where_there_is_no_marker(store, raw):
    tenant, instance = new_id(), new_id()
    assert ok(store.apply([work(tenant, "claim", "publish", generation=3, settings={"a": 1})], instance))
    assert marker(raw, tenant)["state"] == "active"
    assert ok(store.apply([work(tenant, "claim", generation=4)], instance))
    assert marker(raw, tenant) == {"instance": instance, "generation": "3", "state": "active"}
    other = new_id()
    assert ok(store.apply([work(other, "claim", settings={"a": 1})], instance))
    assert marker(raw, other)["state"] == "provisioning" and settings(raw, other) == {}


def test_a_batch_keeps_its_order_and_one_failure_to_itself(store, raw):
    instance = new_id()
    tenants = [new_id() for _ in range(600)]
    store.apply([work(tenants[1], "publish")], new_id())
    raw.hset(key(tenants[2], "tenancy:tenant"), mapping={"instance": instance, "generation": "99", "state": "x"})
    outcomes = store.apply([work(each, "publish", settings={"n": i}) for i, each in enumerate(tenants)], instance)
    kinds = [each["failure"] and each["failure"]["kind"] for each in outcomes]
    assert kinds == [None, "foreign", "superseded"] + [None] * 597
    found = store.observe([desired(each) for each in tenants])
    assert [each["settings"] for each in found[3:]] == [{"n": i} for i in range(3, 600)]


def test_steps_of_mongodb_are_refused(store):
    [outcome] = store.apply([work(new_id(), {"kind": "create_collection", "collection": "a"})], new_id())
    assert outcome["failure"]["kind"] == "permanent" and outcome["failure"]["reason"] == "NotForRedis"


def test_what_the_tenants_client_has_spoilt_is_repaired(store, raw):
    tenant, instance = new_id(), new_id()
    raw.set(key(tenant, "tenancy:tenant"), "x")
    raw.lpush(key(tenant, "tenancy:settings"), "x")
    [found] = store.observe([desired(tenant)])
    assert found["marker"] is None and found["settings"] is None and found["has_objects"]
    assert ok(store.apply([work(tenant, "publish", settings={"a": 1})], instance))
    assert marker(raw, tenant)["instance"] == instance and settings(raw, tenant) == {"a": "1"}
    raw.hset(key(tenant, "tenancy:settings"), "a", "no JSON")
    assert store.observe([desired(tenant)])[0]["settings"] is None


def test_a_blown_up_hash_is_not_read(store, raw):
    tenant, instance = new_id(), new_id()
    store.apply([work(tenant, "publish", settings={"a": 1})], instance)
    raw.hset(key(tenant, "tenancy:settings"), "b", '"' + "x" * 5_000_000 + '"')
    raw.hset(key(tenant, "tenancy:tenant"), "state", "x" * 5000)
    [found] = store.observe([desired(tenant)])
    assert found["marker"] is None and found["settings"] is None and found["has_objects"]


def test_a_change_of_state_is_announced(store, redis, raw):
    tenant, instance = new_id(), new_id()
    listener = raw.pubsub()
    listener.subscribe(key(tenant, "tenancy"))
    assert listener.get_message(timeout=5)["type"] == "subscribe"
    for generation, state in enumerate(["active", "active", "suspended"], 1):
        store.apply([work(tenant, "publish", generation=generation, state=state)], instance)
    assert [listener.get_message(timeout=5)["data"] for _ in range(2)] == ["active", "suspended"]


def test_the_configured_database_is_used(redis, open_redis):
    tenant, instance = new_id(), new_id()
    store = open_redis(redis, database=5)
    store.apply([work(tenant, "publish", settings={"a": 1})], instance)
    store.write_stamp(stamp(instance))
    with redis.connect(db=5) as five, redis.connect() as zero:
        assert marker(five, tenant)["state"] == "active" and five.exists("tenancy:instance")
        assert zero.dbsize() == 0


def test_a_server_is_one_installation_s_with_all_its_databases(redis, open_redis):
    first, second = stamp(new_id()), stamp(new_id())
    zero, five = open_redis(redis), open_redis(redis, database=5)
    assert zero.write_stamp(first) is True
    assert five.read_stamp() == first
    assert five.write_stamp(second) is True  # as if both had come at the same time
    assert zero.read_stamp() == second and five.read_stamp() == first


def test_a_server_is_one_store_with_all_its_databases(redis, open_redis):
    instance = new_id()
    zero, five = open_redis(redis), open_redis(redis, database=5)
    assert zero.write_stamp(stamp(instance)) is True
    assert five.read_stamp() == stamp(instance)
    assert five.write_stamp(stamp(instance, 1, 2), stamp(instance)) is False
    assert five.write_stamp(stamp(instance, store="other")) is True
    assert zero.read_stamp() == stamp(instance, store="other")


def test_nothing_is_written_over_a_connection_that_nobody_verified(open_store, redis, raw):
    tenant, instance = new_id(), new_id()
    store = open_store(kind="redis", addresses=[redis.address])
    with pytest.raises(StoreError, match="Unavailable ConnectionLost.*stamp"):
        store.apply([work(tenant, "publish")], instance)
    store.read_stamp()
    assert ok(store.apply([work(tenant, "publish")], instance))
    before = store.connection
    raw.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(StoreError, match="Unavailable ConnectionLost"):
        store.apply([work(tenant, "publish", generation=2)], instance)
    store.read_stamp()
    assert store.connection == before + 1
    assert ok(store.apply([work(tenant, "publish", generation=2)], instance))


def test_reading_survives_a_lost_connection(store, raw):
    before = store.connection
    raw.client_kill_filter(_type="normal", skipme=True)
    assert store.read_stamp() is None
    assert store.connection == before + 1


def test_a_restarted_server_gets_the_scripts_again(make_redis, open_redis):
    server = make_redis()
    tenant, instance = new_id(), new_id()
    store = open_redis(server)
    assert ok(store.apply([work(tenant, "publish")], instance))
    with server.connect() as raw:
        raw.script_flush()
    assert ok(store.apply([work(each, "publish", generation=2) for each in (tenant, new_id())], instance))
    server.restart()
    store.read_stamp()
    assert ok(store.apply([work(tenant, "publish")], instance))
