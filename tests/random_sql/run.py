"""Runs of sqlsmith: so many statements from a seed, judged (judge.py), and a look at what is stored afterwards."""

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness import Server
from harness.process import clean_environment

from .judge import Finding, Judge, Verdict
from .world import APP, TENANTS, Tenant, World

SERVER = {
    "log_min_messages": "log",  # crashes; a statement's errors go to its client
    "jit": "off",  # it takes seconds for each statement, and no heed of statement_timeout
}
CRASH = re.compile(r"terminated by signal|PANIC:|TRAP:|exited with exit code (?![01]\b)")


@dataclass(frozen=True)
class Mood:
    """Settings that bring the planner to other plans than small tables would get. `everything`: with all operators and
    functions of the server and the catalogs' relations, not only what the tables' types have."""

    name: str
    settings: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True)
class Share:
    """What one sqlsmith does. It begins with the schema, which takes a second or two."""

    number: int
    statements: int
    seed: int
    tenant: Tenant
    mood: Mood

    def __str__(self) -> str:
        return f"share {self.number} (sqlsmith --seed={self.seed}, {self.tenant.slug}, {self.mood.name})"


def moods(parallel: str) -> list[Mood]:
    """`parallel`: the setting that sends every query to a worker."""
    costs = ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size")
    return [
        Mood("indexes", ("set enable_seqscan = off",)),
        Mood("as it is"),
        Mood("nested loops", ("set enable_hashjoin = off", "set enable_mergejoin = off", "set enable_seqscan = off")),
        Mood("parallel", (*(f"set {cost} = 0" for cost in costs), f"set {parallel} = on")),
        Mood("bitmaps", ("set enable_seqscan = off", "set enable_indexscan = off", "set enable_indexonlyscan = off")),
        Mood("everything", everything=True),
    ]


def shares(world: World, statements: int, seed: int, size: int) -> Iterator[Share]:
    """Shares of `size` statements, each with its seed, tenant and mood; 18 of them have every tenant in every mood."""
    every = moods(world.server.forced_parallel)
    for number, begun in enumerate(range(0, statements, size)):
        tenant = TENANTS[(number + number // len(every)) % len(TENANTS)]
        yield Share(number, min(size, statements - begun), seed + number, tenant, every[number % len(every)])


def run(world: World, share: Share) -> Verdict:
    before, mark = world.foreign_rows(share.tenant), world.server.log_size()
    with Judge(lambda: world.server.port, share.tenant, share.mood.settings, share.mood.everything) as judge:
        done = _sqlsmith(world, judge.port, share)
    verdict = judge.verdict
    if done.returncode != 0:
        verdict.findings.append(Finding(f"sqlsmith ended with {done.returncode}", done.stderr[-2000:]))
    for table, digest in world.foreign_rows(share.tenant).items():
        if digest != before[table]:
            verdict.findings.append(Finding(f"rows of other tenants changed in {table}", ""))
    verdict.findings += crashes(world.server, mark)
    world.restore(share.tenant)
    return verdict


def crashes(server: Server, since: int) -> list[Finding]:
    """What the server's log says of crashes, from that byte on."""
    lines = server.log_text(since).splitlines()
    return [Finding(f"the server's log: {line}", "") for line in lines if CRASH.search(line)]


def run_all(world: World, planned: Iterator[Share], told: Callable[[str], None]) -> Verdict:
    """Runs the shares, and tells of each and what it found when it is done."""
    total = Verdict()
    for share in planned:
        verdict = run(world, share)
        told(f"{share}: {verdict}")
        for finding in verdict.findings:
            finding.reason = f"{share}: {finding.reason}"
            told(str(finding))
        total.add(verdict)
    return total


def _sqlsmith(world: World, port: int, share: Share) -> subprocess.CompletedProcess[str]:
    target = f"host=127.0.0.1 port={port} user={APP} dbname={world.database} sslmode=disable gssencmode=disable"
    command = ["sqlsmith", f"--target={target}", f"--seed={share.seed}", f"--max-queries={share.statements}"]
    if not share.mood.everything:
        command.append("--exclude-catalog")
    return subprocess.run(command, env=clean_environment(), capture_output=True, text=True)
