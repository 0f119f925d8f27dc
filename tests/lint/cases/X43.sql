-- fires X43_tenant_in_a_name tenant_acme (extension)
SELECT tenancy.provision('acme');
CREATE SCHEMA tenant_acme;
-- fires X43_tenant_in_a_name acme_app (extension)
SELECT tenancy.provision('acme');
CREATE ROLE acme_app;
-- silent X43_tenant_in_a_name (extension)
SELECT tenancy.provision('acme');
CREATE SCHEMA acmes;
-- silent X43_tenant_in_a_name (extension)
SELECT tenancy.provision('app'); -- too short to tell from a word
CREATE SCHEMA app;
