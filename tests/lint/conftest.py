"""The worlds that are linted, on servers of their own: roles belong to a whole server."""

from collections.abc import Iterator

import pytest
from harness import Server

from .worlds import ROLES, World


@pytest.fixture(scope="session")
def worlds() -> Iterator[dict[str, World]]:
    """By name: 'extension', 'session' (the same, preloaded by the database's setting), and 'by hand'."""
    with Server() as shared, Server(preload="session", name="session_server") as session:
        for server in (shared, session):
            server.psql(ROLES)
        yield {
            "extension": World(shared, "lint_extension", extension=True),
            "session": World(session, "lint_session", extension=True),
            "by hand": World(shared, "lint_by_hand", extension=False),
        }
