"""Advisory locks that belong to one tenant, and the ones of PostgreSQL that all tenants share (leak X38)."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Server
from isolation.operators import Later
from isolation.guarded import DATABASE, Guards, enter, guards  # noqa: F401

LOCK, TRY = "tenancy.advisory_xact_lock", "tenancy.try_advisory_xact_lock"
SECRET = "select secret from tenancy.advisory_lock_secret"


def took(connection: psycopg.Connection[Any], call: str) -> bool:
    [(answer,)] = connection.execute(f"select {call}").fetchall()
    return bool(answer)


@pytest.fixture
def holder(guards: Guards) -> Iterator[psycopg.Connection[Any]]:
    with guards.connect(tenant="acme") as connection:
        yield connection
        connection.execute("rollback")


@pytest.mark.parametrize("key", ["42", "-9223372036854775808", "'invoice/42'", "''", "repeat('x', 100000)"])
def test_of_one_tenant(guards: Guards, holder: psycopg.Connection[Any], key: str) -> None:
    holder.execute(f"select {LOCK}({key})")
    with guards.connect(tenant="acme") as same, guards.connect(tenant="globex") as other:
        assert not took(same, f"{TRY}({key})")
        assert not took(same, f"{TRY}({key}, shared => true)")
        assert took(same, f"{TRY}({key} || '1')")
        assert took(other, f"{TRY}({key})")
        holder.execute("commit")
        assert took(same, f"{TRY}({key})"), "it ends with the transaction"


def test_shared(guards: Guards, holder: psycopg.Connection[Any]) -> None:
    holder.execute(f"select {LOCK}(42, shared => true)")
    with guards.connect(tenant="acme") as same:
        assert took(same, f"{TRY}(42, true)")
        assert not took(same, f"{TRY}(42)")


def test_a_number_is_its_decimal_text(guards: Guards, holder: psycopg.Connection[Any]) -> None:
    """A driver that knows no types sends one for the other."""
    holder.execute(f"select {LOCK}(42)")
    with guards.connect(tenant="acme") as same:
        assert not took(same, f"{TRY}('42')")
        assert took(same, f"{TRY}('042')")


def test_it_waits(guards: Guards, holder: psycopg.Connection[Any]) -> None:
    holder.execute(f"select {LOCK}(42)")
    with guards.connect(tenant="acme") as waiting:
        later = Later(waiting, f"select {LOCK}(42)").wait_until_blocked(guards.server)
        holder.execute("commit")
        later.result()


def test_a_savepoint_gives_it_back(guards: Guards, holder: psycopg.Connection[Any]) -> None:
    holder.execute(f"savepoint s; select {LOCK}(42); rollback to s")
    with guards.connect(tenant="acme") as same:
        assert took(same, f"{TRY}(42)")


@pytest.mark.parametrize("function", [LOCK, TRY])
def test_refusals(guards: Guards, function: str) -> None:
    guards.refused("begin", f"select {function}(42)", tenant=None, state="TN001")
    for arguments in ("null::bigint", "null::text", "42, null", "'x', null"):
        guards.refused(f"select {function}({arguments})", state="22004", match="needs a key")


def test_in_parallel_plans(guards: Guards) -> None:
    """A function that is wrongly marked: the lock of a worker would end with the worker."""
    guards.admin(f"create function lies(integer) returns boolean parallel safe language sql volatile as 'select {TRY}($1)'")
    try:
        guards.refused(f"set local {guards.server.forced_parallel} = on", "select lies(id) from messages", state="25000", match="parallel")
    finally:
        guards.admin("drop function lies")


NUMBERS = "select classid::bigint, objid::bigint, objsubid from pg_locks where locktype = 'advisory' and pid = "


def numbers(guards: Guards, tenant: str) -> tuple[int, int, int]:
    with guards.connect(tenant=tenant) as connection:
        connection.execute(f"select {LOCK}(42)")
        [found] = guards.admin(NUMBERS + str(connection.info.backend_pid))
        connection.execute("rollback")
    return found


def test_numbers_are_a_keyed_hash(guards: Guards) -> None:
    """BLAKE2b as Python has it; in a space of field 4 that no function of PostgreSQL's reaches."""
    [(secret,)] = guards.admin(SECRET)
    [(tenant,)] = guards.admin("select id from tenancy.tenant where slug = 'acme'")
    digest = hashlib.blake2b(tenant.bytes + b"42", key=secret, digest_size=16).digest()
    words = [int.from_bytes(digest[start:end], "little") for start, end in ((0, 4), (4, 8), (8, 10))]
    assert numbers(guards, "acme") == (words[0], words[1], 0x4000 | words[2] & 0x3FFF)
    assert numbers(guards, "globex") != numbers(guards, "acme")


def test_the_secret_is_nobodys(guards: Guards) -> None:
    guards.admin("create role guard_reader login in role tenancy_admin, tenancy_auditor")
    try:
        for role in ("guard_app", "guard_reader"):
            with guards.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(SECRET)
    finally:
        guards.admin("drop role guard_reader")


def test_the_secret_stays_out_of_dumps(guards: Guards) -> None:
    command = [guards.server.program("pg_dump"), "--data-only"]
    environment = os.environ | guards.server.environment(dbname=DATABASE)
    dump = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert "tenancy.tenant " in dump and "advisory_lock_secret" not in dump


def test_without_a_secret_nothing_is_locked(guards: Guards) -> None:
    before = numbers(guards, "acme")
    guards.admin("delete from tenancy.advisory_lock_secret")
    try:
        guards.refused(f"select {LOCK}(42)", state="55000", match="secret")
    finally:
        guards.admin("insert into tenancy.advisory_lock_secret default values")
    assert numbers(guards, "acme") != before, "another secret, other numbers"


SHARED_BY_ALL = [
    f"pg_{way}advisory_{scope}lock{mode}({key})"
    for way in ("", "try_") for scope in ("", "xact_") for mode in ("", "_shared") for key in ("42", "4, 2")
]


@pytest.mark.parametrize("call", SHARED_BY_ALL)
def test_postgresqls_own_are_refused_in_a_context(guards: Guards, call: str) -> None:
    error = guards.is_the_guards_work(f"select {call}", match="all tenants share")
    assert LOCK in (error.diag.message_hint or "")


def test_postgresqls_own_at_standard(guards: Guards) -> None:
    guards.admin("alter role guard_app set tenancy.guard = standard")
    try:
        guards.passes("select pg_advisory_xact_lock(42)")
    finally:
        guards.admin("alter role guard_app reset tenancy.guard")


def test_postgresqls_own_outside_a_context(guards: Guards) -> None:
    """For job queues and migrations, also in a session that has worked for a tenant; given back in one, too."""
    with guards.connect(tenant="acme") as connection:
        connection.execute("commit")
        connection.execute("select pg_advisory_lock(42)")
        enter(connection, "acme")
        assert took(connection, "pg_advisory_unlock(42)")
        connection.execute("rollback")


def test_postgresqls_own_in_a_superusers_function(guards: Guards) -> None:
    guards.admin("create function queue() returns void language sql security definer as 'select pg_catalog.pg_advisory_xact_lock(42)'")
    try:
        guards.passes("select queue()")
    finally:
        guards.admin("drop function queue")


@pytest.mark.parametrize(
    "query",
    ["select * from pg_locks", "select pg_lock_status()", "select pg_blocking_pids(1)", "select pg_safe_snapshot_blocking_pids(1)",
     "select pg_isolation_test_session_is_blocked(1, array[2])"],
)
def test_locks_are_not_shown(guards: Guards, query: str) -> None:
    guards.is_the_guards_work(query, match="what other sessions do")
    guards.passes(query, tenant=None)


def test_another_extension_of_the_same_name(server: Server) -> None:
    """A session goes on with the secret of the extension that was created anew."""
    name = server.createdb("lock_anew", extensions=["tenancy"])
    try:
        with server.connect(dbname=name) as old, server.connect(dbname=name) as new:
            for _ in range(2):
                new.execute("select tenancy.provision('acme')")
                for connection in (old, new):
                    enter(connection, "acme")
                assert took(old, f"{TRY}(42)") and not took(new, f"{TRY}(42)")
                old.execute("rollback")
                new.execute("rollback; drop extension tenancy cascade; create extension tenancy")
    finally:
        server.dropdb(name)
