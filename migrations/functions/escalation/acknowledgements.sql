-- An acknowledgement ends by itself. Whoever gave it is warned shortly before, and asked
-- first when it has run out; then the ladder goes on from where it was.

create or replace function ops.warning_due_at(p_alert ops.alerts)
returns timestamptz
language sql
immutable
set search_path = ''
as $$
    select p_alert.acknowledged_until
        - least(interval '10 minutes', (p_alert.acknowledged_until - p_alert.acknowledged_at) / 4)
$$;

comment on function ops.warning_due_at(ops.alerts) is
    'Returns when whoever acknowledged an alert is warned: ten minutes before that ends, or after three quarters of a shorter time.';

create or replace function ops.acknowledging_person(p_alert ops.alerts)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select ops.person_document(contact)
    from ops.contacts as contact
    where contact.id = p_alert.acknowledged_contact
$$;

comment on function ops.acknowledging_person(ops.alerts) is
    'Returns the contact who acknowledged an alert, as a message keeps it; null if that is not known or the contact was removed.';

create or replace function ops.ways_to_acknowledging(
    p_alert ops.alerts,
    p_person jsonb,
    p_kind text,
    p_channels text[],
    p_now timestamptz
)
returns table (channel text, not_before timestamptz)
language sql
stable
set search_path = ''
as $$
    select
        way.channel,
        nullif(greatest(p_now + make_interval(mins => way.after_minutes), peace.until), p_now)
    from ops.ways_to(p_person, p_alert.severity, p_channels) as way
    cross join ops.left_in_peace_until(p_person, p_alert.severity, p_now) as peace (until)
    where way.reach <> 'room'
        -- A warning is not worth a call, and of no use when the time is over.
        and (p_kind <> 'reminder' or way.reach <> 'call' and way.after_minutes = 0 and peace.until is null)
$$;

comment on function ops.ways_to_acknowledging(ops.alerts, jsonb, text, text[], timestamptz) is
    'Returns by which channels whoever acknowledged an alert is reached alone, and when, if that is not now.';

create or replace function ops.address_acknowledging(
    p_alert ops.alerts,
    p_kind text,
    p_facts jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_person jsonb := ops.acknowledging_person(p_alert);
    v_is_quiet boolean := ops.left_in_peace_until(v_person, p_alert.severity, p_now) is not null;
begin
    perform ops.queue_message(
        p_kind, route.channel, false, p_alert.severity, p_alert.id, null,
        ops.message_facts(p_alert, p_kind, p_alert.last_facts) || p_facts || jsonb_build_object(
            'recipients', jsonb_build_object(
                'usual', route.usual,
                'people', case
                    when v_person is null then '[]'
                    when route.usual and v_is_quiet
                    then jsonb_build_array(ops.without_address(v_person, route.channel))
                    else jsonb_build_array(v_person)
                end
            )
        ),
        p_context.settings, p_now, route.not_before
    )
    from (
        with alone as materialized (
            select * from ops.ways_to_acknowledging(p_alert, v_person, p_kind, p_context.channels, p_now)
        )
        select alone.channel, alone.not_before, false as usual
        from alone
        union all
        select others.channel, null, true
        from ops.route_alert(p_alert, p_context.channels) as others
        where others.channel is not null and others.channel not in (select alone.channel from alone)
    ) as route
    where p_kind <> 'reminder' or (
        ops.reaches_people(route.channel)
        -- There is never more than one reminder pending.
        and not exists (
            select
            from ops.outbox as waiting
            where waiting.alert = p_alert.id
                and waiting.kind = 'reminder'
                and waiting.channel = route.channel
                and waiting.status = 'pending'
        )
    );
end
$$;

comment on function ops.address_acknowledging(ops.alerts, text, jsonb, ops.context, timestamptz) is
    'Queues a message to whoever acknowledged an alert: to that person alone wherever that can be, and what names them on the channels where the alert is sent. If nobody knows who that is, it goes to the usual readers. In the quiet hours of that person a warning about what is not critical goes to the others alone, and the rest waits.';

create or replace function ops.warn_acknowledging(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
begin
    for v_alert in
        select *
        from ops.alerts as alert
        where status = 'acknowledged'
            and acknowledged_until > p_now
            and ops.warning_due_at(alert) <= p_now
            and not exists (
                select
                from ops.alert_events as event
                where event.alert = alert.id
                    and event.kind = 'acknowledgement_ending'
                    and event.at >= alert.acknowledged_at
            )
        order by id
        for update
    loop
        perform ops.log_event(
            v_alert.id, 'acknowledgement_ending', null, null,
            jsonb_build_object('acknowledgedBy', v_alert.acknowledged_by, 'until', v_alert.acknowledged_until), p_now
        );
        perform ops.address_acknowledging(
            v_alert, 'reminder',
            jsonb_build_object('acknowledgement', jsonb_build_object(
                'by', v_alert.acknowledged_by, 'until', v_alert.acknowledged_until
            )),
            p_context, p_now
        );
    end loop;
end
$$;

comment on function ops.warn_acknowledging(ops.context, timestamptz) is
    'Warns whoever acknowledged an alert, once, that the time is nearly over.';

create or replace function ops.resume_ladder(p_alert uuid, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_last timestamptz;
    v_next timestamptz;
begin
    select
        max(due_at) filter (where status in ('told', 'done')),
        min(due_at) filter (where status = 'waiting')
    into v_last, v_next
    from ops.escalations
    where alert = p_alert;
    perform ops.delay_ladder(
        p_alert, greatest(interval '0', p_now + (v_next - coalesce(v_last, v_next)) - v_next)
    )
    where v_next is not null;
end
$$;

comment on function ops.resume_ladder(uuid, timestamptz) is
    'Lets the ladder of an alert go on: the next rung is due as long from now as it comes after the last one.';

create or replace function ops.end_acknowledgements(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
begin
    for v_alert in
        select *
        from ops.alerts
        where status = 'acknowledged' and acknowledged_until <= p_now
        order by id
        for update
    loop
        update ops.alerts
        set
            status = 'firing', acknowledged_at = null, acknowledged_by = null,
            acknowledged_until = null, acknowledged_contact = null
        where id = v_alert.id;
        perform ops.drop_unsent(v_alert.id);
        perform ops.restore_unsent(v_alert);
        perform ops.resume_ladder(v_alert.id, p_now);
        perform ops.log_event(
            v_alert.id, 'acknowledgement_ended', null, null,
            jsonb_build_object(
                'acknowledgedBy', v_alert.acknowledged_by, 'acknowledgedAt', v_alert.acknowledged_at
            ),
            p_now
        );
        perform ops.address_acknowledging(
            v_alert, 'escalation',
            jsonb_build_object('escalation', ops.escalation_facts(v_alert, null, '{}', p_context, p_now)),
            p_context, p_now
        );
    end loop;
end
$$;

comment on function ops.end_acknowledgements(ops.context, timestamptz) is
    'Ends the acknowledgements whose time is over: the alerts fire again, first messages that were taken back are queued again, whoever had acknowledged is asked first, and the ladder goes on.';
