-- Business rules: how often something happened in the application, how many went on from one
-- event to another, or a figure that the application counts itself; below, above, or far from
-- what it usually is.

create or replace function ops.find_rule_fault(p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when (p_spec ? 'event') = (p_spec ? 'metric')
        then ops.make_fault(
            'event', 'the name of an event of the application, or else metric the name of a figure',
            case when p_spec ? 'event' then 'both' else 'neither' end
        )
        when names.field is not null
        then ops.make_fault(names.field, 'a name of 1 to 100 characters', ops.show(p_spec -> names.field))
        when p_spec ? 'of' and p_spec ? 'metric'
        then ops.make_fault('of', 'absent where a metric is named', ops.show(p_spec -> 'of'))
        when p_spec ? 'aggregate' and not (p_spec ? 'metric' and ops.is_word(p_spec -> 'aggregate', aggregates))
        then ops.make_fault('aggregate', ops.join_words(aggregates) || ' of a metric', ops.show(p_spec -> 'aggregate'))
        when not ops.is_whole(p_spec -> 'windowMinutes', 1, 10080)
        then ops.make_fault('windowMinutes', 'a whole number from 1 to 10080', ops.show(p_spec -> 'windowMinutes'))
        when p_spec ? 'minimumSamples' and not ops.is_whole(p_spec -> 'minimumSamples', 1, 1000000)
        then ops.make_fault('minimumSamples', 'a whole number from 1 to 1000000', ops.show(p_spec -> 'minimumSamples'))
        when limits.field is not null
        then ops.make_fault(
            limits.field, 'a number from ' || limits.least || ' to ' || limits.most, ops.show(p_spec -> limits.field)
        )
        when not p_spec ?| '{minimum,maximum,dropPercent,risePercent}'
        then ops.make_fault('minimum', 'a number, or else maximum, dropPercent or risePercent one', 'none of them')
    end
    from (select '{average,sum,lowest,highest,latest}'::text[] as aggregates) as known
    cross join (
        select min(field) as field
        from unnest('{event,metric,of}'::text[]) as named (field)
        where p_spec ? field and not ops.is_text(p_spec -> field, 100, '')
    ) as names
    left join lateral (
        select field, least, most
        from (
            values
                ('minimum', -1000000000000, 1000000000000),
                ('maximum', -1000000000000, 1000000000000),
                ('dropPercent', 1, 100),
                ('risePercent', 1, 100000)
        ) as bound (field, least, most)
        where p_spec ? field and not ops.is_number(p_spec -> field, least, most, false)
        limit 1
    ) as limits on true
$$;

comment on function ops.find_rule_fault(jsonb) is 'What is wrong with the spec of a business rule, or null.';

create or replace function ops.count_events(
    p_event text,
    p_environment text,
    p_from timestamptz,
    p_until timestamptz,
    p_now timestamptz
)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(sum(n), 0)
        from ops.read_figures(
            'event', p_environment, ops.window_from('event', p_from, p_now), p_until, p_event
        )
    );
end
$$;

comment on function ops.count_events(text, text, timestamptz, timestamptz, timestamptz) is
    'How often an event of the application happened after the first time and up to the second, as it can be told at p_now.';

create or replace function ops.measure_metric(
    p_spec jsonb,
    p_environment text,
    p_from timestamptz,
    p_until timestamptz,
    p_now timestamptz,
    out value numeric,
    out samples bigint
)
language plpgsql
stable
set search_path = ''
as $$
begin
    select
        case coalesce(p_spec ->> 'aggregate', 'average')
            when 'sum' then sum(total) filter (where measured > 0)
            when 'lowest' then min(low)
            when 'highest' then max(high)
            when 'latest' then (array_agg(latest order by last_at desc) filter (where latest is not null))[1]
            else sum(total) / nullif(sum(measured), 0)
        end,
        coalesce(sum(measured), 0)
    into value, samples
    -- What is no number is in no figure.
    from ops.read_figures(
        'business', p_environment, ops.window_from('business', p_from, p_now), p_until, p_spec ->> 'metric'
    );
end
$$;

comment on function ops.measure_metric(jsonb, text, timestamptz, timestamptz, timestamptz) is
    'A figure that the application counts itself, put together as the rule says, and of how many rows; null without any.';

create or replace function ops.measure_business(
    p_spec jsonb,
    p_environment text,
    p_until timestamptz,
    p_now timestamptz,
    out value numeric,
    out samples bigint
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_from timestamptz := ops.seen_from(p_until, make_interval(mins => (p_spec ->> 'windowMinutes')::integer));
begin
    if p_spec ? 'metric' then
        select measured.value, measured.samples into value, samples
        from ops.measure_metric(p_spec, p_environment, v_from, p_until, p_now) as measured;
        return;
    end if;
    samples := ops.count_events(p_spec ->> 'event', p_environment, v_from, p_until, p_now);
    value := samples::numeric;
    if p_spec ? 'of' then
        samples := ops.count_events(p_spec ->> 'of', p_environment, v_from, p_until, p_now);
        value := 100 * value / nullif(samples, 0);
    end if;
end
$$;

comment on function ops.measure_business(jsonb, text, timestamptz, timestamptz) is
    'What a business rule is about, in the window that ends at that time, without what monitoring did not see: how often its event happened, how many percent of another event that is, or a figure of the application; and on how many rows that stands.';

create or replace function ops.usual_business(p_spec jsonb, p_environment text, p_now timestamptz)
returns numeric
language plpgsql
stable
set search_path = ''
as $$
begin
    if not p_spec ?| '{dropPercent,risePercent}' then
        return null;
    end if;
    return (
        select case when count(*) >= 2 then avg(measured.value) end
        from generate_series(1, 4) as weeks (ago)
        cross join lateral ops.measure_business(
            p_spec, p_environment, p_now - make_interval(weeks => ago), p_now
        ) as measured
        -- Before something was ever done it was not usual to do none of it.
        where measured.samples > 0
    );
end
$$;

comment on function ops.usual_business(jsonb, text, timestamptz) is
    'What a business rule is about usually is at this time of the week: the mean of the last four weeks, without those that have nothing; null if fewer than two have something, or if nobody asks.';

create or replace function ops.judge_business(
    p_spec jsonb,
    p_value numeric,
    p_samples bigint,
    p_usual numeric,
    p_was_up boolean
)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_value is null or p_samples < (p_spec ->> 'minimumSamples')::bigint then 'no_data'
        when p_value < (p_spec ->> 'minimum')::numeric then case
            when p_spec ?| '{metric,of}' then 'below'
            -- Until it happened often enough once there is nothing that could stop.
            when p_was_up then 'too_few'
            else 'not_set_up'
        end
        when p_value > (p_spec ->> 'maximum')::numeric then 'above'
        when p_usual is null and p_spec ?| '{dropPercent,risePercent}' then 'no_past'
        when p_value < p_usual * (1 - (p_spec ->> 'dropPercent')::numeric / 100) then 'dropped'
        when p_value > p_usual * (1 + (p_spec ->> 'risePercent')::numeric / 100) then 'risen'
    end
$$;

comment on function ops.judge_business(jsonb, numeric, bigint, numeric, boolean) is
    'Why what a business rule is about is not as it should be, as one word, or null if it is.';

create or replace function ops.business_status(
    p_spec jsonb,
    p_was_up boolean,
    p_environment text,
    p_now timestamptz,
    out status text,
    out reason text,
    out detail jsonb
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_usual numeric := ops.usual_business(p_spec, p_environment, p_now);
    v_value numeric;
    v_samples bigint;
begin
    select measured.value, measured.samples into v_value, v_samples
    from ops.measure_business(p_spec, p_environment, p_now, p_now) as measured;
    reason := ops.judge_business(p_spec, v_value, v_samples, v_usual, p_was_up);
    status := case
        when reason is null then 'up'
        when reason in ('no_data', 'no_past', 'not_set_up') then 'unknown'
        else 'down'
    end;
    detail := p_spec || jsonb_build_object(
        'value', round(v_value, 3),
        'usual', round(v_usual, 3),
        'samples', v_samples,
        'found', trim_scale(round(v_value, 3)) || case reason
            when 'too_few' then ', at least ' || (p_spec ->> 'minimum')
            when 'below' then ', at least ' || (p_spec ->> 'minimum')
            when 'above' then ', at most ' || (p_spec ->> 'maximum')
            when 'dropped' then ', usually ' || trim_scale(round(v_usual, 3))
            when 'risen' then ', usually ' || trim_scale(round(v_usual, 3))
        end
    );
end
$$;

comment on function ops.business_status(jsonb, boolean, text, timestamptz) is
    'The status of a business rule with what was measured. It is unknown if nothing could be measured, and if the event of a rule about a number of events never happened often enough, because nothing has stopped then.';
