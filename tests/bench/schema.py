"""What is measured on: the same rows four times, in tables that differ in nothing but protection.

    tenanted   protected by the extension
    plain      unprotected; queries say tenant_id = ... themselves
    setting    row security with current_setting('app.tenant')::uuid
    subselect  row security with (select current_setting('app.tenant')::uuid)

`item` holds 100 tenants with 2,000 rows each; in `ledger` nine of ten rows are the measured
tenant's, so that its queries read the whole table. The library is in session_preload_libraries, and roles that
stand for applications without the extension do not load it: those are plain PostgreSQL, hooks and all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness import Server

from .client import conninfo

SCHEMAS = ("plain", "tenanted", "setting", "subselect")
TENANTS = 100
ITEMS = 200_000
LEDGER = 100_000
TENANT = 7  # the one that queries are measured for

SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "max_connections": "50",
    "synchronous_commit": "off",
}

DATA = f"""
CREATE FUNCTION plain.tenant_uuid(number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
    AS $$ SELECT md5('tenant ' || number)::uuid $$;
CREATE TABLE plain.item AS
SELECT n AS id, plain.tenant_uuid(n % {TENANTS}) AS tenant_id,
       timestamptz '2026-01-01' + (hashint8(n) & 16777215) * interval '1 second' AS created_at,
       (hashint8(n + 1) & 65535) AS amount, md5(n::text) || md5((n + 1)::text) AS note
  FROM generate_series(0, {ITEMS - 1}) AS n;
CREATE TABLE plain.ledger AS
SELECT n AS id, plain.tenant_uuid(CASE WHEN n % 10 > 0 THEN {TENANT} ELSE n / 10 % {TENANTS} END) AS tenant_id,
       (hashint8(n) & 65535) AS amount, md5(n::text) AS note
  FROM generate_series(0, {LEDGER - 1}) AS n;
"""

INDEXES = """
ALTER TABLE {0}.item ADD PRIMARY KEY (id), ALTER tenant_id SET NOT NULL;
CREATE INDEX item_tenant_idx ON {0}.item (tenant_id, created_at);
ALTER TABLE {0}.ledger ADD PRIMARY KEY (id), ALTER tenant_id SET NOT NULL;
CREATE INDEX ledger_tenant_idx ON {0}.ledger (tenant_id);
"""

POLICIES = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON {table} AS RESTRICTIVE USING (tenant_id = {expression});
CREATE POLICY tenant_rows ON {table} USING (tenant_id = {expression});
"""

EXPRESSIONS = {
    "tenanted": "tenancy.current_tenant_id()",
    "setting": "current_setting('app.tenant')::uuid",
    "subselect": "(SELECT current_setting('app.tenant')::uuid)",
}

# bench_plain is an application without the extension: it loads plpgsql instead, as an empty list
# cannot be stored.
ROLES = """
CREATE ROLE bench_app LOGIN;
CREATE ROLE bench_token LOGIN;
CREATE ROLE bench_plain LOGIN;
ALTER ROLE bench_plain SET session_preload_libraries = 'plpgsql';
"""


def tenant_slug(number: int) -> str:
    return f"t-{number}"


@dataclass(frozen=True)
class Bench:
    """The server with its database of twins."""

    server: Server
    database: str = "bench"

    def conninfo(self, user: str) -> str:
        return conninfo(self.server, user, self.database)

    def execute(self, sql: str, parameters: Sequence[object] | None = None) -> list[tuple[object, ...]]:
        return self.server.execute(sql, parameters, dbname=self.database)

    def tenant_id(self, number: int) -> str:
        return str(self.execute("SELECT plain.tenant_uuid(%s)", [number])[0][0])


def create(server: Server) -> Bench:
    """Fills a running server."""
    server.execute(ROLES)
    server.createdb("bench", extensions=["tenancy"])
    bench = Bench(server)
    bench.execute("".join(f"CREATE SCHEMA {schema};" for schema in SCHEMAS))
    bench.execute(DATA)
    for schema in SCHEMAS[1:]:
        bench.execute(f"CREATE TABLE {schema}.item AS TABLE plain.item; CREATE TABLE {schema}.ledger AS TABLE plain.ledger")
    for schema in SCHEMAS:
        bench.execute(INDEXES.format(schema))
    _provision(bench)
    for schema in SCHEMAS[1:]:
        for table in ("item", "ledger"):
            protect(bench, schema, table)
    for schema in SCHEMAS:
        bench.execute(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC;"
                      f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO PUBLIC")
    bench.execute("VACUUM (FREEZE, ANALYZE)")
    bench.execute("CHECKPOINT")
    return bench


def _provision(bench: Bench) -> None:
    bench.execute(
        "SELECT count(tenancy.provision('t-' || n, id => plain.tenant_uuid(n)))"
        f" FROM generate_series(0, {TENANTS - 1}) AS n")
    bench.execute("SELECT tenancy.grant_access('bench_app', '*', reason => 'benchmark')")


def protect(bench: Bench, schema: str, table: str) -> None:
    """By tenancy.protect; the twins, which must not be the extension's, by hand."""
    name = f"{schema}.{table}"
    made = schema == "tenanted" and bench.execute("SELECT to_regproc('tenancy.protect')")[0][0]
    if made:
        bench.execute(f"SELECT tenancy.protect('{name}')")
    else:
        bench.execute(POLICIES.format(table=name, expression=EXPRESSIONS[schema]))
