"""Every rule of the linter fires when it should, and only then, in the extension and in the plain file."""

import re

import pytest

from .cases import all_cases

CASES = all_cases()
IN_WORLDS = [
    pytest.param(case, world, id=f"{case}-{world.replace(' ', '_')}")
    for case in CASES
    for world in ("extension", "by hand")
    if case.world in (None, world)
]


@pytest.mark.parametrize(("case", "name"), IN_WORLDS)
def test_case(case, name, worlds):
    with worlds[name].connect() as connection:
        connection.execute(case.sql)
        found = [finding for finding in worlds[name].lint(connection) if finding.rule == case.rule]
        if case.kind == "silent":
            assert found == []
        else:
            assert found, f"{case.rule} did not fire"
            assert case.object in [None, *(finding.object for finding in found)]
            mends(connection, worlds[name], found)
        connection.rollback()


def mends(connection, world, found):
    """The fix is SQL that works and mends, or a comment that says what to do."""
    for finding in found:
        if not finding.fix.startswith("--"):
            connection.execute(finding.fix)
    left = {finding.fingerprint for finding in world.lint(connection)}
    for finding in found:
        assert finding.fix.startswith("--") or finding.fingerprint not in left, finding


@pytest.mark.parametrize("name", ["extension", "by hand"])
def test_order(name, worlds):
    """Where everything is in order, nothing is found but what is so everywhere."""
    with worlds[name].connect() as connection:
        assert {finding.rule for finding in worlds[name].lint(connection)} == set()


def rules(worlds):
    with worlds["extension"].connect() as connection:
        return dict(connection.execute("select rule, severity from tenancy.isolation_rules()").fetchall())


def test_every_rule_has_both_kinds_of_cases(worlds):
    known = set(rules(worlds))
    for kind in ("fires", "silent"):
        assert {case.rule for case in CASES if case.kind == kind} == known


def test_ids_begin_with_the_leak(worlds):
    for rule, severity in rules(worlds).items():
        assert re.fullmatch(r"[A-Z]\d\d_[a-z0-9_]+", rule)
        assert severity in ("error", "warning", "info")
