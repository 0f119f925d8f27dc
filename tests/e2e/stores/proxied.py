"""A world whose daemons reach the stores through proxies."""

from collections.abc import Iterator
from contextlib import contextmanager

from .proxy import MongoProxy, RedisProxy
from .world import World


@contextmanager
def proxied(world: World) -> Iterator[tuple[RedisProxy, MongoProxy]]:
    """The daemons started within reach both stores through these."""
    servers = world.servers
    cache, docs = RedisProxy(lambda: servers.redis.port), MongoProxy(lambda: servers.mongodb.port)
    world.ports |= {"cache": lambda: cache.port, "docs": lambda: docs.port}
    try:
        yield cache, docs
    finally:
        for daemon in world.daemons:
            daemon.stop()
        cache.close()
        docs.close()


def is_publishing(command: list[str]) -> bool:
    """A script of the daemon's that writes a tenant's marker."""
    return command[0].upper() in ("EVAL", "EVALSHA") and command[2] == "2" and command[-1] != "claim" and len(command) > 6
