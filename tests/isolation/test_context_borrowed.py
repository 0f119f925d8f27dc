"""A superuser or an admin runs code that others wrote; that code must not enter a tenant with
their authority."""

import pytest
from context_world import World, refused, world  # noqa: F401

PLANTED = """
create schema planted authorization table_owner;
grant usage on schema planted to public;
set role table_owner;
create table planted.box (id int, tenant_id uuid, body text);
create function planted.by_enter() returns text language plpgsql security definer
    as $$ begin perform tenancy.enter('victim'); return (select min(body) from app.note); end $$;
create function planted.by_setting() returns text language plpgsql security definer
    as $$ begin perform set_config('tenancy.context', 'victim', true); return (select min(body) from app.note); end $$;
create function planted.by_set() returns text language plpgsql security definer
    as $$ begin set local tenancy.context = 'victim'; return (select min(body) from app.note); end $$;
create function planted.steal() returns trigger language plpgsql
    as $$ begin perform tenancy.enter('victim'); new.body := (select min(body) from app.note); return new; end $$;
reset role;
"""


@pytest.fixture(scope="module")
def planted(world: World):  # noqa: F811
    world.tenant(slug="victim")
    world.server.psql(PLANTED, dbname=world.database)
    return world


@pytest.mark.parametrize("way", ["by_enter", "by_setting", "by_set"])
@pytest.mark.parametrize("role", ["postgres", "ops", "app_any"])
def test_a_definer_function_does_not_enter_for_its_caller(planted: World, role: str, way: str):
    with planted.connect(role) as connection, refused("TN009"):
        connection.execute(f"select planted.{way}()")


@pytest.mark.parametrize("way", ["by_enter", "by_setting", "by_set"])
def test_an_owners_code_does_not_enter_during_maintenance(planted: World, way: str):
    with planted.connect("postgres") as connection, refused("TN009"):
        connection.execute(
            f"select tenancy.run_as_owner('planted.box', 'select count(*) from (select planted.{way}()) as s')"
        )


def test_an_owners_code_does_not_work_for_all_tenants_during_maintenance(planted: World):
    planted.admin(
        """create function planted.all() returns int language plpgsql
           as $$ begin perform tenancy.enter_all('planted'); return 1; end $$;
           alter function planted.all() owner to table_owner"""
    )
    with planted.connect("postgres") as connection, refused("TN009"):
        connection.execute("select tenancy.run_as_owner('planted.box', 'select count(*) from (select planted.all()) as s')")


def test_an_owners_trigger_does_not_enter_during_maintenance(planted: World):
    planted.admin(
        "create trigger steal before insert on planted.box for each row execute function planted.steal()"
    )
    with planted.connect("postgres") as connection, refused("TN009"):
        connection.execute("select tenancy.run_as_owner('planted.box', 'insert into planted.box values (1)')")
