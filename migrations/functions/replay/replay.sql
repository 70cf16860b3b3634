-- Which alerts rules would have opened, found by replaying the verdicts of the past. ops.step
-- decides as it does at every tick; only its memory is the caller's, which carries it from one
-- part of the past to the next. Nothing is written.

create or replace function ops.firing_document(
    p_rule text,
    p_subject text,
    p_severity text,
    p_first_bad_at timestamptz,
    p_opened_at timestamptz,
    p_resolved_at timestamptz
)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'rule', p_rule,
        'subject', p_subject,
        'severity', p_severity,
        'firstBadAt', p_first_bad_at,
        'openedAt', p_opened_at,
        'resolvedAt', p_resolved_at
    )
$$;

comment on function ops.firing_document(text, text, text, timestamptz, timestamptz, timestamptz) is
    'An alert, real or replayed, as a replay reports it.';

create or replace function ops.carried_state(p_start jsonb)
returns ops.alert_states
language sql
stable
set search_path = ''
as $$
    select jsonb_populate_record(
        null::ops.alert_states,
        coalesce(p_start -> 'state', '{"phase": "quiet", "bad_count": 0, "good_count": 0, "recent": []}')
    )
$$;

comment on function ops.carried_state(jsonb) is
    'The state of a subject that was carried here from an earlier part of the past; quiet if none was.';

create or replace function ops.carried_document(p_firing jsonb, p_state ops.alert_states, p_openings timestamptz[])
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select p_firing || jsonb_build_object('state', p_state, 'openings', p_openings)
    where p_state.phase = 'firing' or p_state.bad_count > 0 or p_state.recent <> '{}' or p_openings <> '{}'
$$;

comment on function ops.carried_document(jsonb, ops.alert_states, timestamptz[]) is
    'What a replay has to remember of a subject for the next part of the past; null if that is nothing.';

create or replace function ops.replay_subject(
    p_start jsonb,
    p_rule ops.rules,
    p_subject text,
    p_times timestamptz[],
    p_verdicts text[],
    p_severities text[],
    p_settings jsonb,
    out firings jsonb,
    out next jsonb
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_state ops.alert_states := ops.carried_state(p_start);
    v_severity text := p_start ->> 'severity';
    v_opened_at timestamptz := (p_start ->> 'openedAt')::timestamptz;
    v_openings timestamptz[] := array(select jsonb_array_elements_text(p_start -> 'openings')::timestamptz);
    v_flap interval := ops.minutes(p_settings, 'alert.flap_minutes');
    v_at timestamptz;
    v_since timestamptz;
    v_stepped record;
begin
    firings := '[]';
    for v_index in 1 .. cardinality(p_times) loop
        v_at := p_times[v_index];
        v_since := v_state.first_bad_at;
        v_openings := array(select opening from unnest(v_openings) as opening where opening > v_at - v_flap);
        v_stepped := ops.step(
            v_state,
            ops.make_observation(
                p_rule.rule, p_subject, p_verdicts[v_index], p_severity => p_severities[v_index]
            ),
            ops.damp_rule(p_rule, cardinality(v_openings), p_settings),
            v_at
        );
        v_state := v_stepped.state;
        if v_stepped.transition = 'open' then
            v_opened_at := v_at;
            v_openings := v_openings || v_at;
            v_severity := coalesce(p_rule.severity, p_severities[v_index]);
        elsif v_stepped.transition = 'resolve' then
            firings := firings || ops.firing_document(
                p_rule.rule, p_subject, v_severity, v_since, v_opened_at, v_at
            );
            v_opened_at := null;
        end if;
    end loop;

    next := ops.carried_document(
        ops.firing_document(p_rule.rule, p_subject, v_severity, v_state.first_bad_at, v_opened_at, null),
        v_state,
        v_openings
    );
end
$$;

comment on function ops.replay_subject(jsonb, ops.rules, text, timestamptz[], text[], text[], jsonb) is
    'Replays the verdicts on one subject by ops.step. firings are the alerts that were resolved; next is what has to be remembered, or null.';

create or replace function ops.replay_start(p_from timestamptz, p_rules jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with known as (
        select
            alert.rule,
            alert.subject,
            max(alert.severity) filter (where lasting) as severity,
            max(alert.first_bad_at) filter (where lasting) as first_bad_at,
            max(alert.opened_at) filter (where lasting) as opened_at,
            jsonb_agg(alert.opened_at order by alert.opened_at) as openings
        from ops.alerts as alert
        join ops.proposed_rules(p_rules) as proposed on (proposed.rule).rule = alert.rule
        cross join lateral (select coalesce(alert.resolved_at >= p_from, true)) as found (lasting)
        where alert.opened_at < p_from
            and proposed.manner in ('judged', 'recorded')
            and (
                lasting
                or alert.opened_at > p_from - ops.minutes(ops.proposed_settings(p_rules), 'alert.flap_minutes')
            )
        group by alert.rule, alert.subject
    )
    select coalesce(
        jsonb_agg(
            ops.firing_document(rule, subject, severity, first_bad_at, opened_at, null) || jsonb_build_object(
                'openings', openings,
                'state', jsonb_build_object(
                    'phase', case when opened_at is null then 'quiet' else 'firing' end,
                    'bad_count', case when opened_at is null then 0 else 1 end,
                    'good_count', 0,
                    'first_bad_at', first_bad_at
                )
            )
        ),
        '[]'
    )
    from known
$$;

comment on function ops.replay_start(timestamptz, jsonb) is
    'What is remembered when a replay begins: the alerts that were open then, and recent ones, which count for flapping.';

create or replace function public.ops_plan_replay(p_since timestamptz, p_rules jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_from timestamptz;
begin
    perform ops.check_proposal(p_rules);
    select coalesce(min(started_at), v_now) into v_from
    from ops.runs
    where job = 'monitor' and outcome = 'done' and started_at >= p_since;

    return jsonb_build_object(
        'from', v_from,
        'to', v_now,
        'states', ops.replay_start(v_from, p_rules),
        'open', (
            select coalesce(
                jsonb_agg(
                    ops.firing_document(rule, subject, severity, first_bad_at, opened_at, resolved_at)
                    order by opened_at, fingerprint
                ),
                '[]'
            )
            from ops.alerts
            where opened_at < v_from and coalesce(resolved_at >= v_from, true)
        ),
        'rules', (
            select jsonb_agg(
                jsonb_build_object(
                    'rule', (proposed.rule).rule, 'severity', (proposed.rule).severity, 'manner', proposed.manner
                )
                order by (proposed.rule).rule
            )
            from ops.proposed_rules(p_rules) as proposed
        ),
        'untried', ops.untried_rules(p_rules)
    );
end
$$;

comment on function public.ops_plan_replay(timestamptz, jsonb, timestamptz) is
    'What a replay of a proposal since p_since can do: from when to when there are ticks, which alerts were open at the beginning, how each rule is tried, and which settings cannot be tried on the past. Nothing is written.';

create or replace function public.ops_replay(p_from timestamptz, p_to timestamptz, p_rules jsonb, p_states jsonb)
returns jsonb
language sql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
    with folded as materialized (
        select subject.firings, subject.next
        from ops.replay_verdicts(p_from, p_to, ops.proposed_settings(p_rules), p_states) as seen
        join ops.proposed_rules(p_rules) as proposed on (proposed.rule).rule = seen.rule
        left join jsonb_array_elements(p_states) as carried (state)
            on carried.state ->> 'rule' = seen.rule and carried.state ->> 'subject' = seen.subject
        cross join lateral ops.replay_subject(
            carried.state, ops.rule_of_subject(proposed.rule, seen.subject), seen.subject, seen.times, seen.verdicts, seen.severities,
            ops.proposed_settings(p_rules)
        ) as subject
        where proposed.manner in ('judged', 'recorded')
    )
    select jsonb_build_object(
        'ticks', (select count(*) from ops.committed_ticks(p_from, p_to)),
        'firings', (
            select coalesce(jsonb_agg(firing.value), '[]')
            from folded
            cross join lateral jsonb_array_elements(folded.firings) as firing (value)
        ),
        'states', (select coalesce(jsonb_agg(next) filter (where next is not null), '[]') from folded),
        'happened', (
            select coalesce(
                jsonb_agg(
                    ops.firing_document(rule, subject, severity, first_bad_at, opened_at, resolved_at)
                    order by opened_at, fingerprint
                ),
                '[]'
            )
            from ops.alerts
            where opened_at >= p_from and opened_at < p_to
        )
    )
$$;

comment on function public.ops_replay(timestamptz, timestamptz, jsonb, jsonb) is
    'Replays the ticks from p_from until before p_to under a proposal, beginning with what p_states remembers. The answer holds the alerts that ended in that part of the past, what has to be remembered for the next part, and the alerts that really opened. Nothing is written.';
