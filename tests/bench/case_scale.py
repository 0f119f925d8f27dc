"""(e) Whether the number of registered tenants matters: two databases with the same rows of 10
tenants, one of which has 100,000 tenants registered."""

from dataclasses import replace

from .case_entry import ENTER, write_lines
from .client import Step, Variant
from .report import Report
from .rounds import run_rounds
from .schema import Bench

CASE = "scale"
BOUND = 1.10
FEW = 10
MANY = 100_000
ROWS = 20_000

FILL = f"""
CREATE TABLE item AS
SELECT n AS id, md5('tenant ' || n % {FEW})::uuid AS tenant_id, n * 7 AS amount, md5(n::text) AS note
  FROM generate_series(0, {ROWS - 1}) AS n;
ALTER TABLE item ADD PRIMARY KEY (id), ALTER tenant_id SET NOT NULL;
CREATE INDEX item_tenant_idx ON item (tenant_id);
SELECT tenancy.protect('item');
GRANT SELECT ON item TO PUBLIC;
SELECT tenancy.grant_access('bench_app', '*', reason => 'benchmark');
"""

# As provision() writes them; it would take minutes.
REGISTER = """
WITH made AS (
    INSERT INTO tenancy.tenant (id, slug, state)
    SELECT md5('tenant ' || n)::uuid, 't-' || n, 'active' FROM generate_series(0, {0} - 1) AS n
    RETURNING id, slug)
INSERT INTO tenancy.tenant_tombstone (kind, value, tenant_id)
SELECT 'id', id::text, id FROM made UNION ALL SELECT 'slug', slug, id FROM made;
"""


def fill(bench: Bench, name: str, tenants: int) -> Bench:
    bench.server.dropdb(name)
    made = Bench(bench.server, bench.server.createdb(name, extensions=["tenancy"]))
    made.execute(REGISTER.format(tenants))
    made.execute(FILL)
    made.execute("VACUUM (FREEZE, ANALYZE)")
    return made


def run(bench: Bench, report: Report) -> dict[str, object]:
    many = MANY // 20 if report.quick else MANY
    few_tenants = {"file": write_lines(bench, "few", [f"t-{n}" for n in range(FEW)]), "random": True}
    any_tenant = {"low": 0, "high": many - 1, "prefix": "t-"}
    own_row = {"low": 0, "high": ROWS // FEW - 1, "times": FEW, "plus": 3}
    query = "SELECT id, amount, note FROM item WHERE id = $1"
    variants = []
    for name, tenants in (("few", FEW), ("many", many)):
        where = fill(bench, name, tenants).conninfo("bench_app")
        point = Step("query", parameters=[own_row])
        prepare = {"query": query, "enter": ENTER}
        variants.append(Variant(f"{name}, point", where, [point], prepare=prepare,
                                before=["BEGIN", "SELECT tenancy.enter('t-3')"], after=["COMMIT"]))
        variants.append(Variant(f"{name}, enter", where, [Step("enter", parameters=[few_tenants]), point],
                                prepare=prepare, pipelined=True))
    variants.append(replace(variants[-1], name="many, any", steps=[Step("enter", parameters=[any_tenant]), point]))
    rounds = run_rounds(variants, 10 if report.quick else 120, warmup=40, iterations=150)
    beside = f"{many} tenants / {FEW}"
    report.ratio(CASE, f"point query, {beside}", rounds, "many, point", "few, point", BOUND)
    report.ratio(CASE, f"enter and point query, {beside}", rounds, "many, enter", "few, enter", BOUND)
    report.ratio(CASE, f"the same, a random one of {beside}", rounds, "many, any", "few, enter", None,
                 "nearly every enter reads the registry")
    return {"tenants": [FEW, many]}
