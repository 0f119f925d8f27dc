"""Copies of the database: dumps, backups, clones."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .sides import GLOBEX, IDS, Side, foreign
from .tokens import Gateway, Issuer
from .trial import Trial


def run(side: Side, program: str, *arguments: str, role: str = "postgres") -> subprocess.CompletedProcess[str]:
    """A program of PostgreSQL's, as a role, in the side's database."""
    environment = side.server.environment(user=role, dbname=side.database) | {"LC_ALL": "C.UTF-8"}
    return subprocess.run([side.server.program(program), *arguments], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("options", [("--data-only",), ("--inserts",), ("--table=app.ticket",)])
def test_x42_refused_who_may_dump(leak: Trial, options: tuple[str, ...]) -> None:
    """BYPASSRLS and the right to read are all that pg_dump needs; here the role has to be registered, too."""

    def dumps(side: Side) -> list[Any]:
        done = run(side, "pg_dump", "--exclude-schema=tenancy", *options, role="attack_etl")
        if done.returncode:
            assert "register_bypass" in done.stderr
        return foreign((line,) for line in done.stdout.splitlines())

    leak.stops(dumps)


@contextmanager
def restored(side: Side, *arguments: str) -> Iterator[Side]:
    """A new database into which a dump was restored, errors or not."""
    copied = Side(side.server, side.name)
    copied.database = f"{side.database}_restored"
    side.server.createdb(copied.database)
    try:
        run(copied, "pg_restore", f"--dbname={copied.database}", *arguments)
        yield copied
    finally:
        side.server.dropdb(copied.database)


def erase(side: Side) -> None:
    """Ends globex, its rows included."""
    if side.plain:
        side.admin("delete from app.tenant where slug = 'globex'")
        for table in ("ticket", "contact", "event", "login"):
            side.admin(f"delete from app.{table} where tenant_id = '{IDS[GLOBEX]}'")
        return
    for step in ("suspend('globex', 'x')", "archive('globex', 'x')", "request_erasure('globex', 'x', '0')"):
        side.admin(f"select tenancy.{step}")
    side.admin("call tenancy.erase('globex')")


def test_x42_a_tenant_comes_back(leak: Trial, tmp_path: Path) -> None:
    def comes_back(side: Side) -> list[Any]:
        dump = str(tmp_path / side.name)
        with side.copy() as original:
            assert run(original, "pg_dump", "-Fc", f"--file={dump}").returncode == 0
            original.preload()
            erase(original)
            assert not foreign(original.admin("select * from app.ticket"))
        with restored(side, dump) as back, back.session(GLOBEX) as connection:
            return foreign(connection.execute("select * from app.ticket"))

    leak.remains(comes_back)


def test_x42_refused_without_the_extension(leak: Trial, tmp_path: Path) -> None:
    """Where the extension is missing, the defaults of tenant columns are, and so the tables are not restored."""
    leak.cannot_leak("policies that call nothing of an extension's are restored with their tables")

    def reads(side: Side) -> list[Any]:
        dump = str(tmp_path / "app")
        assert run(side, "pg_dump", "-Fc", "--schema=app", f"--file={dump}").returncode == 0
        with restored(side, dump) as bare:
            assert bare.admin("select to_regclass('app.outbox') is not null") == [(True,)]
            return foreign(bare.admin("select * from app.ticket"))

    leak.holds(reads, "42P01")


def test_r66_remains_tokens_of_the_original(leak: Trial) -> None:
    issuer = Issuer("login", "main")

    def opens(side: Side) -> list[Any]:
        token = issuer.token(GLOBEX)
        if side.plain:
            with side.copy() as clone, clone.session(Gateway(issuer).tenant(token)) as connection:
                return foreign(connection.execute("select * from app.ticket"))
        issuer.register(side, "*")
        try:
            with side.copy() as clone:
                clone.preload()
                with clone.session(None) as connection:
                    connection.execute("select tenancy.enter(%s)", [token])
                    return foreign(connection.execute("select * from app.ticket"))
        finally:
            issuer.remove(side)

    leak.remains(opens)
