"""(b) Short transactions that first say whose they are, against set_config and plain row security;
and what a token costs that the backend has not seen."""

from pathlib import Path

from .client import Step, Variant, mint
from .report import Line, Report
from .rounds import run_rounds
from .schema import ITEMS, TENANTS, Bench, tenant_slug

CASE = "entry"
WITH_GRANT = 1.10
WITH_TOKEN = 1.15
ALGORITHMS = ("EdDSA", "HS256", "RS256", "ES256")
WORKING_SET = 20  # tenants that take turns in one connection
LIFETIME = 3600

QUERY = "SELECT id, amount, note FROM {schema}.item WHERE id = $1"
OWN_ROW = {"low": 0, "high": ITEMS - 1}


def write_lines(bench: Bench, name: str, lines: list[str]) -> str:
    path = Path(bench.server.dir) / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def add_key(bench: Bench, algorithm: str, count: int, tenants: int) -> list[str]:
    """Registers a new key and returns tokens for the first tenants in turn."""
    bench.execute("SELECT tenancy.remove_signing_key('https://bench.example.com', %s)", [algorithm])
    slugs = [tenant_slug(number) for number in range(tenants)]
    jwk, tokens = mint(algorithm, count, LIFETIME, slugs)
    bench.execute(
        "SELECT tenancy.add_signing_key('https://bench.example.com', %s, %s, 'bench', ARRAY['*'],"
        " max_lifetime => %s::interval)", [algorithm, jwk, f"{LIFETIME} s"])
    return tokens


def transaction(
    bench: Bench, name: str, role: str, schema: str, enter: str, names: object, pipelined: bool
) -> Variant:
    """enter and one point query; one by one it is BEGIN, enter, query, COMMIT."""
    work = [Step("enter", parameters=[names]), Step("query", parameters=[OWN_ROW])]
    steps = work if pipelined else [Step("begin"), *work, Step("commit")]
    prepare = {"begin": "BEGIN", "commit": "COMMIT", "enter": enter, "query": QUERY.format(schema=schema)}
    return Variant(name, bench.conninfo(role), steps, prepare=prepare, pipelined=pipelined)


ENTER = "SELECT tenancy.enter($1)"
SET_CONFIG = "SELECT set_config('app.tenant', $1, true)"


def compare(bench: Bench, report: Report, pipelined: bool) -> None:
    tenants = [bench.tenant_id(number) for number in range(WORKING_SET)]
    ids = {"file": write_lines(bench, "ids", tenants), "random": True}
    slugs = [tenant_slug(number) for number in range(WORKING_SET)]
    names = {"file": write_lines(bench, "slugs", slugs), "random": True}
    tokens = {"file": write_lines(bench, "seen", add_key(bench, "EdDSA", WORKING_SET, WORKING_SET)), "random": True}
    one = [{"file": write_lines(bench, "one-" + f, [v])} for f, v in (("id", tenants[3]), ("slug", slugs[3]))]
    rounds = run_rounds(
        [
            transaction(bench, "raw", "bench_plain", "setting", SET_CONFIG, ids, pipelined),
            transaction(bench, "grant", "bench_app", "tenanted", ENTER, names, pipelined),
            transaction(bench, "token", "bench_token", "tenanted", ENTER, tokens, pipelined),
            transaction(bench, "raw, one tenant", "bench_plain", "setting", SET_CONFIG, one[0], pipelined),
            transaction(bench, "grant, one tenant", "bench_app", "tenanted", ENTER, one[1], pipelined),
        ],
        10 if report.quick else 100, warmup=60, iterations=150)
    way = "pipelined" if pipelined else "one by one"
    report.ratio(CASE, f"{way}: enter by grant / set_config", rounds, "grant", "raw", WITH_GRANT)
    report.ratio(CASE, f"{way}: enter by seen token / set_config", rounds, "token", "raw", WITH_TOKEN)
    report.ratio(CASE, f"{way}: the same by grant, one tenant only", rounds, "grant, one tenant", "raw, one tenant",
                 WITH_GRANT)


def first_sight(bench: Bench, report: Report) -> None:
    """The difference to tokens that were seen, in the same pipelined transaction."""
    rounds, iterations = (3, 50) if report.quick else (20, 100)
    fresh = rounds * (iterations + 1)
    made = [transaction(bench, "seen", "bench_token", "tenanted", ENTER, {"file": write_lines(
        bench, "again", add_key(bench, "EdDSA", 1, 1))}, True)]
    for algorithm in ALGORITHMS[1:]:
        tokens = {"file": write_lines(bench, algorithm, add_key(bench, algorithm, fresh, 1))}
        made.append(transaction(bench, algorithm, "bench_token", "tenanted", ENTER, tokens, True))
    # EdDSA's key is that of the token seen, which comes first of a new set.
    tokens = add_key(bench, "EdDSA", fresh + 1, 1)
    write_lines(bench, "again", tokens[:1])
    made.append(transaction(bench, "EdDSA", "bench_token", "tenanted", ENTER, {"file": write_lines(
        bench, "EdDSA", tokens[1:])}, True))
    measured = run_rounds(made, rounds, warmup=1, iterations=iterations)
    for algorithm in ALGORITHMS:
        spread = measured.difference(algorithm, "seen")
        in_us = type(spread)(spread.q1 / 1000, spread.median / 1000, spread.q3 / 1000)
        report.add(Line(CASE, f"a token's first sight, {algorithm}", in_us, "us",
                        note="added to the transaction with a token seen before"))


def run(bench: Bench, report: Report) -> dict[str, object]:
    compare(bench, report, pipelined=False)
    compare(bench, report, pipelined=True)
    first_sight(bench, report)
    return {"tenants_in_turn": WORKING_SET, "tenants": TENANTS}
