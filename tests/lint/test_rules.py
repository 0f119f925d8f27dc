"""Every rule of the linter fires when it should, and only then, in the extension and in the plain file."""

import re

import pytest

from .cases import all_cases
from .worlds import plain_query

CASES = all_cases()
# Of these, one says what is wrong with a policy.
POLICY_RULES = re.compile("C05_permissive_opens|C06_|C07_write|C08_command")
IN_WORLDS = [
    pytest.param(case, world, id=f"{case}-{world.replace(' ', '_')}")
    for case in CASES
    for world in case.worlds
]


@pytest.mark.parametrize(("case", "name"), IN_WORLDS)
def test_case(case, name, worlds):
    with worlds[name].transaction() as connection:
        connection.execute(case.sql)
        everything = worlds[name].lint(connection, case.version)
        found = [finding for finding in everything if finding.rule == case.rule]
        if case.kind == "silent":
            assert found == []
            return
        assert found, f"{case.rule} did not fire"
        assert all(finding.object.startswith(case.object) for finding in found), found
        assert len({finding.fingerprint for finding in everything}) == len(everything), everything
        if POLICY_RULES.match(case.rule):
            assert {finding.rule for finding in everything if POLICY_RULES.match(finding.rule)} == {case.rule}
        mends(connection, worlds[name], found)


def mends(connection, world, found):
    """The fix is SQL that works and mends, or a comment that says what to do."""
    for finding in found:
        if not finding.fix.startswith("--"):
            connection.execute(finding.fix)
    left = {finding.fingerprint for finding in world.lint(connection)}
    for finding in found:
        assert finding.fix.startswith("--") or finding.fingerprint not in left, finding


@pytest.mark.parametrize(("name", "everywhere"), [
    ("extension", {"P30_totals"}),
    ("session", {"P30_totals"}),
    ("by hand", {"P30_totals", "X34_settable_context"}),
])  # fmt: skip
def test_order(name, everywhere, worlds):
    """Where everything is in order, nothing is found but what is so everywhere."""
    with worlds[name].transaction() as connection:
        assert {finding.rule for finding in worlds[name].lint(connection)} == everywhere


def test_the_worst_come_first(worlds):
    with worlds["extension"].transaction() as connection:
        connection.execute(
            "create role lint_report bypassrls; create table shop.note (tenant_id uuid); create table shop.memo (tenant_id uuid);"
            "select tenancy.grant_access('lint_app', '*', reason => 'the shop')"
        )
        found = [(finding.severity, finding.rule, finding.object) for finding in worlds["extension"].lint(connection)]
    assert {severity for severity, *_ in found} == {"error", "warning", "info"}
    assert found == sorted(found, key=lambda one: (["error", "warning", "info"].index(one[0]), *one[1:]))


# How a role comes to read the materialized view shop.totals.
READERS = {
    "the view": "grant select on shop.totals to lint_app",
    "a column": "grant select (count) on shop.totals to lint_app",
    "a view over it": "create view shop.report as select * from shop.totals; grant select on shop.report to lint_app",
    "a column of one over one": """create materialized view shop.report as select * from shop.totals with no data;
        create view shop.page as select * from shop.report; grant select (count) on shop.page to lint_app""",
}


@pytest.mark.parametrize("readers", READERS.values(), ids=READERS.keys())
@pytest.mark.parametrize("name", ["extension", "by hand"])
def test_who_reads_a_materialized_view(name, readers, worlds):
    def found(connection):
        return {finding.severity: finding for finding in worlds[name].lint(connection) if finding.rule == "O12_materialized_view"}

    with worlds[name].transaction() as connection:
        connection.execute("create materialized view shop.totals as select tenant_id, count(*) from shop.orders group by tenant_id with no data")
        assert set(found(connection)) == {"info"}
        connection.execute(readers)
        assert "lint_app" in found(connection)["error"].message
        mends(connection, worlds[name], [found(connection)["error"]])
        assert set(found(connection)) == {"info"}


def test_a_view_with_the_callers_rights_gives_none(worlds):
    with worlds["extension"].transaction() as connection:
        connection.execute("create materialized view shop.totals as select count(*) from shop.orders with no data;"
                           "create view shop.report with (security_invoker) as select * from shop.totals; grant select on shop.report to lint_app")
        assert {finding.severity for finding in worlds["extension"].lint(connection) if finding.rule == "O12_materialized_view"} == {"info"}


RIGHTS = {
    "select 1": "info",
    "grant usage on schema shop to lint_report; grant all on shop.country to lint_report": "info",
    "grant select on shop.orders to lint_report": "error",
    "grant select (item) on shop.orders to lint_report": "error",
    "grant delete on shop.orders to lint_report": "error",
    "alter table shop.orders owner to lint_report": "error",
    "grant lint_app to lint_report": "error",
    "grant pg_read_all_data to lint_report": "error",
    "create table shop.note (tenant_id uuid); grant insert on shop.note to public": "error",
}


@pytest.mark.parametrize("rights", RIGHTS)
@pytest.mark.parametrize("name", ["extension", "by hand"])
def test_bypass_counts_with_rights(name, rights, worlds):
    """Without the extension, which would stop the role, nobody can say that it is meant to work for all."""
    with worlds[name].transaction() as connection:
        connection.execute(f"create role lint_report bypassrls; {rights}")
        [found] = [finding for finding in worlds[name].lint(connection) if finding.rule == "C03_bypass_role"]
        assert found.severity == (RIGHTS[rights] if name == "extension" else RIGHTS[rights].replace("error", "warning"))
        assert ("no table of tenants" in found.message) == (found.severity == "info")


def test_settings_as_the_place_for_the_tenant(worlds):
    with worlds["by hand"].transaction() as connection:
        [found] = [finding for finding in worlds["by hand"].lint(connection) if finding.rule == "X34_settable_context"]
    assert found.severity == "warning"
    assert found.message == "policies trust settings that any SQL can change: app.tenant (tables with such policies: 4)"


def found_on(server, database):
    """What is found in a new database with a protected table, beside what is so everywhere."""
    server.createdb(database, extensions=["tenancy"])
    script = "create table note (tenant_id uuid); select tenancy.protect('note'); reset role"
    server.psql(script, dbname=database)
    query = "select rule, message from tenancy.check_isolation() where severity <> 'info'"
    return dict(server.execute(query, dbname=database))


def test_configuration_of_the_server(make_server):
    """Findings about postgresql.conf, which no transaction changes."""
    loose = {
        "tenancy.guard": "off", "tenancy.test_mode": "on", "tenancy.literal_tokens": "on", "lo_compat_privileges": "on",
        "session_preload_libraries": "auto_explain",
    }  # fmt: skip
    found = found_on(make_server(settings=loose), "loose")
    assert set(found) == {"P27_guard_off", "X58_test_mode", "X40_literal_tokens", "O19_lo_compat_privileges", "P54_auto_explain"}
    assert all("the server" in message for message in found.values()), found


def test_configuration_of_a_server_in_order(make_server):
    strict = {"tenancy.guard": "strict", "tenancy.test_mode": "off", "tenancy.literal_tokens": "off", "lo_compat_privileges": "off"}
    assert found_on(make_server(settings=strict), "strict") == {}


def test_fires_c45_not_preloaded_for_the_database(make_server):
    server = make_server(preload=None)
    assert found_on(server, "kept") == {}
    server.execute("alter database kept reset session_preload_libraries")
    query = "select object_type, object from tenancy.check_isolation() where rule = 'C45_not_preloaded'"
    assert server.execute(query, dbname="kept") == [("database", "kept")]


def test_fires_o21_logical_slot(make_server):
    """A slot belongs to no transaction, so it is not among the cases."""
    server = make_server(settings={"wal_level": "logical"})
    query = f"select count(*) from ({plain_query()}) as findings where rule = 'O21_logical_slot'"
    server.execute("create table note (tenant_id uuid)")
    assert server.execute(query) == [(0,)]
    server.execute("select pg_create_logical_replication_slot('feed', 'pgoutput')")
    assert server.execute(query) == [(1,)]


def rules(worlds):
    with worlds["extension"].transaction() as connection:
        return dict(connection.execute("select rule, severity from tenancy.isolation_rules()").fetchall())


def test_every_rule_has_both_kinds_of_cases(worlds):
    known = set(rules(worlds))
    elsewhere = {name.removeprefix("test_fires_").lower() for name in globals() if name.startswith("test_fires_")}
    for kind in ("fires", "silent"):
        cases = {case.rule for case in CASES if case.kind == kind}
        assert cases | {rule for rule in known if rule.lower() in elsewhere} == known


def test_ids_begin_with_the_leak(worlds):
    for rule, severity in rules(worlds).items():
        assert re.fullmatch(r"[A-Z]\d\d_[a-z0-9_]+", rule)
        assert severity in ("error", "warning", "info")
