-- fires C06_policy_without_tenant everybody on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY everybody ON shop.note USING (current_user = 'lint_app');
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_policy_without_tenant everybody on shop.note
-- Another table's column of that name is no tenant of this one.
CREATE TABLE shop.note (text text, tenant_id uuid NOT NULL);
CREATE POLICY everybody ON shop.note USING (EXISTS (SELECT FROM shop.customers AS c WHERE c.tenant_id = current_setting('app.tenant')::uuid));
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_policy_without_tenant
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY members ON shop.note USING (tenant_id IN (SELECT c.tenant_id FROM shop.customers AS c WHERE c.email = current_user));
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_policy_without_tenant
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE FUNCTION shop.may_see(tenant uuid) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT tenant::text = current_setting(''app.tenant'')';
CREATE POLICY members ON shop.note USING (shop.may_see(tenant_id));
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_policy_without_tenant
-- Closed: nobody is permitted anything.
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY nobody ON shop.note USING (false);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_or_true tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid OR true);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_or_true
CREATE TABLE shop.note (tenant_id uuid NOT NULL, done boolean);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid AND (done OR done = true));
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_or_true
-- A restrictive policy stands against it.
CREATE POLICY tenant ON shop.orders USING (tenant_id = current_setting('app.tenant')::uuid OR true);
-- fires C06_open_without_context tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (current_setting('app.tenant', true) IS NULL OR tenant_id = current_setting('app.tenant')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_open_without_context tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, done boolean);
CREATE POLICY tenant ON shop.note AS RESTRICTIVE USING (NOT done AND (current_setting('app.tenant', true) = '' OR tenant_id = current_setting('app.tenant')::uuid));
CREATE POLICY members ON shop.note USING (true);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_open_without_context tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid OR NOT (NULLIF(current_setting('app.tenant', true), '') IS NOT NULL));
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_open_without_context
CREATE TABLE shop.note (tenant_id uuid NOT NULL, deleted_at timestamptz, owner text);
CREATE POLICY tenant ON shop.note USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid
    AND (deleted_at IS NULL OR owner = current_user) AND current_setting('app.tenant', true) IS NOT NULL);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_coalesced_tenant tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = COALESCE(NULLIF(current_setting('app.tenant', true), '')::uuid, tenant_id));
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_coalesced_tenant
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (COALESCE(text, '') <> 'hidden' AND tenant_id = current_setting('app.tenant')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_null_matches_null tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id IS NOT DISTINCT FROM NULLIF(current_setting('app.tenant', true), '')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_null_matches_null
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id IS NOT DISTINCT FROM NULLIF(current_setting('app.tenant', true), '')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_null_tenant tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id IS NULL OR tenant_id = current_setting('app.tenant')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_null_tenant
CREATE TABLE shop.note (tenant_id uuid, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid AND text IS NULL);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_no_context tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id IS NOT NULL);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_no_context
CREATE TABLE shop.note (tenant_id name NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_user);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_or_beside_tenant tenant on shop.note
CREATE TABLE shop.note (tenant_id uuid NOT NULL, is_public boolean);
CREATE POLICY tenant ON shop.note FOR SELECT USING (tenant_id = current_setting('app.tenant')::uuid OR is_public);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_or_beside_tenant
CREATE TABLE shop.note (tenant_id uuid NOT NULL, is_public boolean);
CREATE POLICY tenant ON shop.note FOR SELECT USING (tenant_id = current_setting('app.tenant')::uuid OR tenant_id = current_setting('app.parent')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- fires C06_editable_claim tenant on shop.note
CREATE SCHEMA auth;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT current_setting(''request.jwt.claims'')::jsonb';
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = (auth.jwt() -> 'user_metadata' ->> 'tenant')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_editable_claim
CREATE SCHEMA auth;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT current_setting(''request.jwt.claims'')::jsonb';
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = (auth.jwt() -> 'app_metadata' ->> 'tenant')::uuid);
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
-- silent C06_policy_without_tenant
-- A restrictive one, which narrows, and one for rows that come out of a command.
CREATE TABLE shop.note (tenant_id uuid NOT NULL, text text);
CREATE POLICY tenant ON shop.note USING (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY narrow ON shop.note AS RESTRICTIVE USING (text <> '');
CREATE POLICY form ON shop.note FOR INSERT WITH CHECK (text <> '');
ALTER TABLE shop.note ENABLE ROW LEVEL SECURITY;
