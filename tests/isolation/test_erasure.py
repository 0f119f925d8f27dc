"""Erasing beside open transactions, interrupted, and twice at once."""

from typing import Any

import psycopg
import pytest
from harness import Server, wait_for

from .operators import Connect, Later

TABLE = """
do $$ begin if to_regrole('race_app') is null then create role race_app login; end if; end $$;
create table message (id bigint generated always as identity primary key, tenant_id uuid not null, body text);
grant select, insert, update, delete on message to race_app;
select tenancy.provision('acme'), tenancy.provision('other');
insert into message (tenant_id, body) select t.id, 'x' from tenancy.tenant as t, generate_series(1, 100);
select tenancy.protect('message');
select tenancy.grant_access('race_app', '*', reason => 'test');
"""
COUNT = "select count(*) from message as m join tenancy.tenant as t on t.id = m.tenant_id where slug = %s"


@pytest.fixture
def admin(server: Server, database: str, connect: Connect) -> psycopg.Connection[Any]:
    server.psql(TABLE, dbname=database)
    return connect()


def request_erasure(admin: psycopg.Connection[Any], slug: str = "acme") -> None:
    """Up to where erase() may begin."""
    admin.execute("select tenancy.suspend(%s, 'x')", [slug])
    admin.execute("select tenancy.archive(%s, 'x')", [slug])
    admin.execute("select tenancy.request_erasure(%s, 'x', '0')", [slug])


def rows(server: Server, database: str) -> tuple[int, int]:
    """How many rows acme and the other tenant have."""
    with server.connect(dbname=database) as look:
        acme, other = (look.execute(COUNT, [slug]).fetchone() for slug in ("acme", "other"))
    assert acme is not None and other is not None
    return acme[0], other[0]


def outcome(statement: Later) -> str:
    """What came of it, at its end: "done", or an SQLSTATE."""
    try:
        statement.result()
    except psycopg.Error as error:
        return str(error.sqlstate)
    return "done"


def wait_until_it_waits(server: Server, database: str) -> None:
    """Until one erasure waits for others' transactions."""
    waiting = "select count(*) from pg_stat_activity where wait_event = 'Extension' and datname = %s"
    wait_for(lambda: server.execute(waiting, [database]) == [(1,)], 20, "it to wait")


def state(admin: psycopg.Connection[Any]) -> str:
    row = admin.execute("select state from tenancy.tenant where slug = 'acme'").fetchone()
    assert row is not None
    return row[0]


def test_an_open_transaction_of_the_tenant_is_ended(server: Server, database: str, connect: Connect, admin: psycopg.Connection[Any]) -> None:
    app = connect("race_app")
    app.autocommit = False
    app.execute("select tenancy.enter('acme')")
    app.execute("insert into message (body) values ('late')")
    request_erasure(admin)
    admin.execute("call tenancy.erase('acme', 30)")
    with pytest.raises(psycopg.Error):
        app.commit()
    assert state(admin) == "erased"
    assert rows(server, database) == (0, 100)


@pytest.mark.parametrize("name", ["a_payer", "zzz_payer"])
@pytest.mark.parametrize("command", ["all", "select"])
def test_a_policy_on_another_column(server: Server, database: str, admin: psycopg.Connection[Any], name: str, command: str) -> None:
    """It compares with the tenant, too, and does not say whose a row is."""
    server.execute(
        "alter table message add payer uuid not null default gen_random_uuid();"
        f"create policy {name} on message as restrictive for {command} using (payer = tenancy.current_tenant_id())", dbname=database)
    for command_refused in ("alter tenant_id drop not null", "rename tenant_id to x"):
        with pytest.raises(psycopg.Error) as caught:
            server.execute(f"alter table message {command_refused}", dbname=database)
        assert caught.value.sqlstate == "TN018"
    request_erasure(admin)
    admin.execute("call tenancy.erase('acme', 30)")
    assert rows(server, database) == (0, 100)


def late_insert(server: Server, database: str) -> psycopg.Connection[Any]:
    """A superuser's transaction, without a context, with a row of acme that nobody sees yet."""
    writer = server.connect(dbname=database, autocommit=False)
    writer.execute("insert into message (tenant_id, body) select id, 'late' from tenancy.tenant where slug = 'acme'")
    return writer


def test_an_open_transaction_without_a_context_is_waited_for(server: Server, database: str, admin: psycopg.Connection[Any]) -> None:
    with late_insert(server, database) as writer:
        request_erasure(admin)
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("call tenancy.erase('acme', timeout => '200ms')")
        assert caught.value.sqlstate == "TN023"
        assert f"process {writer.info.backend_pid}" in str(caught.value.diag.message_detail)
        assert state(admin) == "erasing"
        assert rows(server, database) == (100, 100)
        later = Later(admin, "call tenancy.erase('acme', timeout => '1 minute')")
        writer.execute("insert into message (tenant_id, body) select id, 'later' from tenancy.tenant where slug = 'acme'")
        writer.commit()
    later.result()
    assert state(admin) == "erased"
    assert rows(server, database) == (0, 100)


def test_an_index_that_is_built_concurrently_is_not_waited_for(
    server: Server, database: str, connect: Connect, admin: psycopg.Connection[Any]
) -> None:
    """It writes no rows, may take hours, and waits in its turn for whoever looks at rows meanwhile."""
    other = connect("race_app")
    other.autocommit = False
    other.execute("select tenancy.enter('other')")
    other.execute("insert into message (body) values ('held')")
    builder = Later(connect("postgres"), "create index concurrently on message (body)").wait_until_blocked(server)
    request_erasure(admin)
    admin.execute("call tenancy.erase('acme', timeout => '2 s')")
    assert state(admin) == "erased"
    assert builder.running
    other.commit()
    builder.result()


def test_a_prepared_transaction_is_waited_for(server: Server, database: str, admin: psycopg.Connection[Any]) -> None:
    with late_insert(server, database) as writer:
        writer.execute("prepare transaction 'late'")
        writer.rollback()
        request_erasure(admin)
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("call tenancy.erase('acme', timeout => '200ms')")
        assert caught.value.sqlstate == "TN023" and "prepared" in str(caught.value.diag.message_detail)
        writer.autocommit = True
        writer.execute("commit prepared 'late'")
    admin.execute("call tenancy.erase('acme')")
    assert rows(server, database) == (0, 100)


def test_interrupted_it_goes_on(server: Server, database: str, connect: Connect, admin: psycopg.Connection[Any]) -> None:
    server.psql(
        """create function stop() returns trigger language plpgsql as $$ begin
             if old.body = 'stop' then perform pg_catalog.pg_advisory_xact_lock(4711); end if; return old; end $$;
           create trigger stop before delete on message for each row execute function stop();
           update message set body = 'stop' where id = (select id from message
             where tenant_id = tenancy.tenant_id('acme') order by ctid offset 55 limit 1)""",
        dbname=database,
    )
    request_erasure(admin)
    one, holder = connect(), connect("postgres")
    holder.execute("select pg_advisory_lock(4711)")
    later = Later(one, "call tenancy.erase('acme', 20)").wait_until_blocked(server)
    left_over, others = rows(server, database)
    assert 0 < left_over < 100 and others == 100
    server.execute("select pg_terminate_backend(%s)", [one.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        later.result()
    holder.execute("select pg_advisory_unlock(4711)")
    assert state(admin) == "erasing"
    assert rows(server, database) == (left_over, 100)
    with pytest.raises(psycopg.Error) as caught:
        admin.execute("select tenancy.cancel_erasure('acme')")
    assert caught.value.sqlstate == "TN010"
    admin.execute("call tenancy.erase('acme', 20)")
    assert state(admin) == "erased"
    assert rows(server, database) == (0, 100)
    assert admin.execute("select deleted from tenancy.erasure_count").fetchall() == [(100,)]


def test_a_batch_that_fails_keeps_those_before_it(server: Server, database: str, admin: psycopg.Connection[Any]) -> None:
    server.psql(
        """create table fuse (left_over integer); insert into fuse values (50);
           create function burn() returns trigger language plpgsql as $$ begin
             update public.fuse set left_over = left_over - 1;
             if (select left_over < 0 from public.fuse) then raise 'fuse'; end if; return old; end $$;
           create trigger burn before delete on message for each row execute function burn()""",
        dbname=database,
    )
    request_erasure(admin)
    with pytest.raises(psycopg.Error, match="remain") as caught:
        admin.execute("call tenancy.erase('acme', 20)")
    assert caught.value.sqlstate == "TN020"
    assert rows(server, database) == (60, 100)
    assert state(admin) == "erasing"
    server.psql("update fuse set left_over = 1000", dbname=database)
    admin.execute("call tenancy.erase('acme', 20)")
    assert rows(server, database) == (0, 100)
    assert admin.execute("select deleted from tenancy.erasure_count").fetchall() == [(100,)]


def test_twice_at_once(server: Server, database: str, connect: Connect, admin: psycopg.Connection[Any]) -> None:
    request_erasure(admin)
    both = [Later(connect(), "call tenancy.erase('acme', 10)") for _ in range(2)]
    outcomes = {outcome(one) for one in both}
    assert "done" in outcomes and outcomes <= {"done", "TN016"}
    assert state(admin) == "erased"
    assert rows(server, database) == (0, 100)
    assert admin.execute("select deleted from tenancy.erasure_count").fetchall() == [(100,)]
    assert admin.execute("select count(*) from tenancy.audit_event where event = 'finish_erasure'").fetchone() == (1,)


@pytest.mark.parametrize("servers", ["server", "session_server"])
def test_those_that_wait_do_not_wait_for_each_other(servers: str, request: pytest.FixtureRequest) -> None:
    """Also where no shared memory tells whose a transaction is."""
    server: Server = request.getfixturevalue(servers)
    server.dropdb("those_that_wait")
    name = server.createdb("those_that_wait", extensions=["tenancy"])
    server.psql("select tenancy.provision('acme'), tenancy.provision('other')", dbname=name)
    with server.connect(dbname=name, autocommit=False) as one, server.connect(dbname=name, autocommit=False) as two:
        for connection in (one, two):
            connection.execute("select count(*) from tenancy.tenant")  # each runs before the other looks
        wait = "select tenancy.await_writers(tenancy.tenant_id('{}'), false, '20s', true)"
        both = [Later(one, wait.format("acme")), Later(two, wait.format("other"))]
        waited = sorted(statement.result()[0][0] for statement in both)
        assert waited in ([0, 0], [0, 1])
    server.dropdb(name)


WAIT = "tenancy.await_writers(tenancy.tenant_id('acme'), false, '1s', true)"
INSERT = "insert into message (id, tenant_id, body) overriding system value select 4711, tenancy.tenant_id('acme')"


@pytest.mark.parametrize(
    "statements",
    [
        [f"select {WAIT}", f"{INSERT}, 'late'"],
        [f"select {WAIT}", "reset transaction_read_only", f"{INSERT}, 'late'"],
        ["savepoint inside", f"select {WAIT}", "release savepoint inside", f"{INSERT}, 'late'"],
        ["savepoint inside", f"select {WAIT}", "rollback to savepoint inside", f"{INSERT}, 'late'"],
        [f"{INSERT}, {WAIT}::text"],
    ],
    ids=["plainly", "reset", "savepoint", "rolled back", "one statement"],
)
@pytest.mark.parametrize("commit", ["commit", "prepare transaction 'late'"])
def test_after_waiting_nothing_is_written(server: Server, database: str, admin: psycopg.Connection[Any], statements: list[str], commit: str) -> None:
    """Others who wait did not wait for that transaction."""
    if "reset transaction_read_only" in statements and server.version >= 16:
        pytest.skip("PostgreSQL itself refuses to RESET it, from 16 on")
    with server.connect(dbname=database, autocommit=False) as superuser:
        for statement in statements:
            superuser.execute(statement)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="has waited"):
            superuser.execute(commit)
        superuser.rollback()
    assert rows(server, database) == (100, 100)


def test_who_has_written_is_waited_for_while_it_waits(server: Server, database: str, connect: Connect, admin: psycopg.Connection[Any]) -> None:
    with late_insert(server, database) as writer:
        writer.execute(f"select {WAIT}")
        request_erasure(admin)
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("call tenancy.erase('acme', timeout => '200ms')")
        assert caught.value.sqlstate == "TN023"
        writer.commit()
    assert rows(server, database) == (101, 100)


def test_the_tenants_own_transactions_are_ended_first(server: Server, database: str, connect: Connect, admin: psycopg.Connection[Any]) -> None:
    """Whatever other transactions, which are not ended, keep the erasure waiting."""
    sessions = [connect("race_app") for _ in range(3)]
    with late_insert(server, database) as one, late_insert(server, database) as other:
        for app in sessions:
            app.autocommit = False
            app.execute("select tenancy.enter('acme')")
        with late_insert(server, database) as third:
            request_erasure(admin)
            with pytest.raises(psycopg.Error) as caught:
                admin.execute("call tenancy.erase('acme', timeout => '3s')")
            assert caught.value.sqlstate == "TN023"
            for writer in (one, other, third):
                writer.rollback()
    for app in sessions:
        with pytest.raises(psycopg.OperationalError):
            app.execute("select 1")


@pytest.mark.parametrize("last", [0, 1])
def test_who_changes_its_mind_is_waited_for(
    server: Server, database: str, connect: Connect, admin: psycopg.Connection[Any], last: int
) -> None:
    """Neither has a context when the erasure begins to wait for one of them."""
    with (
        server.connect(dbname=database, autocommit=False) as one,
        server.connect(dbname=database, autocommit=False) as other,
    ):
        for connection in (one, other):
            connection.execute("select 1")
        request_erasure(admin)
        later = Later(admin, "call tenancy.erase('acme', timeout => '20s')")
        wait_until_it_waits(server, database)
        for connection in (one, other):
            connection.execute("select tenancy.enter_all('backfill')")
            connection.execute("insert into message (tenant_id, body) select tenancy.tenant_id('acme'), 'late'")
        (other, one)[last].commit()
        drain = "call tenancy.drain('acme', 'wait', '500ms')"  # as long as the erasure would take that did not wait
        with pytest.raises(psycopg.Error), connect() as second:
            second.execute(drain)
        assert later.running
        (one, other)[last].commit()
        later.result()
    assert state(admin) == "erased"
    assert rows(server, database) == (0, 100)


@pytest.mark.parametrize("first", [[f"{INSERT}, 'late'"], []], ids=["written", "nothing"])
def test_another_tenants_context_hides_no_writer(server: Server, database: str, admin: psycopg.Connection[Any], first: list[str]) -> None:
    """Whom row security does not bind may write for anybody in it."""
    with server.connect(dbname=database, autocommit=False) as superuser:
        for statement in [*first, "select tenancy.enter('other')"]:
            superuser.execute(statement)
        request_erasure(admin)
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("call tenancy.erase('acme', timeout => '200ms')")
        assert caught.value.sqlstate == "TN023"
        superuser.rollback()


def test_an_application_in_another_tenant_is_not_waited_for(connect: Connect, admin: psycopg.Connection[Any]) -> None:
    app = connect("race_app")
    app.autocommit = False
    app.execute("select tenancy.enter('other')")
    app.execute("insert into message (body) values ('fine')")
    request_erasure(admin)
    admin.execute("call tenancy.erase('acme', timeout => '5s')")
    app.commit()


def test_a_session_that_is_not_preloaded_is_waited_for(session_server: Server) -> None:
    """Nothing would check its commit."""
    session_server.dropdb("not_preloaded")
    name = session_server.createdb("not_preloaded", extensions=["tenancy"])
    session_server.psql(TABLE, dbname=name)
    with (
        session_server.connect(dbname=name, autocommit=False, options="-c session_preload_libraries=") as late,
        session_server.connect(dbname=name) as admin,
    ):
        late.execute(f"select {WAIT}")
        request_erasure(admin)
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("call tenancy.erase('acme', timeout => '200ms')")
        assert caught.value.sqlstate == "TN023"
    session_server.dropdb(name)


def test_rows_that_a_policy_hides_from_the_owner_are_counted(server: Server, database: str, admin: psycopg.Connection[Any]) -> None:
    server.psql(
        """do $$ begin if to_regrole('race_owner') is null then create role race_owner; end if; end $$;
           alter table message add column deleted boolean not null default false;
           update message set deleted = id % 4 < 2;
           alter table message owner to race_owner;
           create policy soft_delete on message as restrictive for select using (not deleted)""",
        dbname=database,
    )
    request_erasure(admin)
    with pytest.raises(psycopg.Error, match="remain") as caught:
        admin.execute("call tenancy.erase('acme')")
    assert caught.value.sqlstate == "TN020" and "policy" in str(caught.value.diag.message_hint)
    assert state(admin) == "erasing"
    server.psql("drop policy soft_delete on message", dbname=database)
    admin.execute("call tenancy.erase('acme')")
    assert rows(server, database) == (0, 100)


def test_who_began_to_write_during_the_deletion_is_waited_for(server: Server, database: str, connect: Connect, admin: psycopg.Connection[Any]) -> None:
    server.psql(
        """create function stop() returns trigger language plpgsql as $$ begin
             perform pg_catalog.pg_advisory_xact_lock_shared(4711); return old; end $$;
           create trigger stop before delete on message for each row execute function stop()""",
        dbname=database,
    )
    request_erasure(admin)
    holder = connect("postgres")
    holder.execute("select pg_advisory_lock(4711)")
    later = Later(connect(), "call tenancy.erase('acme', timeout => '20s')").wait_until_blocked(server)
    with late_insert(server, database) as writer:
        holder.execute("select pg_advisory_unlock(4711)")
        wait_until_it_waits(server, database)
        writer.commit()
    later.refused("TN020")
    admin.execute("call tenancy.erase('acme')")
    assert rows(server, database) == (0, 100)


def test_a_second_entry_leaves_it_confined(connect: Connect, admin: psycopg.Connection[Any]) -> None:
    app = connect("race_app")
    app.autocommit = False
    app.execute("select tenancy.enter('other')")
    app.execute("insert into message (body) values ('fine')")
    app.execute("select tenancy.enter('other')")
    request_erasure(admin)
    admin.execute("call tenancy.erase('acme', timeout => '5s')")
    app.commit()


def test_one_table_does_not_keep_the_rows_of_others(server: Server, database: str, admin: psycopg.Connection[Any]) -> None:
    """Anybody who may create a table may protect it, with a trigger that refuses to delete."""
    server.psql(
        """create role race_spoiler; grant usage, create on schema public to race_spoiler;
           set role race_spoiler;
           create table spoiler (tenant_id uuid not null);
           create function spoil() returns trigger language plpgsql as $$ begin raise 'never'; end $$;
           create trigger spoil before delete on spoiler for each row execute function spoil();
           select tenancy.protect('spoiler');
           reset role;
           insert into spoiler select tenancy.tenant_id('acme')""",
        dbname=database,
    )
    try:
        request_erasure(admin)
        with pytest.raises(psycopg.Error, match="remain") as caught:
            admin.execute("call tenancy.erase('acme')")
        assert caught.value.sqlstate == "TN020" and "spoiler: 1" in str(caught.value.diag.message_detail)
        assert rows(server, database) == (0, 100)
        server.psql("alter table spoiler disable trigger spoil", dbname=database)
        admin.execute("call tenancy.erase('acme')")
        assert state(admin) == "erased"
    finally:
        server.psql("drop owned by race_spoiler; drop role race_spoiler", dbname=database)
