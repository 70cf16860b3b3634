-- Time in which monitoring saw nothing is nobody's lateness: a report may have been made that
-- could not be noted, and what should have run may have been stopped by the same outage.

create or replace function ops.note_blindness(p_gap jsonb)
returns void
language sql
set search_path = ''
as $$
    insert into ops.blind_spans (began_at, ended_at)
    select (p_gap ->> 'from')::timestamptz, (p_gap ->> 'to')::timestamptz
    where p_gap is not null
    on conflict (began_at) do nothing
$$;

comment on function ops.note_blindness(jsonb) is 'Notes a gap between two committed ticks, if there was one.';

create or replace function ops.blind_time(p_from timestamptz, p_to timestamptz)
returns interval
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(sum(least(span.ended_at, p_to) - greatest(span.began_at, p_from)), interval '0')
        from ops.blind_spans as span
        where span.ended_at > p_from and span.began_at < p_to
    );
end
$$;

comment on function ops.blind_time(timestamptz, timestamptz) is
    'Returns for how long monitoring saw nothing between two times.';

create or replace function ops.seen_time(p_from timestamptz, p_to timestamptz)
returns interval
language sql
stable
set search_path = ''
as $$
    select p_to - p_from - ops.blind_time(p_from, p_to)
$$;

comment on function ops.seen_time(timestamptz, timestamptz) is
    'Returns for how long monitoring saw something between two times.';

create or replace function ops.seen_from(p_now timestamptz, p_length interval)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
    v_from timestamptz := p_now - p_length;
    v_earlier timestamptz;
begin
    loop
        v_earlier := p_now - p_length - ops.blind_time(v_from, p_now);
        exit when v_earlier = v_from;
        v_from := v_earlier;
    end loop;
    return v_from;
end
$$;

comment on function ops.seen_from(timestamptz, interval) is
    'Returns the time since when monitoring has seen for so long in all.';
