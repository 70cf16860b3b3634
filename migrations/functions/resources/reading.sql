-- What is used of what there is. The maintenance finds it out and keeps it, for a tick and the
-- dashboard to read. What nobody tells is null with its reason, and never made up.

create or replace function ops.resource_reading(
    p_resource text,
    p_used numeric,
    p_capacity numeric,
    p_unit text,
    p_now timestamptz,
    p_reason text default null,
    p_note text default null
)
returns ops.resource_readings
language plpgsql
immutable
set search_path = ''
as $$
begin
    return row(
        p_resource, p_used, nullif(p_capacity, 0), p_unit, p_note,
        case when p_used is null or coalesce(p_capacity, 0) = 0 then p_reason end, p_now
    )::ops.resource_readings;
end
$$;

comment on function ops.resource_reading(text, numeric, numeric, text, timestamptz, text, text) is
    'A reading of a resource; the reason stays only where the use or the capacity is null. A capacity of 0 is none that is known.';

create or replace function ops.host_busy_percent(p_now timestamptz)
returns numeric
language plpgsql
stable
set search_path = ''
as $$
declare
    v_busy numeric[];
    v_total numeric[];
begin
    select array_agg((document ->> 'cpuBusySeconds')::numeric order by id desc),
           array_agg((document ->> 'cpuSeconds')::numeric order by id desc)
    into v_busy, v_total
    from (
        select id, document
        from ops.platform_readings
        where source = 'database_host' and document is not null and last_at > p_now - interval '3 hours' and last_at <= p_now
        order by id desc
        limit 2
    ) as newest;
    -- After a restart of the host its counters begin anew.
    return case
        when v_busy[1] >= v_busy[2] and v_total[1] > v_total[2]
        then round(100 * (v_busy[1] - v_busy[2]) / (v_total[1] - v_total[2]), 1)
    end;
end
$$;

comment on function ops.host_busy_percent(timestamptz) is
    'How busy the processors of the database''s host were between its last two readings; null without two of the last three hours.';

create or replace function ops.read_host(p_now timestamptz)
returns setof ops.resource_readings
language plpgsql
stable
set search_path = ''
as $$
declare
    v_host ops.platform_readings := ops.newest_reading('database_host');
    v_document jsonb;
    v_reason text := case
        when not exists (select from ops.platform_watches where source = 'database_host' and watched)
        then 'the database''s host is not read: its platform has no metrics for us'
        else coalesce('its host cannot be read: ' || ops.reading_error('database_host'), 'its host was not read lately')
    end;
begin
    if v_host.last_at > p_now - interval '3 hours' then
        v_document := v_host.document;
        v_reason := 'its host does not say';
    end if;
    return query
    select (made.reading).*
    from (
        values
            (ops.resource_reading(
                'database_disk', (v_document ->> 'diskBytes')::numeric - (v_document ->> 'diskFreeBytes')::numeric,
                (v_document ->> 'diskBytes')::numeric, 'B', p_now, v_reason
            )),
            (ops.resource_reading(
                'database_memory', (v_document ->> 'memoryBytes')::numeric - (v_document ->> 'memoryFreeBytes')::numeric,
                (v_document ->> 'memoryBytes')::numeric, 'B', p_now, v_reason
            )),
            (ops.resource_reading(
                'database_cpu', ops.host_busy_percent(p_now), 100, '%', p_now,
                case when v_document is null then v_reason else 'it takes two readings an hour apart' end
            ))
    ) as made (reading);
end
$$;

comment on function ops.read_host(timestamptz) is 'Disk, memory and processors of the database''s host, as its platform tells.';

create or replace function ops.read_storage_bytes()
returns numeric
language plpgsql
stable
set search_path = ''
as $$
declare
    v_bytes numeric;
begin
    if to_regclass('storage.objects') is null then
        return null;
    end if;
    execute $query$
        select coalesce(sum(case when metadata ->> 'size' ~ '^\d{1,15}$' then (metadata ->> 'size')::numeric end), 0)
        from storage.objects
    $query$ into v_bytes;
    return v_bytes;
exception
    when insufficient_privilege or undefined_column then
        return null;
end
$$;

comment on function ops.read_storage_bytes() is
    'How many bytes the files of Storage take, as their rows say; null where these cannot be read.';

create or replace function ops.read_function_time(p_limits jsonb, p_now timestamptz)
returns ops.resource_readings
language plpgsql
stable
set search_path = ''
as $$
declare
    v_longest record;
begin
    select run.job, extract(epoch from run.finished_at - run.started_at) as seconds, (p_limits ->> run.job)::numeric as most
    into v_longest
    from ops.runs as run
    where run.started_at > p_now - interval '24 hours' and run.started_at <= p_now
        and run.finished_at is not null and p_limits ? run.job
    order by extract(epoch from run.finished_at - run.started_at) / (p_limits ->> run.job)::numeric desc
    limit 1;
    return ops.resource_reading(
        'function_time', round(v_longest.seconds, 1), v_longest.most, 's', p_now, 'no job ran in 24 hours', v_longest.job
    );
end
$$;

comment on function ops.read_function_time(jsonb, timestamptz) is
    'The run of the last 24 hours that took most of what its function may. p_limits has the seconds of each job.';

create or replace function ops.read_platform_use(p_functions jsonb, p_settings jsonb, p_now timestamptz)
returns setof ops.resource_readings
language plpgsql
stable
set search_path = ''
as $$
declare
    v_month timestamptz := date_trunc('month', p_now at time zone 'UTC') at time zone 'UTC';
begin
    return query
    select (made.reading).*
    from (
        values
            (ops.read_function_time(p_functions -> 'seconds', p_now)),
            (ops.resource_reading(
                'function_memory', (p_functions ->> 'peakBytes')::numeric, (p_functions ->> 'memoryBytes')::numeric, 'B', p_now,
                'the platform does not tell the function', 'maintenance'
            )),
            (ops.resource_reading(
                'cron_jobs', (p_functions ->> 'cronJobs')::numeric, (p_settings ->> 'limit.cron_jobs')::numeric, 'jobs', p_now,
                'limit.cron_jobs is not set'
            )),
            (ops.resource_reading(
                'invocations',
                (select count(*) from ops.runs where started_at >= v_month and started_at <= p_now and outcome <> 'missed'),
                (p_settings ->> 'limit.invocations_million')::numeric * 1000000, 'calls', p_now,
                'limit.invocations_million is not set', 'of jobs this month; nobody counts those of the other endpoints'
            )),
            (ops.resource_reading(
                'emails',
                (
                    select count(*) from ops.outbox
                    where channel = 'email' and status = 'sent' and sent_at > p_now - interval '24 hours' and sent_at <= p_now
                ),
                (p_settings ->> 'limit.emails_a_day')::numeric, 'emails', p_now,
                'limit.emails_a_day is not set: the plan of Resend says it', 'of the bundle; the app''s own are not seen'
            )),
            (ops.resource_reading('egress', null, null, 'B', p_now, 'no API tells it: the platforms'' own usage pages do')),
            (ops.resource_reading('openai', null, null, 'USD', p_now, 'OpenAI tells its quota to no key of a project')),
            (ops.resource_reading('vision', null, null, 'calls', p_now, 'Google tells quotas to no key of an API'))
    ) as made (reading);
end
$$;

comment on function ops.read_platform_use(jsonb, jsonb, timestamptz) is
    'What functions, crons and messages use. p_functions has the seconds that each job may take, how many crons there are, and the memory of the function that asks.';

create or replace function ops.read_resources(p_functions jsonb, p_now timestamptz)
returns setof ops.resource_readings
language plpgsql
stable
set search_path = ''
as $$
declare
    v_settings jsonb := ops.read_settings();
begin
    return query
    select * from ops.read_host(p_now)
    union all
    select *
    from ops.resource_reading(
        'database_size', pg_database_size(current_database()), (v_settings ->> 'limit.database_gb')::numeric * 1e9, 'B',
        p_now, 'limit.database_gb is not set'
    )
    union all
    select *
    from ops.resource_reading(
        'connections', (select sum(numbackends) from pg_stat_database), current_setting('max_connections')::numeric,
        'connections', p_now
    )
    union all
    select *
    from ops.resource_reading(
        'storage', ops.read_storage_bytes(), (v_settings ->> 'limit.storage_gb')::numeric * 1e9, 'B', p_now,
        'limit.storage_gb is not set, or the files of Storage cannot be seen'
    )
    union all
    select * from ops.read_platform_use(p_functions, v_settings, p_now);
end
$$;

comment on function ops.read_resources(jsonb, timestamptz) is 'All resources as they are now.';

create or replace function public.ops_keep_resources(
    p_run uuid,
    p_fence bigint,
    p_functions jsonb,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_run ops.runs;
    v_known integer;
begin
    perform ops.hold_functions();
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;
    perform ops.keep_resources(p_functions, v_now);
    select count(*) into v_known from ops.resource_readings where used is not null;
    return jsonb_build_object('outcome', 'done', 'known', v_known);
end
$$;

comment on function public.ops_keep_resources(uuid, bigint, jsonb, timestamptz) is
    'Keeps what is used of each resource, and says of how many that is known; superseded if another run has taken over.';

create or replace function ops.keep_resources(p_functions jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.resource_readings
    select * from ops.read_resources(p_functions, p_now)
    on conflict (resource) do update
    set
        used = excluded.used, capacity = excluded.capacity, unit = excluded.unit, note = excluded.note,
        reason = excluded.reason, read_at = excluded.read_at;
    insert into ops.resource_days (resource, day, used)
    select resource, (p_now at time zone 'UTC')::date, used from ops.resource_readings where used is not null
    on conflict (resource, day) do update set used = excluded.used;
    -- A row a day and resource.
    delete from ops.resource_days where day < (p_now at time zone 'UTC')::date - 400;
end
$$;

comment on function ops.keep_resources(jsonb, timestamptz) is 'Keeps what is used of each resource now, and for its day.';
