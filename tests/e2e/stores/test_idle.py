"""A daemon with nothing to do: woken by a notification, and asking for little."""

import time

from harness import wait_for

from . import copies
from .world import World

DEAF = {"poll": "10m", "scan": "1h"}


def test_a_change_wakes_it_up(world: World) -> None:
    """Not by polling, which would take longer than this test waits."""
    daemon = world.daemon(reconcile=DEAF)
    world.provision("one")
    world.converged(20)
    world.act("suspend", ["one"])
    world.converged(20)
    assert daemon.events("listening_failed") == [] and daemon.events("notifications_swallowed") == []


def test_notifications_about_nothing_are_thrown_together(world: World) -> None:
    """Whoever may connect may notify: the daemon looks now and then, and a change goes on getting through."""
    daemon = world.daemon(reconcile=DEAF)
    world.provision("one")
    world.converged()
    claims = 'tenancyd_claim_seconds_count{store="cache"}'
    with world.servers.postgres.connect(dbname=world.name) as somebody:
        somebody.autocommit = True
        before, sent, end = daemon.metrics()[claims], 0, time.monotonic() + 3
        while time.monotonic() < end:
            somebody.execute("notify tenancy_lifecycle, '*'")
            sent += 1
        assert sent > 200
        # Of each of the three sessions that work on a store: two workers, and the one that erases.
        assert (daemon.metrics()[claims] - before) / 3 < 30
    world.act("suspend", ["one"])
    world.converged(20)


def test_servers_are_probed_once(world: World) -> None:
    """Not with every tick: neither the store nor PostgreSQL hears of it again."""
    daemon = world.daemon(reconcile=DEAF)
    world.provision("one")
    world.converged()
    warned = daemon.events("store_warning")
    assert warned
    probed = world.sql("select store, probed_at from tenancy.store_status order by 1")
    tick = copies.tick_of(world)
    wait_for(lambda: copies.tick_of(world) > tick + 4, 20, "five ticks")
    assert daemon.events("store_warning") == warned
    assert world.sql("select store, probed_at from tenancy.store_status order by 1") == probed
