-- What holds for a role in every database comes first, so that what holds in
-- this one is set last.
select
    split_part(setting, '=', 1) as name,
    substr(setting, strpos(setting, '=') + 1) as value
from pg_db_role_setting as s
join pg_roles as r on r.oid = s.setrole
cross join unnest(s.setconfig) as setting
where r.rolname = $1
    and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
order by s.setdatabase
