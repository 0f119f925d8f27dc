"""docs/reference is what scripts/reference would write, and every object has a comment."""

import pytest
from docs.examples import ROOT
from docs.reference import pages


@pytest.fixture
def connection(server, database):
    with server.connect(dbname=database) as connection:
        yield connection


def test_the_committed_reference_is_fresh(connection):
    for name, text in pages(connection).items():
        assert (ROOT / "docs/reference" / name).read_text() == text, f"{name} is stale: run scripts/reference"


UNCOMMENTED = """
select oid::regprocedure::text from pg_proc
where pronamespace = 'tenancy'::regnamespace and obj_description(oid, 'pg_proc') is null
union all
select oid::regclass::text from pg_class
where relnamespace = 'tenancy'::regnamespace and relkind in ('r', 'v') and obj_description(oid, 'pg_class') is null
"""


def test_everything_has_a_comment(connection):
    assert connection.execute(UNCOMMENTED).fetchall() == []
