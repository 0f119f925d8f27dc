"""How many faults the tests have tried, by kind; the numbers are in the run's last lines."""

from collections import Counter

_tried: Counter[str] = Counter()


def tried(kind: str, times: int = 1) -> None:
    _tried[kind] += times


def summary() -> list[str]:
    """One line for each kind, the total last; nothing when none was tried."""
    if not _tried:
        return []
    lines = [f"{number:5d} {kind}" for kind, number in sorted(_tried.items())]
    return [*lines, f"{_tried.total():5d} faults tried in all"]
