"""The MongoDB store: stamps, markers, settings, erasure, listing."""

import pytest
from stores.mongo_world import database, do, look, marker, names
from stores.store_driver import StoreError, desired, new_id, stamp, work

INSTANCE = new_id()
ODD = {
    "billing.plan": "gold",
    "$where": True,
    "": None,
    "nested": {"$date": "2020-01-01", "a.b": [1, 2.5, {"$oid": "x"}]},
    "exact": 2**53 + 1,
    "float": 1.5,
    "text": "ä\u0001\U0001f600",
}


@pytest.fixture
def store(mongodb, open_mongodb):
    made = open_mongodb(mongodb)
    made.define()
    return made


def test_stamp_is_compared_and_set(store):
    assert store.read_stamp() is None
    assert store.write_stamp(stamp(INSTANCE, 1, 1)) is True
    assert store.write_stamp(stamp(INSTANCE, 9, 9)) is False
    assert store.read_stamp() == stamp(INSTANCE, 1, 1)
    assert store.write_stamp(stamp(INSTANCE, 1, 2), stamp(INSTANCE, 1, 1)) is True
    assert store.write_stamp(stamp(INSTANCE, 1, 3), stamp(INSTANCE, 1, 1)) is False
    assert store.write_stamp(stamp(INSTANCE, 1, 3), stamp(new_id(), 1, 2)) is False
    assert store.write_stamp(stamp(INSTANCE, 1, 3), stamp(INSTANCE, 1, 2, "other")) is False
    assert store.write_stamp(stamp(INSTANCE, 1, 2), stamp(INSTANCE, 1, 2)) is True
    assert store.read_stamp() == stamp(INSTANCE, 1, 2)


def test_publish_shows_state_and_settings(store, mongodb):
    tenant = new_id()
    assert look(store, tenant) == {
        "marker": None,
        "settings": None,
        "collections": {},
        "has_objects": False,
    }
    assert do(store, INSTANCE, tenant, "publish", generation=7, settings=ODD) is None
    found = marker(mongodb, tenant)
    assert (found["instance"], found["generation"], found["state"]) == (INSTANCE, 7, "active")
    assert found["settings"] == ODD
    seen = look(store, tenant, reached_before=True)
    assert seen["marker"] == {"instance": INSTANCE, "generation": 7, "state": "active"}
    assert seen["settings"] == ODD
    assert seen["has_objects"] is True


def test_publish_replaces_all_settings(store, mongodb):
    tenant = new_id()
    assert do(store, INSTANCE, tenant, "publish", generation=1, settings={"a": 1, "b": 2}) is None
    again = {"generation": 2, "state": "suspended", "settings": {"b": 3}}
    assert do(store, INSTANCE, tenant, "publish", **again) is None
    assert marker(mongodb, tenant)["settings"] == {"b": 3}
    assert marker(mongodb, tenant)["state"] == "suspended"
    assert do(store, INSTANCE, tenant, "publish", **again) is None


def test_a_newer_generation_stays(store, mongodb):
    tenant = new_id()
    assert do(store, INSTANCE, tenant, "publish", generation=5) is None
    for action in ("publish", "claim", "erase"):
        failure = do(store, INSTANCE, tenant, action, generation=4, state="suspended")
        assert (failure["kind"], failure["reason"]) == ("superseded", "Superseded")
    assert marker(mongodb, tenant)["generation"] == 5
    assert marker(mongodb, tenant)["state"] == "active"


def overwrite_generation(mongodb, tenant, generation):
    with mongodb.client() as client:
        client[database(tenant)]["tenancy"].update_one({}, {"$set": {"generation": generation}})


def test_only_the_generation_that_is_disowned_gives_way(store, mongodb):
    tenant = new_id()
    assert do(store, INSTANCE, tenant, "publish", generation=99) is None
    for action in ("publish", "erase"):
        failure = do(store, INSTANCE, tenant, action, generation=5, disowned=98)
        assert failure["kind"] == "superseded"
    assert do(store, INSTANCE, tenant, "publish", generation=5, disowned=99, state="suspended") is None
    assert (marker(mongodb, tenant)["generation"], marker(mongodb, tenant)["state"]) == (5, "suspended")
    overwrite_generation(mongodb, tenant, 99)
    assert do(store, INSTANCE, tenant, "erase", generation=5, disowned=99) is None
    assert marker(mongodb, tenant) is None


@pytest.mark.parametrize("nonsense", ["x", None, -1.5, 1e300, [1], {"a": 1}])
def test_what_is_no_generation_gives_way_when_it_is_disowned(store, mongodb, nonsense):
    tenant = new_id()
    assert do(store, INSTANCE, tenant, "publish") is None
    overwrite_generation(mongodb, tenant, nonsense)
    shown = look(store, tenant)["marker"]["generation"]
    assert shown == 2**63 - 1
    assert do(store, INSTANCE, tenant, "publish", generation=5, disowned=shown, state="suspended") is None
    assert (marker(mongodb, tenant)["generation"], marker(mongodb, tenant)["state"]) == (5, "suspended")


def test_another_instances_tenant_is_not_touched(store, mongodb):
    tenant, other = new_id(), new_id()
    assert do(store, other, tenant, "publish", generation=1, settings={"a": 1}) is None
    before = marker(mongodb, tenant)
    for action in ("publish", "claim", "erase"):
        failure = do(store, INSTANCE, tenant, action, generation=9)
        assert (failure["kind"], failure["reason"]) == ("foreign", "ForeignInstance")
        assert other in failure["message"]
    assert marker(mongodb, tenant) == before
    assert look(store, tenant)["marker"]["instance"] == other
    assert look(store, tenant, present=False)["marker"]["instance"] == other


def test_a_marker_that_is_not_legible_is_nobodys(store, mongodb):
    tenant = new_id()
    with mongodb.client() as client:
        client[database(tenant)]["tenancy"].insert_one({"_id": "tenant", "instance": 7})
    assert do(store, INSTANCE, tenant, "publish")["kind"] == "foreign"
    assert look(store, tenant)["marker"]["instance"] == "00000000-0000-0000-0000-000000000000"


def test_claim_may_be_repeated_and_does_not_hide_what_is_there(store, mongodb):
    tenant = new_id()
    assert do(store, INSTANCE, tenant, "claim", generation=2, settings={"a": 1}) is None
    found = marker(mongodb, tenant)
    assert (found["state"], found["settings"], found["generation"]) == ("provisioning", {}, 2)
    assert do(store, INSTANCE, tenant, "publish", generation=2, settings={"a": 1}) is None
    assert do(store, INSTANCE, tenant, "claim", generation=3) is None
    assert marker(mongodb, tenant)["settings"] == {"a": 1}


def test_objects_without_a_marker_are_seen(store, mongodb):
    tenant = new_id()
    with mongodb.client() as client:
        client[database(tenant)]["orders"].insert_one({"a": 1})
    for reached_before in (False, True):
        seen = look(store, tenant, reached_before=reached_before)
        assert (seen["marker"], seen["has_objects"]) == (None, True)


def test_erase_takes_everything_of_one_tenant_only(store, mongodb):
    gone, kept = new_id(), new_id()
    for tenant in (gone, kept):
        assert do(store, INSTANCE, tenant, "publish", settings={"a": 1}) is None
        with mongodb.client() as client:
            client[database(tenant)]["orders"].insert_many([{"n": n} for n in range(50)])
    assert look(store, gone, present=False)["has_objects"] is True
    assert do(store, INSTANCE, gone, "erase", present=False, generation=2) is None
    assert database(gone) not in names(mongodb)
    assert look(store, gone, present=False)["has_objects"] is False
    assert do(store, INSTANCE, gone, "erase", present=False, generation=2) is None
    with mongodb.client() as client:
        assert client[database(kept)]["orders"].count_documents({}) == 50
    assert look(store, kept)["settings"] == {"a": 1}


def test_a_lost_lease_stops_the_work(store, mongodb):
    first, second = new_id(), new_id()
    done = store.apply([work(first, "publish"), work(second, "publish")], INSTANCE, alive_for=1)
    assert [each["failure"] and each["failure"]["reason"] for each in done] == [None, "LeaseLost"]
    assert marker(mongodb, second) is None


def test_one_tenants_failure_leaves_the_others(store, mongodb):
    tenants = [new_id() for _ in range(3)]
    assert do(store, new_id(), tenants[1], "publish") is None
    done = store.apply([work(tenant, "publish") for tenant in tenants], INSTANCE)
    assert [each["failure"] is None for each in done] == [True, False, True]
    seen = store.observe([desired(tenant) for tenant in tenants])
    assert [each["marker"]["instance"] == INSTANCE for each in seen] == [True, False, True]


def test_settings_that_no_document_holds_are_refused(store):
    large = {f"k{n}": "x" * (1 << 20) for n in range(17)}
    failure = do(store, INSTANCE, new_id(), "publish", settings=large)
    assert (failure["kind"], failure["reason"]) == ("permanent", "Refused")
    assert "16 MiB" in failure["message"]


def test_list_tells_tenants_databases_and_whose_they_are(store, mongodb):
    ours, theirs, nobodys = new_id(), new_id(), new_id()
    other = new_id()
    assert do(store, INSTANCE, ours, "publish") is None
    assert do(store, other, theirs, "publish") is None
    with mongodb.client() as client:
        client[database(nobodys)]["orders"].insert_one({})
        client["t_short"]["c"].insert_one({})
        client["shop"]["c"].insert_one({})
    assert store.write_stamp(stamp(INSTANCE)) is True
    expected = {database(ours): INSTANCE, database(theirs): other, database(nobodys): None}
    for _ in range(2):  # the second one reads fewer markers
        found = store.list()
        assert {name: each["instance"] for name, each in found.items()} == expected
        assert found[database(ours)]["tenant"] == ours
        store.observe([desired(ours), desired(theirs)])


def test_adopting_writes_a_marker(store, mongodb):
    tenant = new_id()
    with mongodb.client() as client:
        client[database(tenant)]["orders"].insert_one({"a": 1})
    found = store.list()[database(tenant)]
    assert store.adopt(found, INSTANCE) is None
    assert marker(mongodb, tenant)["instance"] == INSTANCE
    assert do(store, INSTANCE, tenant, "publish", generation=1) is None
    with mongodb.client() as client:
        assert client[database(tenant)]["orders"].count_documents({}) == 1
    failure = store.adopt(found, new_id())  # it is somebody's now
    assert failure["reason"] == "ChangedMeanwhile"
    assert marker(mongodb, tenant)["instance"] == INSTANCE


def test_pruning_removes_only_what_was_found(store, mongodb):
    tenant, changed = new_id(), new_id()
    for each in (tenant, changed):
        with mongodb.client() as client:
            client[database(each)]["orders"].insert_one({"a": 1})
    found = store.list()
    assert do(store, new_id(), changed, "publish") is None
    assert store.prune(found[database(tenant)]) is None
    assert store.prune(found[database(changed)])["reason"] == "ChangedMeanwhile"
    assert database(tenant) not in names(mongodb)
    assert database(changed) in names(mongodb)


@pytest.mark.parametrize("name", ["tenancy", "admin", "shop", "t_short"])
def test_nothing_else_is_pruned_or_adopted(store, mongodb, name):
    with mongodb.client() as client:
        client[name]["things"].insert_one({"a": 1})
    assert store.prune({"name": name})["reason"] == "Refused"
    assert store.adopt({"name": name}, INSTANCE)["reason"] == "Refused"
    with mongodb.client() as client:
        assert client[name]["things"].count_documents({}) == 1
        client[name]["things"].drop()


def test_limit_on_namespaces(store, mongodb):
    kept, late = new_id(), new_id()
    assert do(store, INSTANCE, kept, "publish") is None
    index = {"name": "a", "keys": [["a", 1]]}
    collections = [{"name": "c", "indexes": [index]}]
    store.define(options={"max_namespaces": 6}, collections=collections)  # two tenants of 3
    assert do(store, INSTANCE, new_id(), "claim") is None
    failure = do(store, INSTANCE, late, "claim")
    assert (failure["kind"], failure["reason"]) == ("permanent", "NamespaceLimit")
    assert "max_namespaces = 6" in failure["message"]
    assert database(late) not in names(mongodb)
    assert do(store, INSTANCE, kept, "publish", generation=2) is None
    assert do(store, INSTANCE, kept, "erase", present=False, generation=3) is None
    assert do(store, INSTANCE, late, "claim") is None


def test_passwords_in_the_uri_are_refused(open_store):
    with pytest.raises(StoreError, match="ConfigError.*password_file"):
        open_store(kind="mongodb", uri="mongodb://user:secret@127.0.0.1:1/")


@pytest.mark.parametrize("option", ["tlsCAFile=/x", "tlsInsecure=true", "readPreference=secondary"])
def test_options_that_belong_elsewhere_are_refused(open_store, option):
    with pytest.raises(StoreError, match="ConfigError.*uri: take out"):
        open_store(kind="mongodb", uri=f"mongodb://127.0.0.1:1/?{option}&tls=true")
