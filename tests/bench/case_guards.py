"""(k) What the guards and the checks of lost protection add to a statement: a point query and an update of one
row, by primary key, in a context that is set already, with guards, with tenancy.guard = off, which leaves the
checks of protection, and on a table that is not protected. Each is compared with PostgreSQL without the library."""

from dataclasses import replace

from .case_query import ENTER, OWN_ROW, Shape, message
from .client import Variant
from .report import Line, Report
from .rounds import Spread, run_rounds
from .schema import TENANT, Bench

CASE = "guards"
SHAPES = (
    Shape("point query", "SELECT id, amount, note FROM {schema}.item WHERE {tenant}id = $1", (OWN_ROW,), 150, 120),
    Shape("update", "UPDATE {schema}.item SET amount = amount WHERE {tenant}id = $1", (OWN_ROW,), 100, 120),
)
# name: role, schema, first statement, whether the condition is written by hand
WAYS = {
    "plain": ("bench_plain", "plain", "SELECT 1", True),
    "unprotected": ("bench_app", "plain", ENTER, True),
    "guard off": ("bench_off", "tenanted", ENTER, False),
    "guarded": ("bench_app", "tenanted", ENTER, False),
}


def variants(bench: Bench, shape: Shape, protocol: str) -> list[Variant]:
    tenant = bench.tenant_id(TENANT)
    made = []
    for name, (role, schema, first, by_hand) in WAYS.items():
        step, prepare = message(shape, schema, tenant if by_hand else None, protocol)
        made.append(Variant(name, bench.conninfo(role), [step], prepare=prepare, before=["BEGIN", first], after=["ROLLBACK"]))
    # The same once more: what differs between two that do not.
    return [*made, replace(made[-1], name="guarded again")]


def measure(bench: Bench, report: Report, shape: Shape, protocol: str) -> None:
    rounds = run_rounds(variants(bench, shape, protocol), 10 if report.quick else shape.rounds,
                        warmup=15, iterations=shape.iterations)
    what = f"{shape.name}, {protocol}"
    for name in ("unprotected", "guard off", "guarded"):
        report.ratio(CASE, f"{what}: {name} / plain PostgreSQL", rounds, name, "plain")
    for name, beside in (("guarded", "guard off"), ("guarded again", "guarded")):
        spread = rounds.difference(name, beside, "cpu")
        added = Spread(spread.q1 / 1000, spread.median / 1000, spread.q3 / 1000)
        report.add(Line(CASE, f"{what}: {name} - {beside}", added, "us", note="backend's cpu"))


def run(bench: Bench, report: Report) -> dict[str, object]:
    bench.execute("CREATE ROLE bench_off LOGIN; ALTER ROLE bench_off SET tenancy.guard = off;"
                  " SELECT tenancy.grant_access('bench_off', '*', reason => 'benchmark')")
    for shape in SHAPES:
        for protocol in ("prepared", "simple"):
            measure(bench, report, shape, protocol)
    return {"ways": list(WAYS)}
