"""Daemons of the tests: started unprivileged, in a directory of their own, and always ended.

They end with their owner's stop(), at interpreter exit, and (by the kernel's parent death signal)
when the test process is killed. TENANCY_KEEP=1 keeps their directories.
"""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .ports import Port
from .waiting import wait_for

START_DEADLINE = 60.0
STOP_DEADLINE = 60.0

# As in tenancyd's unit. MongoDB's driver shares its counters in /dev/shm, where those of a process that
# was killed keep the next one of that number from making its own, which it says on standard error.
os.environ.setdefault("MONGOC_DISABLE_SHM", "1")

# A shell's background job ignores SIGQUIT, and hands that down; PgBouncer is stopped by it.
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


class ServerError(RuntimeError):
    """A server program that did not start, stop or answer; the message has the end of its log."""


def server_user() -> pwd.struct_passwd:
    """The user that servers run as: TENANCY_RUN_AS or `postgres` for root, else oneself."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    return pwd.getpwnam(os.environ.get("TENANCY_RUN_AS", "postgres"))


def unprivileged(command: list[str], *, dies_with_parent: bool = False) -> list[str]:
    """The command that runs `command` as the server user."""
    options = ["--pdeathsig", "QUIT"] if dies_with_parent else []
    if os.geteuid() == 0:
        user = server_user()
        options += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups"]
    return ["setpriv", *options, *command] if options else command


def clean_environment() -> dict[str, str]:
    """The environment without libpq's variables, messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}


def run(command: list[str], *, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a helper program as the server user and returns its output."""
    done = subprocess.run(
        unprivileged(command),
        cwd=cwd,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if check and done.returncode != 0:
        raise ServerError(f"{command[0]} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return done


class Daemon:
    """A server program with a directory, a port and a log. Subclasses say how it is started."""

    live: set["Daemon"] = set()
    # What its log says when the port is somebody else's.
    port_taken = "Address already in use"

    def __init__(self, name: str) -> None:
        user = server_user()
        self.name = name
        self.dir = Path(tempfile.mkdtemp(prefix="tenancy-"))
        self.dir.chmod(0o755)
        os.chown(self.dir, user.pw_uid, user.pw_gid)
        self.log = self.dir / "log"
        self._port = Port()
        self._process: subprocess.Popen[bytes] | None = None
        Daemon.live.add(self)

    # What a subclass gives.
    def _command(self) -> list[str]:
        raise NotImplementedError

    def _configure(self) -> None:
        """Writes the configuration for the present port; called before each start."""

    def _answers(self) -> bool:
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        return clean_environment()

    @property
    def port(self) -> int:
        return self._port.number

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, deadline: float = START_DEADLINE) -> None:
        """Starts it and returns when it answers; another port is taken if this one is in use."""
        assert not self.running, f"{self.name} is running"
        for _ in range(5):
            mark = self.log_size()
            self._spawn()
            wait_for(lambda: not self.running or self._answers(), deadline, f"{self.name} to start")
            if self.running:
                return
            if self.port_taken not in self.log_text(mark):
                break
            self._port.release()
            self._port = Port()
        raise ServerError(f"{self.name} did not start:\n{self.log_text(mark)[-4000:]}")

    def _spawn(self) -> None:
        self._configure()
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                unprivileged(self._command(), dies_with_parent=True),
                cwd=self.dir,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def send(self, number: signal.Signals) -> None:
        if self.running:
            os.kill(self.pid, number)

    def _end(self, number: signal.Signals, deadline: float = STOP_DEADLINE) -> None:
        if self._process is None:
            return
        self.send(number)
        try:
            self._process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerError(f"{self.name} did not stop in {deadline:g} s; killed") from None
        self._process = None

    def kill(self) -> None:
        """kill -9 of the program and all its children, and waits until they are gone."""
        if self._process is None:
            return
        family = [self.pid, *children(self.pid)]
        for pid in family:
            kill_quietly(pid)
        self._process.wait()
        self._process = None
        wait_for(lambda: not any(alive(pid) for pid in family), 10, f"{self.name}'s processes")

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """Ends it for good and removes its directory."""
        try:
            self.stop()
        except ServerError:
            self.kill()
        self._port.release()
        if not os.environ.get("TENANCY_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        Daemon.live.discard(self)

    def log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def log_text(self, since: int = 0) -> str:
        """The log from byte `since` on (log_size() of an earlier moment)."""
        if not self.log.exists():
            return ""
        with open(self.log, "rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")


def children(parent: int) -> list[int]:
    """All descendants of a process, read from /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, level = [], {parent}
    while level:
        level = {pid for pid, of in parents.items() if of in level}
        found += level
    return found


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def kill_quietly(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _close_all(owner: int = os.getpid()) -> None:
    if os.getpid() == owner:  # not in a forked child
        for daemon in sorted(Daemon.live, key=lambda daemon: daemon.dir, reverse=True):
            daemon.close()


atexit.register(_close_all)
