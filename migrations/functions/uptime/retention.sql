-- Retention: how long the detail is kept of what was rolled up, and how long runs of jobs
-- and changes of the on-call calendar are kept. Nothing is deleted before it is rolled up.

create or replace function ops.forget_samples(p_limit integer, p_settings jsonb, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_rollup ops.uptime_rollups;
    v_old timestamptz := ops.floor_to_hour(ops.kept_from('samples', p_settings, p_now));
    v_until timestamptz;
    v_deleted bigint;
    v_sum bigint := 0;
begin
    for v_rollup in select * from ops.uptime_rollups order by samples_from, check_name for update loop
        exit when v_sum >= p_limit;
        v_until := least(v_rollup.rolled_to, v_old);

        delete from ops.samples
        where id in (
            select id
            from ops.samples
            where check_name = v_rollup.check_name
                and at < v_until
                -- A sample that is still valid later says something, so it is kept.
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
    'Deletes samples that are older than their setting allows, no evidence of an incident, rolled up, and no longer valid at that age. Returns how many it deleted: fewer than the limit if none is left.';

create or replace function ops.forget_spans(p_limit integer, p_settings jsonb, p_now timestamptz)
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
    'Deletes spans that are older than their setting allows; their days are kept. Returns how many it deleted.';

create or replace function ops.forget_runs(p_limit integer, p_settings jsonb, p_now timestamptz)
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
        -- ops.backups refers to the runs of the backup and is kept for good.
        where job.job <> 'backup'
        limit p_limit
    );
    get diagnostics v_deleted = row_count;
    return v_deleted;
end
$$;

comment on function ops.forget_runs(integer, jsonb, timestamptz) is
    'Deletes finished runs that are older than their setting allows, except those of the backup. Returns how many it deleted.';

create or replace function ops.forget_oncall_changes(p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    delete from ops.oncall_overrides where ends_at < p_now - interval '400 days';
    delete from ops.absences where ends_at < p_now - interval '400 days';
end
$$;

comment on function ops.forget_oncall_changes(timestamptz) is
    'Deletes overrides and absences that have been over for 400 days. They are few.';
