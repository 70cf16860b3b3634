-- What tells one definition of a function of ours from another, by signature.
-- To be run with an empty search_path, which makes the server name types whole.
select
    coalesce(
        jsonb_object_agg(
            format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
            md5(
                concat_ws(
                    E'\n', pg_get_function_result(p.oid), p.prokind, p.provolatile, p.prosecdef, p.proisstrict,
                    p.proconfig::text, p.prosrc
                )
            )
        ),
        '{}'
    )
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where n.nspname = 'ops' or (n.nspname = 'public' and p.proname like 'ops\_%')
