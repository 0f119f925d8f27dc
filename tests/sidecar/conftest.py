"""Fixtures of tenancyd's tests: a database with its operators, and daemons for it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import Redis, Server, Tenancyd

ROLES = """
do $$ begin
    if to_regrole('tenancyd') is null then
        create role tenancyd login in role tenancy_sidecar;
        create role shop_admin login in role tenancy_admin;
        create role shop_backup login bypassrls in role pg_read_all_data;
        create role shop_owner login;
    end if;
end $$;
select tenancy.add_operator('tenancyd', 'sidecar'), tenancy.add_operator('shop_admin', 'admin');
"""


@pytest.fixture
def shop(server: Server, database: str) -> str:
    """A new database whose operators are tenancyd (sidecar) and shop_admin (admin)."""
    server.psql(ROLES, dbname=database)
    return database


@pytest.fixture
def make_tenancyd(server: Server, shop: str) -> Iterator[Callable[..., Tenancyd]]:
    """Makes daemons for `shop`, not started yet: make_tenancyd(stores=..., failpoint=...)."""
    made: list[Tenancyd] = []

    def make(**options: Any) -> Tenancyd:
        options.setdefault("server", server)
        options.setdefault("dbname", shop)
        made.append(Tenancyd(**options))
        return made[-1]

    yield make
    for daemon in reversed(made):
        daemon.close()


@pytest.fixture
def tenancyd(make_tenancyd: Callable[..., Tenancyd]) -> Tenancyd:
    """A running daemon without stores."""
    daemon = make_tenancyd()
    daemon.start()
    return daemon


@pytest.fixture
def cache() -> Iterator[Redis]:
    """A Redis server with a password."""
    with Redis(settings={"requirepass": "hunter2-of-the-cache"}) as store:
        yield store


def cache_keys(cache: Redis) -> dict[str, Any]:
    """The keys of [stores.cache]."""
    return {"kind": "redis", "addresses": [cache.address], "password": "hunter2-of-the-cache"}
