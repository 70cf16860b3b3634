-- Discord and a webhook for machines, beside Slack and email.
--
-- Why: a team reads what it reads, and another system (a pager, a log, a home-made
-- board) can only be told by a request. Who reads at night and who collects is
-- decided here: chat hears of everything, email of what is critical or where
-- nobody chats, and a machine gets each message at once, for it needs no digest.
-- Read by: whatever queues a message.
-- Undo: put ops.known_channels, ops.route, ops.restore_unsent and ops.tell_people
-- back, then the constraint.

set local search_path = '';

alter table ops.outbox drop constraint outbox_channel_check;
alter table ops.outbox add constraint outbox_channel_check
    check (channel in ('slack', 'email', 'discord', 'webhook'));

create or replace function ops.known_channels()
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select '{slack,email,discord,webhook}'::text[]
$$;

create or replace function ops.route(
    p_severity text,
    p_channels text[],
    out channel text,
    out digest boolean
)
returns setof record
language sql
immutable
set search_path = ''
as $$
    with chosen as (
        select known.channel
        from unnest(ops.known_channels()) with ordinality as known (channel, nth)
        where known.channel = any (p_channels)
            and (
                known.channel <> 'email'
                or p_severity = 'critical'
                -- Nobody chats, so nobody would hear of it otherwise.
                or not p_channels && '{slack,discord}'::text[]
            )
        order by known.nth
    )
    select chosen.channel, p_severity = 'low' and chosen.channel <> 'webhook'
    from chosen
    union all
    -- With nothing configured the channel is null, which makes the row visible.
    select null, p_severity = 'low'
    where not exists (select from chosen)
$$;

comment on function ops.route(text, text[]) is
    'Where a message of that severity goes, given the configured channels: critical to all of them, the rest to Slack, Discord and the webhook, and by email where there is neither Slack nor Discord; low into the digest, except for the webhook; to null if nothing is configured.';

create or replace function ops.restore_unsent(p_alert ops.alerts)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox
    set status = 'pending'
    where alert = p_alert.id
        and kind in ('firing', 'escalation')
        and status = 'superseded'
        and attempts = 0
        -- What was said of something low was replaced where it no longer is that.
        and (severity = 'low') = (p_alert.severity = 'low')
$$;

create or replace function ops.tell_people(
    p_alert ops.alerts,
    p_people jsonb,
    p_escalation jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_person jsonb;
    v_by_slack boolean := 'slack' = any (p_context.channels);
    v_by_email boolean := 'email' = any (p_context.channels);
begin
    if not v_by_slack and not v_by_email then
        -- Where nobody has an address, people are named to whoever reads what there
        -- is; without any channel it becomes visible that nobody can be told.
        perform ops.address_message(
            p_alert, elsewhere.channel, p_people, true, p_escalation, p_context, p_now
        )
        from ops.route('critical', p_context.channels) as elsewhere;
    end if;
    if v_by_slack then
        perform ops.address_message(p_alert, 'slack', p_people, true, p_escalation, p_context, p_now);
    end if;
    if v_by_email then
        for v_person in select value from jsonb_array_elements(p_people) loop
            -- Who has no address is named to those who read the usual one.
            if v_person ->> 'email' is not null or not v_by_slack then
                perform ops.address_message(
                    p_alert, 'email', jsonb_build_array(v_person), v_person ->> 'email' is null,
                    p_escalation, p_context, p_now
                );
            end if;
        end loop;
    end if;
end
$$;

comment on function ops.tell_people(ops.alerts, jsonb, jsonb, ops.context, timestamptz) is
    'Tells people of an alert: one message on Slack that names them all and one email each; where there is neither, one message on each other channel.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
