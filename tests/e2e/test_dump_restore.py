"""pg_dump by a backup role, restored by a superuser, elsewhere: everything is there and in force."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from filled_world import check_enforced, content, fill, refused
from harness import Server
from harness.process import clean_environment


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


def run(
    server: Server, program: str, *arguments: str, user: str | None = None, check: bool = True, options: str = ""
) -> str:
    """A client program's output; its messages too when it may fail."""
    done = subprocess.run(
        [server.program(program), *arguments],
        env=clean_environment() | server.environment(user=user) | {"PGOPTIONS": options},
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


def restore(server: Server, file: Path, database: str, *arguments: str, options: str = "") -> None:
    """As a superuser, with libpq's options; the first error ends it."""
    if file.suffix == ".sql":
        run(server, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", str(file), "-d", database, *arguments, options=options)
    else:
        run(server, "pg_restore", "--exit-on-error", "-d", database, *arguments, str(file), options=options)


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


@pytest.mark.parametrize("place", ["same-cluster", "new-cluster"])
def test_sections_restore_in_parallel(clusters: Clusters, tmp_path: Path, place: str) -> None:
    """A directory dump by parallel jobs, restored section by section, in any order within each.

    pg_restore's jobs load the tables of an extension without regard to the foreign keys between
    them (the dump does not say them), so they are not checked while the data come in.
    """
    server = clusters.source if place == "same-cluster" else clusters.target
    before = content(clusters.source, "origin")
    file = dump(clusters.source, tmp_path / "dump.dir", "--format=directory", "--jobs=2")
    copy = server.createdb("copy")
    try:
        for section in ("pre-data", "data", "post-data"):
            restore(server, file, copy, f"--section={section}", "--jobs=3", options="-c session_replication_role=replica")
        assert_same(content(server, copy), before)
        check_enforced(server, copy)
    finally:
        server.dropdb(copy)


def test_who_may_dump(clusters: Clusters, tmp_path: Path) -> None:
    """pg_read_all_data and BYPASSRLS are what a backup role needs; being registered is what lets it read."""
    file = ["-d", "origin", "-f", str(tmp_path / "x")]
    reasons = {
        "copy_stranger": "has BYPASSRLS and has not entered all tenants",
        "copy_reader": "is not allowed to application roles",
        "copy_app": "permission denied",
        "copy_admin": "permission denied",
    }
    for user, reason in reasons.items():
        assert reason in run(clusters.source, "pg_dump", *file, user=user, check=False), user
    with clusters.source.connect(user="copy_reader", dbname="origin") as reader:
        refused(reader, "TN001", "select * from app.bot")
        reader.execute("set row_security = off")
        refused(reader, "42501", "select * from app.bot")
    with clusters.source.connect(user="copy_backup", dbname="origin") as backup:
        refused(backup, "TN022", "insert into app.bot (name) values ('x')")
        backup.execute("select count(*) from app.bot")
    clusters.source.execute("select tenancy.unregister_bypass('copy_backup')", dbname="origin")
    try:
        run(clusters.source, "pg_dump", *file, user="copy_backup", check=False)
    finally:
        clusters.source.execute("select tenancy.register_bypass('copy_backup', 'backup')", dbname="origin")


def test_schema_only_and_sync(clusters: Clusters, tmp_path: Path) -> None:
    """What a migration tool keeps: protected at once, and sync() writes the record again."""
    file = dump(clusters.source, tmp_path / "schema.sql", "--schema-only")
    copy = clusters.source.createdb("copy")
    try:
        restore(clusters.source, file, copy)
        assert clusters.source.execute("select count(*) from tenancy.protected_table", dbname=copy) == [(0,)]
        with clusters.source.connect(dbname=copy) as connection:
            connection.execute("set session authorization copy_owner")
            refused(connection, "TN001", "select * from app.bot")
            refused(connection, "TN018", "alter table app.bot disable row level security")
        found = clusters.source.execute("select relation::text, action from tenancy.sync() order by 1", dbname=copy)
        assert found == [
            ("app.attachment", "protected"),
            ("app.bot", "protected"),
            ("app.country", "shared"),
            ("app.message", "protected"),
            ("app.zone", "protected"),
        ]
        assert clusters.source.execute("select * from tenancy.sync()", dbname=copy) == []
        clusters.source.psql(
            """select tenancy.provision('new', external_id => '50'); select tenancy.grant_access('copy_app', '*');
               set session authorization copy_owner;
               create table app.message_2027 partition of app.message for values from ('2027-01-01') to ('2028-01-01')""",
            dbname=copy,
        )
        with clusters.source.connect(user="copy_app", dbname=copy) as app:
            with app.transaction():
                app.execute("select tenancy.enter('new')")
                app.execute("insert into app.bot (name) values ('x')")
                assert app.execute("select name from app.bot").fetchall() == [("x",)]
        with clusters.source.connect(dbname=copy) as connection:
            connection.execute("set session authorization copy_owner")
            refused(connection, "TN001", "select * from app.message_2027")
        # What it looked like before is not in a schema.
        clusters.source.execute("select tenancy.unprotect('app.zone')", dbname=copy)
        assert clusters.source.execute("select tenant_column from tenancy.protection('app.zone')", dbname=copy) == [(None,)]
    finally:
        clusters.source.dropdb(copy)


def test_schema_first_and_data_later(clusters: Clusters, tmp_path: Path) -> None:
    before = content(clusters.source, "origin")
    copy = clusters.source.createdb("copy")
    try:
        restore(clusters.source, dump(clusters.source, tmp_path / "schema.sql", "--schema-only"), copy)
        restore(clusters.source, dump(clusters.source, tmp_path / "data.sql", "--data-only"), copy)
        assert_same(content(clusters.source, copy), before)
        check_enforced(clusters.source, copy)
    finally:
        clusters.source.dropdb(copy)


def test_restore_over_what_is_there(clusters: Clusters, tmp_path: Path) -> None:
    """pg_restore --clean drops what is protected, which only a superuser with the rules off may do.

    It also tries to drop the keys of partitions before those of their parents, which PostgreSQL
    refuses and pg_restore ignores, with or without this extension.
    """
    before = content(clusters.source, "origin")
    file = dump(clusters.source, tmp_path / "dump.custom", "--format=custom")
    copy = clusters.target.createdb("copy")
    over = ["--clean", "--if-exists", "-d", copy, str(file)]
    try:
        restore(clusters.target, file, copy)
        clusters.target.execute("select * from tenancy.sync()", dbname=copy)
        assert "protected table" in run(clusters.target, "pg_restore", "--exit-on-error", *over, check=False)
        assert_same(content(clusters.target, copy), before)
        said = run(clusters.target, "pg_restore", *over, check=False, options="-c tenancy.guard=off")
        assert said.count("could not execute query") == said.count("cannot drop inherited constraint"), said
        assert_same(content(clusters.target, copy), before)
        check_enforced(clusters.target, copy)
    finally:
        clusters.target.dropdb(copy)


def test_restore_into_an_emptied_database(clusters: Clusters, tmp_path: Path) -> None:
    """Back into the very database that the dump is of: its record is of this place and not to be believed yet."""
    before = content(clusters.source, "origin")
    file = dump(clusters.source, tmp_path / "dump.sql")
    copy = clusters.target.createdb("copy")
    try:
        restore(clusters.target, file, copy)
        clusters.target.execute("select * from tenancy.sync()", dbname=copy)
        own = dump(clusters.target, tmp_path / "own.sql", database=copy)
        clusters.target.psql(
            "set tenancy.guard = off; drop schema app, parts cascade; drop extension tenancy; drop schema public",
            dbname=copy,
        )
        clusters.target.psql("create schema public", dbname=copy)
        restore(clusters.target, own, copy)
        assert_same(content(clusters.target, copy), before)
        check_enforced(clusters.target, copy)
    finally:
        clusters.target.dropdb(copy)


def test_a_template_copy_refuses_until_it_is_preloaded(clusters: Clusters) -> None:
    """CREATE DATABASE ... TEMPLATE leaves the database's setting behind."""
    server = clusters.source
    before = content(server, "origin")
    copy = server.createdb("copy", template="origin")
    try:
        if "shared_preload_libraries" not in server.settings:
            with server.connect(user="copy_app", dbname=copy) as app:
                refused(app, "TN008", "select * from app.bot")
                refused(app, "TN008", "select tenancy.enter('acme')")
                refused(app, "TN008", "insert into app.bot (name) values ('x')")
            server.execute("alter database copy set session_preload_libraries = tenancy")
        assert_same(content(server, copy), before)
        check_enforced(server, copy)
    finally:
        server.dropdb(copy)


def test_removal_from_a_copy(clusters: Clusters, tmp_path: Path) -> None:
    """unprotect() and DROP EXTENSION work in a restored database as in its original."""
    copy = clusters.target.createdb("copy")
    try:
        restore(clusters.target, dump(clusters.source, tmp_path / "dump.sql"), copy)
        with clusters.target.connect(dbname=copy) as connection:
            refused(connection, "TN018", "drop extension tenancy")
            connection.execute("drop function app.lookup_bot_by_name(text)")
            for table in ("attachment", "message", "bot", "zone"):
                connection.execute(f"select tenancy.unprotect('app.{table}')")
            connection.execute("select tenancy.unshare('app.country')")
            connection.execute("drop extension tenancy")
            left = "select count(*) from pg_policy union all select count(*) from pg_class where relrowsecurity or relforcerowsecurity"
            assert connection.execute(left).fetchall() == [(0,), (0,)]
        assert clusters.target.execute("select count(*) from app.bot", user="copy_app", dbname=copy) == [(3,)]
    finally:
        clusters.target.dropdb(copy)
