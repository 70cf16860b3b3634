-- The outbox: messages to deliver, written in the transaction that decided them.
--
-- Why: a message must neither be lost nor depend on the process that decided
-- it. A worker leases what is due, sends it, and settles by its lease; what is
-- not settled is due again when the lease ends; what fails too often is dead,
-- and visible. Rows hold facts, never text: Rust words them when sending.
-- Read by: delivery (the next file), the dashboard.
-- Undo: drop the functions, then ops.deliveries and ops.outbox.

set local search_path = '';

create table ops.outbox (
    id uuid primary key default gen_random_uuid(),
    kind text not null check (kind in ('firing', 'resolved', 'notice')),
    channel text check (channel in ('slack', 'email')),
    severity text not null check (severity in ('critical', 'high', 'medium', 'low')),
    alert uuid references ops.alerts (id),
    digest boolean not null default false,
    after uuid references ops.outbox (id),
    facts jsonb not null,
    status text not null default 'pending'
        check (status in ('pending', 'sent', 'dead', 'superseded')),
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    lease uuid,
    leased_until timestamptz,
    created_at timestamptz not null,
    sent_at timestamptz,
    last_error text,
    provider_id text,
    check ((kind = 'notice') = (alert is null)),
    check ((status = 'sent') = (sent_at is not null))
);

comment on table ops.outbox is 'Every message that was ever to be sent, one row per channel.';
comment on column ops.outbox.channel is 'Null if no channel was configured; such a row is dead from the start.';
comment on column ops.outbox.digest is 'Sent together with others, at the hour of the digest.';
comment on column ops.outbox.after is 'The firing that this resolution answers: due once that was sent, superseded once it is dead.';
comment on column ops.outbox.facts is 'What is to be said, as of the transition.';
comment on column ops.outbox.status is 'superseded: no longer worth sending, because its alert resolved before the first attempt or its firing died.';
comment on column ops.outbox.lease is 'The claim that holds the row until leased_until.';

create index outbox_due_idx on ops.outbox (next_attempt_at) where status = 'pending';
create index outbox_lease_idx on ops.outbox (lease) where lease is not null;
create index outbox_alert_idx on ops.outbox (alert, kind);
create index outbox_after_idx on ops.outbox (after) where after is not null;
create index outbox_dead_idx on ops.outbox (created_at desc) where status = 'dead';
create index outbox_sent_idx on ops.outbox (sent_at) where status = 'sent';

create table ops.deliveries (
    id bigint generated always as identity primary key,
    message uuid not null references ops.outbox (id),
    lease uuid not null,
    attempt integer not null,
    started_at timestamptz not null,
    settled_at timestamptz,
    outcome text check (outcome in ('sent', 'retry', 'dead')),
    status_code integer,
    provider_id text,
    error text
);

comment on table ops.deliveries is 'Every attempt to deliver a message; one that was never settled was cut off.';

create unique index deliveries_lease_key on ops.deliveries (lease, message);
create index deliveries_message_idx on ops.deliveries (message, attempt);

alter table ops.outbox enable row level security;
alter table ops.deliveries enable row level security;

-- Routing --------------------------------------------------------------------

create function ops.known_channels()
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select '{slack,email}'::text[]
$$;

comment on function ops.known_channels() is
    'The channels that messages may go to, as the outbox admits them; callers who name others are refused at once, not when there is something to say.';

create function ops.route(
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
    with wanted as (
        select unnest(
            case p_severity when 'critical' then '{slack,email}' else '{slack}' end::text[]
        ) as channel
    ),
    available as (
        select wanted.channel from wanted where wanted.channel = any (p_channels)
    ),
    any_other as (
        select min(other.channel) as channel
        from unnest(p_channels) as other (channel)
        where not exists (select from available)
    )
    -- With nothing configured any_other is null, which makes the row visible.
    select chosen.channel, p_severity = 'low'
    from (select available.channel from available union all select any_other.channel from any_other) as chosen
    where chosen.channel is not null or not exists (select from available)
$$;

comment on function ops.route(text, text[]) is
    'Where a message of that severity goes, given the configured channels: critical to Slack and email, high and medium to Slack, low into Slack''s digest; to any configured channel if none of those is; to null if none is configured.';

create function ops.next_digest_at(p_now timestamptz, p_hour integer)
returns timestamptz
language sql
immutable
set search_path = ''
as $$
    select case when today > p_now then today else today + interval '24 hours' end
    from (
        select (date_trunc('day', p_now at time zone 'UTC') + make_interval(hours => p_hour))
            at time zone 'UTC' as today
    ) as digest
$$;

comment on function ops.next_digest_at(timestamptz, integer) is 'The next time after now that it is that hour, UTC.';

create function ops.retry_after(p_attempts integer, p_jitter double precision)
returns interval
language sql
immutable
set search_path = ''
as $$
    select make_interval(
        secs => least(30 * power(2, least(p_attempts, 20) - 1), 3600) * (0.8 + 0.4 * p_jitter)
    )
$$;

comment on function ops.retry_after(integer, double precision) is
    'The pause after that many attempts: 30 s doubling up to an hour, 20 % more or less as the jitter from 0 to 1 says.';

create function ops.queue_message(
    p_kind text,
    p_channel text,
    p_digest boolean,
    p_severity text,
    p_alert uuid,
    p_after uuid,
    p_facts jsonb,
    p_settings jsonb,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    insert into ops.outbox
        (kind, channel, digest, severity, alert, after, facts, created_at, next_attempt_at, status, last_error)
    values (
        p_kind, p_channel, p_digest, p_severity, p_alert, p_after, p_facts, p_now,
        case
            when p_digest then ops.next_digest_at(p_now, (p_settings ->> 'digest.hour_utc')::integer)
            else p_now
        end,
        case when p_channel is null then 'dead' else 'pending' end,
        case when p_channel is null then 'no channel configured' end
    )
$$;

comment on function ops.queue_message(text, text, boolean, text, uuid, uuid, jsonb, jsonb, timestamptz) is
    'Puts one message for one channel into the outbox, due now or with the next digest; dead at once without a channel.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
