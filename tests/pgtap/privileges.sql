-- Who may call what: the catalog against a list. A new function belongs on the list or nobody may
-- call it, and every function and table is described for the reference.
BEGIN;
SELECT plan(6);

SELECT bag_eq($$
    SELECT p.oid::regprocedure::text
      FROM pg_proc p WHERE p.pronamespace = 'tenancy'::regnamespace
       AND has_function_privilege('public', p.oid, 'EXECUTE')$$,
    $$SELECT unnest(ARRAY[
    'tenancy.advisory_xact_lock(bigint,boolean)',
    'tenancy.advisory_xact_lock(text,boolean)',
    'tenancy.channel(text)',
    'tenancy.context()',
    'tenancy.current_actor()',
    'tenancy.current_tenant()',
    'tenancy.current_tenant_external_bigint()',
    'tenancy.current_tenant_external_id()',
    'tenancy.current_tenant_external_integer()',
    'tenancy.current_tenant_id()',
    'tenancy.default_tenant_external_bigint()',
    'tenancy.default_tenant_external_id()',
    'tenancy.default_tenant_external_integer()',
    'tenancy.default_tenant_id()',
    'tenancy.enter(text,text)',
    'tenancy.enter_all(text)',
    'tenancy.exempt(regclass,text)',
    'tenancy.fill_null_tenant()',
    'tenancy.fill_tenant_column(regclass,name,name,bigint,integer)',
    'tenancy.for_each_tenant(text,text)',
    'tenancy.is_operator(text[])',
    'tenancy.notify(text,text)',
    'tenancy.pgtap_path()',
    'tenancy.protect(regclass,name,name,text,boolean,regrole,text)',
    'tenancy.protect_plan(regclass,name,name,text,boolean,regrole,text,text)',
    'tenancy.setting(text)',
    'tenancy.share(regclass,text)',
    'tenancy.switch(text)',
    'tenancy.tap_isolated(regclass,jsonb,text,regrole)',
    'tenancy.tap_line(boolean,text,text)',
    'tenancy.tap_no_findings(text)',
    'tenancy.tap_protected(regclass)',
    'tenancy.try_advisory_xact_lock(bigint,boolean)',
    'tenancy.try_advisory_xact_lock(text,boolean)',
    'tenancy.try_isolation(regclass,jsonb,text,regrole)',
    'tenancy.unexempt(regclass)',
    'tenancy.unprotect(regclass)',
    'tenancy.unshare(regclass)',
    'tenancy.why_unprotected(regclass)'])$$,
    'what everybody may call');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p
     WHERE p.pronamespace = 'tenancy'::regnamespace AND p.prosecdef
       AND coalesce(p.proconfig::text, '') NOT LIKE '%search_path=pg_catalog, pg_temp%'$$,
    'SECURITY DEFINER functions pin their search_path');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p
     WHERE p.pronamespace = 'tenancy'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL$$,
    'every function is described');

SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class c
     WHERE c.relnamespace = 'tenancy'::regnamespace AND c.relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL$$,
    'every table and view is described');

SELECT is_empty($$
    SELECT c.oid::regclass, acl.grantee::regrole, acl.privilege_type
      FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
     WHERE c.relnamespace = 'tenancy'::regnamespace AND acl.grantee <> c.relowner AND acl.privilege_type <> 'SELECT'$$,
    'nobody but the owner writes the registry');

SELECT bag_eq($$
    SELECT c.oid::regclass::text FROM pg_class c
     WHERE c.relnamespace = 'tenancy'::regnamespace AND c.relkind IN ('r', 'v') AND has_table_privilege('public', c.oid, 'SELECT')$$,
    $$VALUES ('tenancy.error_code'), ('tenancy.transition')$$,
    'what everybody may read');

SELECT * FROM finish();
ROLLBACK;
