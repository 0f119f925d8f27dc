"""From every released version to this one: the same catalog as a fresh install, under load.

While nothing is released, an invented older version shows that the comparison works.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from filled_world import check_enforced, content, fill
from harness import Server, wait_for
from harness.server import ROOT, tree

from .catalog import differences

RELEASED = sorted((ROOT / "tests" / "upgrade" / "released").glob("tenancy--*.sql"))
CURRENT = re.search(r"default_version = '(.*)'", (ROOT / "pg_extension" / "tenancy.control").read_text())[1]  # type: ignore[index]

# What the invented version, 0.0.1, has less or other than the present one, and the delta's answer.
MISSING = "tenancy.unexempt(regclass)"
OLDER = f"""
DROP FUNCTION {MISSING};
COMMENT ON TABLE tenancy.tier IS 'as it was';
REVOKE SELECT ON tenancy.tier FROM tenancy_auditor;
DROP INDEX tenancy.tenant_alias_tenant_idx;
"""
NEWER = f"""
REVOKE ALL ON FUNCTION {MISSING} FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {MISSING} TO PUBLIC;
GRANT SELECT ON tenancy.tier TO tenancy_auditor;
CREATE INDEX tenant_alias_tenant_idx ON tenancy.tenant_alias (tenant_id);
"""


def current_script() -> str:
    [script] = tree().rglob(f"extension/tenancy--{CURRENT}.sql")
    return script.read_text()


def statement(start: str) -> str:
    """One statement of the present script, to the semicolon that ends a line."""
    script = current_script()
    begin = script.index(start)
    dollar = script.find("$$", begin) < script.find(";\n", begin)
    end = script.index("$$;\n", begin) + 3 if dollar else script.index(";\n", begin) + 1
    return script[begin:end] + "\n"


@contextmanager
def installed(files: dict[str, str]) -> Iterator[None]:
    """These scripts among the extension's in the private tree."""
    [directory] = {found.parent for found in tree().rglob("extension/tenancy.control")}
    paths = [directory / name for name in files]
    assert not [path for path in paths if path.exists()]
    try:
        for path, text in zip(paths, files.values(), strict=True):
            path.write_text(text)
        yield
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


@pytest.fixture
def databases(server: Server) -> Iterator[tuple[str, str]]:
    """The names of a database to update and of a fresh one."""
    names = ("updated", "fresh")
    for name in names:
        server.dropdb(name)
    server.createdb("updated")
    server.createdb("fresh", extensions=["tenancy"])
    yield names
    for name in names:
        server.dropdb(name)


class Load(threading.Thread):
    """An application that works for one tenant and then for another, over and over."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        super().__init__(daemon=True)
        self.connection = connect()
        self.done = 0
        self.error: Exception | None = None
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                tenant = ("acme", "beta")[self.done % 2]
                with self.connection.transaction():
                    self.connection.execute("select tenancy.enter(%s)", [tenant])
                    assert self.connection.execute("select name from app.bot").fetchall() == [(tenant,)]
                self.done += 1
        except Exception as error:
            self.error = error
        finally:
            self.connection.close()

    def more(self, rounds: int) -> None:
        goal = self.done + rounds
        wait_for(lambda: self.done >= goal or self.error is not None, 30, f"{rounds} more transactions under load")
        assert self.error is None, self.error

    def end(self) -> None:
        self.ended.set()
        self.join(30)
        assert self.error is None, self.error


def update(server: Server, database: str, version: str) -> None:
    """Installs an older version, fills it, and updates it while it is in use."""
    server.execute(f"create extension tenancy version '{version}'", dbname=database)
    fill(server, database)
    before = content(server, database)
    loads = [Load(lambda: server.connect(user="copy_app", dbname=database)) for _ in range(2)]
    for load in loads:
        load.start()
    try:
        for load in loads:
            load.more(50)
        server.execute("alter extension tenancy update", dbname=database)
        for load in loads:
            load.more(50)
    finally:
        for load in loads:
            load.end()
    assert server.execute("select extversion from pg_extension where extname = 'tenancy'", dbname=database) == [(CURRENT,)]
    after = content(server, database)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("script", RELEASED, ids=lambda script: script.stem)
def test_update_from_a_released_version(server: Server, databases: tuple[str, str], script: Path) -> None:
    updated, fresh = databases
    with installed({script.name: script.read_text()}):
        update(server, updated, script.stem.removeprefix("tenancy--"))
    assert differences(server, updated, fresh) == []
    check_enforced(server, updated)


def test_update_from_an_invented_version(server: Server, databases: tuple[str, str]) -> None:
    updated, fresh = databases
    delta = (
        statement("CREATE FUNCTION tenancy.unexempt(")
        + statement(f"COMMENT ON FUNCTION {MISSING}")
        + statement("COMMENT ON TABLE tenancy.tier")
        + NEWER
    )
    with installed({"tenancy--0.0.1.sql": current_script() + OLDER, f"tenancy--0.0.1--{CURRENT}.sql": delta}):
        update(server, updated, "0.0.1")
    assert differences(server, updated, fresh) == []
    check_enforced(server, updated)


def test_a_careless_delta_is_found(server: Server, databases: tuple[str, str]) -> None:
    """Every kind of difference shows: an object, its rights, its comment, an index, a stray object."""
    updated, fresh = databases
    delta = statement("CREATE FUNCTION tenancy.unexempt(") + "ALTER EXTENSION tenancy DROP TABLE tenancy.error_code;\n"
    with installed({"tenancy--0.0.1.sql": current_script() + OLDER, f"tenancy--0.0.1--{CURRENT}.sql": delta}):
        server.execute("create extension tenancy version '0.0.1'", dbname=updated)
        server.execute("alter extension tenancy update", dbname=updated)
    found = "\n".join(differences(server, updated, fresh))
    for expected in (
        "+ comment on tenancy.unexempt(regclass): \n",
        "- rights on tenancy.tier: ",
        "+ comment on tenancy.tier: as it was",
        "- index CREATE INDEX tenant_alias_tenant_idx",
        "- member table tenancy.error_code",
    ):
        assert expected in found, found


def test_every_released_version_has_a_way_here(server: Server) -> None:
    for script in RELEASED:
        version = script.stem.removeprefix("tenancy--")
        with installed({script.name: script.read_text()}):
            paths = "select path from pg_extension_update_paths('tenancy') where source = %s and target = %s"
            assert server.execute(paths, [version, CURRENT]) not in ([], [(None,)]), version
