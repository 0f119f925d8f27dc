"""docs/explanation/threats.md is what the attack suite says, and every leak has its tests."""

import re

import pytest
from attack import linter
from attack.leaks import LEAKS, Leak, Status

from docs.examples import ROOT
from docs.threats import TESTS, attacks, cases, functions, page


def test_the_committed_page_is_fresh():
    assert (ROOT / "docs/explanation/threats.md").read_text() == page(), "threats.md is stale: run scripts/threats"


def test_every_attack_names_a_leak():
    unknown = {name: tests for name, tests in attacks().items() if name not in LEAKS}
    assert not unknown


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
def test_every_leak_has_what_it_promises(leak: Leak):
    assert leak.letters <= set("PLAD") and leak.remains and leak.letters & set("PLD")
    tests = [name for _, name in attacks().get(leak.id, [])]
    assert "A" in leak.letters or not tests, "its answers do not say that it has an attack"
    if "A" in leak.letters:
        assert tests or leak.elsewhere, "no attack"
        shows = "refused_" if leak.status is not Status.PREVENTED else "remains_"
        assert leak.elsewhere or [name for name in tests if not name[9:].startswith(shows)], "no attack on the leak itself"
    elif "P" in leak.letters:
        assert tests or leak.elsewhere, "nothing shows that it is prevented"
    assert "L" not in leak.letters or cases(leak), "no test of the linter"


@pytest.mark.parametrize("name", sorted({name for leak in LEAKS.values() for name in leak.elsewhere}))
def test_tests_elsewhere_are_there(name: str):
    path, _, test = name.removeprefix("tests/").partition("::")
    assert (TESTS / path).exists()
    assert not test or test in functions(TESTS / path)


def test_the_linter_has_the_rules_that_the_page_promises(server, database):
    promised = {leak.id for leak in LEAKS.values() if "L" in leak.letters}
    with server.connect(dbname=database) as connection:
        assert promised <= linter.rules(connection)


def test_pages_name_leaks_that_exist():
    pages = [ROOT / "docs/explanation" / name for name in ("guards.md", "isolation.md", "context.md")]
    named = {word for page in pages for word in re.findall(r"\b[COKPXR]\d\d\b", page.read_text())}
    assert named and named <= set(LEAKS)
