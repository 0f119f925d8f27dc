-- A daemon in SQL: claims what is due in a store and reports that it is as it was asked to be, or
-- what else is to have become of it. Needs operators.sql; runs as whoever calls it.
CREATE FUNCTION test.slug(tenant uuid) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
    SELECT t.slug FROM tenancy.tenant AS t WHERE t.id = $1
$$;

CREATE FUNCTION test.claim(store text, most integer DEFAULT 64, lease interval DEFAULT '1 minute', daemon text DEFAULT 'd1')
RETURNS jsonb LANGUAGE sql AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM tenancy.claim_work(daemon, 1, store, most, lease) AS c
$$;

-- The report on a claim: done, or with what `more` says otherwise.
CREATE FUNCTION test.result(claim jsonb, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('tenant', claim -> 'tenant_id', 'token', claim -> 'token', 'generation', claim -> 'generation',
        'store_generation', claim -> 'store_generation', 'outcome', 'converged', 'present', claim -> 'present',
        'state', CASE WHEN more ->> 'outcome' IN ('retry', 'parked') THEN '""' ELSE claim -> 'state' END, 'reason', 'Converged', 'message', '') || more
$$;

CREATE FUNCTION test.report(store text, claims jsonb, more jsonb DEFAULT '{}', daemon text DEFAULT 'd1')
RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(r.accepted::text, ',' ORDER BY r.token) FROM tenancy.report_work(daemon, 1, store,
        (SELECT coalesce(jsonb_agg(test.result(c, more)), '[]') FROM jsonb_array_elements(claims) AS c)) AS r
$$;

-- "slug state generation" of each claim, with "gone" where the tenant is not to be present.
CREATE FUNCTION test.named(claims jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', test.slug((c ->> 'tenant_id')::uuid), c ->> 'state', c ->> 'generation',
                                CASE WHEN c -> 'present' = 'false' THEN 'gone' END), ', ' ORDER BY n)
    FROM jsonb_array_elements(claims) WITH ORDINALITY AS e(c, n)
$$;

-- Claims and reports; says what it did.
CREATE FUNCTION test.work(store text, more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    claims jsonb := test.claim(work.store);
BEGIN
    PERFORM test.report(work.store, claims, work.more);
    RETURN test.named(claims);
END
$$;

-- As if the leases had run out.
CREATE FUNCTION test.expire() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE tenancy.tenant_store SET lease_until = clock_timestamp() - interval '1 second', due_at = clock_timestamp() - interval '1 second'
    WHERE lease_token IS NOT NULL
$$;

-- Until nothing is due in any of the stores.
CREATE FUNCTION test.settle(VARIADIC stores text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    idle boolean := false;
    store text;
BEGIN
    WHILE NOT idle LOOP
        idle := true;
        FOREACH store IN ARRAY stores LOOP
            idle := test.work(store) IS NULL AND idle;
        END LOOP;
    END LOOP;
END
$$;
