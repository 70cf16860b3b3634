-- Everything that a scrape is told, in one call and one snapshot.

create or replace function public.ops_metrics(p_environment text, p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_active bigint[];
begin
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));

    v_active := ops.active_since(
        array[v_now - interval '24 hours', v_now - interval '168 hours', v_now - interval '720 hours'],
        v_now,
        p_environment
    );
    return jsonb_build_object(
        'requests', ops.request_metrics(v_now, p_environment),
        'endpoints', ops.endpoint_metrics(v_now, p_environment),
        'errors', ops.error_metrics(v_now, p_environment),
        'services', ops.service_metrics(v_now, p_environment),
        'availability', ops.availability_metrics(v_now, p_environment),
        'outbox', ops.outbox_metrics(v_now),
        'jobs', ops.job_metrics(v_now),
        'backups', ops.backup_metrics(v_now),
        'door', ops.door_metrics(v_now),
        'webVitals', (
            select coalesce(jsonb_object_agg(name, p75), '{}')
            from ops.web_vitals
            -- A measurement that is an hour old no longer counts.
            where environment = p_environment and measured_at > v_now - interval '1 hour'
        ),
        'people', jsonb_build_object('24h', v_active[1], '7d', v_active[2], '30d', v_active[3]),
        'database', (
            select jsonb_build_object(
                'bytes', pg_database_size(current_database()),
                'connections', sum(numbackends),
                'maximum', current_setting('max_connections')::integer
            )
            from pg_stat_database
        )
    ) || ops.alert_metrics();
end
$$;

comment on function public.ops_metrics(text, timestamptz) is
    'Everything that a scrape of metrics is told of an environment, as one document. Rows of tables that know no environment count for every environment.';
