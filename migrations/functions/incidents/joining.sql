-- These functions decide which incident an alert joins, and when an incident ends by
-- itself. People open and resolve incidents by hand, and no alert may undo that: an incident
-- that people opened takes only alerts about the services it names, and only people resolve
-- it; one that people resolved stays resolved. An incident that ended by itself opens again
-- if the same alert comes back within minutes.

create or replace function ops.join_incident(p_alert ops.alerts, p_context ops.context)
returns uuid
language sql
set search_path = ''
as $$
    select ops.enlist_alert(p_alert, p_context, p_alert.opened_at)
$$;

comment on function ops.join_incident(ops.alerts, ops.context) is
    'Puts an alert that has just opened into its incident and returns it; null for an alert that needs none.';

create or replace function ops.close_incident(p_alert ops.alerts, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.incidents
    set status = 'resolved', resolved_at = p_now, updated_at = p_now, updated_by = null
    where id = p_alert.incident
        and status <> 'resolved'
        and opened_by is null
        and not exists (select from ops.alerts where incident = p_alert.incident and status <> 'resolved');
    if found then
        perform ops.tell_of_alerts(p_alert.incident, 'resolved', p_alert, ops.served_channels(), p_now);
    end if;
end
$$;

comment on function ops.close_incident(ops.alerts, timestamptz) is
    'Resolves the incident of an alert if an alert opened it and all of its alerts are resolved, and tells the stakeholders. One that a person opened stays open.';

create or replace function ops.is_report(p_alert ops.alerts)
returns boolean
language sql
immutable
set search_path = ''
as $$
    select p_alert.rule = 'external' and coalesce(p_alert.facts #>> '{detail,source}', '') = 'user-report'
$$;

comment on function ops.is_report(ops.alerts) is 'Returns whether an alert is a report of a user.';

create or replace function ops.find_incident(p_affects text[])
returns uuid
language sql
stable
set search_path = ''
as $$
    select id
    from ops.incidents
    where status <> 'resolved'
        -- An incident that a person opened takes alerts about the services that it names,
        -- or all alerts if it names none.
        and (opened_by is null or affects = '{}' or affects && p_affects)
    order by started_at desc, number desc
    limit 1
$$;

comment on function ops.find_incident(text[]) is
    'Finds the newest unresolved incident that takes an alert about those services; null if there is none.';

create or replace function ops.find_reported(p_fingerprint text)
returns uuid
language sql
stable
set search_path = ''
as $$
    select incident.id
    from ops.alerts as alert
    join ops.incidents as incident on incident.id = alert.incident
    where alert.fingerprint = p_fingerprint and incident.status <> 'resolved'
    order by alert.opened_at desc
    limit 1
$$;

comment on function ops.find_reported(text) is
    'Finds the unresolved incident of an earlier alert with the same fingerprint, so that a repeated report joins it; null if there is none.';

create or replace function ops.reopen_incident(p_fingerprint text, p_settings jsonb, p_now timestamptz)
returns uuid
language sql
set search_path = ''
as $$
    update ops.incidents
    set status = 'investigating', resolved_at = null, updated_at = p_now, updated_by = null
    where id = (
        select ended.id
        from ops.incidents as ended
        where ended.status = 'resolved'
            and ended.resolved_at > p_now - ops.minutes(p_settings, 'incident.reopen_minutes')
            and ended.opened_by is null
            and ended.resolved_by is null
            and exists (
                select
                from ops.alerts as alert
                where alert.incident = ended.id and alert.fingerprint = p_fingerprint
            )
        order by ended.resolved_at desc, ended.number desc
        limit 1
    )
    returning id
$$;

comment on function ops.reopen_incident(text, jsonb, timestamptz) is
    'Reopens an incident that ended by itself a short time ago and had an alert of that fingerprint; null if there is none.';

create or replace function ops.begin_incident(p_alert ops.alerts, p_context ops.context, p_now timestamptz)
returns uuid
language sql
set search_path = ''
as $$
    insert into ops.incidents (
        severity, started_at, rule, subject, deployment_id, commit_sha, title, opened_by, updated_at
    )
    values (
        p_alert.severity, p_alert.first_bad_at, p_alert.rule, p_alert.subject,
        p_context.deployment, p_context.commit,
        case when ops.is_report(p_alert) then p_alert.facts ->> 'title' end,
        case when ops.is_report(p_alert) then 'user-report' end,
        p_now
    )
    returning id
$$;

comment on function ops.begin_incident(ops.alerts, ops.context, timestamptz) is
    'Opens an incident for its first alert. Only a user''s report gives it a title and an opener.';

create or replace function ops.enlist_alert(p_alert ops.alerts, p_context ops.context, p_now timestamptz)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
    v_affects text[] := array(select jsonb_array_elements_text(p_alert.facts -> 'affects'));
    v_incident uuid := p_alert.incident;
    v_what text;
begin
    if v_incident is null and ops.is_report(p_alert) then
        v_incident := ops.find_reported(p_alert.fingerprint);
    elsif v_incident is null and ops.severity_rank(p_alert.severity) >= ops.severity_rank('high') then
        v_incident := ops.find_incident(v_affects);
        if v_incident is null then
            v_incident := ops.reopen_incident(p_alert.fingerprint, p_context.settings, p_now);
            v_what := case when v_incident is not null then 'reopened' end;
        end if;
    end if;
    if v_incident is null
        and (ops.is_report(p_alert) or ops.severity_rank(p_alert.severity) >= ops.severity_rank('high'))
    then
        v_incident := ops.begin_incident(p_alert, p_context, p_now);
        v_what := 'opened';
    end if;

    update ops.incidents
    set
        severity = case
            when ops.severity_rank(p_alert.severity) > ops.severity_rank(severity) then p_alert.severity
            else severity
        end,
        affects = array(select distinct unnest(affects || v_affects) order by 1),
        -- What else fails in the first ten minutes belongs to the beginning. Reading the
        -- services once for each tick is enough.
        services = case
            when updated_at < p_now and started_at > p_now - interval '10 minutes'
            then ops.services_at(started_at, p_now)
            else services
        end,
        updated_at = p_now,
        updated_by = null
    -- An incident that is resolved stays as it is.
    where id = v_incident and status <> 'resolved';

    update ops.alerts
    set incident = v_incident
    where id = p_alert.id and incident is distinct from v_incident;
    if v_what is not null then
        perform ops.tell_of_alerts(v_incident, v_what, p_alert, p_context.channels, p_now);
    end if;
    return v_incident;
end
$$;

comment on function ops.enlist_alert(ops.alerts, ops.context, timestamptz) is
    'Puts a critical or high alert into the newest unresolved incident that takes it, into one that has just ended by itself and had the same alert, or into a new one; puts a user''s report into its own. An alert that has an incident stays there and raises its severity. Tells the stakeholders of an incident that begins. Returns the incident; null for an alert that needs none.';
