-- Muting: what is worked on alerts nobody, and is watched all the same.
--
-- Why: during announced maintenance an alert opens, with its incident and its
-- samples, and its message waits in the outbox until the maintenance ends. What
-- resolves before that is never told; what goes on is. A resolution never
-- waits: it is queued only for those who heard of the beginning.
-- Read by: whatever queues a message; adding and removing maintenance.
-- Undo: put the former ops.queue_message back, then drop the trigger and the
-- functions of this file.

set local search_path = '';

create function ops.muted_until(p_alert uuid, p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    -- Windows that adjoin are one silence. Nobody is told later than in a month.
    select upper(silence.span)
    from (
        select unnest(range_agg(listed.span)) as span
        from ops.alerts as alert
        join ops.rules as rule on rule.rule = alert.rule
        cross join ops.list_maintenance(p_now, p_now + interval '31 days') as listed
        where alert.id = p_alert
            -- Nobody announces that the watching itself will fail.
            and rule.signal <> 'emergency'
            and ops.covers(
                listed.checks,
                listed.services,
                -- Checks are named after what they are about.
                array[alert.subject, 'app:' || alert.subject, 'certificate:' || alert.subject],
                alert.last_facts ->> 'service'
            )
    ) as silence
    where silence.span @> p_now
$$;

comment on function ops.muted_until(uuid, timestamptz) is
    'When the maintenance ends that what an alert is about is in now; null if it is in none.';

create function ops.message_due_at(
    p_kind text,
    p_digest boolean,
    p_alert uuid,
    p_settings jsonb,
    p_now timestamptz
)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select case
        when p_digest then ops.next_digest_at(heard.at, (p_settings ->> 'digest.hour_utc')::integer)
        else heard.at
    end
    from (
        select greatest(p_now, case p_kind when 'firing' then ops.muted_until(p_alert, p_now) end) as at
    ) as heard
$$;

comment on function ops.message_due_at(text, boolean, uuid, jsonb, timestamptz) is
    'When a new message is due: now or with the next digest, of a firing not before its maintenance ends.';

create or replace function ops.queue_message(
    p_kind text,
    p_channel text,
    p_digest boolean,
    p_severity text,
    p_alert uuid,
    p_after uuid,
    p_facts jsonb,
    p_settings jsonb,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    insert into ops.outbox
        (kind, channel, digest, severity, alert, after, facts, created_at, next_attempt_at, status, last_error)
    values (
        p_kind, p_channel, p_digest, p_severity, p_alert, p_after, p_facts, p_now,
        ops.message_due_at(p_kind, p_digest, p_alert, p_settings, p_now),
        case when p_channel is null then 'dead' else 'pending' end,
        case when p_channel is null then 'no channel configured' end
    )
$$;

comment on function ops.queue_message(text, text, boolean, text, uuid, uuid, jsonb, jsonb, timestamptz) is
    'Puts one message for one channel into the outbox, due now, with the next digest, or when its maintenance ends; dead at once without a channel.';

create function ops.reschedule_firings()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    -- Whoever resolves changes messages too, in an order of its own.
    perform ops.lock_alerts();
    update ops.outbox
    set next_attempt_at = ops.message_due_at(
        kind, digest, alert, ops.read_settings(), coalesce(new.removed_at, new.created_at)
    )
    where kind = 'firing' and status = 'pending' and attempts = 0;
    return null;
end
$$;

comment on function ops.reschedule_firings() is
    'Postpones what nobody has been told yet and is now worked on, and brings forward what no longer is.';

create trigger reschedule_firings
    after insert or update on ops.maintenance_windows
    for each row execute function ops.reschedule_firings();

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
