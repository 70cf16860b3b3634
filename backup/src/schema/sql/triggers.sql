-- Triggers and rules. A trigger that a partition has from its parent comes with
-- the parent's; only its state may be its own (see the additions).
select 'pg_trigger'::regclass::oid as class,
       g.oid,
       'trigger' as kind,
       n.nspname as schema,
       c.relname || ' ' || g.tgname as name,
       pg_get_userbyid(c.relowner) as owner,
       c.oid as relation,
       n.nspname as table_schema,
       c.relname as table_name,
       pn.nspname as calls,
       pg_get_triggerdef(g.oid) || E';\n'
       || case when g.tgenabled = 'O' then '' else format(
              E'alter table %I.%I %s trigger %I;\n', n.nspname, c.relname,
              case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end,
              g.tgname) end as sql
from pg_trigger g
join pg_class c on c.oid = g.tgrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_proc p on p.oid = g.tgfoid
join pg_namespace pn on pn.oid = p.pronamespace
where not g.tgisinternal and g.tgparentid = 0 and c.relpersistence <> 't'
union all
select 'pg_rewrite'::regclass::oid,
       r.oid,
       'rule',
       n.nspname,
       c.relname || ' ' || r.rulename,
       pg_get_userbyid(c.relowner),
       c.oid,
       n.nspname,
       c.relname,
       null,
       pg_get_ruledef(r.oid) || E'\n'
       || case when r.ev_enabled = 'O' then '' else format(
              E'alter table %I.%I %s rule %I;\n', n.nspname, c.relname,
              case r.ev_enabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end,
              r.rulename) end
from pg_rewrite r
join pg_class c on c.oid = r.ev_class
join pg_namespace n on n.oid = c.relnamespace
-- The rule of that name is a view's query; on a table it is like any other.
where (r.rulename <> '_RETURN' or c.relkind not in ('v', 'm')) and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
