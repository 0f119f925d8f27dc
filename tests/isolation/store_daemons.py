"""What tests of the daemons' work in the database share."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from harness import Server
from psycopg.types.json import Jsonb

from .operators import Connect

Connection = psycopg.Connection[Any]
CLAIM = "select tenant_id, generation, store_generation, present, state, token from tenancy.claim_work(%s, 1, %s, %s, %s)"


class Daemon:
    """What tenancyd says to the database, one call at a time."""

    def __init__(self, connection: Connection, name: str, store: str = "docs") -> None:
        self.connection, self.name, self.store = connection, name, store

    def claim(self, most: int = 64, lease: str = "1 minute") -> list[tuple[Any, ...]]:
        return self.connection.execute(CLAIM, [self.name, self.store, most, lease]).fetchall()

    def report(self, claims: list[tuple[Any, ...]], **more: Any) -> list[bool]:
        results = [
            {"tenant": str(tenant), "token": token, "generation": generation, "store_generation": of_store,
             "outcome": "converged", "present": present, "state": state, "reason": "Converged", "message": "", **more}
            for tenant, generation, of_store, present, state, token in claims
        ]  # fmt: skip
        rows = self.connection.execute(
            "select accepted from tenancy.report_work(%s, 1, %s, %s)", [self.name, self.store, Jsonb(results)]
        )
        return [accepted for (accepted,) in rows]

    def settle(self) -> None:
        while claims := self.claim():
            self.report(claims)


@pytest.fixture
def tenants(server: Server, database: str) -> int:
    """Tenants t1 to t100, and two stores that are required for nothing."""
    server.psql(
        """select tenancy.provision('t' || n) from generate_series(1, 100) as n;
           select tenancy.define_store('docs', 'mongodb', '{}'), tenancy.define_store('cache', 'redis', '{}');
           select tenancy.bind_instance('new');
           do $$ begin if to_regrole('race_sidecar') is null then
             create role race_sidecar login in role tenancy_sidecar; end if; end $$;
           select tenancy.add_operator('race_sidecar', 'sidecar')""",
        dbname=database,
    )
    return 100


@pytest.fixture
def daemon(connect: Connect, tenants: int) -> Callable[..., Daemon]:
    return lambda name="one", store="docs": Daemon(connect("race_sidecar"), name, store)


def look(connection: Connection, slug: str, store: str = "docs") -> tuple[Any, ...]:
    """Generation, observed generation, whether it is due, and whether it is leased."""
    row = connection.execute(
        """select t.generation, s.observed_generation, s.due_at is not null or exists (
                    select from tenancy.store_mark as m where m.tenant_id = s.tenant_id and m.store = s.store),
                  s.lease_token is not null
             from tenancy.tenant_store as s join tenancy.tenant as t on t.id = s.tenant_id
            where t.slug = %s and s.store = %s""",
        [slug, store],
    ).fetchone()
    assert row is not None
    return row


def converged(connection: Connection) -> bool:
    """Whether every store shows every tenant as it is, and nothing is left to do."""
    row = connection.execute(
        """select not exists (select from tenancy.tenant_store as s join tenancy.tenant as t on t.id = s.tenant_id
                               where s.observed_generation <> t.generation or s.due_at is not null)
              and not exists (select from tenancy.store_mark)"""
    ).fetchone()
    return row == (True,)


def in_parallel(*works: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[work], daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread still runs"
    if errors:
        raise errors[0]


def followed(daemon: Daemon, admin: Connection) -> bool:
    daemon.settle()
    return admin.execute("select settled from tenancy.store where name = %s", [daemon.store]).fetchone() == (True,)
