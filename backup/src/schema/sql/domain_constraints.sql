-- Apart from their domains: a check may call a function that takes the domain.
-- Only the domain is an extension's member, not its constraints. One that is not
-- valid may be broken by rows, and follows them.
select 'pg_constraint'::regclass::oid as class,
       c.oid,
       case when c.convalidated then 'domain constraint' else 'constraint' end as kind,
       n.nspname as schema,
       t.typname || ' ' || c.conname as name,
       pg_get_userbyid(t.typowner) as owner,
       format(E'alter domain %I.%I add constraint %I %s;\n',
              n.nspname, t.typname, c.conname, pg_get_constraintdef(c.oid)) as sql
from pg_constraint c
join pg_type t on t.oid = c.contypid
join pg_namespace n on n.oid = t.typnamespace
where c.contype = 'c' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
      select from pg_depend d
      where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
