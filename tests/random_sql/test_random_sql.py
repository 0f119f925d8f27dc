"""Random statements of sqlsmith as the application's role, in a context: no answer has a value of another tenant, none
changes another tenant's row, and nothing crashes. First, that the judge would see it."""

import os
import signal
from collections.abc import Callable, Iterator

import psycopg
import pytest
from harness import Server, wait_for

from .judge import Judge, Verdict
from .run import SERVER, crashes, run_all, shares
from .world import APP, TENANTS, World

SEED = 1
STATEMENTS = 3000
SHARE = 500  # so that each mood has one

# Ways out for one value of another tenant.
LEAKS = {
    "text": "select body from leak",
    "one letter": "select substr(body, 2, 1) from leak",
    "reversed": "select reverse(upper(body)) from leak",
    "in a record": "select leak from leak",
    "in json": "select to_jsonb(leak) from leak",
    "bytes": "select convert_to(body, 'UTF8') from leak",
    "escaped bytes": "select encode(convert_to(body, 'UTF8'), 'escape') from leak",
    "base64": "select encode(convert_to('x' || body, 'UTF8'), 'base64') from leak",
    "upper case hexadecimal": "select upper(encode(convert_to(body, 'UTF8'), 'hex')) from leak",
    "unicode escape": "select '\\u' || lpad(to_hex(ascii(substr(body, 2, 1))), 4, '0') from leak",
    "number": "select small + 0 from leak",
    "larger number": "select id * 1.0 from leak",
    "floating point": "select array_agg(ratio) from leak",
    "day": "select day from leak",
    "time": "select seen - interval '1 day' from leak",
    "interval": "select wait from leak",
    "address": "select network(set_masklen(address, 24)) from leak",
    "words": "select words from leak",
    "tenant": "select tenant_id from leak",
    "slug": "select format('%I', (select slug from tenancy.tenant offset 1 limit 1))",
    "error": "select body::int from leak",
    "detail of an error": "insert into outbox (payload, at) select body, null from leak",
    "notice": "select tell(body) from leak",
}

LEAK = f"""
create table leak as select * from samples where tenant_id = '{TENANTS[1].id}' limit 1;
grant select on leak, tenancy.tenant to {APP};
create function tell(said text) returns text language plpgsql as 'begin raise notice ''%'', said; return 1; end';
create function touch() returns void language sql security definer as 'update samples set open = not open'
"""


@pytest.fixture(scope="module")
def random_world() -> Iterator[World]:
    with Server(settings=SERVER, name="random_sql") as server:
        yield World(server, "random_sql")


@pytest.fixture
def leak(random_world: World) -> Iterator[None]:
    """What somebody forgot to protect: a row of the second tenant."""
    random_world.admin(LEAK)
    yield
    random_world.admin(f"drop table leak; drop function tell, touch; revoke select on tenancy.tenant from {APP}")


def judged(world: World, *statements: str) -> Verdict:
    """What the judge says of these, sent as sqlsmith does."""
    with Judge(lambda: world.server.port, TENANTS[0]) as judge:
        parameters = {"host": "127.0.0.1", "port": judge.port, "user": APP, "dbname": world.database}
        with psycopg.connect(sslmode="disable", gssencmode="disable", autocommit=True, **parameters) as connection:
            for statement in ("set application_name to 'sqlsmith::dut'", "BEGIN;", *statements, "ROLLBACK;"):
                connection.pgconn.exec_(statement.encode())
    return judge.verdict


@pytest.mark.usefixtures("leak")
@pytest.mark.parametrize("way", LEAKS)
def test_a_leak_is_seen(random_world: World, way: str) -> None:
    [finding] = judged(random_world, LEAKS[way]).findings
    assert "of another tenant" in finding.reason
    assert finding.statement == LEAKS[way]


@pytest.mark.usefixtures("leak")
def test_a_change_of_another_tenants_row_is_seen(random_world: World) -> None:
    [finding] = judged(random_world, "select touch()").findings
    assert finding.reason.startswith("ZZ001")
    unwatched = "alter table samples disable trigger watch; select touch(); alter table samples enable trigger watch"
    before = random_world.foreign_rows(TENANTS[0])
    random_world.admin(unwatched)
    after = random_world.foreign_rows(TENANTS[0])
    random_world.admin(unwatched)
    assert {table for table in after if after[table] != before[table]} == {"samples"}


def test_own_rows_are_no_leak(random_world: World) -> None:
    verdict = judged(random_world, "select * from samples", "select sum(big), array_agg(label) from readings, samples")
    assert (verdict.findings, verdict.statements, verdict.own_seen) == ([], 2, 1)


def test_a_crash_is_seen(make_server: Callable[..., Server]) -> None:
    server = make_server(settings=SERVER, name="crashing")
    mark = server.log_size()
    with server.connect() as connection:
        os.kill(connection.info.backend_pid, signal.SIGSEGV)
    wait_for(lambda: crashes(server, mark), 30, "the log to tell of the crash")


def test_random_statements(random_world: World) -> None:
    total = run_all(random_world, shares(random_world, STATEMENTS, SEED, SHARE), print)
    assert not total.findings, "\n\n".join(str(finding) for finding in total.findings[:5])
    assert total.statements == STATEMENTS
    assert total.succeeded > STATEMENTS / 2
    assert total.own_seen > STATEMENTS / 20
    assert total.changed > 0 and total.committed > 0
