-- These functions deal with ticks that were missing or could not be committed. A notice of
-- the gap is queued once. An emergency, which a function sent by itself because it could not
-- reach the database, becomes an alert whose messages were sent already.

create or replace function ops.check_emergency(p_emergency jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_given(
        'since of the emergency', p_emergency ->> 'since', 'the time since which the database was out of reach'
    );
    perform ops.check_list('channels of the emergency', p_emergency -> 'channels');
    perform ops.check_words(
        'channels of the emergency',
        array(select jsonb_array_elements_text(p_emergency -> 'channels')),
        ops.known_channels()
    );
end
$$;

comment on function ops.check_emergency(jsonb) is
    'Refuses an emergency without its beginning or with a channel that is not known, with SQLSTATE 22023.';

create or replace function ops.open_emergency(
    p_observation ops.observation,
    p_since timestamptz,
    p_sent_at timestamptz,
    p_context ops.context,
    p_now timestamptz
)
returns ops.alerts
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
begin
    v_alert := ops.open_alert(p_observation, 'emergency', p_since, 1, p_context, p_sent_at);
    if v_alert.id is null then
        update ops.alerts
        set first_bad_at = least(first_bad_at, p_since)
        where fingerprint = p_observation.fingerprint and status <> 'resolved'
        returning * into v_alert;
        perform ops.note_alert(v_alert.id, p_observation, 1, p_context, p_now);
    end if;

    insert into ops.alert_states as state
        (fingerprint, rule, subject, phase, bad_count, first_bad_at, last_bad_at, last_observed_at, alert)
    values (
        v_alert.fingerprint, v_alert.rule, v_alert.subject, 'firing', 1, p_since, p_sent_at, p_sent_at, v_alert.id
    )
    on conflict (fingerprint) do update
    set
        bad_count = state.bad_count + 1,
        -- An emergency that began after the last one was sent sets the count back.
        good_count = case when p_since > state.last_bad_at then 0 else state.good_count end,
        last_bad_at = greatest(state.last_bad_at, p_sent_at);
    return v_alert;
end
$$;

comment on function ops.open_emergency(ops.observation, timestamptz, timestamptz, ops.context, timestamptz) is
    'Opens the alert of an emergency with its state, or notes the emergency on the one that is open, and returns it.';

create or replace function ops.record_emergency_messages(
    p_alert ops.alerts,
    p_channels jsonb,
    p_sent_at timestamptz
)
returns void
language sql
set search_path = ''
as $$
    insert into ops.outbox
        (kind, channel, severity, alert, facts, status, attempts, created_at, next_attempt_at, sent_at)
    select
        'firing', emergency.channel, p_alert.severity, p_alert.id,
        ops.message_facts(p_alert, 'firing', p_alert.facts), 'sent', 1, p_sent_at, p_sent_at, p_sent_at
    from (select distinct jsonb_array_elements_text(p_channels)) as emergency (channel)
    where not exists (
        select
        from ops.outbox as message
        where message.alert = p_alert.id and message.kind = 'firing' and message.channel = emergency.channel
    )
$$;

comment on function ops.record_emergency_messages(ops.alerts, jsonb, timestamptz) is
    'Records the messages of an emergency as firings that were sent, one for each channel, so that the resolution goes there too.';

create or replace function ops.hand_over_emergency(
    p_emergency jsonb,
    p_gap jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_since timestamptz := (p_emergency ->> 'since')::timestamptz;
    v_sent_at timestamptz := coalesce((p_emergency ->> 'sentAt')::timestamptz, v_since);
    v_alert ops.alerts;
    v_observation ops.observation := ops.make_observation(
        'monitoring_blind', 'database', 'bad',
        p_facts => jsonb_build_object(
            'service', 'database',
            'reason', p_emergency ->> 'reason',
            'detail', jsonb_strip_nulls(jsonb_build_object('gap', p_gap))
        )
    );
begin
    perform ops.check_emergency(p_emergency);
    -- Another instance may have handed over the same emergency, and its alert resolved.
    if exists (
        select
        from ops.alerts
        where fingerprint = v_observation.fingerprint
            and status = 'resolved'
            and v_since between first_bad_at and resolved_at
    ) then
        return false;
    end if;

    v_alert := ops.open_emergency(v_observation, v_since, v_sent_at, p_context, p_now);
    perform ops.record_emergency_messages(v_alert, p_emergency -> 'channels', v_sent_at);
    if not ops.was_told(v_alert.id, p_context.channels) then
        -- Nobody was told of the emergency, so its firing is queued on the other channels now.
        perform ops.queue_firing(v_alert, p_context, p_now);
    end if;
    return true;
end
$$;

comment on function ops.hand_over_emergency(jsonb, jsonb, ops.context, timestamptz) is
    'Turns an emergency, which a function sent by itself while it could not reach the database, into an ordinary firing alert with messages that were sent. An alert that is open takes it over. Returns false if an alert that has resolved covered it already.';

create or replace function ops.find_gap(p_since timestamptz, p_every_seconds integer, p_now timestamptz)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select case
        when p_now - p_since > make_interval(secs => 3 * p_every_seconds) then jsonb_build_object(
            'from', p_since,
            'to', p_now,
            'seconds', extract(epoch from p_now - p_since)
        )
    end
$$;

comment on function ops.find_gap(timestamptz, integer, timestamptz) is
    'Returns the gap since the last committed tick if it is longer than three intervals, else null. Before the first tick there is none.';

create or replace function ops.was_unreachable(p_gap jsonb)
returns boolean
language sql
stable
set search_path = ''
as $$
    select not exists (
        select
        from ops.runs
        where job <> 'monitor'
            and outcome <> 'missed'
            and started_at > (p_gap ->> 'from')::timestamptz
            and started_at < (p_gap ->> 'to')::timestamptz
    )
$$;

comment on function ops.was_unreachable(jsonb) is
    'Returns whether nothing at all was recorded in a gap. A function that has ended since may then have sent by itself that monitoring is blind.';

create or replace function ops.notice_gap(p_gap jsonb, p_context ops.context, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select ops.queue_message(
        'notice', route.channel, route.digest, rule.severity, null, null,
        ops.observation_facts(
            ops.make_observation(
                rule.rule, 'monitor', 'bad', (p_gap ->> 'seconds')::numeric, p_unit => 's',
                p_fingerprint => 'monitoring_gap',
                p_facts => jsonb_build_object(
                    'service', 'monitoring',
                    'detail', p_gap || jsonb_build_object('unreachable', gap.unreachable)
                )
            ),
            rule.affects,
            p_context
        ) || jsonb_build_object(
            'alert', null,
            'fingerprint', 'monitoring_gap',
            'rule', rule.rule,
            'subject', 'monitor',
            'severity', rule.severity,
            'kind', 'notice',
            'source', 'monitor',
            'since', p_gap -> 'from',
            'openedAt', p_now,
            'resolvedAt', p_gap -> 'to',
            'occurrences', 1,
            'incident', null
        ),
        p_context.settings,
        p_now
    )
    from ops.rules as rule
    cross join (select ops.was_unreachable(p_gap) as unreachable) as gap
    -- Whoever may have been told that monitoring is blind hears that it sees again.
    cross join lateral ops.route(
        case when gap.unreachable then 'critical' else rule.severity::text end, p_context.channels
    ) as route
    where rule.rule = 'monitoring_gap'
$$;

comment on function ops.notice_gap(jsonb, ops.context, timestamptz) is
    'Queues the notice that nothing was observed for a while; to every channel where a function may have sent by itself that monitoring is blind. A notice has no alert, so nothing resolves it.';

create or replace function ops.handle_gap(p_gap jsonb, p_emergency jsonb, p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_handed_over boolean := false;
begin
    if p_emergency is not null then
        v_handed_over := ops.hand_over_emergency(p_emergency, p_gap, p_context, p_now);
    end if;
    if p_gap is not null and not v_handed_over then
        perform ops.notice_gap(p_gap, p_context, p_now);
    end if;
end
$$;

comment on function ops.handle_gap(jsonb, jsonb, ops.context, timestamptz) is
    'Hands over the emergency of a tick, if there is one, and otherwise queues the notice of a gap, if there is one.';
