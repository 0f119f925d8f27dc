"""Ways of getting rows into or out of another tenant through COPY FROM."""

from pathlib import Path

import psycopg
import pytest
from harness import wait_for
from isolation.copied import (  # noqa: F401
    ACME, DATABASE, GLOBEX, Altered, Copies, altered, begin_load, binary, copies, load,
)

OWN, FOREIGN = f"{ACME}\tx\n".encode(), f"{GLOBEX}\tx\n".encode()
ALL = "copy shop.plain (tenant_id, body) from stdin"


def uuid(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


@pytest.mark.parametrize("statement, data, line", [
    (ALL, FOREIGN, 1),
    (ALL, OWN * 2000 + FOREIGN, 2001),
    (ALL + " (format csv)", f"{ACME},x\n{GLOBEX},x\n".encode(), 2),
    (ALL + " (format binary)", binary([uuid(ACME), b"x"], [uuid(GLOBEX), b"x"]), 2),
    (ALL + " where tenancy.current_tenant_id() is not null", OWN + FOREIGN, 2),
    ("copy shop.event (id, tenant_id, at) from stdin", f"1\t{ACME}\t2025-01-01\n1\t{GLOBEX}\t2026-01-01\n".encode(), 2),
    ("copy shop.event_2026 (id, tenant_id, at) from stdin", f"1\t{GLOBEX}\t2026-01-01\n".encode(), 1),
    ("copy shop.item (tenant_id, code) from stdin", FOREIGN, 1),
], ids=["first", "last of many", "csv", "binary", "where", "partition", "partition by name", "triggers"])
def test_a_row_of_another_tenant(copies: Copies, statement: str, data: bytes, line: int) -> None:
    error = copies.refused(statement, data, state="42501")
    assert "violates row-level security policy" in str(error)
    assert f"line {line}" in (error.diag.context or "")
    assert copies.count("shop.plain") == copies.count("shop.event") == copies.count("shop.item") == 0


def test_policies_come_before_keys(copies: Copies, altered: Altered) -> None:
    """Whether another tenant has a key is not told by which error comes."""
    altered(f"insert into shop.item (tenant_id, code, note) values ('{GLOBEX}', 'theirs', 'n')", "delete from shop.item")
    assert "row-level security" in str(copies.refused(
        "copy shop.item (tenant_id, code) from stdin", f"{GLOBEX}\ttheirs\n".encode(), state="42501"))
    error = copies.refused("copy shop.item (tenant_id, code) from stdin", f"{ACME}\tmine\n{ACME}\tmine\n".encode(), state="23505")
    assert error.diag.message_detail is None


def test_a_trigger_that_moves_rows(copies: Copies, altered: Altered) -> None:
    """What counts is the row after all triggers of the table's owner, also those of a partition."""
    altered(f"""create function work.move() returns trigger language plpgsql as
                  $$ begin if new.body = 'move' then new.tenant_id := '{GLOBEX}'; end if; return new; end $$;
                create trigger zz before insert on shop.plain for each row execute function work.move();
                create trigger zz before insert on shop.event_2025 for each row execute function work.move()""",
            "drop function work.move() cascade")
    for statement, data in (("copy shop.plain (body) from stdin", b"a\nmove\n"),
                            ("copy shop.event (at, id, body) from stdin", b"2025-01-01\t1\ta\n2025-01-01\t2\tmove\n")):
        error = copies.refused(statement, data, state="42501")
        assert "row-level security" in str(error) and "line 2" in (error.diag.context or "")


def test_a_default_that_names_another_tenant(copies: Copies, altered: Altered) -> None:
    altered(f"create table work.wrong (id integer, tenant_id uuid not null default '{GLOBEX}'); alter table work.wrong owner to load_owner;"
            f"set role load_owner; select tenancy.protect('work.wrong'); alter table work.wrong alter tenant_id set default '{GLOBEX}';"
            "grant insert on work.wrong to load_app", "drop table work.wrong")
    assert "row-level security" in str(copies.refused("copy work.wrong (id) from stdin", b"1\n", state="42501"))


def test_policies_of_the_tables_owner(copies: Copies, altered: Altered) -> None:
    """Those that restrict further hold, with sub-selects under policies of their own; those that permit more open nothing."""
    altered("create policy everything on shop.plain for insert with check (true)", "drop policy everything on shop.plain")
    copies.refused(ALL, FOREIGN, state="42501")
    altered("create policy known on shop.plain as restrictive for insert with check (exists (select 1 from shop.item where code = body))",
            "drop policy known on shop.plain")
    altered(f"insert into shop.item (tenant_id, code) values ('{GLOBEX}', 'theirs'), ('{ACME}', 'ours')", "delete from shop.item")
    assert "known" in str(copies.refused("copy shop.plain (body) from stdin", b"ours\ntheirs\n", state="42501"))
    with copies.connect() as connection:
        assert load(connection, "copy shop.plain (body) from stdin", b"ours\nours\n") == "COPY 2"
        connection.execute("rollback")


def test_no_policy_lets_a_role_insert(copies: Copies, altered: Altered) -> None:
    """A policy for one role alone: for others, row security denies."""
    altered("create policy narrow on shop.plain as restrictive for insert to load_app with check (body <> 'no')", "drop policy narrow on shop.plain")
    copies.refused("copy shop.plain (body) from stdin", b"no\n", state="42501")
    with copies.connect("load_files") as connection:
        assert load(connection, "copy shop.plain (body) from stdin", b"no\n") == "COPY 1"
        connection.execute("rollback")


def test_where_is_the_callers(copies: Copies, altered: Altered) -> None:
    """Its functions run with the caller's rights, on the caller's rows, and cannot change the tenant."""
    altered("""create function work.spy(text) returns boolean volatile language plpgsql as
                 $$ begin insert into work.seen (what, count) values ($1, (select count(*) from shop.item)); return true; end $$;
               create function work.turn() returns boolean volatile language plpgsql as
                 $$ begin perform tenancy.enter('globex'); return true; end $$;
               create function work.set() returns boolean volatile language plpgsql as
                 $$ begin perform set_config('tenancy.context', 'globex', true); return true; end $$""",
            "drop function work.spy, work.turn, work.set")
    altered(f"insert into shop.item (tenant_id, code) values ('{GLOBEX}', 'theirs')", "delete from shop.item")
    altered("delete from work.seen", "delete from work.seen")
    with copies.connect() as connection:
        assert load(connection, "copy shop.plain (body) from stdin where work.spy(body)", b"a\nb\n") == "COPY 2"
        seen = connection.execute("select what, count, who from work.seen order by number").fetchall()
        assert seen == [("a", 0, "load_app"), ("b", 0, "load_app")]
        connection.execute("rollback")
    for function in ("turn", "set"):
        copies.refused(f"copy shop.plain (body) from stdin where work.{function}()", b"a\n", state="TN009")


def test_a_temporary_table_of_the_same_name(copies: Copies) -> None:
    """The name is resolved once, and what was protected is what is written."""
    with copies.connect() as connection:
        connection.execute("set search_path = shop")
        connection.execute("create temporary table plain (tenant_id uuid, body text) on commit drop")
        assert load(connection, "copy plain from stdin", FOREIGN) == "COPY 1"
        assert connection.execute("select count(*) from shop.plain").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            load(connection, ALL, FOREIGN)


def test_cancelled(copies: Copies) -> None:
    """By the client, in the middle of the rows."""
    with copies.connect() as connection:
        with pytest.raises(psycopg.errors.QueryCanceled):
            with connection.cursor().copy("copy shop.plain (body) from stdin") as copy:
                copy.write(b"a\n" * 100)
                connection.cancel_safe()
                copy.write(b"a\n" * 10000)
        connection.execute("rollback")
        assert connection.execute("select 1").fetchone() == (1,)
    assert copies.count("shop.plain") == 0


def test_given_up(copies: Copies) -> None:
    """By CopyFail: the transaction is over, the session is not."""
    with copies.connect() as connection:
        with pytest.raises(KeyError):
            with connection.cursor().copy("copy shop.plain (body) from stdin") as copy:
                copy.write(b"a\n" * 100)
                raise KeyError
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
        connection.execute("rollback")
    assert copies.count("shop.plain") == 0


@pytest.mark.parametrize("end", ["connection", "backend"])
def test_killed(copies: Copies, end: str) -> None:
    """The connection, or the server's process, goes while rows are being sent."""
    connection = copies.connect()
    begin_load(connection, "copy shop.plain (body) from stdin", b"a\n" * 50000)
    copies.wait_for_rows(connection, 10000)
    backend = connection.info.backend_pid
    if end == "connection":
        connection.close()
    else:
        copies.admin(f"select pg_terminate_backend({backend})")
    wait_for(lambda: not copies.is_there(backend), what="its end")
    assert copies.count("shop.plain") == 0
    connection.close()


def test_suspended_in_the_middle(copies: Copies, altered: Altered) -> None:
    """The rows may be in, but the transaction does not commit."""
    altered("", "select tenancy.resume('acme')")
    with copies.connect() as connection:
        with connection.cursor().copy("copy shop.plain (body) from stdin") as copy:
            copy.write(b"a\n")
            copies.admin("select tenancy.suspend('acme', 'test')")
        with pytest.raises(psycopg.Error) as raised:
            connection.execute("commit")
        assert raised.value.sqlstate == "TN005"
    assert copies.count("shop.plain") == 0


def test_drained_in_the_middle(copies: Copies, altered: Altered) -> None:
    """A load whose client says nothing more is ended by drain."""
    altered("", "select tenancy.resume('acme')")
    connection = copies.connect()
    begin_load(connection, "copy shop.plain (body) from stdin", b"a\n" * 1000)
    backend = connection.info.backend_pid
    copies.admin("select tenancy.suspend('acme', 'test')")
    copies.admin("call tenancy.drain('acme', 'cancel', '60 s')")
    assert copies.count("shop.plain") == 0
    wait_for(lambda: not copies.is_there(backend), what="its end")
    connection.close()


def anonymous_memory(backend: int) -> int:
    """Kilobytes of a process's own, without what it shares."""
    status = Path(f"/proc/{backend}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))


def test_memory(copies: Copies) -> None:
    """Rows are not collected: 100 MB of them take no memory and no file that 5 MB did not."""
    row = b"x" * 1000 + b",2025-01-01,1\n"
    with copies.connect() as connection:
        with connection.cursor().copy("copy shop.event_2025 (body, at, id) from stdin (delimiter ',')") as copy:
            copy.write(row * 5000)
            copies.wait_for_rows(connection, 4000)
            before = anonymous_memory(connection.info.backend_pid)
            for _ in range(20):
                copy.write(row * 5000)
            copies.wait_for_rows(connection, 100_000)
            assert anonymous_memory(connection.info.backend_pid) - before < 5000
        assert copies.admin(f"select temp_files from pg_stat_database where datname = '{DATABASE}'") == [(0,)]
        connection.execute("rollback")


def test_progress_of_others(copies: Copies) -> None:
    """A session of the same role does not see how many rows another tenant loads."""
    with copies.connect() as connection, copies.connect(tenant="globex") as other:
        with connection.cursor().copy("copy shop.plain (body) from stdin") as copy:
            copy.write(b"a\n" * 10)
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="what other sessions do"):
                other.execute("select * from pg_stat_progress_copy")
