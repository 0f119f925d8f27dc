"""Protected tables are planned as hand-written conditions are, and answer the same."""

import pytest

from .planned import TENANTS, Planned, explain, shape
from .shapes import OTHERS, READS, UNTRUSTED, WRITES, by_hand, on_protected

ALL = READS | WRITES | OTHERS | UNTRUSTED


@pytest.mark.parametrize("slug", TENANTS)
@pytest.mark.parametrize("sql", ALL.values(), ids=ALL.keys())
def test_answers(planned: Planned, sql: str, slug: str) -> None:
    with planned.session(slug) as session:
        expected = session.execute(by_hand(sql, planned.ids[slug])).fetchall()
        found = session.execute(on_protected(sql)).fetchall()
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


@pytest.mark.parametrize("slug", TENANTS)
@pytest.mark.parametrize("sql", (READS | WRITES).values(), ids=(READS | WRITES).keys())
def test_plans(planned: Planned, sql: str, slug: str) -> None:
    with planned.session(slug, "max_parallel_workers_per_gather=0") as session:
        found = explain(session, on_protected(sql))
        expected = explain(session, by_hand(sql, planned.ids[slug]))
        assert shape(session, found) == shape(session, expected)
