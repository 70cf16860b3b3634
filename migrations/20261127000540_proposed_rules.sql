-- Rules that somebody would like to try, and which of them the past can try.
--
-- Why: a threshold that is tried on the past must be read as the settings are,
-- and whoever tries one has to know what the past cannot answer.
-- Read by: `pourtrait alerts replay`.
-- Undo: drop the functions of this file.

set local search_path = '';

create function ops.check_proposal(p_rules jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_key text;
    v_value jsonb;
    v_setting ops.settings;
    v_expected text;
begin
    if jsonb_typeof(p_rules) is distinct from 'object' then
        raise exception 'proposed rules are an object of settings and severities'
            using errcode = 'invalid_parameter_value';
    end if;

    for v_key, v_value in select key, value from jsonb_each(p_rules) loop
        if v_key like 'severity.%' then
            if not exists (select from ops.rules where rule = substr(v_key, 10)) then
                raise exception 'unknown rule %', substr(v_key, 10)
                    using errcode = 'invalid_parameter_value',
                          hint = 'known rules: ' || (select string_agg(rule, ', ' order by rule) from ops.rules);
            end if;
            v_expected := case
                when v_value not in ('"critical"', '"high"', '"medium"', '"low"') then 'critical, high, medium or low'
            end;
        else
            select * into v_setting from ops.settings where key = v_key;
            if not found then
                raise exception 'unknown setting %', v_key using errcode = 'invalid_parameter_value';
            end if;
            v_setting.value := v_value;
            v_expected := ops.check_setting(v_setting);
        end if;
        if v_expected is not null then
            raise exception '% expects %, not %', v_key, v_expected, left(v_value::text, 200)
                using errcode = 'invalid_parameter_value';
        end if;
    end loop;
end
$$;

comment on function ops.check_proposal(jsonb) is
    'Refuses rules to try with SQLSTATE 22023 that are neither valid settings nor severity.RULE with a severity.';

create function ops.proposed_settings(p_rules jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select ops.read_settings() || p_rules
$$;

comment on function ops.proposed_settings(jsonb) is
    'The settings as they would be; severities among them are read by ops.proposed_rules.';

create function ops.replay_manner(p_rule ops.rules)
returns text
language sql
immutable
set search_path = ''
as $$
    select case
        when p_rule.rule in (
            'app_down', 'app_slow', 'database_failing', 'service_degraded', 'certificate_urgent',
            'certificate_expiring', 'check_failing', 'check_slow', 'error_rate_high', 'api_slow',
            'api_average_slow', 'page_load_slow', 'endpoint_slow'
        ) then 'judged'
        when p_rule.signal in ('event', 'external', 'emergency') then 'happened'
        when p_rule.signal = 'notice' then 'none'
        else 'recorded'
    end
$$;

comment on function ops.replay_manner(ops.rules) is
    'How a rule is tried on the past. judged: anew, from samples and traffic; recorded: by the verdicts of that time, for what they came from is not kept; happened: its alerts as they were, for no rule of ours opens them; none: not at all.';

create function ops.proposed_rules(p_rules jsonb)
returns table (rule ops.rules, manner text)
language sql
stable
set search_path = ''
as $$
    select proposed, ops.replay_manner(proposed)
    from ops.effective_rules(ops.proposed_settings(p_rules)) as in_force
    cross join lateral jsonb_populate_record(
        in_force,
        jsonb_strip_nulls(jsonb_build_object('severity', p_rules ->> ('severity.' || in_force.rule)))
    ) as proposed
$$;

comment on function ops.proposed_rules(jsonb) is
    'The rules as they would be in force, each with how it is tried on the past.';

create function ops.untried_rules(p_rules jsonb)
returns text[]
language sql
stable
set search_path = ''
as $$
    select array(
        select proposed.key
        from jsonb_object_keys(p_rules) as proposed (key)
        where proposed.key not like 'severity.%'
            and proposed.key <> all (array[
                'alert.bad_after', 'alert.good_after', 'alert.flap_openings', 'alert.flap_minutes',
                'alert.flap_factor', 'threshold.error_rate_percent', 'threshold.app_latency_ms',
                'threshold.api_p95_ms', 'threshold.api_average_ms', 'threshold.page_load_ms',
                'threshold.slow_endpoint_p95_ms', 'threshold.certificate_warning_days',
                'threshold.certificate_urgent_days', 'threshold.minimum_samples',
                'window.error_rate_minutes', 'window.latency_minutes', 'window.performance_minutes',
                'window.endpoint_minutes'
            ])
        order by proposed.key
    )
$$;

comment on function ops.untried_rules(jsonb) is
    'Those of the proposed settings that change nothing about the past, because what they judge is not kept.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
