-- Holds where they matter: ticks and raised alerts make them, delivery heeds them,
-- and whoever looks is told of them.
--
-- Why: a hold is seen in everything that shows an alert, and what is held is not
-- taken for stuck.
-- Read by: the tick, raised alerts, delivery, the dashboard, `pourtrait alerts`.
-- Undo: put back the former functions of these names.

set local search_path = '';

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
    -- Once all is known that this tick saw: causes may come after consequences.
    -- What is observed between ticks has no fence, and renews nothing.
    if p_fence is not null then
        perform ops.renew_holds(p_context.settings, p_now);
    end if;
    return v_transitions;
end
$$;

create or replace function ops.observe_database(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with connections as (
        select round(100.0 * sum(numbackends) / current_setting('max_connections')::integer, 1) as percent
        from pg_stat_database
    ),
    waiting as (
        select min(message.created_at) as since
        from ops.outbox as message
        where message.status = 'pending' and message.created_at <= p_now and not ops.waits_on_purpose(message, p_now)
    ),
    figures (rule, subject, service, value, threshold, unit) as (
        select
            'connections_high', 'database', 'database', connections.percent,
            (p_settings ->> 'threshold.connections_percent')::numeric, '%'
        from connections

        union all
        select
            'slow_queries', 'database', 'database', ops.slow_calls_per_minute(),
            (p_settings ->> 'threshold.slow_calls_per_minute')::numeric, 'per minute'

        union all
        select
            'outbox_stuck', 'outbox', 'monitoring',
            coalesce(round(extract(epoch from p_now - waiting.since) / 60, 1), 0),
            (p_settings ->> 'threshold.outbox_minutes')::numeric, 'min'
        from waiting

        union all
        -- What was never called by schedule is not set up; the backup has rules of its own.
        select
            'job_overdue', job.job, 'monitoring',
            round(extract(epoch from p_now - job.last_slot) / job.every_seconds, 1),
            (p_settings ->> 'threshold.job_overdue_intervals')::numeric, 'intervals'
        from ops.jobs as job
        where job.job not in ('monitor', 'backup') and job.first_slot is not null
    )
    select
        rule || ':' || subject, rule, subject, null, ops.judge(value, threshold, 1, 1), value, threshold, unit,
        null::bigint, 1::bigint,
        jsonb_build_object('service', service), null::bigint
    from figures
$$;

-- Documents ------------------------------------------------------------------

create or replace function ops.alert_document(p_alert ops.alerts, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_alert.id,
        'rule', p_alert.rule,
        'subject', p_alert.subject,
        'fingerprint', p_alert.fingerprint,
        'severity', p_alert.severity,
        'status', p_alert.status,
        'since', p_alert.first_bad_at,
        'openedAt', p_alert.opened_at,
        'acknowledgedAt', p_alert.acknowledged_at,
        'acknowledgedBy', p_alert.acknowledged_by,
        'acknowledgedUntil', p_alert.acknowledged_until,
        'resolvedAt', p_alert.resolved_at,
        'silencedUntil', ops.silenced_until(p_alert, p_now),
        'heldBy', ops.held_by(p_alert, p_now),
        'facts', ops.message_facts(p_alert, 'firing', p_alert.last_facts),
        'ladder', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'level', step.level,
                        'name', step.person ->> 'name',
                        'role', step.person ->> 'role',
                        'passed', to_jsonb(step.passed),
                        'dueAt', step.due_at,
                        'status', step.status,
                        'toldAt', step.told_at
                    )
                    order by step.due_at, step.id
                )
                from ops.escalations as step
                where step.alert = p_alert.id and step.severity = p_alert.severity
            ),
            '[]'
        ),
        'events', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'at', event.at,
                        'kind', event.kind,
                        'actor', event.actor,
                        'note', event.note,
                        'detail', event.detail
                    )
                    order by event.at, event.id
                )
                from ops.alert_events as event
                where event.alert = p_alert.id
            ),
            '[]'
        )
    )
$$;

create or replace function ops.dashboard_alerts()
returns jsonb
language sql
stable
set search_path = ''
as $$
    with recent as (
        select alert.*, incident.number
        from ops.alerts as alert
        left join ops.incidents as incident on incident.id = alert.incident
        order by alert.opened_at desc, alert.id
        limit 20
    )
    select jsonb_build_object(
        'activeAlerts', (select count(*) from ops.alerts where status <> 'resolved'),
        'criticalAlerts', (select count(*) from ops.alerts where status <> 'resolved' and severity = 'critical'),
        'recentAlerts', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'id', id,
                        'type', rule,
                        'severity', severity,
                        'status', status,
                        'subject', subject,
                        'message', coalesce(facts ->> 'message', facts ->> 'title'),
                        'timestamp', opened_at,
                        'resolvedAt', resolved_at,
                        'incident', number,
                        -- Every tick and delivery takes away what is over.
                        'heldBy', case when status <> 'resolved' then held_by end
                    )
                    order by opened_at desc, id
                )
                from recent
            ),
            '[]'
        )
    )
$$;

create or replace function ops.dashboard_outbox(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with dead as (
        select id, channel, facts ->> 'rule' as rule, severity, last_error, created_at
        from ops.outbox
        where status = 'dead'
        order by created_at desc, id
        limit 20
    )
    select jsonb_build_object(
        'pending', (select count(*) from ops.outbox where status = 'pending'),
        'oldestPendingSeconds', (
            select extract(epoch from p_now - min(message.created_at))
            from ops.outbox as message
            where message.status = 'pending' and not ops.waits_on_purpose(message, p_now)
        ),
        'dead', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'id', id,
                        'channel', channel,
                        'rule', rule,
                        'severity', severity,
                        'error', last_error,
                        'at', created_at
                    )
                    order by created_at desc, id
                )
                from dead
            ),
            '[]'
        ),
        'sent24h', (
            select count(*)
            from ops.outbox
            where status = 'sent' and sent_at > p_now - interval '24 hours' and sent_at <= p_now
        )
    )
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
