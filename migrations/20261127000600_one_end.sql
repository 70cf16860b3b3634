-- One end for everybody who heard of a beginning, however many messages that took.
--
-- Why: an audience may be told of an alert by several messages, of which some are
-- still being tried when it resolves. An end that answers each of them is told as
-- often as they arrive, and a beginning that arrives after the end is taken for a
-- new one. So an end belongs to an audience: it is due once anything reached that
-- audience, and then nothing else of the alert does.
-- Read by: delivery, whatever resolves an alert.
-- Undo: put back the former functions and drop the ones that are new.

set local search_path = '';

create function ops.audience_of(p_message ops.outbox)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- A room is one audience; of emails those hear together whom the channel
    -- reaches anyway, and everybody else alone.
    select case
        when p_message.channel = 'email' and p_message.facts #> '{recipients,usual}' = 'false'
        then p_message.facts #> '{recipients,people}'
        else '[]'
    end
$$;

comment on function ops.audience_of(ops.outbox) is 'Who hears a message of its channel, as something to compare.';

create function ops.find_beginnings(p_end ops.outbox)
returns setof ops.outbox
language sql
stable
set search_path = ''
as $$
    select *
    from ops.outbox as told
    where told.alert = p_end.alert
        and told.kind in ('firing', 'escalation', 'reminder')
        and (
            -- An end that stands in for another answers what was told elsewhere.
            told.id = p_end.after
            or (
                told.channel = p_end.channel
                and told.digest = p_end.digest
                and ops.audience_of(told) = ops.audience_of(p_end)
            )
        )
$$;

comment on function ops.find_beginnings(ops.outbox) is
    'The messages by which the audience of a resolution may have heard that its alert began.';

create or replace function ops.find_told(p_alert uuid)
returns setof ops.outbox
language sql
stable
set search_path = ''
as $$
    select distinct on (told.channel, told.digest, ops.audience_of(told)) told.*
    from ops.outbox as told
    where told.alert = p_alert
        and told.kind in ('firing', 'escalation', 'reminder')
        and told.status in ('pending', 'sent')
    order by
        told.channel, told.digest, ops.audience_of(told), told.status = 'sent' desc,
        case told.channel when 'email' then jsonb_array_length(told.facts #> '{recipients,people}') end desc nulls last,
        told.created_at, told.id
$$;

comment on function ops.find_told(uuid) is
    'The messages that a resolution has to answer: one for each channel and audience that was told, or may yet be.';

create function ops.stop_telling(p_end ops.outbox, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox as late
    set status = 'superseded', lease = null, leased_until = null
    where late.id in (select id from ops.find_beginnings(p_end))
        and late.status = 'pending'
        and (late.leased_until is null or late.leased_until <= p_now)
        and not ops.speaks_for_others(late)
$$;

comment on function ops.stop_telling(ops.outbox, timestamptz) is
    'Gives up what is still tried of a beginning that its audience has heard of and that is over, unless it is being sent or calls for other alerts too.';

create or replace function ops.queue_resolutions(p_alert ops.alerts, p_facts jsonb, p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- Nobody has been told, nobody needs to be.
    perform ops.drop_unsent(p_alert.id);

    perform ops.queue_message(
        'resolved', told.channel, told.digest, p_alert.severity, p_alert.id, told.id,
        ops.message_facts(p_alert, 'resolved', p_facts) || case
            when told.facts ? 'recipients' then jsonb_build_object('recipients', told.facts -> 'recipients')
            else '{}'
        end,
        p_context.settings, p_now
    )
    from ops.find_told(p_alert.id) as told;

    -- Who has heard of it needs no second message before its end.
    perform ops.stop_telling(told, p_now)
    from ops.find_told(p_alert.id) as told
    where told.status = 'sent';
end
$$;

comment on function ops.queue_resolutions(ops.alerts, jsonb, ops.context, timestamptz) is
    'Queues one resolution for each audience that was told of an alert or may yet be, to be delivered only after that; what nobody has tried to send, or adds nothing, is dropped instead.';

create or replace function ops.is_claimable(p_message ops.outbox, p_channels text[], p_now timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
    select p_message.channel = any (p_channels)
        and (p_message.leased_until is null or p_message.leased_until <= p_now)
        and (
            p_message.after is null
            or (
                select bool_or(told.status = 'sent')
                    -- What is being sent has to arrive before its end.
                    and not bool_or(told.status = 'pending' and coalesce(told.leased_until > p_now, false))
                from ops.find_beginnings(p_message) as told
            )
        )
        and not ops.is_held_back(p_message, p_now)
$$;

comment on function ops.is_claimable(ops.outbox, text[], timestamptz) is
    'Whether a due message may be leased: its channel is served, nobody has leased it, its alert is not held, and if it is an end, its audience has heard of the beginning.';

create or replace function ops.bury_message(p_message uuid, p_error text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_buried ops.outbox;
begin
    update ops.outbox
    set status = 'dead', lease = null, leased_until = null, last_error = p_error
    where id = p_message
    returning * into v_buried;

    -- A resolution is delivered only if a beginning was, or still may be.
    update ops.outbox as ending
    set status = 'superseded'
    where ending.alert = v_buried.alert
        and ending.kind = 'resolved'
        and ending.status = 'pending'
        and not exists (
            select
            from ops.find_beginnings(ending) as told
            where told.status in ('pending', 'sent')
        );
end
$$;

comment on function ops.bury_message(uuid, text) is
    'Gives a message up, and with it the resolution of an audience that nothing else can reach.';

create or replace function ops.settle_message(
    p_claim uuid,
    p_message uuid,
    p_outcome text,
    p_retry_after_seconds numeric,
    p_status_code integer,
    p_provider_id text,
    p_error text,
    p_maximum integer,
    p_now timestamptz
)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_outcome text := p_outcome;
    v_message ops.outbox;
begin
    select * into v_message from ops.outbox where id = p_message for update;
    if v_message.lease is distinct from p_claim then
        return coalesce(
            (
                select outcome
                from ops.deliveries
                where lease = p_claim and message = p_message and settled_at is not null
            ),
            'stale'
        );
    end if;

    if v_outcome = 'retry' and v_message.attempts >= p_maximum then
        v_outcome := 'dead';
    end if;

    case v_outcome
        when 'sent' then
            update ops.outbox
            set
                status = 'sent', sent_at = p_now, provider_id = p_provider_id,
                lease = null, leased_until = null, last_error = null
            where id = p_message;
            if v_message.kind = 'resolved' then
                perform ops.stop_telling(v_message, p_now);
            end if;
        when 'retry' then
            update ops.outbox
            set
                next_attempt_at = p_now + greatest(
                    make_interval(secs => coalesce(p_retry_after_seconds, 0)::float8),
                    ops.retry_after(v_message.attempts, random())
                ),
                lease = null, leased_until = null, last_error = p_error
            where id = p_message;
        when 'dead' then
            perform ops.bury_message(p_message, p_error);
    end case;

    update ops.deliveries
    set
        settled_at = p_now, outcome = v_outcome, status_code = p_status_code,
        provider_id = p_provider_id, error = p_error
    where lease = p_claim and message = p_message;

    return v_outcome;
end
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
