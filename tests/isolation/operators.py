"""What tests of races between operators share."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from harness import Server, wait_for

Connect = Callable[..., psycopg.Connection[Any]]


class Later:
    """A statement that runs in a thread of its own, on a connection of its own."""

    def __init__(self, connection: psycopg.Connection[Any], statement: str) -> None:
        self.connection, self.rows, self.error = connection, None, None
        self.notices: list[str] = []
        connection.add_notice_handler(lambda notice: self.notices.append(notice.message_primary))
        self._thread = threading.Thread(target=self._run, args=[statement], daemon=True)
        self._thread.start()

    def _run(self, statement: str) -> None:
        try:
            cursor = self.connection.execute(statement)
            self.rows = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            self.error = error

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def wait_until_blocked(self, server: Server) -> "Later":
        pid = self.connection.info.backend_pid
        blocked = "select cardinality(pg_blocking_pids(%s)) > 0"
        wait_for(lambda: server.execute(blocked, [pid]) == [(True,)], 20, "the statement to be blocked")
        return self

    def result(self) -> Any:
        self._thread.join(30)
        assert not self.running, "the statement still runs"
        if self.error is not None:
            raise self.error
        return self.rows

    def refused(self, sqlstate: str) -> None:
        with pytest.raises(psycopg.Error) as caught:
            self.result()
        assert caught.value.sqlstate == sqlstate
        assert caught.value.diag.message_hint or not sqlstate.startswith("TN")
