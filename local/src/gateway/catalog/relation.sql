-- A table or view with its columns, in their order; one row without a column
-- name for a relation that has no columns.
select
    a.attname::text as name,
    format_type(a.atttypid, a.atttypmod) as type,
    coalesce(base.typname in ('json', 'jsonb'), false) as is_json,
    coalesce(base.typname = 'tsvector', false) as is_tsvector,
    case
        when a.attgenerated <> '' then null
        when a.attidentity = 'd' then (
            select format('nextval(%L)', s.oid::regclass)
            from pg_depend as d
            join pg_class as s on s.oid = d.objid and s.relkind = 'S'
            where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
                and d.refobjid = c.oid and d.refobjsubid = a.attnum and d.deptype = 'i'
        )
        else pg_get_expr(def.adbin, def.adrelid)
    end as default_sql,
    array_position(i.indkey::smallint [], a.attnum)::integer as key_position
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_type as t on t.oid = a.atttypid
left join pg_type as base on base.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
left join pg_attrdef as def on def.adrelid = c.oid and def.adnum = a.attnum
left join pg_index as i on i.indrelid = c.oid and i.indisprimary
where n.nspname = $1 and c.relname = $2
    and c.relkind in ('r', 'v', 'm', 'f', 'p') and not c.relispartition
order by a.attnum
