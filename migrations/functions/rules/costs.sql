-- What the rules observe of costs: whether the month is going to cost more than it may.

create or replace function ops.observe_costs(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language plpgsql
stable
set search_path = ''
as $$
declare
    v_limit numeric := nullif((p_settings ->> 'cost.monthly_limit')::numeric, 0);
    v_projected numeric := (
        select ops.report_number(value)
        from ops.facts
        -- The maintenance notes it every ten minutes.
        where name = 'month_cost' and noted_at > p_now - interval '24 hours'
    );
begin
    if v_limit is null and not exists (select from ops.alert_states where rule = 'cost_over_limit') then
        return;
    end if;
    return next ops.make_observation(
        'cost_over_limit', 'month',
        case when v_limit is null then 'good' else ops.judge(v_projected, v_limit, 1, 1) end,
        v_projected, v_limit, 'USD',
        p_facts => jsonb_build_object('service', 'monitoring')
    );
end
$$;

comment on function ops.observe_costs(timestamptz, jsonb) is
    'The verdict on what the month is going to cost; none without a limit, and good once the limit is taken away.';
