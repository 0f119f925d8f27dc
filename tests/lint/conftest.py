"""The worlds that are linted."""

from collections.abc import Iterator

import pytest
from harness import Server

from .worlds import ROLES, World


@pytest.fixture(scope="session")
def worlds(server: Server) -> Iterator[dict[str, World]]:
    """By name: 'extension' and 'by hand'."""
    server.psql(ROLES)
    yield {
        "extension": World(server, "lint_extension", extension=True),
        "by hand": World(server, "lint_by_hand", extension=False),
    }
    server.dropdb("lint_extension")
    server.dropdb("lint_by_hand")
    server.psql("drop role lint_owner, lint_app, lint_reader")
