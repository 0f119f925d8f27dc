"""The whole life of some tenants, in steps that each want something of both stores."""

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

from .world import ORDERS, World

# Whether what a step wants besides SQL's word has come about.
Came = Callable[[], bool]
Step = Callable[[], Came | None]

# Each differs from ORDERS in what makes another kind of step.
OTHER_VALIDATOR = '{"$jsonSchema": {"bsonType": "object", "required": ["number", "text"]}}'
OTHER_TTL = ORDERS[2].replace("3600", "7200")
OTHER_INDEX = OTHER_TTL.replace('"unique": true', '"unique": false')
ONE_INDEX = '[{"name": "expiry", "keys": [["at", 1]], "ttl_seconds": 3600}]'


class Life:
    """Of `size` tenants of a world whose policy is to prune what is unknown."""

    def __init__(self, world: World, name: str, size: int = 2) -> None:
        self.world = world
        self.slugs = [f"{name}-{number}" for number in range(size)]
        self.tenants: list[UUID] = []

    def steps(self) -> Iterator[tuple[str, Step]]:
        """Name and act of each; after each the stores are to follow before the next."""
        yield "provision", self._provision
        yield "set_setting", lambda: self._setting("9")
        yield "own data", self._plant
        yield "suspend", lambda: self.world.act("suspend", self.slugs)
        yield "resume", lambda: self.world.act("resume", self.slugs)
        yield "set_read_only", lambda: self.world.act("set_read_only", self.slugs)
        yield "resume again", lambda: self.world.act("resume", self.slugs)
        yield "another validator", lambda: self._orders(OTHER_VALIDATOR, ORDERS[2])
        yield "another time to live", lambda: self._orders(OTHER_VALIDATOR, OTHER_TTL)
        yield "another index", lambda: self._orders(OTHER_VALIDATOR, OTHER_INDEX)
        yield "an index less", lambda: self._orders(ORDERS[1], ONE_INDEX)
        yield "a collection more", lambda: self.world.define_collection("notes", None, "[]")
        yield "a collection less", self._fewer_collections
        yield "as before", lambda: self._orders(*ORDERS[1:])
        yield "strangers are adopted", lambda: self._policy("adopt")
        yield "strangers", self._strangers_come
        yield "strangers are pruned", self._prune_strangers
        yield "suspend again", lambda: self.world.act("suspend", self.slugs)
        yield "archive", lambda: self.world.act("archive", self.slugs)
        yield "request_erasure", lambda: self.world.act("request_erasure", self.slugs)
        yield "erase", self._begin_erasing

    def finish(self) -> None:
        for slug in self.slugs:
            self.world.erase(slug)

    def _provision(self) -> None:
        plan = {"name": "ü", "limits": [1, 2.5, None]}
        self.tenants = [self.world.provision(slug, region="us", plan=plan) for slug in self.slugs]

    def _setting(self, seats: str) -> None:
        for slug in self.slugs:
            self.world.admin("select tenancy.set_setting(%s, 'seats', %s)", [slug, seats])

    def _plant(self) -> None:
        for tenant in self.tenants:
            self.world.plant(tenant)

    def _orders(self, validator: str, indexes: str) -> None:
        self.world.define_collection("orders", validator, indexes)

    def _fewer_collections(self) -> None:
        self.world.admin("select tenancy.remove_collection('docs', 'notes')")

    def _policy(self, policy: str) -> Came:
        """In force when a scan of each store has begun and ended since."""
        self.world.define_stores(unknown_objects=policy)
        ends: dict[str, set[object]] = {"cache": set(), "docs": set()}

        def scanned() -> bool:
            for store, end in self.world.sql("select store, scan_finished_at from tenancy.store_status"):
                ends[store].add(end)
            return all(len(seen) > 2 for seen in ends.values())

        return scanned

    def _strangers_come(self) -> Came:
        """In places of tenants that never were."""
        self.strangers = [uuid4().hex for _ in self.tenants]
        with self.world.servers.redis.connect(db=2) as redis, self.world.servers.mongodb.client() as mongodb:
            for stranger in self.strangers:
                redis.set(f"{{t:{stranger}}}:left", "over")
                mongodb[f"t_{stranger}"]["left"].insert_one({"over": True})
        return lambda: self._strangers("adopted") == 2 * len(self.strangers)

    def _prune_strangers(self) -> Came:
        self.world.define_stores(unknown_objects="prune")
        return lambda: not self._left_over()

    def _strangers(self, word: str) -> int:
        """How many of them the audit trail says that of, in both stores."""
        [(number,)] = self.world.sql(
            """select count(distinct (detail ->> 'store', tenant_id)) from tenancy.audit_event
               where event = 'unknown_object_' || %s and replace(tenant_id::text, '-', '') = any (%s)""",
            [word, self.strangers],
        )
        return int(number)

    def _left_over(self) -> bool:
        with self.world.servers.redis.connect(db=2) as redis, self.world.servers.mongodb.client() as mongodb:
            return bool(redis.dbsize()) or any(f"t_{each}" in mongodb.list_database_names() for each in self.strangers)

    def _begin_erasing(self) -> None:
        """Not waiting for the stores yet: finish() does."""
        self.world.begin_erasing(self.slugs)
        self.world.planted -= set(self.tenants)
