"""Who chooses the tenant: settings, injected SQL, borrowed authority, defaults."""

from typing import Any

import psycopg
import pytest

from .sides import ACME, GLOBEX, IDS, Side, foreign
from .trial import Attack, Trial, in_context, last

# {set} and {call} choose globex, as a statement and as an expression. READ is what an attacker is after.
READ = "select body from app.ticket"
# By the entry rule or by the pin, whichever comes first.
REFUSED = ("TN002", "TN009")
MEANS = {
    "plain": {"name": "app.tenant", "value": IDS[GLOBEX]},
    "guarded": {"name": "tenancy.context", "value": GLOBEX},
}


def choosing(side: Side, text: str, call: str = "set_config") -> str:
    means = MEANS[side.name]
    calls = {
        "set_config": "set_config('{name}', '{value}', true)",
        "enter": "set_config('{name}', '{value}', true)" if side.plain else "tenancy.enter('{value}')",
    }
    filled = text.replace("{call}", calls[call]).replace("{set}", "{name} = '{value}'")
    return filled.replace("{name}", means["name"]).replace("{value}", means["value"])


def injected(text: str, call: str = "set_config", tenant: str | None = ACME, setup: str = "") -> Attack:
    """What a query string that goes on as the attacker likes shows of globex, up to its end or its error."""

    def run(side: Side) -> list[Any]:
        with side.session(tenant, setup=choosing(side, setup, call)) as connection:
            return foreign(last(connection, "select count(*) from app.outbox; " + choosing(side, text, call)))

    return run


SETTINGS = {
    "set local": f"set local {{set}}; {READ}",
    "set": f"set {{set}}; {READ}",
    "set_config": f"select {{call}}; {READ}",
    "in the middle of a query": "select query_to_xml('select body from app.ticket', true, true, '') from (select {call} offset 0) as x",
    "in a condition": f"{READ} where (select {{call}})::text <> ''; {READ}",
    "after a savepoint": f"savepoint s; set local {{set}}; {READ}",
    "reset first": f"reset {{name}}; set local {{set}}; {READ}",
}


@pytest.mark.parametrize("call", ["set_config", "enter"])
@pytest.mark.parametrize("how", SETTINGS)
def test_x34_another_tenant(leak: Trial, how: str, call: str) -> None:
    leak.stops(injected(SETTINGS[how], call), REFUSED)


INJECTED = {
    "after COMMIT": f"commit; begin; set local {{set}}; {READ}",
    "after COMMIT, called": f"commit; begin; select {{call}}; {READ}",
    "after ROLLBACK AND CHAIN": f"rollback and chain; set local {{set}}; {READ}",
    "alone": f"set {{set}}; {READ}",
    "DO": f"do $$ begin perform {{call}}; end $$; {READ}",
    "EXECUTE": f"do $$ begin execute 'set local {{name}} = ''{{value}}'''; end $$; {READ}",
    "a function": f"create function scratch.f() returns void language plpgsql as $$ begin perform {{call}}; end $$; select scratch.f(); {READ}",
    "a procedure": f"create procedure scratch.p() language plpgsql as $$ begin perform {{call}}; end $$; call scratch.p(); {READ}",
    "a cursor": f"declare c cursor for select {{call}}; fetch c; {READ}",
    "CREATE TABLE AS": f"create temp table t on commit drop as select {{call}}; {READ}",
    "a default": f"create table scratch.t (x text default {{call}}::text); insert into scratch.t default values; {READ}",
}


@pytest.mark.parametrize("tenant", [ACME, None])
@pytest.mark.parametrize("how", INJECTED)
def test_x58_injected(leak: Trial, how: str, tenant: str | None) -> None:
    leak.stops(injected(INJECTED[how], "enter", tenant), REFUSED)


def test_x58_a_prepared_statement(leak: Trial) -> None:
    leak.stops(injected(f"prepare p as select {{call}}; execute p; {READ}", "enter"), "42501", "PREPARE")


def test_x58_a_functions_setting(leak: Trial) -> None:
    """Somebody trusted made it; on 15 and later an application cannot."""
    setup = "create function app.f() returns setof text language sql set {set} as 'select body from app.ticket'"
    leak.stops(injected("select app.f()", setup=setup), "TN009")


def test_x58_a_setting_of_ones_own_role(leak: Trial) -> None:
    """It would hold for every session of the application from then on."""

    def stores(side: Side) -> list[Any]:
        with side.connect() as connection:
            connection.execute(choosing(side, "alter role attack_app set {set}"))
        try:
            with side.connect() as connection:
                return foreign(connection.execute(READ))
        finally:
            side.admin(choosing(side, "alter role attack_app reset {name}"))

    if leak.plain.version >= 15:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stores(leak.plain)
        leak.cannot_leak("from 15 on nobody but a superuser stores a setting that no library has defined")
    else:
        leak.leaks(stores)
    leak.holds(stores, "TN009")


def test_x58_every_tenant_in_turn(leak: Trial) -> None:
    """What jobs do with a grant for all tenants is a statement of its own as well."""
    leak.cannot_leak("the twin has no such procedure")
    for first in ("commit", "commit and chain"):
        calls = f"{first}; call tenancy.for_each_tenant('insert into app.outbox select body from app.ticket')"
        leak.holds(injected(calls), "2D000")


def test_x58_options_of_the_connection(leak: Trial) -> None:
    """Some drivers take them out of a connection string that users have a part in."""

    def connects(side: Side) -> list[Any]:
        with side.connect(options=choosing(side, "-c {name}={value}")) as connection:
            return foreign(connection.execute(READ))

    leak.stops(connects, "TN001")


BY_ROLE = """
create table app.note (tenant_id uuid not null, body text);
insert into app.note values ('{globex}', 'of globex'), ('{acme}', 'of acme');
create function app.theirs() returns setof text language plpgsql security definer as $$ begin
    {enters} return query select body from app.note; end $$;
alter function app.theirs() owner to attack_narrow;
grant select on app.note to attack_app, attack_narrow;
grant create on schema app to attack_narrow;
"""
MEMBERS = """
create table app.member (role name, tenant uuid);
insert into app.member values ('attack_app', '{acme}'), ('attack_narrow', '{globex}');
grant select on app.member to public;
create policy t on app.note using (tenant_id = (select tenant from app.member where role = current_user));
alter table app.note enable row level security, force row level security;
"""
GRANTED = "select tenancy.protect('app.note'), tenancy.grant_access('attack_narrow', 'globex', reason => 'x');"


def borrows(enters: str) -> Attack:
    """The application calls a function whose owner may work for globex."""

    def run(side: Side) -> list[Any]:
        setup = BY_ROLE.replace("{enters}", "" if side.plain else enters) + (MEMBERS if side.plain else GRANTED)
        with side.session(setup=setup.replace("{globex}", IDS[GLOBEX]).replace("{acme}", IDS[ACME])) as connection:
            return foreign(connection.execute("select app.theirs()"))

    return run


def test_x59_the_owner_of_a_function(leak: Trial) -> None:
    leak.stops(borrows(""))
    leak.holds(borrows("perform tenancy.enter('globex');"), REFUSED)
    leak.holds(borrows("set local tenancy.context = 'globex';"), REFUSED)


def test_x59_a_role_that_was_left(leak: Trial) -> None:
    """A program gives up rights by SET ROLE and keeps the tenant that it had entered with them."""
    leak.stops(in_context(f"set local role attack_narrow; {READ}", tenant=GLOBEX, setup="grant attack_narrow to attack_app"), "TN003")


def test_x59_a_role_that_is_not_the_sessions(leak: Trial) -> None:
    """The other way round: a superuser's session that became the narrow role enters as that."""

    def enters(side: Side) -> list[Any]:
        with side.session(GLOBEX, role="attack_narrow", setup="select") as connection:
            return foreign(connection.execute(READ))

    leak.stops(enters, "42501")


def test_x36_a_setting_that_is_empty(leak: Trial) -> None:
    """After the first transaction the setting is there and empty, and no cast takes it: nothing works any more."""

    def breaks(side: Side) -> bool:
        with side.connect() as connection:
            with connection.transaction():
                side.enter(connection, ACME)
            try:
                connection.execute(READ)
            except psycopg.Error as error:
                return error.sqlstate == "22P02"
        return False

    leak.stops(breaks)


def test_x36_an_empty_setting_that_matches(leak: Trial) -> None:
    """Where tenants are texts, the rows of '' are everybody's."""

    def reads(side: Side) -> list[Any]:
        by_hand = "create policy t on app.key using (tenant = current_setting('app.tenant', true));" \
            "alter table app.key enable row level security, force row level security;"
        side.admin("create table app.key (tenant text not null, body text); insert into app.key values ('', 'of globex');"
                   "grant select on app.key to attack_app;" + (by_hand if side.plain else "select tenancy.protect('app.key', 'tenant')"))
        try:
            with side.connect() as connection:
                with connection.transaction():
                    side.enter(connection, ACME)
                return foreign(connection.execute("select * from app.key"))
        finally:
            side.admin("drop table app.key")

    leak.stops(reads, "TN001")


def test_x39_a_variable_of_the_library(leak: Trial) -> None:
    leak.cannot_leak("the twin has no library: its setting is rolled back and handed to parallel workers by PostgreSQL")

    def survives(side: Side) -> list[Any]:
        with side.connect() as connection:
            connection.execute("begin; savepoint s")
            side.enter(connection, GLOBEX)
            connection.execute("rollback")
            seen = [*connection.execute("select tenancy.current_tenant() as globex where tenancy.current_tenant() is not null")]
            with connection.transaction(force_rollback=True):
                side.enter(connection, GLOBEX)
                with pytest.raises(psycopg.Error), connection.transaction():
                    connection.execute("select 1 / 0")
            with connection.transaction(force_rollback=True):
                side.enter(connection, ACME)
                return seen + foreign(connection.execute(READ))

    leak.holds(survives)


def test_x39_parallel_workers(leak: Trial) -> None:
    leak.cannot_leak("as above")

    def counts(side: Side) -> list[Any]:
        setup = "create function app.pid() returns int language plpgsql parallel safe as $$ begin return pg_backend_pid(); end $$"
        with side.session(setup=setup) as connection:
            connection.execute(f"set local {side.server.forced_parallel} = on")
            rows = connection.execute("select body, app.pid() from app.ticket").fetchall()
            assert len(rows) == 10 and all(pid != connection.info.backend_pid for _, pid in rows)
            return foreign(rows)

    leak.holds(counts)


LEGACY = """
create table app.legacy (body text);
insert into app.legacy values ('of globex'), ('of acme');
alter table app.legacy owner to attack_owner;
grant select on app.legacy to attack_app;
"""


@pytest.mark.parametrize("kind", ["in the context of a tenant", "not null"])
def test_x63_a_default_that_stamps(leak: Trial, kind: str) -> None:
    """A migration runs in acme's context, and all rows of the table become acme's."""
    not_null = " not null" * (kind == "not null")

    def stamps(side: Side) -> list[Any]:
        setup = LEGACY if side.plain else LEGACY + "select tenancy.grant_access('attack_owner', '*', reason => 'x')"
        default = "current_setting('app.tenant')::uuid" if side.plain else "tenancy.default_tenant_id()"
        with side.session(role="attack_owner", setup=setup) as connection:
            connection.execute(f"alter table app.legacy add tenant_id uuid{not_null} default {default}")
            return foreign(connection.execute("select * from app.legacy where tenant_id = %s", [IDS[ACME]]))

    leak.stops(stamps, "TN019")
