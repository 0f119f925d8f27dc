"""Copies of a world's database, and a watch over what daemons on them ask of the stores."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import Server, Standby, wait_for
from harness.process import clean_environment, run

from .world import StoresDaemon, World

# What a daemon that only observes may ask MongoDB.
READS = {
    "hello", "isMaster", "ismaster", "ping", "buildInfo", "listDatabases", "listCollections", "listIndexes",
    "find", "getMore", "killCursors", "endSessions", "listCommands", "connectionStatus", "getParameter",
}  # fmt: skip


class CopiedServer(Server):
    """A server on a copy of the data directory of one that is stopped."""

    def __init__(self, original: Server, name: str = "copied") -> None:
        self._original = original
        super().__init__(settings=original.settings, preload=None, name=name)

    def _create(self) -> None:
        assert not self._original.running
        run(["cp", "-a", str(self._original.data), str(self.data)], cwd=self.dir)


@contextmanager
def restored_dump(world: World) -> Iterator[tuple[Server, str]]:
    """pg_dump | psql into another database of the same server."""
    server = world.servers.postgres
    dump = subprocess.run(
        [server.program("pg_dump"), "-d", world.name],
        env=clean_environment() | server.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    server.createdb("restored")
    server.psql(dump.stdout, dbname="restored")
    yield server, "restored"
    server.dropdb("restored")


@contextmanager
def from_template(world: World) -> Iterator[tuple[Server, str]]:
    """CREATE DATABASE ... TEMPLATE, of a database that nobody is connected to."""
    server = world.servers.postgres
    server.createdb("from_template", template=world.name)
    yield server, "from_template"
    server.dropdb("from_template")


@contextmanager
def promoted_standby(world: World) -> Iterator[tuple[Server, str]]:
    """pg_basebackup, promoted while the original goes on."""
    with Standby(world.servers.postgres) as standby:
        standby.promote()
        yield standby, world.name


@contextmanager
def cold_copy(world: World) -> Iterator[tuple[Server, str]]:
    """The data directory copied while the server was down; both run."""
    original = world.servers.postgres
    original.stop()
    copied = CopiedServer(original)
    original.start()
    original_goes_on(world)
    with copied:
        yield copied, world.name


def original_goes_on(world: World) -> None:
    """The original's daemon runs for a while, and the stores see it."""
    for daemon in world.daemons:
        seen = tick_of(world)
        daemon.start()
        wait_for(lambda: tick_of(world) > seen + 1, 20, "the original's daemon to tick")
        daemon.stop()


def tick_of(world: World) -> int:
    with world.servers.redis.connect() as redis:
        return int(redis.hget("tenancy:instance", "tick") or 0)


class RedisWatch:
    """All commands that a Redis server runs, those of scripts included, read by MONITOR."""

    def __init__(self, world: World) -> None:
        self._redis = world.servers.redis.connect(socket_timeout=None)
        [commands] = [self._redis.execute_command("COMMAND")]
        self._writing = {name.upper() for name, facts in commands.items() if "write" in facts["flags"]}
        self._monitor = self._redis.monitor()
        self._monitor.__enter__()
        self.seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for entry in self._monitor.listen():
                self.seen.append(entry["command"])
        except Exception:  # noqa: BLE001 - the watch has ended
            return

    def writes(self) -> list[str]:
        return [command for command in self.seen if command.split()[0].upper() in self._writing]

    def looks(self) -> int:
        """How often the stamp was read."""
        return sum("tenancy:instance" in command for command in self.seen)


def everything(world: World) -> dict[str, Any]:
    """Every document of every database, and what describes collections."""
    found: dict[str, Any] = {}
    with world.servers.mongodb.client() as mongodb:
        for name in mongodb.list_database_names():
            if name in ("admin", "local", "config"):
                continue
            for each in mongodb[name].list_collections():
                key = f"{name}.{each['name']}"
                documents = sorted(mongodb[name][each["name"]].find({}), key=str)
                indexes = sorted(map(str, mongodb[name][each["name"]].list_indexes()))
                found[key] = (each.get("options"), documents, indexes)
    return found


def daemon_on(world: World, server: Server, dbname: str, *, state: Path | None, name: str) -> StoresDaemon:
    """Not started yet; with a copy of a state directory or an empty one."""
    daemon = world.daemon(name, start=False)
    daemon.server, daemon.dbname = server, dbname
    if state is not None:
        daemon.state.rmdir()
        subprocess.run(["cp", "-a", str(state), str(daemon.state)], check=True)
    return daemon
