"""Values of each type: a tenant's own, what it asks for, and what another tenant may have stored to make a
function raise, run out of memory, or say something."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Type:
    name: str
    own: tuple[str, ...]      # SQL expressions; also the values that are asked for
    hostile: tuple[str, ...]  # of the other tenant


TEXT = Type("text", ("'abc'", "'ab%'", "'z\\'", "'%z\\'"), (
    "''", "'z'", "'z\\'", "'zsecret'", "repeat('x', 300000)", "repeat('a b ', 20000)", "repeat('(', 2000)",
    "repeat('ä', 300)", "chr(1)", "E'\\U0010FFFF'", "repeat('x', 2100) || md5('1')"))

TYPES = {type.name: type for type in (
    TEXT,
    Type("bytea", ("'\\x616263'", "'ab%'", "'z\\\\'"), ("''", "'z'", "decode(repeat('00', 100000), 'hex')", "'z\\\\'")),
    Type("name", ("'abc'", "'ab%'"), ("'z'", "repeat('z', 63)")),
    Type("bpchar", ("'abc'", "'ab%'"), ("'z'", "repeat('z', 100000)")),
    Type("date", ("'2026-01-01'",), ("'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'")),
    Type("timestamp", ("'2026-01-01'",), ("'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-12-31 23:59:59.999999'")),
    Type("timestamptz", ("'2026-01-01'",), ("'infinity'", "'-infinity'", "'4713-01-02 BC'", "'294276-12-31 00:00+00'")),
    Type("numeric", ("1", "0.5"), ("'NaN'", "'Infinity'", "'-Infinity'", "1e130000", "1e-16000", "-1e400")),
    Type("jsonb", ("'{\"a\": 1}'", "'[1, 2]'", "'1'"), (
        "(repeat('[', 5000) || repeat(']', 5000))::jsonb", "'null'", "('\"' || repeat('x', 300000) || '\"')::jsonb",
        "(select jsonb_object_agg('k' || g, g) from generate_series(1, 5000) g)", "'{\"a\": 1e1000}'",
        "'\"2026-01-01T00:00:00+00:00\"'", "'\"2026-01-01\"'")),
    Type("inet", ("'10.0.0.1'", "'10.0.0.0/8'"), ("'::/0'", "'0.0.0.0/0'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'")),
    Type("tsvector", ("'a b'",), ("''", "to_tsvector('simple', repeat('w', 2000))",
         "(select string_agg('w' || g, ' ')::tsvector from generate_series(1, 5000) g)", "strip('a:1 b:2')")),
    Type("tsquery", ("'a & b'",), ("''", "'!!a'", "(repeat('(', 500) || 'a' || repeat(')', 500))::tsquery",
         "(select string_agg('w' || g, ' & ')::tsquery from generate_series(1, 200) g)")),
    Type("int4[]", ("'{1,2}'",), ("'{}'", "'{NULL}'", "'{{1,2},{3,4}}'", "array_fill(7, array[50000])", "'[-5:-4]={1,2}'")),
    Type("text[]", ("'{abc,def}'",), ("'{}'", "array[repeat('x', 200000)]", "array_fill('x'::text, array[100000])")),
    Type("numeric[]", ("'{1,2}'",), ("array['NaN'::numeric, 'Infinity', 1e130000]",)),
    Type("trust_mood", ("'fair'",), ("'bad'", "'good'")),
    Type("int4range", ("'[1,5)'", "'empty'"), ("'(,)'", "'[-2147483648,2147483647)'", "'[2147483646,2147483647)'")),
    Type("int8range", ("'[1,5)'",), ("'(,)'", "'[-9223372036854775808,9223372036854775807)'")),
    Type("daterange", ("'[2026-01-01,2026-02-01)'",), ("'(,)'", "'[-infinity,infinity)'", "'[4713-01-01 BC,5874897-12-31)'")),
    Type("tsrange", ("'[2026-01-01,2026-02-01)'",), ("'(,)'", "'[-infinity,infinity]'")),
    Type("tstzrange", ("'[2026-01-01,2026-02-01)'",), ("'(,)'", "'[-infinity,infinity]'")),
    Type("int4multirange", ("'{[1,5)}'",), ("'{}'", "'{(,)}'", "(select range_agg(int4range(g*2, g*2+1)) from generate_series(1, 5000) g)")),
    Type("int8multirange", ("'{[1,5)}'",), ("'{(,)}'",)),
    Type("datemultirange", ("'{[2026-01-01,2026-02-01)}'",), ("'{(,)}'", "'{[-infinity,infinity)}'")),
    Type("tsmultirange", ("'{[2026-01-01,2026-02-01)}'",), ("'{(,)}'",)),
    Type("tstzmultirange", ("'{[2026-01-01,2026-02-01)}'",), ("'{(,)}'",)),
)}

# Operators of polymorphic types are tried with each of these.
POLYMORPHIC = {
    "anyarray": ("int4[]", "text[]", "numeric[]"),
    "anyenum": ("trust_mood",),
    "anyrange": ("int4range", "int8range", "daterange", "tsrange", "tstzrange"),
    "anymultirange": ("int4multirange", "int8multirange", "datemultirange", "tsmultirange", "tstzmultirange"),
}

ELEMENTS = {
    "int4range": "7", "int8range": "7::bigint", "daterange": "'2026-01-05'::date", "tsrange": "'2026-01-05'::timestamp",
    "tstzrange": "'2026-01-05'::timestamptz",
}
