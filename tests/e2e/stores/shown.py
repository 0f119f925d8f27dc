"""What the stores really show, read by clients of their own, compared with what they should."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from .world import World

# Who is to be in the stores; what tenancyd may show of each.
WANTED = """
select t.id, t.slug, t.state, t.generation,
       (select coalesce(jsonb_object_agg(d.key, v.value) filter (where v.value is not null and v.value <> 'null'), '{}')
        from tenancy.setting_definition d, lateral (
            select coalesce((select o.value from tenancy.setting_value o where o.tenant_id = t.id and o.key = d.key),
                            (select o.value from tenancy.setting_value o where o.tier = t.tier and o.key = d.key),
                            d.default_value) as value) v
        where not d.secret)
from tenancy.tenant t
where t.state <> 'erased' and (t.state <> 'erasing' or t.erase_started_at is null)
"""

LAGGING = """
select format('%%s in %%s: %%s, generation %%s, observed %%s (%%s; %%s) %%s%%s', t.slug, d.name, t.state, t.generation,
              s.observed_generation, s.observed_store_generation, d.generation, s.reason,
              case when s.message <> '' then ': ' || s.message else '' end)
from tenancy.tenant t cross join tenancy.store d
left join tenancy.tenant_store s on s.tenant_id = t.id and s.store = d.name
where d.state = 'attached' and t.slug <> all (%s) and (exists (select from tenancy.store_mark m where m.tenant_id = t.id and m.store = d.name)
   or (case
    when t.state = 'erased' and s.tenant_id is null then true
    when t.state = 'erased' or (t.state = 'erasing' and t.erase_started_at is not null)
        then s.erased_at is not null and not s.present and s.due_at is null
    else s.present and s.observed_generation = t.generation and s.observed_store_generation = d.generation
         and s.observed_state = t.state and s.due_at is null and not s.parked
         and (s.conditions #>> '{Ready,status}')::boolean
         and s.reported_generation = t.generation
    end) is not true)
order by t.slug limit %s
"""


class Wanted(NamedTuple):
    id: UUID
    slug: str
    state: str
    generation: int
    settings: dict[str, Any]


def lagging(world: World, limit: int = 40, but: list[str] | None = None) -> list[str]:
    """Tenants for which SQL does not say Ready at their present generation, or that have work left."""
    return [line for (line,) in world.sql(LAGGING, [but or [], limit])]


def differences(world: World) -> list[str]:
    """Each place where a store shows another thing than it should, or something that it should not."""
    [(instance,)] = world.sql("select id::text from tenancy.instance")
    wanted = [Wanted(*row) for row in world.sql(WANTED)]
    attached = {store for (store,) in world.sql("select name from tenancy.store where state = 'attached'")}
    found: list[str] = []
    if "cache" in attached:
        found += redis_differences(world, instance, wanted)
    if "docs" in attached:
        found += mongodb_differences(world, instance, wanted)
    return found


def redis_differences(world: World, instance: str, wanted: list[Wanted]) -> list[str]:
    found: list[str] = []
    with world.servers.redis.connect() as redis:
        if redis.hmget("tenancy:instance", "instance", "store") != [instance, "cache"]:
            found.append(f"redis: stamped {redis.hgetall('tenancy:instance')}")
        with redis.pipeline(transaction=False) as pipeline:
            for tenant in wanted:
                pipeline.hgetall(f"{{t:{tenant.id.hex}}}:tenancy:tenant")
                pipeline.hgetall(f"{{t:{tenant.id.hex}}}:tenancy:settings")
            answers = pipeline.execute()
        databases = [int(name[2:]) for name in redis.info("keyspace")]
    for tenant, marker, settings in zip(wanted, answers[::2], answers[1::2], strict=True):
        should = {"instance": instance, "generation": str(tenant.generation), "state": tenant.state}
        if marker != should:
            found.append(f"redis: {tenant.slug} shows {marker} instead of {should}")
        if {key: json.loads(value) for key, value in settings.items()} != tenant.settings:
            found.append(f"redis: {tenant.slug} has settings {settings} instead of {tenant.settings}")
    return found + redis_strays(world, databases, wanted)


def redis_strays(world: World, databases: list[int], wanted: list[Wanted]) -> list[str]:
    """Keys of nobody in any database, and data of tenants that are gone though the tenants are not."""
    known = {tenant.id.hex for tenant in wanted}
    planted = {tenant.hex for tenant in world.planted} & known
    found, kept = [], {0: set[str](), 3: set[str]()}
    for number in databases:
        with world.servers.redis.connect(db=number) as redis:
            for key in redis.scan_iter(count=1000):
                named = re.match(r"\{t:([0-9a-f]{32})\}:(.*)", key)
                if not (named and named[1] in known) and (number, key) != (0, "tenancy:instance"):
                    found.append(f"redis: database {number} holds {key}, which is nobody's")
                elif named and named[2] == "session:1":
                    kept[number].add(named[1])
    lost = [f"redis: database {number} has lost the data of {hex}" for number in kept for hex in planted - kept[number]]
    return found + lost


def mongodb_differences(world: World, instance: str, wanted: list[Wanted]) -> list[str]:
    templates = {
        name: (validator, {index["name"]: _form(index) for index in indexes})
        for name, validator, indexes in world.sql("select name, validator, indexes from tenancy.store_collection")
    }
    found: list[str] = []
    with world.servers.mongodb.client() as mongodb:
        stamp = mongodb["tenancy"]["instance"].find_one({"_id": "instance"})
        if stamp is None or (stamp["instance"], stamp["store"]) != (instance, "docs"):
            found.append(f"mongodb: stamped {stamp}")
        known = {f"t_{tenant.id.hex}" for tenant in wanted}
        for name in mongodb.list_database_names():
            # What a killed probe leaves is dropped by a later one, an hour after.
            scratch = name.startswith("tenancy_probe_")
            if not scratch and name not in known | {"tenancy", "admin", "local", "config"}:
                found.append(f"mongodb: there is {name}, which is nobody's")
        for tenant in wanted:
            found += tenant_differences(mongodb[f"t_{tenant.id.hex}"], instance, tenant, templates)
            if tenant.id in world.planted and not mongodb[f"t_{tenant.id.hex}"]["orders"].find_one({"number": 1}):
                found.append(f"mongodb: the data of {tenant.slug} are lost")
    return found


def tenant_differences(database: Any, instance: str, tenant: Wanted, templates: dict[str, Any]) -> list[str]:
    found: list[str] = []
    documents = list(database["tenancy"].find({}))
    should = {
        "_id": "tenant",
        "instance": instance,
        "generation": tenant.generation,
        "state": tenant.state,
        "settings": tenant.settings,
    }
    if documents != [should]:
        found.append(f"mongodb: {tenant.slug} shows {documents} instead of {should}")
    there = {each["name"]: each.get("options", {}).get("validator") for each in database.list_collections()}
    there.pop("tenancy", None)
    if there != {name: validator for name, (validator, _) in templates.items()}:
        found.append(f"mongodb: {tenant.slug} has collections {there}")
    for name in templates.keys() & there.keys():
        indexes = {each["name"]: _found_form(each) for each in database[name].list_indexes() if each["name"] != "_id_"}
        if indexes != templates[name][1]:
            found.append(f"mongodb: {tenant.slug}.{name} has indexes {indexes} instead of {templates[name][1]}")
    return found


def _form(index: dict[str, Any]) -> tuple[Any, ...]:
    """Of a template: keys, unique, seconds to live, filter."""
    keys = [tuple(key) for key in index["keys"]]
    return keys, index.get("unique", False), index.get("ttl_seconds"), index.get("partial")


def _found_form(index: Any) -> tuple[Any, ...]:
    keys = [(field, int(way)) for field, way in index["key"].items()]
    partial = index.get("partialFilterExpression")
    seconds = index.get("expireAfterSeconds")
    return keys, bool(index.get("unique", False)), None if seconds is None else int(seconds), partial
