"""Asks the linter about a leak that is there.

A row of the registry whose answer is the linter has to have a rule whose name begins with its id, and
tenancy.check_isolation() has to report it while the test's leak is there, or the test fails.
"""

from typing import Any

import psycopg


def rules(connection: psycopg.Connection[Any]) -> set[str]:
    """The ids of leaks for which the linter has a rule."""
    return {rule[:3] for (rule,) in connection.execute("select rule from tenancy.isolation_rules()")}


def findings(connection: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    """What the linter reports: ids of leaks, with the fingerprints of what opens them."""
    query = "select left(rule, 3), fingerprint from tenancy.check_isolation(include_suppressed => true)"
    return set(connection.execute(query).fetchall())
