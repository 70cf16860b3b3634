-- These functions plan the ladder of an alert: who is asked, and when. The plan is made once
-- for each severity that an alert has; contacts that change later change nothing in it.

create or replace function ops.find_rungs(p_contacts ops.contacts[], p_opened timestamptz)
returns table (
    heeds_hours boolean, from_level integer, begins_at timestamptz,
    level integer, contact ops.contacts, later interval
)
language sql
stable
set search_path = ''
as $$
    with levels as (
        select roles.level, make_interval(mins => min(roles.after_minutes)) as after
        from ops.contact_roles as roles
        group by roles.level
    ),
    people as (
        select
            listed::ops.contacts as contact,
            roles.level,
            -- This is how long after the first of the same level a role is asked.
            make_interval(mins => roles.after_minutes) - levels.after as later
        from unnest(p_contacts) as listed
        join ops.contact_roles as roles on roles.role = listed.role
        join levels on levels.level = roles.level
    )
    select heed.hours, levels.level, p_opened + levels.after, people.level, people.contact, people.later
    from levels
    join people on people.level >= levels.level
    cross join (values (true), (false)) as heed (hours)
    where not heed.hours or ops.is_on_duty(people.contact, p_opened + levels.after + people.later)
$$;

comment on function ops.find_rungs(ops.contacts[], timestamptz) is
    'Returns for the beginning of each level everybody of that level or above who may be asked then, once with their hours heeded and once without. later says how long after the first of their level they are asked.';

create or replace function ops.plan_ladder(p_contacts ops.contacts[], p_opened timestamptz)
returns table (level integer, due_at timestamptz, contact ops.contacts, passed integer[])
language sql
stable
set search_path = ''
as $$
    with rungs as (
        select *
        from ops.find_rungs(p_contacts, p_opened) as rung
        -- If the hours leave nobody for the first level, all hours are ignored.
        where rung.heeds_hours = exists (
            select
            from ops.find_rungs(p_contacts, p_opened) as heeding
            where heeding.heeds_hours and heeding.from_level = 1
        )
    ),
    -- A level without people is replaced by the next level that has somebody.
    targets as (
        select rungs.from_level, min(rungs.level) as level
        from rungs
        group by rungs.from_level
    ),
    -- Each level is asked only once, at the earliest of its times.
    first_asked as (
        select targets.level, min(targets.from_level) as from_level
        from targets
        group by targets.level
    )
    select
        rungs.level,
        rungs.begins_at + rungs.later - min(rungs.later) over (partition by rungs.level),
        rungs.contact,
        array(select generate_series(first_asked.from_level, first_asked.level - 1))
    from first_asked
    join rungs using (level, from_level)
    order by 2, 1, (rungs.contact).name
$$;

comment on function ops.plan_ladder(ops.contacts[], timestamptz) is
    'Returns who is asked when about a critical alert that opened then, as the matrix in ops.contact_roles says. The next level that has somebody takes the place of an empty one; passed names the empty levels.';

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

create or replace function ops.plan_escalations(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- The plan of an alert that resolved, or whose severity changed, is stopped.
    update ops.escalations as step
    set status = 'stopped'
    from ops.alerts as alert
    where step.alert = alert.id
        and step.status = 'waiting'
        and (alert.status = 'resolved' or alert.severity <> step.severity);

    insert into ops.escalations (alert, severity, level, due_at, person, passed)
    select alert.id, alert.severity, rung.level, rung.due_at, ops.person_document(rung.contact), rung.passed
    from ops.alerts as alert
    cross join lateral ops.plan_ladder(
        array(select contact from ops.contacts as contact), p_now
    ) as rung
    where alert.severity = 'critical' and alert.status <> 'resolved' and not ops.has_plan(alert)
    union all
    select
        alert.id, alert.severity, null,
        p_now + ops.minutes(p_context.settings, 'escalation.email_after_minutes'), null, '{}'
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
end
$$;

comment on function ops.plan_escalations(ops.context, timestamptz) is
    'Stops the plans that no longer hold, and gives every open critical alert its ladder and every open high one its email, if it has none for its severity. Every call that may have opened an alert calls this through ops.advance_ladder, and so does each tick, so that no ladder is forgotten. The times count from this call. Without contacts a critical alert gets no ladder.';
