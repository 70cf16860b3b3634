-- Roles that something in this database names, but for the bootstrap superuser.
select d.classid as class,
       d.objid as oid,
       pg_get_userbyid(d.refobjid) as role,
       d.deptype = 'o' as owns
from pg_shdepend d
where d.dbid = (select oid from pg_database where datname = current_database())
  and d.refclassid = 'pg_authid'::regclass
