-- Evidence of a period, for whoever reviews it: everything that was done, what was missed, and how
-- much would have been lost at any instant, measured.

create or replace function ops.backup_ages(p_from timestamptz, p_to timestamptz)
returns table (since timestamptz, until timestamptz, newest timestamptz)
language sql
stable
set search_path = ''
as $$
    with points (at, taken_at) as (
        select p_from, (select max(b.taken_at) from ops.backups as b where b.outcome = 'done' and b.sealed_at <= p_from)
        union all
        select b.sealed_at, b.taken_at
        from ops.backups as b
        where b.outcome = 'done' and b.sealed_at > p_from and b.sealed_at < p_to
    ),
    -- One that was sealed later may have been taken earlier.
    spans as (
        select
            at as since,
            lead(at, 1, p_to) over (order by at) as until,
            max(taken_at) over (order by at rows unbounded preceding) as newest
        from points
    )
    select spans.since, spans.until, spans.newest from spans where spans.until > spans.since
$$;

comment on function ops.backup_ages(timestamptz, timestamptz) is
    'From when to when within a time which backup was the newest that was sealed; null before the first.';

create or replace function ops.rpo_document(p_from timestamptz, p_to timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with spans as (
        -- A backup ages by a second in a second.
        select
            since,
            until,
            greatest(0, extract(epoch from since - newest)) as youngest,
            greatest(0, extract(epoch from until - newest)) as oldest
        from ops.backup_ages(p_from, p_to)
        where newest is not null
    ),
    -- For how long ages up to one were seen: each span adds to it evenly between its two ends.
    ends (age, change) as (
        select youngest, 1 from spans
        union all
        select oldest, -1 from spans
    ),
    steps as (
        select
            age,
            lead(age) over (order by age) as next_age,
            sum(sum(change)) over (order by age) as spans_at_once
        from ends
        group by age
    ),
    measured as (
        select next_age, spans_at_once, sum(spans_at_once * (next_age - age)) over (order by age) as seen
        from steps
        where next_age is not null
    ),
    total as (
        select sum(oldest - youngest) as seen from spans
    )
    select jsonb_build_object(
        'objectiveSeconds', objective.seconds,
        'largestSeconds', (select max(oldest) from spans),
        'largestAt', (select until from spans order by oldest desc, until limit 1),
        'medianSeconds', (
            select next_age - (measured.seen - total.seen / 2) / spans_at_once
            from measured
            cross join total
            where measured.seen >= total.seen / 2 and spans_at_once > 0
            order by measured.seen
            limit 1
        ),
        'beyondSeconds', (
            select coalesce(sum(greatest(0, oldest - greatest(youngest, objective.seconds))), 0) from spans
        ),
        'knownSeconds', coalesce((select seen from total), 0),
        'withoutSeconds', (
            select coalesce(sum(extract(epoch from until - since)), 0)
            from ops.backup_ages(p_from, p_to)
            where newest is null
        )
    )
    from (select 60 * (p_settings ->> 'threshold.backup_rpo_minutes')::numeric) as objective (seconds)
$$;

comment on function ops.rpo_document(timestamptz, timestamptz, jsonb) is
    'How old the newest sealed backup was in a time, in seconds: at most, in the median over all instants, for how long beyond the objective, and for how long there was none.';

create or replace function ops.rpo_days(p_from timestamptz, p_to timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('from', day.since, 'to', day.until)
                || ops.rpo_document(day.since, day.until, p_settings) - 'objectiveSeconds'
            order by day.since
        ),
        '[]'
    )
    from (
        select greatest(p_from, midnight), least(p_to, midnight + interval '24 hours')
        from generate_series(
            date_trunc('day', p_from at time zone 'UTC') at time zone 'UTC', p_to, interval '24 hours'
        ) as midnight
    ) as day (since, until)
    where day.until > day.since
$$;

comment on function ops.rpo_days(timestamptz, timestamptz, jsonb) is
    'How old the newest sealed backup was on each day of a time, in UTC.';

create or replace function ops.review_document(p_review ops.evidence_reviews)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_review.id,
        'from', p_review.starts_at,
        'to', p_review.ends_at,
        'by', p_review.reviewer,
        'note', p_review.note,
        'receipts', p_review.receipts,
        'first', p_review.first_sha256,
        'last', p_review.last_sha256,
        'root', p_review.root,
        'at', p_review.reviewed_at
    )
$$;

comment on function ops.review_document(ops.evidence_reviews) is 'A review as callers see it.';

create or replace function ops.missed_backups(p_from timestamptz, p_to timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(missed.slot order by missed.slot), '[]')
    from (
        select run.slot
        from ops.runs as run
        where run.job = 'backup' and run.outcome = 'missed' and run.slot >= p_from and run.slot < p_to
        union
        -- The next run records those since the last one: here they are before there is one.
        select later.slot
        from ops.jobs as job
        cross join lateral (
            select job.last_slot + make_interval(secs => nth::float8 * job.every_seconds) as slot
            from generate_series(1, ceil(extract(epoch from p_to - job.last_slot) / job.every_seconds)::integer) as nth
        ) as later
        where job.job = 'backup'
            and later.slot >= p_from
            and later.slot + make_interval(secs => job.every_seconds) <= p_to
    ) as missed
$$;

comment on function ops.missed_backups(timestamptz, timestamptz) is
    'The slots of backups in a time that nobody called.';

create or replace function ops.evidence_facts(p_from timestamptz, p_to timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'kind', fact.kind,
                'id', fact.id,
                'at', fact.at,
                'backup', fact.snapshot,
                'recordSha256', fact.record_sha256,
                'facts', fact.facts,
                'details', fact.details,
                'receipt', receipt.sha256
            )
            order by fact.at, fact.kind, fact.id
        ),
        '[]'
    )
    from ops.backup_facts(p_from, p_to) as fact
    left join ops.receipts as receipt on receipt.kind = fact.kind and receipt.fact = fact.id
$$;

comment on function ops.evidence_facts(timestamptz, timestamptz) is
    'Everything that was done with backups in a time, the oldest first, each with its details and the hash of its receipt, null where it has none yet.';

create or replace function ops.check_period(p_from timestamptz, p_to timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.check_time('from', p_from);
    perform ops.check_time('to', p_to);
    if p_to <= p_from then
        perform ops.refuse('to', 'later than from', p_to::text);
    end if;
    if p_to > p_from + interval '9600 hours' then
        perform ops.refuse('to', 'at most 400 days after from', p_to::text);
    end if;
end
$$;

comment on function ops.check_period(timestamptz, timestamptz) is
    'Refuses with SQLSTATE 22023 what is no period of at most four hundred days.';

create or replace function public.ops_backup_evidence(
    p_from timestamptz,
    p_to timestamptz,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_until timestamptz := least(p_to, v_now);
    v_settings jsonb := ops.read_settings();
begin
    perform ops.check_period(p_from, p_to);
    if p_from >= v_now then
        perform ops.refuse('from', 'a time that is not to come', p_from::text);
    end if;
    return jsonb_build_object(
        'from', p_from,
        'to', p_to,
        'until', v_until,
        'madeAt', v_now,
        'firstSlot', (select first_slot from ops.jobs where job = 'backup'),
        'everySeconds', (select every_seconds from ops.jobs where job = 'backup'),
        'rtoSeconds', 60 * (v_settings ->> 'threshold.backup_rto_minutes')::numeric,
        'drillDays', v_settings -> 'backup.drill_days',
        'replicaLagSeconds', 60 * (v_settings ->> 'threshold.replica_lag_minutes')::numeric,
        'rpo', ops.rpo_document(p_from, v_until, v_settings),
        'rpoDays', ops.rpo_days(p_from, v_until, v_settings),
        'facts', ops.evidence_facts(p_from, v_until),
        'missed', ops.missed_backups(p_from, v_until),
        'receipts', ops.receipts_document(v_now),
        'reviews', (
            select coalesce(jsonb_agg(ops.review_document(review) order by review.reviewed_at), '[]')
            from ops.evidence_reviews as review
            where review.starts_at < p_to and review.ends_at > p_from and review.reviewed_at <= v_now
        )
    );
end
$$;

comment on function public.ops_backup_evidence(timestamptz, timestamptz, timestamptz) is
    'The evidence of backups of a period: everything that was done, slots that were missed, how old the newest backup was, how receipts stand, and who reviewed it.';

create or replace function public.ops_review_evidence(p_review jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_id uuid;
    v_from timestamptz;
    v_to timestamptz;
begin
    perform ops.hold_functions();
    v_id := (p_review ->> 'id')::uuid;
    v_from := (p_review ->> 'from')::timestamptz;
    v_to := (p_review ->> 'to')::timestamptz;
    perform ops.check_id('id', v_id);
    perform ops.check_period(v_from, v_to);
    if v_to > v_now then
        perform ops.refuse('to', 'a time that is over', v_to::text);
    end if;
    perform ops.check_length('by', p_review ->> 'by', 200);
    perform ops.check_number('receipts', (p_review ->> 'receipts')::bigint, 0, 9007199254740991);
    insert into ops.evidence_reviews (
        id, starts_at, ends_at, reviewer, note, receipts, first_sha256, last_sha256, root, reviewed_at
    )
    values (
        v_id, v_from, v_to, btrim(p_review ->> 'by'), nullif(left(btrim(p_review ->> 'note'), 1000), ''),
        (p_review ->> 'receipts')::bigint, p_review ->> 'first', p_review ->> 'last', p_review ->> 'root', v_now
    )
    on conflict (id) do nothing;
    if found then
        perform ops.write_audit(
            'evidence.reviewed', p_review ->> 'by', v_id::text,
            jsonb_build_object(
                'from', v_from, 'to', v_to, 'receipts', p_review -> 'receipts', 'root', p_review -> 'root'
            )
        );
    end if;
    return (select ops.review_document(review) from ops.evidence_reviews as review where review.id = v_id);
end
$$;

comment on function public.ops_review_evidence(jsonb, timestamptz) is
    'Keeps that somebody has signed off the receipts of a period, once however often it is sent, and writes it into the audit log. The next run of the backup leaves a receipt of it.';
