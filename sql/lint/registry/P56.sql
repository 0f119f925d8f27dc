-- P56: operators that an administrator trusts. A function counts while it is there and its owner is the same.
UNION ALL
SELECT * FROM (VALUES ('P56_trusted_function', 'info',
    'function %1$s, owned by %2$s, is trusted with the values of all tenants: %3$s',
    'PostgreSQL may call it on values of other tenants, in an index or in statistics. One that raises an error or a message, has an effect, or takes its time tells what it was given. Whoever may replace it is trusted with it, and so are the other operators of its operator family.',
    'SELECT proname, prosrc FROM pg_proc WHERE oid = %1$L::regprocedure; -- and what it calls: does it tell anything?',
    'SELECT tenancy.distrust_function(%1$L);',
    ARRAY['shop.similar(text,text)', 'shop_owner', 'compares, and raises nothing'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_proc'::regclass::oid, p.oid, 0, NULL::text, ARRAY[t.signature, o.name, t.reason]
    FROM tenancy.trusted_function AS t JOIN role AS o ON o.rolname = t.owner_name
    JOIN pg_proc AS p ON tenancy.function_signature(p.oid) = t.signature AND p.proowner = o.oid
) AS f ON true
