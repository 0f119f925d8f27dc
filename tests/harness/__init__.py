"""Servers for tests: PostgreSQL, standbys, PgBouncers and stores that always end with the tests.

    with Server(settings={"work_mem": "8MB"}) as server:
        server.createdb("app")
        with server.connect(dbname="app", user="alice") as connection: ...

Everything listens on loopback and on a private socket only, uses the private tree that
scripts/postgres-tree makes, and runs as an unprivileged user even when the tests run as root.
"""

from .certificates import Authority
from .mongodb import MongoDB
from .pgbouncer import PgBouncer
from .ports import Port
from .process import ServerError
from .redis import Redis, RedisCluster
from .server import Server
from .standby import Standby
from .tenancyd import Tenancyd
from .waiting import wait_for

__all__ = [
    "Authority",
    "MongoDB",
    "PgBouncer",
    "Port",
    "Redis",
    "RedisCluster",
    "Server",
    "ServerError",
    "Standby",
    "Tenancyd",
    "wait_for",
]
