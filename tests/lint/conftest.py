"""The worlds that are linted."""

from collections.abc import Iterator

import pytest
from harness import Server

from .worlds import ROLES, World


# The linter looks at the roles of the whole cluster: in these there are no other tests'.
@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server(name="linted") as own:
        yield own


@pytest.fixture(scope="session")
def session_server() -> Iterator[Server]:
    with Server(preload="session", name="linted by sessions") as own:
        yield own


@pytest.fixture(scope="session")
def worlds(server: Server, session_server: Server) -> Iterator[dict[str, World]]:
    """By name: 'extension', 'session' (the same, preloaded by the database's setting), and 'by hand'."""
    server.psql(ROLES)
    session_server.psql(ROLES)
    yield {
        "extension": World(server, "lint_extension", extension=True),
        "session": World(session_server, "lint_session", extension=True),
        "by hand": World(server, "lint_by_hand", extension=False),
    }
    server.dropdb("lint_extension")
    server.dropdb("lint_by_hand")
    session_server.dropdb("lint_session")
    for each in (server, session_server):
        each.psql("drop role lint_owner, lint_app, lint_reader")
