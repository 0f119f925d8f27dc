"""Queries of every form, once for each way a table can stand in a statement, and for each class of operator.
{message m} is the table under that alias; on the unprotected twin it becomes the table with a hand-written condition."""

import re

READS = {
    "point": "select m.id, m.body from {message m} where m.id = 40",
    "range of timestamps": "select m.id from {message m} where m.created >= '2026-01-01 10:00+00' and m.created < '2026-01-01 12:00+00'",
    "date against timestamptz": "select count(*) from {message m} where m.created < '2026-01-02'::date",
    "in": "select m.id from {message m} where m.id in (5, 6, 7, 999999)",
    "like prefix": "select m.id from {message m} where m.body like 'ab%'",
    "not like": "select count(*) from {message m} where m.body not like 'a%'",
    "like in the middle": "select m.id from {message m} where m.body like '%abc%'",
    "ilike": "select m.id from {message m} where m.body ilike '%ABC%'",
    "similarity": "select m.id from {message m} where m.body % 'abcdef0123456789'",
    "jsonb contains": "select m.id from {message m} where m.document @> '{{\"kind\": 3}}'",
    "jsonb field": "select count(*) from {message m} where m.document ->> 'kind' = '3'",
    "jsonb exists": "select count(*) from {message m} where m.document ? 'kind'",
    "array contains": "select m.id from {message m} where m.tags @> array['t3']",
    "array overlaps": "select m.id from {message m} where m.tags && array['t3', 'u4']",
    "any": "select count(*) from {message m} where 't3' = any (m.tags)",
    "range contains": "select m.id from {message m} where m.during @> '2026-01-01 10:00+00'::timestamptz",
    "range overlaps": "select m.id from {message m} where m.during && tstzrange('2026-01-01 10:00+00', '2026-01-01 11:00+00')",
    "numeric": "select m.id from {message m} where m.amount between 30 and 45",
    "numeric equality": "select m.id from {message m} where m.amount = 30",
    "enum": "select count(*) from {message m} where m.mood >= 'fair'",
    "network": "select count(*) from {message m} where m.address << '10.3.0.0/16'",
    "full text": "select m.id from {message m} where m.words @@ to_tsquery('simple', 'abc:*')",
    "full text expression": "select m.id from {message m} where to_tsvector('simple', m.body) @@ to_tsquery('simple', 'abc:*')",
    "lower": "select m.id from {message m} where lower(m.email) = 'user7@middle.example'",
    "null test": "select count(*) from {message m} where m.amount is not null and m.email is distinct from 'x'",
    "or": "select m.id from {message m} where m.body like 'abc%' or m.amount = 30",
    "top n": "select m.id from {message m} order by m.created desc limit 10",
    "distinct": "select distinct m.mood from {message m}",
    "aggregate": "select count(*), sum(m.amount), min(m.created) from {message m}",
    "minimum": "select min(m.created) from {message m}",
    "group": "select m.tags[2], count(*) from {message m} group by 1 having count(*) > 1",
    "window": "select m.id, row_number() over (order by m.amount desc) from {message m} where m.amount < 100",
    "join": "select m.id, c.title from {message m} join {conversation c} on c.id = m.conversation_id where c.title like 'about 3%'",
    "join by where": "select m.id from {message m}, {conversation c} where c.id = m.conversation_id and c.opened < '2026-01-02' and m.body like 'a%'",
    "left join": "select c.id, m.id from {conversation c} left join {message m} on m.conversation_id = c.id and m.body like 'ab%' where c.title = 'about 3'",
    "right join": "select c.id, m.id from {message m} right join {conversation c} on m.conversation_id = c.id and m.body like 'ab%'",
    "full join": "select c.id, m.id from {message m} full join {conversation c} on m.conversation_id = c.id where m.amount < 60 or c.id < 20",
    "anti join": "select c.id from {conversation c} left join {message m} on m.conversation_id = c.id and m.amount < 50 where m.id is null",
    "three tables": "select m.id, r.kind, c.title from {message m} join {conversation c} on c.id = m.conversation_id join {reaction r} on r.message_id = m.id where m.amount < 100",
    "join on numeric": "select count(*) from {message m} join {message n} on n.amount = m.amount where m.amount < 90",
    "lateral": "select c.id, x.id from {conversation c}, lateral (select m.id from {message m} where m.conversation_id = c.id and m.body like 'a%' order by m.id limit 2) x",
    "exists": "select c.id from {conversation c} where exists (select from {message m} where m.conversation_id = c.id and m.body like 'ab%')",
    "not exists": "select c.id from {conversation c} where not exists (select from {message m} where m.conversation_id = c.id and m.body like 'a%')",
    "in a sub-select": "select m.id from {message m} where m.conversation_id in (select c.id from {conversation c} where c.title like 'about 1%')",
    "not in": "select count(*) from {message m} where m.conversation_id not in (select c.id from {conversation c} where c.title like 'about 1%')",
    "scalar sub-select": "select c.id, (select count(*) from {message m} where m.conversation_id = c.id and m.body like 'a%') from {conversation c}",
    "correlated": "select m.id from {message m} where m.amount > (select avg(n.amount) from {message n} where n.conversation_id = m.conversation_id)",
    "cte": "with a as (select * from {message m} where m.body like 'a%') select a.id from a where a.amount < 300",
    "materialized cte": "with a as materialized (select m.id, m.amount from {message m} where m.body like 'a%') select a.id from a where a.amount < 300",
    "recursive": "with recursive a(id) as (select min(m.id) from {message m} union all select a.id + 1 from a join {message m} on m.id = a.id + 1 where a.id < 130) select count(*) from a",
    "union all": "select u.id from (select m.id, m.body as t from {message m} union all select c.id, c.title from {conversation c}) u where u.t like 'ab%'",
    "union": "select m.mood::text from {message m} where m.body like 'a%' union select c.title from {conversation c}",
    "except": "select m.conversation_id from {message m} except select c.id from {conversation c} where c.title like 'about 1%'",
    "partitions": "select count(*) from {event e} where e.kind like 'kind 1%'",
    "pruned partitions": "select e.id from {event e} where e.at between '2026-02-01' and '2026-02-03' and e.kind like 'kind 1%'",
    "like everything": "select count(*) from {message m} where m.body like '%'",
    "for update": "select m.id from {message m} where m.body like 'ab%' order by m.id for update of m",
    "values join": "select m.id from {message m} join (values (5), (6)) v(id) on v.id = m.id",
    "case": "select count(*) from {message m} where case when m.amount > 10 then m.body like 'a%' else false end",
    "row comparison": "select m.id from {message m} where (m.created, m.id) > ('2026-01-02'::timestamptz, 5) order by m.created, m.id limit 5",
}

# {table message m} is what is written, {and m} its hand-written condition.
WRITES = {
    "update": "update {table message m} set body = m.body || '!' where m.body like 'ab%' {and m}returning m.id",
    "update from": "update {table message m} set amount = 0 from {conversation c} where c.id = m.conversation_id and c.title like 'about 1%' {and m}returning m.id",
    "update in": "update {table message m} set amount = 0 where m.conversation_id in (select c.id from {conversation c} where c.title like 'about 1%') {and m}returning m.id",
    "delete": "delete from {table message m} where m.document @> '{{\"kind\": 3}}' {and m}returning m.id",
    "delete using": "delete from {table reaction r} using {message m} where m.id = r.message_id and m.body like 'a%' {and r}returning r.id",
    "update of partitions": "update {table event e} set kind = 'x' where e.kind like 'kind 1%' {and e}returning e.id",
    "moving between partitions": "update {table event e} set at = e.at + 200 where e.at < '2025-07-03' {and e}returning e.id",
    "insert select": "insert into {table reaction as r} (tenant_id, message_id, kind) select m.tenant_id, m.id, 'copy' from {message m} where m.body like 'ab%' returning message_id",
    "writing cte": "with gone as (delete from {table reaction r} where r.kind like 'kind 1%' {and r}returning r.message_id) select count(*) from gone join {message m} on m.id = gone.message_id where m.amount < 5000",
}

# Without a hand-written counterpart of the same plan.
OTHERS = {
    "constant of another tenant": "select count(*) from {message m} where m.tenant_id = '00000000-0000-0000-0000-000000000001' and m.body like 'a%'",
}

# Planned as PostgreSQL plans row security: something in them is not trusted.
UNTRUSTED = {
    "never true": "select c.id from {conversation c} join {message m} on m.id = (select 5::bigint) where m.created = null and c.title ~ 'x'",
    "regular expression": "select m.id from {message m} where m.body ~ '^ab.*c$' and m.body like 'ab%'",
    "escape at the end": "select m.id from {message m} where m.body like '%zsecret\\'",
    "json path": "select m.id from {message m} where m.document @? '$.kind ? (@ == 3)'",
    "record": "select count(*) from {message m} where row(m.id, m.body)::record = row(1::bigint, 'x'::text)::record",
    "text search of text": "select count(*) from {message m} where m.body @@ to_tsquery('simple', 'abc')",
}

TABLE = re.compile(r"(?<!\{)\{(?!table|and)(\w+) (\w+)\}")
TARGET = re.compile(r"\{table (\w+) ((?:as )?\w+)\}")
CONDITION = re.compile(r"\{and (\w+)\}")


def on_protected(sql: str) -> str:
    return _written(sql, "app", r"app.\1 \2", "")


def by_hand(sql: str, tenant: str) -> str:
    """The same on the unprotected twin, with the condition that an application would write."""
    table = rf"(select * from plain.\1 where tenant_id = '{tenant}') \2"
    return _written(sql, "plain", table, rf"and \1.tenant_id = '{tenant}' ")


def _written(sql: str, schema: str, table: str, condition: str) -> str:
    sql = TABLE.sub(table, CONDITION.sub(condition, sql))
    return TARGET.sub(rf"{schema}.\1 \2", sql).replace("{{", "{").replace("}}", "}")
