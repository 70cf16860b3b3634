-- Proof of delivery: once a month a test goes the whole way of an alert.
--
-- Why: the way that nobody has used for a month is found broken in the night it
-- is needed. The test is an ordinary message: same outbox, same lease, same
-- channel, same receipt.
-- Read by: every tick and delivery, `pourtrait alerts prove`, `pourtrait check`.
-- Undo: put the former ops.advance_ladder back, drop the functions of this file,
-- ops.channel_proofs, ops.channels, the settings.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
values
    ('proof.hour_utc', 'integer', '10', '10', 0, 23, 'h', 'Hour of the first weekday of a month, UTC, at which every channel is tested.'),
    ('proof.maximum_days', 'integer', '35', '35', 1, 366, 'd', 'For how long a message that was sent proves its channel.');

create table ops.channels (
    channel text primary key,
    known_since timestamptz not null
);

comment on table ops.channels is 'The channels that were ever configured.';
comment on column ops.channels.known_since is 'Tests that were due before are not made up for.';

create table ops.channel_proofs (
    message uuid primary key references ops.outbox (id),
    channel text not null references ops.channels (channel),
    month date,
    request uuid,
    queued_at timestamptz not null,
    check (num_nonnulls(month, request) = 1),
    unique (channel, month),
    unique (request, channel)
);

comment on table ops.channel_proofs is 'Every test of a channel.';
comment on column ops.channel_proofs.month is 'The month whose test this is; null for one that somebody asked for.';
comment on column ops.channel_proofs.request is 'Made by whoever asked, so that a lost answer can be asked for again.';

alter table ops.channels enable row level security;
alter table ops.channel_proofs enable row level security;

-- When -----------------------------------------------------------------------

create function ops.proof_due_at(p_month date, p_hour integer)
returns timestamptz
language sql
immutable
parallel safe
set search_path = ''
as $$
    select (
        p_month + make_interval(
            days => case extract(isodow from p_month) when 6 then 2 when 7 then 1 else 0 end,
            hours => p_hour
        )
    ) at time zone 'UTC'
$$;

comment on function ops.proof_due_at(date, integer) is
    'When the test of a month is due: on its first weekday at that hour, UTC.';

create function ops.proof_month(p_now timestamptz, p_hour integer)
returns date
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when ops.proof_due_at(months.this, p_hour) <= p_now then months.this
        else (months.this - interval '1 month')::date
    end
    from (select date_trunc('month', p_now at time zone 'UTC')::date as this) as months
$$;

comment on function ops.proof_month(timestamptz, integer) is
    'The month whose test was due last.';

-- Tests ----------------------------------------------------------------------

create function ops.first_asked()
returns text
language sql
stable
set search_path = ''
as $$
    select contact.name
    from ops.contacts as contact
    join ops.contact_roles as roles on roles.role = contact.role
    where roles.level = 1
    order by roles.after_minutes, contact.name
    limit 1
$$;

comment on function ops.first_asked() is 'Whom a critical alert asks first; null without anybody on level 1.';

create function ops.queue_proof(
    p_channel text,
    p_month date,
    p_request uuid,
    p_by text,
    p_now timestamptz
)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
    v_id uuid;
begin
    insert into ops.outbox (kind, channel, severity, facts, created_at, next_attempt_at)
    values (
        'notice', p_channel, 'low',
        jsonb_build_object(
            'kind', 'notice',
            'severity', 'low',
            'title', case
                when p_month is not null then 'Monthly test of alerts by ' || p_channel
                else 'Test of alerts by ' || p_channel
            end,
            'message', concat_ws(
                ' ',
                'Nothing is wrong and nothing has to be done.',
                case
                    when p_month is not null then 'Once a month this goes the whole way of an alert.'
                    else p_by || ' asked for it.'
                end,
                'A critical alert would ask ' || ops.first_asked() || ' first.'
            ),
            'openedAt', p_now
        ),
        p_now, p_now
    )
    returning id into v_id;
    insert into ops.channel_proofs (message, channel, month, request, queued_at)
    values (v_id, p_channel, p_month, p_request, p_now);
    return v_id;
end
$$;

comment on function ops.queue_proof(text, date, uuid, text, timestamptz) is
    'Queues the test of a channel: of a month, or by request.';

create function ops.note_channels(p_channels text[], p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    insert into ops.channels (channel, known_since)
    select configured.channel, p_now
    from unnest(p_channels) as configured (channel)
    on conflict (channel) do nothing
$$;

comment on function ops.note_channels(text[], timestamptz) is 'Remembers since when channels are configured.';

create function ops.queue_proofs(p_context ops.context, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select ops.queue_proof(known.channel, due.month, null, null, p_now)
    from (
        select ops.proof_month(p_now, (p_context.settings ->> 'proof.hour_utc')::integer) as month
    ) as due
    join ops.channels as known on known.channel = any (p_context.channels)
    where known.known_since < ops.proof_due_at(due.month, (p_context.settings ->> 'proof.hour_utc')::integer)
        and not exists (
            select from ops.channel_proofs as proof where proof.channel = known.channel and proof.month = due.month
        )
$$;

comment on function ops.queue_proofs(ops.context, timestamptz) is
    'Queues the month''s test of every channel that has not had it and was known when it was due; a missed call is made up for.';

create function ops.mind_delivery(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.note_channels(p_context.channels, p_now);
    perform ops.queue_proofs(p_context, p_now);
    perform ops.fail_over(p_context, p_now);
end
$$;

comment on function ops.mind_delivery(ops.context, timestamptz) is
    'Looks after the channels: tests that are due, and copies of what a channel does not take. The caller holds the lock of the alerts.';

create or replace function ops.advance_ladder(p_context ops.context, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_step record;
    v_told bigint := 0;
begin
    perform ops.release_holds(p_now);
    perform ops.plan_escalations(p_context, p_now);
    perform ops.end_acknowledgements(p_context, p_now);

    for v_step in
        select
            asking as alert,
            step.level,
            step.passed,
            array_agg(step.id) as ids,
            coalesce(
                jsonb_agg(step.person order by step.due_at, step.id) filter (where step.person is not null), '[]'
            ) as people
        from ops.escalations as step
        join ops.alerts as asking on asking.id = step.alert
        where step.status = 'waiting'
            and step.due_at <= p_now
            and asking.status = 'firing'
            and asking.held_until is null
            and ops.silenced_until(asking, p_now) is null
        group by asking, step.level, step.passed
        order by min(step.due_at), step.level, min(step.id)
    loop
        perform ops.take_step(v_step.alert, v_step.level, v_step.passed, v_step.people, p_context, p_now);
        update ops.escalations set status = 'told', told_at = p_now where id = any (v_step.ids);
        v_told := v_told + 1;
    end loop;
    perform ops.queue_reminders(p_context, p_now);
    perform ops.mind_delivery(p_context, p_now);
    return v_told;
end
$$;

comment on function ops.advance_ladder(ops.context, timestamptz) is
    'Lets go of holds that ran out, plans what has no plan, ends acknowledgements whose time is over, tells everybody whose time has come and who was not told yet, reminds of what nobody answers, and looks after the channels; returns how many steps were told. The caller holds the lock of the alerts.';

create function public.ops_prove_delivery(
    p_request uuid,
    p_channels text[],
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
begin
    if p_request is null
        or coalesce(p_channels, '{}') = '{}'
        or not p_channels <@ ops.known_channels()
        or coalesce(length(btrim(p_by)), 0) not between 1 and 200
    then
        raise exception 'a test needs a request, the channels that are configured, and who asks for it'
            using errcode = 'invalid_parameter_value';
    end if;

    -- A repeated call waits for the first one and then finds its tests.
    perform ops.lock_alerts();
    perform ops.note_channels(p_channels, v_now);
    if not exists (select from ops.channel_proofs where request = p_request) then
        perform ops.queue_proof(tested.channel, null, p_request, btrim(p_by), v_now)
        from (select distinct unnest(p_channels) as channel) as tested;
    end if;
    return jsonb_build_object(
        'queued',
        (
            select jsonb_agg(jsonb_build_object('channel', channel, 'message', message) order by channel)
            from ops.channel_proofs
            where request = p_request
        )
    );
end
$$;

comment on function public.ops_prove_delivery(uuid, text[], text, timestamptz) is
    'Queues a test on each of those channels now. Repeated with the same request it queues nothing more.';

create function public.ops_list_channels(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'maximumDays', (select value from ops.settings where key = 'proof.maximum_days'),
        'channels', coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'channel', known.channel,
                    'knownSince', known.known_since,
                    'provenAt', ops.last_sent_at(known.channel),
                    'failingSince', failing.since,
                    'error', failing.error
                )
                order by known.channel
            ),
            '[]'
        )
    )
    from ops.channels as known
    left join ops.failing_channels(ops.read_settings(), coalesce(p_now, now())) as failing using (channel)
$$;

comment on function public.ops_list_channels(timestamptz) is
    'Every channel with when it was proven last, by any message that it took, and since when it takes nothing.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_prove_delivery(uuid, text[], text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_prove_delivery(uuid, text[], text, timestamptz) to service_role;
revoke all on function public.ops_list_channels(timestamptz) from public, anon, authenticated;
grant execute on function public.ops_list_channels(timestamptz) to service_role;
