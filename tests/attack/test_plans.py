"""What runs on rows before the policy hides them: in the executor, in an index, in the planner."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from .sides import ACME, GLOBEX, IDS, Side, collect, foreign
from .trial import Attack, Trial

NO_INDEX = "set local enable_indexscan = off; set local enable_bitmapscan = off; set local enable_indexonlyscan = off;"
PEEK = """
create function scratch.peek({0}, {0}) returns boolean language plpgsql cost 0.0001 {1} as
    $$ begin raise notice 'saw %', $1; return true; end $$;
"""


def heard(statement: str, **session: Any) -> Attack:
    """What a statement tells of globex beside its answer. {0} is where a side keeps tickets or moods."""

    def run(side: Side) -> list[str]:
        with side.session(**session) as connection:
            told = collect(connection)
            connection.execute(statement.replace("{0}", "app.own" if side.plain else "app.mood"))
            return foreign(told)

    return run


BESIDE = {
    "alone": "",
    "beside what no index answers": "and body ~ 'of'",
    "in an or": "or body = 'x'",
}


@pytest.mark.parametrize("how", BESIDE)
@pytest.mark.parametrize("scans", [NO_INDEX, "set local enable_seqscan = off;"], ids=["sequential", "by index"])
def test_p29_a_leakproof_function(leak: Trial, how: str, scans: str) -> None:
    attack = heard(f"{scans} select * from app.ticket where scratch.peek(body, body) {BESIDE[how]}", setup=PEEK.format("text", "leakproof"))
    if scans == NO_INDEX:
        leak.leaks(attack)
    else:
        leak.cannot_leak("an index that answers the policy finds no other rows")
    leak.holds(attack)


def test_p29_remains_with_plans_as_postgresql_makes_them(leak: Trial) -> None:
    setup = PEEK.format("text", "leakproof") + "set local tenancy.index_pushdown = off"
    leak.remains(heard(f"{NO_INDEX} select * from app.ticket where scratch.peek(body, body)", setup=setup))


PREPARED = {
    "a table": "select body from app.note",
    "a view": "select body from app.noted",
    "a function": "select * from app.notes()",
    "a sub-select": "select (select string_agg(body, ',') from app.note)",
    "a CTE": "with n as materialized (select body from app.note) select body from n",
    "a join": "select n.body from app.note as n left join app.note as m on m.tenant_id <> n.tenant_id",
    "a union": "select body from app.note union all select body from app.note",
    "grouped": "select tenant_id, string_agg(body, ',') from app.note group by 1 order by 1",
    "a lateral": "select x.body from generate_series(1, 2) as i, lateral (select body || i as body from app.note) as x",
    "exists": "select 'globex' where exists (select from app.note where body like '%globex%')",
    "an update": "update app.note set body = body returning body",
    "a delete": "delete from app.note returning body",
    "locked rows": "select body from app.note for update",
}
NOTES = f"""
create table app.note (tenant_id uuid not null, body text) partition by list (tenant_id);
create table app.note_1 partition of app.note for values in ('{IDS[GLOBEX]}');
create table app.note_2 partition of app.note for values in ('{IDS[ACME]}');
insert into app.note values ('{IDS[GLOBEX]}', 'of globex'), ('{IDS[ACME]}', 'of acme');
create view app.noted with (security_invoker) as select * from app.note;
create function app.notes() returns setof text language sql stable as $$ select body from app.note $$;
grant all on app.note, app.noted to attack_app;
"""
IMMUTABLE = """
create function app.present() returns uuid language sql immutable as $$ select current_setting('app.tenant', true)::uuid $$;
create policy t on app.note using (tenant_id = app.present());
alter table app.note enable row level security, force row level security;
"""


@pytest.fixture(scope="module")
def noted(both: tuple[Side, Side]) -> Iterator[None]:
    for side in both:
        side.admin(NOTES + (IMMUTABLE if side.plain else "select tenancy.protect('app.note')"))
    yield
    for side in both:
        side.admin("drop view app.noted; drop function app.notes(); drop table app.note; drop function if exists app.present()")


def executed(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """The rows of the prepared statement. psycopg would forget its own after a rollback."""
    result = connection.pgconn.exec_prepared(b"shape", [])
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        raise psycopg.errors.error_from_result(result)
    return [(result.get_value(row, result.nfields - 1),) for row in range(result.ntuples)]


@pytest.mark.parametrize("mode", ["force_generic_plan", "auto"])
@pytest.mark.parametrize("shape", PREPARED)
def test_p32_an_immutable_context(leak: Trial, noted: None, shape: str, mode: str) -> None:
    """A statement is prepared while globex works, and executed while acme does, in turn."""

    def keeps(side: Side) -> list[Any]:
        found: list[Any] = []
        with side.connect(options=f"-c plan_cache_mode={mode}") as connection:
            connection.pgconn.prepare(b"shape", PREPARED[shape].encode())
            for tenant in (GLOBEX, GLOBEX, ACME) * 3:
                with connection.transaction(force_rollback=True):
                    side.enter(connection, tenant)
                    rows = executed(connection)
                    assert foreign(rows) or tenant == ACME
                    found += foreign(rows) if tenant == ACME else []
        return found

    leak.stops(keeps)


KEPT = {
    "plainly": "select body from app.ticket",
    "in a CTE": "with t as materialized (select body from app.ticket) select * from t",
    "in a sub-select": "select body from (select body from app.ticket offset 0) as t",
    "in a function": "select app.bodies()",
}
BODIES = "create function app.bodies() returns setof text language sql stable as $$ select body from app.ticket $$;"


@pytest.mark.parametrize("how", KEPT)
def test_p33_a_plan_of_another_role(leak: Trial, how: str) -> None:
    """CVE-2016-2193, CVE-2023-2455 and CVE-2024-10976."""

    def keeps_plan(side: Side) -> list[Any]:
        with side.connect("postgres") as connection, connection.transaction(force_rollback=True):
            connection.execute(BODIES)
            for _ in range(2):
                assert len(foreign(connection.execute(KEPT[how], prepare=True))) == 700
            connection.execute("set local role attack_app")
            side.enter(connection, ACME)
            return foreign(connection.execute(KEPT[how], prepare=True))

    if keeps_plan(leak.plain):
        leak.leaks(keeps_plan)
    else:
        leak.cannot_leak("this server has the corrections of these CVEs")
    leak.holds(keeps_plan)


# Some teams write a view with the condition in place of a policy; then the planner is free to begin with the
# statement's own conditions, and to try them on statistics.
MOODS = PEEK.format("text", "") + """
create operator scratch.=== (leftarg = text, rightarg = text, function = scratch.peek, restrict = eqsel, join = eqjoinsel);
create table app.mood (tenant_id uuid not null, mood text);
insert into app.mood select tenant_id, case when body like '%globex%' then 'globex is sad' else 'acme is glad' end from app.ticket;
create index on app.mood (tenant_id);
create index on app.mood (mood text_pattern_ops);
analyze app.mood;
grant select, update on app.mood to attack_app;
insert into app.outbox values ('x');
"""
BY_VIEW = """
create function app.tenant() returns uuid language plpgsql stable cost 500 as
    $$ begin return (select id from app.tenant where active and id = current_setting('app.tenant', true)::uuid); end $$;
create view app.own as select * from app.mood where tenant_id = app.tenant();
grant select, update on app.own to attack_app;
"""


def moods(side: Side) -> str:
    return MOODS + (BY_VIEW if side.plain else "select tenancy.protect('app.mood');")


# {0} is the table, or the view, and {1} a condition on its column mood.
SHAPES = {
    "a condition": "select * from {0} where {1}",
    "negated": "select * from {0} where not ({1})",
    "in an or": "select * from {0} where {1} or mood = 'x'",
    "exists": "select 1 where exists (select from {0} where {1})",
    "in": "select * from {0} where mood in (select mood from {0} where {1})",
    "a CTE": "with m as materialized (select * from {0} where {1}) select * from m",
    "from outside a CTE": "with m as not materialized (select * from {0}) select * from m where {1}",
    "having": "select mood from {0} group by mood having {1}",
    "a sub-select in the list": "select (select count(*) from {0} where {1})",
    "exists in the list": "select exists (select from {0} where {1})",
    "correlated": "select m.mood, (select count(*) from {0} where {1} and mood < m.mood) from {0} as m",
    "case": "select case when (select count(*) from {0} where {1}) > 0 then 1 end",
    "an array": "select array(select mood from {0} where {1})",
    "in an aggregate": "select sum((select count(*) from {0} where {1})) from {0}",
    "in order by": "select mood from {0} order by (select count(*) from {0} where {1})",
    "in limit": "select mood from {0} limit (select count(*) from {0} where {1})",
    "in a window": "select count(*) over (partition by (select count(*) from {0} where {1})) from {0}",
    "in values": "insert into app.outbox values ((select max(mood) from {0} where {1}))",
    "in set": "update app.outbox set body = (select max(mood) from {0} where {1})",
    "in returning": "insert into app.outbox values ('x') returning (select count(*) from {0} where {1})",
    "in on conflict": "insert into app.login (tenant_id, name) values (%s, 'anna') on conflict (tenant_id, name)"
    " do update set name = login.name where exists (select from {0} where {1})".replace("%s", f"'{IDS[ACME]}'"),
    "in merge": "merge into app.outbox using (select 1) as s on false"
    " when not matched and exists (select from {0} where {1}) then insert values ((select max(mood) from {0} where {1}))",
    "in a function's argument": "select * from generate_series(1, (select count(*)::int from {0} where {1}))",
    "of a cursor": "declare c cursor for select (select count(*) from {0} where {1}); fetch all from c",
    "a table of it": "create table scratch.t as select (select count(*) from {0} where {1})",
    "a row": "select * from {0} where ({1}, 1) = (true, 1)",
    "is true": "select * from {0} where ({1}) is true",
}


def shaped(shape: str, condition: str) -> str:
    text = SHAPES[shape].replace("{1}", condition)
    return text.replace("on conflict (tenant_id, name)", "on conflict on constraint login_name_key") if "conflict" in shape else text


@pytest.mark.parametrize("shape", SHAPES)
def test_p57_statistics_for_a_users_operator(leak: Trial, shape: str) -> None:
    """The planner tries an operator on the most common values, to estimate."""
    leak.stops(heard(shaped(shape, "mood operator(scratch.===) 'x'"), setup=moods))


RAISING = {
    "an escape at the end": "mood like '{0} is\\'",
    "negated": "mood not like '{0} is\\'",
    "case-insensitive": "mood ilike '{0} is\\'",
    "behind a wildcard": "mood like '%{0} is\\'",
    "a column as the pattern": "'{0} is sad, and more' like mood || '\\'",
    "a cast": "(case when mood like '{0}%' then mood else '1' end)::int = 1",
    "a division": "1 / (case when mood like '{0}%' then 0 else 1 end) = 1",
}


def raised(side: Side, statement: str) -> str | None:
    with side.session(setup=lambda side: moods(side) + NO_INDEX) as connection:
        try:
            connection.execute(statement.replace("{0}", "app.own" if side.plain else "app.mood"))
        except psycopg.Error as error:
            return error.sqlstate
    return None


def differs(shape: str, condition: str) -> Attack:
    """Whether a statement fails where globex has such a row, and not where nobody has."""

    def run(side: Side) -> Any:
        answers = [raised(side, shaped(shape, condition.replace("{0}", word))) for word in (GLOBEX, "nobody")]
        return answers if answers[0] != answers[1] else None

    return run


@pytest.mark.parametrize("how", RAISING)
def test_p56_an_error_that_depends_on_the_row(leak: Trial, how: str) -> None:
    leak.stops(differs("a condition", RAISING[how]))


@pytest.mark.parametrize("shape", SHAPES)
def test_p56_an_error_in_every_shape(leak: Trial, shape: str) -> None:
    leak.stops(differs(shape, RAISING["an escape at the end"]))


def test_p56_a_notice_that_depends_on_the_row(leak: Trial) -> None:
    long = f"insert into app.mood values ('{IDS[GLOBEX]}', repeat('globex', 500));"

    def notices(side: Side) -> list[str]:
        with side.session(setup=lambda side: moods(side) + long + NO_INDEX) as connection:
            told = collect(connection)
            connection.execute(f"select * from app.{'own' if side.plain else 'mood'} where to_tsvector('simple', mood) @@ 'x'::tsquery")
            return told

    leak.stops(notices)
