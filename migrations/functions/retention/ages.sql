-- How long what is kept: by the setting of its class, and longer where it is evidence of an
-- incident that is not over, or has only just ended.

create or replace function ops.evidence_incident(p_settings jsonb, p_now timestamptz)
returns ops.incidents
language plpgsql
stable
set search_path = ''
as $$
declare
    v_incident ops.incidents;
begin
    select incident.* into v_incident
    from ops.incidents as incident
    left join ops.incident_users as counted
        on counted.incident = incident.id and counted.resolved_at = incident.resolved_at
    where incident.resolved_at is null
        or incident.resolved_at
            > p_now - make_interval(hours => 24 * (p_settings ->> 'retention.evidence_days')::integer)
        or counted.incident is null
    order by incident.started_at, incident.number
    limit 1;
    return v_incident;
end
$$;

comment on function ops.evidence_incident(jsonb, timestamptz) is
    'The earliest incident whose rows are still wanted: it is open, ended within retention.evidence_days, or its users are not counted yet. Null where there is none.';

create or replace function ops.evidence_from(p_settings jsonb, p_now timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
    v_started_at timestamptz := (ops.evidence_incident(p_settings, p_now)).started_at;
begin
    if v_started_at is null then
        return 'infinity'::timestamptz;
    end if;
    -- What led to it is evidence as well. Nothing that somebody forgot to close keeps people's
    -- rows for good.
    return greatest(v_started_at - interval '1 hour', p_now - interval '9600 hours');
end
$$;

comment on function ops.evidence_from(jsonb, timestamptz) is
    'From when on everything is kept because of an incident: an hour before it began, and at most 400 days back. Infinity where none is.';

create or replace function ops.kept_days(p_class text, p_settings jsonb)
returns integer
language plpgsql
immutable
set search_path = ''
as $$
begin
    return (p_settings ->> format('retention.%s_days', p_class))::integer;
end
$$;

comment on function ops.kept_days(text, jsonb) is 'For how many days a class is kept.';

create or replace function ops.kept_from(p_class text, p_settings jsonb, p_now timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
    return least(
        p_now - make_interval(hours => 24 * ops.kept_days(p_class, p_settings)),
        ops.evidence_from(p_settings, p_now)
    );
end
$$;

comment on function ops.kept_from(text, jsonb, timestamptz) is
    'From when on rows of a class are kept; older ones are deleted.';

create or replace function ops.past_rows(p_name text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    return case p_name
        when 'user_sessions' then 'public.user_sessions where session_start >= $1 and session_start < $2 order by session_start'
        when 'items' then
            'ops.items where day >= ($1 at time zone ''UTC'')::date and day < ($2 at time zone ''UTC'')::date order by day'
        when 'feature_usage' then
            'public.feature_usage where date >= ($1 at time zone ''UTC'')::date'
            ' and date < ($2 at time zone ''UTC'')::date order by date'
        when 'error_logs' then
            'public.error_logs where resolved and coalesce(resolved_at, "timestamp") >= $1'
            ' and coalesce(resolved_at, "timestamp") < $2 order by coalesce(resolved_at, "timestamp")'
        when 'unresolved_errors' then
            'public.error_logs where resolved is not true and "timestamp" >= $1 and "timestamp" < $2'
            ' order by "timestamp"'
        else format('public.%I where "timestamp" >= $1 and "timestamp" < $2 order by "timestamp"', p_name)
    end;
end
$$;

comment on function ops.past_rows(text) is
    'The rows of a kept table whose time lies from $1 on and before $2, the oldest first, as what follows the word from. Each condition has an index that begins with its time.';

create or replace function ops.row_time(p_name text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    return case p_name
        when 'user_sessions' then 'session_start'
        when 'items' then 'at'
        when 'feature_usage' then '(date::timestamp at time zone ''UTC'')'
        when 'error_logs' then 'coalesce(resolved_at, "timestamp")'
        else '"timestamp"'
    end;
end
$$;

comment on function ops.row_time(text) is 'The expression by which a row of a kept table has an age.';
