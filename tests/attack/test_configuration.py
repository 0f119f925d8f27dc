"""Configuration: rights, settings and commands that take row security away."""

from typing import Any

import psycopg
import pytest

from .sides import ACME, GLOBEX, IDS, Side, foreign
from .trial import Attack, Trial, in_context


def truncates(side: Side) -> int:
    """How many of globex's rows a TRUNCATE in acme's context has removed."""
    with side.session(setup="select") as connection:
        connection.execute("truncate app.ticket; reset role")
        [(left,)] = connection.execute("select count(*) from app.ticket").fetchall()
    return 700 - left


def test_c10_truncate(leak: Trial) -> None:
    leak.stops(truncates, "42501")


def refers(side: Side) -> bool:
    """A table of one's own that refers to others' rows tries out their keys."""
    [(theirs,)] = side.admin("select max(id) from app.contact where tenant_id = %s", IDS[GLOBEX])
    with side.session() as connection:
        connection.execute("create table scratch.probe (id bigint references app.contact)")
        connection.execute("insert into scratch.probe values (%s)", [theirs])
    return True


def test_c10_references(leak: Trial) -> None:
    leak.stops(refers, "42501")


PLANT = """
create table scratch.loot (body text);
create function scratch.copy() returns trigger language plpgsql as
    $$ begin insert into scratch.loot values (new.body); return new; end $$;
create trigger planted after insert on app.ticket for each row execute function scratch.copy();
"""


def plants(side: Side) -> list[tuple[str]]:
    """A trigger that runs in others' statements and carries their rows away."""
    with side.session(None) as connection:
        connection.execute(PLANT)
        side.enter(connection, GLOBEX)
        connection.execute("insert into app.ticket (tenant_id, body) values (%s, 'for globex')", [IDS[GLOBEX]])
        return foreign(connection.execute("select * from scratch.loot"))


def test_c10_trigger(leak: Trial) -> None:
    leak.stops(plants, "42501")


@pytest.mark.parametrize("grant", ["truncate", "references", "trigger", "truncate, select", "all"])
def test_c10_the_rights_are_not_given_again(leak: Trial, grant: str) -> None:
    def gives(side: Side) -> bool:
        with side.connect("attack_owner") as connection:
            connection.execute(f"begin; grant {grant} on app.ticket to attack_narrow; rollback")
        return True

    leak.stops(gives, "TN018")


def test_c10_maintain(leak: Trial) -> None:
    """MAINTAIN came with version 17."""
    if leak.guarded.version < 17:
        pytest.skip("this server has no right MAINTAIN")

    def maintains(side: Side) -> bool:
        with side.session() as connection:
            connection.execute("lock table app.ticket in access exclusive mode")
        with side.connect() as connection:
            connection.execute("cluster app.ticket using ticket_pkey")
        return True

    leak.stops(maintains, "42501")


ESTIMATE = f"explain (format json) select * from app.contact where tenant_id = '{IDS[GLOBEX]}'"


def estimated(connection: psycopg.Connection[Any]) -> int:
    """How many rows the planner thinks that globex has."""
    [(plan,)] = connection.execute(ESTIMATE).fetchall()
    return int(plan[0]["Plan"]["Plan Rows"])


def estimates_in_a_copy(side: Side) -> bool:
    """In the first statement of a session: what loads the library later comes too late for its guards."""
    with side.copy() as copied, copied.session() as connection:
        return estimated(connection) == 700


def estimates_with_a_list_of_its_own(side: Side) -> bool:
    side.admin("alter role attack_app set session_preload_libraries = 'auto_explain'")
    try:
        with side.session() as connection:
            return estimated(connection) == 700
    finally:
        side.admin("alter role attack_app reset session_preload_libraries")


@pytest.mark.parametrize("attack", [estimates_in_a_copy, estimates_with_a_list_of_its_own])
def test_c45_not_preloaded(leak: Trial, attack: Attack) -> None:
    leak.stops(attack, "TN008")


def test_c45_reads_nothing_either(leak: Trial) -> None:
    def reads(side: Side) -> list[Any]:
        with side.copy() as copied, copied.session() as connection:
            return connection.execute("select * from app.ticket").fetchall()

    leak.stops(reads, "TN008")


# What a team may have written to have one condition in one place.
BY_FUNCTION = """
create schema tools;
create function tools.tenant() returns uuid language sql stable as $$ select current_setting('app.tenant', true)::uuid $$;
grant usage on schema tools to public;
create table app.note (tenant_id uuid not null, body text);
grant select on app.note to attack_app;
insert into app.note values ('{globex}', 'of globex');
"""
BY_HAND = """
create policy tenant on app.note as restrictive using (tenant_id = tools.tenant());
create policy members on app.note using (true);
alter table app.note enable row level security, force row level security;
"""
CASCADES = {
    "function": ("drop function tools.tenant() cascade", "drop function tenancy.current_tenant_id() cascade", "2BP01"),
    "schema": ("drop schema tools cascade", "drop schema tenancy cascade", "2BP01"),
    "column": ("alter table app.note drop column tenant_id cascade",) * 2 + ("TN018",),
    "extension": ("drop function tools.tenant() cascade", "drop extension tenancy cascade", "TN018"),
    "policy": ("drop policy tenant on app.note", "drop policy tenancy_select on app.note", "TN018"),
    "all its policies": ("drop policy tenant on app.note", "set session_replication_role = replica;"
                         "drop policy tenancy_select on app.note", "TN018"),
}


def drops(plain: str, guarded: str) -> Attack:
    def run(side: Side) -> list[Any]:
        setup = BY_FUNCTION.format(globex=IDS[GLOBEX]) + (BY_HAND if side.plain else "select tenancy.protect('app.note');")
        setup += plain if side.plain else guarded
        with side.session(None, setup=setup) as connection:
            return foreign(connection.execute("select * from app.note"))

    return run


@pytest.mark.parametrize("what", CASCADES)
def test_c46_what_is_dropped(leak: Trial, what: str) -> None:
    plain, guarded, sqlstate = CASCADES[what]
    leak.stops(drops(plain, guarded), sqlstate)


def test_c46_a_superuser_who_insists_opens_nothing(leak: Trial) -> None:
    """Both kinds of policy carry the condition, so both go."""
    leak.stops(drops(CASCADES["extension"][0], "set tenancy.guard = off; drop extension tenancy cascade"))


# A team's own rule against what opens a table, as an event trigger.
RULE = """
grant set on parameter session_replication_role to attack_owner;
create function public.refuse() returns event_trigger language plpgsql as $$ begin
    if exists (select from pg_event_trigger_ddl_commands() where objid = 'app.ticket'::regclass) then raise 'refused'; end if;
end $$;
create event trigger team_rule on ddl_command_end when tag in ('ALTER TABLE') execute function public.refuse();
"""


def becomes(setup: str, *statements: str, owner: str = "attack_owner") -> Attack:
    """What the application sees in acme's context after statements of the owner, which a setup precedes."""

    def run(side: Side) -> list[Any]:
        with side.session(None, role=owner, setup=setup) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.execute("reset role; set local role attack_app")
            side.enter(connection, ACME)
            return foreign(connection.execute("select * from app.ticket"))

    return run


def test_c47_replica_silences_rules(leak: Trial) -> None:
    opening = "set local session_replication_role = replica; alter table app.ticket disable row level security"
    leak.stops(becomes(RULE, opening), "TN018")


def test_c47_alter_role(leak: Trial) -> None:
    leak.stops(becomes("alter role attack_app bypassrls"), "TN022")


@pytest.mark.parametrize(("tenant", "sqlstate"), [(ACME, "TN003"), (None, "TN022")])
def test_c47_membership(leak: Trial, tenant: str | None, sqlstate: str) -> None:
    """The application becomes a role that has BYPASSRLS."""
    leak.stops(in_context("set local role attack_etl; select * from app.ticket", tenant=tenant,
                          setup="grant attack_etl to attack_app"), sqlstate)


def test_c47_reassign_owned(leak: Trial) -> None:
    """The application owns the table from one moment to the next, and no event trigger hears of it."""
    opening = "alter table app.ticket no force row level security"
    leak.stops(becomes("reassign owned by attack_owner to attack_app", opening, owner="attack_app"), "TN018")


@pytest.mark.parametrize("whose", ["role attack_app", "database {database}"])
def test_c47_a_stored_tenant(leak: Trial, whose: str) -> None:
    """The tenant of everybody who chooses none, among the settings of a role or a database."""

    def stores(side: Side) -> list[Any]:
        whom = whose.format(database=side.database)
        value = f"app.tenant = '{IDS[GLOBEX]}'" if side.plain else f"tenancy.context = '{GLOBEX}'"
        side.admin(f"alter {whom} set {value}")
        try:
            with side.connect() as connection:
                return foreign(connection.execute("select * from app.ticket"))
        finally:
            side.admin(f"alter {whom} reset app.tenant")

    leak.stops(stores, "TN009")


def test_c47_remains_keys_under_replica(leak: Trial) -> None:
    """PostgreSQL checks no foreign key, whoever has written it."""

    def refers_to_nothing(side: Side) -> bool:
        with side.session(setup="set local session_replication_role = replica") as connection:
            connection.execute("insert into app.ticket (tenant_id, contact_id, body) values (%s, -1, 'x')", [IDS[ACME]])
        return True

    leak.remains(refers_to_nothing)
