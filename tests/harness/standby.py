"""A streaming hot standby."""

from collections.abc import Mapping
from typing import Any

from .process import run
from .server import Server
from .waiting import wait_for


class Standby(Server):
    """A hot standby of `primary` (which must be running), made by pg_basebackup.

    It has the primary's settings; `settings` override them.
    """

    def __init__(
        self, primary: Server, *, settings: Mapping[str, Any] | None = None, name: str = "standby"
    ) -> None:
        self.primary = primary
        merged = primary.settings | dict(settings or {})
        super().__init__(settings=merged, preload=None, name=name)

    def _create(self) -> None:
        parameters = self.primary.parameters() | {"application_name": self.name}
        source = " ".join(f"{key}={value}" for key, value in parameters.items() if key != "dbname")
        options = ["-R", "-X", "stream", "-c", "fast", "--no-sync", "-D", str(self.data)]
        run([self.program("pg_basebackup"), "-d", source, *options], cwd=self.dir)

    def wait_for_catchup(self, deadline: float = 30.0) -> None:
        """Returns when everything that the primary has written by now is replayed here."""
        [(lsn,)] = self.primary.execute("select pg_current_wal_lsn()::text")
        with self.connect() as connection:
            replayed = "select pg_last_wal_replay_lsn() >= %s::pg_lsn"
            wait_for(
                lambda: connection.execute(replayed, [lsn]).fetchone() == (True,),
                deadline,
                f"{self.name} to replay {lsn}",
            )
