"""The table that people read and the JSON that programs read."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import Server

from .rounds import Rounds, Spread

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "build" / "bench"


@dataclass
class Line:
    """One result. A line with a bound passes when its value is not above it."""

    case: str
    name: str
    value: Spread
    unit: str  # x (a ratio), us, ms, s, MB, 1/s, %
    bound: float | None = None
    note: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool | None:
        return None if self.bound is None else self.value.median <= self.bound

    @property
    def mark(self) -> str:
        return {None: "", True: "pass", False: "MISSED"}[self.passed]


class Report:
    """Collects lines, prints each as it comes, and writes one JSON file for each case."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.lines: list[Line] = []

    def add(self, line: Line) -> None:
        self.lines.append(line)
        print("   " + render(line), flush=True)

    def ratio(
        self, case: str, name: str, rounds: Rounds, variant: str, base: str,
        bound: float | None = None, note: str = "",
    ) -> None:
        """The line that compares two variants, with both their times."""
        times = {each: asdict(rounds.spread(each)) for each in (variant, base)}
        cpu = rounds.ratio(variant, base, "cpu")
        shown = f"{us(rounds, variant)} / {us(rounds, base)} us, backend's cpu {cpu.median:.3f}"
        line = Line(case, name, rounds.ratio(variant, base), "x", bound, f"{shown}  {note}".rstrip())
        line.detail = {"nanoseconds": times, "rounds": len(rounds.blocks[variant]), "measure": rounds.measure,
                       "cpu_ratio": asdict(cpu)}
        self.add(line)

    def write(self, case: str, environment: dict[str, Any], extra: dict[str, Any]) -> Path:
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        path = DIRECTORY / f"{case}.json"
        lines = [asdict(line) | {"passed": line.passed} for line in self.lines if line.case == case]
        content = {"case": case, "environment": environment, "quick": self.quick, "results": lines} | extra
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return path

    def table(self) -> str:
        """All lines, with what missed its bound repeated at the end."""
        rows = [render(line) for line in self.lines]
        missed = [line for line in self.lines if line.passed is False]
        bounded = [line for line in self.lines if line.passed is not None]
        ending = f"{len(bounded) - len(missed)} of {len(bounded)} bounds are kept"
        return "\n".join([HEADING, *rows, "", ending, *(f"  missed: {render(line)}" for line in missed)])


HEADING = f"{'case':<10} {'what':<52} {'median':>9} {'quartiles':>19}  {'bound':>6} {'':<6}"


def render(line: Line) -> str:
    value, low, high = (_number(x, line.unit) for x in (line.value.median, line.value.q1, line.value.q3))
    quartiles = f"{low} .. {high}" if low != high else ""
    bound = "" if line.bound is None else _number(line.bound, line.unit)
    text = f"{line.case:<10} {line.name:<52} {value:>9} {quartiles:>19}  {bound:>6} {line.mark:<6} {line.note}"
    return text.rstrip()


def _number(value: float, unit: str) -> str:
    digits = {"x": 3, "us": 1, "ms": 1, "s": 1, "MB": 1, "%": 1}.get(unit, 0)
    return f"{value:.{digits}f}" + ("" if unit == "x" else f" {unit}")


def us(rounds: Rounds, name: str) -> str:
    return f"{rounds.spread(name).median / 1000:.1f}"


def environment(server: Server) -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "postgresql": server.execute("select version()")[0][0],
        "extension": server.execute(
            "select default_version from pg_available_extensions where name = 'tenancy'")[0][0],
        "cores": os.cpu_count(),
        "cpu": _cpu(),
        "memory_kb": _memory_kb(),
        "load": os.getloadavg(),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "settings": server.settings,
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_kb() -> int:
    return int(Path("/proc/meminfo").read_text(encoding="utf-8").split()[1])
