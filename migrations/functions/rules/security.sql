-- What the rules observe of access: attempts to sign in, refused requests, new admins, and
-- changes of row-level security, policies and grants in schema public. A source that is
-- absent or unreadable is null, and its rule gives no verdict.

create or replace function ops.keeps_audit(p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    -- In a single expression, the right to read would be needed before it is checked.
    if not ops.can_scan('auth.audit_log_entries', 'payload') then
        return false;
    end if;
    return exists (select from auth.audit_log_entries where created_at > p_now - interval '7 days');
end
$$;

comment on function ops.keeps_audit(timestamptz) is
    'Whether the audit of sign-ins is written into the database and can be read: some entries came in the last week.';

create or replace function ops.audited_attempts(
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
    -- An account is named by its id, because an email address has no place in a message.
    select 'account ' || account, count(*) from entries where account is not null group by account;
exception
    -- A change of a table that is not ours must not stop the tick.
    when insufficient_privilege or undefined_column then
        return;
end
$$;

comment on function ops.audited_attempts(timestamptz, timestamptz) is
    'Suspicious attempts of the audit after p_from, up to p_to, by address and by account: requests to recover a password, repeated sign-ups, tries of a second factor, and whatever the audit records as failed. There are none where the audit cannot be read.';

create or replace function ops.sign_in_attempts(
    p_from timestamptz,
    p_to timestamptz,
    out subject text,
    out attempts bigint
)
returns setof record
language sql
stable
set search_path = ''
as $$
    select audited.subject, audited.attempts from ops.audited_attempts(p_from, p_to) as audited
    union all
    select 'network ' || (item.detail ->> 'network'), count(*)
    from ops.items as item
    join ops.door_keys as known on known.id = item.key
    where item.kind = 'event'
        and item.name = 'sign_in_failed'
        and item.source = 'supabase'
        and item.at > p_from
        and item.at <= p_to
        and item.detail ->> 'network' <> ''
        -- Everybody can read the key of a page, and strangers must wake nobody.
        and known.origins = '{}'
    group by 1
$$;

comment on function ops.sign_in_attempts(timestamptz, timestamptz) is
    'Suspicious attempts after p_from, up to p_to: those of the audit, by address and by account, and sign-ins that failed as a drain of Supabase tells of them, by network.';

create or replace function ops.refused_requests(
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
    select requests, refused, round(100.0 * refused / nullif(requests, 0), 4)
    from ops.sum_requests(p_from, p_to, p_to, 'production')
$$;

comment on function ops.refused_requests(timestamptz, timestamptz) is
    'The share of API requests after p_from, up to p_to, which is now, that were answered with 401 or 403; null without requests.';

create or replace function ops.observe_changes(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with changes (rule, subject, known, changed, detail) as (
        select
            'admin_granted', 'admin', value is not null and previous is not null,
            -- Only an admin that is new counts, not one that was removed.
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
            -- A change that came with a recorded migration was meant.
            value -> 'public' <> previous -> 'public' and value -> 'migrations' = previous -> 'migrations',
            '{}'
        from ops.facts
        where name = 'access'
    )
    select ops.make_observation(
        rule,
        changes.subject,
        case
            when not coalesce(known, false) then 'insufficient'
            when changed then 'bad'
            -- The alert stays open for a while, so that people see it in the list.
            when state.last_bad_at > p_now - ops.minutes(p_settings, 'alert.event_quiet_minutes') then 'insufficient'
            else 'good'
        end,
        p_facts => jsonb_build_object('service', 'security', 'detail', detail)
    )
    from changes
    left join ops.alert_states as state using (rule)
$$;

comment on function ops.observe_changes(timestamptz, jsonb) is
    'The verdicts on what changed since the last tick: bad at once, good again after enough quiet.';

create or replace function ops.observe_security(p_now timestamptz, p_settings jsonb)
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
    select ops.make_observation(
        'sign_in_attempts', subject, ops.judge(attempts, most_attempts, 1, 1), attempts, most_attempts,
        p_samples => attempts,
        p_facts => jsonb_build_object('service', 'security')
    )
    from attempts
    cross join bounds
    where attempts > most_attempts
        or exists (select from ops.alert_states where fingerprint = 'sign_in_attempts:' || subject)

    union all
    select ops.make_observation(
        'refused_requests', 'app',
        ops.judge(percent, most_refused, requests, (p_settings ->> 'threshold.minimum_samples')::bigint),
        percent, most_refused, '%', requests,
        p_facts => jsonb_build_object('service', 'security')
    )
    from bounds
    cross join lateral ops.refused_requests(bounds.seen_from, p_now)

    union all
    select changes from ops.observe_changes(p_now, p_settings) as changes
$$;

comment on function ops.observe_security(timestamptz, jsonb) is
    'The verdicts on attempts to sign in, refused requests, new admins and drift of access. A rule whose source is absent gives none.';
