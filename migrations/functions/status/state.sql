-- How each component is. It follows from our own confirmed alerts, from incidents about which
-- somebody wrote, and from maintenance that was made public. People may say that it is worse
-- at once; that it is better, only with a note.

create or replace function ops.state_rank(p_state text)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- Not known is no worse than fine, and no better.
    select array_position('{operational,maintenance,degraded,partial_outage,major_outage}'::text[], p_state)
$$;

comment on function ops.state_rank(text) is 'How bad a state is, from 1 on; null for unknown.';

create or replace function ops.is_better(p_state text, p_than text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- Whoever says that what is not measured is fine says more than the checks do.
    select ops.state_rank(p_state) < coalesce(ops.state_rank(p_than), 3)
$$;

comment on function ops.is_better(text, text) is
    'Whether a state is better than another, of which unknown counts as bad as degraded.';

create or replace function ops.severity_impact(p_severity text)
returns text
-- PL/pgSQL evaluates such an expression without planning it, and this is asked of every alert.
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return case p_severity
        when 'critical' then 'major_outage'
        when 'high' then 'partial_outage'
        when 'medium' then 'degraded'
    end;
end
$$;

comment on function ops.severity_impact(text) is 'The state that something of a severity makes; null for low.';

create or replace function ops.alert_impact(p_alert ops.alerts)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    -- The rule says the same of a service that is degraded and of one that is down.
    if p_alert.rule = 'service_degraded' then
        return case
            (
                select newest.status
                from ops.samples as newest
                where newest.check_name = p_alert.subject
                order by newest.at desc, newest.id desc
                limit 1
            )
            when 'down' then 'major_outage'
            else 'degraded'
        end;
    end if;
    return case
        when p_alert.rule in ('app_down', 'database_failing') then 'major_outage'
        when p_alert.rule = 'error_rate_high' then 'partial_outage'
        when p_alert.rule in ('app_slow', 'api_slow', 'check_slow') then 'degraded'
        when p_alert.rule = 'check_failing' then ops.severity_impact(p_alert.severity)
    end;
end
$$;

comment on function ops.alert_impact(ops.alerts) is
    'What an alert means for those who use the app; null for one that they do not notice.';

create or replace function ops.concerns_component(p_alert ops.alerts, p_component ops.components)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return coalesce(
        case
            -- A custom check stands for what names it, and for nothing else.
            when p_alert.rule in ('check_failing', 'check_slow') then p_alert.subject = any (p_component.checks)
            else p_alert.facts -> 'affects' ?| p_component.services
        end,
        false
    );
end
$$;

comment on function ops.concerns_component(ops.alerts, ops.components) is
    'Whether an alert is about what feeds a component.';

create or replace function ops.component_checks(p_component ops.components)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select p_component.services || array(select 'check:' || name from unnest(p_component.checks) as name)
$$;

comment on function ops.component_checks(ops.components) is
    'The names among all checks of what measures a component.';

create or replace function ops.is_measured(p_component ops.components, p_environment text, p_now timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
    select cardinality(ops.component_checks(p_component)) > 0 and not exists (
        select
        from unnest(ops.component_checks(p_component)) as feed (name)
        where not exists (
            select
            from (
                select sample.status, sample.at, sample.valid_seconds, sample.environment
                from ops.samples as sample
                where sample.check_name = feed.name and sample.at <= p_now
                order by sample.at desc, sample.id desc
                limit 1
            ) as newest
            where newest.status <> 'unknown'
                and newest.environment = p_environment
                and newest.at + make_interval(secs => newest.valid_seconds) > p_now
        )
    )
$$;

comment on function ops.is_measured(ops.components, text, timestamptz) is
    'Whether something is known now from each check that feeds a component.';

create or replace function ops.component_troubles(
    p_component ops.components,
    p_now timestamptz,
    out state text,
    out since timestamptz
)
returns setof record
language sql
stable
set search_path = ''
as $$
    select ops.alert_impact(alert), alert.first_bad_at
    from ops.alerts as alert
    where alert.status <> 'resolved'
        and ops.concerns_component(alert, p_component)
        and ops.alert_impact(alert) is not null

    union all
    select
        -- It seems to be over, and nobody says so yet.
        case incident.status when 'monitoring' then 'degraded' else ops.severity_impact(incident.severity) end,
        incident.started_at
    from ops.incidents as incident
    where incident.status <> 'resolved'
        and incident.opened_by is not null
        and incident.started_at <= p_now
        and incident.affects && p_component.services
        and ops.severity_impact(incident.severity) is not null
        and exists (
            select
            from ops.incident_events as event
            where event.incident = incident.id and event.kind = 'public_update'
        )
$$;

comment on function ops.component_troubles(ops.components, timestamptz) is
    'What is wrong with a component: its open alerts, and the incidents that people opened and wrote about.';

create or replace function ops.public_maintenance(p_component ops.components, p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select min(lower(occurrence))
    from ops.maintenance_windows as announced
    -- What is in force now began within the longest window that there may be.
    cross join lateral ops.occurrences(announced, p_now - interval '30 days', p_now + interval '1 second') as occurrence
    where announced.public_words is not null
        and announced.starts_at <= p_now
        and announced.ends_at > p_now
        and occurrence @> p_now
        and ops.window_concerns(announced, p_component)
$$;

comment on function ops.public_maintenance(ops.components, timestamptz) is
    'Since when a component is in maintenance that was made public; null if it is not.';

create or replace function ops.window_concerns(p_window ops.maintenance_windows, p_component ops.components)
returns boolean
language sql
immutable
set search_path = ''
as $$
    select (p_window.checks = '{}' and p_window.services = '{}')
        or p_window.checks && ops.component_checks(p_component)
        or p_window.services && p_component.services
$$;

comment on function ops.window_concerns(ops.maintenance_windows, ops.components) is
    'Whether a window is about what feeds a component.';

create or replace function ops.measure_component(
    p_component ops.components,
    p_environment text,
    p_now timestamptz,
    out state text,
    out since timestamptz
)
language plpgsql
stable
set search_path = ''
as $$
begin
    since := ops.public_maintenance(p_component, p_now);
    if since is not null then
        state := 'maintenance';
        return;
    end if;
    select worst.state, worst.since into state, since
    from (
        select trouble.state, min(trouble.since) over () as since
        from ops.component_troubles(p_component, p_now) as trouble
        order by ops.state_rank(trouble.state) desc
        limit 1
    ) as worst;
    if state is null then
        state := case when ops.is_measured(p_component, p_environment, p_now) then 'operational' else 'unknown' end;
    end if;
end
$$;

comment on function ops.measure_component(ops.components, text, timestamptz) is
    'How a component is, whatever somebody says of it, and since when something is wrong.';

create or replace function ops.read_component(
    p_component ops.components,
    p_environment text,
    p_now timestamptz,
    out state text,
    out since timestamptz,
    out measured text,
    out by_hand boolean
)
language plpgsql
stable
set search_path = ''
as $$
begin
    select now_is.state, now_is.since into measured, since
    from ops.measure_component(p_component, p_environment, p_now) as now_is;
    by_hand := p_component.state is not null
        and p_component.said_until > p_now
        and p_component.state <> measured
        and (p_component.note is not null or not ops.is_better(p_component.state, measured));
    state := measured;
    if by_hand then
        state := p_component.state;
        since := case
            when ops.is_better(p_component.state, measured) then p_component.said_at
            else coalesce(since, p_component.said_at)
        end;
    end if;
end
$$;

comment on function ops.read_component(ops.components, text, timestamptz) is
    'How a component is shown: as it is measured, or as somebody says. A word that is better than what is measured counts only with a note.';
