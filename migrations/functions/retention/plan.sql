-- What retention would do now, and how it stands.

create or replace function ops.count_past(
    p_kept ops.kept_tables,
    p_until timestamptz,
    out past bigint,
    out is_more boolean
)
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_kept.name = 'items' then
        select coalesce(sum(rows), 0), false into past, is_more
        from ops.item_days()
        where day_after <= (p_until at time zone 'UTC')::date;
        return;
    end if;
    execute format(
        'select count(*), count(*) > 100000 from (select from %s limit 100001) as found', ops.past_rows(p_kept.name)
    )
    into past, is_more
    using '-infinity'::timestamptz, p_until;
    past := least(past, 100000);
end
$$;

comment on function ops.count_past(ops.kept_tables, timestamptz) is
    'How many rows of a table are past a time: up to 100,000, and whether there are more. Of partitions it is about how many.';

create or replace function ops.stray_items()
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select 'items lie apart from their days in ' || string_agg(apart.name, ', ' order by apart.name)
        from (
            select 'ops.' || relname as name
            from pg_class
            where relnamespace = 'ops'::regnamespace and relkind = 'r' and relname like 'loose\_items\_%'
            union all
            select 'ops.' || known.name
            from ops.item_days() as known
            where known.day_from is null and known.day_after is null and known.rows > 0
        ) as apart
    );
end
$$;

comment on function ops.stray_items() is
    'Names what holds items beside the partitions of their days: a partition for whatever has no other, and tables that had a partition''s name. Null where nothing does.';

create or replace function ops.kept_document(p_kept ops.kept_tables, p_settings jsonb, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_until timestamptz := ops.kept_from(p_kept.class, p_settings, p_now);
begin
    return jsonb_build_object(
        'name', p_kept.name,
        'table', p_kept.table_name,
        'class', p_kept.class,
        'setting', format('retention.%s_days', p_kept.class),
        'days', ops.kept_days(p_kept.class, p_settings),
        'keptFrom', v_until,
        'held', v_until < p_now - make_interval(hours => 24 * ops.kept_days(p_kept.class, p_settings)),
        'hindrance', coalesce(ops.retention_hindrance(p_kept, p_settings), p_kept.hindrance),
        'note', case p_kept.name when 'items' then ops.stray_items() end
    );
end
$$;

comment on function ops.kept_document(ops.kept_tables, jsonb, timestamptz) is
    'How long a table is kept, as callers see it; held says that an incident keeps it longer.';

create or replace function ops.evidence_document(p_settings jsonb, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_incident ops.incidents := ops.evidence_incident(p_settings, p_now);
begin
    return case when v_incident.id is not null then jsonb_build_object(
        'incident', v_incident.number,
        'open', v_incident.resolved_at is null,
        'from', ops.evidence_from(p_settings, p_now)
    ) end;
end
$$;

comment on function ops.evidence_document(jsonb, timestamptz) is
    'Which incident keeps everything from when on; null where none does.';

create or replace function public.ops_plan_retention(p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb := ops.read_settings();
begin
    return jsonb_build_object(
        'asOf', v_now,
        'evidence', ops.evidence_document(v_settings, v_now),
        'tables', (
            select coalesce(
                jsonb_agg(
                    ops.kept_document(kept, v_settings, v_now)
                        || jsonb_build_object('past', counted.past, 'more', counted.is_more)
                    order by kept.place
                ),
                '[]'
            )
            from ops.kept_tables as kept
            cross join lateral ops.count_past(kept, ops.kept_from(kept.class, v_settings, v_now)) as counted
        )
    );
end
$$;

comment on function public.ops_plan_retention(timestamptz) is
    'What of each kept table is older than it is kept, and would be deleted now. Nothing is.';

create or replace function ops.dashboard_retention(p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_settings jsonb := ops.read_settings();
    v_today date := (p_now at time zone 'UTC')::date;
begin
    return jsonb_build_object(
        'evidence', ops.evidence_document(v_settings, p_now),
        'tables', (
            select coalesce(
                jsonb_agg(
                    ops.kept_document(kept, v_settings, p_now) || jsonb_build_object(
                        'oldestAt', kept.oldest_at,
                        'triedAt', kept.tried_at,
                        'endedAt', kept.ended_at
                    )
                    order by kept.place
                ),
                '[]'
            )
            from ops.kept_tables as kept
        ),
        'forgotten', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'table', gone.table_name,
                        'rows24h', gone.rows_today,
                        'rows30d', gone.rows,
                        'partitions30d', gone.partitions,
                        'newestAt', gone.newest_at
                    )
                    order by gone.table_name
                ),
                '[]'
            )
            from (
                select
                    table_name,
                    coalesce(sum(rows) filter (where day >= v_today - 1), 0) as rows_today,
                    sum(rows) as rows,
                    sum(partitions) as partitions,
                    max(to_at) as newest_at
                from ops.forgotten_rows
                where day > v_today - 30 and day <= v_today
                group by table_name
            ) as gone
        )
    );
end
$$;

comment on function ops.dashboard_retention(timestamptz) is
    'How long each kept table is kept, how far deleting has come, and what was deleted of which table since yesterday and in 30 days.';

create or replace function public.ops_show_retention()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return ops.dashboard_retention(now());
end
$$;

comment on function public.ops_show_retention() is 'How long what is kept, and what was deleted by age.';
