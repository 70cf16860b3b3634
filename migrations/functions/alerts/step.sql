-- This is the state machine of alerts. ops.step alone decides, from a state and an
-- observation, whether an alert opens, stays as it is or resolves. It reads no table and no
-- clock, so that a replay of the past runs the same function. The other functions return
-- how many observations a rule needs: its own number, that of the settings, or more for an
-- alert that keeps coming back.
--
-- What is bad so often in a row opens an alert, and so does what is bad more often than not
-- without ever being bad so often in a row: with three in a row, five of the last nine.

create or replace function ops.lock_alerts()
returns void
language sql
set search_path = ''
as $$
    select pg_advisory_xact_lock(hashtextextended('ops.alerts', 0))
$$;

comment on function ops.lock_alerts() is
    'Takes a lock until the transaction ends, so that nobody else opens, resolves or settles meanwhile. Without it two callers could open two incidents for one fault, or wait for each other''s messages.';

create or replace function ops.remember(p_recent timestamptz[], p_bad_at timestamptz, p_rule ops.rules)
returns timestamptz[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_recent timestamptz[] := array_append(coalesce(p_recent, '{}'::timestamptz[]), p_bad_at);
begin
    v_recent := v_recent[greatest(1, cardinality(v_recent) - 3 * p_rule.bad_after + 1):];
    if num_nonnulls(variadic v_recent) = 0 then
        return '{}'::timestamptz[];
    end if;
    return v_recent;
end
$$;

comment on function ops.remember(timestamptz[], timestamptz, ops.rules) is
    'The last observations and one more, which was bad at that time or good if the time is null: as many as three times what opens an alert in a row.';

create or replace function ops.step(
    p_state ops.alert_states,
    p_observation ops.observation,
    p_rule ops.rules,
    p_now timestamptz,
    out state ops.alert_states,
    out transition text
)
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_recently_bad integer;
begin
    state := p_state;

    if p_observation.verdict = 'insufficient' or p_observation.fence <= p_state.last_fence then
        return;
    end if;

    state.last_observed_at := p_now;
    state.last_fence := p_observation.fence;

    if p_observation.verdict = 'bad' then
        state.bad_count := p_state.bad_count + 1;
        state.good_count := 0;
        state.first_bad_at := coalesce(p_state.first_bad_at, p_now);
        state.last_bad_at := p_now;
        if p_state.phase = 'firing' then
            return;
        end if;
        state.recent := ops.remember(p_state.recent, p_now, p_rule);
        v_recently_bad := num_nonnulls(variadic state.recent);
        if state.bad_count < p_rule.bad_after then
            if v_recently_bad < 2 * p_rule.bad_after - 1 then
                return;
            end if;
            state.bad_count := v_recently_bad;
            state.first_bad_at := (select min(at) from unnest(state.recent) as at);
        end if;
        state.phase := 'firing';
        state.recent := '{}'::timestamptz[];
        transition := 'open';
        return;
    end if;

    state.good_count := p_state.good_count + 1;
    if p_state.phase = 'firing' and state.good_count < p_rule.good_after then
        -- The alert stays open; the next bad observation sets the count of good ones to 0.
        return;
    end if;
    if p_state.phase = 'firing' then
        transition := 'resolve';
    else
        state.recent := ops.remember(p_state.recent, null, p_rule);
    end if;
    state.phase := 'quiet';
    state.bad_count := 0;
    state.good_count := 0;
    state.first_bad_at := null;
end
$$;

comment on function ops.step(ops.alert_states, ops.observation, ops.rules, timestamptz) is
    'Returns the next state after an observation and the transition: open, resolve or null. An observation that is insufficient, or whose fence is not newer than the last, changes nothing. p_rule carries the thresholds that are in force.';

create or replace function ops.effective_rules(p_settings jsonb)
returns setof ops.rules
language sql
stable
set search_path = ''
as $$
    select
        rule,
        severity,
        signal,
        subject_kind,
        coalesce(bad_after, (p_settings ->> 'alert.bad_after')::integer),
        coalesce(good_after, (p_settings ->> 'alert.good_after')::integer),
        affects
    from ops.rules
$$;

comment on function ops.effective_rules(jsonb) is 'Returns the rules, with the thresholds of the settings where a rule has none of its own.';

create or replace function ops.damp_flapping(
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
begin
    return ops.damp_rule(
        p_rule,
        (
            select count(*)
            from ops.alerts
            where fingerprint = p_fingerprint
                and opened_at > p_now - ops.minutes(p_settings, 'alert.flap_minutes')
                and opened_at <= p_now
        ),
        p_settings
    );
end
$$;

comment on function ops.damp_flapping(ops.rules, text, jsonb, timestamptz) is
    'Returns the rule as it is in force for a fingerprint. An alert that opened often of late needs more good observations to resolve.';

create or replace function ops.damp_rule(p_rule ops.rules, p_openings bigint, p_settings jsonb)
returns ops.rules
language plpgsql
immutable
set search_path = ''
as $$
begin
    if p_openings >= (p_settings ->> 'alert.flap_openings')::integer then
        p_rule.good_after := p_rule.good_after * (p_settings ->> 'alert.flap_factor')::integer;
    end if;
    return p_rule;
end
$$;

comment on function ops.damp_rule(ops.rules, bigint, jsonb) is
    'Returns the rule as it is in force after so many openings of late: from the number of the setting on, an alert needs more good observations to resolve.';
