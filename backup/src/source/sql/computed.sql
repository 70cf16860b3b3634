-- What the server computes and COPY leaves out, with the columns that prove it: of a
-- materialised view all of them; of a table those that are generated and stored, with
-- its key, or with every other where it has none.
select c.oid, n.nspname::text as schema, c.relname::text as name, c.relkind = 'm' as is_view,
    array(
        select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated <> 'v'
            and (c.relkind = 'm' or a.attgenerated = 's'
                or key.indkey is null or a.attnum = any (key.indkey))
        order by a.attnum
    ) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_index key on key.indrelid = c.oid and key.indisprimary
where c.relpersistence <> 't' and (
    c.relkind = 'm' and c.relispopulated
    or c.relkind = 'r' and exists (
        select from pg_attribute a
        where a.attrelid = c.oid and a.attgenerated = 's' and not a.attisdropped
    )
)
order by n.nspname collate "C", c.relname collate "C"
