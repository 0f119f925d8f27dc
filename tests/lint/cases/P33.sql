-- fires P33_known_hole lint_ (server 15.19)
-- fires P33_known_hole lint_ (server 16.4)
-- fires P33_known_hole lint_ (server 18.6)
-- silent P33_known_hole (server 15.20)
-- silent P33_known_hole (server 17.12)
-- silent P33_known_hole (server 18.7)
-- fires P33_unmended_view pg_catalog.pg_stats_ext
SET LOCAL allow_system_table_mods = on;
DO $$
BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_stats_ext AS '
        || replace(pg_get_viewdef('pg_stats_ext'), 'pg_has_role(c.relowner, ''USAGE''::text)', 'true');
END
$$;
RESET allow_system_table_mods;
-- silent P33_unmended_view
CREATE VIEW shop.pg_stats_ext AS SELECT 1 AS x;
