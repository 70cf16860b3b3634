-- Rules that somebody would like to try, and which of them can be tried on the past. A
-- proposal has the form of the settings; whoever makes it learns which of its settings the
-- past cannot answer.

create or replace function ops.check_proposed_severity(p_key text, p_severity jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_rule text := substr(p_key, length('severity.') + 1);
begin
    if not exists (select from ops.rules where rule = v_rule) then
        perform ops.refuse(
            'rule', 'a known rule', v_rule,
            'known rules: ' || (select string_agg(rule, ', ' order by rule) from ops.rules)
        );
    end if;
    if not ops.is_word(p_severity, ops.words('ops.severity')) then
        perform ops.refuse(
            p_key, ops.join_words(ops.words('ops.severity')), ops.without_secrets(p_severity::text)
        );
    end if;
end
$$;

comment on function ops.check_proposed_severity(text, jsonb) is
    'Refuses with SQLSTATE 22023 a key severity.RULE whose rule is unknown or whose value is no severity.';

create or replace function ops.check_proposed_setting(p_key text, p_value jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_setting ops.settings;
    v_fault ops.fault;
begin
    select * into v_setting from ops.settings where key = p_key;
    if not found then
        perform ops.refuse_unknown_setting(p_key);
    end if;
    v_setting.value := p_value;
    v_fault := ops.find_setting_fault(v_setting);
    if v_fault.field is not null then
        perform ops.refuse('setting ' || v_fault.field, v_fault.expected, v_fault.got);
    end if;
end
$$;

comment on function ops.check_proposed_setting(text, jsonb) is
    'Refuses with SQLSTATE 22023 a setting that does not exist, or a value that it could not have.';

create or replace function ops.check_proposal(p_rules jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_key text;
    v_value jsonb;
begin
    if jsonb_typeof(p_rules) is distinct from 'object' then
        perform ops.refuse('rules', 'an object of settings and severities', jsonb_typeof(p_rules));
    end if;

    for v_key, v_value in select key, value from jsonb_each(p_rules) loop
        if v_key like 'severity.%' then
            perform ops.check_proposed_severity(v_key, v_value);
        else
            perform ops.check_proposed_setting(v_key, v_value);
        end if;
    end loop;
end
$$;

comment on function ops.check_proposal(jsonb) is
    'Refuses with SQLSTATE 22023 a proposal in which something is neither a valid setting nor severity.RULE with a severity.';

create or replace function ops.proposed_settings(p_rules jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select ops.read_settings() || ops.with_plain_numbers(p_rules)
$$;

comment on function ops.proposed_settings(jsonb) is
    'The settings as they would be under a proposal. Its severities are among them, but only ops.proposed_rules reads those.';

create or replace function ops.replay_manner(p_rule ops.rules)
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
    'How a rule is tried on the past. judged: its verdicts are given anew, from samples and traffic. recorded: the verdicts of that time stand, because what they were given on is not kept. happened: its alerts stand as they were, because no rule of ours opens them. none: it is not tried.';

create or replace function ops.proposed_rules(p_rules jsonb)
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
    'The rules as they would be in force under a proposal, each with how it is tried on the past.';

create or replace function ops.untried_rules(p_rules jsonb)
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
    'The proposed settings that change nothing when tried on the past, because what they judge is not kept.';
