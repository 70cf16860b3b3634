-- Events of the application: critical errors, and alerts that it raises itself. A tick and a
-- webhook may both report the same row; whichever comes first notices it, and the row is
-- counted once.

create or replace function ops.group_events(
    p_after timestamptz,
    p_counts_after timestamptz,
    p_now timestamptz,
    p_environment text
)
returns table (
    rule text,
    fingerprint text,
    subject text,
    severity text,
    message text,
    since timestamptz,
    seen bigint,
    fresh bigint,
    all_resolved boolean
)
language sql
stable
set search_path = ''
as $$
    with events as (
        select
            event.*,
            ops.message_key(event.message) as key,
            noticed.fresh,
            -- An event that nobody has noticed yet is left to the next tick, which counts it.
            noticed.id is not null and not event.handled and event.at > p_counts_after as counts
        from ops.app_events(p_after, p_now, p_environment) as event
        left join ops.noticed_events as noticed on noticed.source = event.source and noticed.id = event.id
    )
    select
        rule,
        ops.event_fingerprint(rule, kind, key),
        ops.event_subject(rule, kind, key),
        (array_agg(severity order by ops.severity_rank(severity) desc))[1],
        (array_agg(message order by at desc))[1],
        min(at) filter (where counts),
        count(*) filter (where counts),
        count(*) filter (where counts and fresh),
        bool_and(resolved)
    from events
    group by rule, kind, key
$$;

comment on function ops.group_events(timestamptz, timestamptz, timestamptz, text) is
    'The application''s events after p_after by kind of message: how many noticed and unhandled ones came after p_counts_after (seen), how many of those no tick has counted yet (fresh), and whether all are marked resolved.';

create or replace function ops.observe_events(
    p_since timestamptz,
    p_now timestamptz,
    p_environment text,
    p_settings jsonb
)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with bounds as (
        select
            ops.events_from(p_since, p_now, p_settings) as seen_from,
            p_now - ops.minutes(p_settings, 'alert.event_quiet_minutes') as quiet_from
    ),
    states as (
        select * from ops.alert_states where rule in ('critical_error', 'app_alert')
    ),
    grouped as (
        select found.*
        from bounds
        cross join lateral ops.group_events(
            -- Whatever is remembered needs the events of the whole quiet period.
            case when exists (select from states) then least(seen_from, quiet_from) else seen_from end,
            seen_from,
            p_now,
            p_environment
        ) as found
    )
    select ops.make_observation(
        coalesce(grouped.rule, state.rule),
        coalesce(grouped.subject, state.subject),
        case
            when grouped.seen > 0 then 'bad'
            when grouped.all_resolved then 'good'
            when state.last_bad_at <= bounds.quiet_from then 'good'
            else 'insufficient'
        end,
        p_fingerprint => coalesce(grouped.fingerprint, state.fingerprint),
        p_severity => grouped.severity,
        p_samples => coalesce(grouped.seen, 0),
        p_occurrences => coalesce(grouped.fresh, 0),
        p_facts => jsonb_strip_nulls(jsonb_build_object(
            'service', 'app',
            'message', left(grouped.message, 500),
            'since', grouped.since
        ))
    )
    from grouped
    full join states as state on state.fingerprint = grouped.fingerprint
    cross join bounds
    where grouped.seen > 0 or state.fingerprint is not null
$$;

comment on function ops.observe_events(timestamptz, timestamptz, text, jsonb) is
    'The verdicts on critical errors and on alerts of the application, one for each kind of message: bad while noticed and unhandled events lie in the window, good once all events of the quiet period are marked resolved or nothing was bad for that long.';

create or replace function ops.written_events(p_after timestamptz, p_to timestamptz, p_environment text)
returns setof ops.app_event
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        'error_logs', id, 'critical_error', 'error', 'critical', "timestamp", message,
        coalesce(resolved, false), coalesce(resolved, false)
    from public.error_logs
    where severity = 'critical'
        and coalesce(environment, 'production') = p_environment
        -- The outer bounds exclude nothing, and let the planner expect few rows.
        and (
            "timestamp" > p_after and "timestamp" <= p_to
            or "timestamp" is null
            or "timestamp" >= '-infinity' and "timestamp" < '2000-01-01Z'
            or "timestamp" >= '10000-01-01Z' and "timestamp" <= 'infinity'
        )

    union all
    select
        'alerts', id, 'app_alert', type, coalesce(ops.severity_of(severity), 'medium'), "timestamp", message,
        coalesce(resolved, false) or coalesce(acknowledged, false), coalesce(resolved, false)
    from public.alerts
    where "timestamp" > p_after and "timestamp" <= p_to
        or "timestamp" is null
        or "timestamp" >= '-infinity' and "timestamp" < '2000-01-01Z'
        or "timestamp" >= '10000-01-01Z' and "timestamp" <= 'infinity';
end
$$;

comment on function ops.written_events(timestamptz, timestamptz, text) is
    'The application''s critical errors and alerts whose time is after p_after, up to p_to, and those that have no time, or none between the years 2000 and 9999. Only errors know an environment; alerts count for every one.';

create or replace function ops.app_events(p_after timestamptz, p_to timestamptz, p_environment text)
returns setof ops.app_event
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with written as (
        select * from ops.written_events(p_after, p_to, p_environment)
    ),
    -- What has no time of its own happened when it was noticed.
    timeless as (
        select written.*, noticed.at as noticed_at
        from written
        left join ops.noticed_events as noticed on noticed.source = written.source and noticed.id = written.id
        where (written.at > p_after and written.at <= p_to) is not true
    )
    select * from written where at > p_after and at <= p_to
    union all
    select source, id, rule, kind, severity, noticed_at, message, handled, resolved
    from timeless
    where noticed_at > p_after
    union all
    (
        select source, id, rule, kind, severity, p_to, message, handled, resolved
        from timeless
        where noticed_at is null and not handled
        -- Whoever writes no times at all is told of them part by part.
        limit 1000
    );
end
$$;

comment on function ops.app_events(timestamptz, timestamptz, text) is
    'The application''s events after p_after, up to p_to. One without a time of its own happened when it was noticed, or at p_to if nobody has noticed it; of the latter there are 1,000 at most.';

create or replace function ops.event_subject(p_rule text, p_kind text, p_key text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case p_rule when 'app_alert' then p_kind else p_kind || ':' || p_key end
$$;

comment on function ops.event_subject(text, text, text) is 'The subject of an alert about an event.';

create or replace function ops.event_fingerprint(p_rule text, p_kind text, p_key text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case p_rule when 'app_alert' then 'app' else p_rule end || ':' || p_kind || ':' || p_key
$$;

comment on function ops.event_fingerprint(text, text, text) is
    'The fingerprint of an alert about an event; p_key is the hash of the event''s normalised message.';

create or replace function ops.events_from(p_since timestamptz, p_now timestamptz, p_settings jsonb)
returns timestamptz
language sql
immutable
set search_path = ''
as $$
    select least(p_now - ops.minutes(p_settings, 'window.critical_error_minutes'), p_since)
$$;

comment on function ops.events_from(timestamptz, timestamptz, jsonb) is
    'From when on a tick looks for events: at least since the last tick.';

create or replace function ops.notice_events(
    p_since timestamptz,
    p_now timestamptz,
    p_environment text,
    p_settings jsonb
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- These were noticed before; the tick that has committed since has counted them.
    update ops.noticed_events set fresh = false where fresh;

    insert into ops.noticed_events (source, id, at, fresh)
    select event.source, event.id, event.at, true
    from ops.app_events(ops.events_from(p_since, p_now, p_settings), p_now, p_environment) as event
    where not event.handled
    on conflict (source, id) do nothing;

    -- The window reaches back a day at most, or as far as the last tick. What has no time of
    -- its own would be new again.
    delete from ops.noticed_events as noticed
    where noticed.at < least(p_now - interval '2 days', p_since)
        and not exists (
            select
            from ops.written_events(p_now, p_now, p_environment) as event
            where event.source = noticed.source and event.id = noticed.id
        );
end
$$;

comment on function ops.notice_events(timestamptz, timestamptz, text, jsonb) is
    'Notices the events that nobody has noticed yet, so that the tick under way counts them, and forgets those that no tick looks at any more.';

create or replace function ops.observe_event(p_event ops.app_event)
returns ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        p_event.rule,
        ops.event_subject(p_event.rule, p_event.kind, key),
        'bad',
        p_fingerprint => ops.event_fingerprint(p_event.rule, p_event.kind, key),
        p_severity => p_event.severity,
        p_samples => 1,
        p_facts => jsonb_build_object('service', 'app', 'message', left(p_event.message, 500), 'since', p_event.at)
    )
    from (select ops.message_key(p_event.message) as key) as normalised
$$;

comment on function ops.observe_event(ops.app_event) is
    'The verdict on a single event, which is always bad. It opens the same alert that a tick would open about the event.';
