-- What a failed or running concurrent build left.
select n.nspname as schema, x.relname as name, pg_get_userbyid(x.relowner) as owner
from pg_index i
join pg_class x on x.oid = i.indexrelid and x.relkind = 'i'
join pg_namespace n on n.oid = x.relnamespace
where not (i.indisvalid and i.indisready) and n.nspname !~ '^pg_'
order by 1, 2
