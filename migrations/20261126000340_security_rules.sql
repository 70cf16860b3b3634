-- Security as rules: attempts to sign in, refused requests, admins that were
-- made, and what changed of row-level security, policies and grants in public.
--
-- Why: each has a source that may be absent, switched off or unreadable; then it
-- is null, and its rule says nothing.
-- Read by: the tick, the dashboard.
-- Undo: put back the former ops.observe_tick; drop the functions of this file; take
-- the new rows out of ops.rules and ops.settings.

set local search_path = '';

insert into ops.rules (rule, severity, signal, subject_kind, bad_after, good_after, affects)
values
    ('sign_in_attempts', 'high', 'security', 'address or account', 1, null, '{security}'),
    ('refused_requests', 'medium', 'security', 'service', null, null, '{security}'),
    ('admin_granted', 'high', 'security', 'role', 1, 1, '{security}'),
    ('access_drift', 'medium', 'security', 'schema', 1, 1, '{security}');

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, kind, value, value, minimum, maximum, unit, description
from (values
    ('threshold.sign_in_attempts', 'integer', '20'::jsonb, 1, 100000, null, 'Suspicious attempts to sign in from one address or for one account.'),
    ('threshold.refused_percent', 'number', '20', 0, 100, '%', 'Share of API requests answered with status 401 or 403.'),
    ('window.security_minutes', 'integer', '15', 1, 1440, 'min', 'Period of sign-in attempts and refused requests.')
) as seed (key, kind, value, minimum, maximum, unit, description);

-- Sources --------------------------------------------------------------------

create function ops.keeps_audit(p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    -- One expression of both would ask for the right to read before it is known.
    if not ops.can_scan('auth.audit_log_entries', 'payload') then
        return false;
    end if;
    return exists (select from auth.audit_log_entries where created_at > p_now - interval '7 days');
end
$$;

comment on function ops.keeps_audit(timestamptz) is
    'Whether sign-ins are written into the database and can be read: some were in the last week.';

create function ops.sign_in_attempts(
    p_from timestamptz,
    p_to timestamptz,
    out subject text,
    out attempts bigint
)
returns setof record
language plpgsql
stable
set search_path = ''
as $$
begin
    if not ops.can_scan('auth.audit_log_entries', 'payload') then
        return;
    end if;

    return query
    with entries as (
        select payload ->> 'actor_id' as account, nullif(ip_address, '') as address
        from auth.audit_log_entries
        where created_at > p_from
            and created_at <= p_to
            and (
                payload ->> 'action' in ('user_repeated_signup', 'user_recovery_requested', 'verification_attempted')
                or payload ->> 'action' ~ 'fail'
            )
    )
    select 'address ' || address, count(*) from entries where address is not null group by address
    union all
    -- By its id: an address of email has no place in a message.
    select 'account ' || account, count(*) from entries where account is not null group by account;
exception
    -- Whatever becomes of a table that is not ours must not blind the monitor.
    when insufficient_privilege or undefined_column then
        return;
end
$$;

comment on function ops.sign_in_attempts(timestamptz, timestamptz) is
    'Suspicious attempts per address and account after p_from, up to p_to: recoveries asked for, accounts signed up again, second factors tried, and whatever the audit calls failed; nothing where the audit cannot be read.';

create function ops.refused_requests(
    p_from timestamptz,
    p_to timestamptz,
    out requests bigint,
    out refused bigint,
    out percent numeric
)
language sql
stable
set search_path = ''
as $$
    select
        count(*),
        count(*) filter (where status_code in (401, 403)),
        round(100.0 * count(*) filter (where status_code in (401, 403)) / nullif(count(*), 0), 4)
    from public.api_usage_metrics
    where "timestamp" > p_from and "timestamp" <= p_to
$$;

comment on function ops.refused_requests(timestamptz, timestamptz) is
    'The share of API requests after p_from, up to p_to, that were answered with 401 or 403; null without requests.';

-- Verdicts -------------------------------------------------------------------

create function ops.observe_changes(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with changes (rule, subject, known, changed, detail) as (
        select
            'admin_granted', 'admin', value is not null and previous is not null,
            -- One that was taken away is no alarm.
            exists (select from jsonb_array_elements(value) as admin where not previous @> admin.value),
            jsonb_build_object('granted', (
                select jsonb_agg(admin.value)
                from jsonb_array_elements(value) as admin
                where not previous @> admin.value
            ))
        from ops.facts
        where name = 'admins'

        union all
        select
            'access_drift', 'public', previous is not null,
            -- Whatever a recorded migration changed is meant.
            value -> 'public' <> previous -> 'public' and value -> 'migrations' = previous -> 'migrations',
            '{}'
        from ops.facts
        where name = 'access'
    )
    select
        rule || ':' || changes.subject, rule, changes.subject, null,
        case
            when not coalesce(known, false) then 'insufficient'
            when changed then 'bad'
            -- It stays open for a while, or nobody would see it in the list.
            when state.last_bad_at > p_now - ops.minutes(p_settings, 'alert.event_quiet_minutes') then 'insufficient'
            else 'good'
        end,
        null::numeric, null::numeric, null, null::bigint, 1::bigint,
        jsonb_build_object('service', 'security', 'detail', detail), null::bigint
    from changes
    left join ops.alert_states as state using (rule)
$$;

comment on function ops.observe_changes(timestamptz, jsonb) is
    'The verdicts on what changed since the last tick: bad at once, good after enough quiet.';

create function ops.observe_security(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with bounds as (
        select
            p_now - ops.minutes(p_settings, 'window.security_minutes') as seen_from,
            (p_settings ->> 'threshold.sign_in_attempts')::numeric as most_attempts,
            (p_settings ->> 'threshold.refused_percent')::numeric as most_refused
    ),
    attempts as (
        select coalesce(seen.subject, state.subject) as subject, coalesce(seen.attempts, 0) as attempts
        from (select found.* from bounds cross join lateral ops.sign_in_attempts(bounds.seen_from, p_now) as found) as seen
        full join (select subject from ops.alert_states where rule = 'sign_in_attempts') as state
            on state.subject = seen.subject
    )
    select
        'sign_in_attempts:' || subject, 'sign_in_attempts', subject, null,
        ops.judge(attempts, most_attempts, 1, 1), attempts, most_attempts, null, attempts, 1::bigint,
        jsonb_build_object('service', 'security'), null::bigint
    from attempts
    cross join bounds
    where attempts > most_attempts
        or exists (select from ops.alert_states where fingerprint = 'sign_in_attempts:' || subject)

    union all
    select
        'refused_requests:app', 'refused_requests', 'app', null,
        ops.judge(percent, most_refused, requests, (p_settings ->> 'threshold.minimum_samples')::bigint),
        percent, most_refused, '%', requests, 1,
        jsonb_build_object('service', 'security'), null
    from bounds
    cross join lateral ops.refused_requests(bounds.seen_from, p_now)

    union all
    select * from ops.observe_changes(p_now, p_settings)
$$;

comment on function ops.observe_security(timestamptz, jsonb) is
    'The verdicts on attempts to sign in, refused requests, new admins and drift of access; nothing where a source is absent.';

create or replace function ops.observe_tick(
    p_tick jsonb,
    p_since timestamptz,
    p_settings jsonb,
    p_now timestamptz
)
returns ops.observation[]
language sql
stable
set search_path = ''
as $$
    with checked as (
        select * from ops.observe_checks(p_tick, p_settings)
        union all
        select * from ops.observe_definitions(p_tick, p_now, p_settings)
    )
    select array_agg(seen::ops.observation)
    from (
        select * from checked
        union all
        select * from ops.observe_unwatched(array(select fingerprint from checked))
        union all
        select * from ops.observe_recovery()
        union all
        select * from ops.observe_backups(p_now, p_settings)
        union all
        select * from ops.observe_database(p_now, p_settings)
        union all
        select * from ops.observe_security(p_now, p_settings)
        union all
        select * from ops.observe_app(p_since, p_now, p_tick ->> 'environment', p_settings)
    ) as seen
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
