"""What is set stays set: one tenant, one role and one mode until the transaction ends."""

import psycopg
import pytest
from context_world import World, bodies, enter, refused, world  # noqa: F401
from wire import fast_path_call, function_oid

HELPERS = """
create function app.definer_count() returns bigint language sql security definer as 'select count(*) from app.note';
create function app.definer_enter() returns uuid language plpgsql security definer
    as $$ begin return tenancy.enter('b'); end $$;
alter function app.definer_count() owner to rich;
alter function app.definer_enter() owner to rich;
create function app.with_role() returns bigint language sql set role = 'app_none' as 'select count(*) from app.note';
create function app.with_empty_context() returns bigint language sql set tenancy.context = ''
    as 'select count(*) from app.note';
create function app.fails_inside() returns text language plpgsql as $$
begin
    begin
        perform 1 from app.note;
        raise exception 'inside';
    exception when raise_exception then
        null;
    end;
    return tenancy.current_tenant();
end $$;
"""


@pytest.fixture(scope="module")
def pinning(world: World):  # noqa: F811
    a = world.tenant(slug="a", external_id="7")
    world.tenant(slug="b")
    world.admin("do $$ begin if to_regrole('rich') is null then create role rich; end if; end $$")
    world.admin("grant create, usage on schema app to rich")
    world.admin("grant select on app.note to rich")
    world.admin("select tenancy.grant_access('rich', '*', reason => 'test')")
    world.admin("select tenancy.add_alias('a', 'host', 'a.example.com')")
    world.admin("grant app_none, app_some to app_any")
    world.grant("app_some", a)
    world.server.psql(HELPERS, dbname=world.database)
    yield world
    world.admin("revoke app_none, app_some from app_any")


@pytest.fixture
def inside(pinning: World):
    """A connection in a transaction that works for tenant a."""
    with pinning.connect() as connection:
        connection.execute("begin")
        enter(connection, "a")
        yield connection


def dead(connection: psycopg.Connection) -> None:
    """The transaction answers nothing of any tenant, and the next one is fine."""
    with refused("TN003"):
        bodies(connection)
    connection.execute("rollback")
    with connection.transaction():
        enter(connection, "b")
        assert bodies(connection) == {"b"}


def test_another_tenant_is_refused(inside):
    with refused("TN002", 'already works for tenant "a"'):
        enter(inside, "b")


def test_another_tenant_is_refused_by_set(inside):
    with refused("TN002"):
        inside.execute("set local tenancy.context = 'b'")


def test_the_same_tenant_by_all_its_names(inside):
    row = inside.execute("select tenancy.current_tenant_id()::text").fetchone()
    for name in ("a", row[0], "external:7", "host:a.example.com"):
        enter(inside, name)
        assert bodies(inside) == {"a"}
    inside.execute("set local tenancy.context = 'a'")
    assert bodies(inside) == {"a"}
    inside.execute("commit")


@pytest.mark.parametrize("before", ["savepoint s", "savepoint o; savepoint s"])
def test_rollback_to_a_savepoint_before_it(pinning: World, before: str):
    with pinning.connect() as connection:
        connection.execute(f"begin; {before}")
        enter(connection, "a")
        connection.execute("rollback to s")
        dead(connection)


def test_after_that_rollback_only_the_same_tenant_comes_back(pinning: World):
    with pinning.connect() as connection:
        connection.execute("begin; savepoint s")
        enter(connection, "a")
        connection.execute("rollback to s")
        enter(connection, "a")
        assert bodies(connection) == {"a"}
        connection.execute("rollback to s")
        with refused("TN002"):
            enter(connection, "b")


def test_rollback_to_a_savepoint_after_it(inside):
    inside.execute("savepoint s")
    inside.execute("insert into app.note (body) values ('gone')")
    inside.execute("rollback to s")
    assert bodies(inside) == {"a"}
    with refused("TN002"):
        enter(inside, "b")
    inside.execute("rollback to s")
    assert bodies(inside) == {"a"}


def test_release(pinning: World):
    with pinning.connect() as connection:
        connection.execute("begin; savepoint s")
        enter(connection, "a")
        connection.execute("release s")
        assert bodies(connection) == {"a"}
        connection.execute("commit")
        with refused("TN001"):
            bodies(connection)


@pytest.mark.parametrize(
    "reset", ["reset tenancy.context", "set tenancy.context to default", "set local tenancy.context = ''"]
)
def test_reset_is_refused(inside, reset: str):
    with refused("TN002"):
        inside.execute(reset)


@pytest.mark.parametrize(
    "reset", ["reset all", "select set_config('tenancy.context', '', true)", "select set_config('tenancy.context', '', false)"]
)
def test_a_context_taken_away_is_none_of_the_next_tenant(inside, reset: str):
    inside.execute(reset)
    dead(inside)


def test_discard_all_between_transactions(pinning: World):
    with pinning.connect() as connection:
        with connection.transaction():
            enter(connection, "a")
        connection.execute("discard all")
        with refused("TN001"):
            bodies(connection)
        with connection.transaction():
            enter(connection, "b")
            assert bodies(connection) == {"b"}


def test_a_function_that_empties_the_context(inside):
    inside.execute("savepoint s")
    with refused("TN003"):
        inside.execute("select app.with_empty_context()")
    inside.execute("rollback to s")
    assert bodies(inside) == {"a"}


def test_exception_blocks(inside):
    assert inside.execute("select app.fails_inside()").fetchone() == ("a",)
    assert bodies(inside) == {"a"}


def test_chained_transactions_start_without_context(inside):
    inside.execute("commit and chain")
    with refused("TN001"):
        bodies(inside)
    inside.execute("rollback and chain")
    enter(inside, "b")
    assert bodies(inside) == {"b"}
    inside.execute("rollback and chain")
    with refused("TN001"):
        bodies(inside)


@pytest.mark.parametrize("role", ["app_none", "app_some"])
def test_set_role_after_it(inside, role: str):
    """Neither a role without a right to the tenant nor one with it goes on with another's context."""
    inside.execute(f"set role {role}")
    with refused("TN003"):
        bodies(inside)


def test_set_role_and_back(inside):
    inside.execute("set local role app_none")
    inside.execute("reset role")
    assert bodies(inside) == {"a"}


def test_commit_as_another_role(inside):
    """A context whose role went away still may end its transaction; nothing more is read or written."""
    inside.execute("set local role app_none")
    inside.execute("commit")
    assert inside.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_set_role_before_it(pinning: World):
    with pinning.connect() as connection:
        connection.execute("begin; set local role app_none")
        with refused("42501"):
            enter(connection, "a")
        connection.execute("rollback")
        connection.execute("begin; set local role app_some")
        enter(connection, "a")
        assert bodies(connection) == {"a"}
        connection.execute("rollback")
        connection.execute("begin; set local role app_some")
        with refused("42501"):
            enter(connection, "b")


def test_a_function_that_sets_the_role(inside):
    with refused("TN003"):
        inside.execute("select app.with_role()")


def test_set_session_authorization(pinning: World):
    with pinning.connect("postgres") as connection:
        connection.execute("begin")
        enter(connection, "b")
        connection.execute("set session authorization app_none")
        with refused("TN003"):
            bodies(connection)
        connection.execute("rollback")
        connection.execute("set session authorization app_none")
        with refused("42501"), connection.transaction():
            enter(connection, "b")
        with refused("TN009"), connection.transaction():
            connection.execute("do $$ begin perform tenancy.enter('b'); end $$")


def test_security_definer_lends_no_authority(pinning: World):
    with pinning.connect("app_none") as connection:
        with refused("TN009"):
            connection.execute("select app.definer_enter()")
        with refused("TN001"):
            connection.execute("select app.definer_count()")
        with connection.transaction(), refused("42501"):
            enter(connection, "a")


def test_security_definer_sees_the_callers_tenant(inside):
    assert inside.execute("select app.definer_count()").fetchone() == (2,)
    with refused("TN009"):
        inside.execute("select app.definer_enter()")


def test_grants_to_members(pinning: World):
    """Membership gives a tenant only when the grant says so, and one step deep."""
    pinning.admin("do $$ begin create role team; create role member login; create role deep login; end $$")
    pinning.admin("grant team to member")
    pinning.admin("grant member to deep")
    pinning.admin("grant usage on schema app to team; grant select on app.note to team")
    try:
        for include, allowed in ((False, []), (True, ["member"])):
            pinning.admin("select tenancy.grant_access('team', 'a', reason => 'test', include_members => %s)", include)
            for role in ("member", "deep"):
                with pinning.connect(role) as connection, connection.transaction():
                    if role in allowed:
                        enter(connection, "a")
                        assert bodies(connection) == {"a"}
                    else:
                        with refused("42501"):
                            enter(connection, "a")
    finally:
        pinning.admin("select tenancy.revoke_access('team', 'a')")
        pinning.admin("drop owned by team, member, deep")
        pinning.admin("drop role team, member, deep")


def test_a_role_made_again_inherits_nothing(pinning: World):
    pinning.admin("create role passing login")
    pinning.admin("select tenancy.grant_access('passing', 'a', reason => 'test')")
    with pinning.connect("passing") as connection, connection.transaction():
        enter(connection, "a")
    pinning.admin("drop role passing")
    pinning.admin("create role passing login")
    with pinning.connect("passing") as connection, refused("42501"):
        enter(connection, "a")
    pinning.admin("drop role passing")


def test_a_renamed_role_inherits_nothing(pinning: World):
    pinning.admin("create role before_rename login")
    pinning.admin("select tenancy.grant_access('before_rename', 'a', reason => 'test')")
    pinning.admin("alter role before_rename rename to after_rename")
    with pinning.connect("after_rename") as connection, refused("42501"):
        enter(connection, "a")
    pinning.admin("drop role after_rename")


# Read-only contexts.

WRITES = [
    "insert into app.note (body) values ('x')",
    "update app.note set body = 'x'",
    "delete from app.note",
    "select * from app.note for update",
    "select nextval('app.counter')",
    "select setval('app.counter', 7)",
    "create table app.x ()",
    "with w as (insert into app.note (body) values ('x') returning 1) select * from w",
    "do $$ begin insert into app.note (body) values ('x'); end $$",
]
ESCAPES_FROM_READ_ONLY = [
    "set transaction read write",
    "set local transaction_read_only = off",
    "set transaction_read_only = off",
    "set session characteristics as transaction read write",
    "savepoint s; set transaction read write",
    "savepoint s; rollback to s",
    "savepoint s; release s",
    "select set_config('transaction_read_only', 'off', true)",
    "do $$ begin set local transaction_read_only = off; end $$",
]


@pytest.fixture(params=["grant", "state"])
def reader(request, pinning: World):
    """A read-only context: by the grant, or by the tenant's state."""
    tenant = pinning.tenant()
    pinning.grant("app_some", tenant, mode="read_only" if request.param == "grant" else "read_write")
    if request.param == "state":
        pinning.admin("select tenancy.set_read_only(%s, 'test')", tenant.slug)
    with pinning.connect("app_some") as connection:
        yield connection, tenant


@pytest.mark.parametrize("way", ["enter", "set"])
def test_read_only_refuses_writes(reader, way: str):
    connection, tenant = reader
    for write in WRITES:
        connection.execute("begin")
        connection.execute(f"select tenancy.enter('{tenant.slug}')" if way == "enter" else f"set local tenancy.context = '{tenant.slug}'")
        assert bodies(connection) == {tenant.slug}
        with refused("25006"):
            connection.execute(write)
        connection.execute("rollback")


@pytest.mark.parametrize("escape", ESCAPES_FROM_READ_ONLY)
@pytest.mark.parametrize("before", ["begin", "begin read write", "begin; savepoint early"])
@pytest.mark.parametrize("way", ["enter", "set"])
def test_nothing_undoes_read_only(reader, escape: str, before: str, way: str):
    connection, tenant = reader
    for write in ("insert into app.note (body) values ('x')", "select nextval('app.counter')"):
        connection.execute(before)
        connection.execute(f"select tenancy.enter('{tenant.slug}')" if way == "enter" else f"set local tenancy.context = '{tenant.slug}'")
        try:
            connection.execute(escape)
        except psycopg.Error:
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
        else:
            with refused("25006"):
                connection.execute(write)
        connection.execute("rollback")


def test_read_only_ends_with_the_transaction(reader, pinning: World):
    connection, tenant = reader
    connection.execute("begin")
    enter(connection, tenant)
    connection.execute("commit")
    pinning.grant("app_some", tenant)
    if pinning.admin("select state from tenancy.tenant where slug = %s", tenant.slug) == [("read_only",)]:
        pinning.resume(tenant)
    with connection.transaction():
        enter(connection, tenant)
        connection.execute("insert into app.note (body) values (%s)", [tenant.slug])


@pytest.mark.parametrize(("before", "after"), [
    ("begin", "begin"),
    ("begin; savepoint early", "release early"),
    ("begin; savepoint early", "rollback to early"),
])
def test_fast_path_calls_are_read_only_too(reader, before: str, after: str):
    """Message 'F' runs a function and no statement: the end of a savepoint lets nothing pass."""
    connection, tenant = reader
    nextval = function_oid(connection, "nextval(regclass)")
    sequence = connection.execute("select 'app.counter'::regclass::oid::text").fetchone()[0]
    connection.execute(before)
    enter(connection, tenant)
    connection.execute(after)
    assert fast_path_call(connection, nextval, sequence)[0] == b"25006"


def test_a_fast_path_call_of_a_suspended_tenant(pinning: World):
    """It is no statement, but what it runs are: nothing is read."""
    pinning.admin("create or replace function app.counted() returns bigint language plpgsql as"
                  " $$ begin return (select count(*) from app.note); end $$")
    tenant = pinning.tenant()
    with pinning.connect() as connection:
        counted = function_oid(connection, "app.counted()")
        connection.execute("begin")
        enter(connection, tenant)
        assert fast_path_call(connection, counted) == (b"", b"\x00\x00\x00\x012")
        pinning.suspend(tenant)
        assert fast_path_call(connection, counted)[0] == b"TN005"
