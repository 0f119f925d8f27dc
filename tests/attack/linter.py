"""Asks the linter about a leak that is there.

A row of the registry whose answer is the linter has to have a rule whose name begins with its id, and
tenancy.check_isolation() has to report it while the test's leak is there, or the test fails.
"""

from typing import Any

import psycopg


def rules(connection: psycopg.Connection[Any]) -> set[str]:
    """The ids of leaks for which the linter has a rule."""
    return {rule[:3] for (rule,) in connection.execute("select rule from tenancy.isolation_rules()")}


def findings(connection: psycopg.Connection[Any], leak: str) -> set[str]:
    """The fingerprints of what the linter reports of this leak."""
    query = "select fingerprint from tenancy.check_isolation(include_suppressed => true) where starts_with(rule, %s)"
    return {fingerprint for (fingerprint,) in connection.execute(query, [leak])}
