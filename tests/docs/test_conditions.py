"""The runbook knows every reason that tenancyd and the extension give, and every alarm."""

import re

import pytest

from docs.examples import ROOT

PAGE = (ROOT / "docs/reference/conditions.md").read_text()
# Words of that form that are no reasons: what servers and probes are called, and what is always well.
OTHER = {"Redis", "MongoDB", "Valkey", "FerretDB", "Ready"}


def reasons() -> set[str]:
    sources = [path for part in ("redis", "mongodb", "reconcile", "postgres") for path in (ROOT / "sidecar/src" / part).glob("*.cpp")]
    words = {word for path in sources for word in re.findall(r'"([A-Z][a-z]+(?:[A-Z][a-z]+)*)"', path.read_text())}
    return words - OTHER


def alarms() -> set[str]:
    view = (ROOT / "sql/199_store_status.sql").read_text().partition("COMMENT ON VIEW tenancy.store_alarm")[0]
    return set(re.findall(r"'([a-z]+(?:_[a-z]+)+)'", view)) - {"read_only"}


def rows() -> set[str]:
    """The words in the first column of the page's tables."""
    return {word for line in re.findall(r"^\| ([^|]+) \|", PAGE, re.M) for word in line.strip().split(", ")}


@pytest.mark.parametrize("word", sorted(reasons() | alarms()))
def test_the_runbook_has_it(word):
    assert word in rows()


def test_reasons_and_alarms_are_found():
    assert {"StampMismatch", "NamespaceLimit", "StoreFull"} <= reasons()
    assert {"suspension_not_reached", "no_daemon"} <= alarms()
