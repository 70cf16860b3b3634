-- Foreign-data wrappers, servers and user mappings, without options that may be
-- secret. Only a superuser may own a wrapper, so it belongs to whoever is let make it.
select 'pg_foreign_data_wrapper'::regclass::oid as class,
       f.oid,
       'foreign-data wrapper' as kind,
       f.fdwname as name,
       pg_get_userbyid(f.fdwowner) as owner,
       null as address,
       format(E'create foreign data wrapper %I%s%s%s;\n', f.fdwname,
              coalesce(' handler ' || nullif(f.fdwhandler, 0)::regproc, ''),
              coalesce(' validator ' || nullif(f.fdwvalidator, 0)::regproc, ''),
              coalesce(' options (' || shown.list || ')', '')) as sql
from pg_foreign_data_wrapper f
cross join lateral (
    select string_agg(format('%I %L', option_name, option_value), ', ') as list
    from pg_options_to_table(f.fdwoptions) where option_name !~* :'secret_options'
) as shown
union all
select 'pg_foreign_server'::regclass::oid,
       s.oid,
       'server',
       s.srvname,
       pg_get_userbyid(s.srvowner),
       format('server %I', s.srvname),
       format(E'create server %I%s%s foreign data wrapper %I%s;\n', s.srvname,
              coalesce(' type ' || quote_literal(s.srvtype), ''),
              coalesce(' version ' || quote_literal(s.srvversion), ''),
              f.fdwname,
              coalesce(' options (' || shown.list || ')', ''))
from pg_foreign_server s
join pg_foreign_data_wrapper f on f.oid = s.srvfdw
cross join lateral (
    select string_agg(format('%I %L', option_name, option_value), ', ') as list
    from pg_options_to_table(s.srvoptions) where option_name !~* :'secret_options'
) as shown
union all
select 'pg_user_mapping'::regclass::oid,
       u.umid,
       'user mapping',
       format('for %s on %s', u.usename, u.srvname),
       pg_get_userbyid(s.srvowner),
       null,
       format(E'create user mapping for %s server %I%s;\n',
              case u.umuser when 0 then 'public' else quote_ident(u.usename) end, u.srvname,
              coalesce(' options (' || shown.list || ')', ''))
from pg_user_mappings u
join pg_foreign_server s on s.oid = u.srvid
cross join lateral (
    select string_agg(format('%I %L', option_name, option_value), ', ') as list
    from pg_options_to_table(u.umoptions) where option_name !~* :'secret_options'
) as shown
