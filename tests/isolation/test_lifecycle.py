"""Races between operators: one of two wins, the other is told so, and nobody waits without need."""

from typing import Any

import psycopg
import pytest
from harness import Server

from .operators import Connect, Later

def state(connection: psycopg.Connection[Any], slug: str = "acme") -> tuple[Any, ...]:
    row = connection.execute("select state, generation from tenancy.tenant where slug = %s", [slug]).fetchone()
    assert row is not None
    return row


def events(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute("select event from tenancy.audit_event where tenant_id is not null order by seq")
    return [event for (event,) in rows]


# Names.


def test_of_two_who_provision_one_slug_one_wins(server: Server, connect: Connect) -> None:
    one, two, look = connect(), connect(), connect()
    with one.transaction():
        one.execute("select tenancy.provision('acme', 'First')")
        later = Later(two, "select tenancy.provision('acme', 'Second')").wait_until_blocked(server)
    later.refused("TN012")
    assert look.execute("select display_name from tenancy.tenant").fetchall() == [("First",)]
    assert events(look) == ["provision", "activate"]
    assert look.execute("select count(*) from tenancy.tenant_tombstone").fetchone() == (2,)


def test_who_gives_up_frees_the_slug(server: Server, connect: Connect) -> None:
    one, two = connect(), connect()
    one.autocommit = False
    one.execute("select tenancy.provision('acme', external_id => '42')")
    later = Later(two, "select tenancy.provision('acme', external_id => '42')").wait_until_blocked(server)
    one.rollback()
    later.result()
    assert state(two) == ("active", 2)


def test_external_ids_and_aliases_are_given_once(server: Server, connect: Connect) -> None:
    one, two = connect(), connect()
    one.execute("select tenancy.provision('a'), tenancy.provision('b')")
    with one.transaction():
        one.execute("select tenancy.provision('acme', external_id => '42')")
        one.execute("select tenancy.add_alias('a', 'host', 'a.example.com')")
        later = Later(two, "select tenancy.provision('other', external_id => '42')").wait_until_blocked(server)
    later.refused("TN012")
    with one.transaction():
        one.execute("select tenancy.remove_alias('a', 'host', 'a.example.com')")
        one.execute("select tenancy.add_alias('a', 'host', 'b.example.com')")
        later = Later(two, "select tenancy.add_alias('b', 'host', 'b.example.com')").wait_until_blocked(server)
    later.refused("TN012")


# Transitions.


def test_suspend_and_resume_at_once(server: Server, connect: Connect) -> None:
    one, two = connect(), connect()
    one.execute("select tenancy.provision('acme')")
    with one.transaction():
        one.execute("select tenancy.suspend('acme', 'test')")
        later = Later(two, "select tenancy.resume('acme')").wait_until_blocked(server)
    assert later.result() == [(4,)]
    assert state(one) == ("active", 4)
    assert events(one) == ["provision", "activate", "suspend", "resume"]


def test_resume_before_the_suspension_is_there(server: Server, connect: Connect) -> None:
    one, two = connect(), connect()
    one.execute("select tenancy.provision('acme')")
    one.autocommit = False
    one.execute("select tenancy.suspend('acme', 'test')")
    later = Later(two, "select tenancy.resume('acme')").wait_until_blocked(server)
    one.rollback()
    later.refused("TN010")
    assert state(two) == ("active", 2)


def test_of_two_with_the_same_generation_one_wins(server: Server, connect: Connect) -> None:
    one, two = connect(), connect()
    one.execute("select tenancy.provision('acme')")
    with one.transaction():
        one.execute("select tenancy.set_read_only('acme', 'unpaid', 2)")
        later = Later(two, "select tenancy.suspend('acme', 'fraud', 2)").wait_until_blocked(server)
    later.refused("TN016")
    assert state(one) == ("read_only", 3)
    assert one.execute("select tenancy.suspend('acme', 'fraud', 3)").fetchone() == (4,)


def test_lock_timeout_bounds_the_wait(connect: Connect) -> None:
    one, two = connect(), connect()
    one.execute("select tenancy.provision('acme')")
    two.execute("set lock_timeout = '50ms'")
    with one.transaction():
        one.execute("select tenancy.suspend('acme', 'test')")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            two.execute("select tenancy.set_display_name('acme', 'x')")


def test_a_snapshot_of_before_is_told(connect: Connect) -> None:
    one, two = connect(), connect()
    one.execute("select tenancy.provision('acme')")
    two.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with pytest.raises(psycopg.errors.SerializationFailure), two.transaction():
        state(two)
        one.execute("select tenancy.suspend('acme', 'test')")
        two.execute("select tenancy.archive('acme', 'test')")
    assert state(one) == ("suspended", 3)


def test_users_foreign_keys_do_not_wait_for_operators(server: Server, connect: Connect, database: str) -> None:
    one = connect()
    one.execute("select tenancy.provision('acme')")
    with server.connect(dbname=database) as owner:
        owner.execute("create table ours (tenant_id uuid references tenancy.tenant)")
        owner.execute("set lock_timeout = '5s'")
        with one.transaction():
            one.execute("select tenancy.suspend('acme', 'test')")
            owner.execute("insert into ours select id from tenancy.tenant")


# Notifications.


def heard(connection: psycopg.Connection[Any]) -> list[str]:
    """What was notified up to now, in this database."""
    connection.execute("notify tenancy_lifecycle, 'end'")
    payloads = []
    for notification in connection.notifies(timeout=20):
        if notification.payload == "end":
            return payloads
        payloads.append(notification.payload)
    raise AssertionError("the end was not heard")


def test_what_commits_is_notified(connect: Connect) -> None:
    one, listener = connect(), connect("postgres")
    listener.execute("listen tenancy_lifecycle")
    row = one.execute("select tenancy.provision('acme')::text").fetchone()
    assert row is not None
    assert set(heard(listener)) == {row[0]}
    one.execute("select tenancy.suspend('acme', 'test')")
    assert heard(listener) == [row[0]]
    with pytest.raises(psycopg.Error):
        one.execute("select tenancy.suspend('acme', 'test')")
    with one.transaction(force_rollback=True):
        one.execute("select tenancy.resume('acme')")
    assert heard(listener) == []
    one.execute("select tenancy.define_setting('a', '{}'), tenancy.set_setting('tier:standard', 'a', '1')")
    assert heard(listener) == ["*"]


# The schedule.


def schedule(server: Server, database: str, connection: psycopg.Connection[Any], slug: str, action: str) -> None:
    """Schedules an action and lets its time pass."""
    connection.execute("select tenancy.schedule(%s, %s, clock_timestamp() + interval '1 hour')", [slug, action])
    with server.connect(dbname=database) as clock:
        clock.execute("update tenancy.scheduled_action set due_at = now() - interval '1 hour'")


def test_a_tenant_in_other_hands_does_not_hold_up_the_schedule(server: Server, connect: Connect, database: str) -> None:
    one, two = connect(), connect()
    for slug in ("busy", "free"):
        one.execute("select tenancy.provision(%s)", [slug])
        schedule(server, database, one, slug, "suspend")
    run = "select action, outcome from tenancy.run_schedule()"
    with one.transaction():
        one.execute("select tenancy.set_display_name('busy', 'x')")
        assert two.execute(run).fetchall() == [("suspend", "done")]
        assert state(two, "free")[0] == "suspended"
        assert state(two, "busy")[0] == "active"
    assert two.execute(run).fetchall() == [("suspend", "done")]
    assert state(two, "busy")[0] == "suspended"
    assert two.execute("select distinct attempts from tenancy.scheduled_action").fetchall() == [(1,)]


def test_two_runners_do_each_action_once(server: Server, connect: Connect, database: str) -> None:
    one, two = connect(), connect()
    for n in range(10):
        one.execute("select tenancy.provision(%s)", [f"t-{n}"])
        schedule(server, database, one, f"t-{n}", "suspend")
    with one.transaction():
        first = one.execute("select tenant_id from tenancy.run_schedule(4)").fetchall()
        second = two.execute("select tenant_id from tenancy.run_schedule()").fetchall()
    assert (len(first), len(second)) == (4, 6)
    assert len({*first, *second}) == 10
    assert events(one).count("suspend") == 10


# Settings.


def test_a_definition_does_not_change_under_a_value_being_set(server: Server, connect: Connect) -> None:
    one, two = connect(), connect()
    one.execute("select tenancy.provision('acme'), tenancy.define_setting('max', '{\"type\": \"integer\"}')")
    with one.transaction():
        one.execute("select tenancy.set_setting('acme', 'max', '100')")
        later = Later(two, "select tenancy.define_setting('max', '{\"maximum\": 5}')").wait_until_blocked(server)
    later.refused("TN014")
    with one.transaction():
        one.execute("select tenancy.define_setting('max', '{\"maximum\": 500}')")
        later = Later(two, "select tenancy.set_setting('acme', 'max', '1000')").wait_until_blocked(server)
    later.refused("TN014")
