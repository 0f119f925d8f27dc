"""What sqlsmith is told of the server. It reads the catalogs when it starts and picks from what it finds, so most of
what it makes of the whole catalog compares NULLs of types that no column has, and returns nothing. Here its questions
are answered with the operators and functions of the types that the tables' columns have; those of any array, range or
enum come once for each of these, which sqlsmith could not use otherwise. And its NULLs become values.
"""

import random
import re

TYPES = """
    select atttypid as type, typcategory as category
    from pg_attribute join pg_class c on c.oid = attrelid join pg_type t on t.oid = atttypid
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v') and attnum > 0
    union select 'bool'::regtype, 'B' union select 'int4'::regtype, 'N' union select 'float8'::regtype, 'N'"""

OPERATORS = f"""
with types as ({TYPES}),
families as (values ('anyarray'::regtype, 'A'), ('anyrange'::regtype, 'R'), ('anyenum'::regtype, 'E'))
select oprname, oprleft, oprright, oprresult from pg_operator
where oprleft in (select type from types) and oprright in (select type from types) and oprresult <> 0
union all
select oprname, type, type, oprresult from pg_operator join types on (oprleft, category) in (table families)
where oprright = oprleft and oprresult = 'bool'::regtype
union all
select oprname, 'varchar'::regtype, 'varchar'::regtype, oprresult from pg_operator
where oprleft = 'text'::regtype and oprright = 'text'::regtype and oprresult = 'bool'::regtype"""

ROUTINES = f"""
    and has_function_privilege(oid, 'execute')
    and not exists (
        select from unnest(proargtypes) as argument where argument not in (select type from ({TYPES}) as types))"""


def close(question: str) -> str:
    """The question that is sent instead of one of sqlsmith's."""
    if question.startswith("select oprname"):
        return OPERATORS
    if "from pg_proc where prorettype" in question:
        return question + ROUTINES
    return question


# Instead of NULL, which is sqlsmith's only constant of most types. Each is a value with which some of a tenant's rows
# compare as true and others do not; none has a mark of any tenant.
CONSTANTS: dict[str, tuple[str, ...]] = {
    "text": ("%", "1%", "%1%", "%order%", "_%2", "", "a"),
    "varchar": ("%", "%5", "", "m"),
    "int4": ("0", "3", "1500000000", "-1"),
    "int8": ("0", "2", "1500000000000", "150000000000000", "-1"),
    "numeric": ("0", "1.5", "15000000000"),
    "float8": ("0", "1500000000", "-0.5", "Infinity"),
    "timestamptz": ("2026-10-01Z", "2150-01-01Z", "infinity"),
    "timestamp": ("2026-10-01", "2150-01-01"),
    "date": ("2026-10-01", "2150-01-01"),
    "interval": ("1 hour", "600000 hours"),
    "inet": ("13.0.0.0/8", "15.0.0.0", "0.0.0.0/0", "::1"),
    "jsonb": ("{}", '{"kind": 1}', '{"n": 2}', '"kind"', "[]"),
    "json": ("{}", "[1]"),
    "bytea": ("", "a", "\\xff"),
    "_text": ("{}", "{a,b}", "{NULL}"),
    "_int4": ("{}", "{1}", "{2,3}"),
    "tstzrange": ("(,)", "empty", "[2026-01-01Z,2150-01-01Z)"),
    "int8range": ("(,)", "empty", "[5,1500000000000)"),
    "tsvector": ("", "a:1 b:2"),
    "tsquery": ("a | b", "!a"),
    "point": ("(0,0)", "(1500000000,5)"),
    "public.mood": ("bad", "fair", "good"),
}
NULL = re.compile(r'cast\(null as ("?)([\w.]+)\1\)')
SAMPLE = re.compile(r"tablesample (system|bernoulli) \([\d.]+\)")


def with_constants(statement: str) -> str:
    """The statement with values for most of its NULLs and samples of whole tables, for sqlsmith's are nearly always
    empty; the same for the same statement."""
    chosen = random.Random(statement)

    def value(match: re.Match[str]) -> str:
        values = CONSTANTS.get(match[2])
        if values is None or chosen.random() < 0.2:
            return match[0]
        return f"cast('{chosen.choice(values)}' as {match[1]}{match[2]}{match[1]})"

    return SAMPLE.sub(r"tablesample \1 (100)", NULL.sub(value, statement))
