select 'pg_ts_dict'::regclass::oid as class,
       d.oid,
       'text search dictionary' as kind,
       n.nspname as schema,
       d.dictname as name,
       pg_get_userbyid(d.dictowner) as owner,
       format('text search dictionary %I.%I', n.nspname, d.dictname) as address,
       format(E'create text search dictionary %I.%I (template = %I.%I%s);\n',
              n.nspname, d.dictname, tn.nspname, t.tmplname, coalesce(', ' || d.dictinitoption, '')) as sql
from pg_ts_dict d
join pg_namespace n on n.oid = d.dictnamespace
join pg_ts_template t on t.oid = d.dicttemplate
join pg_namespace tn on tn.oid = t.tmplnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'pg_ts_config'::regclass::oid,
       c.oid,
       'text search configuration',
       n.nspname,
       c.cfgname,
       pg_get_userbyid(c.cfgowner),
       format('text search configuration %I.%I', n.nspname, c.cfgname),
       format(E'create text search configuration %I.%I (parser = %I.%I);\n',
              n.nspname, c.cfgname, pn.nspname, p.prsname)
       || coalesce((
           select string_agg(
               format(E'alter text search configuration %I.%I add mapping for %I with %s;\n',
                      n.nspname, c.cfgname, m.alias, m.dictionaries),
               '' order by m.token)
           from (
               select k.maptokentype as token, x.alias,
                      string_agg(format('%I.%I', dn.nspname, d.dictname), ', ' order by k.mapseqno) as dictionaries
               from pg_ts_config_map k
               join pg_ts_dict d on d.oid = k.mapdict
               join pg_namespace dn on dn.oid = d.dictnamespace
               join lateral ts_token_type(c.cfgparser) x on x.tokid = k.maptokentype
               where k.mapcfg = c.oid
               group by k.maptokentype, x.alias
           ) m), '')
from pg_ts_config c
join pg_namespace n on n.oid = c.cfgnamespace
join pg_ts_parser p on p.oid = c.cfgparser
join pg_namespace pn on pn.oid = p.prsnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
