-- These functions show alerts as callers see them.

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
        'next', ops.next_asked(p_alert, p_now),
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
                where step.alert = p_alert.id and step.severity = p_alert.severity and step.status <> 'done'
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

comment on function ops.alert_document(ops.alerts, timestamptz) is
    'Returns an alert as callers see it: its state, who holds or silences it, its ladder with the rungs that are still to come, and its timeline.';

create or replace function public.ops_list_alerts(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'alerts', coalesce(
            (
                select jsonb_agg(
                    ops.alert_document(alert, coalesce(p_now, now()))
                    order by ops.severity_rank(alert.severity) desc, alert.opened_at, alert.id
                )
                from ops.alerts as alert
                where alert.status <> 'resolved'
            ),
            '[]'
        ),
        'silences', coalesce(
            (
                select jsonb_agg(ops.silence_document(silence) order by silence.ends_at, silence.id)
                from ops.silences as silence
                where silence.ends_at > coalesce(p_now, now())
            ),
            '[]'
        ),
        'onCall', ops.list_duty(coalesce(p_now, now()))
    )
$$;

comment on function public.ops_list_alerts(timestamptz) is
    'Lists all open alerts, the worst first, the silences that are in force, and who is on call.';
