-- fires O22_subselect members on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY members ON shop.note USING (tenant_id IN (SELECT c.tenant_id FROM shop.customers AS c WHERE c.email = current_user));
-- silent O22_subselect
-- A sub-select of nothing is the way to have a function called once.
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY members ON shop.note USING (tenant_id = (SELECT current_setting('app.tenant')::uuid) AND extract(year FROM now()) > 2000);
-- fires O22_forgeable_membership members on shop.note
CREATE TABLE shop.membership (member text, account uuid);
GRANT INSERT ON shop.membership TO lint_app;
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY members ON shop.note USING (tenant_id IN (SELECT m.account FROM shop.membership AS m WHERE m.member = current_user));
-- silent O22_forgeable_membership
CREATE TABLE shop.membership (member text, account uuid);
GRANT SELECT ON shop.membership TO lint_app;
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY members ON shop.note USING (tenant_id IN (SELECT m.account FROM shop.membership AS m WHERE m.member = current_user));
-- silent O22_forgeable_membership
CREATE TABLE shop.membership (member text, account uuid);
GRANT INSERT ON shop.membership TO lint_app;
ALTER TABLE shop.membership ENABLE ROW LEVEL SECURITY;
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
GRANT INSERT ON shop.note TO lint_app;
CREATE POLICY members ON shop.note USING (tenant_id IN (SELECT m.account FROM shop.membership AS m WHERE m.member = current_user));
