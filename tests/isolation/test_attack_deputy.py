"""Code of a table's owner that runs for an operator or a superuser gains nothing by it."""

import pytest
from context_world import World, refused, world  # noqa: F401

SETUP = """
do $$ begin if to_regrole('mallory') is null then create role mallory login; end if; end $$;
select tenancy.protect('app.note', harden_keys => 'off', existing_policies => 'replace');
create schema mallory authorization mallory;
grant create, usage on schema mallory to ops;
set session authorization mallory;
create function mallory.opens() returns int language plpgsql as
    $$ begin perform tenancy.unprotect('app.note'); return 1; end $$;
create function mallory.harmless() returns int security definer language plpgsql as
    $$ begin perform tenancy.unprotect('app.note'); return 1; end $$;
create function mallory.opens_at_update() returns trigger language plpgsql as
    $$ begin perform tenancy.unprotect('app.note'); return new; end $$;
create materialized view mallory.report as select mallory.opens() as x with no data;
create table mallory.parent (id bigint primary key, tenant_id uuid not null);
create table mallory.child (id bigint primary key, parent_id bigint references mallory.parent);
insert into mallory.parent values (1, gen_random_uuid());
insert into mallory.child values (1, 1);
create trigger t before update on mallory.child for each row execute function mallory.opens_at_update();
"""


@pytest.fixture(scope="module")
def planted(world: World):  # noqa: F811
    world.server.psql(SETUP, dbname=world.database)
    return world


@pytest.fixture(autouse=True)
def still_protected(planted: World):
    yield
    assert planted.admin("select count(*) from tenancy.protected_table where relation = 'app.note'::regclass") == [(1,)]


def test_refreshing_a_view_unprotects_nothing(planted: World):
    with planted.connect("postgres") as connection, refused("42501", "for another role"):
        connection.execute("refresh materialized view mallory.report")


@pytest.mark.parametrize("role", ["postgres", "ops"])
def test_a_definer_function_has_no_use_of_its_callers_rights(planted: World, role: str):
    with planted.connect(role) as connection, refused("42501", "for another role"):
        connection.execute("select mallory.harmless()")


@pytest.mark.parametrize("role", ["postgres", "ops"])
def test_protecting_a_table_unprotects_no_other(planted: World, role: str):
    with planted.connect(role) as connection:
        connection.execute("begin")
        connection.execute("select tenancy.protect('mallory.parent')")
        with refused("42501", "for another role"):
            connection.execute("select tenancy.protect('mallory.child', via => 'parent_id')")


def test_an_admin_gives_a_table_only_to_roles_of_its_own(planted: World):
    """Its triggers run with the rights of the new owner."""
    with planted.connect("ops") as connection:
        connection.execute("create table mallory.mine (id bigint primary key, tenant_id uuid not null)")
        for owner in ("postgres", "table_owner"):
            with refused("42501", "give a table"):
                connection.execute(f"select tenancy.protect('mallory.mine', owner => '{owner}')")
    with planted.connect("postgres") as connection, refused("42501", "superuser"):
        connection.execute("select tenancy.protect('mallory.mine', owner => 'postgres')")


def test_a_lookup_is_withheld_whatever_else_has_its_name(planted: World):
    planted.server.psql(
        """set role table_owner;
           create table app.login (id bigint primary key, tenant_id uuid not null, email text);
           create function app.lookup_login_by_email(int) returns int language sql as 'select 1';
           create function app.lookup_login_by_email(bool) returns int language sql as 'select 1';
           select tenancy.protect('app.login');
           reset role;
           grant usage on schema app to ops;
           select tenancy.allow_lookup('app.login', array['email'], 'app_any')""",
        dbname=planted.database,
    )
    call = "select * from app.lookup_login_by_email('x'::text)"
    with planted.connect("app_any") as connection:
        connection.execute(call)
    with planted.connect("mallory") as connection, refused("42501"):
        connection.execute(call)


def test_an_admin_has_no_functions_run_that_it_may_not_call(planted: World):
    """A step of onboarding runs as the function's owner."""
    planted.admin("create function app.of_superuser(uuid) returns void language sql as ''")
    planted.admin("set role table_owner; create function app.of_owner(uuid) returns void language sql as '';"
                  " revoke all on function app.of_owner(uuid) from public")
    step = "select tenancy.define_onboarding_step('standard', 1, 'step', 'sql', %s)"
    with planted.connect("ops") as connection:
        for function in ("app.of_superuser(uuid)", "app.of_owner(uuid)", "tenancy.finish_erasure(uuid)"):
            with refused("22023"):
                connection.execute(step, [function])
    planted.admin("grant execute on function app.of_owner(uuid) to ops")
    with planted.connect("ops") as connection:
        connection.execute(step, ["app.of_owner(uuid)"])
        connection.execute("select tenancy.remove_onboarding_step('standard', 'step')")


def test_no_cursor_takes_rows_out_of_the_extensions_own_work(planted: World):
    """A step of onboarding leaves a cursor over the tenant's rows to the admin who runs it."""
    tenant = planted.tenant(slug="new")
    planted.admin("insert into app.note (tenant_id, body) select gen_random_uuid(), 'x' from generate_series(1, 30000)")
    planted.admin("set role table_owner; create function app.opens() returns bigint language plpgsql as"
                  " $$ declare c refcursor := 'kept'; begin open c for select body from app.note; return 0; end $$")
    with planted.connect("postgres") as connection:
        connection.execute("begin")
        connection.execute("set local enable_indexscan = off; set local enable_bitmapscan = off")
        connection.execute("select tenancy.run_as_owner('app.note', 'select app.opens()', %s)", [tenant.id])
        with refused("TN001"):
            connection.execute("fetch all from kept")
