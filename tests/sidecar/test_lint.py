"""tenancyd lint: what it prints and how it ends, with the extension and without."""

import json
import os
import subprocess

import pytest
from harness import Server
from harness.tenancyd import PROGRAM

TABLES = """
create schema s authorization shop_owner;
set role shop_owner;
create table s.orders (id uuid primary key, tenant_id uuid not null, item text);
create table s.note (tenant_id uuid not null, text text);
create table s.queue (tenant_id uuid);
create table s.country (code text);
"""
PROTECTED = """
reset role;
select tenancy.protect('s.orders'), tenancy.share('s.country', 'ISO 3166'), tenancy.exempt('s.queue', 'workers claim jobs of all tenants');
do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;
"""


@pytest.fixture(scope="module")
def server():
    """One of its own: the linter sees the roles of other tests, which belong to the whole server."""
    with Server(name="lint_server") as own:
        yield own


@pytest.fixture
def lint(server, shop):
    """Runs tenancyd lint on the database of `shop`, as shop_admin unless told otherwise."""
    server.psql(TABLES + PROTECTED, dbname=shop)

    def run(*arguments, user="shop_admin", dbname=shop):
        conninfo = f"host={server.dir} port={server.port} dbname={dbname} user={user}"
        return subprocess.run([PROGRAM, "lint", "--conninfo", conninfo, *arguments], capture_output=True, text=True)

    return run


@pytest.fixture
def plain(server, lint, shop):
    """The name of a database with the same tables, without the extension."""
    name = f"{shop}_plain"[-60:]
    server.createdb(name)
    server.psql(TABLES, dbname=name)
    yield name
    server.dropdb(name)


def found(done):
    return {(one["rule"], one["object"]) for one in json.loads(done.stdout)["findings"]}


def test_text(lint):
    done = lint()
    assert done.returncode == 1, done.stderr
    assert "ERROR  C09_unprotected_table\n" in done.stdout
    assert "  * table s.note has the tenant column tenant_id, and no row security\n" in done.stdout
    assert "    -> SELECT tenancy.protect('s.note', 'tenant_id');\n" in done.stdout
    assert "INFO " not in done.stdout and "INFO " in lint("--all").stdout
    assert "2 errors, 1 warning, " in done.stdout


def test_json_says_what_check_isolation_says(lint, server, shop):
    report = json.loads(lint("--format", "json").stdout)
    query = "select rule, object, fix, fingerprint from tenancy.check_isolation()"
    expected = server.execute(query, dbname=shop)
    assert [(one["rule"], one["object"], one["fix"], one["fingerprint"]) for one in report["findings"]] == expected
    assert report["extension"] is True and report["errors"] == 2


@pytest.mark.parametrize(
    ("level", "status"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)], ids=lambda value: str(value)
)
def test_exit_status_by_severity(lint, server, shop, level, status):
    """What is left is a warning, that shop_owner logs in, and infos."""
    server.execute("drop table s.note", dbname=shop)
    server.execute("select tenancy.register_bypass('shop_backup', 'backup')", dbname=shop)
    assert lint("--fail-on", level).returncode == status


def test_exit_status_without_findings(lint, server, shop):
    server.execute("drop table s.note", dbname=shop)
    server.execute("select tenancy.register_bypass('shop_backup', 'backup')", dbname=shop)
    done = lint()
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 errors" in done.stdout


def test_accepted_findings_do_not_count(lint, server, shop):
    call = "select tenancy.suppress_finding('C09_unprotected_table', 's.note', 'going next week', now() + interval '7 days')"
    server.execute(call, dbname=shop, user="shop_admin")
    server.execute("select tenancy.register_bypass('shop_backup', 'backup')", dbname=shop)
    done = lint()
    assert done.returncode == 0 and "1 accepted" in done.stdout
    report = json.loads(lint("--format", "json").stdout)
    assert [one["accepted"] for one in report["findings"] if one["object"] == "s.note"] == ["going next week"]


def test_who_is_no_operator(lint):
    done = lint(user="shop_owner")
    assert (done.returncode, done.stdout) == (1, "")
    assert "permission denied" in done.stderr and "hint: " in done.stderr


def test_unreachable():
    done = subprocess.run([PROGRAM, "lint", "--conninfo", "host=127.0.0.1 port=1 user=x dbname=x"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "hint: " in done.stderr


def test_on_a_standby(server, lint, shop, make_standby):
    standby = make_standby(server)
    conninfo = f"host={standby.dir} port={standby.port} dbname={shop} user=shop_admin"
    done = subprocess.run([PROGRAM, "lint", "--format", "json", "--conninfo", conninfo], capture_output=True, text=True)
    assert found(done) == found(lint("--format", "json")), done.stderr


# The manifest.


@pytest.fixture
def manifest(lint, tmp_path):
    file = tmp_path / "tenancy.json"
    done = lint("--write-manifest", file)
    assert done.returncode == 0, done.stderr
    return file


def test_manifest(manifest):
    written = json.loads(manifest.read_text())
    assert written["protected"] == {"s.orders": "tenant_id"}
    assert written["shared"] == {"s.country": "ISO 3166"}
    assert written["exempt"] == {"s.queue": "workers claim jobs of all tenants"}
    assert {(one["rule"], one["object"]) for one in written["findings"]} == {
        ("C03_bypass_role", "shop_backup"), ("C09_unprotected_table", "s.note"), ("C48_owner_logs_in", "shop_owner"),
    }  # fmt: skip


def test_database_as_expected(lint, manifest):
    done = lint("--expect", manifest)
    assert done.returncode == 0, done.stdout
    assert "no difference" in done.stdout and "3 of them in the manifest" in done.stdout


CHANGES = {
    "create table s.new (tenant_id uuid not null)": "finding C09_unprotected_table s.new is new",
    "drop table s.note": "finding C09_unprotected_table s.note is gone",
    "select tenancy.unprotect('s.orders')": "protected s.orders is no longer protected",
    "select tenancy.protect('s.note')": "protected s.note is protected now",
    "select tenancy.exempt('s.queue', 'because')": 'exempt s.queue was "workers claim jobs of all tenants", is "because"',
    "select tenancy.unshare('s.country')": "shared s.country is no longer shared",
}


@pytest.mark.parametrize("change", CHANGES)
def test_database_that_differs(lint, manifest, server, shop, change):
    server.execute(change, dbname=shop)
    done = lint("--expect", manifest)
    assert done.returncode == 1
    assert CHANGES[change] in done.stdout
    assert f"tenancyd lint --write-manifest {manifest}" in done.stdout
    differences = json.loads(lint("--expect", manifest, "--format", "json").stdout)["differences"]
    assert CHANGES[change] in [f"{one['subject']} {one['what']} {one['message']}" for one in differences]


def test_manifest_that_cannot_be_read(lint, tmp_path):
    done = lint("--expect", tmp_path / "none.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "make it with --write-manifest" in done.stderr


def test_manifest_that_cannot_be_written(lint):
    done = lint("--write-manifest", "/nowhere/at/all")
    assert done.returncode == 1 and "cannot be written" in done.stderr


# SARIF 2.1.0: what its schema requires of what is there.


def text(message):
    return isinstance(message, dict) and isinstance(message["text"], str) and bool(message["text"])


@pytest.mark.parametrize("arguments", [[], ["--expect"]], ids=["alone", "with a manifest"])
def test_sarif(lint, manifest, arguments):
    done = lint("--format", "sarif", *arguments, *([manifest] if arguments else []))
    log = json.loads(done.stdout)
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-schema-2.1.0.json")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] and driver["version"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids)) > 90
    for rule in driver["rules"]:
        assert all(text(rule[key]) for key in ("shortDescription", "fullDescription", "help"))
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    assert run["results"]
    for result in run["results"]:
        assert text(result["message"]) and ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
        assert result.get("baselineState") in ({"new", "unchanged"} if arguments else {None})
        [location] = result["locations"]
        assert location["logicalLocations"][0]["fullyQualifiedName"]
        if arguments:
            physical = location["physicalLocation"]
            assert physical["artifactLocation"]["uri"] == str(manifest) and physical["region"]["startLine"] >= 1


# Without the extension.


def test_without_the_extension(lint, plain):
    done = lint("--format", "json", user="shop_backup", dbname=plain)
    assert done.returncode == 1, done.stderr
    assert {("C09_unprotected_table", name) for name in ("s.orders", "s.note", "s.queue")} <= found(done)
    assert json.loads(done.stdout)["extension"] is False
    assert "The extension is not here" in lint(dbname=plain).stdout


def test_without_the_extension_by_other_columns(lint, plain):
    done = lint("--format", "json", "--tenant-column", "item", "--tenant-column", "code", dbname=plain)
    assert {one for one in found(done) if one[0] == "C09_unprotected_table"} == {
        ("C09_unprotected_table", "s.orders"), ("C09_unprotected_table", "s.country"),
    }  # fmt: skip


def test_without_the_extension_tables_are_set_aside(lint, plain, tmp_path):
    file = tmp_path / "tenancy.json"
    done = lint("--set-aside", "s.queue", "--set-aside", "s.note", "--write-manifest", file, dbname=plain)
    assert done.returncode == 0, done.stderr
    assert "s.note" not in done.stdout
    assert json.loads(file.read_text())["exempt"] == {"s.queue": "--set-aside", "s.note": "--set-aside"}


@pytest.mark.parametrize("name", ["orders", "s.order", "S.orders", "s.orders_id_seq", ""])
def test_what_is_set_aside_has_to_be_there(lint, plain, name):
    done = lint("--set-aside", "s.queue", "--set-aside", name, dbname=plain)
    assert (done.returncode, done.stdout) == (2, "")
    assert f'there is no table "{name}": write schema.table' in done.stderr


def test_the_plain_file_finds_the_same(lint, plain, server):
    """psql with the file, and the rules that the program has built in."""
    file = PROGRAM.parents[3] / "tenancy_lint.sql"
    done = subprocess.run(
        [server.program("psql"), "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-f", file],
        capture_output=True, text=True, env=os.environ | server.environment(user="shop_backup", dbname=plain),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {(line.split("\t")[0], line.split("\t")[3]) for line in done.stdout.splitlines()}
    assert rows == found(lint("--format", "json", user="shop_backup", dbname=plain))
