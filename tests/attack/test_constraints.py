"""Constraints that tell of rows which a policy hides, or act on them."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest

from .sides import ACME, GLOBEX, IDS, Side, foreign
from .trial import Attack, Trial, in_context

TAKEN, FREE = "c1@globex.example", "nobody@nowhere.example"


def tried(connection: psycopg.Connection[Any], statement: str, *parameters: Any) -> tuple[str | None, int, str | None]:
    """All that a statement tells: its SQLSTATE, its count of rows, its message and detail."""
    try:
        with connection.transaction(force_rollback=True):
            cursor = connection.execute(statement, parameters)
            return None, cursor.rowcount, None
    except psycopg.Error as error:
        return error.sqlstate, -1, error.diag.message_primary


def under_policies(schema: str, *tables: str, **options: str) -> Callable[[Side], str]:
    """A setup that makes tables and puts them under policies, by hand or by protect."""
    named = "".join(f", {name} => '{value}'" for name, value in options.items())

    def setup(side: Side) -> str:
        made = schema.replace("{globex}", IDS[GLOBEX]).replace("{acme}", IDS[ACME])
        for table in tables:
            made += (
                f"create policy t on {table} using (tenant_id = current_setting('app.tenant', true)::uuid);"
                f"alter table {table} enable row level security, force row level security;"
            ) if side.plain else f"select tenancy.protect('{table}'{named});"
        return made

    return setup


def tells(statement: str, taken: Any, free: Any, **session: Any) -> Attack:
    """Whether a statement answers differently for a value that another tenant has and one that nobody has."""

    def run(side: Side) -> Any:
        with side.session(**session) as connection:
            answers = [tried(connection, statement, IDS[ACME], value) for value in (taken, free)]
        return answers if answers[0] != answers[1] else None

    return run


UNIQUE = {
    "insert": "insert into app.{0} (tenant_id, {1}) values (%s, %s)",
    "on conflict do nothing": "insert into app.{0} (tenant_id, {1}) values (%s, %s) on conflict do nothing",
    "on conflict do update": "insert into app.{0} (tenant_id, {1}) values (%s, %s) on conflict ({1}) do update set {1} = excluded.{1}",
    "on conflict of the column": "insert into app.{0} (tenant_id, {1}) values (%s, %s) on conflict ({1}) do nothing",
    "on conflict of the constraint": "insert into app.{0} (tenant_id, {1}) values (%s, %s) on conflict on constraint {0}_{1}_key do nothing",
    "update": "update app.{0} set tenant_id = %s, {1} = %s where id = (select min(id) from app.{0})",
    "merge": "merge into app.{0} using (select %s::uuid as t, %s as v) as new on false"
    " when not matched then insert (tenant_id, {1}) values (new.t, new.v)",
}


@pytest.mark.parametrize("how", UNIQUE)
def test_k23_a_unique_key(leak: Trial, how: str) -> None:
    """app.login is protected with harden_keys => 'keys'."""
    leak.stops(tells(UNIQUE[how].format("login", "name"), "boss of globex", "nobody"))


ACCOUNT = """
create table app.account (id bigint generated always as identity, tenant_id uuid not null, name text, active boolean default true);
create unique index on app.account (lower(name));
create unique index on app.account (name) where active;
insert into app.account (tenant_id, name) values ('{globex}', 'boss');
grant select, insert on app.account to attack_app;
"""


@pytest.mark.parametrize("statement", ["insert into app.account (tenant_id, name, active) values (%s, upper(%s), false)",
                                       "insert into app.account (tenant_id, name) values (%s, %s)"], ids=["expression", "partial"])
def test_k23_a_unique_index(leak: Trial, statement: str) -> None:
    leak.stops(tells(statement, "boss", "nobody", setup=under_policies(ACCOUNT, "app.account", harden_keys="keys")))


BOOKING = """
create table app.booking (tenant_id uuid not null, room text not null, exclude using btree (room with =));
insert into app.booking values ('{globex}', 'boss room');
grant select, insert on app.booking to attack_app;
"""


def test_k23_an_exclusion(leak: Trial) -> None:
    """It is not rewritten: protect says that it cannot."""
    setup = under_policies(BOOKING, "app.booking", harden_keys="keys")
    leak.stops(tells("insert into app.booking values (%s, %s)", "boss room", "a free room", setup=setup), "0A000")


def test_k23_remains_without_harden_keys(leak: Trial) -> None:
    leak.remains(tells("insert into app.contact (tenant_id, email, salary) values (%s, %s, 0)", TAKEN, FREE))


def test_k23_remains_for_numbers(leak: Trial) -> None:
    leak.remains(tells("insert into app.login (tenant_id, id, name) values (%s, %s, 'x')", 2, 9999))


REFERENCES = "insert into app.ticket (tenant_id, contact_id, body) values (%s, %s, 'x')"


def test_k24_a_foreign_key(leak: Trial) -> None:
    [(theirs,)] = leak.plain.admin("select max(id) from app.contact")
    leak.stops(tells(REFERENCES, theirs, -1))
    leak.stops(tells("update app.ticket set tenant_id = %s, contact_id = %s", theirs, -1))


def test_k24_a_key_that_is_switched_off(leak: Trial) -> None:
    """As pg_restore --disable-triggers leaves it when it is interrupted."""
    off = "alter table app.ticket disable trigger all"
    insert = "insert into app.ticket (tenant_id, contact_id, body) values ('{}', -1, 'x') returning contact_id"
    leak.stops(in_context(insert.format(IDS[ACME]), setup=off, learn=bool), "TN018", "switched off")


def test_k24_remains_from_a_table_of_nobody(leak: Trial) -> None:
    """Its owner referred to a protected table; who has no right REFERENCES cannot."""
    setup = "create table app.reminder (tenant_id uuid, contact_id bigint references app.contact); grant insert on app.reminder to attack_app"
    [(theirs,)] = leak.plain.admin("select max(id) from app.contact")
    leak.remains(tells("insert into app.reminder values (%s, %s)", theirs, -1, setup=setup))


FAMILY = """
create table app.parent (id bigint primary key, tenant_id uuid not null);
create table app.child (id bigint, tenant_id uuid not null, parent_id bigint references app.parent {action});
insert into app.parent values (1, '{acme}');
grant all on app.parent, app.child to attack_app;
"""


@pytest.mark.parametrize("action", ["on delete cascade", "on delete set null", "on update cascade"])
def test_k25_an_action_on_anothers_row(leak: Trial, action: str) -> None:
    """globex refers to acme's row, and acme deletes it, or changes its key."""

    def acts(side: Side) -> bool:
        setup = under_policies(FAMILY.replace("{action}", action), "app.parent", "app.child")
        with side.session(GLOBEX, setup=setup) as connection:
            connection.execute("insert into app.child values (7, %s, 1)", [IDS[GLOBEX]])
            connection.execute("reset role")
            before = connection.execute("select * from app.child").fetchall()
            connection.execute("set local role attack_app")
            side.enter(connection, ACME)
            connection.execute("update app.parent set id = 2" if "update" in action else "delete from app.parent")
            connection.execute("reset role")
            return before != connection.execute("select * from app.child").fetchall()

    leak.stops(acts, "23503")


def test_k25_remains_from_a_parent_of_nobody(leak: Trial) -> None:
    """The application may delete what every tenant refers to; tenancy.share() takes that right away."""

    country = """
        create table app.country (id int primary key);
        create table app.child (tenant_id uuid not null, country int references app.country on delete cascade);
        insert into app.country values (1);
        insert into app.child values ('{globex}', 1);
        grant select, delete on app.country to attack_app;
        create function app.left() returns bigint language sql security definer as $$ select count(*) from app.child $$;
    """
    attack = "delete from app.country; select 'globex has nothing left' where app.left() = 0"
    leak.remains(in_context(attack, setup=under_policies(country, "app.child")))


VALIDATING = {
    "added": "alter table app.note add foreign key (contact_id) references app.contact",
    "validated": "alter table app.note add constraint k foreign key (contact_id) references app.contact not valid;"
    "alter table app.note validate constraint k",
    "with a column": "alter table app.note add column other bigint default 9999 references app.contact",
}
NOTE = """
create table app.note (tenant_id uuid not null, contact_id bigint);
insert into app.note values ('{globex}', -1);
alter table app.note owner to attack_owner;
"""


@pytest.mark.parametrize("tenant", [ACME, None])
@pytest.mark.parametrize("how", VALIDATING)
def test_k52_a_violation_that_the_owner_does_not_see(leak: Trial, how: str, tenant: str | None) -> None:
    def validates(connection: psycopg.Connection[Any]) -> bool:
        connection.execute(VALIDATING[how])
        valid = "select bool_and(convalidated) from pg_constraint where conrelid = 'app.note'::regclass and contype = 'f'"
        return bool(connection.execute(valid).fetchone() == (True,))

    def setup(side: Side) -> str:
        return under_policies(NOTE, "app.note")(side) + \
            ("" if side.plain else "; select tenancy.grant_access('attack_owner', '*', reason => 'migrations')")

    leak.stops(in_context(validates, setup=setup, role="attack_owner", tenant=tenant), "23503")


def locks(mode: str) -> str:
    return f"lock table app.ticket in {mode} mode; select 'globex waits'"


@pytest.mark.parametrize("mode", ["share update exclusive", "share", "share row exclusive", "exclusive", "access exclusive"])
def test_k53_a_lock(leak: Trial, mode: str) -> None:
    leak.stops(in_context(locks(mode)), "42501", "lock")


def test_k53_a_lock_through_a_view(leak: Trial) -> None:
    setup = "create view app.v with (security_invoker) as select * from app.ticket; grant all on app.v to attack_app"
    leak.stops(in_context("lock table app.v; select 'globex waits'", setup=setup), "42501", "lock")


INVOICE = """
create table app.invoice (id bigserial primary key, number bigint generated always as identity, tenant_id uuid not null);
grant all on app.invoice, app.invoice_id_seq, app.invoice_number_seq to attack_app;
"""
NUMBERS = ["app.invoice_id_seq", "app.invoice_number_seq"]


def stops_everybody(statement: str, sequence: str) -> Attack:
    """Whether globex can insert no more after a statement of acme's."""

    def run(side: Side) -> bool:
        with side.session(setup=under_policies(INVOICE, "app.invoice")) as connection:
            connection.execute(statement.format(sequence))
            if not side.plain:
                return True
            side.enter(connection, GLOBEX)
            return tried(connection, "insert into app.invoice (tenant_id) values (%s)", IDS[GLOBEX])[0] == "2200H"

    return run


@pytest.mark.parametrize("sequence", NUMBERS)
@pytest.mark.parametrize("statement", ["select setval('{}', 9223372036854775807)", "select setval('{}', 9223372036854775807, true)"])
def test_k53_a_sequence_set_to_its_end(leak: Trial, statement: str, sequence: str) -> None:
    leak.stops(stops_everybody(statement, sequence), "42501")


COMES_LATER = {
    "a serial column": "alter table app.invoice add column late serial",
    "an identity": "alter table app.invoice add column late bigint generated always as identity",
    "a column that becomes one": "alter table app.invoice add column late bigint not null default 1;"
    "alter table app.invoice alter late drop default, alter late add generated always as identity",
    "a sequence that is given": "create sequence app.invoice_late_seq;"
    "alter table app.invoice add column late bigint default nextval('app.invoice_late_seq');"
    "alter sequence app.invoice_late_seq owned by app.invoice.late",
}


@pytest.mark.parametrize("how", COMES_LATER)
def test_k53_a_sequence_that_comes_later(leak: Trial, how: str) -> None:
    """With the rights that new sequences get by default."""

    def setup(side: Side) -> str:
        given = "set local role attack_owner; alter default privileges in schema app grant all on sequences to attack_app;"
        return under_policies(INVOICE + "alter table app.invoice owner to attack_owner;", "app.invoice")(side) + given + COMES_LATER[how] + "; reset role"

    leak.stops(in_context("select setval('app.invoice_late_seq', 1)", setup=setup, learn=bool), "42501")


def test_k53_a_sequence_used_up(leak: Trial) -> None:
    """An identity needs no right on its sequence; a serial column's default needs USAGE."""
    uses = "select nextval('app.invoice_number_seq')"
    leak.stops(in_context(uses, setup=under_policies(INVOICE, "app.invoice"), learn=bool), "42501")


@pytest.mark.parametrize("first", ["select", "commit", "rollback"])
@pytest.mark.parametrize("function", ["pg_cancel_backend", "pg_terminate_backend"])
def test_k53_anothers_session(leak: Trial, function: str, first: str) -> None:
    """Sessions of one role may end each other, whichever tenants they work for."""

    def ends(side: Side) -> bool:
        with closing(side.connect()) as victim, side.session() as attacker:
            attacker.execute(first)
            return attacker.execute(f"select {function}(%s)", [victim.info.backend_pid]).fetchone() == (True,)

    leak.stops(ends, "42501", "end other sessions")


def test_k53_remains_a_number_taken_beforehand(leak: Trial) -> None:
    """Also where it is GENERATED ALWAYS: OVERRIDING needs no right."""

    def squats(side: Side) -> bool:
        with side.session(setup="alter table app.ticket alter id set generated always, alter id restart with 5000") as connection:
            connection.execute(
                "insert into app.ticket (id, tenant_id, body) overriding system value values (5000, %s, 'x')", [IDS[ACME]]
            )
            return tried(connection, "insert into app.ticket (tenant_id, body) values (%s, 'x')", IDS[ACME])[0] == "23505"

    leak.remains(squats)


def test_k26_a_cast_by_the_owner(leak: Trial) -> None:
    """A cast over all rows says which value it failed at."""

    def casts(side: Side) -> Any:
        with side.session(None, role="attack_owner", setup="select") as connection, pytest.raises(psycopg.Error) as caught:
            connection.execute("alter table app.ticket alter body type int using (case when body like '%globex%' then body else '1' end)::int")
        return foreign([caught.value.diag.message_primary])

    leak.remains(casts)
