"""pg_dump by a backup role, restored by a superuser, elsewhere: everything is there and in force."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from harness import Server
from harness.process import clean_environment

from .dump_world import check_enforced, content, fill, refused


class Clusters(NamedTuple):
    source: Server
    target: Server


@pytest.fixture(scope="module", params=["shared", "session"])
def clusters(request: pytest.FixtureRequest) -> Iterator[Clusters]:
    """A cluster with the filled database `origin`, and one that has its roles alone.

    session: only the database's own setting, made by CREATE EXTENSION, preloads the library.
    """
    preload = "shared" if request.param == "shared" else None
    with Server(preload=preload, name="source") as source, Server(preload=preload, name="target") as target:
        source.createdb("origin", extensions=["tenancy"])
        fill(source, "origin")
        roles = run(source, "pg_dumpall", "--globals-only", "-l", "postgres")
        target.psql(roles.replace("CREATE ROLE postgres;", ""))
        yield Clusters(source, target)


def run(server: Server, program: str, *options: str, user: str | None = None, check: bool = True, stdin: str = "") -> str:
    """A client program's output; its messages too when it may fail."""
    done = subprocess.run(
        [server.program(program), *options],
        env=clean_environment() | server.environment(user=user),
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if check else subprocess.STDOUT,
        text=True,
    )
    assert not check or done.returncode == 0, done.stderr
    assert check or done.returncode != 0, f"{program} was expected to fail"
    return done.stdout


def dump(server: Server, to: Path, *options: str, database: str = "origin") -> Path:
    run(server, "pg_dump", *options, "-f", str(to), "-d", database, user="copy_backup")
    return to


def restore(server: Server, file: Path, database: str, *options: str) -> None:
    """As a superuser; the first error ends it."""
    if file.suffix == ".sql":
        run(server, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", str(file), "-d", database, *options)
    else:
        run(server, "pg_restore", "--exit-on-error", "-d", database, *options, str(file))


def assert_same(after: dict[str, list[Any]], before: dict[str, list[Any]]) -> None:
    lost = [(name, row) for name in before for row in before[name] if row not in after[name]]
    come = [(name, row) for name in before for row in after[name] if row not in before[name]]
    if lost or come:
        pytest.fail("\n".join([*(f"lost: {row}" for row in lost), *(f"came: {row}" for row in come)]))


@pytest.mark.parametrize("suffix", ["sql", "custom"])
@pytest.mark.parametrize("create", [False, True], ids=["into-database", "create"])
@pytest.mark.parametrize("place", ["same-cluster", "new-cluster"])
def test_a_copy_is_enforced(clusters: Clusters, tmp_path: Path, suffix: str, create: bool, place: str) -> None:
    server = clusters.source if place == "same-cluster" else clusters.target
    before = content(clusters.source, "origin")
    assert all(before.values()), [name for name, rows in before.items() if not rows]
    created = ["--create"] if create else []
    form = ["--format=custom"] if suffix == "custom" else created
    file = dump(clusters.source, tmp_path / f"dump.{suffix}", *form)
    if create and place == "same-cluster":
        clusters.source.execute("alter database origin rename to kept")
    copy = "origin" if create else server.createdb("copy")
    try:
        restore(server, file, "postgres" if create else copy, *(created if suffix == "custom" else []))
        assert_same(content(server, copy), before)
        check_enforced(server, copy)
    finally:
        server.dropdb(copy)
        if create and place == "same-cluster":
            clusters.source.execute("alter database kept rename to origin")
