"""Tenants that share one server connection through PgBouncer in transaction mode."""

import itertools
import random
import threading

import psycopg
import pytest
from context_world import World, bodies, enter, refused, world  # noqa: F401
from harness import PgBouncer
from wire import pipeline

ROUNDS = 400


@pytest.fixture(scope="module")
def pooler(world: World):  # noqa: F811
    for slug in ("a", "b"):
        world.tenant(slug=slug)
    with PgBouncer(world.server, settings={"query_wait_timeout": 20}) as pooler:
        yield pooler


@pytest.fixture
def clients(pooler: PgBouncer, world: World):  # noqa: F811
    """One client for each tenant; they have one server connection between them."""
    connections = {slug: pooler.connect(user="app_any", dbname=world.database) for slug in ("a", "b")}
    pids = {connection.execute("select pg_backend_pid()").fetchone() for connection in connections.values()}
    assert len(pids) == 1
    yield connections
    for connection in connections.values():
        connection.close()


def test_interleaved(clients):
    """Thousands of transactions, each sees its own tenant's rows and nothing else."""
    order = random.Random(4711)
    for _ in range(ROUNDS * 4):
        slug = order.choice("ab")
        with clients[slug].transaction():
            enter(clients[slug], slug)
            assert bodies(clients[slug]) == {slug}


def test_at_the_same_time(pooler: PgBouncer, world: World):  # noqa: F811
    """Four clients at once: reads, writes, errors, rollbacks, savepoints."""
    wrong: list[object] = []

    def client(slug: str, seed: int) -> None:
        order = random.Random(seed)
        try:
            with pooler.connect(user="app_any", dbname=world.database) as connection:
                for _ in range(ROUNDS):
                    kind = order.randrange(5)
                    try:
                        with connection.transaction(force_rollback=kind == 1):
                            enter(connection, slug)
                            if kind == 2:
                                connection.execute("insert into app.note (body) values (%s)", [slug])
                                connection.execute("delete from app.note where id = lastval()")
                            elif kind == 3:
                                with pytest.raises(psycopg.Error), connection.transaction():
                                    enter(connection, "b" if slug == "a" else "a")
                            elif kind == 4:
                                connection.execute("select 1 / 0")
                            seen = bodies(connection)
                            if seen != {slug}:
                                wrong.append((slug, seen))
                    except psycopg.errors.DivisionByZero:
                        pass
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=client, args=(slug, n)) for n, slug in enumerate("abab")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not wrong


def test_without_a_context_between_others(clients):
    for slug, other in itertools.islice(itertools.cycle([("a", "b"), ("b", "a")]), 20):
        with clients[slug].transaction():
            enter(clients[slug], slug)
        with refused("TN001"):
            bodies(clients[other])
        assert clients[other].execute("select tenancy.current_tenant()").fetchone() == (None,)


def test_pipelined(clients):
    """enter and the query up to one Sync, no BEGIN: one transaction, one round trip."""
    for slug in itertools.islice(itertools.cycle("ab"), ROUNDS):
        connection = clients[slug]
        results = pipeline(
            connection, ("select tenancy.enter($1)", [slug.encode()]), ("select distinct body from app.note", [])
        )
        assert results[1].ntuples == 1 and results[1].get_value(0, 0) == slug.encode()
        other = clients["b" if slug == "a" else "a"]
        if slug == "a":
            with refused("TN001"):
                bodies(other)


def test_a_pipeline_that_is_refused_does_nothing(clients, world: World):  # noqa: F811
    lost = world.tenant()
    world.suspend(lost)
    with refused("TN005"):
        pipeline(
            clients["a"],
            ("select tenancy.enter($1)", [lost.slug.encode()]),
            ("insert into app.note (body) values ('x')", []),
        )
    assert world.stored(lost) == 2


def test_session_scope_is_refused(clients):
    """A pooler cannot see a context of the session: it would be the next client's."""
    for statement in ("select tenancy.enter('a', 'session')", "set tenancy.context = 'a'"):
        with refused("42501"):
            clients["a"].execute(statement)
        with refused("TN001"):
            bodies(clients["b"])


def test_a_connection_string_with_a_context(pooler: PgBouncer, world: World):  # noqa: F811
    with pooler.connect(user="app_any", dbname=world.database, options="-c tenancy.context=a") as connection:
        with refused("TN001"):
            bodies(connection)


def test_suspended_between_two_clients(clients, world: World):  # noqa: F811
    tenant = world.tenant()
    with clients["a"].transaction():
        enter(clients["a"], tenant)
        assert bodies(clients["a"]) == {tenant.slug}
    world.suspend(tenant)
    for connection in clients.values():
        with connection.transaction(), refused("TN005"):
            enter(connection, tenant)


def test_protocol_level_prepared_statements(world: World):  # noqa: F811
    """One client's statement, prepared in a connection that another one uses too (session names)."""
    with (
        PgBouncer(world.server, pool_mode="session", settings={"server_reset_query": ""}) as pooler,
        psycopg.connect(
            autocommit=True, prepare_threshold=0, **pooler.parameters(user="app_any", dbname=world.database)
        ) as connection,
    ):
        for slug in itertools.islice(itertools.cycle("ab"), 40):
            with connection.transaction():
                connection.execute("select tenancy.enter(%s)", [slug], prepare=True)
                rows = connection.execute("select distinct body from app.note where body = any(%s)", [["a", "b"]], prepare=True)
                assert rows.fetchall() == [(slug,)]


def test_what_a_client_leaves(pooler: PgBouncer, world: World):  # noqa: F811
    """lastval and session settings of the first tenant's client are nothing to the second one's."""
    with pooler.connect(user="app_any", dbname=world.database) as one, pooler.connect(
        user="app_any", dbname=world.database
    ) as two:
        with one.transaction():
            enter(one, "a")
            one.execute("insert into app.note (body) values ('a')")
        with two.transaction():
            enter(two, "b")
            with refused("55000"), two.transaction():
                two.execute("select lastval()")
