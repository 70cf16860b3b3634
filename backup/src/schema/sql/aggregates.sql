select 'pg_proc'::regclass::oid as class,
       p.oid,
       'aggregate' as kind,
       n.nspname as schema,
       format('%s(%s)', p.proname, arguments) as name,
       pg_get_userbyid(p.proowner) as owner,
       format('aggregate %I.%I(%s)', n.nspname, p.proname, arguments) as address,
       format(E'create aggregate %I.%I(%s) (%s);\n', n.nspname, p.proname, arguments, concat_ws(', ',
           'sfunc = ' || a.aggtransfn::regproc,
           'stype = ' || format_type(a.aggtranstype, null),
           'sspace = ' || nullif(a.aggtransspace, 0),
           'initcond = ' || quote_literal(a.agginitval),
           'finalfunc = ' || nullif(a.aggfinalfn, 0)::regproc,
           case when a.aggfinalextra then 'finalfunc_extra' end,
           case when a.aggfinalfn <> 0 then 'finalfunc_modify = ' || case a.aggfinalmodify
               when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end end,
           'combinefunc = ' || nullif(a.aggcombinefn, 0)::regproc,
           'serialfunc = ' || nullif(a.aggserialfn, 0)::regproc,
           'deserialfunc = ' || nullif(a.aggdeserialfn, 0)::regproc,
           'msfunc = ' || nullif(a.aggmtransfn, 0)::regproc,
           'minvfunc = ' || nullif(a.aggminvtransfn, 0)::regproc,
           'mstype = ' || format_type(nullif(a.aggmtranstype, 0), null),
           'msspace = ' || nullif(a.aggmtransspace, 0),
           'minitcond = ' || quote_literal(a.aggminitval),
           'mfinalfunc = ' || nullif(a.aggmfinalfn, 0)::regproc,
           case when a.aggmfinalextra then 'mfinalfunc_extra' end,
           case when a.aggmfinalfn <> 0 then 'mfinalfunc_modify = ' || case a.aggmfinalmodify
               when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end end,
           (select format('sortop = operator(%I.%s)', sn.nspname, o.oprname)
            from pg_operator o join pg_namespace sn on sn.oid = o.oprnamespace
            where o.oid = a.aggsortop),
           case when a.aggkind = 'h' then 'hypothetical' end,
           case p.proparallel when 's' then 'parallel = safe' when 'r' then 'parallel = restricted' end
       )) as sql
from pg_aggregate a
join pg_proc p on p.oid = a.aggfnoid
join pg_namespace n on n.oid = p.pronamespace
cross join lateral coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*') as arguments
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
