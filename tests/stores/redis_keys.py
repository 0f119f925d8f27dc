"""What the Redis store's tests say about keys."""

from typing import Any

from stores.store_driver import tenant_hex


def key(tenant: str, name: str) -> str:
    return f"{{t:{tenant_hex(tenant)}}}:{name}"


def marker(connection: Any, tenant: str) -> dict[str, str]:
    return connection.hgetall(key(tenant, "tenancy:tenant"))


def settings(connection: Any, tenant: str) -> dict[str, str]:
    return connection.hgetall(key(tenant, "tenancy:settings"))


def fill(connection: Any, tenant: str, names: list[str]) -> None:
    """One text key for each name, pipelined."""
    with connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.set(key(tenant, name), "x")
        pipeline.execute()


def ok(outcomes: list[dict[str, Any]]) -> bool:
    """Whether all steps of all tenants were taken."""
    return all(each["failure"] is None for each in outcomes)
