"""pg_upgrade, here to the same major version, takes a filled database over with everything in force."""

import os

import psycopg
import pytest
from filled_world import check_enforced, content, fill
from harness import Server
from harness.process import run, server_user


def opens_without_the_library(server: Server) -> bool:
    """Whether a superuser's session, which no hook of the extension sees, can switch row security off."""
    with server.connect(dbname="origin", options="-c session_preload_libraries=") as connection:
        try:
            connection.execute("begin; alter table app.zone disable row level security; rollback")
        except psycopg.Error as error:
            assert error.sqlstate == "TN018"
            return False
        return True


@pytest.mark.parametrize("preload", ["shared", None], ids=["shared", "session"])
def test_an_upgraded_cluster_is_enforced(preload: str | None) -> None:
    with Server(preload=preload, name="old") as old, Server(preload=preload, name="new") as new:  # type: ignore[arg-type]
        old.createdb("origin", extensions=["tenancy"])
        fill(old, "origin")
        before = content(old, "origin")
        ports = ["-p", str(old.port), "-P", str(new.port)]
        new.stop()
        old.stop()
        binaries = os.path.dirname(os.path.realpath(new.program("postgres")))
        places = ["-b", binaries, "-B", binaries, "-d", str(old.data), "-D", str(new.data), "-s", str(new.dir)]
        assert server_user().pw_uid == os.stat(new.dir).st_uid
        run([new.program("pg_upgrade"), *places, *ports, "-U", "postgres"], cwd=new.dir)
        new.start()
        after = content(new, "origin")
        assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
        check_enforced(new, "origin")
        assert opens_without_the_library(new) == (preload is None), "the event trigger knows its tables by where they were"
        # The record is bound to its new place; there was nothing to correct.
        assert new.execute("select * from tenancy.sync()", dbname="origin") == []
        assert not opens_without_the_library(new)

