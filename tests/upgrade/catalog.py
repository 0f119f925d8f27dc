"""What an extension's SQL leaves in the catalog, as comparable lines without oids."""

from harness import Server

# One line for each property of each object. Members of the extension, and whatever else lies in its
# schema, so that an update which makes objects outside of the extension is seen too.
LINES = """
with member as (
    select classid, objid from pg_depend
     where refclassid = 'pg_extension'::regclass and deptype = 'e'
       and refobjid = (select oid from pg_extension where extname = 'tenancy')
), routine as (select p.* from pg_proc p where p.pronamespace = 'tenancy'::regnamespace),
relation as (select c.* from pg_class c where c.relnamespace = 'tenancy'::regnamespace)
select format('member %s', pg_describe_object(classid, objid, 0)) from member
union all select format('routine %s: %s', oid::regprocedure, case when prokind in ('f', 'p') then pg_get_functiondef(oid) end)
            from routine
union all select format('rights on %s: %s', oid::regprocedure, (select array_agg(a::text order by a::text) from unnest(proacl) a)) from routine
union all select format('comment on %s: %s', oid::regprocedure, obj_description(oid, 'pg_proc')) from routine
union all select format('relation %s: %s %s %s %s %s %s', oid::regclass, relkind, relpersistence, relrowsecurity, relforcerowsecurity,
                        reloptions, case when relkind = 'v' then pg_get_viewdef(oid) end) from relation
union all select format('rights on %s: %s', oid::regclass, (select array_agg(a::text order by a::text) from unnest(relacl) a)) from relation
union all select format('comment on %s: %s', oid::regclass, obj_description(oid, 'pg_class')) from relation
union all select format('column %s.%s: %s %s %s%s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                        attidentity, attgenerated, attacl, pg_get_expr(d.adbin, d.adrelid))
            from pg_attribute a join relation c on c.oid = attrelid
            left join pg_attrdef d on (d.adrelid, d.adnum) = (attrelid, attnum) where attnum > 0 and not attisdropped
union all select format('constraint %s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(k.oid))
            from pg_constraint k join relation c on c.oid = conrelid
union all select format('index %s', pg_get_indexdef(indexrelid)) from pg_index join relation c on c.oid = indrelid
union all select format('trigger %s: %s', tgenabled, pg_get_triggerdef(t.oid))
            from pg_trigger t join relation c on c.oid = tgrelid where not tgisinternal
union all select format('policy %s on %s: %s %s %s', polname, polrelid::regclass, polcmd, pg_get_expr(polqual, polrelid),
                        pg_get_expr(polwithcheck, polrelid))
            from pg_policy p join relation c on c.oid = polrelid
union all select format('event trigger %s: %s %s %s %s', evtname, evtevent, evtenabled, evttags, evtfoid::regprocedure)
            from pg_event_trigger join member on (classid, objid) = ('pg_event_trigger'::regclass, pg_event_trigger.oid)
union all select format('dumped %s: %s', t::regclass, c)
            from pg_extension, unnest(extconfig, extcondition) as u(t, c) where extname = 'tenancy'
union all select format('type %s: %s', t.oid::regtype, typtype) from pg_type t where typnamespace = 'tenancy'::regnamespace
union all select format('schema rights: %s', nspacl) from pg_namespace where nspname = 'tenancy'
"""


def catalog(server: Server, database: str) -> set[str]:
    with server.connect(dbname=database) as connection:
        connection.execute("set search_path = pg_catalog")
        return {line for (line,) in connection.execute(LINES)}


def differences(server: Server, updated: str, fresh: str) -> list[str]:
    """What the updated database has too much (+) or too little (-) of."""
    one, other = catalog(server, updated), catalog(server, fresh)
    return sorted([f"+ {line}" for line in one - other] + [f"- {line}" for line in other - one])
