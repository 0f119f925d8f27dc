"""What the tests of the MongoDB store look at and ask for."""

from typing import Any

from harness import MongoDB

from stores.store_driver import StoreDriver, desired, tenant_hex, work


def database(tenant: str) -> str:
    return f"t_{tenant_hex(tenant)}"


def marker(server: MongoDB, tenant: str) -> Any:
    with server.client() as client:
        return client[database(tenant)]["tenancy"].find_one({"_id": "tenant"})


def names(server: MongoDB) -> set[str]:
    with server.client() as client:
        return set(client.list_database_names())


def on(kind: str, collection: str, index: str = "") -> dict[str, str]:
    return {"kind": kind, "collection": collection, "index": index}


def look(store: StoreDriver, tenant: str, **more: Any) -> Any:
    """What is observed of one tenant."""
    return store.observe([desired(tenant, **more)])[0]


def do(store: StoreDriver, instance: str, tenant: str, *actions: Any, **more: Any) -> Any:
    """The failure of one tenant's actions, None when all were taken."""
    return store.apply([work(tenant, *actions, **more)], instance)[0]["failure"]


def make_all(collection: str, *indexes: str) -> list[Any]:
    """Claim, the collection, its indexes, publish."""
    made = [on("create_index", collection, index) for index in indexes]
    return ["claim", on("create_collection", collection), *made, "publish"]
