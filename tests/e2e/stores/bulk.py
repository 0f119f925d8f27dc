"""The lives of many tenants at once, with faults at seeded moments while the stores follow."""

import os
import random
from collections.abc import Callable

from harness import wait_for

from .world import World

# Chooses the moments of the faults.
SEED = int(os.environ.get("TENANCY_SEED", "4"))

Fault = Callable[[], object]


class Bulk:
    """`size` tenants that go the same way; a part of them all the way."""

    def __init__(self, world: World, size: int, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.slugs = [f"tenant-{number}" for number in range(size)]

    def moment(self, low: float = 0.0, high: float = 0.8) -> None:
        """Returns once a random part of (tenant, store) has followed."""
        part = self.random.uniform(low, high)
        wait_for(lambda: self.world.followed() >= part, 60, f"{part:.0%} of the tenants to follow")

    def steps(self) -> list[tuple[str, Callable[[], object]]]:
        half, gone = self.slugs[::2], self.slugs[::4]
        world = self.world
        return [
            ("provision", lambda: world.provision_many(self.slugs)),
            ("suspend", lambda: world.act("suspend", self.slugs)),
            ("resume", lambda: world.act("resume", self.slugs[1::2])),
            ("settings", lambda: world.admin("select tenancy.set_setting('tier:standard', 'seats', '7')")),
            ("archive", lambda: world.act("archive", half)),
            ("erase", lambda: world.begin_erasing(gone)),
        ]

    def live(self, faults: list[Fault]) -> None:
        """All steps; in each every fault, in random order, each at a random moment."""
        for _, step in self.steps():
            step()
            for fault in self.random.sample(faults, len(faults)):
                self.moment()
                fault()
            self.world.settled()
        for slug in self.slugs[::4]:
            self.world.erase(slug)
        self.world.converged()
