"""A server of MongoDB's protocol: mongod where it is on PATH, else SecantusDB (scripts/mongodb-server)."""

import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from .certificates import Authority
from .process import Daemon, ServerError, server_user
from .waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
SUBSTITUTE = ROOT / "build" / "mongodb-server" / "bin" / "secantusd-py"
ADMINISTRATOR = ("root", "root's secret")


def real_program() -> str | None:
    return shutil.which("mongod")


class MongoDB(Daemon):
    """A server with fail points (`fail_command`).

    `auth`: nobody gets in without logging in; ADMINISTRATOR may do everything. `tls`: speaks TLS
    only, with a certificate for localhost and 127.0.0.1 of the authority `ca_file`; clients show
    `client_cert_file`, `client_key_file` when `tls` is "mutual". `sync_on_commit` False: what is
    acknowledged may be gone after kill().
    """

    def __init__(
        self,
        *,
        auth: bool = False,
        tls: bool | str = False,
        sync_on_commit: bool = True,
        name: str = "mongodb",
    ) -> None:
        super().__init__(name)
        self.auth, self.tls, self.sync_on_commit = auth, tls, sync_on_commit
        self._locked = False
        if tls:
            self._make_certificates()

    def __enter__(self) -> "MongoDB":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def data(self) -> Path:
        return self.dir / "data"

    @property
    def uri(self) -> str:
        """Without credentials and TLS, as tenancyd's configuration has it."""
        return f"mongodb://127.0.0.1:{self.port}/"

    def start(self, deadline: float = 60.0) -> None:
        super().start(deadline)
        if self.auth and not self._locked:
            self._make_administrator()
            self.stop()
            self._locked = True
            super().start(deadline)

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        self.thaw()
        super().stop()

    def close(self) -> None:
        self.kill()  # what it holds is thrown away anyhow
        super().close()

    def freeze(self) -> None:
        """Takes connections, by the kernel, but answers nothing until thaw()."""
        self.send(signal.SIGSTOP)
        wait_for(lambda: _all_stopped(self.pid), 10, f"{self.name} to stop")

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def client(self, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
        """A new client as ADMINISTRATOR."""
        user, password = ADMINISTRATOR
        given: dict[str, Any] = {"serverSelectionTimeoutMS": 5000, "directConnection": True}
        if self._locked:
            given |= {"username": user, "password": password}
        if self.tls:
            given |= {"tls": True, "tlsCAFile": self.ca_file}
        if self.tls == "mutual":
            given |= {"tlsCertificateKeyFile": self._client_pem}
        return pymongo.MongoClient(self.uri, **(given | options))

    def fail_command(self, *commands: str, times: int | None = None, **how: Any) -> None:
        """Lets commands fail, `times` times or until heal(): errorCode=, closeConnection=True,
        blockConnection=True with blockTimeMS=, writeConcernError={...}."""
        mode: Any = "alwaysOn" if times is None else {"times": times}
        self._fail_point(mode, {"failCommands": list(commands)} | how)

    def heal(self) -> None:
        self._fail_point("off", {})

    def _fail_point(self, mode: Any, data: Mapping[str, Any]) -> None:
        command = {"configureFailPoint": "failCommand", "mode": mode, "data": dict(data)}
        with self.client() as client:
            client.admin.command(command)

    def _make_certificates(self) -> None:
        authority = Authority(self.dir)
        self.ca_file = authority.ca_file
        self._server_files = authority.issue("server", "localhost", "127.0.0.1")
        self.client_cert_file, self.client_key_file = authority.issue("client")
        self._server_pem = self._joined("server.pem", *self._server_files)
        self._client_pem = self._joined("client.pem", self.client_cert_file, self.client_key_file)

    def _joined(self, name: str, *files: str) -> str:
        path = self.dir / name
        path.write_text("".join(Path(file).read_text() for file in files))
        os.chown(path, server_user().pw_uid, server_user().pw_gid)
        return str(path)

    def _make_administrator(self) -> None:
        user, password = ADMINISTRATOR
        with self.client() as client:
            client.admin.command("createUser", user, pwd=password, roles=["root"])

    def _configure(self) -> None:
        self.data.mkdir(exist_ok=True)
        os.chown(self.data, server_user().pw_uid, server_user().pw_gid)
        (self.dir / "secantusd.toml").touch()  # else it looks for one in the home directory

    def _command(self) -> list[str]:
        program = real_program()
        return self._mongod(program) if program else self._substitute()

    def _mongod(self, program: str) -> list[str]:
        command = [program, "--bind_ip", "127.0.0.1", "--port", str(self.port)]
        command += ["--dbpath", str(self.data), "--setParameter", "enableTestCommands=1"]
        if not self.sync_on_commit:
            command += ["--journalCommitInterval", "500"]
        if self._locked:
            command.append("--auth")
        if self.tls:
            command += ["--tlsMode", "requireTLS", "--tlsCAFile", self.ca_file]
            command += ["--tlsCertificateKeyFile", self._server_pem]
            if self.tls != "mutual":
                command.append("--tlsAllowConnectionsWithoutCertificates")
        return command

    def _substitute(self) -> list[str]:
        if not SUBSTITUTE.exists():
            raise ServerError("neither mongod nor SecantusDB; run scripts/mongodb-server")
        # By its real path: the servers' user may not reach the link (scripts/server-place).
        command = [str(SUBSTITUTE.resolve()), "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--config", str(self.dir / "secantusd.toml")]
        command += ["--storage-path", str(self.data), "--enable-test-commands"]
        command += ["--log-level", "WARNING"]
        if self.sync_on_commit:
            command.append("--sync-on-commit")
        if self._locked:
            command.append("--auth")
        if self.tls:
            certificate, key = self._server_files
            command += ["--tls-cert-file", certificate, "--tls-key-file", key]
        if self.tls == "mutual":
            command += ["--tls-ca-file", self.ca_file, "--tls-require-client-cert"]
        return command

    def _answers(self) -> bool:
        try:
            with self.client(serverSelectionTimeoutMS=1000) as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True


def _all_stopped(pid: int) -> bool:
    threads = [task / "stat" for task in Path(f"/proc/{pid}/task").iterdir()]
    return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in threads)
