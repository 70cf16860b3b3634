-- These functions plan the ladder of an alert: when each rung is due. Whom a rung asks is
-- decided when it is due, because shifts change meanwhile. After its last rung the ladder
-- begins again, until somebody answers.

create or replace function ops.list_rungs()
returns table (level integer, after_minutes integer)
language sql
stable
set search_path = ''
as $$
    select distinct roles.level, roles.after_minutes
    from ops.contact_roles as roles
    where roles.level is not null
$$;

comment on function ops.list_rungs() is
    'Returns the rungs of a ladder as the matrix in ops.contact_roles says: each level begins with the roles of its fewest minutes, and its other roles follow.';

create or replace function ops.plan_ladder(p_begins_at timestamptz)
returns table (level integer, after_minutes integer, due_at timestamptz)
language sql
stable
set search_path = ''
as $$
    select
        rung.level, rung.after_minutes,
        p_begins_at + make_interval(mins => rung.after_minutes - (min(rung.after_minutes) over ())::integer)
    from ops.list_rungs() as rung
    order by 3, 1
$$;

comment on function ops.plan_ladder(timestamptz) is 'Returns the rungs of a ladder that begins then, and when each is due.';

create or replace function ops.has_plan(p_alert ops.alerts)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select from ops.escalations where alert = p_alert.id and severity = p_alert.severity
    )
$$;

comment on function ops.has_plan(ops.alerts) is 'Returns whether an alert has a ladder for the severity that it has now.';

create or replace function ops.has_ladder_people()
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select
        from ops.contacts as contact
        join ops.contact_roles as roles on roles.role = contact.role
        where roles.level is not null
    )
$$;

comment on function ops.has_ladder_people() is 'Returns whether there is a contact whom a ladder may ask.';

create or replace function ops.stop_plans()
returns void
language sql
set search_path = ''
as $$
    update ops.escalations as step
    set status = 'stopped'
    from ops.alerts as alert
    where step.alert = alert.id
        and step.status = 'waiting'
        and (alert.status = 'resolved' or alert.severity <> step.severity)
$$;

comment on function ops.stop_plans() is 'Stops the plans of alerts that resolved or whose severity changed.';

create or replace function ops.plan_rounds(p_context ops.context)
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.escalations (alert, severity, round, level, after_minutes, due_at)
    select climbed.id, 'critical', climbed.round + 1, rung.level, rung.after_minutes, rung.due_at
    from (
        select alert.id, max(step.round) as round, max(step.due_at) as last_due_at
        from ops.alerts as alert
        join ops.escalations as step on step.alert = alert.id and step.severity = alert.severity
        where alert.severity = 'critical' and alert.status <> 'resolved'
        group by alert.id
        having not bool_or(step.status = 'waiting')
    ) as climbed
    cross join lateral ops.plan_ladder(
        climbed.last_due_at + ops.minutes(p_context.settings, 'escalation.repeat_minutes')
    ) as rung
    where ops.has_ladder_people();
end
$$;

comment on function ops.plan_rounds(ops.context) is
    'Plans the next round of each ladder that has been climbed and that nobody has answered.';

create or replace function ops.plan_escalations(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.stop_plans();
    insert into ops.escalations (alert, severity, level, after_minutes, due_at)
    select alert.id, alert.severity, rung.level, rung.after_minutes, rung.due_at
    from ops.alerts as alert
    cross join lateral ops.plan_ladder(p_now) as rung
    where alert.severity = 'critical'
        and alert.status <> 'resolved'
        and not ops.has_plan(alert)
        and ops.has_ladder_people()
    union all
    -- What is not critical asks whoever wants that, and climbs no further.
    select alert.id, alert.severity, 1, 0, p_now
    from ops.alerts as alert
    where alert.severity in ('high', 'medium')
        and alert.status <> 'resolved'
        and not ops.has_plan(alert)
        and exists (select from ops.contacts as willing where willing.ways ? alert.severity)
    union all
    select
        alert.id, alert.severity, null, null,
        p_now + ops.minutes(p_context.settings, 'escalation.email_after_minutes')
    from ops.alerts as alert
    where alert.severity = 'high'
        and alert.status <> 'resolved'
        and not ops.has_plan(alert)
        -- Email is added only where it is configured, is not what the alert is about, and
        -- does not get the firing anyway.
        and 'email' = any (p_context.channels)
        and ops.concerned_channel(alert.rule, alert.subject) is distinct from 'email'
        and not exists (
            select from ops.route_alert(alert, p_context.channels) as route where route.channel = 'email'
        );
    perform ops.plan_rounds(p_context);
end
$$;

comment on function ops.plan_escalations(ops.context, timestamptz) is
    'Stops the plans that no longer hold, gives every open critical alert its ladder, every open high one its email, and every high or medium one a rung for whoever wants to be reached by it, if it has none for its severity, and begins a climbed ladder again. Every call that may have opened an alert calls this through ops.advance_ladder, and so does each tick, so that no ladder is forgotten. The times count from this call. Without contacts a critical alert gets no ladder.';
