-- Tables of extensions whose rows the extension wants kept.
select e.extname as extension, c.oid::regclass::text as name
from pg_extension e
cross join lateral unnest(e.extconfig) as t (oid)
join pg_class c on c.oid = t.oid and c.relkind in ('r', 'p')
order by 1, 2
