-- People acknowledge, snooze, silence or resolve an alert. A link in a message does one of
-- these once. An acknowledgement takes back the messages that nobody can have read and holds
-- the ladder. It ends by itself, so that an alert which was acknowledged and forgotten
-- climbs on.

create or replace function ops.acknowledge_alert(
    p_alert ops.alerts,
    p_kind text,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_contact uuid,
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
        acknowledged_until = p_until, acknowledged_contact = p_contact
    where id = p_alert.id;
    -- Somebody has taken the alert over, so nobody else needs to be called.
    perform ops.drop_unsent(p_alert.id);
    perform ops.log_event(
        p_alert.id, p_kind, p_actor, p_note, jsonb_build_object('until', p_until), p_now
    );
end
$$;

comment on function ops.acknowledge_alert(ops.alerts, text, timestamptz, text, text, uuid, timestamptz) is
    'Marks an alert as acknowledged until that time, which holds its ladder, and takes back its messages that nobody can have read.';

create or replace function ops.release_alert(p_alert ops.alerts, p_note text, p_actor text, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.alerts
    set
        status = 'firing', acknowledged_at = null, acknowledged_by = null, acknowledged_until = null,
        acknowledged_contact = null
    where id = p_alert.id;
    perform ops.restore_unsent(p_alert);
    perform ops.log_event(p_alert.id, 'unacknowledged', p_actor, p_note, null, p_now);
end
$$;

comment on function ops.release_alert(ops.alerts, text, text, timestamptz) is
    'Takes an acknowledgement back: the messages are queued again, and the ladder goes on with whatever rung is due by now.';

create or replace function ops.close_alert(
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
        p_alert.id, ops.make_end('closed', p_actor, p_note), ops.make_context('{}', p_settings), p_now
    );
    -- What is still bad is counted from the beginning and opens another alert.
    delete from ops.alert_states where alert = p_alert.id;
end
$$;

comment on function ops.close_alert(ops.alerts, text, text, jsonb, timestamptz) is
    'Resolves an alert for a person. If the cause is still there, it opens another alert.';

create or replace function ops.apply_action(
    p_alert ops.alerts,
    p_request uuid,
    p_action text,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_link uuid,
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
    p_actor := ops.named_actor(p_actor, p_link);
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
            perform ops.acknowledge_alert(
                p_alert, 'acknowledged', v_until, p_note, p_actor, ops.find_answering(p_actor, p_link), p_now
            );
        when 'snooze' then
            perform ops.acknowledge_alert(
                p_alert, 'snoozed', v_until, p_note, p_actor, ops.find_answering(p_actor, p_link), p_now
            );
        when 'unacknowledge' then
            perform ops.release_alert(p_alert, p_note, p_actor, p_now);
        when 'silence' then
            perform ops.check_silence(
                p_request, jsonb_build_object('fingerprint', p_alert.fingerprint), p_note, p_actor
            );
            perform ops.check_until(v_until, interval '90 days', p_now);
            perform ops.add_silence(
                p_request, jsonb_build_object('fingerprint', p_alert.fingerprint), null, v_until, p_note, p_actor, p_now
            );
        when 'resolve' then
            perform ops.close_alert(p_alert, p_note, p_actor, v_settings, p_now);
    end case;
    -- A silence writes for itself, since it may be for many.
    if p_action <> 'silence' then
        perform ops.write_audit(
            'alert.answered', p_actor, p_alert.id::text,
            jsonb_build_object('did', p_action, 'rule', p_alert.rule, 'until', v_until)
        );
    end if;
    return 'done';
end
$$;

comment on function ops.apply_action(ops.alerts, uuid, text, timestamptz, text, text, uuid, timestamptz) is
    'Does one thing about an alert and returns done, or unchanged where there is nothing to do. An acknowledgement without an end lasts as long as the setting says.';

create or replace function ops.link_use(p_message uuid, p_action text)
returns text
language sql
immutable
set search_path = ''
as $$
    select 'link:' || p_message || ':' || p_action
$$;

comment on function ops.link_use(uuid, text) is
    'Names the link of a message for an action, so that the link is used up once; null without a message.';

create or replace function ops.judge_link(
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
        when exists (select from ops.answered_calls where uses = ops.link_use(p_message, p_action)) then 'used'
        when p_expires_at <= p_now then 'expired'
        when exists (select from ops.alerts where id = p_alert and status = 'resolved') then 'resolved'
        else 'ready'
    end
$$;

comment on function ops.judge_link(uuid, uuid, text, timestamptz, timestamptz) is
    'Returns whether the link of a message may act now: ready, or the reason why it may not, which is unknown, used, expired or resolved.';

create or replace function public.ops_show_link(
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
    'Shows whether a link would act, and the alert that it is about. It changes nothing.';

create or replace function public.ops_act_on_alert(
    p_request uuid,
    p_alert uuid,
    p_action text,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_link jsonb default null,
    p_now timestamptz default null,
    p_role text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_alert ops.alerts;
    v_outcome text := 'ready';
    v_answer jsonb;
    v_result jsonb;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    perform ops.check_permission(p_role, 'alerts.answer');
    perform ops.check_word('action', p_action, ops.words('ops.alert_action'));
    perform ops.check_length('actor', btrim(p_actor), 200);
    if length(p_note) > 1000 then
        perform ops.refuse('note', 'a text of at most 1000 characters', length(p_note) || ' characters');
    end if;

    perform ops.lock_alerts();
    v_answer := ops.former_answer(p_request, 'ops_act_on_alert');
    if v_answer is not null then
        return v_answer;
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
            v_alert, p_request, p_action, p_until, nullif(btrim(p_note), ''), btrim(p_actor),
            (p_link ->> 'message')::uuid, v_now
        );
    end if;

    select * into v_alert from ops.alerts where id = p_alert;
    v_result := jsonb_build_object('outcome', v_outcome, 'alert', ops.alert_document(v_alert, v_now));
    if v_outcome = 'done' then
        return ops.keep_answer(
            p_request, 'ops_act_on_alert', v_result, v_now, ops.link_use((p_link ->> 'message')::uuid, p_action)
        );
    end if;
    return v_result;
end
$$;

comment on function public.ops_act_on_alert(uuid, uuid, text, timestamptz, text, text, jsonb, timestamptz, text) is
    'Does one thing about an alert, by a link at most once. The outcome is done, unchanged, unknown, used, expired or resolved. A call that is repeated with the same request returns its first result.';
