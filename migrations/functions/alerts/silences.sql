-- A silence postpones the messages about some alerts until a named time. Planned work and a
-- known fault must not wake anybody, and must not blind the monitor either: alerts open and
-- resolve as usual. A message that nobody can have read is due when the silence ends,
-- unless its alert has resolved by then. A resolution is never postponed, because it goes
-- only to those to whom the firing was sent.

create or replace function ops.matches_text(p_text text, p_wanted jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select exists (
        select
        from jsonb_array_elements_text(
            case jsonb_typeof(p_wanted) when 'array' then p_wanted else jsonb_build_array(p_wanted) end
        ) as wanted (pattern)
        where p_text like replace(
            replace(replace(replace(wanted.pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'
        )
    )
$$;

comment on function ops.matches_text(text, jsonb) is
    'Returns whether a text is one of those that are wanted, a text or a list of them, in which * stands for anything.';

create or replace function ops.alert_tags(p_alert ops.alerts)
returns text[]
language plpgsql
stable
set search_path = ''
as $$
begin
    return array(
        select jsonb_array_elements_text(watched.spec -> 'tags')
        from ops.custom_checks as watched
        where watched.name = p_alert.subject and p_alert.rule in ('check_failing', 'check_slow')
    );
end
$$;

comment on function ops.alert_tags(ops.alerts) is 'Returns the tags of the check that an alert is about.';

create or replace function ops.matches_alert(p_alert ops.alerts, p_match jsonb)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return not exists (
        select
        from jsonb_each(p_match) as wanted (field, value)
        where not coalesce(
            case wanted.field
                -- An identity holds what others wrote, and a * in it is no more than that.
                when 'fingerprint' then wanted.value ? p_alert.fingerprint
                when 'tag' then exists (
                    select from unnest(ops.alert_tags(p_alert)) as tag where ops.matches_text(tag, wanted.value)
                )
                else ops.matches_text(
                    case wanted.field
                        when 'rule' then p_alert.rule
                        when 'subject' then p_alert.subject
                        when 'severity' then p_alert.severity
                        when 'service' then p_alert.last_facts ->> 'service'
                        when 'environment' then p_alert.last_facts ->> 'environment'
                    end,
                    wanted.value
                )
            end,
            false
        )
    );
end
$$;

comment on function ops.matches_alert(ops.alerts, jsonb) is
    'Returns whether an alert matches every field that is given.';

create or replace function ops.check_match(p_match jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_fields constant text[] := array['rule', 'subject', 'fingerprint', 'severity', 'service', 'environment', 'tag'];
    v_field text;
    v_value jsonb;
begin
    if jsonb_typeof(p_match) is distinct from 'object'
        or p_match - v_fields <> '{}'
        or jsonb_strip_nulls(p_match) = '{}'
    then
        perform ops.refuse('match', 'an object with ' || ops.join_words(v_fields), p_match::text);
    end if;
    for v_field, v_value in select * from jsonb_each(jsonb_strip_nulls(p_match)) loop
        if not (
            jsonb_typeof(v_value) = 'string' and length(v_value #>> '{}') between 1 and 2000
            or jsonb_typeof(v_value) = 'array'
                and jsonb_array_length(v_value) between 1 and 500
                and not exists (
                    select
                    from jsonb_array_elements(v_value) as element
                    where jsonb_typeof(element) <> 'string' or length(element #>> '{}') not between 1 and 2000
                )
        ) then
            perform ops.refuse(
                format('%s of the match', v_field), 'a text of 1 to 2000 characters, or a list of at most 500',
                v_value::text
            );
        end if;
    end loop;
end
$$;

comment on function ops.check_match(jsonb) is
    'Refuses with SQLSTATE 22023 what is no choice of alerts: fields with a text, or with a list of texts of which one has to match.';

create or replace function ops.is_silenced_by(p_alert ops.alerts, p_silence ops.silences)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_silence.match is not null then
        return ops.matches_alert(p_alert, p_silence.match);
    end if;
    return coalesce(p_silence.rule = p_alert.rule, true)
        and coalesce(p_silence.subject = p_alert.subject, true)
        and coalesce(p_silence.fingerprint = p_alert.fingerprint, true);
end
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
    where silence.ends_at > p_now
        and coalesce(silence.starts_at <= p_now, true)
        and ops.is_silenced_by(p_alert, silence)
$$;

comment on function ops.silenced_until(ops.alerts, timestamptz) is
    'Returns when the last of the silences and maintenance windows about an alert that are in force ends; null if none is.';

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
    set next_attempt_at = ops.message_due_at(
        message.kind, message.digest, message.alert, message.not_before, p_settings, p_now
    )
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
    perform ops.check_match(p_match);
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
        'fingerprint', case when p_silence.match is null then p_silence.fingerprint end,
        'match', coalesce(
            p_silence.match,
            jsonb_strip_nulls(jsonb_build_object(
                'rule', p_silence.rule, 'subject', p_silence.subject, 'fingerprint', p_silence.fingerprint
            ))
        ),
        'startsAt', coalesce(p_silence.starts_at, p_silence.created_at),
        'reason', p_silence.reason,
        'author', p_silence.author,
        'createdAt', p_silence.created_at,
        'endsAt', p_silence.ends_at,
        'endedBy', p_silence.ended_by
    )
$$;

comment on function ops.silence_document(ops.silences) is 'Returns a silence as callers see it.';

create or replace function ops.add_silence(
    p_silence uuid,
    p_match jsonb,
    p_from timestamptz,
    p_until timestamptz,
    p_reason text,
    p_author text,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_silence ops.silences;
begin
    insert into ops.silences (id, fingerprint, match, reason, author, created_at, starts_at, ends_at)
    values (
        p_silence, 'match', jsonb_strip_nulls(p_match), btrim(p_reason), btrim(p_author), p_now, p_from, p_until
    )
    on conflict (id) do nothing
    returning * into v_silence;
    if found then
        perform ops.write_audit(
            'alert.answered', p_author, p_silence::text,
            jsonb_build_object('did', 'silence', 'match', v_silence.match, 'from', p_from, 'until', p_until)
        );
    end if;
    if found and coalesce(p_from <= p_now, true) then
        perform ops.reschedule_messages(v_silence, ops.read_settings(), p_now);
        perform ops.log_event(
            alert.id, 'silenced', v_silence.author, v_silence.reason,
            jsonb_build_object('silence', v_silence.id, 'until', v_silence.ends_at), p_now
        )
        from ops.alerts as alert
        where alert.status <> 'resolved' and ops.is_silenced_by(alert, v_silence);
    end if;
    return (select ops.silence_document(silence) from ops.silences as silence where id = p_silence);
end
$$;

comment on function ops.add_silence(uuid, jsonb, timestamptz, timestamptz, text, text, timestamptz) is
    'Adds a silence unless it is there, postpones what it matches if it has begun, and returns it. The caller holds the lock of the alerts.';

create or replace function public.ops_add_silence(
    p_silence uuid,
    p_match jsonb,
    p_until timestamptz,
    p_reason text,
    p_author text,
    p_now timestamptz default null,
    p_from timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
begin
    perform ops.hold_functions();
    perform ops.check_silence(p_silence, p_match, p_reason, p_author);
    perform ops.check_until(p_until, interval '90 days', v_now);
    if p_from >= p_until then
        perform ops.refuse('from', 'before until', p_from::text);
    end if;

    perform ops.lock_alerts();
    return ops.add_silence(p_silence, p_match, p_from, p_until, p_reason, p_author, v_now);
end
$$;

comment on function public.ops_add_silence(uuid, jsonb, timestamptz, text, text, timestamptz, timestamptz) is
    'Postpones the messages about matching alerts that nobody can have read, and those that are queued meanwhile, from a time on (at once without one) until another at most 90 days ahead. A call that is repeated with the same id returns the silence that is there.';

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
        perform ops.write_audit('alert.answered', p_by, p_silence::text, '{"did": "end silence"}');
        perform ops.reschedule_messages(v_silence, ops.read_settings(), v_now);
    end if;
    return (select ops.silence_document(silence) from ops.silences as silence where id = p_silence);
end
$$;

comment on function public.ops_end_silence(uuid, text, timestamptz) is
    'Ends a silence now and reschedules the messages that it postponed; null if there is no silence of that id.';
