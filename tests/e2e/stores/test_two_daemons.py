"""Two daemons side by side: one is killed, one stands still for longer than its leases."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from harness import Tenancyd, wait_for

from . import faults
from .proxied import is_publishing, proxied
from .proxy import Proxy, command_name
from .world import World

TENANTS = 300
LEASE = {"lease": "2s", "scan": "1h"}


def pair(world: World, **options: Any) -> tuple[Tenancyd, Tenancyd]:
    """The second one joins the instance that the first has bound."""
    first = world.daemon("first", reconcile=LEASE, **options)
    second = world.daemon("second", start=False, reconcile=LEASE, **options)
    joined = second.command("adopt", "--as", "member", "--yes")
    assert joined.returncode == 0, joined.stdout + joined.stderr
    second.start()
    return first, second


def held_by(world: World, daemon: Tenancyd) -> list[str]:
    """The tenants that it has leased at this moment."""
    rows = world.sql(
        """select distinct t.slug from tenancy.tenant_store s join tenancy.tenant t on t.id = s.tenant_id
           where s.lease_holder = %s and s.lease_until > clock_timestamp()""",
        [daemon.name],
    )
    return [slug for (slug,) in rows]


def test_they_share_the_work(world: World) -> None:
    pair(world)
    slugs = [f"tenant-{number}" for number in range(TENANTS)]
    world.provision_many(slugs)
    world.converged()
    seen = world.sql("select name from tenancy.daemon order by 1")
    assert seen == [("first",), ("second",)]
    shares = [sum(v for k, v in daemon.metrics().items() if "converged" in k) for daemon in world.daemons]
    assert all(share > 0 for share in shares), shares


def test_one_is_killed(world: World) -> None:
    first, second = pair(world)
    slugs = [f"tenant-{number}" for number in range(TENANTS)]
    world.provision_many(slugs)
    for victim in (first, second, first):
        wait_for(lambda: held_by(world, victim) or world.followed() == 1.0, 30, f"{victim.name} to be at work")
        victim.kill()
        faults.tried("kill -9 of one of two daemons")
        world.act("suspend", [slug for slug, state in world.states().items() if state == "active"])
        world.settled()
        victim.start()
        world.act("resume", [slug for slug, state in world.states().items() if state == "suspended"])
    world.converged()


def test_one_stands_still(world: World) -> None:
    """Frozen in the middle of a batch; meanwhile the other takes the same tenants from active to erased."""
    first, second = pair(world)
    slugs = [f"tenant-{number}" for number in range(TENANTS)]
    world.provision_many(slugs)
    world.settled()
    world.act("suspend", slugs)
    for _ in range(3):
        wait_for(lambda: held_by(world, first) or world.followed() == 1.0, 30, "the first to be at work")
        first.freeze()
        faults.tried("a daemon frozen for longer than its lease")
        held = held_by(world, first) or slugs[:20]
        moved = [slug for slug in held if world.states()[slug] == "suspended"]
        world.act("archive", moved)
        world.begin_erasing(moved)
        world.settled()
        first.thaw()
        for slug in moved:
            world.erase(slug)
        world.act("resume", [slug for slug, state in world.states().items() if state == "suspended"])
        world.act("suspend", [slug for slug, state in world.states().items() if state == "active"])
    world.converged()
    assert "erased" in world.states().values()


@contextmanager
def late(proxy: Proxy, is_write: Callable[[Any], bool]) -> Iterator[list[Any]]:
    """Writes are held on their way until the end of the block, and arrive then."""
    held: list[Any] = []

    def answer(message: Any) -> bytes | None:
        if is_write(message) and not held:
            held.append(message)
            proxy.hold()
            proxy.wait_until_let_go()
        return None

    proxy.answer = answer
    try:
        yield held
    finally:
        proxy.honest()


def is_marking(command: dict[str, Any]) -> bool:
    return command["$db"].startswith("t_") and command_name(command) == "update"


@pytest.mark.parametrize("store", ["cache", "docs"])
def test_a_write_that_arrives_late(world: World, store: str) -> None:
    """Sent before the daemon stood still, and done by the store after the other one had erased the tenant.

    No daemon can take it back; the scan finds what it has left, and removes it.
    """
    with proxied(world) as (cache, docs):
        first = world.daemon("first", reconcile={"lease": "1s", "scan": "500ms"})
        tenant = world.provision("one")
        world.converged()
        proxy, is_write = (cache, is_publishing) if store == "cache" else (docs, is_marking)
        servers = world.servers
        with late(proxy, is_write) as held:
            world.act("suspend", ["one"])
            wait_for(lambda: held, 20, "a write to be on its way")
            first.freeze()
            world.ports |= {"cache": lambda: servers.redis.port, "docs": lambda: servers.mongodb.port}
            second = world.daemon("second", start=False, reconcile={"lease": "1s", "scan": "500ms"})
            assert second.command("adopt", "--as", "member", "--yes").returncode == 0
            second.start()
            world.settled()
            world.act("archive", ["one"])
            world.act("request_erasure", ["one"])
            world.erase("one")
        faults.tried("a write that arrives after the tenant was erased")
        wait_for(lambda: resurrected(world, tenant.hex, store), 10, "the late write to be done")
        world.converged()
        first.thaw()
        world.converged()
        assert world.states() == {"one": "erased"}


def resurrected(world: World, tenant: str, store: str) -> bool:
    """Whether the late write has been there, or its repair has been asked for."""
    if world.sql("select drift_count > 0 or changed_at > erased_at from tenancy.tenant_store where store = %s", [store]) == [(True,)]:
        return True
    with world.servers.redis.connect() as redis, world.servers.mongodb.client() as mongodb:
        return bool(redis.exists(f"{{t:{tenant}}}:tenancy:tenant")) or f"t_{tenant}" in mongodb.list_database_names()
