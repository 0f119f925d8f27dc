"""tenancyd, the daemon beside the extension, as scripts/unit builds it, unless said otherwise: with its failpoints."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .process import Daemon, ServerError, clean_environment, server_user, unprivileged
from .server import ROOT, Server

BUILT = ROOT / "build" / "unit" / "sidecar"
PROGRAM = BUILT / "tenancyd_failpoints"
INSTALLED = BUILT / "tenancyd"  # as it is installed, without failpoints

# Short, so that tests need not wait; a test that counts on them says so itself.
QUICK = {
    "lease": "5s",
    "poll": "1s",
    "tick": "500ms",
    "schedule": "1s",
    "scan": "1h",
    "backoff_first": "50ms",
    "backoff_most": "500ms",
}


class Tenancyd(Daemon):
    """A tenancyd for one database, that `start()` runs until /readyz says that it is ready.

    `stores` has the keys of each [stores.NAME]; a key `password` is written to a file and named.
    `reconcile` overrides QUICK, and `config` adds other tables or top-level keys. `failpoint` ends the
    process at that place ("publish", "report:2"); the places it passed are in `passed()`.
    """

    port_taken = "cannot listen on"

    def __init__(
        self,
        server: Server,
        dbname: str,
        *,
        user: str = "tenancyd",
        stores: Mapping[str, Mapping[str, Any]] | None = None,
        reconcile: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        failpoint: str | None = None,
        environment: Mapping[str, str] | None = None,
        name: str = "tenancyd",
        program: Path = PROGRAM,
    ) -> None:
        super().__init__(name)
        self.server, self.dbname, self.user = server, dbname, user
        self.stores = {store: dict(keys) for store, keys in (stores or {}).items()}
        self.reconcile = QUICK | dict(reconcile or {})
        self.config = dict(config or {})
        self.failpoint = failpoint
        self.environment = dict(environment or {})
        self.file = self.dir / "tenancyd.toml"
        self.state = self.dir / "state"
        self.state.mkdir()
        _give(self.state)
        self.use_program(program)

    def __enter__(self) -> "Tenancyd":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def use_program(self, program: Path) -> None:
        """From the next start on."""
        self.program = _reachable_program(program, self.dir)

    @property
    def conninfo(self) -> str:
        return self.conninfo_of(self.user)

    def conninfo_of(self, user: str) -> str:
        """Of the server as it is now: its port changes when it was taken."""
        parameters = self.server.parameters(user=user, dbname=self.dbname)
        return " ".join(f"{key}={value}" for key, value in parameters.items())

    def secret(self, name: str, text: str) -> str:
        """A file that only the daemon's user may read, with that one line."""
        path = self.dir / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        _give(path)
        return str(path)

    def _configure(self) -> None:
        tables: dict[str, Any] = {
            "daemon": self.name,
            "state_directory": str(self.state),
            "postgres": {"conninfo": self.conninfo},
            "http": {"listen": f"127.0.0.1:{self.port}"},
            "reconcile": self.reconcile,
            "log": {"level": "debug"},
            "stores": {name: self._store(name, keys) for name, keys in self.stores.items()},
        }
        for key, value in self.config.items():
            tables[key] = tables.get(key, {}) | value if isinstance(value, Mapping) else value
        self.file.write_text(to_toml(tables))
        _give(self.file)

    def _store(self, name: str, keys: Mapping[str, Any]) -> dict[str, Any]:
        keys = dict(keys)
        if "password" in keys:
            keys["password_file"] = self.secret(f"{name}.password", keys.pop("password"))
        return keys

    def _command(self) -> list[str]:
        return [str(self.program), "run", "--config", str(self.file)]

    def _environment(self) -> dict[str, str]:
        own = {"TENANCYD_FAILPOINT_LOG": str(self.dir / "passed")}
        if self.failpoint:
            own["TENANCYD_FAILPOINT"] = self.failpoint
        return clean_environment() | own | self.environment

    def _answers(self) -> bool:
        return self.get("/readyz")[0] == 200

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a GET; status 0 when nobody answers, or who does dies over it."""
        try:
            try:
                answer = urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""

    def readiness(self) -> dict[str, Any]:
        """The body of /readyz: ready, observing, reasons."""
        found: dict[str, Any] = json.loads(self.get("/readyz")[1] or "{}")
        return found

    def metrics(self) -> dict[str, float]:
        """Each sample of /metrics by its name with labels: metrics()['x_total{store="cache"}']."""
        lines = re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", self.get("/metrics")[1], re.M)
        return {name: float(value) for name, value in lines}

    def events(self, event: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """The log's lines as objects, of one kind or all, from byte `since` (log_size()) on."""
        lines = [json.loads(line) for line in self.log_text(since).splitlines() if line.startswith("{")]
        return [line for line in lines if event in (None, line["event"])]

    def passed(self) -> list[str]:
        """The failpoints that were reached, in order, over all starts."""
        log = self.dir / "passed"
        return log.read_text().split() if log.exists() else []

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self) -> None:
        self.thaw()
        super().stop()

    def command(self, *arguments: str, answer: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs `tenancyd ARGUMENTS` as the daemon's user, with its configuration where one is read."""
        self._configure()
        if arguments[0] in ("run", "check", "status", "adopt"):
            arguments = (*arguments, "--config", str(self.file))
        return subprocess.run(
            unprivileged([str(self.program), *arguments]),
            cwd=self.dir,
            env=clean_environment() | {"PATH": f"{self.server.bin}:{os.environ['PATH']}"},
            input=answer or "",
            capture_output=True,
            text=True,
            timeout=120,
        )


def to_toml(tables: Mapping[str, Any], prefix: str = "") -> str:
    """Nested mappings as TOML; texts, numbers, booleans and lists of them."""
    plain = [(key, value) for key, value in tables.items() if not isinstance(value, Mapping)]
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain)
    for key, value in tables.items():
        if isinstance(value, Mapping):
            text += f"[{prefix}{key}]\n{to_toml(value, f'{prefix}{key}.')}"
    return text


def _give(path: Path) -> None:
    os.chown(path, server_user().pw_uid, server_user().pw_gid)


def _reachable_program(program: Path, place: Path) -> Path:
    """The program, or a copy in `place` where the daemon's user cannot reach the tree."""
    if not program.exists():
        raise ServerError(f"no {program}; run scripts/unit")
    if subprocess.run(unprivileged(["test", "-x", str(program)])).returncode == 0:
        return program
    return Path(shutil.copy(program, place))
