"""What a pooled connection brings from one tenant to the next, and what sessions of one role share."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from harness import PgBouncer

from .sides import ACME, GLOBEX, IDS, Side, collect, foreign
from .trial import Attack, Trial, carried

READ = "select body from app.ticket"
MakePooler = Callable[..., PgBouncer]


@pytest.fixture
def pooler(leak: Trial, make_pgbouncer: MakePooler) -> PgBouncer:
    return make_pgbouncer(leak.plain.server)


def through(pooler: PgBouncer, side: Side) -> psycopg.Connection[Any]:
    return pooler.connect(user="attack_app", dbname=side.database)


def attempt(connection: psycopg.Connection[Any], statement: str) -> str | None:
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def test_x35_a_session_setting(leak: Trial, pooler: PgBouncer) -> None:
    """globex's client sets its tenant once; the next client has it."""

    def next_client(side: Side) -> list[Any]:
        enter = f"set app.tenant = '{IDS[GLOBEX]}'" if side.plain else "select tenancy.enter('globex', 'session')"
        with through(pooler, side) as globex, through(pooler, side) as acme:
            assert attempt(globex, enter) == (None if side.plain else "42501")
            return foreign(acme.execute(READ))

    leak.stops(next_client, "TN001")


def test_x35_set_local_outside_a_transaction(leak: Trial, pooler: PgBouncer) -> None:
    """acme's client believes that it has chosen, and works with what the one before it left."""

    def believes(side: Side) -> list[Any]:
        choose = f"set local app.tenant = '{IDS[ACME]}'" if side.plain else "set local tenancy.context = 'acme'"
        with through(pooler, side) as globex, through(pooler, side) as acme:
            attempt(globex, f"set app.tenant = '{IDS[GLOBEX]}'")
            acme.execute(choose)
            return foreign(acme.execute(READ))

    leak.stops(believes, "25P01")


HELD = {
    "cursor": (f"declare c cursor with hold for {READ}", "fetch all from c"),
    "cursor over a function": ("declare c cursor with hold for select query_to_xml('select body from app.ticket', true, true, '')", "fetch all from c"),
    "temporary table": (f"create temp table kept as {READ}", "select * from kept"),
    "temporary table in pg_temp": (f"create table pg_temp.kept as {READ}", "select * from kept"),
    "temporary table by search_path": (f"set local search_path = pg_temp, public; create table kept as {READ}", "select * from pg_temp.kept"),
    "temporary view": ("create temp view kept as select 'globex'", "select * from kept"),
    "temporary function": ("create function pg_temp.kept() returns text language sql as $$ select 'globex' $$", "select pg_temp.kept()"),
    "temporary sequence": ("create temp sequence kept; select setval('kept', 7)", "select 'globex' from kept where last_value = 7"),
}


@pytest.mark.parametrize("what", HELD)
def test_x37_what_outlives_the_transaction(leak: Trial, what: str) -> None:
    leak.stops(carried(*HELD[what], clean="close all; discard temp"), "42501", "outlive|WITH HOLD")


def test_x37_an_older_temporary_table(leak: Trial) -> None:
    """Made without a context, by whom no guard stops, and filled in globex's."""

    def fills(side: Side) -> list[Any]:
        with side.connect("postgres") as connection:
            connection.execute("create temp table kept (body text); grant all on kept to public; set role attack_app")
            with connection.transaction():
                side.enter(connection, GLOBEX)
                connection.execute(f"insert into kept {READ}")
            with connection.transaction():
                side.enter(connection, ACME)
                return foreign(connection.execute("select * from kept"))

    # Entering has cleared what was there.
    leak.stops(fills, "42P01")


LOOP = """
do $$ declare r record; begin
    {globex}
    for r in select body from app.ticket loop
        {end};
        perform set_config('app.tenant', '{acme}', false);
        raise notice 'to acme: %', r.body;
    end loop;
end $$
"""


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_x37_a_loop_that_commits(leak: Trial, end: str) -> None:
    def loops(side: Side) -> list[str]:
        chosen = f"perform set_config('app.tenant', '{IDS[GLOBEX]}', false);" if side.plain else ""
        if not side.plain:
            side.admin("select tenancy.grant_access('attack_app', '*', reason => 'x', session_scope => true)")
        try:
            with side.connect() as connection:
                if not side.plain:
                    connection.execute("select tenancy.enter('globex', 'session')")
                told = collect(connection)
                connection.execute(LOOP.format(globex=chosen, end=end, acme=IDS[ACME]))
                return foreign(told)
        finally:
            if not side.plain:
                side.admin("select tenancy.grant_access('attack_app', '*', reason => 'the application')")

    leak.stops(loops, "42501", "in a loop")


CHANNEL = f"t_{IDS[GLOBEX].replace('-', '')}_events"


def test_x38_listening(leak: Trial) -> None:
    def listens(side: Side) -> list[str]:
        with side.connect() as acme, side.connect("postgres") as globex:
            with acme.transaction():
                side.enter(acme, ACME)
                acme.execute(f"listen {CHANNEL}")
            globex.execute(f"notify {CHANNEL}, 'of globex'")
            return [n.payload for n in acme.notifies(timeout=10, stop_after=1)]

    leak.stops(listens, "42501", "channel")


@pytest.mark.parametrize("statement", ["notify {}, 'forged'", "select pg_notify('{}', 'forged')",
                                       "do $$ begin execute 'notify {}, ''forged'''; end $$"])
def test_x38_notifying(leak: Trial, statement: str) -> None:
    def forges(side: Side) -> list[str]:
        with side.connect("postgres") as globex, side.connect() as acme:
            globex.execute(f"listen {CHANNEL}")
            with acme.transaction():
                side.enter(acme, ACME)
                acme.execute(statement.format(CHANNEL))
            return [n.payload for n in globex.notifies(timeout=10, stop_after=1)]

    leak.stops(forges, "42501")


@pytest.mark.parametrize("lock", ["pg_advisory_lock(42)", "pg_try_advisory_lock(42)", "pg_advisory_lock(0, 42)"])
def test_x38_a_lock_that_stays(leak: Trial, lock: str) -> None:
    """acme's lock stays in the pooled session, and stops globex in another one."""

    def stays(side: Side) -> bool:
        again = "select pg_try_advisory_lock(0, 42)" if "0, 42" in lock else "select pg_try_advisory_lock(42)"
        with side.connect() as pooled, side.connect() as other:
            with pooled.transaction():
                side.enter(pooled, ACME)
                pooled.execute(f"select {lock}")
            with pooled.transaction():
                side.enter(pooled, GLOBEX)
            with other.transaction():
                side.enter(other, GLOBEX)
                return other.execute(again).fetchone() == (False,)

    leak.stops(stays, "42501", "all tenants share")


def held_by_globex(side: Side, key: str) -> str:
    """What globex takes the lock with: where tenants have locks of their own, as its tenant."""
    return f"select pg_advisory_xact_lock({key})" if side.plain else f"select tenancy.advisory_xact_lock({key})"


def is_stopped_by(take: str, key: str) -> Attack:
    """Whether acme meets the lock that globex holds: it could hold it first."""

    def meets(side: Side) -> bool:
        with side.session(GLOBEX) as victim, side.session() as attacker:
            victim.execute(held_by_globex(side, key))
            return attacker.execute(f"select {take}({key})").fetchone() == (False,)

    return meets


TAKE = "pg_try_advisory_xact_lock"


def test_x38_a_lock_of_another_tenant(leak: Trial) -> None:
    leak.leaks(is_stopped_by(TAKE, "4711"))
    leak.holds(is_stopped_by(TAKE, "4711"), "42501", "all tenants share")
    leak.holds(is_stopped_by("tenancy.try_advisory_xact_lock", "4711"))


def test_x38_a_lock_of_another_tenant_by_its_number(leak: Trial) -> None:
    """Taken without a context under the number that pg_locks shows."""

    def takes(side: Side) -> bool:
        with side.session(GLOBEX) as victim, side.connect() as attacker:
            victim.execute(held_by_globex(side, "4711"))
            [(high, low, space)] = attacker.execute("select classid::bigint, objid::bigint, objsubid from pg_locks where locktype = 'advisory'")
            taken = attacker.execute("select pg_try_advisory_lock(%s)", [(high << 32 | low) - (high >> 31 << 64)]).fetchone()
            return taken == (False,) and space == 1

    leak.stops(takes)


BACKEND = "select pg_stat_get_backend_activity(id) from pg_stat_get_backend_idset() id where pg_stat_get_backend_pid(id) = %s"
TEXTS = {
    "view": "select query from pg_stat_activity where pid = %s",
    "function": "select query from pg_stat_get_activity(%s)",
    "backend": BACKEND,
}


def text_of_globex(query: str, *, tenant: str | None = ACME, first: str = "select") -> Attack:
    def watches(side: Side) -> list[Any]:
        with side.session(GLOBEX) as victim, side.session(tenant) as attacker:
            victim.execute("select 'globex has a secret'")
            attacker.execute(first)
            return foreign(attacker.execute(query, [victim.info.backend_pid]))

    return watches


@pytest.mark.parametrize("first", ["select", "commit", "rollback"])
@pytest.mark.parametrize("how", TEXTS)
def test_x38_the_text_of_statements(leak: Trial, how: str, first: str) -> None:
    leak.stops(text_of_globex(TEXTS[how], first=first), "42501", "what other sessions do")


def test_x38_remains_the_text_of_statements_before_any_tenant(leak: Trial) -> None:
    leak.remains(text_of_globex(TEXTS["view"], tenant=None))


ADVISORY = "select classid, objid, objsubid from pg_locks where locktype = 'advisory'"


def locks_of_globex(query: str, *, tenant: str | None = ACME) -> Attack:
    def looks(side: Side) -> list[Any]:
        with side.session(GLOBEX) as victim, side.session(tenant) as attacker:
            victim.execute(held_by_globex(side, "4711"))
            return attacker.execute(query).fetchall()

    return looks


@pytest.mark.parametrize("query", [ADVISORY, "select * from pg_lock_status() where objid = 4711"])
def test_x38_that_a_lock_is_held(leak: Trial, query: str) -> None:
    leak.stops(locks_of_globex(query), "42501", "what other sessions do")


def test_x38_which_lock_is_held(leak: Trial) -> None:
    """Asked by a session that enters no tenant: the key cannot be told from the number."""
    leak.stops(locks_of_globex(f"{ADVISORY} and objid = 4711", tenant=None))


def test_x38_remains_that_some_lock_is_held(leak: Trial) -> None:
    leak.remains(locks_of_globex(ADVISORY, tenant=None))


IN_APP = "-c search_path=app,public"


def pooled(side: Side, *steps: tuple[str, str], clean: str = "discard all") -> list[Any]:
    """The rows of the last statement of several transactions of a pooled connection, one for each tenant."""
    with side.connect(options=IN_APP) as connection:
        try:
            for tenant, statement in steps:
                with connection.transaction():
                    side.enter(connection, tenant)
                    cursor = connection.execute(statement)
                    rows = cursor.fetchall() if cursor.description else []
            return rows
        finally:
            connection.execute("rollback")
            connection.execute(clean)


def test_x60_a_table_that_shadows(leak: Trial) -> None:
    """acme puts a temporary table in the place of a real one; globex writes into it."""
    steps = (ACME, "create temp table outbox (body text)"), (GLOBEX, "insert into outbox values ('of globex')"), (ACME, "select * from outbox")
    leak.stops(lambda side: foreign(pooled(side, *steps)), "42501", "outlive")


def test_x60_a_statement_under_the_drivers_name(leak: Trial) -> None:
    """acme's SQL takes the place of a statement that globex's driver has prepared."""

    def executes(side: Side) -> list[Any]:
        with side.connect() as connection:
            connection.pgconn.prepare(b"drivers_1", b"select 1")
            with connection.transaction():
                side.enter(connection, ACME)
                connection.execute("deallocate drivers_1")
                connection.execute("prepare drivers_1 as insert into app.outbox select body from app.ticket")
            with connection.transaction():
                side.enter(connection, GLOBEX)
                connection.pgconn.exec_prepared(b"drivers_1", [])
            with connection.transaction():
                side.enter(connection, ACME)
                rows = connection.execute("delete from app.outbox returning *").fetchall()
        return foreign(rows)

    leak.stops(executes, "42501", "PREPARE")


@pytest.mark.parametrize("read", ["select lastval()", "select currval('app.ticket_id_seq')"])
def test_x60_the_last_number(leak: Trial, read: str) -> None:
    """What id globex's last row has."""
    insert = f"insert into app.ticket (tenant_id, body) values ('{IDS[GLOBEX]}', 'new') returning id"

    def reads(side: Side) -> Any:
        return pooled(side, (GLOBEX, insert), (GLOBEX, "delete from app.ticket where body = 'new'"), (ACME, read))

    leak.stops(reads, ("55000", "42501"))


@pytest.mark.parametrize("setting", ["default_transaction_read_only = on", "search_path = pg_catalog"])
def test_x60_remains_a_setting(leak: Trial, setting: str) -> None:
    """acme leaves a setting, and globex's request fails."""

    def leaves(side: Side) -> bool:
        try:
            pooled(side, (ACME, f"set {setting}"), (GLOBEX, "insert into outbox values ('x')"))
        except psycopg.Error:
            return True
        return False

    leak.remains(leaves)


def test_x60_remains_a_search_path(leak: Trial) -> None:
    """acme has a table of the same name where its search_path leads, and globex writes into that."""
    steps = [
        (ACME, "create table scratch.outbox (body text); set search_path = scratch, app"),
        (GLOBEX, "insert into outbox values ('of globex')"),
        (ACME, "select * from scratch.outbox"),
    ]
    leak.remains(lambda side: foreign(pooled(side, *steps, clean="reset search_path; drop table scratch.outbox")))


ACTIVE = """
create table app.note (tenant_id uuid not null, body text);
grant all on app.note to attack_app;
"""
ASKS = """
create policy t on app.note using (tenant_id = current_setting('app.tenant', true)::uuid
    and (select active from app.tenant where id = tenant_id));
alter table app.note enable row level security, force row level security;
"""


class Suspension:
    """Suspends globex in the middle of a transaction of its own, and ends what it has done."""

    def __init__(self, side: Side) -> None:
        self.side = side
        side.admin(ACTIVE + (ASKS if side.plain else "select tenancy.protect('app.note')"))

    def __enter__(self) -> "Suspension":
        return self

    def suspend(self) -> None:
        plain = f"update app.tenant set active = false where slug = '{GLOBEX}'"
        self.side.admin(plain if self.side.plain else f"select tenancy.suspend('{GLOBEX}', 'unpaid')")

    def stored(self) -> list[Any]:
        return self.side.admin("select * from app.note")

    def __exit__(self, *_: object) -> None:
        plain = f"update app.tenant set active = true where slug = '{GLOBEX}'"
        self.side.admin(plain if self.side.plain else "select tenancy.resume(slug) from tenancy.tenant where state = 'suspended'")
        self.side.admin("drop table app.note")


INSERT = f"insert into app.note values ('{IDS[GLOBEX]}', 'after')"


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_x41_a_commit_that_lands_afterwards(leak: Trial, level: str) -> None:
    def lands(side: Side) -> list[Any]:
        with Suspension(side) as globex, side.connect() as connection:
            connection.execute(f"begin isolation level {level}")
            side.enter(connection, GLOBEX)
            connection.execute(INSERT)
            globex.suspend()
            connection.execute("commit")
            return globex.stored()

    leak.stops(lands, "TN005")


@pytest.mark.parametrize("statement", ["insert", "fetch", "select"])
def test_x41_a_statement_that_goes_on(leak: Trial, statement: str) -> None:
    """At REPEATABLE READ the condition is of the moment when the transaction began."""
    goes_on = {"insert": INSERT, "fetch": "fetch 1 from c", "select": "select * from app.note"}[statement]

    def works(side: Side) -> bool:
        with Suspension(side) as globex, side.connect() as connection:
            connection.execute("begin isolation level repeatable read")
            side.enter(connection, GLOBEX)
            connection.execute(f"{INSERT}; declare c cursor for select * from app.note")
            globex.suspend()
            return connection.execute(goes_on).rowcount == 1

    leak.stops(works, "TN005")


def test_x41_a_prepared_transaction(leak: Trial) -> None:
    def prepares(side: Side) -> list[Any]:
        with Suspension(side) as globex, side.connect() as connection:
            connection.execute("begin")
            side.enter(connection, GLOBEX)
            connection.execute(INSERT)
            connection.execute("prepare transaction 'globex'")
            globex.suspend()
            connection.execute("commit prepared 'globex'")
            return globex.stored()

    leak.stops(prepares, "0A000")
