-- Observations are applied here. For each fingerprint ops.step decides what follows, and
-- the state, the alert, its incident and its messages are written in the same transaction.

create or replace function ops.transition_document(p_alert ops.alerts, p_kind text)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'alert', p_alert.id,
        'fingerprint', p_alert.fingerprint,
        'rule', p_alert.rule,
        'subject', p_alert.subject,
        'severity', p_alert.severity,
        'kind', p_kind
    )
$$;

comment on function ops.transition_document(ops.alerts, text) is 'Returns a transition of an alert as the commit of a tick reports it.';

create or replace function ops.open_observed(
    p_state ops.alert_states,
    p_observation ops.observation,
    p_context ops.context,
    p_now timestamptz
)
returns ops.alerts
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
    v_event boolean := exists (
        select from ops.rules where rule = p_observation.rule and signal = 'event'
    );
begin
    v_alert := ops.open_alert(
        p_observation,
        case p_observation.rule when 'app_alert' then 'app' else 'monitor' end,
        coalesce((p_observation.facts ->> 'since')::timestamptz, p_state.first_bad_at),
        -- An event counts the rows that are new, any other rule its bad observations.
        case when v_event then greatest(p_observation.occurrences, 1) else p_state.bad_count end,
        p_context,
        p_now
    );
    if v_alert.id is not null then
        perform ops.queue_firing(v_alert, p_context, p_now);
    end if;
    return v_alert;
end
$$;

comment on function ops.open_observed(ops.alert_states, ops.observation, ops.context, timestamptz) is
    'Opens the alert of an observation, with its incident and its first messages; null if one of that fingerprint is open.';

create or replace function ops.resolve_observed(
    p_state ops.alert_states,
    p_observation ops.observation,
    p_context ops.context,
    p_now timestamptz
)
returns ops.alerts
language sql
set search_path = ''
as $$
    select ops.resolve_alert(
        p_state.alert,
        jsonb_build_object(
            'value', p_observation.value,
            'threshold', p_observation.threshold,
            'samples', p_observation.samples,
            'reason', p_observation.facts ->> 'reason'
        ) || ops.end_of(p_observation, p_state.alert),
        p_context,
        p_now
    )
$$;

comment on function ops.resolve_observed(ops.alert_states, ops.observation, ops.context, timestamptz) is
    'Resolves the alert of a state with the figures of the good observation; null if it was resolved before.';

create or replace function ops.keep_state(p_state ops.alert_states)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if p_state.phase = 'quiet' and p_state.bad_count = 0 and p_state.recent = '{}' then
        -- A quiet state without bad observations is the same as no state.
        delete from ops.alert_states where fingerprint = p_state.fingerprint;
    else
        update ops.alert_states
        set
            phase = p_state.phase,
            bad_count = p_state.bad_count,
            recent = p_state.recent,
            good_count = p_state.good_count,
            first_bad_at = p_state.first_bad_at,
            last_bad_at = p_state.last_bad_at,
            last_observed_at = p_state.last_observed_at,
            last_fence = p_state.last_fence,
            alert = p_state.alert
        where fingerprint = p_state.fingerprint;
    end if;
end
$$;

comment on function ops.keep_state(ops.alert_states) is
    'Writes the state of a fingerprint, or removes it where nothing has to be remembered.';

create or replace function ops.apply_step(
    p_state ops.alert_states,
    p_transition text,
    p_observation ops.observation,
    p_context ops.context,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
    v_state ops.alert_states := p_state;
    v_document jsonb;
begin
    if p_transition = 'open' then
        v_alert := ops.open_observed(p_state, p_observation, p_context, p_now);
        if v_alert.id is not null then
            v_state.alert := v_alert.id;
            v_document := ops.transition_document(v_alert, 'opened');
        end if;
    elsif p_transition = 'resolve' then
        v_alert := ops.resolve_observed(p_state, p_observation, p_context, p_now);
        if v_alert.id is not null then
            v_document := ops.transition_document(v_alert, 'resolved');
        end if;
    elsif p_state.phase = 'firing' and p_observation.verdict = 'bad' then
        perform ops.note_alert(
            p_state.alert, p_observation, p_observation.occurrences, p_context, p_now
        );
    end if;
    perform ops.keep_state(v_state);
    return v_document;
end
$$;

comment on function ops.apply_step(ops.alert_states, text, ops.observation, ops.context, timestamptz) is
    'Writes what ops.step decided about one fingerprint, and returns the transition; null if there was none.';

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
    v_transitions jsonb := '[]'::jsonb;
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
            ops.with_fence(seen, p_fence),
            ops.damp_flapping(
                ops.rule_of_subject(in_force, seen.subject), seen.fingerprint, p_context.settings, p_now
            ),
            p_now
        ) as stepped
        -- The worst comes first, so that a new incident is named after it.
        order by ops.severity_rank(coalesce(in_force.severity, seen.severity)) desc, seen.fingerprint
    loop
        v_transition := ops.apply_step(v_next.state, v_next.transition, v_next.observation, p_context, p_now);
        if v_transition is not null then
            v_transitions := v_transitions || v_transition;
        end if;
    end loop;
    -- A cause may be observed after its consequences, so holds are renewed when all
    -- observations of the tick are applied. What is observed between ticks has no fence and
    -- renews no hold.
    if p_fence is not null then
        perform ops.renew_holds(p_context.settings, p_now);
    end if;
    return v_transitions;
end
$$;

comment on function ops.apply_observations(ops.observation[], bigint, ops.context, timestamptz) is
    'Locks the states of the observed fingerprints, applies ops.step to each observation, the worst severity first, renews the holds after a tick, and returns the transitions in that order.';
