"""The schema of the tests of plans, made once."""

from collections.abc import Iterator

import pytest
from harness import Server

from . import planned as schema
from .planned import Planned


@pytest.fixture(scope="session")
def planned(server: Server) -> Iterator[Planned]:
    database = "planned"
    yield schema.create(server, database)
    server.dropdb(database)
