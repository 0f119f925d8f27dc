"""The measuring client (client.cpp): variants of one piece of work, each over its own connection."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness import Server

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("TENANCY_BENCH_TOOLS", ROOT / "build" / "bench-tools" / "tests" / "bench"))

Parameter = str | Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One message: a prepared statement, or a text for the simple protocol with {0}, {1} for parameters.

    A parameter is a text, {"file": path, "random": bool} (one of its lines), or
    {"low", "high", "times", "plus", "prefix", "serial"} (prefix and random number * times + plus).
    """

    statement: str = ""
    simple: str = ""
    parameters: Sequence[Parameter] = ()


@dataclass(frozen=True)
class Variant:
    """One way of doing the work. An iteration is all steps; `before` and `after` surround a block
    of iterations and are not measured. `pipelined` sends all steps with one Sync."""

    name: str
    conninfo: str
    steps: Sequence[Step]
    setup: Sequence[str] = ()
    prepare: Mapping[str, str] = field(default_factory=dict)
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    pipelined: bool = False


@dataclass(frozen=True)
class Block:
    """What one block took; times in nanoseconds an iteration, cpu what the backend itself ran."""

    iterations: int
    seconds: float
    q1: float
    median: float
    q3: float
    mean: float
    longest: float
    cpu: float


class Client:
    """A running client; variants are opened once and run in blocks, in any order."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(TOOLS / "bench_client")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def open(self, variant: Variant) -> int:
        """Connects and prepares; returns the backend's process id."""
        return int(self._ask({"open": asdict(variant)})["pid"])

    def run(self, name: str, **order: Any) -> Block:
        """Runs one block: seed, warmup, iterations or seconds, the cpu to stay on,
        and a pause (microseconds) after each iteration."""
        return Block(**self._ask({"run": name} | order))

    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            raise RuntimeError(f"bench_client: {answer['error']}")
        return answer


def conninfo(server: Server, user: str, dbname: str) -> str:
    parameters = server.parameters(user=user, dbname=dbname)
    return " ".join(f"{name}='{value}'" for name, value in parameters.items())


def mint(algorithm: str, count: int, lifetime: int, tenants: Sequence[str]) -> tuple[str, list[str]]:
    """A new key as JWK, and `count` different tokens that it signed, for each tenant in turn."""
    command = [str(TOOLS / "bench_mint"), algorithm, str(count), str(lifetime), *tenants]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return lines[0], lines[1:]
