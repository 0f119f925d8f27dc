"""A private PostgreSQL server."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import psycopg

from .process import Daemon, ServerError, clean_environment, run, server_user
from .waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
Preload = Literal["shared", "session"] | None

DEFAULTS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0777",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "max_prepared_transactions": "10",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


def tree() -> Path:
    """The private PostgreSQL tree: TENANCY_PG, or build/pg."""
    found = Path(os.environ.get("TENANCY_PG", ROOT / "build" / "pg")).resolve()
    if not (found / "bin" / "postgres").exists():
        raise ServerError(f"no PostgreSQL in {found}; run scripts/postgres-tree")
    return found


class Server(Daemon):
    """A cluster with trust authentication on a private socket and on a loopback port.

    preload: where the library is named, 'shared' (shared_preload_libraries), 'session'
    (session_preload_libraries) or None. Durability is off; `settings` override everything here.
    Nothing runs until start(), or until the `with` block begins.
    """

    superuser = "postgres"

    def __init__(
        self,
        *,
        settings: Mapping[str, Any] | None = None,
        preload: Preload = "shared",
        name: str = "server",
    ) -> None:
        super().__init__(name)
        self.settings = dict(DEFAULTS) | _preload_settings(preload) | dict(settings or {})
        self.data = self.dir / "data"
        try:
            self._create()
        except ServerError:
            self.close()
            raise

    def _create(self) -> None:
        """Makes the data directory."""
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        run([self.program("initdb"), *options, "-U", self.superuser, "-D", str(self.data)], cwd=self.dir)
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write("include 'harness.conf'\n")

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bin(self) -> str:
        """The directory of the tree's programs."""
        return str(tree() / "bin")

    def program(self, name: str) -> str:
        """The path of a program of the tree: psql, pg_dump, ..."""
        return f"{self.bin}/{name}"

    def _configure(self) -> None:
        own = {"port": self.port, "unix_socket_directories": self.dir}
        conf = self.data / "harness.conf"
        conf.write_text("".join(f"{k} = {_quoted(v)}\n" for k, v in (self.settings | own).items()))
        os.chown(conf, server_user().pw_uid, server_user().pw_gid)

    def _command(self) -> list[str]:
        return [self.program("postgres"), "-D", str(self.data)]

    def _answers(self) -> bool:
        try:
            self.connect(connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        numbers = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
        self._end(numbers[mode])

    def restart(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        self.stop(mode)
        self.start()

    def configure(self, **settings: Any) -> None:
        """Changes settings and reloads; those that need a restart wait for restart()."""
        self.settings |= settings
        self._configure()
        if self.running:
            loaded = "select pg_conf_load_time()"
            before = self.execute(loaded)
            self.send(signal.SIGHUP)
            wait_for(lambda: self.execute(loaded) != before, 10, "the settings to be read")

    def promote(self, deadline: int = 60) -> None:
        """Ends recovery, on a standby."""
        if self.execute("select pg_promote(true, %s)", [deadline]) != [(True,)]:
            raise ServerError(f"{self.name} was not promoted in {deadline} s")

    def parameters(self, *, user: str | None = None, dbname: str = "postgres") -> dict[str, Any]:
        """Connection parameters over the socket; for TCP add host='127.0.0.1'."""
        user = user or self.superuser
        return {"host": str(self.dir), "port": self.port, "user": user, "dbname": dbname}

    def connect(
        self,
        *,
        user: str | None = None,
        dbname: str = "postgres",
        autocommit: bool = True,
        **more: Any,
    ) -> psycopg.Connection[Any]:
        """A psycopg connection, in autocommit unless told otherwise; `more` goes to libpq."""
        parameters = self.parameters(user=user, dbname=dbname) | more
        return psycopg.connect(autocommit=autocommit, **parameters)

    @property
    def version(self) -> int:
        """Of PostgreSQL, 15 to 18."""
        [(number,)] = self.execute("select current_setting('server_version_num')::int / 10000")
        return int(number)

    @property
    def forced_parallel(self) -> str:
        """The setting that sends every query to a worker that may run in one; 16 renamed it."""
        return "force_parallel_mode" if self.version < 16 else "debug_parallel_query"

    def execute(
        self,
        sql: str,
        parameters: Sequence[Any] | None = None,
        *,
        user: str | None = None,
        dbname: str = "postgres",
    ) -> list[tuple[Any, ...]]:
        """The rows of one statement (or of a script's last) over a connection of its own."""
        with self.connect(user=user, dbname=dbname) as connection:
            cursor = connection.execute(sql, parameters)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def psql(
        self,
        sql: str | None = None,
        *options: str,
        user: str | None = None,
        dbname: str = "postgres",
        check: bool = True,
    ) -> str:
        """psql's output (unaligned, tuples only) for a script given on its standard input.

        It stops at the first error, which raises unless check is false; then the output has the
        error messages too.
        """
        command = [self.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", *options]
        done = subprocess.run(
            command,
            env=clean_environment() | self.environment(user=user, dbname=dbname),
            input=sql or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if check else subprocess.STDOUT,
            text=True,
        )
        if check and done.returncode != 0:
            raise ServerError(f"psql failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        return done.stdout.rstrip("\n")

    def environment(self, *, user: str | None = None, dbname: str = "postgres") -> dict[str, str]:
        """libpq's environment variables for this server."""
        parameters = self.parameters(user=user, dbname=dbname)
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
        return {names[key]: str(value) for key, value in parameters.items()}

    def createdb(self, name: str, *, extensions: Sequence[str] = (), template: str = "template1") -> str:
        """Makes a database with these extensions in it and returns its name."""
        self.execute(f"create database {identifier(name)} template {identifier(template)}")
        for extension in extensions:
            self.execute(f"create extension {identifier(extension)} cascade", dbname=name)
        return name

    def dropdb(self, name: str) -> None:
        """Drops a database, and whoever is connected to it."""
        self.execute(f"drop database if exists {identifier(name)} with (force)")


def identifier(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "'" + str(value).replace("'", "''") + "'"


def _preload_settings(preload: Preload) -> dict[str, str]:
    return {f"{preload}_preload_libraries": "tenancy"} if preload else {}
