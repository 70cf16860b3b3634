-- Uptime over a year without a year of samples. Once an hour is over, its samples become
-- spans that mean exactly the same; once a day is over, its spans become one row of seconds.
-- The uptime of a period is then computed from its whole days, from the spans of the days
-- that it cuts, and from the samples of the hour that is still open.

create or replace function ops.sample_spans(p_check text, p_from timestamptz, p_to timestamptz)
returns table (status ops.check_status, span tstzrange)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with spans as (
        select
            sample.status,
            greatest(sample.at, p_from) as started,
            least(
                sample.at + make_interval(secs => sample.valid_seconds),
                lag(sample.at, 1, p_to) over (order by sample.at desc, sample.id desc),
                p_to
            ) as ended
        from ops.samples as sample
        where sample.check_name = p_check
            and sample.at < p_to
            -- The sample before the period may reach into it.
            and sample.at >= coalesce(
                (
                    select before.at
                    from ops.samples as before
                    where before.check_name = p_check and before.at <= p_from
                    order by before.at desc
                    limit 1
                ),
                p_from
            )
    )
    select spans.status, tstzrange(spans.started, spans.ended)
    from spans
    where spans.started < spans.ended and spans.status <> 'unknown';
end
$$;

comment on function ops.sample_spans(text, timestamptz, timestamptz) is
    'What the samples of a check mean for a period: each counts until the next one, and at most as long as it is valid.';

create or replace function ops.known_spans(p_check text, p_from timestamptz, p_to timestamptz)
returns table (status ops.check_status, span tstzrange)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_rolled_to timestamptz;
begin
    select rolled_to into v_rolled_to from ops.uptime_rollups where check_name = p_check;

    if v_rolled_to > p_from then
        return query
        select rolled.status, tstzrange(greatest(rolled.started_at, p_from), least(rolled.ended_at, p_to))
        from ops.uptime_spans as rolled
        where rolled.check_name = p_check
            and rolled.started_at < least(p_to, v_rolled_to)
            -- A span lasts an hour at most.
            and rolled.started_at > p_from - interval '1 hour'
            and rolled.ended_at > p_from;
    end if;
    if v_rolled_to is null or v_rolled_to < p_to then
        return query
        select * from ops.sample_spans(p_check, greatest(p_from, v_rolled_to), p_to);
    end if;
end
$$;

comment on function ops.known_spans(text, timestamptz, timestamptz) is
    'What is known of a check in a period: from spans as far as the check is rolled up, and from samples after that.';

create or replace function ops.seconds_in(p_spans tstzmultirange)
returns numeric
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(sum(extract(epoch from upper(span) - lower(span))), 0) from unnest(p_spans) as span
$$;

comment on function ops.seconds_in(tstzmultirange) is 'How many seconds some ranges of time last together.';

create or replace function ops.known_seconds(
    p_check text,
    p_from timestamptz,
    p_to timestamptz,
    out up numeric,
    out degraded numeric,
    out down numeric
)
-- PL/pgSQL keeps the plans from one call to the next, which SQL does not.
language plpgsql
stable
set search_path = ''
as $$
declare
    v_worked_on tstzmultirange := ops.maintenance_of(p_check, p_from, p_to);
begin
    select
        coalesce(sum(known.seconds) filter (where known.status in ('up', 'degraded')), 0),
        coalesce(sum(known.seconds) filter (where known.status = 'degraded'), 0),
        coalesce(sum(known.seconds) filter (where known.status = 'down'), 0)
    into up, degraded, down
    from (
        select status, case
            when isempty(v_worked_on) then extract(epoch from upper(span) - lower(span))
            else ops.seconds_in(tstzmultirange(span) - v_worked_on)
        end as seconds
        from ops.known_spans(p_check, p_from, p_to)
    ) as known;
end
$$;

comment on function ops.known_seconds(text, timestamptz, timestamptz) is
    'How many seconds of a period, outside maintenance, a check is known to have been up (degraded is part of it) or down. They are computed from spans and samples.';

create or replace function ops.floor_to_hour(p_at timestamptz)
returns timestamptz
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.floor_to_slot(p_at, 3600)
$$;

comment on function ops.floor_to_hour(timestamptz) is 'The whole hour in UTC that an instant falls into.';

create or replace function ops.floor_to_day(p_at timestamptz)
returns timestamptz
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.floor_to_slot(p_at, 86400)
$$;

comment on function ops.floor_to_day(timestamptz) is 'The last midnight in UTC up to an instant.';

create or replace function ops.notice_samples(p_limit integer)
returns bigint
language sql
set search_path = ''
as $$
    with fresh as (
        select check_name, at, id
        from ops.samples
        where id > (select coalesce(max(newest_sample), 0) from ops.uptime_rollups)
        order by id
        limit p_limit
    ),
    touched as (
        select check_name, ops.floor_to_hour(min(at)) as hour, max(id) as newest_sample
        from fresh
        group by check_name
    ),
    noticed as (
        insert into ops.uptime_rollups as known (check_name, rolled_to, newest_sample)
        select check_name, hour, newest_sample from touched
        on conflict (check_name) do update
        set
            -- Samples of a clock that was set back lie in the past, which is rolled
            -- up anew as far as its other samples still exist.
            rolled_to = least(known.rolled_to, greatest(excluded.rolled_to, known.samples_from)),
            newest_sample = excluded.newest_sample
    )
    select count(*) from fresh
$$;

comment on function ops.notice_samples(integer) is
    'Looks at the samples that came since the last time, in the order in which they came. Checks that are new begin to be rolled up, and hours that have changed will be rolled up again. Returns how many samples it looked at.';

create or replace function ops.roll_up_check(p_rollup ops.uptime_rollups, p_to timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_day timestamptz := ops.floor_to_day(p_rollup.rolled_to);
begin
    delete from ops.uptime_spans
    where check_name = p_rollup.check_name and started_at >= p_rollup.rolled_to and started_at < p_to;

    insert into ops.uptime_spans (check_name, started_at, ended_at, status)
    select p_rollup.check_name, lower(piece), upper(piece), known.status
    from (
        select status, range_agg(span) as spans
        from ops.sample_spans(p_rollup.check_name, p_rollup.rolled_to, p_to)
        group by status
    ) as known
    cross join generate_series(p_rollup.rolled_to, p_to - interval '1 hour', interval '1 hour') as hour
    cross join unnest(known.spans * tstzmultirange(tstzrange(hour, hour + interval '1 hour'))) as piece;

    update ops.uptime_rollups set rolled_to = p_to where check_name = p_rollup.check_name;

    if p_to = v_day + interval '24 hours' then
        insert into ops.uptime_days (check_name, day, up, degraded, down)
        select p_rollup.check_name, v_day, known.up, known.degraded, known.down
        from ops.known_seconds(p_rollup.check_name, v_day, p_to) as known
        on conflict (check_name, day) do update
        set up = excluded.up, degraded = excluded.degraded, down = excluded.down;
    end if;
end
$$;

comment on function ops.roll_up_check(ops.uptime_rollups, timestamptz) is
    'Rolls a check up to a whole hour of the day that its roll-up has reached, or to the end of that day.';

create or replace function ops.roll_up_uptime(p_limit integer, p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    -- A tick that writes samples of an hour has committed ten minutes after its end.
    v_until timestamptz := ops.floor_to_hour(p_now - interval '10 minutes');
    v_rollup ops.uptime_rollups;
    v_steps integer := 0;
begin
    while v_steps < p_limit loop
        select * into v_rollup
        from ops.uptime_rollups
        where rolled_to < v_until
        order by rolled_to, check_name
        limit 1
        for update;
        exit when not found;

        perform ops.roll_up_check(
            v_rollup, least(v_until, ops.floor_to_day(v_rollup.rolled_to) + interval '24 hours')
        );
        v_steps := v_steps + 1;
    end loop;
    return v_steps;
end
$$;

comment on function ops.roll_up_uptime(integer, timestamptz) is
    'Rolls up the hours that are over, the oldest first; one step takes the hours of one check and day. Returns how many steps it took: fewer than the limit if nothing is left.';

create or replace function ops.reopen_rollups()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_hour timestamptz := ops.floor_to_hour(coalesce(new.removed_at, new.created_at));
begin
    update ops.uptime_rollups
    set rolled_to = least(rolled_to, greatest(v_hour, samples_from))
    where rolled_to > v_hour;
    return null;
end
$$;

comment on function ops.reopen_rollups() is
    'Has days rolled up again into which a maintenance window reaches that was announced or removed by a clock that was set back: the rows of days leave maintenance out.';
