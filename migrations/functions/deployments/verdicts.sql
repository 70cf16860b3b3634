-- How two measurements of the same thing compare. A verdict is worse, better, same, or
-- insufficient where there is too little to say. What is worse is so by chance hardly ever, and
-- by so much that somebody would want to know.

create or replace function ops.compared(
    p_measure text,
    p_unit text,
    p_after numeric,
    p_before numeric,
    p_after_samples bigint,
    p_before_samples bigint,
    p_verdict text
)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select jsonb_build_object(
        'measure', p_measure,
        'unit', p_unit,
        'verdict', p_verdict,
        'after', round(p_after, 3),
        'before', round(p_before, 3),
        'afterSamples', p_after_samples,
        'beforeSamples', p_before_samples
    )
$$;

comment on function ops.compared(text, text, numeric, numeric, bigint, bigint, text) is
    'A measure with its verdict and the numbers behind it.';

create or replace function ops.band(
    p_buckets smallint[],
    p_counts bigint[],
    p_low numeric,
    p_high numeric,
    p_fraction float8
)
returns numeric[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_samples bigint := (select sum(counted) from unnest(p_counts) as counted);
    -- How far the rank of a quantile strays by chance: two and a half standard deviations.
    v_stray float8 := 2.5 * sqrt(p_fraction * (1 - p_fraction) / v_samples);
begin
    return ops.quantiles(
        p_buckets, p_counts, p_low, p_high,
        array[greatest(p_fraction - v_stray, 0), p_fraction, least(p_fraction + v_stray, 1)]
    );
end
$$;

comment on function ops.band(smallint[], bigint[], numeric, numeric, float8) is
    'A quantile of numbers in buckets, between where it may lie at the lowest and at the highest, whatever the numbers'' distribution is; null without numbers.';

create or replace function ops.compare_quantile(
    p_measure text,
    p_unit text,
    p_fraction float8,
    p_least numeric,
    p_after ops.figure_sum,
    p_before ops.figure_sum
)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_after numeric[] := ops.band(p_after.buckets, p_after.counts, p_after.low, p_after.high, p_fraction);
    v_before numeric[] := ops.band(p_before.buckets, p_before.counts, p_before.low, p_before.high, p_fraction);
begin
    return ops.compared(
        p_measure, p_unit, v_after[2], v_before[2],
        coalesce(p_after.measured, 0), coalesce(p_before.measured, 0),
        case
            when least(coalesce(p_after.measured, 0), coalesce(p_before.measured, 0)) < 100 then 'insufficient'
            when v_after[1] > v_before[3]
                and v_after[2] >= v_before[2] * 1.25 and v_after[2] - v_before[2] >= p_least
            then 'worse'
            when v_before[1] > v_after[3]
                and v_before[2] >= v_after[2] * 1.25 and v_before[2] - v_after[2] >= p_least
            then 'better'
            else 'same'
        end
    );
end
$$;

comment on function ops.compare_quantile(text, text, float8, numeric, ops.figure_sum, ops.figure_sum) is
    'Compares a quantile of which less is good. It is worse where it is a quarter and p_least higher, and where the two cannot have strayed so far by chance. At least 100 numbers are needed on either side.';

create or replace function ops.compare_share(
    p_measure text,
    p_after bigint,
    p_after_of bigint,
    p_before bigint,
    p_before_of bigint,
    p_samples bigint,
    p_least numeric
)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_after numeric := 100.0 * p_after / nullif(p_after_of, 0);
    v_before numeric := 100.0 * p_before / nullif(p_before_of, 0);
    v_all numeric := 1.0 * (p_after + p_before) / nullif(p_after_of + p_before_of, 0);
    -- The test of two proportions.
    v_deviations numeric := (v_after - v_before) / 100
        / nullif(sqrt(v_all * (1 - v_all) * (1.0 / nullif(p_after_of, 0) + 1.0 / nullif(p_before_of, 0))), 0);
begin
    return ops.compared(
        p_measure, '%', v_after, v_before, p_after_of, p_before_of,
        case
            when least(p_after_of, p_before_of) < p_samples then 'insufficient'
            when v_deviations >= 3.5 and v_after >= v_before * 1.5 and v_after - v_before >= p_least then 'worse'
            when v_deviations <= -3.5 and v_before >= v_after * 1.5 and v_before - v_after >= p_least then 'better'
            else 'same'
        end
    );
end
$$;

comment on function ops.compare_share(text, bigint, bigint, bigint, bigint, bigint, numeric) is
    'Compares a share of which less is good. It is worse where it is half as much again and p_least percentage points higher, and where the test of two proportions finds three and a half standard deviations. At least p_samples are needed on either side.';

create or replace function ops.compare_rate(
    p_measure text,
    p_after bigint,
    p_after_of bigint,
    p_before bigint,
    p_before_of bigint
)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_after numeric := 100.0 * p_after / nullif(p_after_of, 0);
    v_before numeric := 100.0 * p_before / nullif(p_before_of, 0);
    -- Half an event more on either side, so that none at all has a logarithm.
    v_deviations numeric := ln(((p_after + 0.5) / nullif(p_after_of, 0)) / ((p_before + 0.5) / nullif(p_before_of, 0)))
        / sqrt(1 / (p_after + 0.5) + 1 / (p_before + 0.5));
begin
    return ops.compared(
        p_measure, 'per 100 requests', v_after, v_before, p_after, p_before,
        case
            when least(p_after_of, p_before_of) < 200 or greatest(p_after, p_before) < 50 then 'insufficient'
            when v_deviations <= -5 and v_after <= v_before * 0.6 then 'worse'
            when v_deviations >= 5 and v_before <= v_after * 0.6 then 'better'
            else 'same'
        end
    );
end
$$;

comment on function ops.compare_rate(text, bigint, bigint, bigint, bigint) is
    'Compares how often something good happens for each request, so that a quiet day is no loss. It is worse where it fell by two fifths, and by five standard deviations. At least 200 requests are needed on either side, and 50 events on one.';
