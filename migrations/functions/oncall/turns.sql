-- Whose turn it is in a layer of a rotation. Turns pass on, and hours begin and end, by the
-- clock of a zone, and a clock may leave a time out or tell it twice. None of these functions
-- is for parallel workers, whose start would take longer than all the work.

create or replace function ops.first_instant(p_local timestamp, p_zone text)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_guess timestamptz := p_local at time zone p_zone;
    v_early timestamptz := v_guess - interval '1 day';
    v_late timestamptz := v_guess + interval '1 day';
    v_middle timestamptz;
begin
    -- The clock of the day before tells a time that comes twice first.
    v_middle := (p_local - ((v_early at time zone p_zone) - (v_early at time zone 'UTC'))) at time zone 'UTC';
    if v_middle at time zone p_zone = p_local then
        return v_middle;
    end if;
    v_middle := (p_local - ((v_late at time zone p_zone) - (v_late at time zone 'UTC'))) at time zone 'UTC';
    if v_middle at time zone p_zone = p_local then
        return v_middle;
    end if;
    -- The clock leaves this time out, and moves at a whole second.
    v_early := date_trunc('second', v_early);
    v_late := date_trunc('second', v_late);
    while v_late - v_early > interval '1 second' loop
        v_middle := date_trunc('second', v_early + (v_late - v_early) / 2);
        if v_middle at time zone p_zone >= p_local then
            v_late := v_middle;
        else
            v_early := v_middle;
        end if;
    end loop;
    return v_late;
end
$$;

comment on function ops.first_instant(timestamp, text) is
    'Returns the first instant at which the clock of a zone tells that time or a later one: where the time comes twice, the first time, and where it does not come, when the clock has moved.';

create or replace function ops.turn_days(p_layer ops.rotation_layers)
returns integer
language plpgsql
immutable
set search_path = ''
as $$
begin
    return p_layer.every * case p_layer.unit when 'week' then 7 else 1 end;
end
$$;

comment on function ops.turn_days(ops.rotation_layers) is 'Returns how many days of the calendar a turn lasts.';

create or replace function ops.turn_begins_at(p_layer ops.rotation_layers, p_turn bigint)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
begin
    return ops.first_instant(
        p_layer.first_on + (p_turn * ops.turn_days(p_layer))::integer + p_layer.hand_over, p_layer.zone
    );
end
$$;

comment on function ops.turn_begins_at(ops.rotation_layers, bigint) is
    'Returns when a turn begins; the turn 0 is that of first_on.';

create or replace function ops.turn_at(p_layer ops.rotation_layers, p_at timestamptz)
returns bigint
language plpgsql
immutable
set search_path = ''
as $$
declare
    -- The clock may have told a day already that it tells again.
    v_turn bigint := floor(
        ((p_at at time zone p_layer.zone)::date - p_layer.first_on)::numeric / ops.turn_days(p_layer)
    )::bigint + 1;
begin
    while ops.turn_begins_at(p_layer, v_turn) > p_at loop
        v_turn := v_turn - 1;
    end loop;
    return v_turn;
end
$$;

comment on function ops.turn_at(ops.rotation_layers, timestamptz) is 'Returns which turn of a layer a time is in.';

create or replace function ops.hours_begin_at(p_layer ops.rotation_layers, p_day date)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
begin
    return ops.first_instant(p_day + p_layer.hours_from, p_layer.zone);
end
$$;

comment on function ops.hours_begin_at(ops.rotation_layers, date) is
    'Returns when the hours of a layer begin on a day; null if it has the whole day.';

create or replace function ops.hours_end_at(p_layer ops.rotation_layers, p_day date)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
begin
    return ops.first_instant(
        p_day + case when p_layer.hours_until < p_layer.hours_from then 1 else 0 end + p_layer.hours_until,
        p_layer.zone
    );
end
$$;

comment on function ops.hours_end_at(ops.rotation_layers, date) is
    'Returns when the hours of a layer end that begin on a day; null if it has the whole day.';

create or replace function ops.is_in_hours(p_layer ops.rotation_layers, p_at timestamptz)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_today date := (p_at at time zone p_layer.zone)::date;
    v_day date;
begin
    if p_layer.hours_from is null then
        return true;
    end if;
    -- Around midnight the clock may tell a day that it has told before, or will tell again.
    foreach v_day in array array[v_today, v_today - 1, v_today + 1] loop
        if ops.hours_begin_at(p_layer, v_day) <= p_at and p_at < ops.hours_end_at(p_layer, v_day) then
            return true;
        end if;
    end loop;
    return false;
end
$$;

comment on function ops.is_in_hours(ops.rotation_layers, timestamptz) is
    'Returns whether a layer has that time. Hours that pass midnight belong to the day on which they begin.';
