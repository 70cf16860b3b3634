-- A report: one document of lines, each with its figure in the period and in the four that it
-- is compared with. What a line is called, and whether more of it is better, Rust says.

create or replace function ops.report_figures(
    p_from timestamptz,
    p_to timestamptz,
    p_now timestamptz,
    p_environment text,
    p_settings jsonb
)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select * from ops.report_uptime(p_from, p_to, p_environment)
    union all
    select * from ops.report_alerts(p_from, p_to)
    union all
    select * from ops.report_people_asked(p_from, p_to)
    union all
    select * from ops.report_traffic(p_from, p_to, p_environment)
    union all
    select * from ops.report_issues(p_from, p_to, p_environment)
    union all
    select * from ops.report_vitals(p_from, p_to, p_environment)
    union all
    select * from ops.report_use(p_from, p_to, p_now, p_environment)
    union all
    select * from ops.report_backups(p_from, p_to, p_settings)
    union all
    select * from ops.report_evidence(p_from, p_to, p_settings)
    union all
    select * from ops.report_machinery(p_from, p_to, p_now, p_environment)
    union all
    select * from ops.report_audited(p_from, p_to)
    union all
    select * from ops.report_database(p_from, p_to)
    union all
    select * from ops.report_outdated(p_to);
end
$$;

comment on function ops.report_figures(timestamptz, timestamptz, timestamptz, text, jsonb) is
    'All figures of a period, which begins and ends at a midnight in UTC. samples is on how many measurements a figure rests that needs some.';

create or replace function ops.report_bound(p_line text, p_subject text, p_settings jsonb)
returns numeric
language plpgsql
immutable
set search_path = ''
as $$
begin
    return case p_line
        when 'uptime' then case p_subject when 'app' then (p_settings ->> 'objective.availability_percent')::numeric end
        when 'response_average' then (p_settings ->> 'threshold.api_average_ms')::numeric
        when 'response_p95' then (p_settings ->> 'threshold.api_p95_ms')::numeric
        when 'error_rate' then (p_settings ->> 'objective.error_rate_percent')::numeric
        when 'web_vital' then (p_settings ->> ('threshold.' || case p_subject
            when 'LCP' then 'lcp_ms' when 'INP' then 'inp_ms' else 'cls'
        end))::numeric
        when 'backup_age' then 60 * (p_settings ->> 'threshold.backup_rpo_minutes')::numeric
        when 'rpo_largest' then 60 * (p_settings ->> 'threshold.backup_rpo_minutes')::numeric
        when 'rto_largest' then 60 * (p_settings ->> 'threshold.backup_rto_minutes')::numeric
        when 'drill_time' then 60 * (p_settings ->> 'threshold.backup_rto_minutes')::numeric
        when 'drill_age' then 86400 * (1 + (p_settings ->> 'backup.drill_days')::numeric)
        when 'certificate_days' then (p_settings ->> 'threshold.certificate_warning_days')::numeric
        when 'connections' then (p_settings ->> 'threshold.connections_percent')::numeric
        when 'slow_calls' then (p_settings ->> 'threshold.slow_calls_per_minute')::numeric
        when 'oncall_holes' then 0
        when 'month_cost' then nullif((p_settings ->> 'cost.monthly_limit')::numeric, 0)
    end;
end
$$;

comment on function ops.report_bound(text, text, jsonb) is
    'Which bound the settings set to a line; null where they set none.';

create or replace function ops.report_minimum(p_line text, p_settings jsonb)
returns numeric
language plpgsql
immutable
set search_path = ''
as $$
begin
    return case
        when p_line in ('response_average', 'response_p95', 'error_rate')
        then (p_settings ->> 'threshold.minimum_samples')::numeric
        when p_line = 'web_vital' then (p_settings ->> 'threshold.minimum_views')::numeric
    end;
end
$$;

comment on function ops.report_minimum(text, jsonb) is
    'On how many measurements a line must rest to say something; null where it rests on none.';

create or replace function ops.report_lines(
    p_kind text,
    p_at timestamptz,
    p_now timestamptz,
    p_environment text,
    p_settings jsonb
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with figures as materialized (
            select back.nth, figure.*
            from generate_series(0, 4) as back (nth)
            cross join lateral ops.report_period(p_kind, p_at, back.nth) as period
            cross join lateral ops.report_figures(
                period.starts_at, period.ends_at, p_now, p_environment, p_settings
            ) as figure
            union all
            -- Of a report about the past, how things stand today is no part.
            select 0, today.*
            from ops.report_today(p_now, p_environment, p_settings) as today
            where p_at > p_now - interval '24 hours'
        ),
        finite as materialized (
            select
                figures.nth, figures.line, figures.subject, figures.samples,
                case when figures.value not in ('NaN', 'Infinity', '-Infinity') then figures.value end as value
            from figures
        ),
        lines as (
            select
                finite.line,
                finite.subject,
                finite.line in ('feature', 'event') as by_name,
                jsonb_object_agg(finite.nth, finite.value) as known,
                max(finite.samples) filter (where finite.nth = 0) as samples,
                sum(finite.value) as total
            from finite
            group by finite.line, finite.subject
        ),
        told as (
            select
                lines.*,
                (
                    select jsonb_agg(
                        case
                            -- What others of its kind happened in, and it did not, had none of it.
                            when lines.by_name and exists (
                                select from finite as other where other.line = lines.line and other.nth = back.nth
                            )
                            then coalesce(lines.known -> back.nth::text, '0')
                            else lines.known -> back.nth::text
                        end
                        order by back.nth
                    )
                    from generate_series(0, 4) as back (nth)
                ) as series
            from lines
        ),
        ranked as (
            select *, row_number() over (partition by line order by total desc nulls last, subject) as place
            from told
        )
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'line', ranked.line,
                    'subject', nullif(ranked.subject, ''),
                    'value', ranked.series -> 0,
                    'before', ranked.series - 0,
                    'samples', ranked.samples,
                    'minimum', ops.report_minimum(ranked.line, p_settings),
                    'bound', ops.report_bound(ranked.line, ranked.subject, p_settings)
                )
                order by ranked.line, ranked.place
            ),
            '[]'
        )
        from ranked
        where ranked.place <= case when ranked.by_name then 10 else 20 end
    );
end
$$;

comment on function ops.report_lines(text, timestamptz, timestamptz, text, jsonb) is
    'The lines of a report about the last period that was over at p_at, with the figures of the four that it is compared with, the newest first. Of what is counted by name, the ten that occurred most.';

create or replace function ops.report_document(p_kind text, p_at timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
declare
    v_settings jsonb := ops.read_settings();
    v_costs jsonb := ops.cost_document(p_now);
begin
    return (
        select jsonb_build_object(
            'kind', p_kind,
            'environment', p_environment,
            'from', period.starts_at,
            'to', period.ends_at,
            'before', jsonb_build_object('from', former.starts_at, 'to', former.ends_at),
            'madeAt', p_now,
            'lines', ops.report_lines(p_kind, p_at, p_now, p_environment, v_settings),
            'outdatedHandedIn', (
                select jsonb_object_agg(known.tool, handed.at)
                from unnest(ops.words('ops.package_tool')) as known (tool)
                cross join lateral (
                    select max(received_at) as at
                    from ops.outdated_lists
                    where outdated_lists.tool = known.tool and received_at <= p_now
                ) as handed
            ),
            'costUnknown', v_costs -> 'unknown',
            'security', (
                select jsonb_build_object('madeAt', kept.made_at, 'differences', kept.differences)
                from ops.security_reports as kept
                where p_kind = 'monthly' and kept.starts_at = period.starts_at
            )
        )
        from ops.report_period(p_kind, p_at, 0) as period
        cross join ops.report_period(p_kind, p_at, 1) as former
    );
end
$$;

comment on function ops.report_document(text, timestamptz, timestamptz, text) is
    'A report about the last period of its kind that was over at p_at.';

create or replace function public.ops_report(
    p_kind text,
    p_at timestamptz default null,
    p_environment text default 'production',
    p_now timestamptz default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
begin
    perform ops.check_word('kind', p_kind, ops.words('ops.report_kind'));
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));
    if p_at is not null then
        perform ops.check_time('at', p_at);
    end if;
    if p_at > v_now then
        perform ops.refuse('at', 'a time that is not to come', p_at::text);
    end if;
    return ops.report_document(p_kind, coalesce(p_at, v_now), v_now, p_environment);
end
$$;

comment on function public.ops_report(text, timestamptz, text, timestamptz) is
    'The report about the last day, week or month that was over at p_at, or is over now: each figure beside those of the four periods before.';
