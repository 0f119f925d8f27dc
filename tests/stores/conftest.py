"""Servers and sessions of the store tests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import MongoDB, Redis, RedisCluster

from stores.store_driver import StoreDriver


@pytest.fixture
def open_store() -> Iterator[Callable[..., StoreDriver]]:
    """Makes sessions with a store, by the keys of its configuration; ended with the test."""
    made: list[StoreDriver] = []

    def make(**config: Any) -> StoreDriver:
        made.append(StoreDriver(**config))
        return made[-1]

    yield make
    for driver in made:
        driver.close()


@pytest.fixture
def make_redis() -> Iterator[Callable[..., Redis]]:
    """Makes running Redis servers of the test's own: make_redis(settings=..., tls=True)."""
    made: list[Redis] = []

    def make(**options: Any) -> Redis:
        made.append(Redis(**options))
        made[-1].start()
        return made[-1]

    yield make
    for each in reversed(made):
        each.close()


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[Redis]:
    with Redis(settings={"enable-debug-command": "yes"}) as server:
        yield server


@pytest.fixture
def redis(shared_redis: Redis) -> Redis:
    """An empty Redis server, for tests that leave it running and configured as it is."""
    with shared_redis.connect() as connection:
        connection.flushall()
        connection.script_flush()
    return shared_redis


@pytest.fixture
def open_redis(open_store: Callable[..., StoreDriver]) -> Callable[..., StoreDriver]:
    """A session with a server that has read the stamp, as every writer has to first."""

    def make(server: Redis, **config: Any) -> StoreDriver:
        store = open_store(kind="redis", **({"addresses": [server.address]} | config))
        store.read_stamp()
        return store

    return make


@pytest.fixture
def cluster() -> Iterator[RedisCluster]:
    """A cluster of three primaries."""
    with RedisCluster() as made:
        yield made


@pytest.fixture
def open_cluster(open_store: Callable[..., StoreDriver]) -> Callable[..., StoreDriver]:
    """A session with a cluster that has read the stamp."""

    def make(cluster: RedisCluster, **config: Any) -> StoreDriver:
        settings = {"addresses": cluster.addresses, "cluster": True} | config
        store = open_store(kind="redis", **settings)
        store.read_stamp()
        return store

    return make


@pytest.fixture
def make_mongodb() -> Iterator[Callable[..., MongoDB]]:
    """Makes running MongoDB servers of the test's own: make_mongodb(auth=True, tls=True)."""
    made: list[MongoDB] = []

    def make(**options: Any) -> MongoDB:
        made.append(MongoDB(**options))
        made[-1].start()
        return made[-1]

    yield make
    for each in reversed(made):
        each.close()


@pytest.fixture(scope="session")
def shared_mongodb() -> Iterator[MongoDB]:
    with MongoDB() as server:
        yield server


@pytest.fixture
def mongodb(shared_mongodb: MongoDB) -> MongoDB:
    """An empty MongoDB server, for tests that leave it running."""
    with shared_mongodb.client() as client:
        for name in client.list_database_names():
            if name not in ("admin", "config", "local"):
                client.drop_database(name)
    return shared_mongodb


@pytest.fixture
def open_mongodb(open_store: Callable[..., StoreDriver]) -> Callable[..., StoreDriver]:
    """A session with a server that has read the stamp, as every writer has to first."""

    def make(server: MongoDB, **config: Any) -> StoreDriver:
        store = open_store(kind="mongodb", **({"uri": server.uri} | config))
        store.read_stamp()
        return store

    return make
