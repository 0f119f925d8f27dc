-- The subset of JSON Schema: each keyword's form, what it allows, what it refuses, and where.
\ir helpers/operators.sql
SELECT plan(101);
SET SESSION AUTHORIZATION lc_admin;
SELECT tenancy.provision('acme') \g /dev/null

-- Schemas that cannot be: SQLSTATE TN014, with the JSON pointer of the keyword.
CREATE FUNCTION pg_temp.place(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || coalesce(substring(SQLERRM FROM '"(.*)"'), SQLERRM);
END
$$;
SELECT is(pg_temp.place(format('SELECT tenancy.define_setting(%L, %L)', 'bad', schema)), 'TN014 ' || place, 'no schema: ' || schema)
FROM (VALUES
    ('"integer"', ''), ('{"Type": "integer"}', '/Type'), ('{"$ref": "#"}', '/$ref'), ('{"format": "date"}', '/format'),
    ('{"oneOf": []}', '/oneOf'), ('{"title": "x"}', '/title'), ('{"type": "int"}', '/type'), ('{"type": []}', '/type'),
    ('{"type": ["string", "string"]}', '/type'), ('{"type": ["string", 1]}', '/type'), ('{"type": null}', '/type'),
    ('{"enum": []}', '/enum'), ('{"enum": "a"}', '/enum'), ('{"minimum": "1"}', '/minimum'), ('{"maximum": null}', '/maximum'),
    ('{"minLength": -1}', '/minLength'), ('{"maxLength": 1.5}', '/maxLength'), ('{"minItems": "1"}', '/minItems'),
    ('{"maxItems": 1e10}', '/maxItems'), ('{"uniqueItems": 1}', '/uniqueItems'), ('{"pattern": "("}', '/pattern'), ('{"pattern": 1}', '/pattern'),
    ('{"items": []}', '/items'), ('{"items": true}', '/items'), ('{"items": {"type": "x"}}', '/items/type'),
    ('{"properties": []}', '/properties'), ('{"properties": {"a": 1}}', '/properties/a'),
    ('{"properties": {"a/b~c": {"nope": 1}}}', '/properties/a~1b~0c/nope'), ('{"required": "a"}', '/required'), ('{"required": [1]}', '/required'),
    ('{"additionalProperties": "no"}', '/additionalProperties'), ('{"additionalProperties": {"x": 1}}', '/additionalProperties/x')
) AS bad(schema, place);

-- Values: accepted, or refused at the place.
SELECT tenancy.define_setting('s' || n, schema) FROM (VALUES
    (1, '{}'::jsonb),
    (2, '{"type": "integer", "minimum": -2, "maximum": 5}'),
    (3, '{"type": ["number", "null"], "maximum": 0.5}'),
    (4, '{"type": "string", "minLength": 2, "maxLength": 4, "pattern": "^[a-zä]+$"}'),
    (5, '{"enum": ["a", 1, null, {"x": [1]}]}'),
    (6, '{"const": {"a": 1}}'),
    (7, '{"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3, "uniqueItems": true}'),
    (8, '{"type": "object", "properties": {"a": {"type": "string"}, "b/c": {"items": {"minimum": 3}}}, "required": ["a"], "additionalProperties": false}'),
    (9, '{"type": "object", "additionalProperties": {"type": "boolean"}}'),
    (10, '{"minimum": 3, "minLength": 3, "minItems": 3, "required": ["x"]}'),
    (11, '{"type": "boolean"}')) AS s(n, schema) \g /dev/null
SELECT is(pg_temp.place(format('SELECT tenancy.set_setting(%L, %L, %L)', 'acme', 's' || n, value)),
    coalesce('TN014 ' || place, 'accepted'), format('s%s: %s', n, value))
FROM (VALUES
    (1, 'null', NULL), (1, '{"a": [1, "x"]}', NULL), (1, '0', NULL),
    (2, '-2', NULL), (2, '5', NULL), (2, '1.0', NULL), (2, '1.5', ''), (2, '-3', ''), (2, '6', ''), (2, '"1"', ''), (2, 'null', ''), (2, 'true', ''), (2, '[1]', ''),
    (3, '0.5', NULL), (3, 'null', NULL), (3, '0.51', ''), (3, '"0"', ''),
    (4, '"ab"', NULL), (4, '"äbcd"', NULL), (4, '"a"', ''), (4, '"abcde"', ''), (4, '"aB"', ''), (4, '12', ''), (4, '"ab\n"', ''),
    (5, '"a"', NULL), (5, '1', NULL), (5, '1.0', NULL), (5, 'null', NULL), (5, '{"x": [1]}', NULL), (5, '"b"', ''), (5, '{"x": 1}', ''), (5, 'false', ''),
    (6, '{"a": 1}', NULL), (6, '{"a": 2}', ''), (6, '{"a": 1, "b": 1}', ''),
    (7, '[1]', NULL), (7, '[1, 2, 3]', NULL), (7, '[]', ''), (7, '[1, 2, 3, 4]', ''), (7, '[1, 1]', ''), (7, '[1, 1.0]', ''), (7, '[1, "2"]', '/1'), (7, '{}', ''), (7, '[[1]]', '/0'),
    (8, '{"a": "x"}', NULL), (8, '{"a": "x", "b/c": [3, "y"]}', NULL), (8, '{}', ''), (8, '{"a": 1}', '/a'), (8, '{"a": "x", "z": 1}', '/z'), (8, '{"a": "x", "b/c": [3, 2]}', '/b~1c/1'), (8, '[]', ''),
    (9, '{}', NULL), (9, '{"on": true, "off": false}', NULL), (9, '{"on": 1}', '/on'), (9, '{"a/b": {"c": 1}}', '/a~1b'),
    (10, '3', NULL), (10, '"abc"', NULL), (10, '[1, 2, 3]', NULL), (10, '{"x": 1}', NULL), (10, 'true', NULL), (10, '2', ''), (10, '"ab"', ''), (10, '[1]', ''), (10, '{"y": 1}', ''),
    (11, 'true', NULL), (11, '0', ''), (11, '"true"', '')) AS t(n, value, place);
SELECT test.refused($$SELECT tenancy.set_setting('acme', 's2', '99')$$, 'TN014', 'a refused value changes nothing');
SELECT throws_like($$SELECT tenancy.set_setting('acme', 's4', '"SECRET"')$$, 'the value is not valid', 'the message does not hold the value');

SELECT finish();
