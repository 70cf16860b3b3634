-- Everything that the other queries do not read. `schema` and `owner` tell
-- whose it is; what has neither belongs to whoever made it.
with named (class, oid, schema, owner, what, name) as (
    select 'pg_class'::regclass::oid, c.oid, n.nspname, c.relowner,
           case c.relkind when 'r' then 'table' when 'p' then 'table' when 'v' then 'view'
                when 'm' then 'materialized view' when 'S' then 'sequence'
                when 'f' then 'foreign table' when 'c' then 'type'
                when 'i' then 'index' when 'I' then 'index' else 'relation' end,
           c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relpersistence <> 't'
    union all
    select 'pg_class'::regclass::oid, c.oid, n.nspname, c.relowner, 'column', c.relname || '.' || a.attname
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where a.attnum > 0 and not a.attisdropped
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select 'pg_type'::regclass::oid, t.oid, n.nspname, t.typowner, 'type', t.typname
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select 'pg_proc'::regclass::oid, p.oid, n.nspname, p.proowner, 'function', p.proname
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select 'pg_constraint'::regclass::oid, k.oid, n.nspname, coalesce(c.relowner, t.typowner),
           'constraint', k.conname
    from pg_constraint k
    join pg_namespace n on n.oid = k.connamespace
    left join pg_class c on c.oid = k.conrelid
    left join pg_type t on t.oid = k.contypid
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select 'pg_trigger'::regclass::oid, g.oid, n.nspname, c.relowner, 'trigger', g.tgname
    from pg_trigger g
    join pg_class c on c.oid = g.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    where not g.tgisinternal
    union all
    select 'pg_policy'::regclass::oid, p.oid, n.nspname, c.relowner, 'policy', p.polname
    from pg_policy p
    join pg_class c on c.oid = p.polrelid
    join pg_namespace n on n.oid = c.relnamespace
    union all
    select 'pg_namespace'::regclass::oid, n.oid, n.nspname, n.nspowner, 'schema', n.nspname
    from pg_namespace n
    union all
    select 'pg_publication'::regclass::oid, p.oid, null, p.pubowner, 'publication', p.pubname
    from pg_publication p
    union all
    select 'pg_event_trigger'::regclass::oid, e.oid, null, e.evtowner, 'event trigger', e.evtname
    from pg_event_trigger e
    union all
    select 'pg_foreign_server'::regclass::oid, s.oid, null, s.srvowner, 'server', s.srvname
    from pg_foreign_server s
),
unknown (class, oid, schema, owner, what, name) as (
    -- Names that could steer the program that reads the text.
    select class, oid, schema, owner, what || ' with a control character in its name', name
    from named where name ~ '[[:cntrl:]]'
    union all
    select 'pg_class'::regclass::oid, c.oid, null, c.relowner,
           'relation among the server''s own', format('%s.%s', n.nspname, c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('pg_catalog', 'information_schema') and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
    union all
    select 'pg_proc'::regclass::oid, p.oid, null, p.proowner,
           'function among the server''s own', p.oid::regprocedure::text
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('pg_catalog', 'information_schema')
    union all
    select 'pg_class'::regclass::oid, c.oid, n.nspname, c.relowner, 'generated column', c.relname || '.' || a.attname
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where a.attgenerated not in ('', 's', 'v') and n.nspname !~ '^pg_'
    union all
    select n.class, n.oid, n.schema, n.owner,
           case when t.typtype = 'r' then 'range type with a canonical function'
                when t.typtype = 'b' then 'base type'
                else 'pseudo-type or shell type' end,
           n.name
    from named n join pg_type t on n.class = 'pg_type'::regclass and t.oid = n.oid
    where not exists (select from pg_type e where e.typarray = t.oid)
      and (t.typtype not in ('c', 'd', 'e', 'r', 'm')
           or exists (select from pg_range r where r.rngtypid = t.oid and r.rngcanonical <> 0))
    union all
    select n.class, n.oid, n.schema, n.owner, 'function in language ' || l.lanname, n.name
    from named n
    join pg_proc p on n.class = 'pg_proc'::regclass and p.oid = n.oid
    join pg_language l on l.oid = p.prolang
    where l.lanname in ('c', 'internal') and p.prokind <> 'a'
      and not exists (
          select from pg_depend d
          where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
    union all
    select n.class, n.oid, n.schema, n.owner, 'constraint of kind ' || k.contype::text, n.name
    from named n
    join pg_constraint k on n.class = 'pg_constraint'::regclass and k.oid = n.oid
    where k.contype not in ('c', 'f', 'p', 'u', 'x', 't', 'n')
    union all
    select 'pg_opclass'::regclass::oid, o.oid, n.nspname, o.opcowner, 'operator class',
           o.opcname || ' using ' || a.amname
    from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace join pg_am a on a.oid = o.opcmethod
    where n.nspname !~ '^pg_'
    union all
    select 'pg_opfamily'::regclass::oid, o.oid, n.nspname, o.opfowner, 'operator family',
           o.opfname || ' using ' || a.amname
    from pg_opfamily o join pg_namespace n on n.oid = o.opfnamespace join pg_am a on a.oid = o.opfmethod
    where n.nspname !~ '^pg_'
    union all
    select 'pg_conversion'::regclass::oid, c.oid, n.nspname, c.conowner, 'conversion', c.conname
    from pg_conversion c join pg_namespace n on n.oid = c.connamespace where n.nspname !~ '^pg_'
    union all
    select 'pg_ts_parser'::regclass::oid, p.oid, n.nspname, null::oid, 'text search parser', p.prsname
    from pg_ts_parser p join pg_namespace n on n.oid = p.prsnamespace where n.nspname !~ '^pg_'
    union all
    select 'pg_ts_template'::regclass::oid, t.oid, n.nspname, null::oid, 'text search template', t.tmplname
    from pg_ts_template t join pg_namespace n on n.oid = t.tmplnamespace where n.nspname !~ '^pg_'
    union all
    select 'pg_language'::regclass::oid, l.oid, null, l.lanowner, 'language', l.lanname
    from pg_language l where l.oid >= 16384
    union all
    select 'pg_am'::regclass::oid, a.oid, null, null::oid, 'access method', a.amname
    from pg_am a where a.oid >= 16384
    union all
    select 'pg_transform'::regclass::oid, t.oid, null, null::oid, 'transform',
           t.trftype::regtype || ' of ' || l.lanname
    from pg_transform t join pg_language l on l.oid = t.trflang where t.oid >= 16384
    union all
    select 'pg_subscription'::regclass::oid, s.oid, null, s.subowner, 'subscription', s.subname
    from pg_subscription s
    where s.subdbid = (select oid from pg_database where datname = current_database())
    union all
    select s.classoid, s.objoid, o.schema, null::oid, 'security label on ' || o.type, o.identity
    from pg_seclabel s
    cross join lateral pg_identify_object(s.classoid, s.objoid, s.objsubid) as o
)
select distinct class, oid, schema, coalesce(pg_get_userbyid(owner), '') as owner, what,
       -- Overloads are told apart, so that each can be accepted by its own name.
       name || case when class = 'pg_proc'::regclass and schema is not null
                    then format('(%s)', pg_get_function_identity_arguments(oid)) else '' end as name
from unknown
where oid >= 16384
order by what, schema, name
