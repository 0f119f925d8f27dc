-- tenancy comes to the database: the operator, the daemon, the tenants under the ids that the tables use
-- already, and who may work for them. Run as superuser.
CREATE EXTENSION tenancy;

GRANT tenancy_admin TO chat_operator;
SELECT tenancy.add_operator('chat_operator', 'admin');
GRANT tenancy_sidecar TO tenancyd;
SELECT tenancy.add_operator('tenancyd', 'sidecar');

SELECT tenancy.provision('acme', 'Acme Corporation', id => 'ac3e0000-0000-4000-8000-000000000001');
SELECT tenancy.provision('globex', 'Globex', id => '910be000-0000-4000-8000-000000000002');
SELECT tenancy.provision('initech', 'Initech', id => '171ec000-0000-4000-8000-000000000003');

-- chat_app: a backend that is trusted to say for whom it works, any one tenant in each transaction.
SELECT tenancy.grant_access('chat_app', '*', reason => 'the demo''s backend');

-- chat_api has no grant: it works for the tenant that a signed token names. psql of PostgreSQL 15
-- cannot send bind parameters, so tokens in the text of a statement are allowed for it.
SELECT tenancy.add_signing_key('https://login.example', 'key-1', :'jwk', 'chat', ARRAY['*']);
ALTER ROLE chat_api SET tenancy.literal_tokens = on;
