-- Many alerts at once: which messages go alone, and which go together.
--
-- Why: fifty messages in a minute hide the one that matters, and run into the
-- limits of every channel. Of an incident's messages that are due together the
-- worst goes alone and the others as one; and of any kind only so many go alone
-- within some minutes, the worst first. The first message of an incident never
-- waits, nor does one that is critical. A group is made when it is leased, stays the same however often it is
-- sent, and is settled row by row, so that each end still answers its own
-- beginning.
-- Read by: claims (the next file).
-- Undo: drop the functions, then the columns and indexes; take the settings away.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, 'integer', value, value, minimum, maximum, unit, description
from (values
    ('delivery.storm_messages', '5'::jsonb, 1, 1000, null, 'Messages about alerts that go alone on a channel within delivery.storm_minutes; what is more goes together.'),
    ('delivery.storm_minutes', '5', 1, 60, 'min', 'Period in which messages that go alone are counted.'),
    ('delivery.group_seconds', '60', 10, 3600, 's', 'Least time between two messages of a channel that tell of many alerts together.')
) as seed (key, value, minimum, maximum, unit, description);

alter table ops.outbox
    add column bundle uuid,
    add column bundled_at timestamptz,
    add constraint outbox_bundle_check check ((bundle is null) = (bundled_at is null));

comment on column ops.outbox.bundle is 'The group that it is sent with; null if it goes alone or with a digest.';

create index outbox_bundle_idx on ops.outbox (bundle) where bundle is not null;
create index outbox_bundled_idx on ops.outbox (channel, bundled_at) where bundle is not null;
create index deliveries_started_idx on ops.deliveries (started_at);

create or replace function ops.first_on_slack(p_alert uuid)
returns ops.outbox
language sql
stable
set search_path = ''
as $$
    select message
    from ops.outbox as message
    where alert = p_alert
        and kind in ('firing', 'escalation')
        and channel = 'slack'
        and status = 'sent'
        -- A digest and a group are about other alerts too.
        and not digest
        and bundle is null
        and provider_id is not null
    order by sent_at, id
    limit 1
$$;

-- Sorting --------------------------------------------------------------------

create function ops.may_go_with_others(p_message ops.outbox)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select p_message.alert is not null
        and not p_message.digest
        -- That is no message of its own, and machines read every one.
        and p_message.kind <> 'change'
        and p_message.channel <> 'webhook'
$$;

comment on function ops.may_go_with_others(ops.outbox) is
    'Whether a message counts as one of many that people are told at once.';

create function ops.count_alone(p_channel text, p_from timestamptz, p_to timestamptz)
returns bigint
language sql
stable
set search_path = ''
as $$
    select count(*)
    from ops.deliveries as delivery
    join ops.outbox as told on told.id = delivery.message
    where delivery.started_at > p_from
        and delivery.started_at <= p_to
        and delivery.attempt = 1
        and told.channel = p_channel
        and told.bundle is null
        and ops.may_go_with_others(told)
$$;

comment on function ops.count_alone(text, timestamptz, timestamptz) is
    'How many messages about alerts began to be sent alone on a channel after p_from, up to p_to.';

create function ops.next_group_at(p_channel text, p_settings jsonb, p_now timestamptz)
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

comment on function ops.next_group_at(text, jsonb, timestamptz) is 'When a channel may be told of many alerts together: now, or some time after the last time.';

create function ops.was_told_of(p_incident uuid, p_channel text)
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

comment on function ops.was_told_of(uuid, text) is 'Whether a channel has heard of an incident, or may have.';

create function ops.place_messages(p_channel text, p_alone bigint, p_now timestamptz)
returns table (message uuid, is_end boolean, audience jsonb, goes_alone boolean)
language sql
set search_path = ''
as $$
    with due as materialized (
        select
            waiting.id, waiting.severity, waiting.created_at, alert.incident, alert.fingerprint,
            waiting.kind = 'resolved' as is_end,
            coalesce(waiting.facts -> 'recipients', 'null') as audience
        from ops.outbox as waiting
        join ops.alerts as alert on alert.id = waiting.alert
        where waiting.status = 'pending'
            and waiting.next_attempt_at <= p_now
            and ops.may_go_with_others(waiting)
            -- What was tried alone stays alone: somebody may have read it.
            and waiting.attempts = 0
            and ops.is_claimable(waiting, array[p_channel], p_now)
        for update of waiting skip locked
    ),
    ranked as (
        select
            due.*,
            due.incident is null or 1 = row_number() over (
                partition by due.is_end, due.incident
                order by ops.severity_rank(due.severity) desc, due.created_at, due.fingerprint, due.id
            ) as leads
        from due
    ),
    judged as (
        select
            ranked.*,
            ranked.leads and not ranked.is_end and ranked.incident is not null and (
                ranked.severity = 'critical' or not ops.was_told_of(ranked.incident, p_channel)
            ) as at_once,
            -- A single one that is left over needs no group.
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
    from judged
$$;

comment on function ops.place_messages(text, bigint, timestamptz) is
    'Of the messages about alerts that are due on a channel for the first time, which go alone: the worst of each incident, as many as still may, and in any case if it is critical or the first of its incident. Locks them.';

create function ops.sort_messages(p_channel text, p_settings jsonb, p_now timestamptz)
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
        -- Beginnings and ends apart, and nobody reads what others are called for.
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
    'Decides which of a channel''s due messages go alone, and returns those; the others go as a group of the same people now, or wait until the channel may be told of a group again.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
