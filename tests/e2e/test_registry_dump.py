"""pg_dump and restore carry the registry: tenants, tombstones, settings, schedules, grants, counters."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

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
grant execute on function tenancy.resolve(text, text) to dump_app;
reset session authorization;
select tenancy.grant_access('dump_app', 'acme', reason => 'test');
"""
TABLES = [
    "tenant", "tenant_tombstone", "tenant_alias", "tier", "operator", "access_grant", "audit_event", "scheduled_action",
    "onboarding_step", "tenant_onboarding", "setting_definition", "setting_value", "erasure_count", "protected_table", "transition", "error_code",
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
            # Counters go on where they were.
            admin.execute("select tenancy.provision('new'), tenancy.schedule('acme', 'suspend', now() + interval '1 year')")
    finally:
        server.dropdb(restored)
