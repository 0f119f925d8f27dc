"""What a platform asks of its tables, once for each kind of operator and each shape of query.

{message}, {conversation}, {reaction} and {event} are the tables under their first letters; on the table without
row security a hand-written condition comes with each: {m}, {c}, {r}, {e}, {n} (message once more).
$1 is a parameter when the protocol has them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    sql: str
    parameter: str = ""  # an SQL literal that stands for $1 in the simple protocol
    writes: bool = False


READS = {
    "point": Query("SELECT m.id, m.body FROM {message} WHERE {m}m.id = $1", "OWN"),
    "point, uuid": Query("SELECT m.id, m.body FROM {message} WHERE {m}m.key = md5('17')::uuid"),
    "in": Query("SELECT m.id FROM {message} WHERE {m}m.number IN (3, 17, 40, 77, 99)"),
    "any array": Query("SELECT m.id FROM {message} WHERE {m}m.number = ANY ($1)", "{3,17,40,77,99}"),
    "range of timestamps": Query("SELECT m.id FROM {message} WHERE {m}m.created >= $1 AND m.created < '2026-01-01 01:00+00'", "2026-01-01 00:00+00"),
    "open range": Query("SELECT count(*) FROM {message} WHERE {m}m.created < '2026-01-01 02:00+00'"),
    "date against timestamptz": Query("SELECT count(*) FROM {message} WHERE {m}m.created < '2026-01-01'::date + 1"),
    "like prefix": Query("SELECT m.id FROM {message} WHERE {m}m.body LIKE 'abc%'"),
    "like parameter": Query("SELECT m.id FROM {message} WHERE {m}m.body LIKE $1", "abc%"),
    "like infix, trigram": Query("SELECT m.id FROM {message} WHERE {m}m.body LIKE '%abcde%'"),
    "ilike, trigram": Query("SELECT m.id FROM {message} WHERE {m}m.body ILIKE '%ABCDE%'"),
    "full text": Query("SELECT m.id FROM {message} WHERE {m}m.words @@ to_tsquery('simple', 'w17 & w23')"),
    "full text, expression": Query("SELECT m.id FROM {message} WHERE {m}to_tsvector('simple', m.title) @@ to_tsquery('simple', 't17')"),
    "jsonb contains": Query("SELECT m.id FROM {message} WHERE {m}m.document @> '{{\"kind\": 17}}'"),
    "jsonb field": Query("SELECT count(*) FROM {message} WHERE {m}m.document ->> 'kind' = '17'"),
    "array contains": Query("SELECT m.id FROM {message} WHERE {m}m.tags @> ARRAY['t17']"),
    "array overlaps": Query("SELECT m.id FROM {message} WHERE {m}m.tags && ARRAY['t17', 't23']"),
    "range contains": Query("SELECT m.id FROM {message} WHERE {m}m.during @> '2026-01-01 00:30+00'::timestamptz"),
    "range overlaps": Query("SELECT m.id FROM {message} WHERE {m}m.during && tstzrange('2026-01-01 00:30+00', '2026-01-01 00:32+00')"),
    "numeric range": Query("SELECT m.id FROM {message} WHERE {m}m.amount BETWEEN 30 AND 60"),
    "numeric equality": Query("SELECT m.id FROM {message} WHERE {m}m.amount = $1", "45.0"),
    "lower": Query("SELECT m.id FROM {message} WHERE {m}lower(m.email) = 'user17@example.com'"),
    "two conditions": Query("SELECT m.id FROM {message} WHERE {m}m.body LIKE 'a%' AND m.amount < 100"),
    "or": Query("SELECT m.id FROM {message} WHERE {m}(m.body LIKE 'abc%' OR m.amount = 45)"),
    "top n": Query("SELECT m.id, m.body FROM {message} WHERE {m}true ORDER BY m.created DESC LIMIT 20"),
    "page": Query("SELECT m.id FROM {message} WHERE {m}(m.created, m.id) > ('2026-01-01 00:40+00', 0) ORDER BY m.created, m.id LIMIT 20"),
    "count": Query("SELECT count(*) FROM {message} WHERE {m}true"),
    "aggregate": Query("SELECT sum(m.amount), avg(m.amount), max(m.created) FROM {message} WHERE {m}m.number < 50"),
    "group": Query("SELECT m.number, count(*) FROM {message} WHERE {m}true GROUP BY m.number"),
    "maximum": Query("SELECT max(m.created) FROM {message} WHERE {m}true"),
    "window": Query("SELECT m.id, rank() OVER (PARTITION BY m.conversation ORDER BY m.created) FROM {message} WHERE {m}m.amount < 150"),
    "join of two": Query("SELECT m.id, c.title FROM {message} JOIN {conversation} ON c.id = m.conversation WHERE {m}{c}m.body LIKE 'ab%'"),
    "join of three": Query("SELECT m.id, c.title, r.kind FROM {message} JOIN {conversation} ON c.id = m.conversation JOIN {reaction} ON r.message = m.id WHERE {m}{c}{r}m.amount < 60"),
    "join of four": Query("SELECT count(*) FROM {message} JOIN {conversation} ON c.id = m.conversation JOIN {reaction} ON r.message = m.id JOIN {other} ON n.id = r.message WHERE {m}{c}{r}{n}m.amount < 60"),
    "join of five": Query("SELECT count(*) FROM {message} JOIN {conversation} ON c.id = m.conversation JOIN {reaction} ON r.message = m.id JOIN {other} ON n.id = r.message JOIN {event} ON e.number = m.number WHERE {m}{c}{r}{n}{e}m.amount < 30 AND e.at < '2026-01-03'"),
    "left join": Query("SELECT c.id, count(r.id) FROM {conversation} LEFT JOIN {reaction} ON {r}r.conversation = c.id WHERE {c}c.title LIKE 'about 1%' GROUP BY c.id"),
    "cte": Query("WITH x AS (SELECT m.id, m.amount FROM {message} WHERE {m}m.body LIKE 'ab%') SELECT count(*) FROM x WHERE x.amount > 10"),
    "exists": Query("SELECT c.id FROM {conversation} WHERE {c}EXISTS (SELECT FROM {message} WHERE {m}m.conversation = c.id AND m.amount < 50)"),
    "in a sub-select": Query("SELECT count(*) FROM {message} WHERE {m}m.conversation IN (SELECT c.id FROM {conversation} WHERE {c}c.title LIKE 'about 1%')"),
    "lateral": Query("SELECT c.id, x.id FROM {conversation}, LATERAL (SELECT m.id FROM {message} WHERE {m}m.conversation = c.id ORDER BY m.created DESC LIMIT 1) x WHERE {c}c.title = 'about 17'"),
    "partitions": Query("SELECT count(*) FROM {event} WHERE {e}e.kind LIKE 'kind 1%'"),
    "one partition": Query("SELECT count(*) FROM {event} WHERE {e}e.at >= '2026-02-01' AND e.at < '2026-02-03'"),
    "distinct": Query("SELECT DISTINCT m.number FROM {message} WHERE {m}true"),
    "union": Query("SELECT m.id FROM {message} WHERE {m}m.amount < 30 UNION ALL SELECT c.id FROM {conversation} WHERE {c}c.title = 'about 17'"),
}

WRITES = {
    "update": Query("UPDATE {message} SET seen = m.seen + 1 WHERE {m}m.id = $1", "OWN", writes=True),
    "update by like": Query("UPDATE {message} SET seen = m.seen + 1 WHERE {m}m.body LIKE 'abcd%'", writes=True),
    "upsert": Query("INSERT INTO {table reaction} AS r (tenant_id, id, message, conversation, kind) VALUES ({id}, $1, 1, 1, 'x') ON CONFLICT (id) DO UPDATE SET kind = 'y'", "OWN", writes=True),
    "delete": Query("DELETE FROM {reaction} WHERE {r}r.kind = 'none'", writes=True),
}

QUERIES = READS | WRITES
