-- Marks of deployments: taken with the batch that brings them, and read beside everything else.

create or replace function ops.take_deployments(
    p_key integer,
    p_source text,
    p_deployments jsonb,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_deployment jsonb;
    v_refused bigint := 0;
begin
    for v_deployment in select value from jsonb_array_elements(p_deployments) loop
        begin
            insert into ops.deployments (
                id, at, key, event, deployment, project, environment, commit, branch, by
            )
            select
                given.id,
                least(
                    greatest(coalesce(given.time, p_now), p_now - interval '7 days'), p_now + interval '5 minutes'
                ),
                p_key, given.event, given.deployment, given.project, given.environment, given.commit, given.branch,
                given.by
            from jsonb_to_record(v_deployment) as given (
                id uuid, time timestamptz, event text, deployment text, project text, environment text, commit text,
                branch text, by text
            )
            on conflict (id) do nothing;
        exception
            when data_exception or integrity_constraint_violation or program_limit_exceeded then
                v_refused := v_refused + 1;
        end;
    end loop;
    perform ops.note_drop(p_key, p_source, 'unusable', v_refused, p_now);
end
$$;

comment on function ops.take_deployments(integer, text, jsonb, timestamptz) is
    'Writes events of deployments that are not there yet, one by one, and notes how many cannot be written.';

create or replace function ops.dashboard_deployments(
    p_whose text,
    p_environment text,
    p_from timestamptz,
    p_now timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'at', listed.at,
                    'event', listed.event,
                    'deployment', listed.deployment,
                    'commit', listed.commit,
                    'branch', listed.branch,
                    'by', listed.by
                )
                order by listed.at desc, listed.id
            ),
            '[]'
        )
        from (
            select *
            from ops.list_deployments(p_whose, p_environment, p_from, p_now) as told
            order by told.at desc, told.id
            limit 20
        ) as listed
    );
end
$$;

comment on function ops.dashboard_deployments(text, text, timestamptz, timestamptz) is
    'The newest twenty events of somebody''s deployments, app or own, to an environment in a range, the newest first.';

create or replace function ops.forget_deployments(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    delete from ops.deployments where at < p_now - interval '400 days'
$$;

comment on function ops.forget_deployments(timestamptz) is 'Deletes events of deployments that are long over.';
