"""Fixtures of races between operators."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Server

from .operators import Connect


@pytest.fixture
def connect(server: Server, database: str) -> Iterator[Connect]:
    """Connections as an admin (or another role) of a new database, closed afterwards."""
    server.psql(
        """do $$ begin if to_regrole('race_admin') is null then
             create role race_admin login in role tenancy_admin; end if; end $$;
           select tenancy.add_operator('race_admin', 'admin')""",
        dbname=database,
    )
    made = []

    def make(user: str = "race_admin") -> psycopg.Connection[Any]:
        connection = server.connect(user=user, dbname=database, options="-c statement_timeout=30s")
        made.append(connection)
        return connection

    yield make
    for connection in made:
        connection.close()
