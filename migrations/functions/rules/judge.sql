-- How a measured value becomes a verdict.

create or replace function ops.judge(p_value numeric, p_threshold numeric, p_samples bigint, p_minimum bigint)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return case
        -- NaN is greater than everything, and says nothing.
        when p_value is null or p_value in ('NaN', 'Infinity', '-Infinity') then 'insufficient'
        when p_value <= p_threshold then 'good'
        when p_samples < p_minimum then 'insufficient'
        else 'bad'
    end;
end
$$;

comment on function ops.judge(numeric, numeric, bigint, bigint) is
    'The verdict on a value: bad above the threshold and good up to it. It is insufficient without a finite value, and when a value above the threshold stands on fewer samples than the minimum.';
