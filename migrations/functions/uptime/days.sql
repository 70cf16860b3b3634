-- A check day by day in UTC: from rows of days, and from spans and samples where there are none
-- yet.

create or replace function ops.check_days(
    p_check text,
    p_from timestamptz,
    p_now timestamptz,
    out day timestamptz,
    out up numeric,
    out degraded numeric,
    out down numeric,
    out unknown numeric,
    out maintenance numeric
)
returns setof record
language plpgsql
stable
set search_path = ''
as $$
declare
    v_today timestamptz := ops.floor_to_day(p_now);
    v_first timestamptz;
    v_open timestamptz;
    v_worked_on tstzmultirange;
begin
    select greatest(p_from, ops.floor_to_day(known.created_at)) into v_first
    from ops.checks as known
    where known.name = p_check;
    if not found then
        return;
    end if;
    -- From here on there are no rows of days yet.
    select greatest(v_first, least(v_today, ops.floor_to_day(rolled.rolled_to))) into v_open
    from ops.uptime_rollups as rolled
    where rolled.check_name = p_check;
    v_open := coalesce(v_open, v_first);
    v_worked_on := ops.maintenance_of(p_check, v_first, v_open);

    return query
    select
        listed.day, coalesce(past.up, 0), coalesce(past.degraded, 0), coalesce(past.down, 0),
        86400 - coalesce(past.up + past.down, 0) - worked.seconds, worked.seconds
    from generate_series(v_first, v_open - interval '24 hours', interval '24 hours') as listed (day)
    left join ops.uptime_days as past on past.check_name = p_check and past.day = listed.day
    cross join lateral (
        select case
            when isempty(v_worked_on) then 0
            else ops.seconds_in(v_worked_on * tstzmultirange(tstzrange(listed.day, listed.day + interval '24 hours')))
        end as seconds
    ) as worked
    union all
    select listed.day, known.up, known.degraded, known.down, known.unknown, known.maintenance
    from generate_series(v_open, v_today, interval '24 hours') as listed (day)
    cross join lateral ops.uptime(p_check, listed.day, least(listed.day + interval '24 hours', p_now)) as known;
end
$$;

comment on function ops.check_days(text, timestamptz, timestamptz) is
    'How many seconds of each day a check was up (degraded is part of it), down, unknown and in maintenance, from the day on which it was first reported; of today, those that have passed.';
