-- What people do about alerts: acknowledge, snooze, silence, resolve.
--
-- Why: whoever answers must be able to say so from wherever they read it, once
-- per link, and everybody must be able to read later who it was. An
-- acknowledgement stops what is queued and holds the ladder; it ends by itself,
-- so that an alert which was acknowledged and forgotten climbs on.
-- Read by: /api/alerts/acknowledge, `pourtrait alerts`.
-- Undo: drop the functions of this file, then ops.alert_actions.

set local search_path = '';

create table ops.alert_actions (
    request uuid primary key,
    alert uuid not null references ops.alerts (id),
    action text not null check (action in ('acknowledge', 'unacknowledge', 'snooze', 'silence', 'resolve')),
    link uuid references ops.outbox (id),
    result jsonb not null,
    at timestamptz not null
);

comment on table ops.alert_actions is 'What was done about alerts and answered, to answer it again; and which links were used.';
comment on column ops.alert_actions.link is 'The message whose link was used, if it was one.';

create unique index alert_actions_link_key on ops.alert_actions (link, action);
create index alert_actions_alert_idx on ops.alert_actions (alert);

alter table ops.alert_actions enable row level security;

-- Documents ------------------------------------------------------------------

create function ops.alert_document(p_alert ops.alerts, p_now timestamptz)
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

comment on function ops.alert_document(ops.alerts, timestamptz) is
    'An alert as callers see it: its state, its ladder with what is still to come, and its timeline.';

create function public.ops_list_alerts(p_now timestamptz default null)
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
        )
    )
$$;

comment on function public.ops_list_alerts(timestamptz) is 'All open alerts, the worst first, and the silences in force.';

-- Actions --------------------------------------------------------------------

create function ops.acknowledge_alert(
    p_alert ops.alerts,
    p_kind text,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.alerts
    set
        status = 'acknowledged', acknowledged_at = p_now, acknowledged_by = p_actor,
        acknowledged_until = p_until
    where id = p_alert.id;
    -- Somebody is at it: nobody else needs to be called.
    perform ops.drop_unsent(p_alert.id);
    perform ops.log_event(
        p_alert.id, p_kind, p_actor, p_note, jsonb_build_object('until', p_until), p_now
    );
end
$$;

comment on function ops.acknowledge_alert(ops.alerts, text, timestamptz, text, text, timestamptz) is
    'Holds an alert''s ladder until that time and takes back what is queued.';

create function ops.release_alert(p_alert ops.alerts, p_note text, p_actor text, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.alerts
    set status = 'firing', acknowledged_at = null, acknowledged_by = null, acknowledged_until = null
    where id = p_alert.id;
    perform ops.restore_unsent(p_alert);
    perform ops.log_event(p_alert.id, 'unacknowledged', p_actor, p_note, null, p_now);
end
$$;

comment on function ops.release_alert(ops.alerts, text, text, timestamptz) is
    'Takes an acknowledgement back: the ladder goes on where the time says.';

create function ops.close_alert(
    p_alert ops.alerts,
    p_note text,
    p_actor text,
    p_settings jsonb,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.log_event(p_alert.id, 'closed', p_actor, p_note, null, p_now);
    perform ops.resolve_alert(
        p_alert.id, null, row(null, null, null, '{}', p_settings)::ops.context, p_now
    );
    -- Should it still be bad, it counts anew and opens another alert.
    delete from ops.alert_states where alert = p_alert.id;
end
$$;

comment on function ops.close_alert(ops.alerts, text, text, jsonb, timestamptz) is
    'Resolves an alert by hand; what is still bad opens another one.';

create function ops.apply_action(
    p_alert ops.alerts,
    p_request uuid,
    p_action text,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_now timestamptz
)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_settings jsonb := ops.read_settings();
    v_until timestamptz := p_until;
begin
    if p_alert.status = 'resolved' or (p_action = 'unacknowledge' and p_alert.status = 'firing') then
        return 'unchanged';
    end if;
    if p_action = 'acknowledge' and v_until is null then
        v_until := p_now + ops.minutes(v_settings, 'escalation.acknowledged_minutes');
    end if;
    if p_action in ('acknowledge', 'snooze') then
        perform ops.check_until(v_until, interval '7 days', p_now);
    end if;

    case p_action
        when 'acknowledge' then
            perform ops.acknowledge_alert(p_alert, 'acknowledged', v_until, p_note, p_actor, p_now);
        when 'snooze' then
            perform ops.acknowledge_alert(p_alert, 'snoozed', v_until, p_note, p_actor, p_now);
        when 'unacknowledge' then
            perform ops.release_alert(p_alert, p_note, p_actor, p_now);
        when 'silence' then
            perform public.ops_add_silence(
                p_request, jsonb_build_object('fingerprint', p_alert.fingerprint), v_until, p_note, p_actor, p_now
            );
        when 'resolve' then
            perform ops.close_alert(p_alert, p_note, p_actor, v_settings, p_now);
    end case;
    return 'done';
end
$$;

comment on function ops.apply_action(ops.alerts, uuid, text, timestamptz, text, text, timestamptz) is
    'Does one thing about an alert and returns done, or unchanged where there is nothing to do.';

-- Links ----------------------------------------------------------------------

create function ops.judge_link(
    p_alert uuid,
    p_message uuid,
    p_action text,
    p_expires_at timestamptz,
    p_now timestamptz
)
returns text
language sql
stable
set search_path = ''
as $$
    select case
        when not exists (select from ops.outbox where id = p_message and alert = p_alert) then 'unknown'
        when exists (select from ops.alert_actions where link = p_message and action = p_action) then 'used'
        when p_expires_at <= p_now then 'expired'
        when exists (select from ops.alerts where id = p_alert and status = 'resolved') then 'resolved'
        else 'ready'
    end
$$;

comment on function ops.judge_link(uuid, uuid, text, timestamptz, timestamptz) is
    'Whether the link of a message may act now: ready, or why not: unknown, used, expired, or resolved in the meantime.';

create function public.ops_show_link(
    p_alert uuid,
    p_message uuid,
    p_action text,
    p_expires_at timestamptz,
    p_now timestamptz default null
)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'outcome', ops.judge_link(p_alert, p_message, p_action, p_expires_at, coalesce(p_now, now())),
        'alert', (
            select ops.alert_document(alert, coalesce(p_now, now()))
            from ops.alerts as alert
            where alert.id = p_alert
        )
    )
$$;

comment on function public.ops_show_link(uuid, uuid, text, timestamptz, timestamptz) is
    'What a link would do, and about which alert; changes nothing.';

create function public.ops_act_on_alert(
    p_request uuid,
    p_alert uuid,
    p_action text,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_link jsonb default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_alert ops.alerts;
    v_outcome text := 'ready';
    v_result jsonb;
begin
    if p_request is null
        or coalesce(p_action, '') not in ('acknowledge', 'unacknowledge', 'snooze', 'silence', 'resolve')
        or coalesce(length(btrim(p_actor)), 0) not between 1 and 200
        or length(p_note) > 1000
    then
        raise exception 'an action needs a request, an action (acknowledge, unacknowledge, snooze, silence or resolve) and who does it; a note has at most 1000 characters'
            using errcode = 'invalid_parameter_value';
    end if;

    perform ops.lock_alerts();
    if exists (select from ops.alert_actions where request = p_request) then
        return (select result from ops.alert_actions where request = p_request);
    end if;
    if p_link is not null then
        v_outcome := ops.judge_link(
            p_alert, (p_link ->> 'message')::uuid, p_action, (p_link ->> 'expiresAt')::timestamptz, v_now
        );
    end if;

    select * into v_alert from ops.alerts where id = p_alert for update;
    if v_alert.id is null or v_outcome = 'unknown' then
        return jsonb_build_object('outcome', 'unknown', 'alert', null);
    end if;
    if v_outcome = 'ready' then
        v_outcome := ops.apply_action(
            v_alert, p_request, p_action, p_until, nullif(btrim(p_note), ''), btrim(p_actor), v_now
        );
    end if;

    select * into v_alert from ops.alerts where id = p_alert;
    v_result := jsonb_build_object('outcome', v_outcome, 'alert', ops.alert_document(v_alert, v_now));
    if v_outcome = 'done' then
        insert into ops.alert_actions (request, alert, action, link, result, at)
        values (p_request, p_alert, p_action, (p_link ->> 'message')::uuid, v_result, v_now);
    end if;
    return v_result;
end
$$;

comment on function public.ops_act_on_alert(uuid, uuid, text, timestamptz, text, text, jsonb, timestamptz) is
    'Does one thing about an alert, by a link at most once: done, unchanged, unknown, used, expired or resolved. Repeated with the same request it returns its first result.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_list_alerts(timestamptz) from public, anon, authenticated;
grant execute on function public.ops_list_alerts(timestamptz) to service_role;
revoke all on function public.ops_show_link(uuid, uuid, text, timestamptz, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_show_link(uuid, uuid, text, timestamptz, timestamptz) to service_role;
revoke all on function public.ops_act_on_alert(uuid, uuid, text, timestamptz, text, text, jsonb, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_act_on_alert(uuid, uuid, text, timestamptz, text, text, jsonb, timestamptz) to service_role;
