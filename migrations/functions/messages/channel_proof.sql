-- Once a month a test message goes the whole way of an alert, on every channel. Without it, a
-- broken channel would be found in the night in which it is needed. The test is an ordinary
-- message: it has the same outbox, lease, channel and receipt as any other.

create or replace function ops.proof_due_at(p_month date, p_hour integer)
returns timestamptz
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return (
        p_month + make_interval(
            days => case extract(isodow from p_month) when 6 then 2 when 7 then 1 else 0 end,
            hours => p_hour
        )
    ) at time zone 'UTC';
end
$$;

comment on function ops.proof_due_at(date, integer) is
    'Returns when the test of a month is due: on its first weekday at that hour, UTC.';

create or replace function ops.proof_month(p_now timestamptz, p_hour integer)
returns date
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return (
        select case
            when ops.proof_due_at(months.this, p_hour) <= p_now then months.this
            else (months.this - interval '1 month')::date
        end
        from (select date_trunc('month', p_now at time zone 'UTC')::date as this) as months
    );
end
$$;

comment on function ops.proof_month(timestamptz, integer) is
    'Returns the month whose test was due last.';

create or replace function ops.first_asked()
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

comment on function ops.first_asked() is 'Returns the name of the contact that a critical alert asks first; null if level 1 has nobody.';

create or replace function ops.list_proof_readers(p_channel text)
returns setof jsonb
language sql
stable
set search_path = ''
as $$
    select reached.facts
    from ops.contacts as contact
    cross join lateral ops.person_document(contact) as person
    cross join lateral ops.for_each_device(
        p_channel,
        jsonb_build_object('recipients', jsonb_build_object('usual', false, 'people', jsonb_build_array(person)))
    ) as reached (facts)
    where ops.reach_of(p_channel) in ('phone', 'call') and ops.has_address(person, p_channel)
    union all
    select '{}'
    where ops.reach_of(p_channel) not in ('phone', 'call')
$$;

comment on function ops.list_proof_readers(text) is
    'Returns to whom the tests of a channel go, as facts of a message: to each phone and device that may be woken, else to the usual readers once.';

create or replace function ops.has_readers(p_channel text)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (select from ops.list_proof_readers(p_channel))
$$;

comment on function ops.has_readers(text) is
    'Returns whether a channel reaches anybody: a phone has to be somebody''s.';

create or replace function ops.queue_proof(
    p_channel text,
    p_month date,
    p_request uuid,
    p_by text,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_facts jsonb := jsonb_build_object(
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
    );
    v_messages uuid[];
begin
    with queued as (
        insert into ops.outbox (kind, channel, severity, facts, created_at, next_attempt_at)
        select
            'notice', p_channel, 'low', v_facts || readers.facts, p_now,
            greatest(
                p_now,
                case
                    -- Whoever asks for a test waits for it.
                    when p_month is not null
                    then ops.left_in_peace_until(readers.facts #> '{recipients,people,0}', 'low', p_now)
                end
            )
        from ops.list_proof_readers(p_channel) as readers (facts)
        returning id
    )
    select array_agg(id) into v_messages from queued;
    insert into ops.channel_proofs (message, channel, month, request, queued_at)
    select v_messages[1], p_channel, p_month, p_request, p_now
    where v_messages is not null;
end
$$;

comment on function ops.queue_proof(text, date, uuid, text, timestamptz) is
    'Queues a test of a channel, either that of a month or one that somebody asked for: one message, or one to each phone that may be woken; the monthly one after the quiet hours of whoever has any.';

create or replace function ops.note_channels(p_channels text[], p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    insert into ops.channels as known (channel, known_since, last_seen_at)
    select configured.channel, p_now, p_now
    from unnest(p_channels) as configured (channel)
    on conflict (channel) do update
    set last_seen_at = excluded.last_seen_at
    -- Every tick comes by here.
    where coalesce(known.last_seen_at <= excluded.last_seen_at - interval '10 minutes', true)
$$;

comment on function ops.note_channels(text[], timestamptz) is 'Remembers since when each channel is configured, and that it still is.';

create or replace function ops.queue_proofs(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.queue_proof(known.channel, due.month, null, null, p_now)
    from (
        select ops.proof_month(p_now, (p_context.settings ->> 'proof.hour_utc')::integer) as month
    ) as due
    join ops.channels as known on known.channel = any (p_context.channels)
    where known.known_since < ops.proof_due_at(due.month, (p_context.settings ->> 'proof.hour_utc')::integer)
        and not exists (
            select from ops.channel_proofs as proof where proof.channel = known.channel and proof.month = due.month
        );
end
$$;

comment on function ops.queue_proofs(ops.context, timestamptz) is
    'Queues the month''s test of every channel that has not had it and was known when it was due. A later call makes up for one that did not come in time.';

create or replace function ops.mind_delivery(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.note_channels(p_context.channels, p_now);
    perform ops.queue_proofs(p_context, p_now);
    perform ops.tell_untold(p_context, p_now);
    perform ops.fail_over(p_context, p_now);
    perform ops.tell_gone_devices(p_context, p_now);
    perform ops.revive_ends(p_context.channels, p_now);
end
$$;

comment on function ops.mind_delivery(ops.context, timestamptz) is
    'Remembers new channels, queues the tests that are due, tells anew what nobody was told of, copies messages that their channel does not take to other channels, leaves devices behind that are gone, and tries ends again that were given up. The caller holds the lock of the alerts.';

create or replace function public.ops_prove_delivery(
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
    v_by text;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    perform ops.check_given('channels', nullif(p_channels, '{}'), 'the channels that are configured');
    perform ops.check_channels(p_channels);
    v_by := ops.check_by(p_by);

    -- A repeated call waits for the first one and then finds its tests.
    perform ops.lock_alerts();
    perform ops.note_channels(p_channels, v_now);
    if not exists (select from ops.channel_proofs where request = p_request) then
        perform ops.queue_proof(tested.channel, null, p_request, v_by, v_now)
        from (select distinct unnest(p_channels) as channel) as tested;
    end if;
    return jsonb_build_object(
        'queued',
        (
            select coalesce(
                jsonb_agg(jsonb_build_object('channel', channel, 'message', message) order by channel), '[]'
            )
            from ops.channel_proofs
            where request = p_request
        )
    );
end
$$;

comment on function public.ops_prove_delivery(uuid, text[], text, timestamptz) is
    'Queues a test on each of those channels now. A call that is repeated with the same request queues nothing more.';

create or replace function public.ops_list_channels(p_now timestamptz default null)
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
    'Lists every channel with the time of the last message that it took, which proves it, and since when it fails.';
