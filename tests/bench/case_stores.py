"""(e) tenancyd with Redis and a server of MongoDB's protocol: how fast a backlog of tenants converges, how
soon a suspension is in both stores, and what a daemon costs that has nothing to do.

On a server of its own with durable commits, since the others' settings leave them out."""

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis as client
from harness import MongoDB, Redis, Server, Tenancyd, wait_for
from harness.mongodb import real_program
from harness.process import children

from .client import TOOLS
from .report import Line, Report
from .rounds import Spread
from .schema import Bench

CASE = "stores"
BACKLOG = 10_000
REGISTERED = 100_000
SUSPENSIONS = 200
IDLE_SECONDS = 30
LATENCY_BOUND = 100.0  # ms
PAUSE = 0.0005  # between two looks at a store
PROGRAM = TOOLS.parents[1] / "sidecar" / "tenancyd"

DURABLE = {"fsync": True, "synchronous_commit": True, "max_wal_size": "4GB", "shared_buffers": "256MB", "jit": False}
PATIENT = {"lease": "30s", "poll": "5s", "tick": "10s", "scan": "24h", "backoff_most": "5m"}
BEHIND = """
SELECT count(*) FROM tenancy.tenant_store AS s JOIN tenancy.tenant AS t ON t.id = s.tenant_id
WHERE s.store = ANY (%s) AND s.observed_generation < t.generation
"""


class World:
    """A database with the stores that are named, and a daemon for them."""

    def __init__(self, server: Server, name: str, stores: dict[str, Any]) -> None:
        self.server, self.name, self.stores = server, name, stores
        server.createdb(name, extensions=["tenancy"])
        self.connection = server.connect(dbname=name)
        self.connection.execute("CREATE ROLE tenancyd LOGIN IN ROLE tenancy_sidecar")
        self.connection.execute("SELECT tenancy.add_operator('tenancyd', 'sidecar')")
        for store, keys in stores.items():
            self.connection.execute("SELECT tenancy.define_store(%s, %s, ARRAY['suspend', 'erase'])", [store, keys["kind"]])
        self.daemon = Tenancyd(server, name, stores=stores, reconcile=PATIENT, config={"log": {"level": "info"}}, name=name,
                               program=PROGRAM)

    def provision(self, count: int) -> None:
        for first in range(0, count, 1000):
            self.connection.execute(
                "SELECT count(tenancy.provision('t-' || n)) FROM generate_series(%s::int, %s::int) AS n",
                [first, min(first + 1000, count) - 1])
        self.connection.execute("VACUUM ANALYZE tenancy.tenant")
        self.connection.execute("VACUUM ANALYZE tenancy.tenant_store")

    def behind(self) -> int:
        [(count,)] = self.connection.execute(BEHIND, [list(self.stores)]).fetchall()
        return int(count)

    def converge(self, deadline: float) -> float:
        """Seconds until no tenant is behind in any store."""
        began = time.monotonic()
        wait_for(lambda: self.behind() == 0, deadline, f"{self.name} to converge")
        return time.monotonic() - began

    def close(self) -> None:
        self.daemon.close()
        self.connection.close()


def run(bench: Bench, report: Report) -> dict[str, object]:
    count = 200 if report.quick else BACKLOG
    registered = 2000 if report.quick else REGISTERED
    del bench
    with Server(settings=DURABLE, name="stores") as server, Redis() as redis, MongoDB() as mongodb:
        both = {"cache": {"kind": "redis", "addresses": [redis.address]},
                "documents": {"kind": "mongodb", "uri": mongodb.uri}}
        with _world(server, "backlog", both) as world:
            _converge(world, report, count)
            _suspend(world, report, redis, mongodb, min(count, SUSPENSIONS))
    with Server(settings=DURABLE, name="idle") as server, Redis() as redis:
        with _world(server, "registered", {"cache": {"kind": "redis", "addresses": [redis.address]}}) as world:
            _registered(world, report, registered)
    return {"backlog": count, "registered": registered, "mongodb": real_program() or "SecantusDB"}


@contextmanager
def _world(server: Server, name: str, stores: dict[str, Any]) -> Iterator[World]:
    world = World(server, name, stores)
    try:
        yield world
    finally:
        world.close()


def _converge(world: World, report: Report, count: int) -> None:
    world.provision(count)
    world.daemon.start()
    seconds = world.converge(deadline=600)
    cpu, memory = _used(world.daemon.pid)
    rate = count / seconds
    report.add(Line(CASE, f"{count} tenants into Redis and MongoDB", Spread(rate, rate, rate), "1/s", note=f"{seconds:.1f} s"))
    report.add(_single("daemon's processor time for them", cpu * 1000, "ms", f"{cpu / count * 1e6:.0f} us a tenant"))
    report.add(_single("daemon's memory at most", memory / 1024, "MB"))


def _suspend(world: World, report: Report, redis: Redis, mongodb: MongoDB, count: int) -> None:
    latencies: dict[str, list[float]] = {"Redis": [], "MongoDB": [], "both": []}
    cache, documents = client.Redis(port=redis.port, decode_responses=True), mongodb.client()
    tenants = world.connection.execute("SELECT id::text FROM tenancy.tenant LIMIT %s", [count]).fetchall()
    for (tenant,) in tenants:
        name = tenant.replace("-", "")
        seen = {
            "Redis": lambda name=name: cache.hget(f"{{t:{name}}}:tenancy:tenant", "state") == "suspended",
            "MongoDB": lambda name=name: documents[f"t_{name}"]["tenancy"].count_documents(
                {"_id": "tenant", "state": "suspended"}) == 1,
        }
        took = _time_until(world.connection, tenant, seen)
        for store, milliseconds in took.items():
            latencies[store].append(milliseconds)
        latencies["both"].append(max(took.values()))
        wait_for(lambda: world.behind() == 0, 30, "the reports")
    for store, values in latencies.items():
        quantiles = statistics.quantiles(values, n=100, method="inclusive")
        for rank in (50, 99):
            bound = LATENCY_BOUND if store == "both" else None
            report.add(_single(f"suspend to cut off in {store}, p{rank}", quantiles[rank - 1], "ms", bound=bound))


def _time_until(connection: psycopg.Connection[Any], tenant: str, seen: dict[str, Callable[[], bool]]) -> dict[str, float]:
    """Milliseconds from the commit of a suspension until each store shows it."""
    took: dict[str, float] = {}
    began = threading.Event()
    start = [0.0]

    def watch(store: str, condition: Callable[[], bool]) -> None:
        condition()  # connects
        began.wait(10)
        deadline = start[0] + 30
        while not condition() and time.monotonic() < deadline:
            time.sleep(PAUSE)
        took[store] = (time.monotonic() - start[0]) * 1000

    threads = [threading.Thread(target=watch, args=pair) for pair in seen.items()]
    for thread in threads:
        thread.start()
    connection.execute("SELECT tenancy.suspend(%s, 'bench')", [tenant])
    start[0] = time.monotonic()
    began.set()
    for thread in threads:
        thread.join()
    return took


def _registered(world: World, report: Report, count: int) -> None:
    world.provision(count)
    world.daemon.start()
    seconds = world.converge(deadline=1200)
    rate = count / seconds
    report.add(Line(CASE, f"{count} tenants into Redis", Spread(rate, rate, rate), "1/s", note=f"{seconds:.1f} s"))
    _, memory = _used(world.daemon.pid)
    report.add(_single(f"daemon's memory at most, {count} tenants", memory / 1024, "MB"))
    _scan(world, report, count)
    _idle(world, report, count)


def _scan(world: World, report: Report, count: int) -> None:
    """The first scan after a start, with nothing to repair."""
    world.daemon.stop()
    world.daemon.start()
    wait_for(lambda: _scans(world.daemon) == 1, 600, "a scan")
    report.add(_single(f"one full scan of Redis, {count} tenants", _metric(world.daemon, "scan_seconds_sum"), "s"))


def _idle(world: World, report: Report, count: int) -> None:
    """What a server uses for a daemon that has nothing to do, and what it is asked."""
    before = _counted(world)
    deadline = time.monotonic() + IDLE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(1)  # the window that is measured
    after = _counted(world)
    processor, transactions, own = ((b - a) / IDLE_SECONDS for a, b in zip(before, after, strict=True))
    report.add(_single(f"idle daemon: PostgreSQL's processor, {count} tenants", processor * 100, "%"))
    report.add(_single("idle daemon: transactions", transactions, "1/s"))
    report.add(_single("idle daemon: its own processor", own * 100, "%"))


def _counted(world: World) -> tuple[float, float, float]:
    """Processor seconds of the whole server, autovacuum and ended backends too; commits; the daemon's seconds."""
    [(commits,)] = world.server.execute(
        "SELECT xact_commit FROM pg_stat_database WHERE datname = %s", [world.name])
    server = _seconds(world.server.pid, with_ended=True) + sum(_seconds(pid) for pid in children(world.server.pid))
    return server, float(commits), _seconds(world.daemon.pid)


def _metric(daemon: Tenancyd, name: str) -> float:
    return daemon.metrics().get(f'tenancyd_{name}{{store="cache"}}', 0.0)


def _scans(daemon: Tenancyd) -> int:
    return int(_metric(daemon, "scan_seconds_count"))


def _used(pid: int) -> tuple[float, int]:
    """Processor seconds so far, and the largest resident size in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return _seconds(pid), int(status.partition("VmHWM:")[2].split()[0])


def _seconds(pid: int, *, with_ended: bool = False) -> float:
    """Of the process, on request with its children that have ended; 0 when it has ended itself."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11 : 15 if with_ended else 13])) / os.sysconf("SC_CLK_TCK")


def _single(name: str, value: float, unit: str, note: str = "", bound: float | None = None) -> Line:
    return Line(CASE, name, Spread(value, value, value), unit, bound, note)
