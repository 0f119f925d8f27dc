"""Interleaved rounds: every variant runs once in each round, in random order, on the same keys.

What is compared is always within one round, so what else the machine does in the meantime falls on
all variants alike; over the rounds medians and quartiles are taken.
"""

import os
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .client import Block, Client, Variant

Measure = Literal["median", "mean"]


@dataclass(frozen=True)
class Spread:
    """Quartiles over the rounds."""

    q1: float
    median: float
    q3: float

    @staticmethod
    def of(values: Sequence[float]) -> "Spread":
        if len(values) == 1:
            return Spread(values[0], values[0], values[0])
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return Spread(low, middle, high)


@dataclass
class Rounds:
    """The blocks of each variant, one a round."""

    measure: Measure = "median"
    blocks: dict[str, list[Block]] = field(default_factory=dict)

    def times(self, name: str, measure: str | None = None) -> list[float]:
        return [getattr(block, measure or self.measure) for block in self.blocks[name]]

    def spread(self, name: str) -> Spread:
        """Nanoseconds an iteration."""
        return Spread.of(self.times(name))

    def ratio(self, name: str, base: str, measure: str | None = None) -> Spread:
        """How much longer than `base`, round by round."""
        pairs = zip(self.times(name, measure), self.times(base, measure), strict=True)
        return Spread.of([time / beside for time, beside in pairs])

    def difference(self, name: str, base: str, measure: str | None = None) -> Spread:
        pairs = zip(self.times(name, measure), self.times(base, measure), strict=True)
        return Spread.of([time - beside for time, beside in pairs])


def run_rounds(
    variants: Sequence[Variant],
    rounds: int,
    *,
    measure: Measure = "median",
    around: Callable[[str, int], Any] | None = None,
    **order: Any,
) -> Rounds:
    """Runs them; `order` is that of Client.run. `around(name, cpu)` is a context manager held meanwhile.

    Each round stays on one processor, the next one on another.
    """
    cpus = sorted(os.sched_getaffinity(0))
    result = Rounds(measure, {variant.name: [] for variant in variants})
    with Client() as client:
        for variant in variants:
            client.open(variant)
        names = [variant.name for variant in variants]
        for number in range(rounds):
            random.shuffle(names)
            order["cpu"] = cpus[number % len(cpus)]
            for name in names:
                if around is None:
                    block = client.run(name, seed=number, **order)
                else:
                    with around(name, order["cpu"]):
                        block = client.run(name, seed=number, **order)
                result.blocks[name].append(block)
    return result
