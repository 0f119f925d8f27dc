"""MERGE matches what its condition says, trusted or not: rows that do not match are its business, too."""

from collections.abc import Iterator

import pytest

from .planned import Planned

CONDITIONS = {
    "trusted": "m.body like 'ab%'",
    "not trusted": "m.body like 'ab%' and t.kind ~ 'kind'",
    "never matched": "m.body like 'ab%' and t.kind ~ 'nothing'",
}


@pytest.fixture
def target(planned: Planned) -> Iterator[str]:
    planned.admin(
        "create table public.merged as select id as message_id, 'kind' as kind from app.message;"
        "grant select, insert on public.merged to planned_app")
    yield "public.merged"
    planned.admin("drop table public.merged")


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS.keys())
def test_not_matched(planned: Planned, target: str, condition: str) -> None:
    matched = f"select from {target} t where t.message_id = m.id and {condition}"
    merge = f"""merge into {target} t using app.message m on t.message_id = m.id and {condition}
        when not matched then insert (message_id, kind) values (m.id, 'new')"""
    with planned.session("small") as session:
        [(expected,)] = session.execute(f"select count(*) from app.message m where not exists ({matched})").fetchall()
        assert session.execute(merge).rowcount == expected > 0
