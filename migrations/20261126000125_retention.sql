-- Retention: how long what is rolled up is kept in detail.
--
-- Why: a sample a minute and check, and a run a minute and job, grow without an
-- end and say less with every month. Nothing is deleted before it is rolled up.
-- Read by: the maintenance job.
-- Undo: drop the functions, delete the settings.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, 'integer', value, value, minimum, maximum, 'd', description
from (values
    ('retention.samples_days', '35'::jsonb, 2, 400, 'How long single samples are kept once they are rolled up.'),
    ('retention.spans_days', '400', 367, 4000, 'How long spans of uptime are kept; days are kept for good.'),
    ('retention.runs_days', '35', 2, 400, 'How long runs of jobs are kept.')
) as seed (key, value, minimum, maximum, description);

create function ops.forget_samples(p_limit integer, p_settings jsonb, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_rollup ops.uptime_rollups;
    v_until timestamptz;
    v_deleted bigint;
    v_sum bigint := 0;
begin
    for v_rollup in select * from ops.uptime_rollups order by samples_from, check_name for update loop
        exit when v_sum >= p_limit;
        v_until := least(v_rollup.rolled_to, ops.floor_to_hour(
            p_now - make_interval(hours => 24 * (p_settings ->> 'retention.samples_days')::integer)
        ));

        delete from ops.samples
        where id in (
            select id
            from ops.samples
            where check_name = v_rollup.check_name
                and at < v_until
                -- What still says something is kept.
                and at + make_interval(secs => valid_seconds) <= v_until
            order by at
            limit p_limit - v_sum
        );
        get diagnostics v_deleted = row_count;
        v_sum := v_sum + v_deleted;
        update ops.uptime_rollups
        set samples_from = greatest(samples_from, v_until)
        where check_name = v_rollup.check_name;
    end loop;
    return v_sum;
end
$$;

comment on function ops.forget_samples(integer, jsonb, timestamptz) is
    'Deletes samples that are older than their setting, rolled up, and no longer valid where that ends; returns how many, less than the limit if none is left.';

create function ops.forget_spans(p_limit integer, p_settings jsonb, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_until timestamptz := p_now - make_interval(hours => 24 * (p_settings ->> 'retention.spans_days')::integer);
    v_deleted bigint;
begin
    delete from ops.uptime_spans
    where (check_name, started_at) in (
        select old.check_name, old.started_at
        from ops.uptime_rollups as rollup
        cross join lateral (
            select check_name, started_at
            from ops.uptime_spans as spans
            where spans.check_name = rollup.check_name and spans.started_at < v_until
            order by spans.started_at
            limit p_limit
        ) as old
        limit p_limit
    );
    get diagnostics v_deleted = row_count;
    return v_deleted;
end
$$;

comment on function ops.forget_spans(integer, jsonb, timestamptz) is
    'Deletes spans that are older than their setting; their days are kept. Returns how many.';

create function ops.forget_runs(p_limit integer, p_settings jsonb, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_until timestamptz := p_now - make_interval(hours => 24 * (p_settings ->> 'retention.runs_days')::integer);
    v_deleted bigint;
begin
    delete from ops.runs
    where id in (
        select old.id
        from ops.jobs as job
        cross join lateral (
            select runs.id
            from ops.runs
            where runs.job = job.job and runs.started_at < v_until and runs.outcome <> 'running'
            order by runs.started_at
            limit p_limit
        ) as old
        -- The history of backups refers to theirs.
        where job.job <> 'backup'
        limit p_limit
    );
    get diagnostics v_deleted = row_count;
    return v_deleted;
end
$$;

comment on function ops.forget_runs(integer, jsonb, timestamptz) is
    'Deletes finished runs of jobs that are older than their setting. Returns how many.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
