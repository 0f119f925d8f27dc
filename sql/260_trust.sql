-- Functions that an administrator trusts with other tenants' values, for index pushdown. C++:
-- pg_extension/src/planner.

CREATE TABLE tenancy.trusted_function (
    signature  text COLLATE "C" PRIMARY KEY,
    owner_name name NOT NULL,
    reason     text NOT NULL CHECK (reason <> ''),
    trusted_by name NOT NULL DEFAULT current_user,
    trusted_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tenancy.trusted_function IS
'Functions behind operators that an administrator trusts with the values of all tenants. Kept by name and argument types, as a dump carries them; counts only while the function belongs to the same owner.';

CREATE FUNCTION tenancy.function_signature(function regprocedure) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_function_signature';
COMMENT ON FUNCTION tenancy.function_signature(regprocedure) IS
'A function''s name with schema and argument types, whatever the search_path; NULL when there is none. Internal.';

CREATE FUNCTION tenancy.trust_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_trust_changed';
COMMENT ON FUNCTION tenancy.trust_changed() IS
'Tells all backends that plans may have to be made again. Internal.';

CREATE TRIGGER trust_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON tenancy.trusted_function
    FOR EACH STATEMENT EXECUTE FUNCTION tenancy.trust_changed();
ALTER TABLE tenancy.trusted_function ENABLE ALWAYS TRIGGER trust_changed;

-- SECURITY DEFINER: operators hold no rights on the table; what they may do is checked and recorded.
CREATE FUNCTION tenancy.trust_function(function regprocedure, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known pg_proc := (SELECT p FROM pg_proc AS p WHERE p.oid = trust_function.function);
    named text := tenancy.function_signature(trust_function.function);
BEGIN
    PERFORM tenancy.require_operator('admin');
    IF known.oid IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'there is no such function',
            HINT = 'Name it with its argument types: ''public.similar(text,text)''.';
    END IF;
    IF coalesce(btrim(trust_function.reason), '') = '' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'trust needs a reason',
            HINT = 'Say why the function tells nothing, by error, message or effect, about the values it meets.';
    END IF;
    INSERT INTO tenancy.trusted_function AS t (signature, owner_name, reason, trusted_by)
    VALUES (named, pg_get_userbyid(known.proowner), trust_function.reason, pg_get_userbyid(tenancy.outer_role()))
    ON CONFLICT ON CONSTRAINT trusted_function_pkey DO UPDATE
        SET owner_name = excluded.owner_name, reason = excluded.reason, trusted_by = excluded.trusted_by, trusted_at = now();
    PERFORM tenancy.record_event(NULL, 'trust_function', jsonb_build_object(
        'function', named, 'owner', pg_get_userbyid(known.proowner), 'reason', trust_function.reason));
END
$$;
COMMENT ON FUNCTION tenancy.trust_function(regprocedure, text) IS
'Trusts the function behind an operator with the values of all tenants: PostgreSQL may evaluate it on them in an index and in statistics, which makes queries with the operator as fast as hand-written ones. It must raise no error or message and have no effect that depends on the values. Whoever may replace the function is trusted with it, and so are the other operators of its operator family. function is written with its argument types, pg_catalog.textregexeq(text, text): without them PostgreSQL says that it "expected a left parenthesis" (22P02). Errors: 42501, 22023.';

CREATE FUNCTION tenancy.distrust_function(function text) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named text := distrust_function.function;
BEGIN
    PERFORM tenancy.require_operator('admin');
    BEGIN
        named := coalesce(tenancy.function_signature(named::regprocedure), named);
    EXCEPTION
        WHEN undefined_function OR undefined_object OR invalid_schema_name THEN
            NULL; -- it was dropped, perhaps with its schema or the type of an argument, and is called as it was
        WHEN invalid_text_representation OR syntax_error THEN
            RAISE EXCEPTION USING ERRCODE = '22P02', MESSAGE = format('"%s" is not a function with its argument types', named),
                HINT = 'Write it with its argument types: pg_catalog.textregexeq(text, text).';
    END;
    DELETE FROM tenancy.trusted_function AS t WHERE t.signature = named;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM tenancy.record_event(NULL, 'distrust_function', jsonb_build_object('function', named));
    RETURN true;
END
$$;
COMMENT ON FUNCTION tenancy.distrust_function(text) IS
'Takes back what tenancy.trust_function gave to a function, written with its argument types, or, when it was dropped since, as tenancy.trusted_function shows it; false when there was nothing. Plans made with it are dropped. Errors: 22P02 without argument types, 42501.';
