-- What is not as it was although its object is in the backup. A gap has to be made
-- good by hand.
with holder (class, oid, schema, owner, what, how, options) as (
    select 'pg_foreign_data_wrapper'::regclass::oid, f.oid, null::name, f.fdwowner,
           'foreign-data wrapper ' || f.fdwname, format('alter foreign data wrapper %I', f.fdwname), f.fdwoptions
    from pg_foreign_data_wrapper f
    union all
    select 'pg_foreign_server'::regclass::oid, s.oid, null, s.srvowner,
           'server ' || s.srvname, format('alter server %I', s.srvname), s.srvoptions
    from pg_foreign_server s
    union all
    select 'pg_foreign_server'::regclass::oid, s.oid, null, s.srvowner,
           format('user mapping for %s on %s', u.usename, u.srvname),
           format('alter user mapping for %s server %I',
                  case u.umuser when 0 then 'public' else quote_ident(u.usename) end, u.srvname),
           u.umoptions
    from pg_user_mappings u join pg_foreign_server s on s.oid = u.srvid
    union all
    select 'pg_class'::regclass::oid, c.oid, n.nspname, c.relowner,
           format('foreign table %s.%s', n.nspname, c.relname),
           format('alter foreign table %I.%I', n.nspname, c.relname), f.ftoptions
    from pg_foreign_table f
    join pg_class c on c.oid = f.ftrelid
    join pg_namespace n on n.oid = c.relnamespace
),
remark (class, oid, schema, owner, gap, what, why) as (
    select h.class, h.oid, h.schema, h.owner, true, format('option %s of %s', o.option_name, h.what),
           format('it may be secret; set it again: %s options (add %I ...)', h.how, o.option_name)
    from holder h cross join lateral pg_options_to_table(h.options) as o
    where o.option_name ~* :'secret_options'
    union all
    select 'pg_foreign_server'::regclass::oid, s.oid, null, s.srvowner, true,
           format('options of user mapping for %s on %s', u.usename, u.srvname),
           'the role of the backup may not see whether there are any'
    from pg_user_mappings u join pg_foreign_server s on s.oid = u.srvid
    where u.umoptions is null and not pg_has_role(s.srvowner, 'usage')
    union all
    select 'pg_class'::regclass::oid, c.oid, n.nspname, c.relowner, false,
           format('rows of %s.%s', n.nspname, c.relname), 'they lie on another server'
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'f'
    union all
    select 'pg_class'::regclass::oid, c.oid, n.nspname, c.relowner, true,
           format('access method %s of %s.%s', m.amname, n.nspname, c.relname),
           'no extension makes it; the rows come back in a table of the server''s own kind'
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_am m on m.oid = c.relam
    where c.relkind in ('r', 'p', 'm') and m.oid >= 16384
      and not exists (
          select from pg_depend d
          where d.classid = 'pg_am'::regclass and d.objid = m.oid and d.deptype = 'e')
    union all
    select 'pg_class'::regclass::oid, c.oid, n.nspname, c.relowner, false,
           format('tablespace %s of %s.%s', t.spcname, n.nspname, c.relname),
           'a restore puts everything where the database lies'
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_tablespace t on t.oid = c.reltablespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relpersistence <> 't'
)
select class, oid, schema, pg_get_userbyid(owner) as owner, gap, what, why
from remark
order by gap, what
