"""(c) Point queries beside 100 changes of the registry a second, and, since any writer takes some of
the machine, beside as many plain updates of another table. The changes are made on another processor,
where there is one: what is asked is what they do to queries, not how busy the machine is."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from .case_query import ENTER, OWN_ROW, SHAPES, message
from .client import Variant
from .report import Line, Report
from .rounds import Rounds, Spread, run_rounds
from .schema import TENANTS, Bench

CASE = "changes"
RATE = 100
LOST = 5.0  # percent

CHANGES = {
    "nothing": None,
    "plain updates": "UPDATE other SET value = value + 1 WHERE id = %s",
    "registry changes": "SELECT tenancy.set_display_name('t-' || %s, clock_timestamp()::text)",
}


@contextmanager
def changing(bench: Bench, sql: str | None, counts: list[int], cpu: int) -> Iterator[None]:
    """Runs the statement RATE times a second meanwhile, for tenants other than the measured one,
    away from the processor that queries are measured on."""
    if sql is None:
        yield
        return
    stop = threading.Event()
    ready = threading.Event()

    def change() -> None:
        with bench.server.connect(dbname=bench.database) as connection:
            elsewhere = os.sched_getaffinity(0) - {cpu} or {cpu}
            for process in (threading.get_native_id(), connection.info.backend_pid):
                os.sched_setaffinity(process, elsewhere)
            connection.execute(sql, [20], prepare=True)
            ready.set()
            began = time.monotonic()
            number = 0
            while not stop.wait(max(0.0, began + number / RATE - time.monotonic())):
                connection.execute(sql, [20 + number % (TENANTS - 20)], prepare=True)
                number += 1
            counts.append(round(number / (time.monotonic() - began)))

    thread = threading.Thread(target=change)
    thread.start()
    ready.wait(10)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def variants(bench: Bench) -> list[Variant]:
    step, prepare = message(SHAPES[0], "tenanted", None, "prepared")
    assert step.parameters == (OWN_ROW,)
    one = Variant("", bench.conninfo("bench_app"), [step], prepare=prepare, before=["BEGIN", ENTER], after=["COMMIT"])
    return [replace(one, name=name) for name in CHANGES]


def lost(rounds: Rounds, name: str, beside: str = "nothing") -> Spread:
    ratio = rounds.ratio(name, beside)
    return Spread(*(100 * (1 - 1 / each) for each in (ratio.q1, ratio.median, ratio.q3)))


def run(bench: Bench, report: Report) -> dict[str, object]:
    bench.execute("CREATE TABLE IF NOT EXISTS other AS SELECT n AS id, 0 AS value FROM generate_series(0, 99) n")
    reached: dict[str, list[int]] = {name: [] for name in CHANGES}
    rounds = run_rounds(
        variants(bench), 10 if report.quick else 80, measure="mean", warmup=50, seconds=0.4,
        around=lambda name, cpu: changing(bench, CHANGES[name], reached[name], cpu))
    for name, bound in (("plain updates", None), ("registry changes", LOST)):
        rate = sorted(reached[name])[len(reached[name]) // 2]
        report.add(Line(CASE, f"point queries lost beside {name}", lost(rounds, name), "%", bound,
                        f"at {rate} changes a second; the backend's cpu x {rounds.ratio(name, 'nothing', 'cpu').median:.3f}"))
    report.add(Line(CASE, "of that, registry changes beside plain updates", lost(rounds, "registry changes", "plain updates"), "%"))
    return {"rate": RATE, "reached": reached}
