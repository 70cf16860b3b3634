-- A silence postpones the messages about some alerts until a named time. Planned work and a
-- known fault must not wake anybody, and must not blind the monitor either: alerts open and
-- resolve as usual. A message that nobody can have read is due when the silence ends,
-- unless its alert has resolved by then. A resolution is never postponed, because it goes
-- only to those to whom the firing was sent.

create or replace function ops.is_silenced_by(p_alert ops.alerts, p_silence ops.silences)
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
    'Returns whether a silence matches an alert, whether or not it is in force.';

create or replace function ops.silenced_until(p_alert ops.alerts, p_now timestamptz)
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
    'Returns when the last of the silences and maintenance windows about an alert ends; null if none is in force.';

create or replace function ops.speaks_for_others(p_message ops.outbox)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return coalesce((p_message.facts #>> '{escalation,others}')::integer, 0) > 0;
end
$$;

comment on function ops.speaks_for_others(ops.outbox) is
    'Returns whether a message about one alert calls for other alerts of its incident too. Such a message stands, whatever becomes of its own alert.';

create or replace function ops.reschedule_messages(p_silence ops.silences, p_settings jsonb, p_now timestamptz)
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
        and not ops.speaks_for_others(message)
        and not ops.may_have_arrived(message)
$$;

comment on function ops.reschedule_messages(ops.silences, jsonb, timestamptz) is
    'Postpones, or brings forward, the messages about matching alerts that nobody can have read.';

create or replace function ops.check_until(p_until timestamptz, p_limit interval, p_now timestamptz)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_until is null or p_until <= p_now or p_until > p_now + p_limit then
        perform ops.refuse(
            'until', format('a time after now and at most %s days ahead', extract(day from p_limit)), p_until::text
        );
    end if;
end
$$;

comment on function ops.check_until(timestamptz, interval, timestamptz) is
    'Refuses an end that is missing, past or too far ahead with SQLSTATE 22023.';

create or replace function ops.check_silence(p_silence uuid, p_match jsonb, p_reason text, p_author text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_id('silence', p_silence);
    if jsonb_typeof(p_match) is distinct from 'object'
        or p_match - '{rule,subject,fingerprint}'::text[] <> '{}'
        or coalesce(p_match ->> 'rule', p_match ->> 'subject', p_match ->> 'fingerprint', '') = ''
    then
        perform ops.refuse('match', 'an object with rule, subject or fingerprint', p_match::text);
    end if;
    perform ops.check_length('reason', btrim(p_reason), 1000);
    perform ops.check_length('author', btrim(p_author), 200);
end
$$;

comment on function ops.check_silence(uuid, jsonb, text, text) is
    'Refuses a silence without an id, a match, a reason or an author with SQLSTATE 22023.';

create or replace function ops.silence_document(p_silence ops.silences)
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

comment on function ops.silence_document(ops.silences) is 'Returns a silence as callers see it.';

create or replace function public.ops_add_silence(
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
    perform ops.hold_functions();
    perform ops.check_silence(p_silence, p_match, p_reason, p_author);
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
    'Postpones the messages about matching alerts that nobody can have read, and those that are queued meanwhile, until a time at most 90 days ahead. A call that is repeated with the same id returns the silence that is there.';

create or replace function public.ops_end_silence(p_silence uuid, p_by text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_silence ops.silences;
begin
    perform ops.hold_functions();
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
    'Ends a silence now and reschedules the messages that it postponed; null if there is no silence of that id.';
