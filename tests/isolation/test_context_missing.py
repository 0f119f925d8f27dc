"""Without a context: an error, or nothing to read; never a row, never a write."""

import psycopg
import pytest
from context_world import World, bodies, enter, refused, world  # noqa: F401

WRITES = [
    "insert into app.note (body) values ('x')",
    "insert into app.note (tenant_id, body) select id, 'x' from (select gen_random_uuid()) as s(id)",
    "update app.note set body = 'x'",
    "delete from app.note",
    "with gone as (delete from app.note returning 1) select count(*) from gone",
    "merge into app.note n using (values ('x')) as s(body) on n.body = s.body when matched then delete",
    "do $$ begin delete from app.note; end $$",
]


@pytest.fixture(scope="module")
def filled(world: World):  # noqa: F811
    tenant = world.tenant(slug="a")
    yield world
    assert world.stored(tenant) == 2


@pytest.mark.parametrize("choice", ["error", "empty"])
@pytest.mark.parametrize("write", WRITES)
def test_writes_are_an_error_either_way(filled: World, choice: str, write: str):
    with filled.connect() as connection:
        connection.execute(f"set tenancy.on_missing_context = '{choice}'")
        with refused("TN001"):
            connection.execute(write)


def test_reads(filled: World):
    query = "select count(*) from app.note"
    with filled.connect() as connection:
        with refused("TN001"):
            connection.execute(query)
        connection.execute("set tenancy.on_missing_context = 'empty'")
        assert connection.execute(query).fetchone() == (0,)
        assert connection.execute("select * from app.note for update").fetchall() == []
        assert connection.execute("select tenancy.current_tenant_id()").fetchone() == (None,)
        with refused("TN001"):
            connection.execute("select tenancy.default_tenant_id()")
        with connection.transaction():
            enter(connection, "a")
            assert bodies(connection) == {"a"}


def test_planning_never_raises(filled: World):
    """Statements prepared, and cursors declared, before the context is there."""
    filled.admin("analyze app.note")
    with filled.connect() as connection:
        connection.execute("begin")
        result = connection.pgconn.prepare(b"early", b"select distinct body from app.note where body = $1")
        assert result.status == psycopg.pq.ExecStatus.COMMAND_OK
        connection.execute("declare early_cursor cursor for select distinct body from app.note")
        enter(connection, "a")
        assert connection.execute("fetch all from early_cursor").fetchall() == [("a",)]
        result = connection.pgconn.exec_prepared(b"early", [b"a"])
        assert result.get_value(0, 0) == b"a"
        connection.execute("commit")


def test_not_in_the_error(filled: World):
    """Nothing of a tenant, and what to do next."""
    with filled.connect() as connection, refused("TN001", "no tenant context is set") as caught:
        bodies(connection)
    assert "tenancy.enter($1)" in caught.value.diag.message_hint
