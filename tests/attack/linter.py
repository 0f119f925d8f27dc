"""Asks the linter about a leak that is there.

INSTALLED is the one switch: with it, every row of the registry whose answer is the linter has to be
reported by tenancy.check_isolation() while the test's leak is there, or its test fails.
"""

from typing import Any

import psycopg

FUNCTION = "tenancy.check_isolation"
INSTALLED = False


def reports(connection: psycopg.Connection[Any], leak: str) -> bool:
    """Whether a finding of the connection's database names this leak."""
    rows = connection.execute(f"select to_jsonb(f) from {FUNCTION}() as f").fetchall()
    return any(leak in {str(value)[:3] for value in finding.values()} for (finding,) in rows)


def exists(connection: psycopg.Connection[Any]) -> bool:
    [(found,)] = connection.execute("select to_regproc(%s) is not null", [FUNCTION]).fetchall()
    return bool(found)
