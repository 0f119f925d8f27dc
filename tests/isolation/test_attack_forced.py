"""What comes along with queries that run without FORCE ROW SECURITY: those of foreign keys, and some of the
extension's own. Rules and views that they are rewritten with, and functions that are called while they are planned,
see the rows of the tenant: of a role that owns nothing protected, and of the owner."""

from collections.abc import Sequence

import psycopg
import pytest
from context_world import refused
from harness import Server

ONE, TWO = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"

SCHEMA = """
do $$ begin if to_regrole('forced_owner') is null then create role forced_owner login; create role forced_app login; end if; end $$;
select tenancy.provision('one', id => '{one}'), tenancy.provision('two', id => '{two}');
select tenancy.grant_access('forced_owner', '*', reason => 'tests'), tenancy.grant_access('forced_app', '*', reason => 'tests');
create schema shop authorization forced_owner;
create schema scratch authorization forced_app;
grant usage on schema shop, scratch to public;
set role forced_owner;
create table shop.note (tenant_id uuid not null, body text);
create table shop.account (id bigint primary key, tenant_id uuid not null);
create table shop.entry (tenant_id uuid not null, account bigint references shop.account on delete cascade);
create view shop.all_notes as select * from shop.note;
create view shop.own_notes with (security_invoker) as select * from shop.note;
insert into shop.note values ('{one}', 'one'), ('{two}', 'two'), ('{two}', 'two');
insert into shop.account values (1, '{one}');
insert into shop.entry values ('{one}', 1);
select tenancy.protect(name::regclass) from unnest(array['shop.note', 'shop.account', 'shop.entry']) as name;
grant select, update on shop.note, shop.all_notes to forced_app;
set role forced_app;
create table scratch.seen (body text);
create function scratch.note_down(text) returns void language sql begin atomic insert into scratch.seen values ($1); end;
create function scratch.look(bigint) returns bigint immutable language plpgsql as $$ {look} return $1; end $$;
create function scratch.count_notes() returns bigint language plpgsql as $$ begin return (select count(*) from shop.all_notes); end $$;
create function scratch.look_by_kept_plan(bigint) returns bigint immutable language plpgsql as $$ begin return scratch.count_notes(); end $$;
create function scratch.difference(integer, integer) returns float8 immutable language plpgsql as $$ {look} return $1 - $2; end $$;
create function scratch.explain() returns void language plpgsql as $$ begin
    execute 'explain select * from shop.note'; raise warning 'explained'; exception when others then raise warning 'refused %', sqlstate; end $$;
create function scratch.probe(bigint) returns bigint immutable language plpgsql as $$ begin perform scratch.explain(); return $1; end $$;
create function scratch.probe() returns trigger language plpgsql as $$ begin perform scratch.explain(); return new; end $$;
create table scratch.keyed (id bigint not null, tenant_id uuid not null);
insert into scratch.keyed values (1, '{one}');
create table scratch.parent (id bigint primary key);
create table scratch.child (id bigint references scratch.parent on delete cascade);
create table scratch.defaulted (id bigint references scratch.parent on delete set default);
create table scratch.bot (id bigint primary key, tenant_id uuid);
create table scratch.chat (bot bigint references scratch.bot, tenant_id uuid);
insert into scratch.parent values (1), (2);
insert into scratch.child values (2);
insert into scratch.bot values (1, '{one}');
insert into scratch.chat values (1);
select tenancy.protect('scratch.bot');
grant select, insert on scratch.seen to forced_owner;
"""

LOOK = """declare body text; begin
    for body in execute 'select body from shop.all_notes' loop perform scratch.note_down(body); end loop;"""

CASCADE = "delete from scratch.parent where id = 2"
OWNERS_CASCADE = "delete from shop.account"
RULE = "create rule look as on {event} to {table} do also insert into scratch.seen {query}"
NOTES = "select body from shop.all_notes"

# Of the application's role, on its own tables.
APPLICATION = {
    "a rule in a cascade": [RULE.format(event="delete", table="scratch.child", query=NOTES), CASCADE],
    "a default while a cascade is planned": [
        "insert into scratch.defaulted values (2)", "alter table scratch.defaulted alter id set default scratch.look(1)", CASCADE],
    "a partial index while a cascade is planned": [
        "create index on scratch.child (id) where scratch.look(9) > 1", "truncate scratch.seen", CASCADE],
    "a rule of a table that is filled": [
        RULE.format(event="update", table="scratch.chat", query=NOTES),
        "select tenancy.fill_tenant_column('scratch.chat', 'tenant_id', 'bot')"],
    "a partial index of a table that is protected": [
        "create index on scratch.chat (bot) where scratch.look(9) > 1", "truncate scratch.seen",
        "select tenancy.protect('scratch.chat', via => 'bot')"],
    "a support function that was looked up before": [
        "create type scratch.span as range (subtype = integer, subtype_diff = scratch.difference)",
        "create table scratch.spans (span scratch.span)", "create index on scratch.spans using gist (span)",
        "insert into scratch.spans select format('[%s,%s)', g, g + 3)::scratch.span from generate_series(1, 300) g",
        "create table scratch.periods (span int4range)", "create index on scratch.periods using gist (span)",
        "insert into scratch.periods select int4range(g, g + 3) from generate_series(1, 300) g", "truncate scratch.seen",
        "alter table scratch.periods alter span type scratch.span using span::text::scratch.span"],
}

# Of the tables' owner, for whom nothing but FORCE stands between the tenants.
OWNER = {
    "a rule": "select body from shop.note",
    "a view with the owner's rights": NOTES,
    "a view with the caller's rights": "select body from shop.own_notes",
    "a with clause": "with n as (select * from shop.note) select body from n",
    "a sub-select": "select unnest(array(select body from shop.note))",
    "a sub-select in from": "select n.body from (select * from shop.own_notes) n",
}


@pytest.fixture
def forced(server: Server, database: str) -> str:
    server.execute(SCHEMA.format(one=ONE, two=TWO, look=LOOK), dbname=database)
    return database


def run(server: Server, database: str, role: str, commands: Sequence[str], tenant: str | None = "one") -> set[str]:
    """What was seen while the role ran the commands, for tenant one."""
    with server.connect(user=role, dbname=database) as connection, connection.transaction():
        if tenant:
            connection.execute("select tenancy.enter(%s)", [tenant])
        for command in commands:
            connection.execute(command)
        return {body for body, in connection.execute("select body from scratch.seen")}


@pytest.mark.parametrize("commands", APPLICATION.values(), ids=APPLICATION.keys())
def test_an_application_reads_its_tenant(server: Server, forced: str, commands: list[str]) -> None:
    assert run(server, forced, "forced_app", commands) == {"one"}


@pytest.mark.parametrize("query", OWNER.values(), ids=OWNER.keys())
def test_the_owner_reads_the_tenant(server: Server, forced: str, query: str) -> None:
    rule = RULE.format(event="delete", table="shop.entry", query=query)
    assert run(server, forced, "forced_owner", [rule, OWNERS_CASCADE]) == {"one"}


def test_a_rule_in_a_cascade_writes_the_tenants_rows(server: Server, forced: str) -> None:
    rule = "create rule look as on delete to scratch.child do also update shop.all_notes set body = 'changed'"
    run(server, forced, "forced_app", [rule, CASCADE])
    assert server.execute("select body from shop.note order by body", dbname=forced) == [("changed",), ("two",), ("two",)]


@pytest.mark.parametrize("table", ["shop.note", "shop.all_notes", "shop.own_notes"])
@pytest.mark.parametrize("action", [
    "update {} set body = 'changed'", "with d as (update {} set body = 'changed' returning body) insert into scratch.seen select body from d"])
def test_a_rule_of_the_owners_writes_the_tenants_rows(server: Server, forced: str, table: str, action: str) -> None:
    rule = f"create rule look as on delete to shop.entry do also {action.format(table)}"
    run(server, forced, "forced_owner", [rule, OWNERS_CASCADE])
    assert server.execute("select body from shop.note order by body", dbname=forced) == [("changed",), ("two",), ("two",)]


def test_no_rule_in_a_cascade_without_a_context(server: Server, forced: str) -> None:
    rule = RULE.format(event="delete", table="scratch.child", query=NOTES)
    with refused("TN001"):
        run(server, forced, "forced_app", [rule, CASCADE], tenant=None)


def test_policies_with_sub_selects_are_not_followed(server: Server, forced: str) -> None:
    commands = ["create policy mine on shop.note as restrictive using (exists (select from scratch.seen) is not null)",
                RULE.format(event="delete", table="shop.entry", query="select body from shop.note"), OWNERS_CASCADE]
    with refused("0A000"):
        run(server, forced, "forced_owner", commands)


def test_no_plan_outlives_a_cascade(server: Server, forced: str) -> None:
    count = "select scratch.count_notes()"
    with server.connect(user="forced_app", dbname=forced) as connection:
        with connection.transaction():
            connection.execute("select tenancy.enter('one')")
            connection.execute("insert into scratch.defaulted values (2)")
            connection.execute("alter table scratch.defaulted alter id set default scratch.look_by_kept_plan(1)")
            connection.execute(CASCADE)
        for tenant, notes in (("one", 1), ("two", 2)):
            with connection.transaction():
                connection.execute("select tenancy.enter(%s)", [tenant])
                assert connection.execute(count).fetchall() == [(notes,)]
        with refused("TN001"):
            connection.execute(count)


def test_a_key_is_checked_against_hidden_rows(server: Server, forced: str) -> None:
    server.execute("create table shop.reference (id bigint); insert into shop.reference values (1);"
                   "alter table shop.reference owner to forced_owner", dbname=forced)
    key = "alter table shop.reference add foreign key (id) references shop.account"
    with server.connect(user="forced_owner", dbname=forced) as connection:
        connection.execute(key)
        connection.execute("alter table shop.reference drop constraint reference_id_fkey")
        connection.execute("update shop.reference set id = 99")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute(key)
        with refused("TN001"):
            connection.execute("select count(*) from shop.note")


PROBES = {
    "an index that is made": ["create unique index on scratch.keyed (scratch.probe(id))", "select tenancy.protect('scratch.keyed', harden_keys => 'keys')"],
    "a trigger while a table is tried": [
        "select tenancy.protect('scratch.keyed')",
        "create trigger probe before insert on scratch.keyed for each row execute function scratch.probe()",
        "select count(*) from tenancy.try_isolation('scratch.keyed')"],
}


@pytest.mark.parametrize("commands", PROBES.values(), ids=PROBES.keys())
def test_guards_hold_for_what_the_extension_calls(server: Server, forced: str, commands: list[str]) -> None:
    """Its own commands pass them."""
    heard = []
    with server.connect(user="forced_app", dbname=forced) as connection:
        connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        for command in commands:
            heard.clear()
            connection.execute(command)
    assert "refused 42501" in heard
    assert "explained" not in heard


BYPASS = """do $$ begin if to_regrole('forced_etl') is null then create role forced_etl login bypassrls; end if; end $$;
create schema etl authorization forced_etl; grant usage on schema shop to forced_etl; grant select on shop.note to forced_etl"""


def test_a_bypass_role_is_asked_for_all_tenants(server: Server, forced: str) -> None:
    """Code of its own that runs while the extension works on its table reads no rows in passing."""
    server.execute(BYPASS, dbname=forced)
    heard = []
    with server.connect(user="forced_etl", dbname=forced) as connection:
        connection.execute("""create function etl.look(bigint) returns bigint immutable language plpgsql as $$ declare found bigint; begin
            begin execute 'select count(*) from shop.note' into found; raise warning 'read %', found; exception when others then raise warning '%', sqlstate; end;
            return $1; end $$""")
        connection.execute(f"create table etl.item (id bigint, tenant_id uuid); insert into etl.item values (1, '{ONE}')")
        connection.execute("create index on etl.item (id) where etl.look(9) > 1")
    with server.connect(user="forced_etl", dbname=forced) as connection:
        connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        connection.execute("select tenancy.protect('etl.item')")
    assert set(heard) == {"TN022"}


# An index whose function does that while the check of a key is planned.
INTERRUPTIONS = {
    "an error that is caught": "begin perform 1 / 0; exception when others then null; end;",
    "another key": "perform shop.other_key();",
}


@pytest.mark.parametrize("interruption", INTERRUPTIONS.values(), ids=INTERRUPTIONS.keys())
@pytest.mark.parametrize("command", ["add foreign key (account) references shop.account", "validate constraint waiting"])
def test_force_is_back_after_a_key_was_checked(server: Server, forced: str, interruption: str, command: str) -> None:
    with server.connect(user="forced_owner", dbname=forced) as connection:
        connection.execute("create table shop.payment (tenant_id uuid not null, account bigint); select tenancy.protect('shop.payment')")
        connection.execute("create table shop.other (tenant_id uuid not null, account bigint); select tenancy.protect('shop.other')")
        connection.execute("""create function shop.other_key() returns void language plpgsql as $$ begin
            execute 'alter table shop.other add foreign key (account) references shop.account'; end $$""")
        connection.execute(f"create function shop.safe(bigint) returns bigint immutable language plpgsql as $$ begin {interruption} return $1; end $$")
        connection.execute("alter table shop.payment add constraint waiting foreign key (account) references shop.account not valid")
        connection.execute("create index on shop.payment (account) where shop.safe(9) > 1")
        connection.execute(f"alter table shop.payment {command}")
        with refused("TN001"):
            connection.execute("select * from shop.note")


def test_guards_see_through_views_in_a_cascade(server: Server, forced: str) -> None:
    """A table that has lost its protection is refused there, too."""
    with server.connect(user="forced_app", dbname=forced) as connection:
        connection.execute("create view scratch.notes with (security_invoker) as select * from shop.note")
        connection.execute(RULE.format(event="delete", table="scratch.child", query="select body from scratch.notes"))
        server.execute("set tenancy.guard = off; alter table shop.note disable row level security", dbname=forced)
        with refused("TN018"):
            connection.execute("select * from scratch.notes")
        with refused("TN018"):
            connection.execute(CASCADE)


def test_a_bypass_role_is_asked_in_a_cascade(server: Server, forced: str) -> None:
    server.execute(BYPASS, dbname=forced)
    with server.connect(user="forced_etl", dbname=forced) as connection:
        connection.execute("create table etl.parent (id bigint primary key); create table etl.child (id bigint references etl.parent on delete cascade)")
        connection.execute("create table etl.seen (body text); create view etl.notes with (security_invoker) as select * from shop.note")
        connection.execute("insert into etl.parent values (1); insert into etl.child values (1)")
        connection.execute("create rule look as on delete to etl.child do also insert into etl.seen select body from etl.notes")
        with refused("TN022"):
            connection.execute("delete from etl.parent")


def test_a_rule_of_a_bypass_owner_while_a_tenant_is_erased(server: Server, forced: str) -> None:
    server.execute(BYPASS + "; select tenancy.provision('three', id => '00000000-0000-4000-8000-000000000003');"
                   "do $$ begin if to_regrole('forced_admin') is null then create role forced_admin login in role tenancy_admin; end if; end $$;"
                   "select tenancy.add_operator('forced_admin', 'admin')", dbname=forced)
    with server.connect(user="forced_etl", dbname=forced) as connection:
        connection.execute("create table etl.seen (body text); create table etl.item (tenant_id uuid not null)")
        connection.execute("insert into etl.item values ('00000000-0000-4000-8000-000000000003'); select tenancy.protect('etl.item')")
        connection.execute("create rule look as on delete to etl.item do also insert into etl.seen select body from shop.note")
    with server.connect(user="forced_admin", dbname=forced) as connection:
        for step in ("suspend('three', 'x')", "archive('three', 'x')", "request_erasure('three', 'x', '0')"):
            connection.execute(f"select tenancy.{step}")
        with refused("TN020"):
            connection.execute("call tenancy.erase('three')")
    assert server.execute("select count(*) from etl.seen", dbname=forced) == [(0,)]
