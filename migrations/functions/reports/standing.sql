-- What a report says of how things stand at the end of a period. Of the past that is known
-- as far as it was kept: of a window that is over it is null, never what is so today.

create or replace function ops.certificate_days(p_at timestamptz, p_environment text)
returns numeric
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select min(ops.report_number(newest.detail -> 'daysLeft'))
        from ops.checks
        cross join lateral (
            select sample.detail, sample.at
            from ops.samples as sample
            where sample.check_name = checks.name and sample.at <= p_at
            order by sample.at desc, sample.id desc
            limit 1
        ) as newest
        where checks.environment = p_environment
            and checks.kind in ('certificate', 'tls')
            -- One that is looked at once a day says something for two.
            and newest.at > p_at - interval '48 hours'
    );
end
$$;

comment on function ops.certificate_days(timestamptz, text) is
    'In how many days the certificate ends that ends first, as it was seen last before a time; null where none was seen.';

create or replace function ops.count_oncall_holes(p_now timestamptz, p_settings jsonb)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
begin
    if not exists (select from ops.rotations) then
        return null;
    end if;
    return (
        select count(*)
        from ops.rotations as rotation
        cross join lateral ops.find_holes(
            rotation.id, p_now,
            p_now + make_interval(hours => 24 * (p_settings ->> 'threshold.oncall_hole_days')::integer)
        )
    );
end
$$;

comment on function ops.count_oncall_holes(timestamptz, jsonb) is
    'How often nobody has a rotation in the days to come; null where there is no rotation.';

create or replace function ops.report_database(p_from timestamptz, p_to timestamptz)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select 'database_size', '', ops.database_size_before(p_to)::numeric, null::bigint
    union all
    select 'database_growth', '', (ops.database_size_before(p_to) - ops.database_size_before(p_from))::numeric, null
    union all
    select
        'rows_deleted', '',
        -- Before anything was deleted by age, nothing is known of it.
        case
            when min(day) < (p_to at time zone 'UTC')::date
            then coalesce(sum(rows) filter (
                where day >= (p_from at time zone 'UTC')::date and day < (p_to at time zone 'UTC')::date
            ), 0)
        end,
        null
    from ops.forgotten_rows;
end
$$;

comment on function ops.report_database(timestamptz, timestamptz) is
    'How many bytes the database had at the end of a period, how many more than at its beginning, and how many rows were deleted by age.';

create or replace function ops.report_outdated(p_to timestamptz)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select distinct on (handed.tool) 'outdated', handed.tool::text, jsonb_array_length(handed.packages)::numeric, null::bigint
    from ops.outdated_lists as handed
    where handed.received_at < p_to
    order by handed.tool, handed.received_at desc;
end
$$;

comment on function ops.report_outdated(timestamptz) is
    'How many dependencies are outdated, as the newest list of each tool said that was handed in before a time.';

create or replace function ops.report_today(p_now timestamptz, p_environment text, p_settings jsonb)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select standing.line, '', standing.value, null::bigint
    from (values
        ('certificate_days', ops.certificate_days(p_now, p_environment)),
        ('oncall_holes', ops.count_oncall_holes(p_now, p_settings)::numeric),
        (
            'connections',
            case
                when ops.watched_before('monitor', p_now)
                then (
                    select round(100.0 * sum(numbackends) / current_setting('max_connections')::integer, 1)
                    from pg_stat_database
                )
            end
        ),
        ('slow_calls', ops.slow_calls_per_minute()),
        ('alerts_open', case
            when ops.watched_before('monitor', p_now)
            then (select count(*) from ops.alerts where status <> 'resolved' and opened_at <= p_now)::numeric
        end),
        ('admins', (select jsonb_array_length(facts.value) from ops.facts where name = 'admins')::numeric),
        ('month_cost', ops.report_number(ops.cost_document(p_now) -> 'projected'))
    ) as standing (line, value);
end
$$;

comment on function ops.report_today(timestamptz, text, jsonb) is
    'How things stand now that nobody keeps: certificates, holes in the on-call calendar, connections, slow statements, open alerts, admins, and what the month is going to cost.';
