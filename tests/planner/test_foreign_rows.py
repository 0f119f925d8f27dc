"""Whatever a tenant's query says, what it brings along is evaluated on the tenant's own rows alone: functions,
casts, operators and types of the user's, and what raises. Each plan is forced, with barriers open and closed."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from harness import Server

CANARY = "canary of the other tenant"

SCHEMA = f"""
create extension pg_trgm;
do $$ begin if to_regrole('prying_app') is null then create role prying_app login; end if; end $$;
grant create on schema public to prying_app;
select tenancy.provision('own'), tenancy.provision('other');
select tenancy.grant_access('prying_app', '*', reason => 'tests');
create table secret (id serial, tenant_id uuid, friend uuid, body text, number text, tags text[], document jsonb, amount numeric,
    pad text);
create table owned (id serial, tenant_id uuid, secret_id int, body text);
insert into secret (tenant_id, body, number, tags, document, amount, pad)
select tenancy.tenant_id('own'), 'own ' || g, g::text, array['own'], '{{"own": 1}}', g, '' from generate_series(1, 50) g;
insert into secret (tenant_id, body, number, tags, document, amount, pad)
select tenancy.tenant_id('other'), '{CANARY} zsecret!', 'no number', array['{CANARY}'], '{{"{CANARY}": 1}}', -g,
    repeat('x', 1500)
from generate_series(1, 6500) g;
update secret set friend = tenancy.tenant_id('own');
insert into owned (tenant_id, secret_id, body) select tenant_id, id, body from secret;
create index on secret (tenant_id);
create index on secret (body text_pattern_ops);
create index on secret (body);
create index on secret using gin (body gin_trgm_ops);
create index on secret using gist (body gist_trgm_ops);
create index on secret using gin (tags);
create index on secret using gin (document);
create index on secret (amount);
create index on secret (friend);
create statistics secret_mcv (mcv) on body, number from secret;
select tenancy.protect('secret'), tenancy.protect('owned');
drop index secret_tenant_id_idx;
grant select, update, delete on secret, owned to prying_app;
"""

# What an application's role can make, and each says aloud what it is given.
TOOLS = """
create function pry(text) returns boolean language plpgsql immutable parallel safe cost 0.000001
    as $$begin raise notice 'pried %', $1; return true; end$$;
create function pry_two(text, text) returns boolean language plpgsql immutable parallel safe cost 0.000001
    as $$begin raise notice 'pried % %', $1, $2; return true; end$$;
create operator <<<(leftarg = text, rightarg = text, function = pry_two, restrict = eqsel, join = eqjoinsel);
create operator ~~~~(leftarg = text, rightarg = text, function = pry_two);
create function inlined(text) returns boolean language sql immutable as $$select $1 <<< 'x'$$;
create function inlined_rows(text) returns setof int language sql immutable as $$select 1 where $1 <<< 'x'$$;
create function word(text) returns text language plpgsql immutable cost 0.000001
    as $$begin raise notice 'pried %', $1; return $1; end$$;
create function changing(text) returns boolean language plpgsql immutable as $$begin return false; end$$;
create operator @=@ (leftarg = text, rightarg = text, function = pry_two);
create function give_estimate() returns text language plpgsql volatile
    as $$begin alter operator @=@ (text, text) set (restrict = eqsel); return 'x'; end$$;
create function give_body() returns text language plpgsql volatile as $$begin
    create or replace function changing(text) returns boolean immutable language sql as 'select $1 like ''%zsecret\'' '; return 'x'; end$$;
create function estimate_given() returns text language plpgsql immutable as $$begin return give_estimate(); end$$;
create function body_given() returns text language plpgsql immutable as $$begin return give_body(); end$$;
create function other_pattern() returns text language plpgsql stable as $$
    declare before text := coalesce(current_setting('my.calls', true), '');
    begin perform set_config('my.calls', before || 'x', true); return case before when '' then 'abc' else '%zsecret\' end; end$$;
create function set_pattern() returns text language plpgsql stable
    as $$begin perform set_config('my.pattern', '%zsecret\', true); return 'k'; end$$;
create function quoting() returns int language plpgsql immutable
    as $$begin perform set_config('quote_all_identifiers', 'on', true); return 1; end$$;
create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create domain pried as text check (pry(value));
create type pair as (a text);
create function to_pair(text) returns pair language plpgsql immutable as $$begin raise notice 'pried %', $1; return row($1)::pair; end$$;
create cast (text as pair) with function to_pair(text);
"""

QUERIES = {
    "function": "select count(*) from secret where pry(body)",
    "function beside a trusted operator": "select count(*) from secret where body like '%zse%' and pry(body)",
    "function in an or": "select count(*) from secret where body like '%zse%' or pry(body)",
    "function in a case": "select count(*) from secret where case when pry(body) then amount < 0 end",
    "function of a column": "select count(*) from secret where word(body) = 'x'",
    "function of a like": "select count(*) from secret where word(body) like '%zsecret'",
    "operator with estimates": "select count(*) from secret where body <<< 'x'",
    "operator with estimates, swapped": "select count(*) from secret where 'x' <<< body",
    "operator without": "select count(*) from secret where body ~~~~ 'x'",
    "operator beside a trusted one": "select count(*) from secret where body <<< 'x' and body like 'can%'",
    "operator on an array": "select count(*) from secret where body <<< any (array['x', 'y'])",
    "inlined function": "select count(*) from secret where inlined(body)",
    "inlined rows": "select count(*) from secret s, inlined_rows(s.body)",
    "lateral": "select count(*) from secret s, lateral (select 1 where pry(s.body)) x",
    "domain": "select count(*) from secret where body::pried = 'x'",
    "cast of the user's": "select count(*) from secret where (body::pair).a = 'x'",
    "raising cast": "select count(*) from secret where number::int > 3",
    "raising cast behind a regular expression": "select count(*) from secret where body ~ '^[0-9]+$' and body::int > 3",
    "raising cast behind another condition": "select count(*) from secret where body = 'x' and body::int > 3 and body ~ 'x'",
    "raising division": "select count(*) from secret where 1 / (amount + 1) < 5",
    "escape at the end": "select count(*) from secret where body like '%zsecret\\'",
    "escape at the end, ilike": "select count(*) from secret where body ilike '%ZSECRET\\'",
    "escape at the end of a prefix": "select count(*) from secret where body like 'canary%zsecret\\'",
    "escape at the end of one of several": "select count(*) from secret where body like any (array['%zsecret\\', 'x'])",
    "escape at the end, from a sub-select": "select count(*) from (select '%zsecret\\'::text as p) s join secret on body like s.p",
    "escape at the end, from a cte": "with s as (select '%zsecret\\'::text as p) select count(*) from s join secret on body like s.p",
    "escape at the end, from values": "select count(*) from (values ('%zsecret\\')) s(p) join secret on body like s.p",
    "escape at the end, from a function in from": "select count(*) from concat('%zsecret\\') p join secret on body like p",
    "pattern that changes": "select count(*) from secret where body like other_pattern()",
    "setting that changes": "select count(*) from secret where number >= set_pattern() and body like current_setting('my.pattern', true)",
    "operator that gets an estimate": "select count(*) from secret where number > 'zz' and body @=@ 'x' and number = estimate_given()",
    "function that gets a body": "select count(*) from secret where number = body_given() and changing(body)",
    "pattern of what a setting changes": "select quoting() from secret where body like substr('%zsecret\\', 1, length(quote_ident('abcdefgh'))) limit 1",
    "pattern under another collation": "select count(*) from secret where number = 'x' and body collate any_case like 'x%'",
    "escape of two characters, never reached": "select count(*) from secret where case when false then body like 'x' escape 'ab' end",
    "pattern under another collation, never reached":
        "select count(*) from secret where case when false then body like (replace('x' collate any_case, 'x', 'y') collate \"C\") end",
    "another collation behind a regular expression":
        "select count(*) from secret where body ~ 'nothing' and (replace(body collate any_case, 'o', 'x') collate \"C\") = 'y'",
    "the tenant in another column": "select count(*) from secret where friend = tenancy.current_tenant_id() and pry(body)",
    "the tenant in another column, behind the barrier": "select count(*) from secret where friend = tenancy.current_tenant_id() and pry(body) and body ~ 'x'",
    "the tenant in both columns": "select count(*) from secret where friend = tenant_id and pry(body)",
    "column as pattern": "select count(*) from secret where 'x' like body || '\\'",
    "regular expression": "select count(*) from secret where body ~ 'zsecret'",
    "join on a function": "select count(*) from secret s join owned o on pry_two(s.body, o.body) and s.id = o.secret_id",
    "join on an operator": "select count(*) from secret s join owned o on s.body <<< o.body and o.secret_id = s.id",
    "join over a function": "select count(*) from owned o join secret s on s.body = word(o.body)",
    "outer join": "select count(*) from owned o left join secret s on s.id = o.secret_id and pry(s.body) where o.id > 0",
    "sub-select": "select count(*) from (select body, word(body) as w from secret) s where s.w = 'x'",
    "sub-select with offset": "select count(*) from (select body from secret offset 0) s where pry(s.body)",
    "exists": "select count(*) from owned o where exists (select from secret s where s.id = o.secret_id and pry(s.body))",
    "in": "select count(*) from owned o where o.body in (select word(s.body) from secret s)",
    "not in": "select count(*) from owned o where o.body not in (select word(s.body) from secret s)",
    "correlated": "select count(*) from owned o where (select pry(s.body) from secret s where s.id = o.secret_id)",
    "cte": "with c as (select body from secret) select count(*) from c where pry(body)",
    "union": "select count(*) from (select body from secret union all select body from owned) u where pry(u.body)",
    "having": "select count(*) from secret group by body having pry(body)",
    "group": "select count(*) from secret group by word(body)",
    "order": "select id from secret order by word(body) limit 3",
    "distinct": "select count(*) from (select distinct on (word(body)) id from secret) x",
    "aggregate filter": "select count(*) filter (where pry(body)) from secret",
    "window": "select count(*) over (partition by word(body)) from secret limit 1",
    "nearest": "select id from secret order by body <-> 'canary' limit 3",
    "similarity": "select count(*) from secret where body % 'canary of the other' and pry(body)",
    "target list": "select word(body) from secret where body like '%z%'",
    "update": "update secret set amount = 0 where pry(body)",
    "update set": "update secret set body = word(body) where body like '%z%'",
    "delete": "delete from owned where pry(body)",
    "delete using": "delete from owned o using secret s where s.id = o.secret_id and pry(s.body)",
    "returning": "update secret set amount = 0 returning word(body)",
    "jsonb": "select count(*) from secret where document @> '{\"own\": 1}' and pry(document::text)",
    "array": "select count(*) from secret where tags && array['own'] and pry(tags[1])",
    "text search": "select count(*) from secret where to_tsvector('simple', word(body)) @@ to_tsquery('simple', 'canary')",
    "whole row": "select count(*) from secret s where pry(s::text)",
    "for update": "select id from secret where pry(body) for update",
    "constant of the other tenant": "select count(*) from secret where tenant_id = (select id from other_id) and pry(body)",
}

# No index of the table leads with the tenant: every other way to its rows passes those of the other tenant.
PLANS = (
    "set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off",
    "set local enable_seqscan = off; set local enable_bitmapscan = off",
    "set local enable_seqscan = off",
    # So little memory that bitmaps forget rows.
    "set local enable_seqscan = off; set local enable_indexscan = off; set local enable_indexonlyscan = off; set local work_mem = '64kB'",
    "set local enable_hashjoin = off; set local enable_mergejoin = off; set local enable_seqscan = off",
    "set local enable_hashjoin = off; set local enable_nestloop = off",
    "set local plan_cache_mode = force_generic_plan; set local enable_bitmapscan = off; set local enable_seqscan = off",
)


@dataclass(frozen=True)
class Prying:
    server: Server
    database: str
    said: list[str]

    def connect(self, *settings: str) -> psycopg.Connection[Any]:
        options = " ".join(f"-c {setting}" for setting in ("client_min_messages=notice", "jit=off", *settings))
        connection = self.server.connect(user="prying_app", dbname=self.database, options=options)
        connection.add_notice_handler(lambda notice: self.said.append(notice.message_primary or ""))
        return connection


@pytest.fixture(scope="module")
def prying(server: Server) -> Iterator[Prying]:
    database = server.createdb("prying", extensions=["tenancy"])
    server.execute(SCHEMA, dbname=database)
    server.execute(
        "create view other_id as select id from tenancy.tenant where slug = 'other'; grant select on other_id to prying_app",
        dbname=database,
    )
    server.execute("vacuum analyze secret, owned", dbname=database)
    server.execute(TOOLS, user="prying_app", dbname=database)
    yield Prying(server, database, [])
    server.dropdb(database)


def check(prying: Prying, connection: psycopg.Connection[Any], sql: str, plan: str) -> None:
    prying.said.clear()
    with connection.transaction(force_rollback=True):
        connection.execute("select tenancy.enter('own')")
        connection.execute(plan)
        answer = connection.execute(sql)  # no error: none of the tenant's own rows raises one
        rows = answer.fetchall() if answer.description else []
    assert CANARY not in repr(rows)
    assert not [message for message in prying.said if CANARY in message]


@pytest.mark.parametrize("pushdown", ["on", "off"])
@pytest.mark.parametrize("sql", QUERIES.values(), ids=QUERIES.keys())
def test_no_foreign_row_is_evaluated(prying: Prying, sql: str, pushdown: str) -> None:
    prying.server.execute(f"alter role prying_app set tenancy.index_pushdown = {pushdown}")
    with prying.connect() as connection:
        for plan in PLANS:
            check(prying, connection, sql, plan)


def test_a_bitmap_that_forgets_rows(prying: Prying) -> None:
    """That the lossy plan above is one."""
    prying.server.execute("alter role prying_app set tenancy.index_pushdown = on")
    with prying.connect() as connection:
        connection.execute("begin")
        connection.execute("select tenancy.enter('own')")
        connection.execute(PLANS[3])
        prying.server.execute("select tenancy.grant_explain('prying_app', now() + interval '1 hour', 'tests')", dbname=prying.database)
        sql = "explain (analyze, costs off) select count(*) from secret where body like '%zse%' and pry(body)"
        plan = "\n".join(row[0] for row in connection.execute(sql))
    assert "lossy=" in plan
    assert "Recheck Cond: ((tenant_id = " in plan


def test_prepared_patterns(prying: Prying) -> None:
    """A pattern that the planner does not know, and one that it does, both with the escape at the end."""
    prying.server.execute("alter role prying_app set tenancy.index_pushdown = on")
    for mode, plan in itertools.product(("force_generic_plan", "force_custom_plan"), PLANS):
        with prying.connect(f"plan_cache_mode={mode}") as connection:
            connection.execute("begin")
            connection.execute("select tenancy.enter('own')")
            connection.execute(plan.replace("set local plan_cache_mode = force_generic_plan; ", ""))
            for pattern in ("%zsecret\\", "canary%zsecret\\", "%zsecret%"):
                rows = connection.execute("select id from secret where body like %s", [pattern], prepare=True).fetchall()
                assert rows == []


def test_rows_of_a_type_of_the_users(prying: Prying) -> None:
    """What a range of the user's own calls for an estimate, also where it is one of several columns compared."""
    prying.server.execute(
        "create function spread(a text, b text) returns float8 language plpgsql immutable"
        " as $$begin raise notice 'pried % %', a, b; return 1; end$$;"
        "create type spied as range (subtype = text, subtype_diff = spread)", user="prying_app", dbname=prying.database)
    prying.server.execute(
        "create table spied_on (id int, tenant_id uuid, v spied, n int); grant select on spied_on to prying_app;"
        f"insert into spied_on select g, tenancy.tenant_id('other'), spied('b' || g || '{CANARY}', 'c' || g), 1 from generate_series(10, 90) g;"
        "select tenancy.protect('spied_on'); analyze spied_on", dbname=prying.database)
    with prying.connect() as connection:
        for condition in ("v < spied('b55', 'c')", "(v, n) < (spied('b55', 'c'), 2)", "(n, v) >= (1, spied('b55', 'c'))"):
            check(prying, connection, f"select count(*) from spied_on where {condition}", PLANS[0])


# Tenants whose external ids are equal but for case.
NAMED = """
select tenancy.provision('own', external_id => 'own'), tenancy.provision('other', external_id => 'OWN');
select tenancy.grant_access('prying_app', '*', reason => 'tests');
create table named (id serial, account text, body text);
insert into named (account, body) select 'OWN', 'canary of the other tenant ' || g from generate_series(1, 200) g;
insert into named (account, body) select 'own', 'mine ' || g from generate_series(1, 200) g;
select tenancy.protect('named', 'account');
grant select on named to prying_app; grant create on schema public to prying_app;
grant create on database {database} to prying_app;
analyze named;
"""


@pytest.fixture
def named(prying: Prying, database: str) -> Prying:
    prying.server.execute(NAMED.format(database=database), dbname=database)
    return Prying(prying.server, database, [])


def test_a_collation_that_calls_tenants_equal(named: Prying) -> None:
    with named.connect("enable_indexscan=off", "enable_bitmapscan=off") as connection:
        connection.execute(
            "create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
            "create function pry(text) returns boolean language plpgsql as $$begin raise notice 'pried %', $1; return true; end$$;"
            "create domain pried as text check (pry(value))")
        check(named, connection, "select count(*) from named b, (select 'own' as x, 'own' as y offset 0) u"
              " where b.body::pried is not null and b.account collate any_case = tenancy.current_tenant_external_id()"
              " and u.x = u.y and u.x = b.account", PLANS[0])


def test_a_column_that_an_index_cannot_return(named: Prying) -> None:
    named.server.execute(
        "create extension pg_trgm; create index named_trigrams on named using gist (account gist_trgm_ops) include (account);"
        "do $$ declare i regclass; begin for i in select indexrelid from pg_index where indrelid = 'named'::regclass and indexrelid::regclass::text <> 'named_trigrams'"
        " loop execute 'drop index ' || i; end loop; end $$", dbname=named.database)
    named.server.execute("vacuum named", dbname=named.database)
    with named.connect("enable_seqscan=off", "enable_bitmapscan=off") as connection, connection.transaction():
        connection.execute("select tenancy.enter('own')")
        assert connection.execute("select count(account) from named where account like '%wn%'").fetchall() == [(200,)]


def test_a_member_added_to_a_known_extension(named: Prying) -> None:
    with named.connect() as connection:
        connection.execute(
            "create extension pg_trgm schema public;"
            "create function similarity_op(text, int) returns boolean language plpgsql immutable cost 0.0001"
            " as $$begin raise notice 'pried %', $1; return true; end$$;"
            "alter extension pg_trgm add function similarity_op(text, int);"
            "create operator <<< (leftarg = text, rightarg = int, function = similarity_op, restrict = eqsel)")
        check(named, connection, "select count(*) from named where body <<< 1", PLANS[0])


def test_an_index_on_one_tenants_rows(prying: Prying) -> None:
    """It makes the tenant's condition needless for the planner, and lacks the column for it."""
    [(own,)] = prying.server.execute("select tenancy.tenant_id('own')::text", dbname=prying.database)
    prying.server.execute(f"create index secret_of_own on secret (body) where tenant_id = '{own}'", dbname=prying.database)
    prying.server.execute("vacuum analyze secret", dbname=prying.database)
    try:
        with prying.connect("enable_seqscan=off", "enable_bitmapscan=off") as connection:
            for more in ("", " and body ~ 'own'"):
                with connection.transaction():
                    connection.execute("select tenancy.enter('own')")
                    sql = f"select body from secret where tenant_id = '{own}' and body = 'own 1'{more}"
                    assert connection.execute(sql).fetchall() == [("own 1",)]
    finally:
        prying.server.execute("drop index secret_of_own", dbname=prying.database)


def test_arrays_without_a_collation(prying: Prying) -> None:
    """To compare their elements raises an error, where there are any."""
    prying.server.execute(
        "create table lists (tenant_id uuid, items text[] collate \"C\"); grant select on lists to prying_app;"
        "insert into lists select tenancy.tenant_id('other'), array['secret', 'x' || g % 3] from generate_series(1, 200) g;"
        "select tenancy.protect('lists'); analyze lists", dbname=prying.database)
    with prying.connect() as connection:
        connection.execute("create domain other_order as text[] collate \"POSIX\"")
        check(prying, connection, "select count(*) from lists where items = array['g', 'g']::other_order", PLANS[0])
