"""Objects around a table that reach its rows with somebody else's rights, or hold copies of them."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from .sides import ACME, GLOBEX, IDS, Setup, Side, foreign
from .trial import Attack, Trial, carried, in_context

ALL = "select * from app.ticket"


def test_o11_a_view_of_a_superuser(leak: Trial) -> None:
    leak.found(f"create view app.all_tickets as {ALL}; grant select on app.all_tickets to attack_app",
               "select * from app.all_tickets")


def test_o12_a_materialized_view(leak: Trial) -> None:
    leak.found(f"create materialized view app.report as {ALL}; grant select on app.report to attack_app",
               "select * from app.report")


DEFINER = f"""
create function app.search(words text) returns setof text language sql security definer as
    $$ select body from app.ticket where body like '%' || words || '%' $$;
"""


def test_o13_a_definer_function_of_a_superuser(leak: Trial) -> None:
    leak.found(DEFINER, "select app.search('of')")


RULES = {
    "on a table": (
        "create table app.request (id bigint); grant insert on app.request to attack_app;"
        "create rule r as on insert to app.request do also insert into app.outbox select body from app.ticket",
        "insert into app.request values (1); select * from app.outbox",
    ),
    "on a view": (
        "create view app.request as select 1 as id; grant insert on app.request to attack_app;"
        "create rule r as on insert to app.request do instead insert into app.outbox select body from app.ticket",
        "insert into app.request values (1); select * from app.outbox",
    ),
}


@pytest.mark.parametrize("where", RULES)
def test_o14_a_rule_of_a_superuser(leak: Trial, where: str) -> None:
    setup, statements = RULES[where]
    leak.found(setup, statements)


TRIGGER = """
create function app.answers() returns trigger language plpgsql security definer as
    $$ begin insert into app.outbox select body from app.ticket; return new; end $$;
create table app.request (id bigint);
grant insert on app.request to attack_app;
create trigger t after insert on app.request for each row execute function app.answers();
"""


def test_o15_a_definer_trigger_of_a_superuser(leak: Trial) -> None:
    leak.found(TRIGGER, "insert into app.request values (1); select * from app.outbox")


@pytest.mark.parametrize(("setup", "statement"), [
    (f"create view app.v as {ALL}; grant select on app.v to attack_app; alter view app.v owner to attack_etl", "select * from app.v"),
    (f"{DEFINER}; alter function app.search owner to attack_etl", "select app.search('of')"),
    (f"{DEFINER}; alter function app.search owner to attack_etl",
     "do $$ begin insert into app.outbox select app.search('of'); end $$; select * from app.outbox"),
], ids=["view", "function", "function in DO"])  # fmt: skip
def test_o11_refused_of_a_role_with_bypassrls(leak: Trial, setup: str, statement: str) -> None:
    leak.stops(in_context(statement, setup=setup), "TN022")


PARTITIONS = {
    "made before": ("select", "app.event_2026"),
    "made after": (
        "create table app.event_2027 partition of app.event for values from ('2027-01-01') to ('2028-01-01');"
        f"insert into app.event values (1, '{IDS[GLOBEX]}', '2027-06-01', 'of globex')",
        "app.event_2027",
    ),
    "attached": (
        "create table app.old (like app.event);"
        f"insert into app.old values (1, '{IDS[GLOBEX]}', '2025-06-01', 'of globex');"
        "alter table app.event attach partition app.old for values from ('2025-01-01') to ('2026-01-01')",
        "app.old",
    ),
    "a partition's partition": (
        "create table app.event_2028 partition of app.event for values from ('2028-01-01') to ('2029-01-01') partition by list (id);"
        "create table app.event_2028_1 partition of app.event_2028 for values in (1);"
        f"insert into app.event values (1, '{IDS[GLOBEX]}', '2028-06-01', 'of globex')",
        "app.event_2028_1",
    ),
    "a child": (
        "create table app.kept () inherits (app.ticket);"
        f"insert into app.kept (id, tenant_id, body) values (1, '{IDS[GLOBEX]}', 'of globex')",
        "app.kept",
    ),
    "a table that became a child": (
        "create table app.kept (like app.ticket);"
        f"insert into app.kept (id, tenant_id, body) values (1, '{IDS[GLOBEX]}', 'of globex');"
        "alter table app.kept inherit app.ticket",
        "app.kept",
    ),
    "detached": (
        "alter table app.event detach partition app.event_2026",
        "app.event_2026",
    ),
}


@pytest.mark.parametrize("which", PARTITIONS)
def test_o16_a_partition_by_its_own_name(leak: Trial, which: str) -> None:
    setup, name = PARTITIONS[which]
    setup += f"; grant select on {name} to attack_app; alter table {name} owner to attack_owner"
    leak.stops(in_context(f"select * from {name}", setup=setup))


def test_o16_deleting_in_a_partition(leak: Trial) -> None:
    leak.stops(in_context("delete from app.event_2026 returning *"))


LOOPBACK = """
create extension postgres_fdw;
create server loopback foreign data wrapper postgres_fdw options (host '{host}', port '{port}', dbname '{database}');
create user mapping for attack_app server loopback options (user '{user}', password_required 'false');
grant usage on foreign server loopback to attack_app;
create foreign table app.remote (id bigint, tenant_id uuid, body text) server loopback
    options (schema_name 'app', table_name 'ticket');
grant select on app.remote to attack_app;
"""


def loopback(user: str) -> Callable[[Side], str]:
    """A foreign table that comes back to the same database as some role."""
    return lambda side: LOOPBACK.format(host=side.server.dir, port=side.server.port, database=side.database, user=user)


def test_o17_a_foreign_table_that_comes_back(leak: Trial) -> None:
    leak.found(loopback("postgres"), "select * from app.remote")


def test_o17_refused_as_the_application_itself(leak: Trial) -> None:
    """The other side knows no context of this one: it is refused there, as everybody is who comes without."""

    def setup(side: Side) -> str:
        return loopback("postgres" if side.plain else "attack_app")(side)

    leak.stops(in_context("select * from app.remote", setup=setup), "TN001")


COPIES = {
    "create table as": "create {}table {}export as select * from app.ticket",
    "select into": "select * into {}table {}export from app.ticket",
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize(("kind", "schema"), [("temporary ", ""), ("", "pg_temp.")])
def test_o18_a_temporary_copy(leak: Trial, how: str, kind: str, schema: str) -> None:
    leak.stops(carried(COPIES[how].format(kind, schema), "select * from export"), "42501", "outlive")


@pytest.mark.parametrize("how", COPIES)
def test_o18_remains_a_table_of_the_application(leak: Trial, how: str) -> None:
    leak.remains(carried(COPIES[how].format("", "scratch."), "select * from scratch.export", clean="drop table scratch.export"))


def test_o18_remains_rows_in_a_table_of_nobody(leak: Trial) -> None:
    leak.remains(carried("insert into app.outbox select body from app.ticket", "select * from app.outbox", clean="delete from app.outbox"))


def test_o19_a_large_object(leak: Trial) -> None:
    """The application made it; each way to read it is refused as well as writing."""

    def reads(how: str) -> Attack:
        def run(side: Side) -> Any:
            with side.connect("postgres") as maker:
                maker.execute("select lo_from_bytea(4711, 'of globex'); alter large object 4711 owner to attack_app")
                try:
                    return in_context(how)(side)
                finally:
                    maker.execute("select lo_unlink(4711)")

        return run

    leak.stops(carried("select lo_from_bytea(4712, 'of globex')", "select convert_from(lo_get(4712), 'UTF8')",
                       clean="do $$begin perform lo_unlink(oid) from pg_largeobject_metadata where oid = 4712; end$$"),
               "42501", "large objects")
    for how in ("lo_get(oid)", "lo_get(oid, 0, 20)", "loread(lo_open(oid, 262144), 20)"):
        leak.stops(reads(f"select convert_from({how}, 'UTF8') from pg_largeobject_metadata"), "42501", "large objects")


VALUES = {
    "last_value": "select last_value from app.contact_id_seq",
    "function": "select pg_sequence_last_value('app.contact_id_seq')",
    "view": "select last_value from pg_sequences where schemaname = 'app' and sequencename = 'contact_id_seq'",
    "identity": "select last_value from app.ticket_id_seq",
    "nextval of an identity": "select nextval('app.ticket_id_seq')",
}


@pytest.mark.parametrize("how", VALUES)
def test_o20_refused_the_value_of_a_sequence(leak: Trial, how: str) -> None:
    leak.stops(in_context(VALUES[how], learn=lambda rows: rows[0][0] >= 710), "42501")


def gap(side: Side) -> int:
    """How many rows globex inserted between two of acme's."""
    new = "insert into app.ticket (tenant_id, body) values (%s, 'new') returning id"
    numbers = []
    with side.connect() as connection:
        for tenant in (ACME, GLOBEX, GLOBEX, GLOBEX, ACME):
            with connection.transaction():
                side.enter(connection, tenant)
                [(number,)] = connection.execute(new, [IDS[tenant]]).fetchall()
                connection.execute("delete from app.ticket where id = %s", [number])
            if tenant == ACME:
                numbers.append(number)
    return int(numbers[1] - numbers[0]) - 1


def test_o20_gaps(leak: Trial) -> None:
    leak.remains(lambda side: gap(side) == 3)


PARENTS = {
    "inherits": "create table app.parent (id bigint, tenant_id uuid, body text); alter table app.ticket inherit app.parent",
    "attached": (
        "create table app.parent (like app.ticket) partition by list (tenant_id);"
        "alter table app.ticket alter id drop identity; alter table app.parent attach partition app.ticket default"
    ),
    "attached, partitioned": (
        "create table app.parent (like app.event) partition by list (tenant_id);"
        "alter table app.parent attach partition app.event default"
    ),
    "a partition alone": (
        "alter table app.event detach partition app.event_2026;"
        "create table app.parent (like app.event) partition by range (at);"
        "alter table app.parent attach partition app.event_2026 default"
    ),
    "under replica": (
        "set local session_replication_role = replica; create table app.parent (id bigint, tenant_id uuid, body text);"
        "alter table app.ticket inherit app.parent"
    ),
}


@pytest.mark.parametrize("statement", ["select * from app.parent", "delete from app.parent returning *"])
@pytest.mark.parametrize("how", PARENTS)
def test_o49_an_unprotected_parent(leak: Trial, how: str, statement: str) -> None:
    setup = f"{PARENTS[how]}; grant select, delete on app.parent to attack_app"
    leak.stops(in_context(statement, setup=setup), "TN018")


def unseen(what: str) -> Setup:
    """Done by a superuser where nothing of the extension's looks."""
    around = "set local tenancy.guard = off; alter event trigger tenancy_ddl_end disable; {}; reset tenancy.guard"
    return lambda side: what if side.plain else around.format(what)


def writes_through_parent(write: Callable[[psycopg.Connection[Any]], Any], how: str) -> Attack:
    return in_context(write, setup=unseen(f"{PARENTS[how]}; grant select, insert on app.parent to attack_app"))


def forge_by_insert(connection: psycopg.Connection[Any]) -> bool:
    at = connection.execute("select 1 from pg_attribute where attrelid = 'app.parent'::regclass and attname = 'at'").fetchone()
    columns, values = ("id, tenant_id, body, at", "-1, %s, 'x', '2026-06-01'") if at else ("id, tenant_id, body", "-1, %s, 'x'")
    return connection.execute(f"insert into app.parent ({columns}) values ({values})", [IDS[GLOBEX]]).rowcount == 1


def forge_by_copy(connection: psycopg.Connection[Any]) -> bool:
    with connection.cursor().copy("copy app.parent (id, tenant_id, body) from stdin") as copy:
        copy.write_row((-1, IDS[GLOBEX], "x"))
    return True


@pytest.mark.parametrize("how", ["attached", "attached, partitioned", "a partition alone"])
def test_o49_writing_through_an_unprotected_parent(leak: Trial, how: str) -> None:
    leak.stops(writes_through_parent(forge_by_insert, how), "TN018")


def test_o49_copy_through_an_unprotected_parent(leak: Trial) -> None:
    leak.stops(writes_through_parent(forge_by_copy, "attached"), "TN018")


TRAP = """
create table app.trap (id bigint primary key, tenant_id uuid not null);
alter table app.trap owner to attack_owner;
insert into app.trap values (1, '{globex}');
create function app.erase(tenant uuid) returns void language sql security definer as
    $$ delete from app.trap where tenant_id = tenant $$;
grant create on schema app to attack_owner;
set local role attack_owner;
create function app.strike() returns boolean language plpgsql as $$ begin
    execute 'alter role attack_owner superuser'; return true;
exception when others then return true; end $$;
create function app.strike_trigger() returns trigger language plpgsql as $$ begin perform app.strike(); return old; end $$;
{trap};
reset role;
"""
TRAPS = {
    "trigger": "create trigger t before delete on app.trap for each row execute function app.strike_trigger()",
    "statement trigger": "create trigger t after delete on app.trap execute function app.strike_trigger()",
    "deferred trigger": "create constraint trigger t after delete on app.trap deferrable initially deferred"
    " for each row execute function app.strike_trigger()",
    "rule": "create table app.hit (x boolean); create rule r as on delete to app.trap do also insert into app.hit values (app.strike())",
}


def strikes(entry: str, trap: str) -> Attack:
    """Whether the owner of a table is a superuser after somebody's work on it."""

    def run(side: Side) -> bool:
        setup = TRAP.format(globex=IDS[GLOBEX], trap=trap)
        setup += "select app.erase('{0}')" if side.plain else entry
        with side.session(None, setup=f"{setup.format(IDS[GLOBEX])}; set constraints all immediate") as connection:
            [(superuser,)] = connection.execute("select rolsuper from pg_roles where rolname = 'attack_owner'").fetchall()
        return bool(superuser)

    return run


@pytest.mark.parametrize("trap", TRAPS)
def test_o50_erasing_springs_no_trap(leak: Trial, trap: str) -> None:
    leak.stops(strikes("select tenancy.protect('app.trap'); select tenancy.erase_rows('{0}', 'app.trap', 10)", TRAPS[trap]))


def test_o50_protecting_springs_no_trap(leak: Trial) -> None:
    more = "; create function app.always() returns boolean language plpgsql immutable as $$ begin return app.strike(); end $$;" \
        " create index on app.trap (id) where app.always();" \
        " alter table app.trap add check (app.always()) not valid, alter id set default app.always()::int"
    leak.stops(strikes("select tenancy.protect('app.trap', harden_keys => 'keys')", TRAPS["trigger"] + more))


# A function of a superuser's that takes names as they come.
SHADOWED = f"""
set local search_path = app;
create table membership (member text, tenant uuid);
insert into membership values ('anna', '{IDS[ACME]}');
create function mine() returns setof text language sql security definer as
    $$ select body from app.ticket where tenant_id in (select tenant from membership where member = 'anna') $$;
"""
SHADOW = f"""
create temporary table membership {{}} as select 'anna' as member, '{IDS[GLOBEX]}'::uuid as tenant;
grant select on membership to public;
select app.mine();
"""


def shadows(on_commit: str = "") -> Attack:
    return in_context(SHADOW.format(on_commit), setup=SHADOWED)


def test_o51_a_temporary_table_in_a_definers_way(leak: Trial) -> None:
    leak.stops(shadows(), "42501", "outlive")


def test_o51_remains_until_the_end_of_the_transaction(leak: Trial) -> None:
    leak.remains(shadows("on commit drop"))
