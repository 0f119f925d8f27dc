"""(f) protect_plan on a large table under load: the longest that a reader and a writer waited. The
application has been adapted already: each of its transactions enters a tenant."""

import threading
import time
from dataclasses import dataclass, field

import psycopg

from .case_entry import ENTER, write_lines
from .client import Client, Step, Variant
from .report import Line, Report
from .rounds import Spread
from .schema import TENANTS, Bench, tenant_slug

CASE = "protect"
ROWS = 5_000_000
SETTLE = 5.0  # seconds of load before and after
PAUSE = 1000  # microseconds between the transactions of one client
CLIENTS = 2  # readers, and as many writers

FILL = """
DROP TABLE IF EXISTS events CASCADE;
CREATE TABLE events (id bigint, tenant_id uuid, amount integer, note text);
INSERT INTO events SELECT n, plain.tenant_uuid(n % {tenants}), n % 1000, 'event ' || n FROM generate_series(0, {rows} - 1) AS n;
ALTER TABLE events ADD PRIMARY KEY (id);
GRANT SELECT, UPDATE ON events TO PUBLIC;
"""

WORK = {
    "reader": "SELECT amount, note FROM events WHERE id = $1",
    "writer": "UPDATE events SET amount = amount + 1 WHERE id = $1",
}


@dataclass
class Load:
    """One client that works until told to stop, and what its slices of time saw."""

    variant: Variant
    slices: list[tuple[float, float, float]] = field(default_factory=list)  # begin, end, longest (ms)

    def run(self, stop: threading.Event) -> None:
        with Client() as client:
            client.open(self.variant)
            while not stop.is_set():
                begin = time.monotonic()
                block = client.run(self.variant.name, seconds=0.05, pause=PAUSE, seed=len(self.slices))
                self.slices.append((begin, time.monotonic(), block.longest / 1e6))

    def longest(self, begin: float, end: float) -> float:
        return max((longest for b, e, longest in self.slices if e >= begin and b <= end), default=0.0)


def loads(bench: Bench, rows: int) -> list[Load]:
    """Every client has a tenant of its own, so that no two writers meet."""
    made = []
    for number in range(CLIENTS):
        for kind, sql in WORK.items():
            tenant = 2 * number + (kind == "writer")
            slug = {"file": write_lines(bench, f"{kind}-{number}", [tenant_slug(tenant)])}
            row = {"low": 0, "high": rows // TENANTS - 1, "times": TENANTS, "plus": tenant}
            steps = [Step("begin"), Step("enter", parameters=[slug]), Step("work", parameters=[row]), Step("commit")]
            prepare = {"begin": "BEGIN", "enter": ENTER, "work": sql, "commit": "COMMIT"}
            made.append(Load(Variant(kind, bench.conninfo("bench_app"), steps, prepare=prepare)))
    return made


def take_steps(bench: Bench) -> list[dict[str, object]]:
    """Runs the plan as a migration tool would: each step by itself, again when it met a lock."""
    taken = []
    with bench.server.connect(dbname=bench.database) as connection:
        for step, sql, lock, *_ in connection.execute("SELECT * FROM tenancy.protect_plan('events')").fetchall():
            begin, tries = time.monotonic(), 1
            while True:
                try:
                    connection.execute(sql)
                    break
                except psycopg.errors.LockNotAvailable:
                    tries += 1
            taken.append({"step": step, "sql": sql, "lock": lock, "tries": tries, "begin": begin, "end": time.monotonic()})
    return taken


def run(bench: Bench, report: Report) -> dict[str, object]:
    rows = ROWS // 20 if report.quick else ROWS
    bench.execute(FILL.format(rows=rows, tenants=TENANTS))
    bench.execute("VACUUM (ANALYZE) events")
    clients = loads(bench, rows)
    stop = threading.Event()
    threads = [threading.Thread(target=load.run, args=(stop,)) for load in clients]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        quiet = time.monotonic()
        time.sleep(SETTLE)
        steps = take_steps(bench)
        time.sleep(SETTLE / 2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return describe(report, rows, clients, quiet, steps)


def describe(
    report: Report, rows: int, clients: list[Load], quiet: float, steps: list[dict[str, object]]
) -> dict[str, object]:
    began, ended = float(steps[0]["begin"]), float(steps[-1]["end"])  # type: ignore[arg-type]
    for kind in WORK:
        own = [load for load in clients if load.variant.name == kind]
        before = max(load.longest(quiet, began) for load in own)
        waited = max(load.longest(began, ended) for load in own)
        report.add(Line(CASE, f"longest transaction of a {kind}, {rows} rows", Spread(waited, waited, waited), "ms",
                        note=f"{before:.1f} ms before the plan began"))
    for step in steps:
        begin, end = float(step["begin"]), float(step["end"])  # type: ignore[arg-type]
        for kind in WORK:
            longest = max(load.longest(begin, end) for load in clients if load.variant.name == kind)
            step[f"longest_{kind}_ms"] = round(longest, 1)
        print(f"      step {step['step']}: {end - begin:.2f} s, {step['tries']} tries, readers up to "
              f"{step['longest_reader_ms']} ms, writers {step['longest_writer_ms']} ms: {str(step['sql'])[:90]}")
    return {"rows": rows, "clients": len(clients), "pause_us": PAUSE, "seconds_of_plan": ended - began, "steps": steps}
