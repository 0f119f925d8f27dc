"""A store that is there, and does not answer about some tenants: these are charged, and the others wait for nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from harness import wait_for

from . import faults
from .proxied import proxied
from .proxy import Proxy, command_name
from .world import World

# Those of tenancyd itself: a tenant that hangs must not keep anybody else for one operation_timeout.
DEFAULTS = {"lease": "30s", "poll": "5s", "tick": "10s", "scan": "1h", "backoff_first": "500ms", "backoff_most": "5m"}
PATIENT = {"connect_timeout": "3s", "operation_timeout": "10s"}

CHARGED = """
select count(*) from tenancy.tenant_store s join tenancy.tenant t on t.id = s.tenant_id
where s.store = 'docs' and t.slug like 'bad-%' and s.attempts > 0 and s.reason = 'TimedOut'
"""


@contextmanager
def hanging(docs: Proxy, tenants: list[UUID], command: str | None = None) -> Iterator[list[str]]:
    """What is asked in their databases, or the command of that name, is answered when this is over.

    Yields the databases that were asked."""
    names, over = {f"t_{tenant.hex}" for tenant in tenants}, threading.Event()
    asked: list[str] = []

    def hang(message: dict[str, object]) -> None:
        if message["$db"] in names and command in (None, command_name(message)):
            asked.append(str(message["$db"]))
            over.wait()

    docs.answer = hang
    try:
        yield asked
    finally:
        docs.answer = None
        over.set()


def test_others_are_suspended_at_once(world: World) -> None:
    with proxied(world) as (_, docs):
        daemon = world.daemon(reconcile=DEFAULTS, store=PATIENT)
        bad = {slug: world.provision(slug) for slug in ("bad-0", "bad-1", "bad-2")}
        good = {slug: world.provision(slug) for slug in (f"good-{number}" for number in range(6))}
        world.converged()
        with hanging(docs, list(bad.values())), world.servers.mongodb.client() as mongodb:
            world.act("suspend", list(bad))
            wait_for(lambda: world.sql(CHARGED) == [(len(bad),)], 60, "the tenants that hang to be charged")
            for slug, tenant in good.items():
                marker = mongodb[f"t_{tenant.hex}"]["tenancy"]
                world.act("suspend", [slug])
                wait_for(lambda: marker.find_one()["state"] == "suspended", 5, f"the suspension of {slug}")  # noqa: B023
                faults.tried("a suspension beside tenants that hang")
            assert [event for event in daemon.events("store_unavailable") if event["store"] == "docs"] == []
            assert ("docs", "store_unreachable") not in world.alarms()
        world.admin("select tenancy.retry_store('docs', everything => true)")
        world.converged()


def test_nobody_waits_for_an_erasure(world: World) -> None:
    with proxied(world) as (_, docs):
        world.daemon(reconcile=DEFAULTS, store=PATIENT | {"operation_timeout": "20s", "workers": 1})
        leaving = {slug: world.provision(slug) for slug in ("leaving-0", "leaving-1", "leaving-2")}
        good = world.provision("good")
        world.converged()
        world.act("suspend", list(leaving))
        world.act("archive", list(leaving))
        world.converged()
        with (
            hanging(docs, list(leaving.values()), "dropDatabase") as asked,
            world.servers.mongodb.client() as mongodb,
        ):
            world.begin_erasing(list(leaving))
            wait_for(lambda: asked, 20, "an erasure to hang")
            world.act("suspend", ["good"])
            shown = lambda: mongodb[f"t_{good.hex}"]["tenancy"].find_one()["state"]  # noqa: E731
            wait_for(lambda: shown() == "suspended", 5, "a suspension beside it")
            faults.tried("a suspension beside erasures that hang")
        world.admin("select tenancy.retry_store('docs', everything => true)")
        world.converged()


def test_a_collection_keeps_no_suspension_back(world: World) -> None:
    """Whoever may lock a tenant's collections, or put views in their place, could otherwise."""
    with proxied(world) as (_, docs):
        world.daemon(reconcile=DEFAULTS, store=PATIENT | {"operation_timeout": "20s"})
        tenant = world.provision("locked")
        world.converged()
        with hanging(docs, [tenant], "listIndexes"), world.servers.mongodb.client() as mongodb:
            world.act("suspend", ["locked"])
            shown = lambda: mongodb[f"t_{tenant.hex}"]["tenancy"].find_one()["state"]  # noqa: E731
            wait_for(lambda: shown() == "suspended", 5, "the suspension")
            told = "select observed_state from tenancy.tenant_store where store = 'docs'"
            wait_for(lambda: world.sql(told) == [("suspended",)], 60, "it to be told")
            faults.tried("a suspension of a tenant whose collections cannot be looked at")
        world.admin("select tenancy.retry_store('docs', everything => true)")
        world.converged()


def test_scans_go_on(world: World) -> None:
    with proxied(world) as (_, docs):
        daemon = world.daemon(store={"operation_timeout": "1s"})
        bad, good = world.provision("bad-0"), world.provision("good")
        world.converged()
        stranger = uuid4()
        with hanging(docs, [bad, stranger]), world.servers.mongodb.client() as mongodb:
            mongodb[f"t_{stranger.hex}"]["orders"].insert_one({"number": 1})
            wait_for(lambda: world.sql(CHARGED) == [(1,)], 60, "a scan to find the tenant that hangs")
            mark = daemon.log_size()
            mongodb[f"t_{good.hex}"]["tenancy"].update_one({}, {"$set": {"state": "suspended"}})
            shown = lambda: mongodb[f"t_{good.hex}"]["tenancy"].find_one()["state"]  # noqa: E731
            wait_for(lambda: shown() == "active", 60, "a scan to mend another tenant")
            finished = lambda: [event for event in daemon.events("scan_finished", mark) if event["store"] == "docs"]  # noqa: E731
            wait_for(finished, 60, "a scan to come to its end")
            unknown = "select name, reason from tenancy.unknown_object where store = 'docs'"
            assert world.sql(unknown) == [(f"t_{stranger.hex}", "Unanswered")]
            assert [event for event in daemon.events("store_unavailable", mark) if event["store"] == "docs"] == []
            faults.tried("a scan beside a tenant that hangs")
            mongodb.drop_database(f"t_{stranger.hex}")
        world.converged()
