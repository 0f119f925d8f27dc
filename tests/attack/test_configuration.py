"""Configuration: rights, settings and commands that take row security away."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from .sides import ACME, GLOBEX, IDS, Side, collect, foreign
from .trial import Attack, Trial, in_context


ALL = "select * from app.ticket"


def becomes(setup: str, *statements: str, owner: str = "attack_owner", reader: str = "attack_app") -> Attack:
    """What the application sees in acme's context after statements of the owner, which a setup precedes."""

    def run(side: Side) -> list[Any]:
        with side.session(None, role=owner, setup=setup) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"reset role; set local role {reader}")
            side.enter(connection, ACME)
            return foreign(connection.execute("select * from app.ticket"))

    return run


def test_c01_row_security_switched_off(leak: Trial) -> None:
    leak.stops(becomes("select", "alter table app.ticket disable row level security"), "TN018")


NOTE = f"""
create table app.note (tenant_id uuid not null, body text);
insert into app.note values ('{IDS[GLOBEX]}', 'of globex'), ('{IDS[ACME]}', 'of acme');
grant select, delete on app.note to attack_app;
alter table app.note owner to attack_owner;
create policy own on app.note using (tenant_id = current_setting('app.tenant', true)::uuid);
"""


def protected(schema: str, more: str = "") -> Callable[[Side], str]:
    """A setup that the guarded side goes on to protect, whatever policies are there."""
    return lambda side: schema + ("" if side.plain else f"select tenancy.protect('app.note', existing_policies => 'keep'); {more}")


def test_c01_policies_that_are_not_in_force(leak: Trial) -> None:
    leak.stops(in_context("select * from app.note", setup=protected(NOTE)))


def test_c02_no_force(leak: Trial) -> None:
    leak.stops(becomes("select", "alter table app.ticket no force row level security", reader="attack_owner"), "TN018")


def test_c02_the_owner_of_a_table_without_force(leak: Trial) -> None:
    schema = f"{NOTE} alter table app.note enable row level security;"
    grant = "select tenancy.grant_access('attack_owner', '*', reason => 'x')"
    leak.stops(in_context("select * from app.note", role="attack_owner", setup=protected(schema, grant)))


def test_c03_a_superuser_within_reach(leak: Trial) -> None:
    leak.found("grant postgres to attack_app", f"set local role postgres; {ALL}", tenant=None)


@pytest.mark.parametrize(("tenant", "sqlstate"), [(ACME, "TN003"), (None, "TN022")])
def test_c03_refused_a_role_with_bypassrls(leak: Trial, tenant: str | None, sqlstate: str) -> None:
    becoming = f"set local role attack_etl; {ALL}"
    leak.stops(in_context(becoming, tenant=tenant, setup="grant attack_etl to attack_app"), sqlstate)


def test_c03_remains_statistics_for_a_role_with_bypassrls(leak: Trial) -> None:
    values = "set local role attack_etl; select most_common_vals, histogram_bounds from pg_stats where tablename = 'ticket'"
    leak.remains(in_context(values, tenant=None, setup="grant attack_etl to attack_app; analyze app.ticket"))


@pytest.mark.parametrize("policy", ["using (true)", "for select using (true)", "to attack_app using (tenant_id is not null)"])
def test_c05_one_more_permissive_policy(leak: Trial, policy: str) -> None:
    leak.stops(becomes("select", f"create policy open on app.ticket {policy}"))


LOOSE = [
    "true",
    "current_setting('app.tenant', true) is null or tenant_id = current_setting('app.tenant', true)::uuid",
    "tenant_id = coalesce(nullif(current_setting('app.tenant', true), '')::uuid, tenant_id)",
    "tenant_id is not distinct from tenant_id",
]


def loose(condition: str) -> str:
    return f"{NOTE} alter policy own on app.note using ({condition}); alter table app.note enable row level security, force row level security;"


@pytest.mark.parametrize("condition", LOOSE)
def test_c06_a_loose_condition(leak: Trial, condition: str) -> None:
    """Without a context everything shows, on the side with tenancy too where the table is not protected."""
    leak.found(loose(condition), "select * from app.note", tenant=None)


@pytest.mark.parametrize("condition", LOOSE)
def test_c06_refused_on_a_protected_table(leak: Trial, condition: str) -> None:
    leak.stops(in_context("select * from app.note", setup=protected(loose(condition)), tenant=None), "TN001")


def test_c07_names_that_a_collation_takes_for_equal(leak: Trial) -> None:
    def setup(side: Side) -> str:
        made = "create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);" \
            "create table app.key (tenant text collate loose not null, body text); insert into app.key values ('Key', 'of globex');" \
            "grant select on app.key to attack_app;"
        return made + ("create policy t on app.key using (tenant = 'kEY'); alter table app.key enable row level security"
                       if side.plain else "select tenancy.protect('app.key', 'tenant')")

    leak.stops(in_context("select * from app.key", setup=setup), "0A000")


def test_c08_a_command_that_was_forgotten(leak: Trial) -> None:
    """Reading is confined, deleting is not."""
    schema = f"{NOTE} create policy clean on app.note for delete using (true);" \
        "alter table app.note enable row level security, force row level security;"
    leak.stops(in_context(lambda connection: connection.execute("delete from app.note").rowcount > 1, setup=protected(schema)))


def test_c09_a_table_that_nobody_protected(leak: Trial) -> None:
    leak.found(NOTE.partition("create policy")[0], "select * from app.note")


PEEK = """
create function scratch.peek(text) returns text language plpgsql immutable as $$ begin raise notice 'saw %', $1; return $1; end $$;
"""


def told(statement: str) -> Callable[[psycopg.Connection[Any]], list[Any]]:
    """What a statement tells of globex beside its answer."""

    def run(connection: psycopg.Connection[Any]) -> list[Any]:
        heard = collect(connection)
        connection.execute(statement)
        return foreign(heard)

    return run


def test_c44_createrole(leak: Trial) -> None:
    """It makes itself the owner, who reads as in C48."""
    if leak.guarded.version > 15:
        pytest.skip("from 16 on CREATEROLE grants only roles of which one is an admin")
    climbing = "grant attack_owner to attack_narrow; set local role attack_owner; create index on app.ticket (scratch.peek(body))"
    leak.found(f"alter role attack_narrow createrole; {PEEK}", told(climbing), role="attack_narrow", tenant=None)


@pytest.mark.parametrize("ddl", [
    "create index on app.ticket (scratch.peek(body))",
    "alter table app.ticket add check (scratch.peek(body) <> '')",
    "alter table app.ticket add peeked text generated always as (scratch.peek(body)) stored",
    "alter table app.ticket alter body type varchar using scratch.peek(body)",
])  # fmt: skip
def test_c48_what_the_owner_computes_of_rows(leak: Trial, ddl: str) -> None:
    leak.found(PEEK, told(ddl), role="attack_owner", tenant=None, standing=True)


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


def test_c47_replica_silences_rules(leak: Trial) -> None:
    opening = "set local session_replication_role = replica; alter table app.ticket disable row level security"
    leak.stops(becomes(RULE, opening), "TN018")


def test_c47_alter_role(leak: Trial) -> None:
    leak.stops(becomes("alter role attack_app bypassrls"), "TN022")


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


def refers_to_nothing(insert: str, *, setup: str) -> Attack:
    """Rows whose parent does not exist, or is another tenant's: PostgreSQL checks no foreign key under replica."""

    def run(side: Side) -> bool:
        with side.session(setup=setup) as connection:
            connection.execute(insert, [IDS[ACME]])
        return True

    return run


def test_c47_keys_under_replica(leak: Trial) -> None:
    insert = "insert into app.ticket (tenant_id, contact_id, body) values (%s, -1, 'x')"
    leak.stops(refers_to_nothing(insert, setup="set local session_replication_role = replica"), "TN018", "session_replication_role")


def test_c47_remains_replica_in_the_middle_of_a_statement(leak: Trial) -> None:
    """Of a role that may set it: found by the linter, as the right it is."""
    insert = """with silent as materialized (select set_config('session_replication_role', 'replica', true))
        insert into app.ticket (tenant_id, contact_id, body) select %s, -1, 'x' from silent"""
    leak.found("grant set on parameter session_replication_role to attack_app", lambda connection: bool(connection.execute(insert, [IDS[ACME]])))
