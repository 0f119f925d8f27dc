"""Redis servers: one, replicas of one, and clusters."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from typing import Any

import redis as client
from redis.backoff import NoBackoff
from redis.retry import Retry

from .certificates import Authority
from .ports import Port
from .process import Daemon, ServerError, server_user
from .waiting import wait_for


class Redis(Daemon):
    """A Redis server on loopback, that keeps nothing on disk unless `settings` say so.

    `settings` are directives of redis.conf and override everything here; a list repeats one.
    `users` are ACL rules by name ("on >secret ~* +@all"). With `tls` an authority is made and
    the one port speaks TLS only.
    """

    def __init__(
        self,
        *,
        settings: Mapping[str, Any] | None = None,
        users: Mapping[str, str] | None = None,
        tls: bool = False,
        cluster: bool = False,
        replica_of: Redis | None = None,
        name: str = "redis",
    ) -> None:
        super().__init__(name)
        self.settings = dict(settings or {})
        self.users = dict(users or {})
        self.authority: Authority | None = None
        self._bus = Port() if cluster else None
        if tls:
            self.authority = Authority(self.dir / "tls")
            os.chown(self.authority.dir, server_user().pw_uid, server_user().pw_gid)
            self._certificate = self.authority.issue("localhost", "localhost", "127.0.0.1")
        self.primary = replica_of

    def __enter__(self) -> Redis:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _configure(self) -> None:
        own: dict[str, Any] = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": self.dir,
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
            "repl-diskless-sync-delay": "0",
        }
        if self.authority:
            certificate, key = self._certificate
            own |= {
                "port": 0,
                "tls-port": self.port,
                "tls-cert-file": certificate,
                "tls-key-file": key,
                "tls-ca-cert-file": self.authority.ca_file,
                "tls-auth-clients": "optional",
            }
        if self._bus:
            own |= {
                "cluster-enabled": "yes",
                "cluster-config-file": "nodes.conf",
                "cluster-port": self._bus.number,
                "cluster-node-timeout": 2000,
            }
        if self.primary:
            own["replicaof"] = f"127.0.0.1 {self.primary.port}"
        if self.users:
            own["user"] = [f"{name} {rules}" for name, rules in self.users.items()]
        lines = []
        for key, value in (own | self.settings).items():
            lines += [f"{key} {each}" for each in (value if isinstance(value, list) else [value])]
        path = self.dir / "redis.conf"
        path.write_text("\n".join(lines) + "\n")
        os.chown(path, server_user().pw_uid, server_user().pw_gid)

    def _command(self) -> list[str]:
        program = shutil.which("redis-server", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if program is None:
            raise ServerError("no redis-server; run scripts/dependencies check")
        return [program, str(self.dir / "redis.conf")]

    def _answers(self) -> bool:
        try:
            with self.connect() as connection:
                connection.ping()
        except client.BusyLoadingError:
            return False
        except (client.AuthenticationError, client.ResponseError):
            return True
        except (client.ConnectionError, client.TimeoutError):
            return False
        return True

    def connect(self, *, db: int = 0, **more: Any) -> client.Redis:
        """A client of its own connection pool; texts are str."""
        if self.authority:
            more = {"ssl": True, "ssl_ca_certs": self.authority.ca_file} | more
        once = Retry(NoBackoff(), 0)
        defaults = {"decode_responses": True, "socket_timeout": 10, "retry": once}
        return client.Redis(host="127.0.0.1", port=self.port, db=db, **(defaults | more))

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Lets it answer nothing until thaw()."""
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self) -> None:
        self.thaw()
        super().stop()

    def close(self) -> None:
        super().close()
        if self._bus:
            self._bus.release()


class RedisCluster:
    """A cluster of primaries without replicas, the slots spread evenly."""

    SLOTS = 16384

    def __init__(self, size: int = 3, **options: Any) -> None:
        self.nodes = [
            Redis(cluster=True, name=f"redis-{number}", **options) for number in range(size)
        ]

    def __enter__(self) -> RedisCluster:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def addresses(self) -> list[str]:
        return [node.address for node in self.nodes]

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        bounds = [self.SLOTS * i // len(self.nodes) for i in range(len(self.nodes) + 1)]
        for i, node in enumerate(self.nodes):
            with node.connect() as own:
                own.execute_command("CLUSTER", "ADDSLOTSRANGE", bounds[i], bounds[i + 1] - 1)
                own.execute_command("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
                for other in self.nodes[:i]:
                    assert other._bus is not None
                    own.execute_command(
                        "CLUSTER", "MEET", "127.0.0.1", other.port, other._bus.number
                    )
        self.wait_until_ok()

    def wait_until_ok(self) -> None:
        """Until every node sees every other and all slots served."""
        wait_for(lambda: all(self._is_ok(node) for node in self.nodes), 60, "the cluster")

    def _is_ok(self, node: Redis) -> bool:
        with node.connect() as own:
            lines = own.execute_command("CLUSTER", "INFO").split()
        return {"cluster_state:ok", f"cluster_known_nodes:{len(self.nodes)}"} <= set(lines)

    def close(self) -> None:
        for node in self.nodes:
            node.close()

    def slot(self, key: str) -> int:
        with self.nodes[0].connect() as own:
            return int(own.execute_command("CLUSTER", "KEYSLOT", key))

    def owner(self, key: str) -> Redis:
        """The node that has the key's slot."""
        slot = self.slot(key)
        for node in self.nodes:
            with node.connect() as own:
                entry = next(each for each in _nodes(own) if "myself" in each[2])
            if any(_covers(text, slot) for text in entry[8:]):
                return node
        raise ServerError(f"no node has slot {slot}")

    def begin_move(self, slot: int, source: Redis, target: Redis) -> None:
        """Opens the slot for moving: what is no longer at the source is asked of the target."""
        with source.connect() as giving, target.connect() as taking:
            ids = [each.execute_command("CLUSTER", "MYID") for each in (giving, taking)]
            taking.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
            giving.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])

    def move_key(self, key: str, source: Redis, target: Redis) -> None:
        with source.connect() as giving:
            giving.execute_command("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)

    def end_move(self, slot: int, source: Redis, target: Redis) -> None:
        """Moves the keys that are left, and gives the slot to the target."""
        with source.connect() as giving, target.connect() as taking:
            for key in giving.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100000):
                self.move_key(key, source, target)
            identity = taking.execute_command("CLUSTER", "MYID")
            for each in (taking, giving):
                each.execute_command("CLUSTER", "SETSLOT", slot, "NODE", identity)


def _nodes(connection: client.Redis) -> list[list[str]]:
    """The words of each line of CLUSTER NODES."""
    connection.response_callbacks.pop("CLUSTER NODES", None)
    text = connection.execute_command("CLUSTER NODES")
    return [line.split() for line in text.splitlines()]


def _covers(text: str, slot: int) -> bool:
    first, _, last = text.partition("-")
    return not text.startswith("[") and int(first) <= slot <= int(last or first)
