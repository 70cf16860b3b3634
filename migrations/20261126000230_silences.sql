-- Silences: messages about something are held back until a named time.
--
-- Why: planned work and a known fault must not wake anybody, and must not blind
-- the monitor either. A silence only postpones: what nobody has been told is due
-- when it ends, unless it is over by then. A resolution is never held back,
-- because it is sent only to those who heard of the beginning.
-- Read by: the outbox, the ladder, `pourtrait alerts`.
-- Undo: put ops.message_due_at and ops.reschedule_firings back, drop the functions,
-- then ops.silences.

set local search_path = '';

create table ops.silences (
    id uuid primary key,
    rule text,
    subject text,
    fingerprint text,
    reason text not null check (length(btrim(reason)) between 1 and 1000),
    author text not null check (length(btrim(author)) between 1 and 200),
    created_at timestamptz not null,
    ends_at timestamptz not null,
    ended_by text,
    check (num_nonnulls(rule, subject, fingerprint) > 0),
    check (ends_at >= created_at)
);

comment on table ops.silences is 'What is not talked about until when, why, and who says so.';
comment on column ops.silences.rule is 'With subject and fingerprint: all that are given must match.';
comment on column ops.silences.ends_at is 'Always there; moved to the time at which somebody ended it.';

create index silences_ends_idx on ops.silences (ends_at);

alter table ops.silences enable row level security;

create function ops.is_silenced_by(p_alert ops.alerts, p_silence ops.silences)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(p_silence.rule = p_alert.rule, true)
        and coalesce(p_silence.subject = p_alert.subject, true)
        and coalesce(p_silence.fingerprint = p_alert.fingerprint, true)
$$;

comment on function ops.is_silenced_by(ops.alerts, ops.silences) is
    'Whether a silence is about that alert, whatever the time.';

create function ops.silenced_until(p_alert ops.alerts, p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select greatest(max(silence.ends_at), ops.muted_until(p_alert.id, p_now))
    from ops.silences as silence
    where silence.ends_at > p_now and ops.is_silenced_by(p_alert, silence)
$$;

comment on function ops.silenced_until(ops.alerts, timestamptz) is
    'When the last of the silences about an alert ends, maintenance being one; null if there is none now.';

create or replace function ops.message_due_at(
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
        when p_digest then ops.next_digest_at(held.until, (p_settings ->> 'digest.hour_utc')::integer)
        else held.until
    end
    from (
        select greatest(
            p_now,
            (
                select ops.silenced_until(alert, p_now)
                from ops.alerts as alert
                where alert.id = p_alert and p_kind in ('firing', 'escalation')
            )
        ) as until
    ) as held
$$;

comment on function ops.message_due_at(text, boolean, uuid, jsonb, timestamptz) is
    'When a message is due that nobody has tried to send: now or with the next digest, but no beginning before its silence ends.';

comment on function ops.queue_message(text, text, boolean, text, uuid, uuid, jsonb, jsonb, timestamptz) is
    'Puts one message for one channel into the outbox, due now, with the next digest, or when its silence ends; dead at once without a channel.';

create function ops.speaks_for_others(p_message ops.outbox)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce((p_message.facts #>> '{escalation,others}')::integer, 0) > 0
$$;

comment on function ops.speaks_for_others(ops.outbox) is
    'Whether a message about one alert calls for others of its incident too, so that it stands whatever becomes of that one.';

create or replace function ops.reschedule_firings()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    -- Whoever resolves changes messages too, in an order of its own.
    perform ops.lock_alerts();
    update ops.outbox as message
    set next_attempt_at = ops.message_due_at(
        kind, digest, alert, ops.read_settings(), coalesce(new.removed_at, new.created_at)
    )
    where kind in ('firing', 'escalation')
        and status = 'pending'
        and attempts = 0
        and not ops.speaks_for_others(message);
    return null;
end
$$;

comment on function ops.reschedule_firings() is
    'Postpones what nobody has been told yet and is now worked on, and brings forward what no longer is.';

create function ops.reschedule_messages(p_silence ops.silences, p_settings jsonb, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox as message
    set next_attempt_at = ops.message_due_at(message.kind, message.digest, message.alert, p_settings, p_now)
    from ops.alerts as silenced
    where message.alert = silenced.id
        and silenced.status <> 'resolved'
        and ops.is_silenced_by(silenced, p_silence)
        and message.kind in ('firing', 'escalation')
        and message.status = 'pending'
        and message.attempts = 0
        and not ops.speaks_for_others(message)
$$;

comment on function ops.reschedule_messages(ops.silences, jsonb, timestamptz) is
    'Postpones, or brings forward, what waits to be told of the alerts that a silence is about.';

-- Functions ------------------------------------------------------------------

create function ops.check_until(p_until timestamptz, p_limit interval, p_now timestamptz)
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
    if p_until is null or p_until <= p_now or p_until > p_now + p_limit then
        raise exception 'until must be a time after now and at most % days ahead', extract(day from p_limit)
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;

comment on function ops.check_until(timestamptz, interval, timestamptz) is
    'Refuses an end that is missing, past or too far ahead with SQLSTATE 22023.';

create function ops.silence_document(p_silence ops.silences)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_silence.id,
        'rule', p_silence.rule,
        'subject', p_silence.subject,
        'fingerprint', p_silence.fingerprint,
        'reason', p_silence.reason,
        'author', p_silence.author,
        'createdAt', p_silence.created_at,
        'endsAt', p_silence.ends_at,
        'endedBy', p_silence.ended_by
    )
$$;

comment on function ops.silence_document(ops.silences) is 'A silence as callers see it.';

create function public.ops_add_silence(
    p_silence uuid,
    p_match jsonb,
    p_until timestamptz,
    p_reason text,
    p_author text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_silence ops.silences;
begin
    if p_silence is null
        or jsonb_typeof(p_match) is distinct from 'object'
        or p_match - '{rule,subject,fingerprint}'::text[] <> '{}'
        or coalesce(p_match ->> 'rule', p_match ->> 'subject', p_match ->> 'fingerprint', '') = ''
        or coalesce(length(btrim(p_reason)), 0) not between 1 and 1000
        or coalesce(length(btrim(p_author)), 0) not between 1 and 200
    then
        raise exception 'a silence needs a rule, a subject or a fingerprint, a reason, and an author'
            using errcode = 'invalid_parameter_value';
    end if;
    perform ops.check_until(p_until, interval '90 days', v_now);

    perform ops.lock_alerts();
    insert into ops.silences (id, rule, subject, fingerprint, reason, author, created_at, ends_at)
    values (
        p_silence, p_match ->> 'rule', p_match ->> 'subject', p_match ->> 'fingerprint',
        btrim(p_reason), btrim(p_author), v_now, p_until
    )
    on conflict (id) do nothing
    returning * into v_silence;
    if not found then
        return (select ops.silence_document(silence) from ops.silences as silence where id = p_silence);
    end if;

    perform ops.reschedule_messages(v_silence, ops.read_settings(), v_now);
    perform ops.log_event(
        alert.id, 'silenced', v_silence.author, v_silence.reason,
        jsonb_build_object('silence', v_silence.id, 'until', v_silence.ends_at), v_now
    )
    from ops.alerts as alert
    where alert.status <> 'resolved' and ops.is_silenced_by(alert, v_silence);
    return ops.silence_document(v_silence);
end
$$;

comment on function public.ops_add_silence(uuid, jsonb, timestamptz, text, text, timestamptz) is
    'Holds back what nobody was told of the alerts that match, until a time at most 90 days ahead. Repeated with the same id it returns the silence that is there.';

create function public.ops_end_silence(p_silence uuid, p_by text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_silence ops.silences;
begin
    perform ops.lock_alerts();
    update ops.silences
    set ends_at = v_now, ended_by = left(btrim(p_by), 200)
    where id = p_silence and ends_at > v_now
    returning * into v_silence;
    if found then
        perform ops.reschedule_messages(v_silence, ops.read_settings(), v_now);
    end if;
    return (select ops.silence_document(silence) from ops.silences as silence where id = p_silence);
end
$$;

comment on function public.ops_end_silence(uuid, text, timestamptz) is
    'Ends a silence now: what it held back is due. Null if there is none of that id.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_add_silence(uuid, jsonb, timestamptz, text, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_add_silence(uuid, jsonb, timestamptz, text, text, timestamptz) to service_role;
revoke all on function public.ops_end_silence(uuid, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_end_silence(uuid, text, timestamptz) to service_role;
