"""Every operator that is trusted with other tenants' values, tried with the worst of them: in indexes of every
kind, in statistics, on lossy bitmaps. A tenant must get what it gets where the other tenant does not exist."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from harness import Server

from .hostile import ELEMENTS, POLYMORPHIC, TYPES

# Not trusted, whatever they are given: see docs/explanation/index-pushdown.md.
UNTRUSTED = re.compile(
    r"^(box|circle|poly|point|line|path|lseg|on_pb|pt_contained|record_|aclitem|jsonb_path|ts_match_t[qt]"
    r"|(text|bpchar|name)(ic)?regex|(multi)?range_adjacent)"
)

OPERATORS = """
select o.oid::regoperator::text, o.oprname, o.oprcode::regproc::text, o.oprleft::regtype::text, o.oprright::regtype::text,
    p.proleakproof
from pg_operator o join pg_proc p on p.oid = o.oprcode
where o.oid < 16384 and o.oprleft <> 0 and (o.oprrest <> 0 or o.oprjoin <> 0
    or exists (select from pg_amop a where a.amopopr = o.oid and a.amoppurpose = 's'))
order by 1
"""

ROLES = """
do $$ begin if to_regrole('trust_app') is null then create role trust_app login; end if; end $$;
create extension pg_trgm;
create type trust_mood as enum ('bad', 'fair', 'good');
select tenancy.provision('own'), tenancy.provision('hostile');
select tenancy.grant_access('trust_app', '*', reason => 'tests');
"""

# Every index that the type has an operator class for, one each, if the values fit.
INDEXES = """
do $$
declare class record;
begin
    for class in
        select am.amname, c.opcname, c.opcnamespace::regnamespace as schema from pg_opclass c join pg_am am on am.oid = c.opcmethod
        where c.opcintype = any (array['{type}'::regtype::oid, {polymorphic}]) order by 1, 2
    loop
        begin
            execute format('create index on {table} using %I (value %I.%I)', class.amname, class.schema, class.opcname);
        exception when program_limit_exceeded then
            null;
        end;
    end loop;
end $$
"""


@dataclass(frozen=True)
class Trust:
    server: Server
    database: str

    def admin(self, sql: str) -> list[tuple[Any, ...]]:
        return self.server.execute(sql, dbname=self.database)


def table_of(type_name: str) -> str:
    return "trust_" + re.sub(r"\W", "_", type_name)


def polymorphic_of(type_name: str) -> str:
    found = [f"'{name}'::regtype" for name, types in POLYMORPHIC.items() if type_name in types]
    return ", ".join(found) or "0"


@pytest.fixture(scope="module")
def trust(server: Server) -> Iterator[Trust]:
    database = server.createdb("trust", extensions=["tenancy"])
    made = Trust(server, database)
    made.admin(ROLES)
    for name, type_ in TYPES.items():
        table = table_of(name)
        made.admin(f"create table {table} (id serial, tenant_id uuid, value {name})")
        for slug, values in (("own", type_.own), ("hostile", type_.hostile + type_.own)):
            for value in values:
                made.admin(
                    f"insert into {table} (tenant_id, value) select tenancy.tenant_id('{slug}'), ({value})::{name}"
                    f" from generate_series(1, {30 if slug == 'own' else 3})"
                )
        made.admin(INDEXES.format(type=name, table=table, polymorphic=polymorphic_of(name)))
        made.admin(f"create table alone_{table} as select * from {table} where tenant_id = tenancy.tenant_id('own')")
        made.admin(f"select tenancy.protect('{table}')")
        made.admin(f"grant select on {table}, alone_{table} to trust_app")
        made.admin(f"analyze {table}")
    yield made
    server.dropdb(database)


@pytest.fixture(scope="module")
def operators(trust: Trust) -> list[tuple[Any, ...]]:
    return trust.admin(OPERATORS)


def concrete(left: str, right: str) -> Iterator[tuple[str, str]]:
    """The types an operator of these is tried with."""
    left, right = ({"character": "bpchar", "timestamp without time zone": "timestamp",
                    "timestamp with time zone": "timestamptz"}.get(side, side) for side in (left, right))
    polymorphic = {side for side in (left, right) if side.startswith("any")}
    if not polymorphic:
        yield left, right
        return
    kind = min(polymorphic - {"anyelement"})  # a multirange before its range
    for name in POLYMORPHIC[kind]:
        names = {"anyelement": "element", "anyrange": name.replace("multirange", "range"), kind: name}
        yield names.get(left, left), names.get(right, right)


def values_of(name: str, other: str) -> tuple[str, ...]:
    if name == "element":
        return (ELEMENTS[other.replace("multirange", "range")],)
    return tuple(f"({value})::{name}" for value in (TYPES[name].own + TYPES[name].hostile[:1]))


def conditions(operator: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """(table, condition) for the operator with a column on either side."""
    for left, right in concrete(operator[3], operator[4]):
        if left in TYPES:
            for value in values_of(right, left) if right == "element" or right in TYPES else ():
                yield table_of(left), f"value operator(pg_catalog.{operator[1]}) {value}"
        if right in TYPES:
            for value in values_of(left, right) if left == "element" or left in TYPES else ():
                yield table_of(right), f"{value} operator(pg_catalog.{operator[1]}) value"


MODES = (
    "set local enable_seqscan = off",
    "set local enable_seqscan = off; set local enable_indexscan = off; set local enable_indexonlyscan = off; set local work_mem = '64kB'",
    "set local enable_bitmapscan = off; set local enable_indexscan = off; set local enable_indexonlyscan = off",
)


class Asker:
    """Asks as the tenant, in a mode, and keeps what is said meanwhile."""

    def __init__(self, trust: Trust, mode: str = "", level: str = "notice") -> None:
        # A scan that is switched off costs so much that it would be compiled.
        options = f"-c client_min_messages={level} -c jit=off"
        self.connection = trust.server.connect(user="trust_app", dbname=trust.database, options=options)
        self.connection.add_notice_handler(lambda notice: self.said.append(notice.message_primary or ""))
        self.said: list[str] = []
        self.mode = mode
        self._begin()

    def _begin(self) -> None:
        self.connection.execute("begin")
        self.connection.execute("select tenancy.enter('own')")
        self.connection.execute(self.mode)

    def outcome(self, sql: str) -> tuple[str, list[str]]:
        """The rows or the error, and the messages."""
        self.said = []
        try:
            return repr(sorted(self.connection.execute(sql).fetchall())), self.said
        except psycopg.Error as error:
            found = f"{error.sqlstate} {error.diag.message_primary}"
            self.connection.rollback()
            self._begin()
            return found, self.said


@pytest.mark.parametrize("mode", MODES, ids=["index", "lossy bitmap", "scan"])
def test_every_trusted_operator_with_hostile_values(trust: Trust, operators: list[tuple[Any, ...]], mode: str) -> None:
    tried = set()
    asker = Asker(trust, mode)
    for operator in operators:
        if UNTRUSTED.match(operator[2]):
            continue
        for table, condition in conditions(operator):
            tried.add(operator[0])
            alone = asker.outcome(f"select id from alone_{table} where {condition}")
            assert asker.outcome(f"select id from {table} where {condition}") == alone, condition
    asker.connection.close()
    untried = {operator[0] for operator in operators if not operator[5] and not UNTRUSTED.match(operator[2])} - tried
    assert not untried


def test_which_operators_are_trusted(trust: Trust, operators: list[tuple[Any, ...]]) -> None:
    """What is trusted is what was tried above, in this version of PostgreSQL."""
    asker = Asker(trust, level="debug1")
    for operator in operators:
        for table, condition in list(conditions(operator))[:1]:
            _, said = asker.outcome(f"select id from {table} where {condition}")
            trusted = not any("is not trusted" in message for message in said)
            assert trusted == (not UNTRUSTED.match(operator[2])), condition
    asker.connection.close()
