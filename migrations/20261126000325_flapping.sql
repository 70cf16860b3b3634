-- Flapping: what opens again and again has to stay well for longer.
--
-- Why: something that comes and goes tells people of every coming and going. From
-- some openings on within an hour, its alert needs more good observations to
-- resolve, so that it is one alert. ops.step decides as ever; it is given the rule
-- as it is in force for the fingerprint.
-- Read by: the tick.
-- Undo: put back the former ops.apply_observations; drop ops.damp_flapping; take
-- the settings away.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, kind, value, value, minimum, maximum, unit, description
from (values
    ('alert.flap_openings', 'integer', '3'::jsonb, 2, 100, null, 'Openings of one alert within alert.flap_minutes from which on it counts as flapping.'),
    ('alert.flap_minutes', 'integer', '60', 1, 1440, 'min', 'Period in which openings of one alert are counted.'),
    ('alert.flap_factor', 'integer', '2', 1, 60, null, 'How many times alert.good_after a flapping alert needs to resolve.')
) as seed (key, kind, value, minimum, maximum, unit, description);

create function ops.damp_flapping(
    p_rule ops.rules,
    p_fingerprint text,
    p_settings jsonb,
    p_now timestamptz
)
returns ops.rules
language plpgsql
stable
set search_path = ''
as $$
declare
    v_openings integer := (p_settings ->> 'alert.flap_openings')::integer;
begin
    if v_openings <= (
        select count(*)
        from ops.alerts
        where fingerprint = p_fingerprint
            and opened_at > p_now - ops.minutes(p_settings, 'alert.flap_minutes')
            and opened_at <= p_now
    ) then
        p_rule.good_after := p_rule.good_after * (p_settings ->> 'alert.flap_factor')::integer;
    end if;
    return p_rule;
end
$$;

comment on function ops.damp_flapping(ops.rules, text, jsonb, timestamptz) is
    'The rule as it is in force for a fingerprint: one that opened often enough of late needs more good observations to resolve.';

create or replace function ops.apply_observations(
    p_observations ops.observation[],
    p_fence bigint,
    p_context ops.context,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_next record;
    v_transition jsonb;
    v_transitions jsonb := '[]';
begin
    insert into ops.alert_states (fingerprint, rule, subject)
    select distinct on (seen.fingerprint) seen.fingerprint, seen.rule, seen.subject
    from unnest(p_observations) as seen
    where seen.verdict = 'bad'
    order by seen.fingerprint
    on conflict (fingerprint) do nothing;

    perform
    from ops.alert_states
    where fingerprint in (select seen.fingerprint from unnest(p_observations) as seen)
    order by fingerprint
    for update;

    for v_next in
        select stepped.state, stepped.transition, seen as observation
        from unnest(p_observations) as seen
        join ops.alert_states as remembered on remembered.fingerprint = seen.fingerprint
        join ops.effective_rules(p_context.settings) as in_force on in_force.rule = seen.rule
        cross join lateral ops.step(
            remembered,
            row(
                seen.fingerprint, seen.rule, seen.subject, seen.severity, seen.verdict, seen.value,
                seen.threshold, seen.unit, seen.samples, seen.occurrences, seen.facts, p_fence
            )::ops.observation,
            ops.damp_flapping(in_force, seen.fingerprint, p_context.settings, p_now),
            p_now
        ) as stepped
        -- The worst first, so that an incident is named after it.
        order by ops.severity_rank(coalesce(in_force.severity, seen.severity)) desc, seen.fingerprint
    loop
        v_transition := ops.apply_step(v_next.state, v_next.transition, v_next.observation, p_context, p_now);
        if v_transition is not null then
            v_transitions := v_transitions || v_transition;
        end if;
    end loop;
    return v_transitions;
end
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
