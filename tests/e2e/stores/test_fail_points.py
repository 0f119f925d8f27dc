"""kill -9 of tenancyd at every place where its life can be cut between two steps.

The places that a whole life of a tenant passes are recorded first; then the daemon is ended at each
of them, at its first passing and at a later one, and started again. In `make check` one life after
the other goes on, and the daemon dies at the next place as soon as it is back; TENANCY_LONG=1 gives
every death a life of its own, at the first, second, third and fifth passing.
"""

import os
from collections.abc import Iterator
from itertools import count

import pytest
from harness import wait_for

from . import faults
from .lifecycle import Life
from .world import PATIENCE, Servers, StoresDaemon, World, world_in

LONG = os.environ.get("TENANCY_LONG") == "1"

# A dead daemon's leases end by themselves, and the stores answer within milliseconds.
LEASE = {"lease": "500ms"}

# Passed once in the life of an installation: test_first_start().
ONCE = {"fence.intended", "fence.bound", "fence.state_written"}


class Mortal:
    """A daemon that is to die at one place after the other, and is started again each time."""

    def __init__(self, daemon: StoresDaemon, deaths: Iterator[str]) -> None:
        self.daemon, self._deaths = daemon, deaths
        self.died: list[str] = []
        self._arm()

    def _arm(self) -> None:
        self.daemon.failpoint = next(self._deaths, None)
        self.daemon.start_to_die()

    def look(self) -> None:
        if self.daemon.killed():
            self.died.append(self.daemon.failpoint or "")
            faults.tried("kill -9 of tenancyd at a failpoint")
            self._arm()

    def __str__(self) -> str:
        log = self.daemon.log_text()[-3000:]
        return f"died at {self.died}, is to die at {self.daemon.failpoint}; its log ends with\n{log}"

    @property
    def immortal(self) -> bool:
        return self.daemon.failpoint is None and self.daemon.running


def live(world: World, life: Life, mortal: Mortal) -> None:
    """The whole life, the stores following after each step."""
    for name, step in life.steps():
        came = step()
        world.settled(meanwhile=mortal.look)
        if came is not None:
            try:
                wait_for(lambda: mortal.look() or came(), PATIENCE, name)
            except TimeoutError as error:
                raise AssertionError(f"{error}; {mortal}") from None
    life.finish()


def places_of_a_life(servers: Servers) -> list[str]:
    """In the order of their first passing."""
    with world_in(servers, "recorded") as world:
        world.define(unknown_objects="prune")
        daemon = world.daemon(reconcile=LEASE, start=False)
        assert isinstance(daemon, StoresDaemon)
        live(world, Life(world, "recorded"), Mortal(daemon, iter([])))
        world.converged()
        return list(dict.fromkeys(daemon.passed()))


@pytest.fixture(scope="module")
def places(servers: Servers) -> list[str]:
    found = places_of_a_life(servers)
    # What a life should have passed; else the recording is not what it seems.
    for expected in ("work.claimed", "work.observed", "work.applied", "work.reported", "fence.stamped"):
        assert expected in found
    for action in ("claim", "publish", "create_collection", "create_index", "set_validator", "set_ttl"):
        assert f"mongodb.{action}.before" in found
    for action in ("replace_index", "drop_index", "prune_collection", "erase"):
        assert f"mongodb.{action}.after" in found
    for action in ("publish", "erase", "adopt", "prune"):
        assert {f"redis.{action}.before", f"redis.{action}.after"} <= set(found)
    return found


def test_every_place(servers: Servers, places: list[str]) -> None:
    """One after the other, in lives that go on: many deaths in each life."""
    deaths = deaths_in_order([place for place in places if place not in ONCE])
    with world_in(servers, "places") as world:
        world.define(unknown_objects="prune")
        daemon = world.daemon(reconcile=LEASE)
        assert isinstance(daemon, StoresDaemon)
        daemon.stop()  # it has bound the instance
        mortal = Mortal(daemon, iter(deaths))
        for number in count(1):
            live(world, Life(world, f"life-{number}"), mortal)
            if mortal.immortal:
                break
            assert number < 16, f"never reached: {mortal.daemon.failpoint}"
        assert mortal.died == deaths
        world.converged()
        assert set(world.states().values()) == {"erased"}


def deaths_in_order(places: list[str]) -> list[str]:
    """At the first passing of each, then at the second: those after a step by themselves, as the
    death before it leaves only one of a life's two tenants to do the step for."""
    late = [place for place in places if place.endswith(".after")]
    early = [place for place in places if place not in late]
    return [f"{place}:1" for place in places] + [f"{place}:2" for place in early + late]


@pytest.mark.parametrize("place", sorted(ONCE))
def test_first_start(servers: Servers, place: str) -> None:
    with world_in(servers, "first_start") as world:
        world.define()
        daemon = world.daemon(start=False, failpoint=place)
        assert isinstance(daemon, StoresDaemon)
        daemon.start_to_die()
        assert daemon.killed()
        faults.tried("kill -9 of tenancyd at its first start")
        daemon.failpoint = None
        daemon.start()
        world.provision("one")
        world.converged()
        assert world.sql("select epoch from tenancy.instance") == [(1,)]


@pytest.mark.skipif(not LONG, reason="TENANCY_LONG=1 runs it")
@pytest.mark.parametrize("passing", [1, 2, 3, 5])
def test_every_place_by_itself(servers: Servers, places: list[str], passing: int) -> None:
    with world_in(servers, "by_itself") as world:
        world.define(unknown_objects="prune")
        daemon = world.daemon(reconcile=LEASE)
        assert isinstance(daemon, StoresDaemon)
        for number, place in enumerate(place for place in places if place not in ONCE):
            daemon.stop()
            mortal = Mortal(daemon, iter([f"{place}:{passing}"]))
            live(world, Life(world, f"life-{passing}-{number}"), mortal)
            world.converged(PATIENCE)
            if not mortal.died:
                assert passing > 1, f"{place} was not reached"
