"""What ALTER DEFAULT PRIVILEGES gives away where the extension is made reaches nothing of it."""

from collections.abc import Iterator

import pytest
from harness import Server

GIVEN = """
do $$ begin if to_regrole('given_app') is null then create role given_app login; end if; end $$;
alter default privileges grant all on tables to given_app, public;
alter default privileges grant all on sequences to given_app, public;
alter default privileges grant all on routines to given_app with grant option;
alter default privileges grant all on schemas to given_app, public;
"""

# Of others than the owner.
RIGHTS = """
with object (name, owner, rights) as (
    select 'relation ' || oid::regclass, relowner, relacl from pg_class where relnamespace = 'tenancy'::regnamespace
    union all select 'routine ' || oid::regprocedure, proowner, coalesce(proacl, acldefault('f', proowner))
    from pg_proc where pronamespace = 'tenancy'::regnamespace
    union all select 'schema ' || nspname, nspowner, nspacl from pg_namespace where nspname = 'tenancy')
select o.name, a.grantee::regrole::text, a.privilege_type, a.is_grantable
from object o, aclexplode(o.rights) a where a.grantee <> o.owner order by 1, 2, 3
"""


@pytest.fixture
def given(server: Server) -> Iterator[str]:
    database = server.createdb("given")
    server.execute(GIVEN, dbname=database)
    server.execute("create extension tenancy", dbname=database)
    yield database
    server.dropdb(database)


def test_nothing_is_given_away(server: Server, given: str, database: str) -> None:
    assert server.execute(RIGHTS, dbname=given) == server.execute(RIGHTS, dbname=database) != []
