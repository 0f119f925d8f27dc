-- fires C09_unprotected_table shop.note
CREATE TABLE shop.note (tenant_id uuid, text text);
-- silent C09_unprotected_table
CREATE TABLE shop.note (account uuid, text text);
-- silent C09_unprotected_table (extension)
CREATE TABLE shop.note (tenant_id uuid, text text);
SELECT tenancy.exempt('shop.note', 'workers claim jobs of all tenants');
