-- When many messages are due at once, some are sent alone and the others as a group. Of an
-- incident's messages that are due together the worst is sent alone and the others go as
-- one group. Within some minutes only so many messages are sent alone, the worst first; but
-- the first message of an incident and the worst critical one never wait. A group is made
-- when it is leased, stays the same however often it is tried, and is settled row by row, so
-- that each resolution answers its own firing.

create or replace function ops.may_go_with_others(p_message ops.outbox)
returns boolean
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return p_message.alert is not null
        and not p_message.digest
        -- A change is no message of its own, a machine reads every message, and a pager has
        -- an incident for each alert.
        and p_message.kind <> 'change'
        and ops.reach_of(p_message.channel) not in ('machine', 'pager');
end
$$;

comment on function ops.may_go_with_others(ops.outbox) is
    'Returns whether a message about an alert may be sent in a group with others: people read it, and it does not belong to a digest.';

create or replace function ops.count_alone(p_channel text, p_from timestamptz, p_to timestamptz)
returns bigint
language sql
stable
set search_path = ''
as $$
    select count(*)
    from ops.deliveries as delivery
    join ops.outbox as tried on tried.id = delivery.message
    where delivery.started_at > p_from
        and delivery.started_at <= p_to
        and delivery.attempt = 1
        and delivery.outcome is distinct from 'untried'
        and tried.channel = p_channel
        and tried.bundle is null
        and ops.may_go_with_others(tried)
$$;

comment on function ops.count_alone(text, timestamptz, timestamptz) is
    'Counts the messages about alerts whose first delivery alone on a channel began after p_from and not after p_to.';

create or replace function ops.next_group_at(p_channel text, p_settings jsonb, p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select greatest(
        p_now,
        max(bundled_at) + make_interval(secs => (p_settings ->> 'delivery.group_seconds')::integer)
    )
    from ops.outbox
    where channel = p_channel and bundle is not null
$$;

comment on function ops.next_group_at(text, jsonb, timestamptz) is
    'Returns when the next group may be sent on a channel: now, or some seconds after the last group was made.';

create or replace function ops.has_incident_message(p_incident uuid, p_channel text)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select
        from ops.alerts as alert
        join ops.outbox as message on message.alert = alert.id
        where alert.incident = p_incident
            and message.channel = p_channel
            and message.kind in ('firing', 'escalation')
            and message.attempts > 0
    )
$$;

comment on function ops.has_incident_message(uuid, text) is
    'Returns whether a message about an alert of the incident was sent on a channel, or at least tried.';

create or replace function ops.place_messages(p_channel text, p_alone bigint, p_now timestamptz)
returns table (message uuid, is_end boolean, audience jsonb, goes_alone boolean)
language plpgsql
set search_path = ''
as $$
begin
    return query
    with due as materialized (
        select
            waiting.id, waiting.severity, waiting.created_at, alert.incident, alert.fingerprint,
            waiting.kind = 'resolved' as is_end,
            waiting.facts ->> 'device' as device,
            -- Each device of a person is told by itself.
            jsonb_build_array(waiting.facts -> 'recipients', waiting.facts -> 'device') as audience
        from ops.outbox as waiting
        join ops.alerts as alert on alert.id = waiting.alert
        where waiting.status = 'pending'
            and waiting.next_attempt_at <= p_now
            and ops.may_go_with_others(waiting)
            -- A message that was tried alone stays alone, because it may have been read.
            and waiting.attempts = 0
            and ops.is_claimable(waiting, array[p_channel], p_now)
        for update of waiting skip locked
    ),
    ranked as (
        select
            due.*,
            due.incident is null or 1 = row_number() over (
                partition by due.is_end, due.incident, due.device
                order by ops.severity_rank(due.severity) desc, due.created_at, due.fingerprint, due.id
            ) as leads
        from due
    ),
    judged as (
        select
            ranked.*,
            ranked.leads and not ranked.is_end and ranked.incident is not null and (
                ranked.severity = 'critical' or not ops.has_incident_message(ranked.incident, p_channel)
            ) as at_once,
            -- A single message that is left over needs no group.
            not ranked.leads and 1 < count(*) filter (where not ranked.leads) over (
                partition by ranked.is_end, ranked.incident, ranked.audience
            ) as follows
        from ranked
    )
    select
        judged.id,
        judged.is_end,
        judged.audience,
        not judged.follows and (
            judged.at_once
            or p_alone >= row_number() over (
                partition by judged.follows
                order by
                    judged.at_once desc, ops.severity_rank(judged.severity) desc, judged.created_at,
                    judged.fingerprint, judged.id
            )
        )
    from judged;
end
$$;

comment on function ops.place_messages(text, bigint, timestamptz) is
    'Returns the messages about alerts that are due on a channel and were never tried, and whether each goes alone: the worst of each incident, of beginnings and of ends apart, and messages that nothing groups, up to p_alone in order of severity. The worst beginning of an incident goes alone in any case if it is critical or the first message about the incident. Locks the messages.';

create or replace function ops.sort_messages(p_channel text, p_settings jsonb, p_now timestamptz)
returns setof uuid
language plpgsql
set search_path = ''
as $$
declare
    v_next timestamptz := ops.next_group_at(p_channel, p_settings, p_now);
    v_alone bigint := (p_settings ->> 'delivery.storm_messages')::integer - ops.count_alone(
        p_channel, p_now - ops.minutes(p_settings, 'delivery.storm_minutes'), p_now
    );
begin
    return query
    with placed as materialized (
        select * from ops.place_messages(p_channel, v_alone, p_now)
    ),
    groups as materialized (
        -- Resolutions are in another group than beginnings, and a message that addresses
        -- people is in a group with messages to the same people only.
        select is_end, audience, gen_random_uuid() as bundle
        from placed
        where not goes_alone
        group by is_end, audience
    ),
    bundled as (
        update ops.outbox as waiting
        set
            bundle = case when v_next <= p_now then groups.bundle end,
            bundled_at = case when v_next <= p_now then p_now end,
            next_attempt_at = v_next
        from placed
        join groups on groups.is_end = placed.is_end and groups.audience = placed.audience
        where waiting.id = placed.message and not placed.goes_alone
    )
    select placed.message from placed where placed.goes_alone;
end
$$;

comment on function ops.sort_messages(text, jsonb, timestamptz) is
    'Decides which of a channel''s due messages go alone, and returns those. The others become groups, one for each audience, or wait until the next group may be sent.';
