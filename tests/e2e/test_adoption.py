"""An application's schema, in the shape that ORMs give it, adopted as the how-to says, used, and given back.

Truncated constraint names, DEFERRABLE INITIALLY DEFERRED keys, serial numbers, many-to-many tables,
children of children, a table keyed by the tenant itself, and one with rows of nobody.
"""

import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from filled_world import refused
from harness import Server
from harness.process import clean_environment

ROLES = """
do $$ begin if to_regrole('fair_owner') is null then
    create role fair_owner login; create role fair_app login;
end if; end $$
"""

SCHEMA = """
create table fair (id serial primary key, slug varchar(50) not null unique);
create table fair_settings (id serial primary key, fair_id integer not null, key varchar(30) not null,
    constraint fair_settings_fair_fk foreign key (fair_id) references fair deferrable initially deferred);
create table fair_log (id serial primary key, fair_id integer references fair deferrable initially deferred, action text);
create table hall (id serial primary key, fair_id integer not null references fair deferrable initially deferred, name text not null);
create table stand (id serial primary key, fair_id integer not null references fair deferrable initially deferred,
    hall_id integer references hall deferrable initially deferred, code varchar(16) not null unique, size integer not null);
create table visit (id serial primary key, stand_id integer not null, note text not null,
    constraint visit_stand_id_5e884898da2804_fk_stand_id foreign key (stand_id) references stand deferrable initially deferred);
create table visit_photo (id serial primary key, visit_id integer not null references visit deferrable initially deferred, path text);
create table tag (id serial primary key, fair_id integer not null references fair deferrable initially deferred, word text not null,
    unique (fair_id, word));
create table stand_tags (id serial primary key, stand_id integer not null references stand deferrable initially deferred,
    tag_id integer not null references tag deferrable initially deferred, unique (stand_id, tag_id));
create table country (code varchar(2) primary key);
insert into fair (slug) values ('spring'), ('autumn');
insert into fair_settings (fair_id, key) select id, 'k' from fair;
insert into fair_log (fair_id, action) select id, 'made' from fair;
insert into fair_log (action) values ('installed');
insert into hall (fair_id, name) select id, 'Hall' from fair;
insert into stand (fair_id, hall_id, code, size)
    select f.id, h.id, f.slug || n, n from fair f join hall h on h.fair_id = f.id, generate_series(1, 3) n;
insert into visit (stand_id, note) select id, code from stand;
insert into visit_photo (visit_id, path) select id, note from visit;
insert into tag (fair_id, word) select id, 'big' from fair;
insert into stand_tags (stand_id, tag_id) select s.id, t.id from stand s join tag t using (fair_id);
insert into country values ('de');
grant select, insert, update, delete on all tables in schema public to fair_app;
grant usage on all sequences in schema public to fair_app;
"""

# Parents before children; the second word is via.
ORDER = [
    ("fair_settings", None), ("hall", None), ("stand", None), ("tag", None),
    ("visit", "stand_id"), ("visit_photo", "visit_id"), ("stand_tags", "stand_id"),
]  # fmt: skip

REGISTRY = """
create extension tenancy;
select count(tenancy.provision(slug, slug, external_id => id::text)) from fair;
select tenancy.grant_access('fair_app', '*', reason => 'the fair');
select tenancy.grant_access('fair_owner', '*', reason => 'migrations');
"""

# What the application asks. The tables without a tenant column are asked without one.
QUESTIONS = [
    "select code, size from stand order by 1",
    "select s.code, h.name, count(v.id) from stand s left join hall h on h.id = s.hall_id join visit v on v.stand_id = s.id"
    " group by s.id, h.id order by 1",
    "select note, path from visit v join visit_photo p on p.visit_id = v.id order by 1",
    "select s.code, t.word from stand s join stand_tags st on st.stand_id = s.id join tag t on t.id = st.tag_id order by 1",
    "select key from fair_settings",
    "select code from stand where exists (select from visit where stand_id = stand.id and note like '%2') order by 1",
]


def schema(server: Server, database: str) -> str:
    """The schema as pg_dump writes it, without the lines that differ between any two runs."""
    done = subprocess.run(
        [server.program("pg_dump"), "--schema-only", "-d", database],
        env=clean_environment() | server.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith("\\"))


@pytest.fixture
def fair(server: Server) -> Iterator[str]:
    server.execute(ROLES)
    server.dropdb("fair")
    server.execute("create database fair owner fair_owner")
    server.psql("create schema if not exists public; alter schema public owner to fair_owner", dbname="fair")
    server.psql(SCHEMA, user="fair_owner", dbname="fair")
    yield "fair"
    server.dropdb("fair")


def adopt(server: Server, database: str) -> None:
    """By the plans, as for tables in use."""
    server.psql(REGISTRY, dbname=database)
    for table, via in ORDER:
        arguments = f"'{table}', 'fair_id'" + (f", via => '{via}'" if via else "")
        server.psql(f"select sql from tenancy.protect_plan({arguments}) \\gexec", dbname=database)
    server.psql("select tenancy.share('country'); select tenancy.exempt('fair', 'the tenants')", dbname=database)


@pytest.fixture
def adopted(server: Server, fair: str) -> str:
    adopt(server, fair)
    return fair


def answers(connection: psycopg.Connection[Any], tenant: str) -> list[Any]:
    with connection.transaction():
        connection.execute("select tenancy.enter(%s)", [tenant])
        return [connection.execute(question).fetchall() for question in QUESTIONS]


def enter(connection: psycopg.Connection[Any], tenant: str) -> None:
    connection.execute("select tenancy.enter(%s)", [tenant])


def test_the_application_sees_what_it_saw(server: Server, fair: str) -> None:
    """Each tenant's answers are those of a database that holds nothing else."""
    expected = {}
    for slug, number in (("spring", 1), ("autumn", 2)):
        server.createdb("alone", template=fair)
        server.psql(
            f"""set session_replication_role = replica;
                delete from stand_tags using stand s where s.id = stand_id and fair_id <> {number};
                delete from visit_photo using visit v, stand s where v.id = visit_id and s.id = stand_id and fair_id <> {number};
                delete from visit using stand s where s.id = stand_id and fair_id <> {number};
                delete from stand where fair_id <> {number}; delete from hall where fair_id <> {number};
                delete from tag where fair_id <> {number}; delete from fair_settings where fair_id <> {number};""",
            dbname="alone",
        )
        with server.connect(dbname="alone") as alone:
            expected[slug] = [alone.execute(question).fetchall() for question in QUESTIONS]
        server.dropdb("alone")
    adopt(server, fair)
    with server.connect(user="fair_app", dbname=fair) as app:
        for slug, rows in expected.items():
            assert all(rows)
            assert answers(app, slug) == rows


def test_writes_through_the_application(server: Server, adopted: str) -> None:
    with server.connect(user="fair_app", dbname=adopted) as app:
        with app.transaction():
            enter(app, "spring")
            app.execute("insert into stand (fair_id, hall_id, code, size) values (1, 1, 'new', 1)")
            app.execute("insert into visit (stand_id, note) select id, 'n' from stand where code = 'new'")
            app.execute("insert into visit_photo (visit_id) select id from visit where note = 'n'")
            app.execute("insert into stand_tags (stand_id, tag_id) select max(stand.id), 1 from stand on conflict do nothing")
            app.execute("insert into tag (fair_id, word) values (1, 'big') on conflict (fair_id, word) do update set word = 'bigger'")
            assert app.execute("update stand set size = 9").rowcount == 4
            app.execute("delete from stand_tags where stand_id = (select id from stand where code = 'new')")
            app.execute("select id from stand for update")
        # What belongs to another tenant: not found, not accepted, not referred to.
        foreign = "select id from stand where fair_id = 2 limit 1"
        [(stand,)] = server.execute(foreign, dbname=adopted)
        with app.transaction():
            enter(app, "spring")
            for statement in ("update stand set size = 0", "delete from stand"):
                assert app.execute(f"{statement} where id = {stand}").rowcount == 0
            refused(app, "42501", "insert into tag (fair_id, word) values (2, 'x')")
            refused(app, "42501", "update stand set fair_id = 2")
        for statement in (
            f"insert into visit (stand_id, note) values ({stand}, 'x')",
            "update stand set hall_id = 2",
            f"insert into stand_tags (stand_id, tag_id) values ({stand}, 1)",
        ):
            with pytest.raises(psycopg.Error) as caught, app.transaction():  # at COMMIT: the keys are deferred
                enter(app, "spring")
                app.execute(statement)
            assert caught.value.sqlstate == "23503"
        with pytest.raises(psycopg.Error) as caught, app.transaction():  # the tenant's row, seen by everybody
            enter(app, "spring")
            app.execute("delete from fair where slug = 'autumn'")
        assert caught.value.sqlstate == "23503"
    sizes = server.execute("select fair_id, min(size), max(size), count(*) from stand group by 1 order by 1", dbname=adopted)
    assert sizes == [(1, 9, 9, 4), (2, 1, 3, 3)]


def test_rows_of_nobody(server: Server, adopted: str) -> None:
    """A table with rows that belong to no tenant is refused, and left as it was."""
    with server.connect(dbname=adopted) as connection:
        refused(connection, "23502", "select tenancy.protect('fair_log', 'fair_id')")
        assert connection.execute("select relrowsecurity from pg_class where oid = 'fair_log'::regclass").fetchone() == (False,)
        connection.execute("delete from fair_log where fair_id is null")
        connection.execute("select tenancy.protect('fair_log', 'fair_id')")


MIGRATIONS = [
    "alter table tag add column weight integer not null default 3",
    "alter table tag alter column weight type bigint, alter column weight drop not null",
    "alter table tag add column hall_id integer references hall deferrable initially deferred",
    "alter table tag drop column hall_id",
    "alter table tag drop column weight",
    # Keys that others refer to, and the column that refers: the foreign keys are made anew.
    "alter table stand alter column id type bigint",
    "alter table visit alter column stand_id type bigint",
    "alter table stand_tags alter column tag_id type bigint",
    "alter table stand rename to booth; alter table booth rename to stand",
    "create index on visit (note); create unique index on stand (fair_id, code)",
    "create table badge (id serial primary key, fair_id integer not null, stand_id bigint not null references stand);"
    "select tenancy.protect('badge', 'fair_id')",
    "drop table badge",
]


@pytest.mark.parametrize("tenant", [None, "spring"])
def test_migrations_by_the_owner(server: Server, adopted: str, tenant: str | None) -> None:
    """What migration frameworks send goes through, in a context or not, and leaves everything protected."""
    with server.connect(user="fair_owner", dbname=adopted) as owner, server.connect(user="fair_app", dbname=adopted) as app:
        before = {slug: answers(app, slug) for slug in ("spring", "autumn")}
        for migration in MIGRATIONS:
            with owner.transaction():
                if tenant:
                    enter(owner, tenant)
                owner.execute(migration)
        assert {slug: answers(app, slug) for slug in before} == before
        refused(owner, "TN001", "update tag set word = upper(word)")
        owner.execute("call tenancy.for_each_tenant('update public.tag set word = upper(word)', 'upper')")
        loose = """select conname from pg_constraint where connamespace = 'public'::regnamespace and contype = 'f'
                     and cardinality(conkey) = 1 and confrelid <> 'fair'::regclass"""
        assert owner.execute(loose).fetchall() == []
    incomplete = "select relation from tenancy.protected_table where not (tenancy.protection(relation)).complete"
    assert server.execute(incomplete, dbname=adopted) == []
    assert server.execute("select word, count(*) from tag group by 1", dbname=adopted) == [("BIG", 2)]


def test_the_way_back(server: Server, fair: str) -> None:
    before = schema(server, fair)
    adopt(server, fair)
    tables = "select relation::text from tenancy.protected_table order by protected_at desc"
    for (table,) in server.execute(tables, dbname=fair):
        server.execute("select tenancy.unprotect(%s)", [table], dbname=fair)
    server.psql("select tenancy.unshare('country'); drop extension tenancy", dbname=fair)
    assert schema(server, fair) == before
