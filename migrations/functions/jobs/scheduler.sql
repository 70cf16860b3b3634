-- A second scheduler, in the database: pg_cron makes the platform's calls by pg_net, and
-- posts to Slack by itself when no tick is committed. A call that comes twice does no harm.
--
-- Secrets are kept in Supabase Vault and read when a call is made. The command of a job
-- names none, because cron.job is readable by every role, is part of dumps, and is repeated
-- in cron.job_run_details. Without Vault nothing is installed, because no other place of the
-- database keeps a secret out of backups. The functions look the extensions up when they
-- run, so that they can be made in a database that lacks them.

create or replace function ops.require_extensions()
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
    'Refuses with SQLSTATE 0A000 to go on where pg_cron, pg_net or Vault is absent.';

create or replace function ops.keep_secret(p_name text, p_secret text)
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
    'Keeps a secret in Vault under a name; a secret that is null is removed.';

create or replace function ops.read_secret(p_name text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return (select decrypted_secret from vault.decrypted_secrets where name = p_name);
end
$$;

comment on function ops.read_secret(text) is
    'The secret that Vault keeps under a name, or null if there is none.';

create or replace function ops.call_bundle(p_path text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_request bigint;
begin
    -- The run records itself, so nobody waits for the answer; the time-out keeps a call that
    -- hangs from holding up the next calls of pg_net's worker.
    v_request := net.http_get(
        url := (select base_url from ops.scheduler) || p_path,
        params := jsonb_build_object(
            'clock', 'supabase',
            'slot', to_char(date_trunc('minute', now()) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        ),
        headers := jsonb_build_object('Authorization', 'Bearer ' || ops.read_secret('pourtrait_cron_secret')),
        timeout_milliseconds := 10000
    );
    delete from ops.scheduler_calls where called_at < now() - interval '6 hours';
    -- pg_net numbers from 1 again once its table was emptied.
    insert into ops.scheduler_calls (request, path, called_at)
    values (v_request, p_path, now())
    on conflict (request) do update
    set path = excluded.path, called_at = excluded.called_at;
    return v_request;
end
$$;

comment on function ops.call_bundle(text) is
    'Calls an endpoint of the bundle as the clock supabase for this minute, and returns pg_net''s number of the request, under which the answer is found later.';

create or replace function ops.post_to_slack(p_text text)
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

comment on function ops.post_to_slack(text) is
    'Posts a text to Slack without the bundle. Returns pg_net''s number of the request, or null where no webhook is kept.';

create or replace function ops.watch_bundle(p_now timestamptz)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_scheduler ops.scheduler;
    v_last timestamptz;
    v_silence interval := ops.minutes(ops.read_settings(), 'watchdog.silence_minutes');
begin
    -- A second watchdog at the same moment waits here, and then finds what was sent.
    select * into v_scheduler from ops.scheduler where here for update;
    if not found then
        return 'not installed';
    end if;
    v_last := greatest(v_scheduler.installed_at, (select committed_at from ops.jobs where job = 'monitor'));

    if p_now - v_last <= v_silence then
        if v_scheduler.told_at is not null then
            perform ops.post_to_slack(
                'Resolved: the monitor commits ticks again, after '
                || round(extract(epoch from v_last - v_scheduler.silent_since) / 60) || ' min of silence.'
            );
            update ops.scheduler set silent_since = null, told_at = null where here;
            return 'resolved';
        end if;
        return 'well';
    end if;

    if v_scheduler.told_at > p_now - interval '1 hour' then
        return 'sent before';
    end if;
    perform ops.post_to_slack(
        'Critical: the monitor has committed no tick since '
        || to_char(v_last at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC. Nothing is watched, and no '
        || 'other alert can open or resolve. This comes from the database: '
        || v_scheduler.base_url || '/runbook.html#monitoring_gap'
    );
    update ops.scheduler
    set silent_since = coalesce(silent_since, v_last), told_at = p_now
    where here;
    return 'sent';
end
$$;

comment on function ops.watch_bundle(timestamptz) is
    'Posts to Slack when no tick was committed for too long, at most once an hour, and once when ticks are committed again. Posting and remembering it are one transaction.';

create or replace function ops.schedule_calls(
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
    if coalesce(p_base_url, '') !~ '^https?://[^/?#]+$' then
        perform ops.refuse(
            'base_url', 'the address of the bundle, with http:// or https:// and without a path',
            ops.without_secrets(p_base_url)
        );
    end if;
    if coalesce(p_cron_secret, '') = '' then
        perform ops.refuse('cron_secret', 'the secret with which the scheduler calls', null);
    end if;

    perform ops.keep_secret('pourtrait_cron_secret', p_cron_secret);
    perform ops.keep_secret('pourtrait_slack_webhook', p_slack_webhook);
    insert into ops.scheduler (base_url, installed_at)
    values (p_base_url, p_now)
    on conflict (here) do update
    set base_url = excluded.base_url, installed_at = excluded.installed_at;

    -- pg_cron replaces a job that has the same name.
    perform cron.schedule(
        'pourtrait_' || call.job, call.schedule, format('select ops.call_bundle(%L)', call.path)
    )
    from jsonb_to_recordset(p_calls) as call (job text, schedule text, path text);
    perform cron.schedule('pourtrait_watchdog', '* * * * *', 'select ops.watch_bundle(now())');
    return ops.scheduled_calls();
end
$$;

comment on function ops.schedule_calls(text, text, text, jsonb, timestamptz) is
    'Makes pg_cron call the bundle (p_calls holds the job, schedule and path of each call) and watch for its silence. Called again, it replaces what it made before. Without a webhook nobody learns of a silence.';

create or replace function ops.unschedule_calls()
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
    -- A clock that was taken out of service is not missed.
    delete from ops.clocks where clock = 'supabase';
    return ops.scheduled_calls();
end
$$;

comment on function ops.unschedule_calls() is
    'Removes everything that ops.schedule_calls made: the jobs of pg_cron and the secrets.';

create or replace function ops.scheduled_calls()
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
    'What pg_cron calls from here, at which address, and whether it can post to Slack.';
