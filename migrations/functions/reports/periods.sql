-- The periods that reports are about, all in UTC, as the digest's hour is: a day, a week from
-- Monday on, a month. A day is compared with the same day of the weeks before, because a
-- Sunday is no Monday; a week and a month with the ones before.

create or replace function ops.report_period(
    p_kind text,
    p_at timestamptz,
    p_back integer,
    out starts_at timestamptz,
    out ends_at timestamptz
)
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_end timestamp := date_trunc(
        case p_kind when 'daily' then 'day' when 'weekly' then 'week' else 'month' end, p_at at time zone 'UTC'
    );
begin
    if p_kind = 'monthly' then
        starts_at := (v_end - make_interval(months => p_back + 1)) at time zone 'UTC';
        ends_at := (v_end - make_interval(months => p_back)) at time zone 'UTC';
    else
        ends_at := v_end at time zone 'UTC' - make_interval(hours => 168 * p_back);
        starts_at := ends_at - make_interval(hours => case p_kind when 'daily' then 24 else 168 end);
    end if;
end
$$;

comment on function ops.report_period(text, timestamptz, integer) is
    'The last period of a kind that was over at a time, and with p_back those that it is compared with: 1 for the one before.';

create or replace function ops.report_due_at(p_ends_at timestamptz, p_settings jsonb)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
begin
    return p_ends_at + make_interval(hours => (p_settings ->> 'report.hour_utc')::integer);
end
$$;

comment on function ops.report_due_at(timestamptz, jsonb) is
    'When the report of a period that ends then is sent: at the hour of the setting on the day after.';
