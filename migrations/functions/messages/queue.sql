-- A message is queued in the transaction that decides it, so that it is not lost if the
-- process that decided it ends. Rows hold facts, never text: Rust writes the text when it
-- sends. A firing or an escalation waits while a silence or a maintenance window is in
-- force. A resolution never does, because it goes only to those to whom the firing was sent.

create or replace function ops.next_digest_at(p_now timestamptz, p_hour integer)
returns timestamptz
language sql
immutable
set search_path = ''
as $$
    select case when today > p_now then today else today + interval '24 hours' end
    from (
        select (date_trunc('day', p_now at time zone 'UTC') + make_interval(hours => p_hour))
            at time zone 'UTC' as today
    ) as digest
$$;

comment on function ops.next_digest_at(timestamptz, integer) is 'Returns the next time after p_now at which it is that hour, UTC.';

create or replace function ops.queue_message(
    p_kind text,
    p_channel text,
    p_digest boolean,
    p_severity text,
    p_alert uuid,
    p_after uuid,
    p_facts jsonb,
    p_settings jsonb,
    p_now timestamptz,
    p_not_before timestamptz default null
)
returns void
language sql
set search_path = ''
as $$
    insert into ops.outbox
        (kind, channel, digest, severity, alert, after, facts, created_at, not_before, next_attempt_at, status, last_error)
    select
        p_kind, p_channel, p_digest, p_severity, p_alert, p_after, reached.facts, p_now, p_not_before,
        ops.message_due_at(p_kind, p_digest, p_alert, p_not_before, p_settings, p_now),
        case when p_channel is null then 'dead' else 'pending' end,
        case when p_channel is null then 'no channel configured' end
    from ops.for_each_device(p_channel, p_facts) as reached (facts)
$$;

comment on function ops.queue_message(text, text, boolean, text, uuid, uuid, jsonb, jsonb, timestamptz, timestamptz) is
    'Puts one message for one channel into the outbox, or one for each device of a person where devices are reached. It is due now or with the next digest, but never before p_not_before, and a firing or an escalation not before silences and maintenance about its alert end. Without a channel the row is dead at once.';

create or replace function ops.muted_until(p_alert uuid, p_now timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        -- Windows that adjoin count as one. No message waits longer than a month.
        select upper(silence.span)
        from (
            select unnest(range_agg(listed.span)) as span
            from ops.alerts as alert
            join ops.rules as rule on rule.rule = alert.rule
            cross join ops.list_maintenance(p_now, p_now + interval '31 days') as listed
            where alert.id = p_alert
                -- Maintenance is never announced for the monitor itself.
                and rule.signal <> 'emergency'
                and ops.covers(
                    listed.checks,
                    listed.services,
                    -- The names of checks are made from their subjects.
                    array[alert.subject, 'app:' || alert.subject, 'certificate:' || alert.subject],
                    alert.last_facts ->> 'service'
                )
        ) as silence
        where silence.span @> p_now
    );
end
$$;

comment on function ops.muted_until(uuid, timestamptz) is
    'Returns when the maintenance that covers the subject of an alert now ends; null if none covers it.';

create or replace function ops.message_due_at(
    p_kind text,
    p_digest boolean,
    p_alert uuid,
    p_not_before timestamptz,
    p_settings jsonb,
    p_now timestamptz
)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select case
        when p_digest then ops.next_digest_at(held.until, (p_settings ->> 'digest.hour_utc')::integer)
        else held.until
    end
    from (
        select greatest(
            p_now,
            p_not_before,
            (
                select ops.silenced_until(alert, p_now)
                from ops.alerts as alert
                where alert.id = p_alert and p_kind in ('firing', 'escalation')
            )
        ) as until
    ) as held
$$;

comment on function ops.message_due_at(text, boolean, uuid, timestamptz, jsonb, timestamptz) is
    'Returns when a message that nobody can have read is due: now or with the next digest, but never before p_not_before, and a firing or an escalation not before silences and maintenance about its alert end.';

create or replace function ops.reschedule_firings()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    -- A tick that resolves alerts locks messages in another order, so the two must not overlap.
    perform ops.lock_alerts();
    update ops.outbox as message
    set next_attempt_at = ops.message_due_at(
        kind, digest, alert, not_before, ops.read_settings(), coalesce(new.removed_at, new.created_at)
    )
    where kind in ('firing', 'escalation')
        and status = 'pending'
        and not ops.speaks_for_others(message)
        and not ops.may_have_arrived(message);
    return null;
end
$$;

comment on function ops.reschedule_firings() is
    'Postpones the messages about what a new maintenance window covers, and brings forward those about what it no longer covers, unless somebody may have read them.';
