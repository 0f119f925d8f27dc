"""(h) Queries of every shape for tenants of three sizes, against hand-written conditions and against the raw idioms of
row security, by prepared statements and by the simple protocol. The plans are kept beside the times."""

import math
import re
from collections.abc import Iterator

from .client import Step, Variant, conninfo
from .peer_queries import QUERIES, Query
from .report import Line, Report
from .rounds import Rounds, Spread, run_rounds
from .schema import Bench

CASE = "peers"
MEAN_BOUND, WORST_BOUND = 1.03, 1.15

SIZES = {"small": 100, "middle": 10_000, "large": 1_000_000}
QUICK_SIZES = {"small": 100, "middle": 2_000, "large": 20_000}

# Row security as it is written by hand, each in a schema of its own.
IDIOMS = {
    "setting": "current_setting('app.tenant')::uuid",
    "subselect": "(SELECT current_setting('app.tenant')::uuid)",
    "function": "app_tenant()",
}
SCHEMAS = ("plain", "tenanted", *IDIOMS)
TENANT_TABLES = ("conversation", "message", "reaction", "event", "event_1", "event_2")
ALIASES = {"message": "m", "conversation": "c", "reaction": "r", "event": "e", "other": "n"}

TABLES = """
CREATE TABLE {0}.conversation (tenant_id uuid NOT NULL, id bigint PRIMARY KEY, title text);
CREATE TABLE {0}.message (tenant_id uuid NOT NULL, id bigint PRIMARY KEY, key uuid, number int, conversation bigint,
    body text, title text, email text, document jsonb, tags text[], amount numeric, during tstzrange, created timestamptz,
    words tsvector, seen int DEFAULT 0);
CREATE TABLE {0}.reaction (tenant_id uuid NOT NULL, id bigint PRIMARY KEY, message bigint, conversation bigint, kind text);
CREATE TABLE {0}.event (tenant_id uuid NOT NULL, at date, number int, kind text) PARTITION BY RANGE (at);
CREATE TABLE {0}.event_1 PARTITION OF {0}.event FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE {0}.event_2 PARTITION OF {0}.event FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
"""

ROWS = """
INSERT INTO plain.conversation SELECT '{id}', {base} + g, 'about ' || g % 100 FROM generate_series(1, greatest({count} / 20, 1)) g;
INSERT INTO plain.message SELECT '{id}', {base} + g, md5(g::text)::uuid, g % 1000, {base} + 1 + g % greatest({count} / 20, 1),
    md5(g || '{id}') || md5((g * 7)::text), 't' || g % 500, 'user' || g || '@example.com', jsonb_build_object('kind', g % 200, 'n', g),
    ARRAY['t' || g % 300, 'u' || g % 7], g * 1.5, tstzrange('2026-01-01 00:00+00'::timestamptz + g * interval '1 minute',
    '2026-01-01 00:00+00'::timestamptz + (g + 3) * interval '1 minute'), '2026-01-01 00:00+00'::timestamptz + g * interval '1 minute',
    array_to_tsvector(ARRAY['w' || g % 100, 'w' || g % 51, 'w' || g % 37]) FROM generate_series(1, {count}) g;
INSERT INTO plain.reaction SELECT '{id}', {base} + g, {base} + g, {base} + 1 + g % greatest({count} / 20, 1), 'kind ' || g % 5
    FROM generate_series(1, {count}, 3) g;
INSERT INTO plain.event SELECT '{id}', '2026-01-01'::date + g % 58, g % 1000, 'kind ' || g % 50 FROM generate_series(1, {count}) g;
"""

INDEXES = """
CREATE INDEX ON {0}.conversation (tenant_id, title text_pattern_ops);
CREATE INDEX ON {0}.message (tenant_id, created, id);
CREATE INDEX ON {0}.message (tenant_id, body text_pattern_ops);
CREATE INDEX ON {0}.message (tenant_id, amount);
CREATE INDEX ON {0}.message (tenant_id, number);
CREATE INDEX ON {0}.message (tenant_id, conversation, created);
CREATE INDEX ON {0}.message (tenant_id, key);
CREATE INDEX ON {0}.message (tenant_id, lower(email));
CREATE INDEX ON {0}.message USING gin (body gin_trgm_ops);
CREATE INDEX ON {0}.message USING gin (document jsonb_path_ops);
CREATE INDEX ON {0}.message USING gin (tags);
CREATE INDEX ON {0}.message USING gin (words);
CREATE INDEX ON {0}.message USING gin (to_tsvector('simple', title));
CREATE INDEX ON {0}.message USING gist (during);
CREATE INDEX ON {0}.reaction (tenant_id, message);
CREATE INDEX ON {0}.reaction (tenant_id, conversation);
CREATE INDEX ON {0}.event (tenant_id, at);
"""

POLICY = """
ALTER TABLE {0} ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON {0} USING (tenant_id = {1});
"""

# Each twin's sample is another one, and another plan may look cheaper by it: all get the statistics of `plain`.
SAME_STATISTICS = """
SET allow_system_table_mods = on;
CREATE TEMPORARY TABLE twin AS
SELECT a.oid AS plain, b.oid AS other FROM pg_class a JOIN pg_class b USING (relname)
WHERE a.relnamespace = 'plain'::regnamespace AND b.relnamespace = '{0}'::regnamespace;
DELETE FROM pg_statistic WHERE starelid IN (SELECT other FROM twin);
CREATE TEMPORARY TABLE copied AS SELECT s.* FROM pg_statistic s WHERE false;
INSERT INTO copied SELECT s.* FROM pg_statistic s JOIN twin ON s.starelid = twin.plain;
UPDATE copied SET starelid = twin.other FROM twin WHERE starelid = twin.plain;
INSERT INTO pg_statistic SELECT * FROM copied;
DROP TABLE twin, copied;
"""


class Peers:
    """A database of twins with tenants of three sizes."""

    def __init__(self, bench: Bench, sizes: dict[str, int]) -> None:
        self.server = bench.server
        self.database = bench.server.createdb("peers", extensions=["tenancy"])
        self.sizes = sizes
        self.ids: dict[str, str] = {}
        self.bases = {slug: number * 10_000_000 for number, slug in enumerate(sizes)}
        self._fill()

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        return self.server.execute(sql, dbname=self.database)

    def _fill(self) -> None:
        self.execute("CREATE EXTENSION pg_trgm; CREATE FUNCTION app_tenant() RETURNS uuid STABLE LANGUAGE sql"
                     " AS $$ SELECT current_setting('app.tenant')::uuid $$")
        for schema in SCHEMAS:
            self.execute(f"CREATE SCHEMA {schema}; {TABLES.format(schema)}")
        for slug, count in self.sizes.items():
            [(made,)] = self.execute(f"SELECT tenancy.provision('{slug}')::text")
            self.ids[slug] = str(made)
            self.execute(ROWS.format(id=made, base=self.bases[slug], count=count))
        for schema in SCHEMAS:
            if schema != "plain":
                for table in ("conversation", "message", "reaction", "event"):
                    self.execute(f"INSERT INTO {schema}.{table} SELECT * FROM plain.{table}")
            self.execute(INDEXES.format(schema))
        for table in ("conversation", "message", "reaction", "event"):
            self.execute(f"SELECT tenancy.protect('tenanted.{table}')")
            for schema, expression in IDIOMS.items():
                self.execute(POLICY.format(f"{schema}.{table}", expression))
        for schema in SCHEMAS:
            self.execute(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC;"
                         f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO PUBLIC")
        self.execute("SELECT tenancy.grant_access('bench_app', '*', reason => 'benchmark')")
        # Or else it is chance whether a sample knows the small tenant.
        for table in TENANT_TABLES:
            self.execute(f"ALTER TABLE plain.{table} ALTER tenant_id SET STATISTICS 1000")
        self.execute("VACUUM (FREEZE, ANALYZE)")
        for schema in SCHEMAS[1:]:
            self.execute(SAME_STATISTICS.format(schema))
        self.execute("CHECKPOINT")

    def conninfo(self, schema: str) -> str:
        return conninfo(self.server, "bench_app" if schema == "tenanted" else "bench_plain", self.database)


def text(query: Query, schema: str, tenant: str) -> str:
    """The query on one of the twins; a hand-written condition with each table of `plain`."""
    sql = query.sql.replace("{table reaction}", f"{schema}.reaction").replace("{id}", f"'{tenant}'")
    for table, alias in ALIASES.items():
        sql = sql.replace(f"{{{table}}}", f"{schema}.{'message' if table == 'other' else table} {alias}")
        condition = f"{alias}.tenant_id = '{tenant}' AND " if schema == "plain" else ""
        sql = sql.replace(f"{{{alias}}}", condition)
    return sql.replace("{{", "{").replace("}}", "}")


def variants(peers: Peers, query: Query, slug: str, protocol: str) -> Iterator[Variant]:
    tenant = peers.ids[slug]
    value = str(peers.bases[slug] + 40) if query.parameter == "OWN" else query.parameter
    for schema in SCHEMAS:
        enter = {"plain": "SELECT 1", "tenanted": f"SELECT tenancy.enter('{slug}')"}.get(
            schema, f"SELECT set_config('app.tenant', '{tenant}', true)")
        sql = text(query, schema, tenant)
        if protocol == "simple":
            step, prepare = Step(simple=sql.replace("$1", f"'{value}'")), {}
        else:
            step, prepare = Step(statement="q", parameters=(value,) if value else ()), {"q": sql}
        yield Variant(schema, peers.conninfo(schema), [step], (), prepare, before=["BEGIN", enter], after=["ROLLBACK"])


def iterations(peers: Peers, query: Query, slug: str) -> int:
    """About as many as take 20 ms by hand."""
    sql = text(query, "plain", peers.ids[slug])
    value = str(peers.bases[slug] + 40) if query.parameter == "OWN" else query.parameter
    sql = sql.replace("$1", f"'{value}'")
    with peers.server.connect(dbname=peers.database, autocommit=False) as connection:
        connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        connection.execute(sql)
        rows = connection.execute(f"EXPLAIN (ANALYZE, TIMING off) {sql}").fetchall()
        connection.rollback()
    took = float(re.findall(r"Execution Time: ([\d.]+)", rows[-1][0])[0])
    return max(1, min(100, int(20 / max(took, 0.05))))


def run(bench: Bench, report: Report) -> dict[str, object]:
    peers = Peers(bench, QUICK_SIZES if report.quick else SIZES)
    ratios: dict[str, list[float]] = {schema: [] for schema in SCHEMAS[1:]}
    worst = (0.0, "")
    for slug in peers.sizes:
        for name, query in QUERIES.items():
            for protocol in ("prepared", "simple"):
                count = iterations(peers, query, slug)
                plain, tenanted, *raw = variants(peers, query, slug, protocol)
                order = {"warmup": min(3, count), "iterations": count}
                rounds = run_rounds([plain, tenanted], 5 if report.quick else 25, **order)
                # Raw row security may take some hundred times as long; what it takes needs no three digits.
                peer_rounds = run_rounds([plain, *raw], 3, warmup=1, iterations=max(1, count // 10))
                what = f"{name}, {slug}, {protocol}"
                report.ratio(CASE, what, rounds, "tenanted", "plain", WORST_BOUND, beside(peer_rounds))
                for schema in ratios:
                    of = rounds if schema == "tenanted" else peer_rounds
                    ratios[schema].append(of.ratio(schema, "plain").median)
                worst = max(worst, (ratios["tenanted"][-1], what))
    for schema, found in ratios.items():
        mean = math.exp(sum(map(math.log, found)) / len(found))
        bound = MEAN_BOUND if schema == "tenanted" else None
        report.add(Line(CASE, f"geometric mean: {schema} / hand-written", Spread(mean, mean, mean), "x", bound,
                        f"of {len(found)}, worst {max(found):.2f}"))
    return {"worst": worst, "sizes": peers.sizes}


def beside(rounds: Rounds) -> str:
    return "raw: " + ", ".join(f"{schema} {rounds.ratio(schema, 'plain').median:.2f}" for schema in IDIOMS)
