"""(i) The isolation linter on a schema of 1,000 tables, with policies by hand and protected, before and after
anybody analyzed the catalog. Each run is a session's first."""

import re
import time
from pathlib import Path

from .report import Line, Report
from .rounds import Spread
from .schema import Bench

CASE = "lint"
TABLES = 1_000
RUNS = 5
BOUND = 1.0  # second
PLAIN = re.sub(r"^SET .*;$", "", (Path(__file__).resolve().parents[2] / "tenancy_lint.sql").read_text(), flags=re.M)

# Eight columns, three indexes, a foreign key, a trigger, and for every fifth table a view and a function.
SCHEMA = """
CREATE SCHEMA big;
CREATE FUNCTION big.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
DO $$
BEGIN
    FOR i IN 1..{tables} LOOP
        EXECUTE format('CREATE TABLE big.t%1$s (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, parent_id uuid, name text, email text,
            amount numeric, created_at timestamptz, updated_at timestamptz, UNIQUE (tenant_id, id));
            CREATE INDEX ON big.t%1$s (tenant_id, created_at);
            ALTER TABLE big.t%1$s ADD FOREIGN KEY (tenant_id, parent_id) REFERENCES big.t%2$s (tenant_id, id);
            CREATE TRIGGER stamp BEFORE INSERT ON big.t%1$s FOR EACH ROW EXECUTE FUNCTION big.stamp();
            GRANT SELECT, INSERT, UPDATE, DELETE ON big.t%1$s TO bench_app', i, greatest(i - 1, 1));
        IF i % 5 = 0 THEN
            EXECUTE format('CREATE VIEW big.v%1$s WITH (security_invoker = true) AS SELECT * FROM big.t%1$s;
                CREATE FUNCTION big.f%1$s() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS ''BEGIN RETURN (SELECT count(*) FROM big.t%1$s); END''', i);
        END IF;
        COMMIT; -- or the lock table fills up
    END LOOP;
END
$$;
"""
BY_HAND = """
DO $$
BEGIN
    FOR i IN 1..{tables} LOOP
        EXECUTE format('CREATE POLICY tenant ON big.t%1$s USING (tenant_id = current_setting(''app.tenant'')::uuid);
            CREATE POLICY narrow ON big.t%1$s AS RESTRICTIVE USING (tenant_id = current_setting(''app.tenant'')::uuid)
                WITH CHECK (tenant_id = current_setting(''app.tenant'')::uuid);
            CREATE POLICY named ON big.t%1$s FOR SELECT USING (tenant_id = current_setting(''app.tenant'')::uuid AND name IS NOT NULL);
            ALTER TABLE big.t%1$s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', i);
        COMMIT;
    END LOOP;
END
$$;
"""


def measure(bench: Bench, database: str, query: str, name: str, report: Report) -> None:
    seconds = []
    for _ in range(2 if report.quick else RUNS):
        with bench.server.connect(dbname=database) as connection:
            connection.execute("SET jit = off")
            start = time.monotonic()
            found = len(connection.execute(query).fetchall())
            seconds.append(time.monotonic() - start)
    report.add(Line(CASE, name, Spread.of(seconds), "s", BOUND, note=f"{found} findings"))


def run(bench: Bench, report: Report) -> dict[str, object]:
    tables = 100 if report.quick else TABLES
    databases = {"by hand": bench.server.createdb("lint_by_hand"), "protected": bench.server.createdb("lint_protected", extensions=["tenancy"])}
    for how, database in databases.items():
        script = SCHEMA.replace("{tables}", str(tables))
        if how == "by hand":
            script += BY_HAND.replace("{tables}", str(tables))
        else:
            script += "".join(f"SELECT tenancy.protect('big.t{number}');" for number in range(1, tables + 1))
        bench.server.psql(script, dbname=database)
    queries = {"by hand": PLAIN, "protected": "SELECT * FROM tenancy.check_isolation()"}
    for analyzed in (False, True):
        for how, database in databases.items():
            if analyzed:
                bench.server.execute("ANALYZE", dbname=database)
            measure(bench, database, queries[how], f"{tables} tables {how}{', analyzed' if analyzed else ''}", report)
    for database in databases.values():
        bench.server.dropdb(database)
    return {"tables": tables}
