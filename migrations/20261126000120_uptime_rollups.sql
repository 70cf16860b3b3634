-- Uptime over a year without its samples, and without what is worked on.
--
-- Why: a sample a minute is 525,000 a year and check. Once an hour is over, its
-- samples become the spans they mean, exactly; once a day is over, its spans
-- become one row of seconds. A period is then its whole days, the spans of the
-- days that it cuts, and the samples of the hour that is still open. What a
-- roll-up says of a past hour is what its samples said, to the microsecond.
-- Read by: the dashboard, system_health; written by the maintenance job.
-- Undo: put the former ops.uptime back, drop the other functions and the tables
-- of this file. Samples that were deleted stay deleted.

set local search_path = '';

create table ops.uptime_rollups (
    check_name text primary key,
    rolled_to timestamptz not null,
    newest_sample bigint not null,
    samples_from timestamptz not null default '-infinity'
);

comment on table ops.uptime_rollups is 'How far the roll-up of each check has come.';
comment on column ops.uptime_rollups.rolled_to is 'A whole hour: what lies before it is in spans, and in whole days before its day.';
comment on column ops.uptime_rollups.newest_sample is 'Id of the newest sample that the roll-up has noticed.';
comment on column ops.uptime_rollups.samples_from is 'Samples that say nothing after it have been deleted.';

create table ops.uptime_spans (
    check_name text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    status text not null check (status in ('up', 'degraded', 'down')),
    primary key (check_name, started_at),
    check (started_at < ended_at and ended_at <= started_at + interval '1 hour')
);

comment on table ops.uptime_spans is 'What the samples of past hours mean, cut at whole hours; what is in no span is unknown.';

create table ops.uptime_days (
    check_name text not null,
    day timestamptz not null,
    up numeric not null,
    degraded numeric not null,
    down numeric not null,
    primary key (check_name, day),
    check (up >= 0 and down >= 0 and degraded between 0 and up and up + down <= 86400)
);

comment on table ops.uptime_days is 'Seconds of past days outside maintenance, one row a check and day.';
comment on column ops.uptime_days.day is 'Its midnight, UTC.';
comment on column ops.uptime_days.degraded is 'Part of up.';

alter table ops.uptime_rollups enable row level security;
alter table ops.uptime_spans enable row level security;
alter table ops.uptime_days enable row level security;

-- What is known of a period --------------------------------------------------

create function ops.sample_spans(p_check text, p_from timestamptz, p_to timestamptz)
returns table (status text, span tstzrange)
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
    'What the samples of a check say about a period: each holds until the next one, at most as long as it is valid.';

create function ops.known_spans(p_check text, p_from timestamptz, p_to timestamptz)
returns table (status text, span tstzrange)
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
            -- A span is an hour at most.
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
    'What is known of a check in a period: from spans as far as it was rolled up, from samples after that.';

create function ops.seconds_in(p_spans tstzmultirange)
returns numeric
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(sum(extract(epoch from upper(span) - lower(span))), 0) from unnest(p_spans) as span
$$;

comment on function ops.seconds_in(tstzmultirange) is 'How long ranges of time are together.';

create function ops.known_seconds(
    p_check text,
    p_from timestamptz,
    p_to timestamptz,
    out up numeric,
    out degraded numeric,
    out down numeric
)
-- Its plans are kept from one call to the next, as those of SQL are not.
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
    'Seconds of a period outside maintenance that a check is known to have been up (degraded is part of it) or down, from spans and samples.';

create function ops.floor_to_hour(p_at timestamptz)
returns timestamptz
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.floor_to_slot(p_at, 3600)
$$;

comment on function ops.floor_to_hour(timestamptz) is 'The whole hour, UTC, that an instant falls into.';

create function ops.floor_to_day(p_at timestamptz)
returns timestamptz
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.floor_to_slot(p_at, 86400)
$$;

comment on function ops.floor_to_day(timestamptz) is 'The midnight, UTC, before an instant.';

create or replace function ops.uptime(
    p_check text,
    p_from timestamptz,
    p_to timestamptz,
    out up numeric,
    out degraded numeric,
    out down numeric,
    out unknown numeric,
    out maintenance numeric
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_days_from timestamptz := ops.floor_to_day(p_from + interval '24 hours' - interval '1 microsecond');
    v_days_to timestamptz;
begin
    select ops.floor_to_day(least(rolled_to, p_to)) into v_days_to
    from ops.uptime_rollups
    where check_name = p_check;

    if v_days_to > v_days_from then
        select sum(piece.up), sum(piece.degraded), sum(piece.down)
        into up, degraded, down
        from (
            select * from ops.known_seconds(p_check, p_from, v_days_from)
            union all
            select days.up, days.degraded, days.down
            from ops.uptime_days as days
            where days.check_name = p_check and days.day >= v_days_from and days.day < v_days_to
            union all
            select * from ops.known_seconds(p_check, v_days_to, p_to)
        ) as piece;
    else
        select * into up, degraded, down from ops.known_seconds(p_check, p_from, p_to);
    end if;

    maintenance := ops.seconds_in(ops.maintenance_of(p_check, p_from, p_to));
    unknown := greatest(extract(epoch from p_to - p_from), 0) - up - down - maintenance;
end
$$;

comment on function ops.uptime(text, timestamptz, timestamptz) is
    'Seconds of a period that a check was up (degraded is part of it), down, unknown and in maintenance; up + down + unknown + maintenance is the period exactly. From whole days, spans and samples, which say the same.';

-- Rolling up -----------------------------------------------------------------

create function ops.notice_samples(p_limit integer)
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
            -- A clock that was set back wrote into the past: that is rolled up
            -- anew, as far as its samples are still there.
            rolled_to = least(known.rolled_to, greatest(excluded.rolled_to, known.samples_from)),
            newest_sample = excluded.newest_sample
    )
    select count(*) from fresh
$$;

comment on function ops.notice_samples(integer) is
    'Looks at samples that came since the last time, in the order in which they came: new checks begin to be rolled up, and hours that have changed will be again. Returns how many it looked at.';

create function ops.roll_up_check(p_rollup ops.uptime_rollups, p_to timestamptz)
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
    'Rolls a check up to a whole hour of the day that it has come to, or to its end.';

create function ops.roll_up_uptime(p_limit integer, p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    -- Whoever was writing about an hour has committed ten minutes later.
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
    'Rolls up hours that are over, those of one day and check at a step, the oldest first; returns how many steps it took, less than the limit if nothing is left.';

create function ops.reopen_rollups()
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
    'Days know what was maintenance. Announced by a clock that was set back, it may lie in days that are rolled up: they will be again.';

create trigger reopen_rollups
    after insert or update on ops.maintenance_windows
    for each row execute function ops.reopen_rollups();

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
