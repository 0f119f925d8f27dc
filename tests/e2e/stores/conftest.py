"""Servers and worlds of the tests with stores, and how many faults they have tried."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import MongoDB, Redis, Server

from . import faults
from .world import Servers, World, world_in


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """What is acknowledged survives kill -9 in each of them."""
    durable = {"appendonly": "yes", "enable-debug-command": "yes"}
    with (
        Server(name="postgres") as postgres,
        Redis(settings=durable) as redis,
        MongoDB() as mongodb,
    ):
        yield Servers(postgres, redis, mongodb)


@pytest.fixture
def world(servers: Servers) -> Iterator[World]:
    """A world with its stores defined and no daemon yet."""
    with world_in(servers, "stores_world") as made:
        yield made.define()


@pytest.fixture
def bare_world(servers: Servers) -> Iterator[World]:
    """A world without any definition."""
    with world_in(servers, "stores_world") as made:
        yield made


@pytest.fixture
def make_redis() -> Iterator[Callable[..., Redis]]:
    made: list[Redis] = []

    def make(**options: Any) -> Redis:
        made.append(Redis(**options))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines = faults.summary()
    if lines:
        terminalreporter.section("faults tried")
        for line in lines:
            terminalreporter.write_line(line)
