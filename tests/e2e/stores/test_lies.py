"""Stores that say they have written and have not, or that answer nonsense."""

from typing import Any

import pytest
from harness import wait_for

from . import faults
from .bulk import SEED, Bulk
from .proxied import is_publishing, proxied
from .proxy import command_name, mongo_ok, redis_ok
from .world import World


def swallow_redis(command: list[str]) -> bytes | None:
    return redis_ok("done") if is_publishing(command) else None


def swallow_mongodb(command: dict[str, Any]) -> bytes | None:
    """Of tenants' databases only: a lie about the stamp is another test."""
    if command["$db"].startswith("t_") and command_name(command) in ("update", "insert", "create", "createIndexes"):
        return mongo_ok(command, n=1, nModified=1)
    return None


@pytest.mark.parametrize("liar", ["cache", "docs"])
def test_lying(world: World, liar: str) -> None:
    """Says that it has written and has not: found by the next scan, and mended."""
    with proxied(world) as (cache, docs):
        daemon = world.daemon()
        world.provision_many([f"tenant-{number}" for number in range(20)])
        world.converged()
        told: list[Any] = []

        def note(lie: bytes | None) -> bytes | None:
            if lie is not None:
                told.append(lie)
            return lie

        if liar == "cache":
            cache.answer = lambda command: note(swallow_redis(command))
        else:
            docs.answer = lambda command: note(swallow_mongodb(command))
        world.act("suspend", [f"tenant-{number}" for number in range(10)])
        wait_for(lambda: len(told) >= 10, 20, "the lies to be told")
        faults.tried("a write acknowledged and not made", len(told))
        cache.honest()
        docs.honest()
        world.converged()
        assert daemon.running
        assert any(event["store"] == liar and event["differing"] for event in daemon.events("scan_finished"))


def test_lying_about_erasing(world: World) -> None:
    """A drop that is acknowledged and not made is seen at once: nothing is called erased."""
    with proxied(world) as (cache, docs):
        world.daemon()
        tenant = world.provision("one")
        world.converged()
        world.plant(tenant)
        told: list[str] = []

        def no_drop(command: dict[str, Any]) -> bytes | None:
            if command_name(command) != "dropDatabase":
                return None
            told.append("dropDatabase")
            return mongo_ok(command, dropped=command["$db"])

        def no_unlink(command: list[str]) -> bytes | None:
            if command[0].upper() not in ("UNLINK", "DEL"):
                return None
            told.append("UNLINK")
            return b":%d\r\n" % (len(command) - 1)

        cache.answer, docs.answer = no_unlink, no_drop
        world.act("suspend", ["one"])
        world.act("archive", ["one"])
        world.act("request_erasure", ["one"])
        world.admin("select tenancy.begin_erasure('one', 1000)")
        world.planted.clear()
        wait_for(lambda: {"dropDatabase", "UNLINK"} <= set(told), 20, "both to be lied about")
        assert world.sql("select count(*) from tenancy.tenant_store where erased_at is not null") == [(0,)]
        faults.tried("a deletion acknowledged and not made", len(told))
        cache.honest()
        docs.honest()
        world.erase("one")
        world.converged()


GARBAGE = [b"?what\r\n", b"$-5\r\n", b"*1\r\n$3\r\nab", b":no\r\n", b"-ERR no\r\n", b"$3\r\nabc\r\n", b"*0\r\n"]


def test_garbage(world: World) -> None:
    """Replies that are cut off, of another type, or none at all."""
    with proxied(world) as (cache, docs):
        daemon = world.daemon()
        bulk = Bulk(world, 12, SEED)

        def garble_redis() -> None:
            garbage = bulk.random.choice(GARBAGE)
            done: list[bool] = []

            def answer(command: list[str]) -> bytes | None:
                done.append(True)
                return garbage

            cache.answer = answer
            wait_for(lambda: len(done) > 2, 20, "some garbage to be read")
            cache.honest()
            cache.cut()
            faults.tried("garbage instead of a reply")

        def garble_mongodb() -> None:
            done: list[bool] = []

            def answer(command: dict[str, Any]) -> bytes | None:
                done.append(True)
                reply = bytearray(mongo_ok(command, n="seven", cursor=[], value=3))
                if len(done) % 2:
                    reply[0:4] = (2**31 - 1).to_bytes(4, "little")
                return bytes(reply)

            docs.answer = answer
            wait_for(lambda: len(done) > 2, 20, "some garbage to be read")
            docs.honest()
            docs.cut()
            faults.tried("garbage instead of a reply")

        def retry() -> None:
            """Whoever was told nonsense may be stalled."""
            world.admin("select tenancy.retry_store('cache'), tenancy.retry_store('docs')")

        world.provision_many(bulk.slugs)
        for action in ("suspend", "resume", "set_read_only"):
            garble_redis()
            garble_mongodb()
            world.converged(meanwhile=retry)
            world.act(action, bulk.slugs)
        world.converged(meanwhile=retry)
        assert daemon.running
