-- What the sessions of the database and of its roles begin with.
select r.rolname as role,
       s.setdatabase <> 0 as here,
       split_part(entry, '=', 1) as name,
       substr(entry, strpos(entry, '=') + 1) as value
from pg_db_role_setting s
left join pg_roles r on r.oid = s.setrole
cross join lateral unnest(s.setconfig) as entry
where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
  and (s.setrole = 0) = (r.oid is null)
order by s.setdatabase, role nulls first, name
