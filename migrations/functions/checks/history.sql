-- What was seen of a custom check.

create or replace function public.ops_list_samples(p_name text, p_limit integer default 20)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    if not exists (select from ops.custom_checks where name = p_name) then
        perform ops.refuse_unknown_check(p_name);
    end if;
    return (
        select jsonb_build_object('samples', coalesce(jsonb_agg(document order by at desc, id desc), '[]'))
        from (
            select
                at,
                id,
                jsonb_build_object(
                    'at', at,
                    'status', status,
                    'reason', reason,
                    'latencyMs', latency_ms,
                    'detail', detail,
                    'deployment', deployment_id,
                    'region', region
                ) as document
            from ops.samples
            where check_name = 'check:' || p_name
            order by at desc, id desc
            limit least(greatest(p_limit, 1), 1000)
        ) as newest
    );
end
$$;

comment on function public.ops_list_samples(text, integer) is
    'Lists the newest samples of a custom check, newest first, at most 1000; refuses the name of a check that does not exist with SQLSTATE 22023.';
