select 'pg_event_trigger'::regclass::oid as class,
       e.oid,
       'event trigger' as kind,
       e.evtname as name,
       pg_get_userbyid(e.evtowner) as owner,
       n.nspname as calls,
       format(E'create event trigger %I on %s%s execute function %I.%I();\n',
              e.evtname, e.evtevent,
              (select ' when tag in (' || string_agg(quote_literal(tag), ', ') || ')' from unnest(e.evttags) as tag),
              n.nspname, p.proname)
       || case e.evtenabled when 'O' then '' else format(
              E'alter event trigger %I %s;\n', e.evtname,
              case e.evtenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end)
          end as sql
from pg_event_trigger e
join pg_proc p on p.oid = e.evtfoid
join pg_namespace n on n.oid = p.pronamespace
