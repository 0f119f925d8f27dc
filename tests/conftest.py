"""Fixtures of all pytest suites; servers' logs beside each failure."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import PgBouncer, Server, Standby
from harness.process import Daemon

LOG_LINES = 100


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running server with the library in shared_preload_libraries; shared by all tests."""
    with Server() as shared:
        yield shared


@pytest.fixture(scope="session")
def session_server() -> Iterator[Server]:
    """A running server with the library in session_preload_libraries; shared by all tests."""
    with Server(preload="session", name="session_server") as shared:
        yield shared


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a new database of `server` with the extension, dropped afterwards."""
    name = re.sub(r"\W+", "_", request.node.name).lower()[:50] or "test"
    server.dropdb(name)
    yield server.createdb(name, extensions=["tenancy"])
    server.dropdb(name)


@pytest.fixture
def make_server() -> Iterator[Callable[..., Server]]:
    """Makes running servers of the test's own: make_server(settings=..., preload=...)."""
    yield from _factory(Server)


@pytest.fixture
def make_standby() -> Iterator[Callable[..., Standby]]:
    """Makes running hot standbys: make_standby(primary)."""
    yield from _factory(Standby)


@pytest.fixture
def make_pgbouncer() -> Iterator[Callable[..., PgBouncer]]:
    """Makes running PgBouncers: make_pgbouncer(server, default_pool_size=...)."""
    yield from _factory(PgBouncer)


@pytest.fixture
def pgbouncer(server: Server, make_pgbouncer: Callable[..., PgBouncer]) -> PgBouncer:
    """A PgBouncer before `server`: transaction mode, one server connection per pool."""
    return make_pgbouncer(server)


@pytest.fixture
def standby(server: Server, make_standby: Callable[..., Standby]) -> Standby:
    """A hot standby of `server`."""
    return make_standby(server)


def _factory(kind: type[Any]) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(*arguments: Any, **options: Any) -> Any:
        daemon = kind(*arguments, **options)
        made.append(daemon)
        daemon.start()
        return daemon

    yield make
    for daemon in reversed(made):
        daemon.close()


def pytest_configure() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


_marks: dict[Daemon, int] = {}


def pytest_runtest_setup() -> None:
    _marks.clear()
    _marks.update({daemon: daemon.log_size() for daemon in Daemon.live})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.failed:
        for daemon in Daemon.live:
            lines = daemon.log_text(_marks.get(daemon, 0)).splitlines()[-LOG_LINES:]
            if lines:
                report.sections.append((f"log of {daemon.name}", "\n".join(lines)))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Records the files that tests ran of, for scripts/complete."""
    record = os.environ.get("TENANCY_TESTED_FILES")
    if record and report.when == "call" and report.outcome != "skipped":
        with open(record, "a", encoding="utf-8") as files:
            files.write(f"{Path(__file__).parent / report.location[0]}\n")
