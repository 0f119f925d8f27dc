"""An installation with stores: a database, Redis, a server of MongoDB's protocol, and daemons."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import redis as redis_client
from harness import MongoDB, Redis, Server, ServerError, Tenancyd, wait_for

from .shown import differences, lagging

ROLES = """
do $$ begin
    if to_regrole('tenancyd') is null then
        create role tenancyd login in role tenancy_sidecar;
        create role stores_admin login in role tenancy_admin;
    end if;
end $$;
select tenancy.add_operator('tenancyd', 'sidecar'), tenancy.add_operator('stores_admin', 'admin');
"""

SETTINGS = """
select tenancy.define_setting('region', '{"type": "string"}', '"eu"'),
       tenancy.define_setting('seats', '{"type": "integer"}', '5'),
       tenancy.define_setting('plan', '{"type": "object"}')
"""

ORDERS = (
    "orders",
    '{"$jsonSchema": {"bsonType": "object", "required": ["number"]}}',
    '[{"name": "by_number", "keys": [["number", 1]], "unique": true}, {"name": "expiry", "keys": [["at", 1]], "ttl_seconds": 3600}]',
)

# With which a daemon that is ended at any moment is replaced by another one soon.
SHORT = {"lease": "1s", "poll": "300ms", "tick": "300ms", "scan": "500ms", "backoff_first": "20ms", "backoff_most": "300ms"}

PATIENCE = 60.0 * float(os.environ.get("TENANCY_PATIENCE", "1"))


@dataclass
class Servers:
    """What worlds are made in, one after the other."""

    postgres: Server
    redis: Redis
    mongodb: MongoDB

    def fill_redis(self) -> None:
        """Until room is made by maxmemory 0, nothing that takes memory is done.

        The first script after the limit was set still runs: that is Redis' way.
        """
        with self.redis.connect() as redis:
            redis.config_set("maxmemory-policy", "noeviction")
            redis.config_set("maxmemory", 1)
            for _ in range(2):
                try:
                    redis.eval("return redis.call('SET', KEYS[1], '')", 1, "tenancy:full")
                except redis_client.OutOfMemoryError:
                    continue
            redis.delete("tenancy:full")

    def heal(self) -> None:
        """Whatever a test left frozen or dead runs again, without data of a world in the stores."""
        self.redis.thaw()
        self.mongodb.thaw()
        for server in (self.postgres, self.redis, self.mongodb):
            if not server.running:
                server.start()
        with self.redis.connect() as redis:
            redis.config_set("maxmemory", 0)
            redis.flushall()
        self.mongodb.heal()
        with self.mongodb.client() as mongodb:
            for name in mongodb.list_database_names():
                if name not in ("admin", "config", "local"):
                    mongodb.drop_database(name)


class World:
    """One database of `servers` with two stores, `cache` (Redis) and `docs` (MongoDB).

    Nothing is defined until define(), and no daemon runs until one is started.
    """

    def __init__(self, servers: Servers, name: str) -> None:
        self.servers, self.name = servers, name
        self.daemons: list[Tenancyd] = []
        # Who answers for a store in the daemons' configuration; a proxy may take its place.
        self.ports: dict[str, Callable[[], int]] = {
            "cache": lambda: servers.redis.port,
            "docs": lambda: servers.mongodb.port,
        }
        self.planted: set[UUID] = set()
        servers.heal()
        servers.postgres.dropdb(name)
        servers.postgres.createdb(name, extensions=["tenancy"])
        servers.postgres.psql(ROLES, dbname=name)

    def close(self) -> None:
        for daemon in self.daemons:
            daemon.close()
        if not self.servers.postgres.running:
            self.servers.postgres.start()
        self.servers.postgres.dropdb(self.name)

    def define(self, **store: Any) -> World:
        """Settings, both stores with these arguments of define_store, and a collection."""
        self.admin(SETTINGS)
        self.define_stores(**store)
        self.define_collection(*ORDERS)
        return self

    def define_stores(self, **store: Any) -> None:
        for name, kind in (("cache", "redis"), ("docs", "mongodb")):
            arguments = {"name": name, "kind": kind} | store
            marks = ", ".join(f"{key} => %({key})s" for key in arguments)
            self.admin(f"select tenancy.define_store({marks})", arguments)

    def define_collection(self, name: str, validator: str | None, indexes: str) -> None:
        self.admin("select tenancy.define_collection('docs', %s, %s, %s)", [name, validator, indexes])

    def sql(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """As superuser."""
        return self.servers.postgres.execute(statement, parameters, dbname=self.name)

    def admin(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        return self.servers.postgres.execute(statement, parameters, user="stores_admin", dbname=self.name)

    def provision(self, slug: str, **settings: Any) -> UUID:
        [(tenant,)] = self.admin(
            "select tenancy.provision(%s, settings => %s)", [slug, psycopg.types.json.Jsonb(settings)]
        )
        return tenant

    def provision_many(self, slugs: list[str]) -> None:
        self.admin("select count(tenancy.provision(s)) from unnest(%s::text[]) as s", [slugs])

    def act(self, action: str, slugs: list[str]) -> None:
        """tenancy.suspend and the like, for all of them in one transaction."""
        why = "" if action == "resume" else ", 'a test'"
        grace = ", '0'" if action == "request_erasure" else ""
        statement = f"select count(tenancy.{action}(s{why}{grace})) from unnest(%s::text[]) as s"
        self.admin(statement, [slugs])

    def begin_erasing(self, slugs: list[str]) -> None:
        """Of tenants that are archived; the stores are to be rid of them from now on."""
        self.act("request_erasure", [slug for slug in slugs if self.states()[slug] != "erasing"])
        self.admin("select count(tenancy.begin_erasure(s, 1000)) from unnest(%s::text[]) as s", [slugs])

    def states(self) -> dict[str, str]:
        return dict(self.sql("select slug, state from tenancy.tenant"))

    def daemon(self, name: str = "tenancyd", *, start: bool = True, **options: Any) -> Tenancyd:
        """A further daemon of this world; `reconcile` overrides SHORT, `store` adds keys to both stores."""
        options["reconcile"] = SHORT | options.get("reconcile", {})
        extra = {"connect_timeout": "1s", "operation_timeout": "2s"} | options.pop("store", {})
        daemon = StoresDaemon(self, extra, name=name, **options)
        self.daemons.append(daemon)
        if start:
            daemon.start()
        return daemon

    def stores(self, extra: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """[stores.*] of a daemon; ports as they are now."""
        cache = {"kind": "redis", "addresses": [f"127.0.0.1:{self.ports['cache']()}"]}
        options = "?directConnection=true"
        docs = {"kind": "mongodb", "uri": f"mongodb://127.0.0.1:{self.ports['docs']()}/{options}"}
        return {"cache": cache | dict(extra), "docs": docs | dict(extra)}

    def plant(self, tenant: UUID) -> None:
        """Data of the tenant's own, in more than one Redis database, and in its collection."""
        for number in (0, 3):
            with self.servers.redis.connect(db=number) as redis:
                redis.set(f"{{t:{tenant.hex}}}:session:1", "theirs")
        with self.servers.mongodb.client() as mongodb:
            mongodb[f"t_{tenant.hex}"]["orders"].insert_one({"number": 1, "text": "theirs"})
        self.planted.add(tenant)

    def alarms(self) -> set[tuple[str | None, str]]:
        return set(self.admin("select store, alarm from tenancy.store_alarm"))

    def converged(self, deadline: float = PATIENCE, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Returns when SQL says Ready for all and the stores really show exactly that, and no more.

        meanwhile() is called between looks.
        """
        self.settled(deadline, meanwhile)
        found: list[str] = []

        def same() -> bool:
            meanwhile()
            found[:] = lagging(self) or differences(self)
            return not found

        try:
            wait_for(same, deadline, "the stores to show what they should")
        except TimeoutError:
            raise AssertionError("\n".join(found[:40])) from None
        assert self.proofs() == []

    def followed(self) -> float:
        """The part of (tenant, store) that has nothing left to do."""
        [(part,)] = self.sql(
            """select coalesce(avg((s.due_at is null and s.observed_generation = t.generation
                                    and s.observed_store_generation = d.generation)::integer), 1)
               from tenancy.tenant_store s join tenancy.tenant t on t.id = s.tenant_id
               join tenancy.store d on d.name = s.store where t.state <> 'erased'"""
        )
        return float(part)

    def settled(
        self,
        deadline: float = PATIENCE,
        meanwhile: Callable[[], object] = lambda: None,
        but: list[str] | None = None,
    ) -> None:
        """Returns when SQL says Ready for all but these."""

        def ready() -> bool:
            meanwhile()
            return not lagging(self, limit=1, but=but)

        try:
            wait_for(ready, deadline, "SQL to say Ready")
        except TimeoutError:
            raise AssertionError("\n".join(lagging(self, but=but))) from None

    def proofs(self) -> list[tuple[Any, ...]]:
        """Where an erased tenant's absence was not recorded just once for each store."""
        return self.sql(
            """select t.slug, d.name, count(e.tenant_id) from tenancy.tenant t cross join tenancy.store d
               left join tenancy.audit_event e on e.tenant_id = t.id and e.event = 'store_erased'
                    and e.detail ->> 'store' = d.name
               where d.state = 'attached' group by t.slug, d.name, t.state, t.erase_started_at
               having count(e.tenant_id) > 1 or (t.state = 'erased' and count(e.tenant_id) <> 1)
                   or (t.state <> 'erased' and count(e.tenant_id) > 0 and t.erase_started_at is null)"""
        )

    def erase(self, slug: str, timeout: str = "60s") -> None:
        self.admin(f"call tenancy.erase('{slug}', timeout => '{timeout}')")


class StoresDaemon(Tenancyd):
    """A Tenancyd whose stores are where the world says at each start."""

    def __init__(self, world: World, extra: Mapping[str, Any], **options: Any) -> None:
        self.world, self.extra = world, extra
        super().__init__(world.servers.postgres, world.name, **options)

    def _configure(self) -> None:
        self.stores = self.world.stores(self.extra)
        super()._configure()

    def start_to_die(self) -> None:
        """Starts it where it may end itself at a failpoint before it is ready."""
        try:
            self.start()
        except ServerError:
            assert self.killed(), self.log_text()[-4000:]

    def killed(self) -> bool:
        """Whether it was ended by kill -9."""
        return self._process is not None and self._process.poll() == -9


@contextmanager
def world_in(servers: Servers, name: str) -> Iterator[World]:
    made = World(servers, name)
    try:
        yield made
    finally:
        made.close()
