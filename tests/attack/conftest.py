"""Fixtures of the attack suite: both sides, and the trial of the leak that a test is named after."""

import re
from collections.abc import Iterator

import pytest
from harness import Server

from . import sides
from .leaks import LEAKS
from .sides import Side
from .trial import Trial

# pg_stat_statements is the one library of the server's; autovacuum would count as somebody's work.
SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "max_parallel_workers": 8,
    "autovacuum": False,
    "jit": False,
    "statement_timeout": "60s",
}

failed = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def both() -> Iterator[tuple[Side, Side]]:
    """The twin and the guarded database."""
    with Server(preload=None, name="attacked", settings=SETTINGS) as server:
        yield sides.create(server)


@pytest.fixture
def leak(both: tuple[Side, Side], request: pytest.FixtureRequest) -> Iterator[Trial]:
    """The trial of a test_<id>_..., which has to show what the registry says of that leak. What is left of
    it is shown by test_<id>_remains_..., and a part that is refused all the same by test_<id>_refused_..."""
    name = re.match(r"test_([a-z]\d\d)_(remains_|refused_)?", request.node.name)
    assert name and name[1].upper() in LEAKS, f"{request.node.name} names no leak of the registry"
    trial = Trial(LEAKS[name[1].upper()], *both)
    yield trial
    if not request.node.stash.get(failed, True):
        trial.conclude(name[2])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "call":
        item.stash[failed] = not report.passed
    return report
