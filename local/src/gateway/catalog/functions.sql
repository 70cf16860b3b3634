-- All functions of one name, with the parameters that a caller gives.
-- json_to_record reads "bit" and "character" as one of them, so these two are
-- given the types that hold any number.
select
    p.provolatile = 'v' as is_volatile,
    p.proretset as is_set,
    result.typname = 'void' as is_void,
    coalesce(p.proargmodes::text [] && '{t,b,o}', false)
        or base.typtype = 'c' or result.typname = 'record' as is_composite,
    coalesce(parameter.names, '{}') as parameter_names,
    coalesce(parameter.types, '{}') as parameter_types,
    p.provariadic <> 0 as is_variadic,
    p.pronargdefaults::integer as defaults,
    coalesce(p.proconfig, '{}') as settings
from pg_proc as p
join pg_namespace as n on n.oid = p.pronamespace
join pg_type as result on result.oid = p.prorettype
join pg_type as base on base.oid = coalesce(nullif(result.typbasetype, 0), result.oid)
left join lateral (
    select
        array_agg(coalesce(p.proargnames[a.number], '') order by a.number) as names,
        array_agg(
            regexp_replace(
                regexp_replace(format_type(a.type, null), '^bit(\[\])?$', 'bit varying\1'),
                '^character(\[\])?$', 'character varying\1'
            )
            order by a.number
        ) as types
    from unnest(coalesce(p.proallargtypes, p.proargtypes::oid [])) with ordinality as a (type, number)
    where coalesce(p.proargmodes[a.number], 'i') in ('i', 'b', 'v')
) as parameter on true
where n.nspname = $1 and p.proname = $2 and p.prokind = 'f'
    and result.typname not in ('trigger', 'event_trigger')
order by p.oid
