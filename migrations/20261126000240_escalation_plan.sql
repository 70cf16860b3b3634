-- Escalation, the plan: who is asked when, decided once when an alert opens.
--
-- Why: a page that nobody answers has to reach somebody else, at times that are
-- known before they come. The plan is a snapshot: changing the contacts while
-- an alert is open changes nothing about it.
-- Read by: the ladder (the next file), `pourtrait alerts list`.
-- Undo: drop the functions, ops.escalations, and the two settings.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
values
    ('escalation.acknowledged_minutes', 'integer', '60', '60', 5, 1440, 'min', 'How long an acknowledgement holds; an alert that is not resolved by then fires again.'),
    ('escalation.email_after_minutes', 'integer', '15', '15', 1, 1440, 'min', 'After how long a high alert that nobody acknowledged is told by email too.');

create table ops.escalations (
    id bigint generated always as identity primary key,
    alert uuid not null references ops.alerts (id),
    severity text not null check (severity in ('critical', 'high')),
    level integer check (level between 1 and 4),
    due_at timestamptz not null,
    person jsonb,
    passed integer[] not null default '{}',
    status text not null default 'waiting' check (status in ('waiting', 'told', 'stopped')),
    told_at timestamptz,
    check ((level is null) = (person is null)),
    check ((status = 'told') = (told_at is not null))
);

comment on table ops.escalations is 'The ladder of each alert: one row a person and time, made when it opened.';
comment on column ops.escalations.severity is 'Severity of the alert when this was planned; once it is worse, another plan holds.';
comment on column ops.escalations.level is 'Null for the email that a high alert adds.';
comment on column ops.escalations.person is 'The contact as of the snapshot.';
comment on column ops.escalations.passed is 'Levels that had nobody, so that this one is asked in their place.';
comment on column ops.escalations.status is 'stopped: over or replaced before its time came.';

create index escalations_alert_idx on ops.escalations (alert, due_at);
create index escalations_waiting_idx on ops.escalations (due_at) where status = 'waiting';

alter table ops.escalations enable row level security;

-- The plan -------------------------------------------------------------------

create function ops.find_rungs(p_contacts ops.contacts[], p_opened timestamptz)
returns table (heeds_hours boolean, from_level integer, begins_at timestamptz, level integer, contact ops.contacts, later interval)
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
            -- How long after the first of the same level.
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
    'For the beginning of each level, everybody of that level or above who may be asked then; later says how long after the first of their level.';

create function ops.plan_ladder(p_contacts ops.contacts[], p_opened timestamptz)
returns table (level integer, due_at timestamptz, contact ops.contacts, passed integer[])
language sql
stable
set search_path = ''
as $$
    with rungs as (
        select *
        from ops.find_rungs(p_contacts, p_opened) as rung
        -- Hours choose among people; they never leave the beginning to nobody.
        where rung.heeds_hours = exists (
            select
            from ops.find_rungs(p_contacts, p_opened) as heeding
            where heeding.heeds_hours and heeding.from_level = 1
        )
    ),
    -- An empty level falls through to the next that has somebody.
    targets as (
        select rungs.from_level, min(rungs.level) as level
        from rungs
        group by rungs.from_level
    ),
    -- Each level is asked once, at the earliest of its times.
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
    'Who is asked when about a critical alert that opened then, as the matrix of ops.contact_roles says: an empty level falls through to the next filled one, whose place it takes; passed names such levels.';

create function ops.has_plan(p_alert ops.alerts)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select from ops.escalations where alert = p_alert.id and severity = p_alert.severity
    )
$$;

comment on function ops.has_plan(ops.alerts) is 'Whether an alert has its ladder for the severity that it has now.';

create function ops.plan_escalations(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- What is over, or became worse, needs no more steps of that plan.
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
        -- Email is added where it is there to be added.
        and 'email' = any (p_context.channels)
        and not exists (
            select from ops.route('high', p_context.channels) as route where route.channel = 'email'
        );
end
$$;

comment on function ops.plan_escalations(ops.context, timestamptz) is
    'Gives every open critical alert its ladder and every high one its email, if it has none yet: in the transaction that opens it, or else at the next occasion, so that no way of opening an alert can forget it. Without contacts a critical alert has none.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
