"""docs/reference is what scripts/reference would write, and every object has a comment."""

import json
import re

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


def test_the_distribution_says_the_version_of_the_control_file():
    control = (ROOT / "pg_extension/tenancy.control").read_text()
    version = re.search(r"^default_version = '(.*)'$", control, re.M)
    meta = json.loads((ROOT / "META.json").read_text())
    assert version and meta["version"] == meta["provides"]["tenancy"]["version"] == version[1]
    assert (ROOT / meta["provides"]["tenancy"]["file"]).exists()
