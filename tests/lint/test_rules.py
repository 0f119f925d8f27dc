"""Every rule of the linter fires when it should, and only then, in the extension and in the plain file."""

import re

import pytest

from .cases import all_cases
from .worlds import plain_query

CASES = all_cases()
IN_WORLDS = [
    pytest.param(case, world, id=f"{case}-{world.replace(' ', '_')}")
    for case in CASES
    for world in case.worlds
]


@pytest.mark.parametrize(("case", "name"), IN_WORLDS)
def test_case(case, name, worlds):
    with worlds[name].transaction() as connection:
        connection.execute(case.sql)
        found = [finding for finding in worlds[name].lint(connection, case.version) if finding.rule == case.rule]
        if case.kind == "silent":
            assert found == []
        else:
            assert found, f"{case.rule} did not fire"
            assert any(finding.object.startswith(case.object or "") for finding in found), found
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
