"""Nobody makes the server read memory that is not what it takes it for."""

import psycopg
import pytest
from context_world import World, enter, refused, world  # noqa: F401
from harness import Server

# A schema of the extension's name in a database without the extension, by whoever may create one.
# The ids are numbers where the extension's are read by address.
FAKE = """
create schema tenancy;
create table tenancy.registry_signal ();
create table tenancy.tenant (id bigint, slug text collate "C", external_id text, external_bigint bigint,
    state text, generation bigint, tier text);
create unique index tenant_slug_key on tenancy.tenant (slug);
create table tenancy.operator (role_oid oid, kind text, role_name name);
create unique index operator_pkey on tenancy.operator (role_oid, kind);
insert into tenancy.tenant values (4096, 'x', 'x', 1, 'active', 1, 'standard');
"""


@pytest.fixture
def elsewhere(server: Server):
    server.dropdb("elsewhere")
    server.execute("do $$ begin if to_regrole('neighbour') is null then create role neighbour login; end if; end $$")
    server.execute("create database elsewhere owner neighbour")
    yield "elsewhere"
    server.dropdb("elsewhere")


def test_a_schema_of_our_name_is_not_the_registry(server: Server, elsewhere: str):
    server.psql(FAKE, user="neighbour", dbname=elsewhere)
    with server.connect(user="neighbour", dbname=elsewhere) as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("set tenancy.context = 'x'")
        assert caught.value.sqlstate is not None, "the server crashed"
        assert connection.execute("select count(*) from tenancy.tenant").fetchone() == (1,)


def test_the_extension_counts_once_it_is_there(server: Server, elsewhere: str):
    with server.connect(dbname=elsewhere) as connection:
        connection.execute("create table before (x int)")
        connection.execute("create extension tenancy")
        connection.execute("select tenancy.provision('first')")
        with connection.transaction():
            connection.execute("select tenancy.enter('first')")
            assert connection.execute("select tenancy.current_tenant()").fetchone() == ("first",)


@pytest.mark.parametrize("kind", ["float8", "jsonb", "name", "smallint", "numeric", "interval", "bytea"])
def test_fill_null_fills_only_what_can_hold_a_tenant(world: World, kind: str):  # noqa: F811
    world.tenant(slug=f"filled-{kind}", external_id=kind)
    world.admin(f"grant temp on database {world.database} to app_any")
    with world.connect() as connection:
        connection.execute("begin")
        enter(connection, f"filled-{kind}")
        connection.execute(f"create temp table t (tenant {kind}, x int) on commit drop")
        connection.execute(
            "create trigger f before insert on t for each row execute function tenancy.fill_null_tenant('tenant')"
        )
        with refused("42804"):
            connection.execute("insert into t (x) values (1)")


def test_a_lookup_notices_that_a_column_changed_its_type(world: World):  # noqa: F811
    """A number that is read as a text has a length of the attacker's choice."""
    world.admin("""
        set role table_owner;
        create table app.key (id bigint primary key, tenant_id uuid not null, hash text);
        insert into app.key values (4000000, gen_random_uuid(), 'h');
        alter table app.key alter column id type text;
        select tenancy.protect('app.key');
        reset role;
        select tenancy.allow_lookup('app.key', array['hash'], 'app_any');
        set role table_owner;
        select tenancy.unprotect('app.key');
        alter table app.key alter column id type bigint using id::bigint;
        select tenancy.protect('app.key');
    """)
    with world.connect() as connection, refused("42804"):
        connection.execute("select length(found_id) from app.lookup_key_by_hash('h')")
