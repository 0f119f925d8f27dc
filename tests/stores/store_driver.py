"""The stores of tenancyd called from Python, through the program store_driver (built by scripts/unit).

    with StoreDriver(kind="redis", addresses=["127.0.0.1:6379"]) as store:
        store.define()
        store.apply([work(tenant, "publish", settings={"a": 1})], instance)
"""

import json
import os
import select
import subprocess
import threading
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.process import kill_quietly

PROGRAM = Path(__file__).resolve().parents[2] / "build" / "unit" / "tests" / "stores" / "store_driver"
# What a call may take beyond its own time limit until the program counts as hung.
PATIENCE = 20.0


class StoreError(Exception):
    """What the Store threw: `type` is Unavailable, ConfigError or exception."""

    def __init__(self, error: dict[str, str]) -> None:
        super().__init__(f"{error['type']} {error['reason']}: {error['message']}")
        self.type, self.reason, self.message = error["type"], error["reason"], error["message"]


class StoreDriver:
    """One Store. `connection` is its connection number and `took` the seconds of the last call."""

    def __init__(self, *, environment: dict[str, str] | None = None, **config: Any) -> None:
        self.within = 10.0
        self.connection = 0
        self.took = 0.0
        self._process = subprocess.Popen(
            [str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | (environment or {}),
        )
        self._buffer = b""
        try:
            self._answer(config, 10.0)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "StoreDriver":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the program; its connections end with it."""
        kill_quietly(self._process.pid)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                pass

    @property
    def status(self) -> int | None:
        """The program's exit status, None while it runs."""
        return self._process.poll()

    def call(self, what: str, *, within: float | None = None, **arguments: Any) -> Any:
        """The result of one command that is to be over in `within` seconds, or StoreError."""
        limit = self.within if within is None else within
        command = {"do": what, "within_ms": int(limit * 1000)} | arguments
        return self._answer(command, limit)

    def begin(self, what: str, **arguments: Any) -> "Pending":
        """As call(), in a thread; result() waits for it."""
        return Pending(self, what, arguments)

    # The commands of the Store interface.
    def define(self, **definition: Any) -> None:
        self.call("define", definition=definition)

    def probe(self, **more: Any) -> Any:
        return self.call("probe", **more)

    def read_stamp(self, **more: Any) -> Any:
        return self.call("read_stamp", **more)

    def write_stamp(self, stamp: Any, expected: Any = None, **more: Any) -> Any:
        return self.call("write_stamp", stamp=stamp, expected=expected, **more)

    def runs(self, **more: Any) -> Any:
        return self.call("runs", **more)

    def observe(self, tenants: Iterable[dict[str, Any]], **more: Any) -> Any:
        return self.call("observe", tenants=list(tenants), **more)

    def apply(self, work: Iterable[dict[str, Any]], instance: str, **more: Any) -> Any:
        """The outcomes; apply_watched() also tells how often `alive` was called."""
        return self.apply_watched(work, instance, **more)["outcomes"]

    def apply_watched(self, work: Iterable[dict[str, Any]], instance: str, **more: Any) -> Any:
        return self.call("apply", work=list(work), instance=instance, **more)

    def list(self, **more: Any) -> Any:
        """All objects found, by name."""
        return {each["name"]: each for each in self.call("list", **more)["objects"]}

    def adopt(self, found: dict[str, Any], instance: str, **more: Any) -> Any:
        return self.call("adopt", object=found, instance=instance, **more)

    def prune(self, found: dict[str, Any], **more: Any) -> Any:
        return self.call("prune", object=found, **more)

    def _answer(self, command: dict[str, Any], limit: float) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._line(limit + PATIENCE))
        self.connection = answer.get("connection", self.connection)
        self.took = answer["took_ms"] / 1000
        if "error" in answer:
            raise StoreError(answer["error"])
        return answer["result"]

    def _line(self, limit: float) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None
        while b"\n" not in self._buffer:
            if not select.select([pipe], [], [], limit)[0]:
                raise TimeoutError(f"store_driver did not answer in {limit:g} s")
            read = os.read(pipe.fileno(), 1 << 20)
            if not read:
                raise EOFError(f"store_driver ended ({self._process.wait()})")
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


class Pending:
    """A call that a thread waits for."""

    def __init__(self, driver: StoreDriver, what: str, arguments: dict[str, Any]) -> None:
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(driver, what, arguments), daemon=True)
        self._thread.start()

    def _run(self, driver: StoreDriver, what: str, arguments: dict[str, Any]) -> None:
        try:
            self._result = driver.call(what, **arguments)
        except BaseException as error:  # handed to result()
            self._error = error

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Any:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result


def new_id() -> str:
    """The canonical text of a new tenant's or instance's id."""
    return str(uuid.uuid4())


def tenant_hex(tenant: str) -> str:
    return tenant.replace("-", "")


def desired(tenant: str, **more: Any) -> dict[str, Any]:
    """A Desired: state, present, generation, store_generation, reached_before, disowned, settings."""
    return {"tenant": tenant} | more


def work(tenant: str, *actions: str | dict[str, str], **more: Any) -> dict[str, Any]:
    """A Work: the tenant as desired, and its actions by name or as {kind, collection, index}."""
    listed = [{"kind": each} if isinstance(each, str) else each for each in actions]
    return {"desired": desired(tenant, **more), "actions": listed}


def stamp(instance: str, epoch: int = 1, tick: int = 1, store: str = "cache") -> dict[str, Any]:
    return {"instance": instance, "store": store, "epoch": epoch, "tick": tick}
