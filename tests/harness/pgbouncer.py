"""A PgBouncer in front of a server."""

import os
import shutil
import signal
from collections.abc import Mapping
from typing import Any

import psycopg

from .process import Daemon, ServerError, server_user
from .server import Server


class PgBouncer(Daemon):
    """A PgBouncer before `server`, in transaction mode with one server connection per pool.

    Every role of the server may log in with any password or none, and is itself on the server.
    `settings` are keys of the [pgbouncer] section and override everything here.
    """

    def __init__(
        self,
        server: Server,
        *,
        pool_mode: str = "transaction",
        default_pool_size: int = 1,
        settings: Mapping[str, Any] | None = None,
        name: str = "pgbouncer",
    ) -> None:
        super().__init__(name)
        self.server = server
        self.settings = {
            "pool_mode": pool_mode,
            "default_pool_size": default_pool_size,
            "max_client_conn": 200,
            "auth_type": "trust",
            "auth_user": server.superuser,
            "admin_users": server.superuser,
            "ignore_startup_parameters": "extra_float_digits,options",
        } | dict(settings or {})

    def __enter__(self) -> "PgBouncer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _configure(self) -> None:
        server = self.server
        own = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": self.dir,
            "auth_file": self._write("users", f'"{server.superuser}" ""\n'),
        }
        pairs = "".join(f"{key} = {value}\n" for key, value in (self.settings | own).items())
        target = f"[databases]\n* = host={server.dir} port={server.port}\n"
        self._write("pgbouncer.ini", f"{target}[pgbouncer]\n{pairs}")

    def _write(self, name: str, text: str) -> str:
        path = self.dir / name
        path.write_text(text)
        os.chown(path, server_user().pw_uid, server_user().pw_gid)
        return str(path)

    def _command(self) -> list[str]:
        program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if program is None:
            raise ServerError("no pgbouncer; run scripts/dependencies check")
        return [program, str(self.dir / "pgbouncer.ini")]

    def _answers(self) -> bool:
        try:
            self.admin("show version")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        self._end(signal.SIGQUIT)

    def connect(
        self,
        *,
        user: str | None = None,
        dbname: str = "postgres",
        autocommit: bool = True,
        **more: Any,
    ) -> psycopg.Connection[Any]:
        """As Server.connect, through the pooler and without server-side prepared statements."""
        parameters = self.parameters(user=user, dbname=dbname) | more
        return psycopg.connect(autocommit=autocommit, prepare_threshold=None, **parameters)

    def parameters(self, *, user: str | None = None, dbname: str = "postgres") -> dict[str, Any]:
        return self.server.parameters(user=user, dbname=dbname) | {
            "host": str(self.dir),
            "port": self.port,
        }

    def admin(self, command: str) -> list[tuple[Any, ...]]:
        """The rows of a command of the admin console (SHOW ..., RELOAD, PAUSE, ...)."""
        with self.connect(dbname="pgbouncer") as connection:
            cursor = psycopg.ClientCursor(connection)
            cursor.execute(command)
            return cursor.fetchall() if cursor.description else []
