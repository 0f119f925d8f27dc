"""(a) Four shapes of query in a context that is set already, against the same with a hand-written
condition and with plain row security, prepared and by the simple protocol."""

from dataclasses import dataclass

from .client import Parameter, Step, Variant
from .report import Report
from .rounds import run_rounds
from .schema import ITEMS, TENANT, TENANTS, Bench, tenant_slug

CASE = "query"
BOUND = 1.05

OWN_ROW = {"low": 0, "high": ITEMS // TENANTS - 1, "times": TENANTS, "plus": TENANT}
DAY = {"low": 1, "high": 28, "prefix": "2026-05-"}


@dataclass(frozen=True)
class Shape:
    """{table}: schema to be put before it; {tenant}: the hand-written condition, with its AND."""

    name: str
    sql: str
    parameters: tuple[Parameter, ...]
    iterations: int
    rounds: int
    setup: tuple[str, ...] = ()


SHAPES = (
    Shape("point lookup", "SELECT id, amount, note FROM {schema}.item WHERE {tenant}id = $1",
          (OWN_ROW,), 150, 120),
    Shape("index range",
          "SELECT id, amount FROM {schema}.item WHERE {tenant}created_at >= $1::timestamptz"
          " AND created_at < $1::timestamptz + interval '5 days'"
          " ORDER BY created_at", (DAY,), 100, 120),
    Shape("aggregate", "SELECT count(*), sum(amount) FROM {schema}.item WHERE {tenant}true", (), 10, 60),
    Shape("sequential scan", "SELECT count(*), sum(amount) FROM {schema}.ledger WHERE {tenant}amount % 7 = 3",
          # A generic plan does not know that this tenant has most rows: by index, and slower.
          (), 3, 60, ("SET plan_cache_mode = force_custom_plan",)),
)

ENTER = f"SELECT tenancy.enter('{tenant_slug(TENANT)}')"


def variants(bench: Bench, shape: Shape, protocol: str) -> list[Variant]:
    tenant = bench.tenant_id(TENANT)
    contexts = {
        "tenanted": ("bench_app", ENTER),
        "plain": ("bench_plain", "SELECT 1"),
        "setting": ("bench_plain", f"SELECT set_config('app.tenant', '{tenant}', true)"),
        "subselect": ("bench_plain", f"SELECT set_config('app.tenant', '{tenant}', true)"),
    }
    made = []
    for schema, (role, enter) in contexts.items():
        steps, prepare = message(shape, schema, tenant if schema == "plain" else None, protocol)
        made.append(Variant(schema, bench.conninfo(role), [steps], shape.setup, prepare,
                            before=["BEGIN", enter], after=["COMMIT"]))
    return made


def message(shape: Shape, schema: str, tenant: str | None, protocol: str) -> tuple[Step, dict[str, str]]:
    """The one message of an iteration, and what is to be prepared for it."""
    if protocol == "simple":
        condition = f"tenant_id = '{tenant}' AND " if tenant else ""
        sql = shape.sql.format(schema=schema, tenant=condition)
        for number in range(len(shape.parameters)):
            sql = sql.replace(f"${number + 1}", f"'{{{number}}}'")
        return Step(simple=sql, parameters=shape.parameters), {}
    own = f"${len(shape.parameters) + 1}"
    condition = f"tenant_id = {own} AND " if tenant else ""
    sql = shape.sql.format(schema=schema, tenant=condition)
    parameters = (*shape.parameters, tenant) if tenant else shape.parameters
    return Step(statement="q", parameters=parameters), {"q": sql}


def run(bench: Bench, report: Report) -> dict[str, object]:
    for shape in SHAPES:
        for protocol in ("prepared", "simple"):
            rounds = run_rounds(
                variants(bench, shape, protocol), 10 if report.quick else shape.rounds,
                warmup=min(15, shape.iterations), iterations=shape.iterations)
            name = f"{shape.name}, {protocol}: tenancy / "
            report.ratio(CASE, name + "hand-written", rounds, "tenanted", "plain", BOUND)
            report.ratio(CASE, name + "current_setting", rounds, "tenanted", "setting")
            report.ratio(CASE, name + "(select current_setting)", rounds, "tenanted", "subselect")
    return {"plans": plans(bench)}


def plans(bench: Bench) -> dict[str, list[object]]:
    """What was run, as a superuser sees it in the same context: protection does not bind one, so
    the condition is written with the same function."""
    shown = {}
    for shape in SHAPES:
        sql = shape.sql.format(schema="plain", tenant="tenant_id = plain.tenant_uuid(7) AND ")
        sql = sql.replace("$1", "'2026-05-01'" if "range" in shape.name else "4711")
        shown[shape.name] = [row[0] for row in bench.execute(f"EXPLAIN (COSTS off) {sql}")]
    return shown
