),
-- Findings in words; a rule that finds nothing has one row without object. The example columns are the
-- rule's own, for whoever describes the rules.
told AS (
    SELECT f.rule, coalesce(f.other_severity, f.severity) AS severity, o.type AS object_type, o.identity AS object,
           format(f.message, VARIADIC coalesce(f.arguments, f.example)) AS message, f.why,
           format(f.demonstration, VARIADIC coalesce(f.arguments, f.example)) AS demonstration, format(f.fix, VARIADIC coalesce(f.arguments, f.example)) AS fix,
           left(encode(sha256(convert_to(concat_ws(E'\n', f.rule, o.type, o.identity, f.detail), 'UTF8')), 'hex'), 16) AS fingerprint,
           f.detail, f.severity AS rule_severity, format(f.message, VARIADIC f.example) AS example_message,
           format(f.demonstration, VARIADIC f.example) AS example_demonstration, format(f.fix, VARIADIC f.example) AS example_fix
    FROM finding AS f LEFT JOIN LATERAL pg_identify_object(f.class, f.object, f.part) AS o ON f.object IS NOT NULL
)
