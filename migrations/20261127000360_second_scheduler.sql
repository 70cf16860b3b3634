-- A second scheduler in the database, which also raises the alarm when the bundle
-- falls silent.
--
-- Why: a platform's scheduler can stop, and on some plans it calls once a day.
-- pg_cron makes the same calls by pg_net; calls that come twice do no harm. It
-- also looks whether ticks are committed, and tells Slack by itself if not.
--
-- Secrets stand in Supabase Vault and are read when a call is made. The command
-- of a job names none: cron.job is readable by every role, kept in dumps, and
-- repeated in cron.job_run_details. Without Vault nothing is installed, because
-- no other place of the database keeps a secret out of backups.
--
-- The extensions are looked up when a function runs, so that this applies where
-- they are absent.
-- Read by: `pourtrait schedule`, pg_cron.
-- Undo: select ops.unschedule_calls(); drop the functions, ops.scheduler, the setting.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
values
    ('watchdog.silence_minutes', 'integer', '5', '5', 2, 1440, 'min', 'How long no tick may be committed before the scheduler in the database says so.');

create table ops.scheduler (
    here boolean primary key default true check (here),
    base_url text not null check (base_url ~ '^https?://[^/?#]+$'),
    installed_at timestamptz not null,
    silent_since timestamptz,
    told_at timestamptz,
    check ((silent_since is null) = (told_at is null))
);

comment on table ops.scheduler is 'Where the scheduler in the database calls, at most one row; none where it is not installed.';
comment on column ops.scheduler.silent_since is 'The last tick before a silence that Slack was told of; null while there is none.';
comment on column ops.scheduler.told_at is 'When Slack was told of it last.';

alter table ops.scheduler enable row level security;

-- Secrets --------------------------------------------------------------------

create function ops.require_extensions()
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_absent text := (
        select string_agg(needed.name, ', ' order by needed.name)
        from unnest('{pg_cron,pg_net,supabase_vault}'::text[]) as needed (name)
        where not exists (select from pg_catalog.pg_extension where extname = needed.name)
    );
begin
    if v_absent is not null then
        raise exception 'the database lacks the extensions %', v_absent
            using errcode = 'feature_not_supported',
                  hint = 'Supabase: Database, Extensions; or create extension as role postgres.';
    end if;
end
$$;

comment on function ops.require_extensions() is
    'Refuses with SQLSTATE 0A000 where pg_cron, pg_net or Vault is absent.';

create function ops.keep_secret(p_name text, p_secret text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_id uuid;
begin
    select id into v_id from vault.secrets where name = p_name;
    if p_secret is null then
        delete from vault.secrets where id = v_id;
    elsif v_id is null then
        perform vault.create_secret(p_secret, p_name, 'Pourtrait Ops');
    else
        perform vault.update_secret(v_id, p_secret);
    end if;
end
$$;

comment on function ops.keep_secret(text, text) is
    'Keeps a secret in Vault under a name; null removes it.';

create function ops.read_secret(p_name text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return (select decrypted_secret from vault.decrypted_secrets where name = p_name);
end
$$;

comment on function ops.read_secret(text) is 'A secret from Vault; null if there is none of that name.';

-- Calls ----------------------------------------------------------------------

create function ops.call_bundle(p_path text)
returns bigint
language plpgsql
set search_path = ''
as $$
begin
    -- Nobody waits for the answer: the run is recorded by whoever does it, and a
    -- call that hangs must not hold up the next ones of pg_net's worker.
    return net.http_get(
        url := (select base_url from ops.scheduler) || p_path,
        headers := jsonb_build_object('Authorization', 'Bearer ' || ops.read_secret('pourtrait_cron_secret')),
        timeout_milliseconds := 10000
    );
end
$$;

comment on function ops.call_bundle(text) is
    'Calls an endpoint of the bundle as its scheduler; returns pg_net''s number of the request.';

create function ops.tell_slack(p_text text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_url text := ops.read_secret('pourtrait_slack_webhook');
begin
    if v_url is null then
        return null;
    end if;
    return net.http_post(
        url := v_url,
        body := jsonb_build_object('text', p_text),
        headers := jsonb_build_object('Content-Type', 'application/json'),
        timeout_milliseconds := 10000
    );
end
$$;

comment on function ops.tell_slack(text) is
    'Posts a text to Slack without the bundle; null where no webhook is kept.';

create function ops.watch_bundle(p_now timestamptz)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_scheduler ops.scheduler;
    v_last timestamptz;
    v_silence interval := ops.minutes(ops.read_settings(), 'watchdog.silence_minutes');
begin
    -- Whoever looks at the same moment waits, and finds what was said.
    select * into v_scheduler from ops.scheduler where here for update;
    if not found then
        return 'not installed';
    end if;
    v_last := greatest(v_scheduler.installed_at, (select committed_at from ops.jobs where job = 'monitor'));

    if p_now - v_last <= v_silence then
        if v_scheduler.told_at is not null then
            perform ops.tell_slack(
                'Resolved: the monitor commits ticks again, after '
                || round(extract(epoch from v_last - v_scheduler.silent_since) / 60) || ' min of silence.'
            );
            update ops.scheduler set silent_since = null, told_at = null where here;
            return 'resolved';
        end if;
        return 'well';
    end if;

    if v_scheduler.told_at > p_now - interval '1 hour' then
        return 'told before';
    end if;
    perform ops.tell_slack(
        'Critical: the monitor has committed no tick since '
        || to_char(v_last at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC. Nothing is watched, and no '
        || 'other alert can open or resolve. This comes from the database: '
        || v_scheduler.base_url || '/runbook.html#monitoring_gap'
    );
    update ops.scheduler
    set silent_since = coalesce(silent_since, v_last), told_at = p_now
    where here;
    return 'told';
end
$$;

comment on function ops.watch_bundle(timestamptz) is
    'Tells Slack when no tick was committed for too long, at most once an hour, and once when ticks come again. What it tells and what it remembers are one transaction.';

-- Installing -----------------------------------------------------------------

create function ops.schedule_calls(
    p_base_url text,
    p_cron_secret text,
    p_slack_webhook text,
    p_calls jsonb,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.require_extensions();
    if coalesce(p_base_url, '') !~ '^https?://[^/?#]+$' or coalesce(p_cron_secret, '') = '' then
        raise exception 'scheduling needs where the bundle answers, without a path, and its cron secret'
            using errcode = 'invalid_parameter_value';
    end if;

    perform ops.keep_secret('pourtrait_cron_secret', p_cron_secret);
    perform ops.keep_secret('pourtrait_slack_webhook', p_slack_webhook);
    insert into ops.scheduler (base_url, installed_at)
    values (p_base_url, p_now)
    on conflict (here) do update
    set base_url = excluded.base_url, installed_at = excluded.installed_at;

    -- A job of the same name is replaced.
    perform cron.schedule(
        'pourtrait_' || call.job, call.schedule, format('select ops.call_bundle(%L)', call.path)
    )
    from jsonb_to_recordset(p_calls) as call (job text, schedule text, path text);
    perform cron.schedule('pourtrait_watchdog', '* * * * *', 'select ops.watch_bundle(now())');
    return ops.scheduled_calls();
end
$$;

comment on function ops.schedule_calls(text, text, text, jsonb, timestamptz) is
    'Has pg_cron make the bundle''s calls (job, schedule, path each) and watch for its silence; run again it replaces what it made. Without a webhook the silence is seen and told to nobody.';

create function ops.unschedule_calls()
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.require_extensions();
    perform cron.unschedule(job.jobname)
    from cron.job as job
    where job.jobname like 'pourtrait\_%';
    perform ops.keep_secret('pourtrait_cron_secret', null);
    perform ops.keep_secret('pourtrait_slack_webhook', null);
    delete from ops.scheduler where here;
    return ops.scheduled_calls();
end
$$;

comment on function ops.unschedule_calls() is
    'Takes back all that ops.schedule_calls made: jobs and secrets.';

create function ops.scheduled_calls()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.require_extensions();
    return jsonb_build_object(
        'baseUrl', (select base_url from ops.scheduler),
        'tellsSlack', ops.read_secret('pourtrait_slack_webhook') is not null,
        'lastTickAt', (select committed_at from ops.jobs where job = 'monitor'),
        'silentSince', (select silent_since from ops.scheduler),
        'jobs', (
            select coalesce(
                jsonb_agg(jsonb_build_object('job', jobname, 'schedule', schedule, 'active', active) order by jobname),
                '[]'
            )
            from cron.job
            where jobname like 'pourtrait\_%'
        )
    );
end
$$;

comment on function ops.scheduled_calls() is
    'What pg_cron calls here, where, and whether it can tell Slack.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
