-- Functions, window functions and procedures, as the server prints them. Those
-- that a range type brings along depend on it internally. Where a function needs
-- itself, its signature is made first.
select 'pg_proc'::regclass::oid as class,
       p.oid,
       case p.prokind when 'p' then 'procedure' else 'function' end as kind,
       n.nspname as schema,
       format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) as name,
       pg_get_userbyid(p.proowner) as owner,
       format('%s %I.%I(%s)',
              case p.prokind when 'p' then 'procedure' else 'function' end,
              n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as address,
       rtrim(pg_get_functiondef(p.oid), E' \n') || E';\n' as sql,
       case p.prokind when 'f' then format(
           E'create function %I.%I(%s) returns %s language plpgsql as ''begin end'';\n',
           n.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
           pg_get_function_result(p.oid)) end as beginning
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where p.prokind <> 'a'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
      select from pg_depend d
      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
