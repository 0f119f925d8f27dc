"""The MongoDB store when the server is away, slow, lying, or lets nobody in."""

from contextlib import suppress

import bson
import pytest
from harness import Authority, wait_for
from stores.mongo_script import ScriptedMongo, cursor, refusal
from stores.mongo_world import database, do, look, marker, names
from stores.store_driver import StoreError, desired, new_id, stamp, work

INSTANCE = new_id()
ROOT = {"username": "root", "password": "root's secret"}


@pytest.fixture
def scripted():
    with ScriptedMongo() as server:
        server.on("find", cursor())
        server.on("listCollections", cursor())
        server.on("listDatabases", {"databases": [], "ok": 1})
        yield server


@pytest.fixture
def scripted_store(scripted, open_store):
    store = open_store(kind="mongodb", uri=scripted.uri)
    store.define()
    assert store.read_stamp() is None
    return store


def reason_of(call):
    with pytest.raises(StoreError) as caught:
        call()
    assert caught.value.type == "Unavailable"
    return caught.value.reason


def test_a_restart_is_a_new_run(make_mongodb, open_mongodb):
    server = make_mongodb()
    store = open_mongodb(server)
    first = store.runs()
    assert store.runs() == first
    server.stop()
    server.start()
    with suppress(StoreError):
        store.runs()
    assert store.runs() != first


def test_routers_are_no_runs(scripted, open_store):
    """Several of them answer by turns, and none of them holds any data."""
    processes = iter(range(1, 1000))

    def hello(_):
        process = bson.ObjectId(f"{next(processes):024x}")
        router = {"isWritablePrimary": True, "ismaster": True, "msg": "isdbgrid", "maxWireVersion": 21}
        sizes = {"maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000}
        return router | sizes | {"topologyVersion": {"processId": process, "counter": bson.Int64(0)}, "ok": 1}

    for name in ("hello", "isMaster", "ismaster"):
        scripted.on(name, hello)
    store = open_store(kind="mongodb", uri=scripted.uri)
    assert store.runs() == store.runs()


def test_nobody_listens(open_store, make_mongodb):
    server = make_mongodb()
    store = open_store(kind="mongodb", uri=server.uri)
    server.kill()
    assert reason_of(store.read_stamp) == "Unreachable"
    assert store.took < 3
    server.start()
    assert store.read_stamp() is None  # at once: no waiting for the driver's cooldown


def test_wrong_password(open_store, make_mongodb):
    server = make_mongodb(auth=True)
    right = open_store(kind="mongodb", uri=server.uri, **ROOT)
    assert right.write_stamp(stamp(INSTANCE)) is True
    wrong = open_store(kind="mongodb", uri=server.uri, **(ROOT | {"password": "guess"}))
    assert reason_of(wrong.read_stamp) == "AuthenticationFailed"
    nobody = open_store(kind="mongodb", uri=server.uri)
    assert reason_of(nobody.read_stamp) in ("PermissionDenied", "AuthenticationFailed")
    with pytest.raises(StoreError) as caught:
        wrong.read_stamp()
    assert "guess" not in caught.value.message


def test_a_user_who_may_only_read(open_store, make_mongodb):
    server = make_mongodb(auth=True)
    with server.client() as client:
        client.admin.command("createUser", "reader", pwd="reads", roles=["readAnyDatabase"])
    store = open_store(kind="mongodb", uri=server.uri, username="reader", password="reads")
    assert store.read_stamp() is None
    assert reason_of(lambda: do(store, INSTANCE, new_id(), "publish")) == "PermissionDenied"
    missing = store.probe()["missing"]
    assert any(each.startswith("publish: ") for each in missing)


def test_tls(open_store, make_mongodb, tmp_path):
    server = make_mongodb(tls=True)
    good = {"enabled": True, "ca_file": server.ca_file}
    assert open_store(kind="mongodb", uri=server.uri, tls=good).read_stamp() is None
    other = {"enabled": True, "ca_file": Authority(tmp_path).ca_file}
    assert reason_of(open_store(kind="mongodb", uri=server.uri, tls=other).read_stamp) == "Unreachable"
    assert reason_of(open_store(kind="mongodb", uri=server.uri).read_stamp) == "Unreachable"
    wrong_name = good | {"server_name": "elsewhere.example"}
    store = open_store(kind="mongodb", uri=server.uri, tls=wrong_name)
    assert reason_of(store.read_stamp) == "Unreachable"
    right_name = good | {"server_name": "localhost"}
    assert open_store(kind="mongodb", uri=server.uri, tls=right_name).read_stamp() is None
    by_uri = open_store(kind="mongodb", uri=server.uri + "?tls=true", tls={"ca_file": server.ca_file})
    assert by_uri.read_stamp() is None


def test_tls_with_a_client_certificate(open_store, make_mongodb):
    server = make_mongodb(tls="mutual")
    tls = {"enabled": True, "ca_file": server.ca_file}
    assert reason_of(open_store(kind="mongodb", uri=server.uri, tls=tls).read_stamp) == "Unreachable"
    own = {"cert_file": server.client_cert_file, "key_file": server.client_key_file}
    assert open_store(kind="mongodb", uri=server.uri, tls=tls | own).read_stamp() is None


def test_missing_certificate_files_are_refused(open_store):
    with pytest.raises(StoreError, match="ConfigError.*cannot read /nowhere"):
        open_store(kind="mongodb", uri="mongodb://h/", tls={"enabled": True, "ca_file": "/nowhere"})


def test_a_frozen_server_is_unavailable_by_the_deadline(open_store, make_mongodb):
    server = make_mongodb()
    store = open_store(kind="mongodb", uri=server.uri)
    assert store.read_stamp() is None
    fresh = open_store(kind="mongodb", uri=server.uri)
    server.freeze()
    for each in (store, fresh):
        assert reason_of(lambda: each.read_stamp(within=1.0)) == "TimedOut"
        assert 0.8 < each.took < 1.5
    server.thaw()
    assert store.read_stamp() is None


def test_operations_have_a_time_limit_of_their_own(open_store, make_mongodb):
    server = make_mongodb()
    store = open_store(kind="mongodb", uri=server.uri, operation_timeout_ms=500)
    assert store.read_stamp() is None
    server.freeze()
    assert reason_of(lambda: store.read_stamp(within=10)) == "TimedOut"
    assert store.took < 2


def test_a_lost_connection_is_not_replaced_within_the_work(open_store, make_mongodb):
    server = make_mongodb()
    store = open_store(kind="mongodb", uri=server.uri)
    assert store.read_stamp() is None
    number = store.connection
    server.restart()
    tenant = new_id()
    assert reason_of(lambda: do(store, INSTANCE, tenant, "publish")) == "Unreachable"
    assert reason_of(lambda: do(store, INSTANCE, tenant, "publish")) == "Unreachable"
    assert marker(server, tenant) is None
    assert store.read_stamp() is None
    assert store.connection > number
    assert do(store, INSTANCE, tenant, "publish") is None


@pytest.mark.parametrize("command", ["update", "dropDatabase"])
def test_connections_that_break_in_the_middle(open_mongodb, make_mongodb, command):
    server = make_mongodb()
    store = open_mongodb(server)
    store.define()
    tenant = new_id()
    if command == "dropDatabase":
        assert do(store, INSTANCE, tenant, "publish") is None
    action = "publish" if command == "update" else "erase"
    server.fail_command(command, times=1, closeConnection=True)
    assert reason_of(lambda: do(store, INSTANCE, tenant, action, generation=2)) == "Unreachable"
    store.read_stamp()
    assert do(store, INSTANCE, tenant, action, generation=2) is None
    assert (marker(server, tenant) is None) == (action == "erase")


def test_a_slow_command_times_out(open_mongodb, make_mongodb):
    server = make_mongodb()
    store = open_mongodb(server, operation_timeout_ms=400)
    server.fail_command("update", times=1, blockConnection=True, blockTimeMS=3000)
    assert reason_of(lambda: do(store, INSTANCE, new_id(), "publish")) == "TimedOut"
    assert store.took < 2


@pytest.mark.parametrize(
    ("code", "reason"),
    [(10107, "NotPrimary"), (91, "ShuttingDown"), (14031, "StoreFull"), (13, "PermissionDenied")],
)
def test_a_server_that_takes_no_writes(open_mongodb, make_mongodb, code, reason):
    server = make_mongodb()
    store = open_mongodb(server)
    server.fail_command("update", times=1, errorCode=code)
    assert reason_of(lambda: do(store, INSTANCE, new_id(), "publish")) == reason


def test_a_write_that_no_majority_confirms(open_mongodb, make_mongodb):
    server = make_mongodb()
    store = open_mongodb(server)
    error = {"code": 64, "errmsg": "waiting for replication timed out"}
    server.fail_command("update", times=1, writeConcernError=error)
    assert reason_of(lambda: do(store, INSTANCE, new_id(), "publish")) == "NotDurable"


def answers(store):
    try:
        store.read_stamp()
    except StoreError:
        return False
    return True


def test_what_a_server_forgets_is_seen(open_mongodb, make_mongodb):
    server = make_mongodb(sync_on_commit=False)
    store = open_mongodb(server)
    tenants = [new_id() for _ in range(300)]
    done = store.apply([work(tenant, "publish") for tenant in tenants], INSTANCE)
    assert all(each["failure"] is None for each in done)
    server.kill()
    server.start()
    wait_for(lambda: answers(store), 30, "the store to have a connection again")
    seen = store.observe([desired(tenant, reached_before=True) for tenant in tenants])
    there = {name for name in names(server) if name.startswith("t_")}
    for tenant, each in zip(tenants, seen):
        assert each["has_objects"] == (database(tenant) in there)
    lost = [tenant for tenant, each in zip(tenants, seen) if each["marker"] is None]
    again = store.apply([work(tenant, "publish") for tenant in lost], INSTANCE)
    assert all(each["failure"] is None for each in again)
    assert all(marker(server, tenant) for tenant in lost)


def test_a_database_that_stays_is_not_erased(scripted, scripted_store):
    tenant = new_id()
    scripted.on("listDatabases", {"databases": [{"name": database(tenant)}], "ok": 1})
    failure = do(scripted_store, INSTANCE, tenant, "erase", present=False)
    assert (failure["kind"], failure["reason"]) == ("transient", "StillThere")
    assert scripted.seen.count("dropDatabase") > 1
    assert look(scripted_store, tenant, present=False)["has_objects"] is True
    scripted.on("listDatabases", {"databases": [], "ok": 1})
    scripted.on("listCollections", cursor({"name": "left", "type": "collection", "options": {}}))
    assert do(scripted_store, INSTANCE, tenant, "erase", present=False)["reason"] == "StillThere"


def test_a_database_that_somebody_makes_again_is_dropped_again(scripted, scripted_store):
    left = [cursor({"name": "again", "type": "collection", "options": {}})] * 2
    scripted.on("listCollections", lambda _: left.pop() if left else cursor())
    assert do(scripted_store, INSTANCE, new_id(), "erase", present=False) is None
    assert scripted.seen.count("dropDatabase") == 3


def test_garbage_for_an_answer(scripted, scripted_store):
    scripted.on("find", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3)
    assert reason_of(scripted_store.read_stamp) in ("Unreachable", "ProtocolError")


@pytest.mark.parametrize("answer", [{"ok": 1}, {"cursor": {}, "ok": 1}, cursor(7)])
def test_an_answer_without_a_cursor(scripted, scripted_store, answer):
    scripted.on("find", answer)
    assert reason_of(scripted_store.read_stamp) == "ProtocolError"


def test_a_connection_that_is_closed_for_an_answer(scripted, scripted_store):
    scripted.on("find", None)
    assert reason_of(scripted_store.read_stamp) == "Unreachable"


def test_long_lists_are_read_to_their_end(scripted, scripted_store):
    rest = {"nextBatch": [{"name": "b", "options": {}}], "id": 0, "ns": "x.$cmd.listCollections"}
    first = {"firstBatch": [{"name": "a", "options": {}}], "id": 7, "ns": "x.$cmd.listCollections"}
    scripted.on("listCollections", {"cursor": first, "ok": 1})
    asked = []
    scripted.on("getMore", lambda command: asked.append(command) or {"cursor": rest, "ok": 1})
    scripted_store.define(collections=[{"name": "a"}])
    scripted.on("listIndexes", cursor())
    assert set(look(scripted_store, new_id())["collections"]) == {"a", "b"}
    assert (asked[0]["getMore"], asked[0]["collection"]) == (7, "$cmd.listCollections")
    assert "maxTimeMS" not in asked[0]


def test_commands_carry_time_limits_and_majority(scripted, scripted_store):
    sent = []
    scripted.on("update", lambda command: sent.append(command) or {"n": 1, "ok": 1})
    assert do(scripted_store, INSTANCE, new_id(), "publish", generation=3) is None
    assert sent[0]["writeConcern"]["w"] == "majority"
    assert 0 < sent[0]["writeConcern"]["wtimeout"] <= 10000
    assert 0 < sent[0]["maxTimeMS"] <= 10000


@pytest.mark.parametrize("code", [59, 115, 238])
def test_a_missing_command_is_told_by_the_probe(scripted, scripted_store, code):
    scripted.on("collMod", refusal(code, "no such command: 'collMod'"))
    found = scripted_store.probe()
    assert found["details"]["change_validator"] is False
    assert not any(each.startswith("change_validator") for each in found["missing"])
    scripted_store.define(collections=[{"name": "c", "validator": {"a": 1}}])
    missing = scripted_store.probe()["missing"]
    assert any(each.startswith("change_validator: ") and "collMod" in each for each in missing)
    failure = do(scripted_store, INSTANCE, new_id(), {"kind": "set_validator", "collection": "c"})
    assert (failure["kind"], failure["reason"]) == ("permanent", "CapabilityMissing")


def test_a_server_that_says_yes_to_everything_lacks_everything(scripted, scripted_store):
    index = {"name": "a", "keys": [["a", 1]], "unique": True, "ttl_seconds": 5, "sparse": True}
    more = {"name": "b", "keys": [["b", 1]], "partial": {"b": 1}, "collation": {"locale": "en"}}
    collection = {"name": "c", "validator": {"a": 1}, "indexes": [index, more]}
    scripted_store.define(collections=[collection])
    missing = {each.partition(":")[0] for each in scripted_store.probe()["missing"]}
    assert missing >= {"publish", "list_databases", "validator", "change_validator"}
    assert missing >= {"unique_index", "ttl_index", "partial_index", "sparse_index", "collation_index"}


def test_the_probe_is_cached_for_the_connection(scripted, scripted_store):
    scripted_store.probe()
    before = len(scripted.seen)
    scripted_store.probe()
    assert len(scripted.seen) == before


def test_scratch_databases_of_interrupted_probes_are_dropped(open_mongodb, mongodb):
    with mongodb.client() as client:
        for name in ("tenancy_probe_1000000000_1", "tenancy_probe_9999999999_1"):
            client[name]["probe"].insert_one({})
        open_mongodb(mongodb).probe()
        left = [name for name in client.list_database_names() if name.startswith("tenancy_probe")]
        assert left == ["tenancy_probe_9999999999_1"]
        client.drop_database(left[0])


def places(steps):
    return [f"mongodb.{step}.{when}" for step in steps for when in ("before", "after")]


@pytest.mark.parametrize(
    "place", places(["claim", "create_collection", "create_index", "publish", "erase"])
)
def test_killed_at_any_step_the_work_is_completed_by_the_next(open_store, mongodb, place):
    collection = {"name": "c", "validator": {"a": 1}, "indexes": [{"name": "i", "keys": [["a", 1]]}]}
    made = [
        "claim",
        {"kind": "create_collection", "collection": "c"},
        {"kind": "create_index", "collection": "c", "index": "i"},
        "publish",
    ]
    tenant = new_id()

    def live(store):
        store.define(collections=[collection])
        store.read_stamp()
        assert do(store, INSTANCE, tenant, *made, settings={"a": 1}) is None
        assert look(store, tenant)["settings"] == {"a": 1}
        assert do(store, INSTANCE, tenant, "erase", present=False, generation=2) is None

    doomed = open_store(kind="mongodb", uri=mongodb.uri, environment={"TENANCYD_FAILPOINT": place})
    with pytest.raises((EOFError, BrokenPipeError)):
        live(doomed)
    wait_for(lambda: doomed.status is not None, 10, "the driver's end")
    assert doomed.status == -9
    if not place.startswith("mongodb.erase"):
        live(open_store(kind="mongodb", uri=mongodb.uri))
    else:
        heir = open_store(kind="mongodb", uri=mongodb.uri)
        assert do(heir, INSTANCE, tenant, "erase", present=False, generation=2) is None
    assert database(tenant) not in names(mongodb)
