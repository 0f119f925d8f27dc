-- Every change of what backends cache of the registry tells them so. One message for each statement
-- that changes something (src/context/registry.cpp). ENABLE ALWAYS: a replica's backends cache too.
DO $signals$
DECLARE
    watched text;
BEGIN
    FOREACH watched IN ARRAY ARRAY['tier', 'tenant', 'tenant_alias', 'access_grant', 'signing_key', 'signing_key_tenant',
        'token_revocation', 'operator', 'bypass_role']
    LOOP
        EXECUTE format('CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON tenancy.%I
            FOR EACH STATEMENT EXECUTE FUNCTION tenancy.registry_changed()', watched);
        EXECUTE format('ALTER TABLE tenancy.%I ENABLE ALWAYS TRIGGER registry_changed', watched);
    END LOOP;
END
$signals$;
