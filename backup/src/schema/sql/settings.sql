-- Settings that the database gives its sessions, by name: a value may be secret.
select coalesce(r.rolname, '') as role, split_part(entry, '=', 1) as setting
from pg_db_role_setting s
left join pg_roles r on r.oid = s.setrole
cross join lateral unnest(s.setconfig) as entry
where s.setdatabase = (select oid from pg_database where datname = current_database())
order by 1, 2
