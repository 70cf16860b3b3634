-- What the rules observe of the on-call calendar: whether somebody has each rotation in the
-- time to come, and whether the calendars from outside can be read.

create or replace function ops.observe_oncall_holes(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
    with holes as (
        select rotation.name, hole.starts_at, hole.ends_at
        from ops.rotations as rotation
        -- An hour more, so that who reads of it has the whole time.
        cross join lateral ops.find_holes(
            rotation.id, p_now,
            p_now + make_interval(hours => 24 * (p_settings ->> 'threshold.oncall_hole_days')::integer + 1)
        ) as hole
    ),
    subjects as (
        select name from ops.rotations
        union
        select subject from ops.alert_states where rule = 'oncall_hole'
    ),
    judged as (
        select
            subjects.name,
            count(holes.name) as holes,
            min(holes.starts_at) as starts_at,
            (array_agg(holes.ends_at order by holes.starts_at))[1] as ends_at,
            round(extract(epoch from sum(holes.ends_at - holes.starts_at)) / 60) as minutes
        from subjects
        left join holes on holes.name = subjects.name
        group by subjects.name
    )
    select ops.make_observation(
        'oncall_hole', judged.name, case when judged.holes > 0 then 'bad' else 'good' end,
        judged.minutes, null, 'min',
        p_facts => jsonb_build_object(
            'service', 'monitoring',
            'detail', case
                when judged.holes > 0 then jsonb_build_object(
                    'hole', jsonb_build_object('from', judged.starts_at, 'to', judged.ends_at), 'holes', judged.holes
                )
                else '{}'
            end
        )
    )
    from judged
$$;

comment on function ops.observe_oncall_holes(timestamptz, jsonb) is
    'The verdicts on rotations: bad while nobody has one at some time of the days to come, with when that is first and how often. A rotation that was removed is good.';

create or replace function ops.observe_calendars(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with calendars as (
        select
            rotation.name, calendar.read_at, calendar.error,
            round(extract(epoch from p_now - coalesce(calendar.read_at, calendar.added_at)) / 3600, 1) as hours
        from ops.calendars as calendar
        join ops.rotations as rotation on rotation.id = calendar.rotation
    ),
    subjects as (
        select name from calendars
        union
        select subject from ops.alert_states where rule = 'oncall_calendar_unread'
    )
    select ops.make_observation(
        'oncall_calendar_unread', subjects.name,
        ops.judge(coalesce(calendars.hours, 0), bound.hours, 1, 1), coalesce(calendars.hours, 0), bound.hours, 'h',
        p_facts => jsonb_build_object(
            'service', 'monitoring',
            'reason', calendars.error,
            'detail', jsonb_build_object('readAt', calendars.read_at)
        )
    )
    from subjects
    cross join (select (p_settings ->> 'threshold.oncall_calendar_hours')::numeric as hours) as bound
    left join calendars on calendars.name = subjects.name
$$;

comment on function ops.observe_calendars(timestamptz, jsonb) is
    'The verdicts on calendars from outside: bad once one was not read for longer than it may be. One that was taken away is good.';

create or replace function ops.observe_oncall(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select * from ops.observe_oncall_holes(p_now, p_settings)
    union all
    select * from ops.observe_calendars(p_now, p_settings)
$$;

comment on function ops.observe_oncall(timestamptz, jsonb) is 'The verdicts on the on-call calendar.';
