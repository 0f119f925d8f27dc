-- The isolation linter as operators call it, and which of its findings are accepted for a while.

CREATE TABLE tenancy.finding_suppression (
    rule          text COLLATE "C" NOT NULL,
    object        text COLLATE "C" NOT NULL,
    reason        text NOT NULL CHECK (reason <> ''),
    valid_until   timestamptz NOT NULL,
    suppressed_by name NOT NULL DEFAULT current_user,
    suppressed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rule, object)
);
COMMENT ON TABLE tenancy.finding_suppression IS
'Findings of the isolation linter that somebody accepts until a time: the rule, the object as tenancy.check_isolation() names it, and why.';

-- SECURITY DEFINER: settings of the server that only superusers read are among the facts.
CREATE FUNCTION tenancy.check_isolation(include_suppressed boolean DEFAULT false)
RETURNS TABLE (rule text, severity text, object_type text, object text, message text, why text, demonstration text, fix text,
               fingerprint text, suppressed_until timestamptz, suppressed_because text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'auditor');
    RETURN QUERY
        SELECT l.rule, l.severity, l.object_type, l.object, l.message, l.why, l.demonstration, l.fix, l.fingerprint,
               s.valid_until, s.reason
        FROM tenancy.isolation_lint() AS l
        LEFT JOIN tenancy.finding_suppression AS s
            ON s.rule = l.rule AND s.object = l.object AND s.valid_until > now()
        WHERE l.object IS NOT NULL AND (s.rule IS NULL OR check_isolation.include_suppressed)
        ORDER BY array_position(ARRAY['error', 'warning', 'info'], l.severity), l.rule, l.object, l.detail;
END
$$;
COMMENT ON FUNCTION tenancy.check_isolation(boolean) IS
'The isolation linter: everything in the catalog and the registry of this database by which one tenant could come to see or change another''s rows. rule begins with the id of the leak, severity is error, warning or info, object_type and object name the object as pg_identify_object does, fix is SQL that mends it, fingerprint stays the same while the finding does. Rows come with errors first, then warnings, then infos, each by rule and object. Findings that tenancy.suppress_finding accepted are left out, or, with include_suppressed, say until when and why. For operators of kind admin and auditor.';

CREATE FUNCTION tenancy.isolation_rules()
RETURNS TABLE (rule text, severity text, message text, why text, demonstration text, fix text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER -- as check_isolation
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_any_operator('admin', 'auditor');
    RETURN QUERY
        SELECT DISTINCT ON (l.rule) l.rule, l.rule_severity, l.example_message, l.why, l.example_demonstration, l.example_fix
        FROM tenancy.isolation_lint() AS l ORDER BY l.rule;
END
$$;
COMMENT ON FUNCTION tenancy.isolation_rules() IS
'Every rule of tenancy.check_isolation() with an example, whether or not it finds anything here. severity is the usual one. For operators of kind admin and auditor.';

CREATE FUNCTION tenancy.suppress_finding(rule text, object text, reason text, until timestamptz)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- writes the record
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_now boolean; -- NULL: there is no such rule
BEGIN
    PERFORM tenancy.require_operator('admin');
    SELECT bool_or(l.object IS NOT DISTINCT FROM suppress_finding.object) INTO found_now
    FROM tenancy.isolation_lint() AS l WHERE l.rule = suppress_finding.rule;
    IF found_now IS NULL THEN
        RAISE EXCEPTION 'there is no rule %', coalesce(quote_literal(left(suppress_finding.rule, 60)), 'NULL')
            USING ERRCODE = '42704', HINT = 'tenancy.isolation_rules() lists them.';
    ELSIF coalesce(suppress_finding.object, '') = '' THEN
        RAISE EXCEPTION 'a suppression names one object' USING ERRCODE = '22023',
            HINT = 'Write it as tenancy.check_isolation() does, such as shop.orders.';
    ELSIF coalesce(btrim(suppress_finding.reason), '') = '' THEN
        RAISE EXCEPTION 'a suppression needs a reason' USING ERRCODE = '22023',
            HINT = 'Say why the finding is acceptable, for whoever audits this.';
    ELSIF suppress_finding.until IS NULL OR suppress_finding.until <= now() OR suppress_finding.until = 'infinity' THEN
        RAISE EXCEPTION 'until must be a finite time to come' USING ERRCODE = '22023',
            HINT = 'Then the finding counts again and somebody looks at it once more.';
    END IF;
    INSERT INTO tenancy.finding_suppression AS s (rule, object, reason, valid_until, suppressed_by)
    VALUES (suppress_finding.rule, suppress_finding.object, suppress_finding.reason, suppress_finding.until,
            pg_get_userbyid(tenancy.outer_role()))
    ON CONFLICT ON CONSTRAINT finding_suppression_pkey DO UPDATE
    SET reason = excluded.reason, valid_until = excluded.valid_until, suppressed_by = excluded.suppressed_by, suppressed_at = now();
    PERFORM tenancy.record_event(NULL, 'suppress_finding', jsonb_build_object(
        'rule', suppress_finding.rule, 'object', suppress_finding.object, 'valid_until', suppress_finding.until,
        'reason', suppress_finding.reason));
    IF NOT found_now THEN
        RAISE NOTICE 'no finding of % is about % now', suppress_finding.rule, quote_literal(left(suppress_finding.object, 200))
            USING HINT = 'Name the object as tenancy.check_isolation() does, such as shop.orders.';
    END IF;
END
$$;
COMMENT ON FUNCTION tenancy.suppress_finding(text, text, text, timestamptz) IS
'Leaves the findings of a rule about one object, named as tenancy.check_isolation() names it, out of its result until a time; a notice says where no such finding is there now. Then they count again, and the suppression itself is a finding. Replaces an earlier suppression of the same. Errors: 42501, 42704 no such rule, 22023.';

CREATE FUNCTION tenancy.unsuppress_finding(rule text, object text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER -- writes the record
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenancy.require_operator('admin');
    DELETE FROM tenancy.finding_suppression AS s
    WHERE s.rule = unsuppress_finding.rule AND s.object = unsuppress_finding.object;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM tenancy.record_event(NULL, 'unsuppress_finding',
        jsonb_build_object('rule', unsuppress_finding.rule, 'object', unsuppress_finding.object));
    RETURN true;
END
$$;
COMMENT ON FUNCTION tenancy.unsuppress_finding(text, text) IS
'Takes back what tenancy.suppress_finding accepted; false when there was nothing. Errors: 42501.';
