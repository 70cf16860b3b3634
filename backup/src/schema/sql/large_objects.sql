-- Large objects, and whether the role of this session may read them.
select l.oid, pg_get_userbyid(l.lomowner) as owner,
       pg_has_role(l.lomowner, 'usage') or exists (
           select from aclexplode(l.lomacl) a
           where a.privilege_type = 'SELECT' and (a.grantee = 0 or pg_has_role(a.grantee, 'usage'))
       ) as readable
from pg_largeobject_metadata l
order by l.oid
