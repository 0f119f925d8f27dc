"""pg_dump and restore carry the registry: tenants, tombstones, settings, schedules, grants, counters, stores."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from harness import Server
from harness.process import clean_environment

REGISTRY = """
create role dump_admin login in role tenancy_admin;
create role dump_app login;
select tenancy.add_operator('dump_admin', 'admin');
create table note (tenant_id uuid not null, body text);
select tenancy.protect('note');
set session authorization dump_admin;
select tenancy.define_tier('standard', 'Ours', '{"work_mem": "8MB"}');
select tenancy.define_tier('pro', 'Pro');
select tenancy.define_onboarding_step('pro', 1, 'call', 'manual');
select tenancy.define_setting('theme', '{"type": "string"}', '"light"');
select tenancy.provision('acme', 'Acme', external_id => '42', settings => '{"theme": "dark"}');
select tenancy.provision('waiting', tier => 'pro');
select tenancy.set_setting('tier:pro', 'theme', '"blue"');
select tenancy.add_alias('acme', 'host', 'acme.example.com');
select tenancy.schedule('acme', 'suspend', now() + interval '1 year');
select tenancy.provision('gone');
reset session authorization;
insert into note select id, 'x' from tenancy.tenant where slug in ('gone', 'acme');
set session authorization dump_admin;
select tenancy.suspend('gone', 'x'); select tenancy.archive('gone', 'x');
select tenancy.request_erasure('gone', 'x', '0');
call tenancy.erase('gone');
select tenancy.define_store('docs', 'mongodb', '{erase}'), tenancy.define_store('cache', 'redis', '{}');
select tenancy.define_collection('docs', 'messages', '{"body": {"$exists": true}}', '[{"name": "by_time", "keys": [["at", 1]]}]');
select tenancy.bind_instance('new');
select tenancy.tick_instance('d1', '1', 1);
select tenancy.report_store('d1', 1, 'docs', '{"reachable": true, "fenced": false, "stamped": true}');
select count(*) from tenancy.claim_work('d1', 1, 'docs', 1, '1 hour');
select tenancy.suspend('acme', 'x');
grant execute on function tenancy.resolve(text, text) to dump_app;
reset session authorization;
select tenancy.grant_access('dump_app', 'acme', reason => 'test');
"""
TABLES = [
    "tenant", "tenant_tombstone", "tenant_alias", "tier", "operator", "access_grant", "audit_event", "scheduled_action",
    "onboarding_step", "tenant_onboarding", "setting_definition", "setting_value", "erasure_count", "protected_table", "transition", "error_code",
    "instance", "store", "store_collection", "tenant_store",
]  # fmt: skip


def content(server: Server, database: str) -> dict[str, list[str]]:
    with server.connect(dbname=database) as connection:
        return {
            table: sorted(row for (row,) in connection.execute(f"select t::text from tenancy.{table} as t"))
            for table in TABLES
        }


@pytest.fixture
def filled(server: Server, database: str) -> Iterator[str]:
    server.psql(REGISTRY, dbname=database)
    yield database
    server.dropdb(database)
    server.psql("drop role dump_admin; drop role dump_app")


@pytest.mark.parametrize("dump_format", ["plain", "custom"])
def test_a_restored_database_has_the_same_registry(server: Server, filled: str, tmp_path: Path, dump_format: str) -> None:
    restored = server.createdb(f"{filled}_r")
    dump = tmp_path / "dump"
    environment = clean_environment() | server.environment(dbname=filled)
    subprocess.run([server.program("pg_dump"), f"--format={dump_format}", "-f", str(dump)], env=environment, check=True)
    target = ["-d", restored]
    if dump_format == "plain":
        command = [server.program("psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-f", str(dump), *target]
    else:
        command = [server.program("pg_restore"), "--exit-on-error", *target, str(dump)]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    try:
        before, after = content(server, filled), content(server, restored)
        assert all(before.values()), [table for table, rows in before.items() if not rows]
        assert after == before
        with server.connect(user="dump_app", dbname=restored) as app:
            assert app.execute("select tenancy.resolve('host', 'acme.example.com')").fetchone() != (None,)
        with server.connect(user="dump_admin", dbname=restored) as admin:
            for call, sqlstate in [("provision('gone')", "TN013"), ("provision('x', external_id => '42')", "TN012")]:
                with pytest.raises(Exception) as caught:
                    admin.execute(f"select tenancy.{call}")
                assert getattr(caught.value, "sqlstate", None) == sqlstate
            # It is a copy: nothing leads to a store before somebody has said what it is.
            with pytest.raises(psycopg.Error) as fenced:
                admin.execute("select tenancy.claim_work('d1', 1, 'docs', 9, '1 minute')")
            assert fenced.value.sqlstate == "TN026"
            assert admin.execute("select count(*) from tenancy.store_mark").fetchone() == (0,)
            assert admin.execute("select epoch from tenancy.bind_instance('replacement')").fetchone() == (2,)
            due = "select tenant_id from tenancy.claim_work('d2', 2, 'docs', 9, '1 minute')"
            assert admin.execute(due).fetchall() == admin.execute("select tenant_id from tenancy.tenant_store where store = 'docs'").fetchall()
            # Counters go on where they were.
            highest = "select max(lease_token) > 2 from tenancy.tenant_store"
            assert admin.execute(highest).fetchone() == (True,)
            admin.execute("select tenancy.provision('new'), tenancy.schedule('acme', 'suspend', now() + interval '1 year')")
    finally:
        server.dropdb(restored)
