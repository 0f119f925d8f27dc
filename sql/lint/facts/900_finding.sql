-- What each rule finds: its own columns, then those of one finding. detail tells findings of one rule about one
-- object apart.
finding AS (
    SELECT NULL::text AS rule, NULL::text AS severity, NULL::text AS message, NULL::text AS why, NULL::text AS demonstration,
           NULL::text AS fix, NULL::text[] AS example, NULL::text AS other_severity,
           NULL::oid AS class, NULL::oid AS object, NULL::integer AS part, NULL::text AS detail, NULL::text[] AS arguments
    WHERE false
