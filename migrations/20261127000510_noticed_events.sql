-- Events of the application: each row is noticed once, by a tick or by a webhook.
--
-- Why: a webhook of the database tells of a row at once, and the tick after it
-- reads the same row. Whoever comes first notices it, and it is counted then;
-- that a row was written late, or is told twice, changes nothing. A webhook is
-- only a hint: what it is about is read here.
-- Read by: the tick, POST /api/alerts/dispatch.
-- Undo: put back the former ops.observe_events and ops_commit_tick; drop the
-- functions, the type and the table of this file.

set local search_path = '';

create table ops.noticed_events (
    source text not null check (source in ('error_logs', 'alerts')),
    id uuid not null,
    at timestamptz not null,
    fresh boolean not null,
    primary key (source, id)
);

comment on table ops.noticed_events is 'Rows of the application that were noticed of late.';
comment on column ops.noticed_events.source is 'The table of the application; id is the row''s.';
comment on column ops.noticed_events.at is 'When it happened, as the row says.';
comment on column ops.noticed_events.fresh is 'Noticed by the newest tick, which counts it; false once it is counted.';

create index noticed_events_at_idx on ops.noticed_events (at);
create index noticed_events_fresh_idx on ops.noticed_events (source) where fresh;

alter table ops.noticed_events enable row level security;

create type ops.app_event as (
    source text,
    id uuid,
    rule text,
    kind text,
    severity text,
    at timestamptz,
    message text,
    handled boolean,
    resolved boolean
);

comment on type ops.app_event is
    'A row of the application that is an event: of which rule and kind, and whether somebody has seen to it.';

-- Which rows are events ------------------------------------------------------

create function ops.app_events(p_after timestamptz, p_to timestamptz, p_environment text)
returns setof ops.app_event
language sql
stable
set search_path = ''
as $$
    select
        'error_logs', id, 'critical_error', 'error', 'critical', "timestamp", message,
        coalesce(resolved, false), coalesce(resolved, false)
    from public.error_logs
    where severity = 'critical'
        and coalesce(environment, 'production') = p_environment
        and "timestamp" > p_after
        and "timestamp" <= p_to

    union all
    select
        'alerts', id, 'app_alert', type, coalesce(ops.severity_of(severity), 'medium'), "timestamp", message,
        coalesce(resolved, false) or coalesce(acknowledged, false), coalesce(resolved, false)
    from public.alerts
    where "timestamp" > p_after
        and "timestamp" <= p_to
$$;

comment on function ops.app_events(timestamptz, timestamptz, text) is
    'The application''s critical errors and alerts after p_after, up to p_to.';

create function ops.event_subject(p_rule text, p_kind text, p_key text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case p_rule when 'app_alert' then p_kind else p_kind || ':' || p_key end
$$;

comment on function ops.event_subject(text, text, text) is 'What an alert about an event is about.';

create function ops.event_fingerprint(p_rule text, p_kind text, p_key text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case p_rule when 'app_alert' then 'app' else p_rule end || ':' || p_kind || ':' || p_key
$$;

comment on function ops.event_fingerprint(text, text, text) is
    'The identity of an alert about an event: p_key is the hash of its normalised message.';

create function ops.events_from(p_since timestamptz, p_now timestamptz, p_settings jsonb)
returns timestamptz
language sql
immutable
set search_path = ''
as $$
    select least(p_now - ops.minutes(p_settings, 'window.critical_error_minutes'), p_since)
$$;

comment on function ops.events_from(timestamptz, timestamptz, jsonb) is
    'How far back events are looked for: never less than since the last tick.';

-- Noticing -------------------------------------------------------------------

create function ops.notice_events(
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
    -- The tick that noticed these has counted them, or it would not have committed.
    update ops.noticed_events set fresh = false where fresh;

    insert into ops.noticed_events (source, id, at, fresh)
    select event.source, event.id, event.at, true
    from ops.app_events(ops.events_from(p_since, p_now, p_settings), p_now, p_environment) as event
    where not event.handled
    on conflict (source, id) do nothing;

    -- No window reaches further back than a day, unless no tick did.
    delete from ops.noticed_events where at < least(p_now - interval '2 days', p_since);
end
$$;

comment on function ops.notice_events(timestamptz, timestamptz, text, jsonb) is
    'Notices the events that nobody has noticed yet, for the tick that follows to count, and forgets what no tick looks at any more.';

-- What was there before has been counted.
insert into ops.noticed_events (source, id, at, fresh)
select event.source, event.id, event.at, false
from ops.jobs as job
cross join unnest('{production,preview,development}'::text[]) as environment (name)
cross join lateral ops.app_events(job.committed_at - interval '1 day', job.committed_at, environment.name) as event
where job.job = 'monitor'
on conflict (source, id) do nothing;

-- Verdicts -------------------------------------------------------------------

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
    horizon as (
        select
            case
                when exists (select from ops.alert_states where rule in ('critical_error', 'app_alert'))
                then least(seen_from, quiet_from)
                else seen_from
            end as at
        from bounds
    ),
    events as (
        select
            event.*,
            ops.message_key(event.message) as key,
            noticed.fresh,
            -- What nobody has noticed yet is the next tick's, count included.
            noticed.id is not null and not event.handled and event.at > bounds.seen_from as counts
        from horizon
        cross join bounds
        cross join lateral ops.app_events(horizon.at, p_now, p_environment) as event
        left join ops.noticed_events as noticed on noticed.source = event.source and noticed.id = event.id
    ),
    grouped as (
        select
            rule,
            ops.event_fingerprint(rule, kind, key) as fingerprint,
            ops.event_subject(rule, kind, key) as subject,
            (array_agg(severity order by ops.severity_rank(severity) desc))[1] as severity,
            (array_agg(message order by at desc))[1] as message,
            min(at) filter (where counts) as since,
            count(*) filter (where counts) as seen,
            count(*) filter (where counts and fresh) as fresh,
            bool_and(resolved) as all_resolved
        from events
        group by rule, kind, key
    )
    select
        coalesce(grouped.fingerprint, state.fingerprint),
        coalesce(grouped.rule, state.rule),
        coalesce(grouped.subject, state.subject),
        grouped.severity,
        case
            when grouped.seen > 0 then 'bad'
            when grouped.all_resolved then 'good'
            when state.last_bad_at <= bounds.quiet_from then 'good'
            else 'insufficient'
        end,
        null::numeric,
        null::numeric,
        null,
        coalesce(grouped.seen, 0),
        coalesce(grouped.fresh, 0),
        jsonb_strip_nulls(jsonb_build_object(
            'service', 'app',
            'message', left(grouped.message, 500),
            'since', grouped.since
        )),
        null::bigint
    from grouped
    full join (
        select * from ops.alert_states where rule in ('critical_error', 'app_alert')
    ) as state on state.fingerprint = grouped.fingerprint
    cross join bounds
    where grouped.seen > 0 or state.fingerprint is not null
$$;

create function ops.observe_event(p_event ops.app_event)
returns ops.observation
language sql
stable
set search_path = ''
as $$
    select row(
        ops.event_fingerprint(p_event.rule, p_event.kind, key),
        p_event.rule,
        ops.event_subject(p_event.rule, p_event.kind, key),
        p_event.severity,
        'bad',
        null, null, null, 1, 1,
        jsonb_build_object('service', 'app', 'message', left(p_event.message, 500), 'since', p_event.at),
        -- No tick's: the one that is under way still has its say.
        null
    )::ops.observation
    from (select ops.message_key(p_event.message) as key) as normalised
$$;

comment on function ops.observe_event(ops.app_event) is
    'The verdict on one row of the application, which is bad: the same alert that the tick makes of it.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
