-- What a report says of the operation in a period: how the services fared, alerts and
-- incidents, backups, jobs, messages, deployments, and who tried to get in. What was not
-- watched yet, or is not kept any more, is null.

create or replace function ops.report_uptime(p_from timestamptz, p_to timestamptz, p_environment text)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select figure.line, checks.service, min(figure.value), null::bigint
    from ops.checks
    cross join lateral ops.uptime(checks.name, p_from, p_to) as fared
    cross join lateral ops.uptime_document(
        fared.up, fared.degraded, fared.down, fared.unknown, fared.maintenance
    ) as document
    cross join lateral (values
        ('uptime', ops.report_number(document -> 'percent')),
        ('coverage', ops.report_number(document -> 'coverage'))
    ) as figure (line, value)
    where checks.environment = p_environment
        and checks.kind in ('dependency', 'aggregate')
        and checks.created_at < p_to
        -- A check that nobody has made for long is not missing today.
        and checks.last_seen_at >= p_from
    group by figure.line, checks.service;
end
$$;

comment on function ops.report_uptime(timestamptz, timestamptz, text) is
    'The uptime of each service in a period in %, and for which share of it that is known; of several checks the one that fared worst counts.';

create or replace function ops.watched_before(p_job text, p_to timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return exists (select from ops.jobs where job = p_job and first_slot < p_to);
end
$$;

comment on function ops.watched_before(text, timestamptz) is 'Whether a job had been called by a schedule before a time.';

create or replace function ops.report_alerts(p_from timestamptz, p_to timestamptz)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_watched boolean := ops.watched_before('monitor', p_to)
        or exists (select from ops.alerts where opened_at < p_to);
begin
    return query
    with opened as (
        select
            alert.severity,
            extract(epoch from answered.at - alert.opened_at) as to_acknowledge,
            extract(epoch from alert.resolved_at - alert.opened_at) as to_resolve
        from ops.alerts as alert
        cross join lateral (
            select min(event.at) as at
            from ops.alert_events as event
            where event.alert = alert.id and event.kind in ('acknowledged', 'snoozed') and event.actor is not null
        ) as answered
        where alert.opened_at >= p_from and alert.opened_at < p_to
    ),
    begun as (
        select times.to_acknowledge, times.to_resolve
        from ops.incidents as incident
        cross join lateral ops.incident_times(incident) as times
        where incident.started_at >= p_from and incident.started_at < p_to
    ),
    sums (line, value) as (
        select unnest(array['alerts', 'alerts_severe', 'alert_acknowledge', 'alert_resolve']), unnest(array[
            count(*), count(*) filter (where severity in ('critical', 'high')),
            round(avg(to_acknowledge)), round(avg(to_resolve))
        ])
        from opened
        union all
        select unnest(array['incidents', 'incident_acknowledge', 'incident_resolve']), unnest(array[
            count(*), round(avg(to_acknowledge)), round(avg(to_resolve))
        ])
        from begun
    )
    select sums.line, '', case when v_watched then sums.value end, null::bigint
    from sums;
end
$$;

comment on function ops.report_alerts(timestamptz, timestamptz) is
    'The alerts and the incidents that began in a period, and how many seconds they took on average to be acknowledged by somebody and to end, as far as they were.';

create or replace function ops.report_people_asked(p_from timestamptz, p_to timestamptz)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        'unanswered', '',
        case
            when ops.watched_before('monitor', p_to) and exists (select from ops.contacts)
            then (
                select count(distinct (asked.alert, coalesce(asked.person ->> 'contact', asked.person ->> 'name')))
                from ops.escalations as asked
                where asked.status = 'told'
                    and asked.person is not null
                    and asked.told_at >= p_from
                    and asked.told_at < p_to
                    and not exists (
                        select
                        from ops.alert_events as event
                        where event.alert = asked.alert
                            and event.kind in ('acknowledged', 'snoozed', 'closed')
                            and event.actor is not null
                    )
            )::numeric
        end,
        null::bigint;
end
$$;

comment on function ops.report_people_asked(timestamptz, timestamptz) is
    'How often somebody was asked in a period about an alert that nobody ever answered.';

create or replace function ops.count_failed_sign_ins(p_from timestamptz, p_to timestamptz, p_now timestamptz)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
    v_kept interval := make_interval(hours => 24 * (
        select (value #>> '{}')::integer from ops.settings where key = 'retention.items_days'
    ));
begin
    if p_from < p_now - v_kept
        or not ops.keeps_audit(p_now)
        and not exists (select from ops.figure_sources where kind = 'event' and source = 'supabase')
    then
        return null;
    end if;
    -- An attempt has an address and an account, and counts once.
    return (
        select coalesce(sum(attempts), 0)
        from ops.sign_in_attempts(p_from, p_to) as tried
        where tried.subject !~ '^account '
    );
end
$$;

comment on function ops.count_failed_sign_ins(timestamptz, timestamptz, timestamptz) is
    'How many suspicious attempts to sign in there were after p_from, up to p_to; null where no source tells, or it is not kept any more.';

create or replace function ops.report_machinery(
    p_from timestamptz,
    p_to timestamptz,
    p_now timestamptz,
    p_environment text
)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_runs_kept boolean := p_from >= p_now - make_interval(hours => 24 * (
        select (settings.value #>> '{}')::integer from ops.settings where key = 'retention.runs_days'
    ));
    v_deployed boolean := exists (select from ops.list_deployments('app', p_environment, '-infinity', p_to));
begin
    return query
    select
        missing.line, '',
        case when v_runs_kept and ops.watched_before('monitor', p_to) then missing.runs end::numeric, null::bigint
    from (
        select unnest(array['jobs_missed', 'jobs_failed']) as line, unnest(array[
            count(*) filter (where run.outcome = 'missed'), count(*) filter (where run.outcome in ('failed', 'abandoned'))
        ]) as runs
        from ops.runs as run
        where run.started_at >= p_from and run.started_at < p_to
    ) as missing
    union all
    select
        'messages_lost', '',
        case
            when exists (select from ops.outbox as first where first.created_at < p_to)
            then (
                select count(*)
                from ops.outbox as message
                where message.status = 'dead' and message.created_at >= p_from and message.created_at < p_to
            )
        end,
        null
    union all
    select told.line, '', case when v_deployed then told.deployments end, null
    from (
        select unnest(array['deployments', 'deployments_failed', 'rollbacks']) as line, unnest(array[
            count(distinct event.deployment) filter (where event.event in ('ready', 'promoted')),
            count(distinct event.deployment) filter (where event.event = 'failed'),
            count(distinct event.id) filter (where event.event = 'rolled_back')
        ]) as deployments
        from ops.list_deployments('app', p_environment, p_from, p_to) as event
    ) as told
    union all
    select 'sign_ins_failed', '', ops.count_failed_sign_ins(p_from, p_to, p_now), null;
end
$$;

comment on function ops.report_machinery(timestamptz, timestamptz, timestamptz, text) is
    'Slots that nobody called, runs that failed, messages that were given up, deployments, and suspicious attempts to sign in, of a period.';

create or replace function ops.report_backups(p_from timestamptz, p_to timestamptz, p_settings jsonb)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_begun boolean := ops.watched_before('backup', p_to) or exists (select from ops.backups where finished_at < p_to);
    v_drill ops.backup_drills := ops.newest_drill(p_to);
begin
    return query
    select made.line, '', case when v_begun then made.runs end::numeric, null::bigint
    from (
        select unnest(array['backups', 'backups_failed', 'backup_bytes']) as line, unnest(array[
            count(*) filter (where run.outcome = 'done'),
            count(*) filter (where run.outcome = 'failed'),
            coalesce(sum(ops.report_number(run.figures -> 'bytesStored')) filter (where run.outcome = 'done'), 0)
        ]) as runs
        from ops.backups as run
        where run.finished_at >= p_from and run.finished_at < p_to
    ) as made
    union all
    select 'backup_age', '', case when v_begun then (select seconds from ops.backup_age(p_to)) end, null
    union all
    -- A restore that proves the backup: rows and objects are compared with their source.
    select 'verified_age', '', extract(epoch from p_to - (
        select max(good.received_at)
        from ops.backup_drills as good
        where good.received_at < p_to and ops.drill_reason(good, p_settings) is null
    )), null
    union all
    select 'checked_age', '', extract(epoch from p_to - (
        select max(whole.received_at)
        from ops.backup_verifications as whole
        where whole.received_at < p_to and whole.fault_count = 0
    )), null
    union all
    select 'drill_age', '', extract(epoch from p_to - v_drill.received_at), null
    union all
    select 'drill_time', '', v_drill.seconds, null;
end
$$;

comment on function ops.report_backups(timestamptz, timestamptz, jsonb) is
    'The backups of a period and the bytes that they wrote; and as it stood at its end: how many seconds ago the newest one was taken, one was restored whole, one was found whole in the store, and a drill was made, and how many seconds that took.';

create or replace function ops.report_evidence(p_from timestamptz, p_to timestamptz, p_settings jsonb)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_begun boolean := ops.watched_before('backup', p_to) or exists (select from ops.backups where finished_at < p_to);
    v_rpo jsonb := ops.rpo_document(p_from, p_to, p_settings);
begin
    return query
    select figure.line, '', case when v_begun then figure.value end, null::bigint
    from (values
        ('backups_missed', jsonb_array_length(ops.missed_backups(p_from, p_to))::numeric),
        ('rpo_largest', ops.report_number(v_rpo -> 'largestSeconds')),
        ('rpo_median', ops.report_number(v_rpo -> 'medianSeconds')),
        ('reviews', (
            select count(*) from ops.evidence_reviews as review
            where review.reviewed_at >= p_from and review.reviewed_at < p_to
        ))
    ) as figure (line, value)
    union all
    select made.line, '', case when v_begun then made.value end, null
    from (
        select unnest(array['drills', 'drills_bad', 'rto_largest']) as line, unnest(array[
            count(*), count(*) filter (where ops.drill_reason(drill, p_settings) is not null), max(drill.seconds)
        ]) as value
        from ops.backup_drills as drill
        where drill.received_at >= p_from and drill.received_at < p_to
    ) as made;
end
$$;

comment on function ops.report_evidence(timestamptz, timestamptz, jsonb) is
    'What is measured of backups over a period: slots that nobody called, how old the newest backup was at most and in the median, in seconds, drills, the longest restore that one measured, and reviews of evidence.';
