"""Whom a name or a token means: names that are nearly equal, and who may sign for whom."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from .sides import ACME, GLOBEX, IDS, Side, foreign
from .tokens import Gateway, Issuer
from .trial import Attack, Trial

READ = "select body from app.ticket"


NUMBERED = """
create table app.case (customer bigint not null, body text);
insert into app.case values (42, 'of globex');
grant select on app.case to attack_app;
"""


@pytest.mark.parametrize("name", ["042", "+42", " 42", "42 "])
def test_x61_numbers_that_are_equal(leak: Trial, name: str) -> None:
    """A customer is called almost as another one."""

    def called(side: Side) -> list[Any]:
        if side.plain:
            setup = NUMBERED + "create policy t on app.case using (customer = current_setting('app.customer')::bigint);" \
                "alter table app.case enable row level security"
            with side.session(None, setup=setup) as connection:
                connection.execute("select set_config('app.customer', %s, true)", [name])
                return foreign(connection.execute("select * from app.case"))
        setup = NUMBERED + "select tenancy.provision('almost', external_id => {}), tenancy.protect('app.case', 'customer')"
        with side.session(None, setup=setup.format(psycopg.sql.quote(name))) as connection:
            connection.execute("select tenancy.enter('almost')")
            return foreign(connection.execute("select * from app.case"))

    leak.stops(called, ("TN011", "22023"))


def resolved(side: Side, slug: str, asked: str) -> str:
    """The tenant that an application finds under a slug or an id, after a customer chose the slug."""
    with side.connect("postgres") as connection:
        connection.execute("begin")
        if side.plain:
            connection.execute("insert into app.tenant values (gen_random_uuid(), %s)", [slug])
            query = "select id::text from app.tenant where slug = %s or id::text = %s order by slug = %s desc limit 1"
            rows = connection.execute(query, [asked] * 3).fetchall()
        else:
            connection.execute("select tenancy.provision(%s)", [slug])
            rows = connection.execute("select tenancy.tenant_id(%s)::text", [asked]).fetchall()
        connection.execute("rollback")
    return str(rows[0][0])


@pytest.mark.parametrize("slug", [IDS[GLOBEX], IDS[GLOBEX].replace("-", "")])
def test_x61_a_slug_that_is_anothers_id(leak: Trial, slug: str) -> None:
    """Whoever asks for globex by its id gets the newcomer."""
    leak.stops(lambda side: resolved(side, slug, slug) != IDS[GLOBEX], "TN011")


KEYED = """
create table app.memo (tenant text not null, body text);
insert into app.memo values ('globex-key', 'of globex');
grant select on app.memo to attack_app;
"""


def comes_after(side: Side) -> list[Any]:
    """A newcomer takes the name of a tenant that is gone, and finds what was left under it."""
    with side.copy() as copied:
        copied.preload()
        copied.admin(KEYED)
        if side.plain:
            copied.admin("create policy t on app.memo using (tenant = current_setting('app.key', true));"
                         "alter table app.memo enable row level security; delete from app.tenant where slug = 'globex'")
            with copied.connect() as connection, connection.transaction():
                connection.execute("select set_config('app.key', 'globex-key', true)")
                return foreign(connection.execute("select * from app.memo"))
        copied.admin("select tenancy.provision('going', external_id => 'globex-key')")
        for step in ("suspend('going', 'x')", "archive('going', 'x')", "request_erasure('going', 'x', '0')"):
            copied.admin(f"select tenancy.{step}")
        copied.admin("call tenancy.erase('going')")
        copied.admin("select tenancy.protect('app.memo', 'tenant')")
        for names in ("'new', external_id => 'globex-key'", "'going'"):
            with pytest.raises(psycopg.Error) as caught:
                copied.admin(f"select tenancy.provision({names})")
            assert caught.value.sqlstate == "TN013"
        raise caught.value


def test_x61_a_name_used_again(leak: Trial) -> None:
    leak.stops(comes_after, "TN013")


def test_x62_a_provider_signs_for_another_tenant(leak: Trial) -> None:
    acmes, ours = Issuer("acme", "acme-1"), Issuer("login", "main")
    leak.stops(with_token(acmes.token(GLOBEX), (acmes, [ACME]), (ours, ["*"])), "TN006")


def test_x62_a_key_of_the_same_id(leak: Trial) -> None:
    """acme's provider publishes a key under the id of the operator's own."""
    ours, acmes = Issuer("login", "main"), Issuer("acme", "main")
    for forged in (acmes.token(GLOBEX, iss=ours.name), acmes.token(GLOBEX)):
        leak.stops(with_token(forged, (ours, ["*"]), (acmes, [ACME])), "TN006")


@pytest.mark.parametrize("changed", [{"iss": None}, {"aud": "another service"}, {"aud": None}])
def test_x62_a_token_for_somebody_else(leak: Trial, changed: dict[str, Any]) -> None:
    ours = Issuer("login", "main")
    leak.stops(with_token(ours.token(GLOBEX, **changed), (ours, ["*"])), "TN006")


def entered(side: Side, token: str) -> list[Any]:
    with side.session(None, role="attack_narrow") as connection:
        connection.execute("select tenancy.enter(%s)", [token])
        return connection.execute(READ).fetchall()


def with_token(token: str, *issuers: tuple[Issuer, list[str]]) -> Attack:
    """What a token shows of globex: on the twin behind a gateway that knows the issuers' keys."""

    def run(side: Side) -> list[Any]:
        if side.plain:
            tenant = Gateway(*(issuer for issuer, _ in issuers)).tenant(token)
            with side.session(tenant) as connection:
                return foreign(connection.execute(READ))
        for issuer, tenants in issuers:
            issuer.register(side, *tenants)
        try:
            for issuer, tenants in issuers:  # a token as it should be opens
                assert len(entered(side, issuer.token(ACME))) == 10
            return foreign(entered(side, token))
        finally:
            for issuer, _ in issuers:
                issuer.remove(side)

    return run


# Where another session of the same role, or one's own next user, looks for a token. {pid} is the victim's.
PLACES = {
    "activity": "select query from pg_stat_activity where pid = {pid}",
    "statements": "select query from pg_stat_statements",
}
SHOWN = {
    "show": "show {name}",
    "current_setting": "select current_setting('{name}')",
    "pg_settings": "select concat(setting, reset_val) from pg_settings where name = '{name}'",
    "show all": "show all",
}


def presents(side: Side, connection: psycopg.Connection[Any], token: str) -> None:
    """A request of globex that carries its token to the database, on the twin as text, for want of a better way."""
    if side.plain:
        connection.execute(f"set local app.token = '{token}'")
    else:
        connection.execute("select tenancy.enter(%s)", [token])


@pytest.fixture
def globexs(leak: Trial) -> Iterator[Issuer]:
    issuer = Issuer("globex", "globex-1")
    issuer.register(leak.guarded, GLOBEX)
    yield issuer
    issuer.remove(leak.guarded)


@pytest.mark.parametrize("place", PLACES)
def test_x40_what_another_session_reads(leak: Trial, globexs: Issuer, place: str) -> None:
    token = globexs.token(GLOBEX)

    def reads(side: Side) -> list[Any]:
        with side.connect() as victim, side.connect() as attacker:
            victim.execute("begin")
            presents(side, victim, token)
            rows = attacker.execute(PLACES[place].format(pid=victim.info.backend_pid))
            return [row for row in rows if token in str(row)]

    leak.stops(reads, "42501" if place == "statements" else None)


@pytest.mark.parametrize("place", SHOWN)
def test_x40_what_the_sessions_own_sql_reads(leak: Trial, globexs: Issuer, place: str) -> None:
    """Injected into globex's own request, to be used elsewhere."""
    token = globexs.token(GLOBEX)

    def reads(side: Side) -> list[Any]:
        with side.connect() as connection, connection.transaction(force_rollback=True):
            presents(side, connection, token)
            query = SHOWN[place].format(name="app.token" if side.plain else "tenancy.context")
            return [row for row in connection.execute(query) if token in str(row)]

    if place in ("pg_settings", "show all"):
        leak.cannot_leak("PostgreSQL shows no setting there that no library has defined, as this one has")
        leak.holds(reads)
    else:
        leak.stops(reads)


def test_x40_the_log(leak: Trial, globexs: Issuer) -> None:
    """A statement that fails is logged with its text."""
    token = globexs.token("nobody")

    def logs(side: Side) -> bool:
        mark = side.server.log_size()
        with side.connect() as connection:
            connection.execute("begin")
            with pytest.raises(psycopg.Error):
                presents(side, connection, token)
                connection.execute(f"set local app.token = '{token}'; select 1 / 0")
        return token in side.server.log_text(mark)

    leak.stops(logs)


def test_x40_a_token_in_the_text_is_refused(leak: Trial, globexs: Issuer) -> None:
    token = globexs.token(GLOBEX)

    def writes(side: Side) -> bool:
        with side.connect() as connection:
            connection.execute("begin")
            connection.execute(f"set local app.token = '{token}'" if side.plain else f"select tenancy.enter('{token}')")
        return True

    leak.stops(writes, "TN009")


def test_x40_an_old_token(leak: Trial) -> None:
    """Out of an old log."""
    ours, now = Issuer("login", "main"), int(time.time())
    leak.stops(with_token(ours.token(GLOBEX, iat=now - 3600, exp=now - 3540), (ours, ["*"])), "TN007")
