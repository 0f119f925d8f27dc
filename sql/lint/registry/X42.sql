-- X42: what a stolen backup can do.
UNION ALL
SELECT * FROM (VALUES ('X42_symmetric_key', 'warning',
    'signing key %1$s of issuer %2$s is symmetric (HS256), and lies in every backup',
    'With HS256 whoever can check a token can make one: a dump, a copy or a superuser of this database signs tokens for every tenant the key speaks for.',
    'SELECT jwk FROM tenancy.signing_key; -- in a copy: then sign a token',
    '-- Add a key of kind EdDSA, RS256 or ES256 with tenancy.add_signing_key(), let the issuer sign with it, then SELECT tenancy.remove_signing_key(%3$L, %4$L);',
    ARRAY['2026-a', 'https://login.example', 'https://login.example', '2026-a'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, 'tenancy.signing_key'::regclass::oid, 0, k.issuer || ' ' || k.kid, ARRAY[k.kid, k.issuer, k.issuer, k.kid]
    FROM tenancy.signing_key AS k WHERE k.algorithm = 'HS256'
) AS f ON true
