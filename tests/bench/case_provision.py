"""(d) Provisioning 10,000 tenants, a transaction for each and in transactions of 1,000."""

from .client import Client, Step, Variant
from .report import Line, Report
from .rounds import Spread
from .schema import Bench

CASE = "provision"
TENANTS = 10_000
BATCH = 1_000


def run(bench: Bench, report: Report) -> dict[str, object]:
    count = 500 if report.quick else TENANTS
    single = Variant(
        "single", bench.conninfo("postgres"),
        [Step("provision", parameters=[{"prefix": "one-", "serial": True, "low": 0, "high": 0}])],
        prepare={"provision": "SELECT tenancy.provision($1)"})
    batch = min(BATCH, count)
    numbers = {"serial": True, "low": 0, "high": 0, "times": batch}
    batched = Variant(
        "batched", bench.conninfo("postgres"), [Step("provision", parameters=[numbers])],
        prepare={"provision": "SELECT count(tenancy.provision('many-' || n))"
                              f" FROM generate_series($1::bigint, $1::bigint + {batch - 1}) AS n"})
    with Client() as client:
        for variant, tenants, iterations in ((single, 1, count), (batched, batch, count // batch)):
            client.open(variant)
            block = client.run(variant.name, iterations=iterations)
            rates = [tenants * 1e9 / time for time in (block.q3, block.median, block.q1)]
            report.add(Line(CASE, f"{count} tenants, {tenants} a transaction", Spread(*rates), "1/s",
                            note=f"all in {block.seconds:.1f} s: {iterations * tenants / block.seconds:.0f} 1/s"))
    return {"tenants": count, "batch": batch}
