"""tenancyd's table of states and transitions is the extension's."""

import json
import re
import subprocess
from typing import Any

import psycopg
import pytest
from harness import Server
from harness.tenancyd import PROGRAM


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    printed = subprocess.run([PROGRAM, "lifecycle"], check=True, capture_output=True, text=True, timeout=60).stdout
    parsed: dict[str, Any] = json.loads(printed)
    return parsed


@pytest.fixture
def connection(server: Server, database: str) -> Any:
    with psycopg.connect(**server.parameters(dbname=database)) as connected:
        yield connected


def test_transitions_are_the_extensions(table: dict[str, Any], connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute("select from_state, action, to_state from tenancy.transition").fetchall()
    assert sorted((way["from"], way["action"], way["to"]) for way in table["transitions"]) == sorted(rows)


def test_states_are_those_that_a_tenant_may_have(table: dict[str, Any], connection: psycopg.Connection[Any]) -> None:
    checks = connection.execute(
        """select pg_get_constraintdef(oid) from pg_constraint
           where conrelid = 'tenancy.tenant'::regclass and contype = 'c'"""
    ).fetchall()
    (of_state,) = [check for (check,) in checks if re.match(r"CHECK \(\(state = ANY", check)]
    assert sorted(state["name"] for state in table["states"]) == sorted(re.findall(r"'(\w+)'", of_state))


def test_states_are_wanted_as_the_extension_says(table: dict[str, Any], connection: psycopg.Connection[Any]) -> None:
    for state in table["states"]:
        (wanted,) = connection.execute("select tenancy.is_wanted(%s, null)", [state["name"]]).fetchone() or (None,)
        assert wanted is state["may_be_present"], state["name"]
