"""Erasing from Redis: all of a tenant's keys, in every database, proven by looking again."""

import threading
import time

import pytest
from harness import wait_for

from stores.redis_keys import fill, key, marker, ok
from stores.store_driver import StoreError, desired, new_id, tenant_hex, work

GLOBS = ["*", "?", "[a]", "[^a]", "\\", "{t:*}:x", "a\nb", "\0", "", "}", "ü", "x" * 10000]


@pytest.fixture
def store(redis, open_redis):
    return open_redis(redis)


@pytest.fixture
def raw(redis):
    with redis.connect() as connection:
        yield connection


def absent(store, *tenants):
    found = store.observe([desired(each, present=False) for each in tenants])
    return [not each["has_objects"] for each in found]


def erase(store, instance, *tenants, **more):
    return store.apply([work(each, "erase", present=False) for each in tenants], instance, **more)


def test_every_key_in_every_database_goes_and_no_other(redis, store, raw):
    tenant, other, instance = new_id(), new_id(), new_id()
    near = [f"{{t:{tenant_hex(tenant)}}}", f"{{t:{tenant_hex(tenant)}}}x:a", f"x{{t:{tenant_hex(tenant)}}}:a",
            f"{{t:{tenant_hex(tenant)[:-1]}}}:a", f"{{t:{tenant_hex(tenant)}0}}:a", f"{{t:{tenant}}}:a",
            f"{{t:{tenant_hex(tenant).upper().replace('0', 'A')}}}:a", "{t:*}:*", "plain"]
    for number in (0, 3, 15):
        with redis.connect(db=number) as connection:
            fill(connection, tenant, GLOBS)
            fill(connection, other, GLOBS)
            connection.rpush(key(tenant, "list"), *range(1000))
            for each in near:
                connection.set(each, "x")
    store.apply([work(each, "publish", settings={"a": 1}) for each in (tenant, other)], instance)
    assert absent(store, tenant, other) == [False, False]
    assert ok(erase(store, instance, tenant))
    assert absent(store, tenant, other) == [True, False]
    for number in (0, 3, 15):
        with redis.connect(db=number) as connection:
            left = set(connection.keys())
        markers = {key(other, "tenancy:tenant"), key(other, "tenancy:settings")} if number == 0 else set()
        assert left == {key(other, name) for name in GLOBS} | set(near) | markers


@pytest.mark.parametrize("database", [0, 9])
def test_a_single_key_without_a_marker_is_presence(redis, store, database):
    tenant = new_id()
    with redis.connect(db=database) as connection:
        connection.set(key(tenant, "x"), "x")
    assert absent(store, tenant, new_id()) == [False, True]
    assert ok(erase(store, new_id(), tenant))
    assert absent(store, tenant) == [True]


def test_erasing_what_is_not_there(store):
    assert ok(erase(store, new_id(), *[new_id() for _ in range(100)]))


def test_twenty_thousand_keys_while_another_client_works(redis, store, raw, record_property):
    tenants, instance = [new_id() for _ in range(4)], new_id()
    for number, tenant in enumerate(tenants):
        fill(raw, tenant, [f"key {i}" for i in range(5000)])
    with redis.connect(db=7) as seven:
        fill(seven, tenants[0], [f"key {i}" for i in range(5000)])
    raw.config_resetstat()
    longest, stop = [0.0], threading.Event()

    def ping():
        with redis.connect() as client:
            while not stop.is_set():
                begin = time.monotonic()
                client.ping()
                longest[0] = max(longest[0], time.monotonic() - begin)

    thread = threading.Thread(target=ping)
    thread.start()
    try:
        assert ok(erase(store, instance, *tenants))
    finally:
        stop.set()
        thread.join()
    assert raw.dbsize() == 0
    stats = raw.info("commandstats")
    unlinked = stats["cmdstat_unlink"]
    assert 25000 / 500 <= unlinked["calls"] <= 25000 / 100
    assert "cmdstat_keys" not in stats and not any("flush" in name for name in stats)
    record_property("longest_wait_ms", round(longest[0] * 1000, 2))
    print(f"erased 25000 keys in {store.took:.3f} s; another client waited {longest[0] * 1000:.1f} ms at most")


def test_one_pass_serves_all_tenants_of_a_batch(redis, store, raw):
    tenants, strangers, instance = [new_id() for _ in range(64)], [new_id() for _ in range(3000)], new_id()
    for each in (*tenants, *strangers):
        raw.set(key(each, "x"), "x")
    raw.config_resetstat()
    assert ok(erase(store, instance, *tenants))
    scans = raw.info("commandstats")["cmdstat_scan"]["calls"]
    assert scans <= 2 * (3064 / 1000 + 2)  # one pass that removes, one that proves
    assert raw.dbsize() == len(strangers)


def test_keys_that_appear_during_the_erasing_are_found(redis, store, raw):
    """Proof by looking again: a client that is still writing is noticed."""
    tenant, instance, stop = new_id(), new_id(), threading.Event()

    def write():
        with redis.connect() as client:
            number = 0
            while not stop.is_set():
                number += 1
                client.set(key(tenant, f"late {number}"), "x")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        wait_for(lambda: raw.dbsize() > 100, 10, "some keys")
        # Now and then the writer is not scheduled for as long as it takes to look.
        failure = wait_for(lambda: erase(store, instance, tenant)[0]["failure"], 20, "an erasing to meet the writer")
        assert (failure["kind"], failure["reason"]) == ("transient", "KeysRemain")
    finally:
        stop.set()
        thread.join()
    assert ok(erase(store, instance, tenant))
    assert raw.dbsize() == 0


def test_a_lost_lease_ends_it(redis, store, raw):
    tenants, instance = [new_id() for _ in range(3)], new_id()
    for tenant in tenants:
        fill(raw, tenant, [f"key {i}" for i in range(5000)])
    jobs = [work(each, "erase", present=False) for each in tenants]
    done = store.apply_watched(jobs, instance, alive_for=4)
    assert [each["failure"]["reason"] for each in done["outcomes"]] == ["LeaseLost"] * 3
    assert done["alive_calls"] == 5 and 0 < raw.dbsize() < 15000
    done = store.apply_watched(jobs, instance)
    assert ok(done["outcomes"]) and done["alive_calls"] > 10
    assert raw.dbsize() == 0


def test_a_lost_lease_publishes_nothing(store, raw):
    [outcome] = store.apply([work(new_id(), "publish")], new_id(), alive_for=0)
    assert outcome["failure"]["reason"] == "LeaseLost" and raw.dbsize() == 0


def test_the_deadline_ends_it_and_what_was_removed_stays_removed(redis, store, raw):
    tenant, instance = new_id(), new_id()
    fill(raw, tenant, [f"key {i}" for i in range(20000)])
    try:
        [outcome] = erase(store, instance, tenant, within=0.002)
        assert outcome["failure"]["reason"] == "EraseUnfinished"
    except StoreError as error:
        assert error.reason == "TimedOut"
    store.read_stamp()
    assert ok(erase(store, instance, tenant))
    assert raw.dbsize() == 0


def test_erasing_and_publishing_in_one_batch(store, raw):
    gone, stays, instance = new_id(), new_id(), new_id()
    store.apply([work(gone, "publish")], instance)
    outcomes = store.apply(
        [work(gone, "erase", present=False), work(stays, "publish", state="suspended")], instance
    )
    assert ok(outcomes) and [each["actions_done"] for each in outcomes] == [1, 1]
    assert marker(raw, gone) == {} and marker(raw, stays)["state"] == "suspended"


def test_list_collapses_keys_to_tenants(redis, store, raw):
    tenants, instance = [new_id() for _ in range(1200)], new_id()
    store.apply([work(each, "publish", settings={"a": 1}) for each in tenants], instance)
    unknown = new_id()
    with redis.connect(db=4) as four:
        fill(four, unknown, ["a", "b", "c"])
        fill(four, tenants[0], ["a"])
    raw.mset({"{t:acme}:x": "x", "{t:acme}:y": "x", "{t:}:x": "x", "plain": "x", "{t:a}b}:x": "x"})
    found = store.list()
    assert found.keys() == {key(each, "") for each in (*tenants, unknown)} | {"{t:acme}:", "{t:}:"}
    assert found[key(unknown, "")] == {
        "name": key(unknown, ""), "tenant": unknown, "instance": None, "detail": {"keys": 3, "databases": [4]}}
    assert found[key(tenants[0], "")]["detail"] == {"keys": 3, "databases": [0, 4]}
    assert found[key(tenants[1], "")]["instance"] == instance
    assert found["{t:acme}:"]["tenant"] is None and found["{t:acme}:"]["detail"]["keys"] == 2


def test_list_stops_when_no_more_is_wanted(redis, open_redis, raw):
    store, instance = open_redis(redis, scan_rate=0), new_id()
    store.apply([work(new_id(), "publish") for _ in range(1200)], instance)
    assert len(store.call("list", stop_after=1)["objects"]) == 500


def test_list_keeps_to_its_rate(redis, open_redis, raw):
    raw.mset({key(new_id(), "x"): "x" for _ in range(4000)})
    quick, slow = open_redis(redis, scan_rate=0), open_redis(redis, scan_rate=4000)
    assert len(quick.list()) == 4000
    assert len(slow.list()) == 4000
    assert slow.took > 0.7 > quick.took
    assert slow.call("list", stop_after=2)["objects"] == []  # it asks while it waits


def test_adopt_and_prune(redis, store, raw):
    tenant, other, instance = new_id(), new_id(), new_id()
    store.apply([work(tenant, "publish", generation=9, state="suspended")], other)
    fill(raw, tenant, GLOBS)
    found = store.list()[key(tenant, "")]
    assert found["instance"] == other
    assert store.adopt(found, instance) is None
    assert marker(raw, tenant) == {"instance": instance, "generation": "0", "state": "suspended"}
    assert ok(store.apply([work(tenant, "publish")], instance))
    raw.set("{t:ac*me}:x", "x")
    raw.mset({"{t:acxme}:x": "x", "plain": "x"})
    objects = store.list()
    assert store.adopt(objects["{t:ac*me}:"], instance)["reason"] == "NoTenant"
    assert store.prune(objects["{t:ac*me}:"]) is None
    assert store.prune(objects[key(tenant, "")]) is None
    assert sorted(raw.keys()) == ["plain", "{t:acxme}:x"]
    for name in ("", "{t:acxme}", "{t:acxme}:x", "*"):
        assert store.prune({"name": name})["reason"] == "NoTenant"
    assert sorted(raw.keys()) == ["plain", "{t:acxme}:x"]
