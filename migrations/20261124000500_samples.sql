-- Checks and samples: every observation, and uptime integrated from them.
--
-- Why: uptime is time, not a share of samples. A sample holds until the next
-- one, at most for twice its interval; after that nothing is known. Up, down,
-- unknown and maintenance always sum to the period.
-- Read by: the dashboard, system_health, later status pages and reports.
-- Undo: drop the functions, then ops.samples and ops.checks.

set local search_path = '';

create table ops.checks (
    name text primary key check (length(name) between 1 and 1100),
    kind text not null check (kind in ('app', 'dependency', 'certificate', 'aggregate')),
    service text not null check (length(service) between 1 and 50),
    every_seconds integer not null check (every_seconds between 1 and 31622400),
    critical boolean not null,
    environment text not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null
);

comment on table ops.checks is 'What is checked; registered by the ticks that report it.';
comment on column ops.checks.kind is 'aggregate: derived from other checks in SQL, such as app, the worst of all checked URLs.';
comment on column ops.checks.last_seen_at is 'The newest tick that reported the check.';

create table ops.samples (
    id bigint generated always as identity primary key,
    check_name text not null,
    at timestamptz not null,
    status text not null check (status in ('up', 'degraded', 'down', 'unknown')),
    valid_seconds integer not null check (valid_seconds > 0),
    latency_ms numeric,
    reason text,
    run uuid not null,
    environment text not null,
    deployment_id text,
    commit_sha text,
    region text,
    detail jsonb not null default '{}'
);

comment on table ops.samples is 'Every observation of every check. Without foreign keys: one row a check and minute has to be cheap.';
comment on column ops.samples.valid_seconds is 'How long the sample says something: twice the interval at which it was taken.';
comment on column ops.samples.reason is 'Why not up, typed: timeout, dns, connect, tls, http_status, text, auth, quota, config and the like.';

create index samples_check_idx
    on ops.samples (check_name, at desc, id desc) include (status, valid_seconds);

alter table ops.checks enable row level security;
alter table ops.samples enable row level security;

-- Uptime ---------------------------------------------------------------------

create function ops.uptime(
    p_check text,
    p_from timestamptz,
    p_to timestamptz,
    out up numeric,
    out degraded numeric,
    out down numeric,
    out unknown numeric,
    out maintenance numeric
)
language sql
stable
set search_path = ''
as $$
    with spans as (
        select
            status,
            greatest(at, p_from) as started,
            least(
                at + make_interval(secs => valid_seconds),
                lag(at, 1, p_to) over (order by at desc, id desc),
                p_to
            ) as ended
        from ops.samples
        where check_name = p_check
            and at < p_to
            -- The sample before the period may reach into it.
            and at >= coalesce(
                (
                    select before.at
                    from ops.samples as before
                    where before.check_name = p_check and before.at <= p_from
                    order by before.at desc
                    limit 1
                ),
                p_from
            )
    ),
    lengths as (
        select status, greatest(extract(epoch from ended - started), 0) as seconds from spans
    ),
    sums as (
        select
            coalesce(sum(seconds) filter (where status in ('up', 'degraded')), 0) as up,
            coalesce(sum(seconds) filter (where status = 'degraded'), 0) as degraded,
            coalesce(sum(seconds) filter (where status = 'down'), 0) as down
        from lengths
    )
    select
        up,
        degraded,
        down,
        greatest(extract(epoch from p_to - p_from), 0) - up - down,
        0::numeric
    from sums
$$;

comment on function ops.uptime(text, timestamptz, timestamptz) is
    'Seconds of a period that a check was up (degraded is part of it), down, unknown and in maintenance; up + down + unknown + maintenance is the period exactly.';

create function ops.uptime_document(
    p_up numeric,
    p_degraded numeric,
    p_down numeric,
    p_unknown numeric,
    p_maintenance numeric
)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'up', p_up,
        'degraded', p_degraded,
        'down', p_down,
        'unknown', p_unknown,
        'maintenance', p_maintenance,
        'percent', round(100 * p_up / nullif(known, 0), 4),
        -- Bounds say how little is known, not that nothing is.
        'lower', case when known > 0 then round(100 * p_up / (known + p_unknown), 4) end,
        'upper', case when known > 0 then round(100 * (p_up + p_unknown) / (known + p_unknown), 4) end,
        'coverage', round(100 * known / nullif(known + p_unknown, 0), 4)
    )
    from (select p_up + p_down as known) as sums
$$;

comment on function ops.uptime_document(numeric, numeric, numeric, numeric, numeric) is
    'Seconds with what follows from them: percent of the known time, its bounds over all time outside maintenance, and the share that is known; null without data.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
