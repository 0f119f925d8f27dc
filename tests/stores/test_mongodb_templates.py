"""The MongoDB store: collections, validators and indexes from templates, and their drift."""

import pytest
from stores.mongo_world import database, do, look, make_all, on
from stores.store_driver import new_id

INSTANCE = new_id()
VALIDATOR = {"$jsonSchema": {"bsonType": "object", "required": ["n"], "minProperties": 1.0}}
INDEXES = {
    "unique": {"name": "unique", "keys": [["n", 1], ["m", -1]], "unique": True},
    "ttl": {"name": "ttl", "keys": [["at", 1]], "ttl_seconds": 3600},
    "partial": {"name": "partial", "keys": [["p", 1]], "partial": {"p": {"$gt": 1.0}}},
    "collated": {"name": "collated", "keys": [["c", 1]], "collation": {"locale": "en", "strength": 2}},
    "sparse": {"name": "sparse", "keys": [["s", 1]], "sparse": True},
}
ORDERS = {"name": "orders", "validator": VALIDATOR, "indexes": list(INDEXES.values())}


@pytest.fixture
def store(mongodb, open_mongodb):
    made = open_mongodb(mongodb)
    made.define(collections=[ORDERS])
    return made


@pytest.fixture
def tenant(store):
    made = new_id()
    assert do(store, INSTANCE, made, *make_all("orders", *INDEXES)) is None
    return made


@pytest.fixture
def orders(mongodb, tenant):
    with mongodb.client() as client:
        yield client[database(tenant)]["orders"]


def observed(store, tenant):
    return look(store, tenant, reached_before=True)["collections"]["orders"]


def assert_as_wanted(store, tenant):
    found = observed(store, tenant)
    assert found["validator"] == VALIDATOR
    for name, wanted in INDEXES.items():
        assert found["indexes"][name] | wanted == found["indexes"][name], name


def test_everything_is_made_and_means_the_same(store, tenant, orders):
    assert_as_wanted(store, tenant)
    listed = {each["name"]: each for each in orders.list_indexes()}
    assert listed["unique"]["unique"] is True
    assert list(listed["unique"]["key"].items()) == [("n", 1), ("m", -1)]
    assert listed["ttl"]["expireAfterSeconds"] == 3600
    assert orders.options()["validator"] == VALIDATOR


def test_steps_may_be_repeated(store, tenant):
    again = [on(step, "orders", name) for name in INDEXES for step in ("create_index", "replace_index")]
    steps = [*make_all("orders"), on("set_validator", "orders"), on("set_ttl", "orders", "ttl"), *again]
    for _ in range(2):
        assert do(store, INSTANCE, tenant, *steps) is None
    assert_as_wanted(store, tenant)


def test_a_changed_validator_is_seen_and_repaired(store, tenant, orders):
    for changed in ({"validator": {"n": {"$gt": 0}}}, {"validator": {}}, {"validationAction": "warn"}):
        orders.database.command("collMod", "orders", **changed)
        assert observed(store, tenant)["validator"] != VALIDATOR, changed
        assert do(store, INSTANCE, tenant, on("set_validator", "orders")) is None
        assert_as_wanted(store, tenant)


def test_a_validator_is_taken_away(store, tenant, orders):
    store.define(collections=[{"name": "orders"}])
    assert do(store, INSTANCE, tenant, on("set_validator", "orders")) is None
    assert observed(store, tenant)["validator"] is None
    orders.insert_one({})


def test_a_changed_ttl_is_repaired_without_a_new_index(store, tenant, orders):
    orders.database.command("collMod", "orders", index={"name": "ttl", "expireAfterSeconds": 5})
    found = observed(store, tenant)["indexes"]["ttl"]
    assert found | INDEXES["ttl"] | {"ttl_seconds": 5} == found
    assert do(store, INSTANCE, tenant, on("set_ttl", "orders", "ttl")) is None
    assert_as_wanted(store, tenant)


def test_a_ttl_is_given_to_an_index_without(store, tenant, orders):
    orders.drop_index("ttl")
    orders.create_index([("at", 1)], name="ttl")
    assert "ttl_seconds" not in observed(store, tenant)["indexes"]["ttl"]
    assert do(store, INSTANCE, tenant, on("set_ttl", "orders", "ttl")) is None
    assert_as_wanted(store, tenant)


@pytest.mark.parametrize("name", INDEXES)
def test_a_dropped_or_changed_index_is_repaired(store, tenant, orders, name):
    orders.drop_index(name)
    assert name not in observed(store, tenant)["indexes"]
    assert do(store, INSTANCE, tenant, on("create_index", "orders", name)) is None
    assert_as_wanted(store, tenant)
    orders.drop_index(name)
    orders.create_index([("other", 1)], name=name)
    found = observed(store, tenant)["indexes"][name]
    assert found | INDEXES[name] != found
    assert do(store, INSTANCE, tenant, on("replace_index", "orders", name)) is None
    assert_as_wanted(store, tenant)


def test_extra_indexes_and_collections_are_seen_and_removed(store, tenant, orders):
    orders.create_index([("extra", 1)], name="extra")
    orders.database["more"].insert_one({})
    assert "extra" in observed(store, tenant)["indexes"]
    assert set(look(store, tenant)["collections"]) == {"orders", "more"}
    removal = [on("drop_index", "orders", "extra"), on("prune_collection", "more")]
    for _ in range(2):
        assert do(store, INSTANCE, tenant, *removal) is None
    assert set(look(store, tenant)["collections"]) == {"orders"}
    assert "extra" not in observed(store, tenant)["indexes"]


def test_without_templates_collections_are_the_applications_affair(store, tenant):
    store.define()
    assert look(store, tenant, reached_before=True)["collections"] == {}
    assert look(store, tenant)["collections"] == {}


@pytest.mark.parametrize("name", ["tenancy", "system.profile"])
def test_the_markers_collection_is_never_pruned(store, tenant, name):
    assert do(store, INSTANCE, tenant, on("prune_collection", name))["reason"] == "Refused"
    assert look(store, tenant)["marker"] is not None


def test_an_existing_collection_gets_the_validator(store, mongodb):
    tenant = new_id()
    with mongodb.client() as client:
        client[database(tenant)].create_collection("orders", validator={"x": 1})
    assert do(store, INSTANCE, tenant, *make_all("orders", *INDEXES)) is None
    assert_as_wanted(store, tenant)


@pytest.mark.parametrize("validator", [{"$nonsense": 1}, {"$jsonSchema": {"bsonType": "no type"}}])
def test_a_template_that_the_server_refuses_is_permanent(store, validator):
    store.define(collections=[{"name": "bad", "validator": validator}])
    failure = do(store, INSTANCE, new_id(), on("create_collection", "bad"))
    assert failure["kind"] == "permanent"
    assert failure["reason"] == "Refused"


def test_a_template_with_a_malformed_value_is_permanent(store):
    store.define(collections=[{"name": "bad", "validator": {"a": {"$oid": "short"}}}])
    failure = do(store, INSTANCE, new_id(), on("create_collection", "bad"))
    assert (failure["kind"], failure["reason"]) == ("permanent", "Refused")
    assert "$oid" in failure["message"]


def test_data_that_contradicts_a_unique_index_is_permanent(store, tenant, orders):
    orders.drop_index("unique")
    orders.insert_many([{"n": 1, "m": 1}, {"n": 1, "m": 1}])
    failure = do(store, INSTANCE, tenant, on("create_index", "orders", "unique"))
    assert (failure["kind"], failure["reason"]) == ("permanent", "DuplicateKeys")
    assert "remove the duplicates" in failure["message"]


def test_an_index_of_another_shape_in_the_way_is_permanent(store, tenant, orders):
    orders.drop_index("unique")
    orders.create_index([("other", 1)], name="unique")
    failure = do(store, INSTANCE, tenant, on("create_index", "orders", "unique"))
    assert (failure["kind"], failure["reason"]) == ("permanent", "IndexConflict")


def test_probe_finds_all_that_the_templates_need(store, mongodb):
    found = store.probe()
    assert found["missing"] == []
    assert all(found["details"].values())
    assert not [name for name in mongodb.client().list_database_names() if "probe" in name]
