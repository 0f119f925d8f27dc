-- Ends every statement that changes a row of another tenant than the context's, in whatever way it came to it.
CREATE FUNCTION watch_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.tenant_id <> tenancy.current_tenant_id() OR NEW.tenant_id <> tenancy.current_tenant_id() THEN
        RAISE EXCEPTION 'a row of another tenant was changed' USING ERRCODE = 'ZZ001';
    END IF;
    RETURN NULL;
END $$;
DO $$
DECLARE
    protected text;
BEGIN
    FOREACH protected IN ARRAY
        ARRAY['bots', 'contacts', 'conversations', 'messages', 'message_attachments', 'events', 'samples', 'readings']
    LOOP
        EXECUTE format('CREATE TRIGGER watch AFTER INSERT OR UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION watch_rows()', protected);
    END LOOP;
END $$;
