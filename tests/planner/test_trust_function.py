"""Functions that an administrator trusts."""

from collections.abc import Iterator

import psycopg
import pytest
from context_world import refused

from .planned import Planned, explain, nodes

SEARCH = "select m.id from app.message m where m.body ~ 'abcdef01'"
REGEX = "pg_catalog.textregexeq(text,text)"


def by_index(connection: psycopg.Connection[object], sql: str = SEARCH) -> bool:
    """Whether the regular expression is a condition of an index."""
    plan = explain(connection, sql)
    return any("~" in str(node.get("Index Cond", "")) for node in nodes(plan))


@pytest.fixture(autouse=True)
def without_waiting_entries(planned: Planned) -> None:
    """What other tests wrote waits in a list, and a GIN index with a long one looks slow."""
    planned.admin("vacuum app.message")


@pytest.fixture
def trusted(planned: Planned) -> Iterator[Planned]:
    planned.admin(f"select tenancy.trust_function('{REGEX}', 'tests')")
    yield planned
    planned.admin(f"select tenancy.distrust_function('{REGEX}')")


def test_trust_opens_the_index(planned: Planned) -> None:
    with planned.session("large") as session:
        assert not by_index(session)
    planned.admin(f"select tenancy.trust_function('{REGEX}', 'tests')")
    with planned.session("large") as session:
        assert by_index(session)
    assert planned.admin(f"select tenancy.distrust_function('{REGEX}')") == [(True,)]
    assert planned.admin(f"select tenancy.distrust_function('{REGEX}')") == [(False,)]
    with planned.session("large") as session:
        assert not by_index(session)


def test_distrust_reaches_kept_plans(trusted: Planned) -> None:
    with trusted.server.connect(user="planned_app", dbname=trusted.database) as connection:
        connection.pgconn.prepare(b"q", SEARCH.encode())
        with connection.transaction():
            connection.execute("select tenancy.enter('large')")
            assert by_index(connection, "execute q")
        trusted.admin(f"select tenancy.distrust_function('{REGEX}')")
        with connection.transaction():
            connection.execute("select tenancy.enter('large')")
            assert not by_index(connection, "execute q")


def test_trust_does_not_pass_to_another_owner(planned: Planned) -> None:
    planned.admin(
        "create function public.alike(text, text) returns boolean language plpgsql immutable as 'begin return $1 = $2; end';"
        "create operator public.~=~ (leftarg = text, rightarg = text, function = public.alike, restrict = eqsel);"
        "select tenancy.trust_function('public.alike(text,text)', 'tests')"
    )
    said: list[str] = []
    with planned.session("small", "client_min_messages=debug1") as session:
        session.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        session.execute("select id from app.message where body operator(public.~=~) 'x'")
        assert not any("not trusted" in message for message in said)
        planned.admin("alter function public.alike(text, text) owner to planned_app")
        session.execute("select id from app.message where body operator(public.~=~) 'x'")
    assert any("not trusted" in message for message in said)
    planned.admin("drop function public.alike(text, text) cascade")
    gone = "select tenancy.distrust_function(signature) from tenancy.trusted_function where signature like 'public.alike(%'"
    assert planned.admin(gone) == [(True,)]


def test_only_admins_trust(planned: Planned) -> None:
    with planned.server.connect(user="planned_app", dbname=planned.database) as connection:
        for call in (f"trust_function('{REGEX}', 'x')", f"distrust_function('{REGEX}')"):
            with refused("42501"):
                connection.execute(f"select tenancy.{call}")


@pytest.mark.parametrize("written", ["nonsense", "pg_catalog.textregexeq", "textregexeq(text", "textregexeq(no type)", ""])
def test_distrust_asks_for_the_argument_types(planned: Planned, written: str) -> None:
    with pytest.raises(psycopg.errors.InvalidTextRepresentation) as caught:
        planned.admin(f"select tenancy.distrust_function('{written}')")
    assert caught.value.diag.message_primary == f'"{written}" is not a function with its argument types'
    assert caught.value.diag.message_hint == "Write it with its argument types: pg_catalog.textregexeq(text, text)."


def test_distrust_of_a_function_that_went_with_its_type(planned: Planned) -> None:
    planned.admin(
        "create schema gone; create type gone.mood as enum ('good');"
        "create function gone.alike(gone.mood) returns boolean language plpgsql immutable as 'begin return true; end';"
        "select tenancy.trust_function('gone.alike(gone.mood)', 'tests'); drop type gone.mood cascade"
    )
    distrust = "select tenancy.distrust_function('gone.alike(gone.mood)')"
    assert planned.admin(distrust) == [(True,)]
    planned.admin("drop schema gone")
    assert planned.admin(distrust) == [(False,)]


@pytest.mark.parametrize("arguments", ["0, 'x'", f"'{REGEX}', ''", f"'{REGEX}', null"])
def test_what_is_refused(planned: Planned, arguments: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
        planned.admin(f"select tenancy.trust_function({arguments})")
    assert caught.value.diag.message_hint


def test_it_is_recorded(trusted: Planned) -> None:
    assert trusted.admin("select reason from tenancy.trusted_function") == [("tests",)]
    assert trusted.admin("select count(*) > 0 from tenancy.audit_event where event = 'trust_function'") == [(True,)]
