-- Whether production is pinned: after a rollback the platform gives later releases no domains,
-- so that they serve nobody, until one is promoted by hand.

create or replace function ops.pin_readings(p_source text)
returns setof ops.platform_readings
language sql
stable
set search_path = ''
as $$
    select *
    from ops.platform_readings
    where source = p_source
        and id > coalesce(
            (
                select max(free.id)
                from ops.platform_readings as free
                where free.source = p_source and (free.document ->> 'assigns')::boolean
            ),
            0
        )
        and not (document ->> 'assigns')::boolean
    union
    select (newest).*
    from (select ops.newest_reading(p_source)) as newest (newest)
    where (newest).id is not null
$$;

comment on function ops.pin_readings(text) is
    'The readings that found production pinned since it was last found free, and the newest one.';

create or replace function ops.pinned_since(p_source text)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select case
        when not (newest.document ->> 'assigns')::boolean then (
            -- The platform says when it was changed last; that it is pinned, we saw ourselves.
            select least(
                min(pinned.first_at),
                case when newest.document #>> '{change,kind}' = 'rollback' then (newest.document #>> '{change,at}')::timestamptz end
            )
            from ops.pin_readings(p_source) as pinned
        )
    end
    from ops.newest_reading(p_source) as newest
$$;

comment on function ops.pinned_since(text) is
    'Since when production of a project is pinned; null where it is not, or where the platform did not say whether it is.';

create or replace function ops.project_documents(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_agg(
        jsonb_build_object(
            'source', known.source,
            'name', newest.document ->> 'name',
            'state', case
                when not coalesce(watch.watched, false) then 'not watched'
                when newest.id is null or newest.document ->> 'assigns' is null then 'unknown'
                when (newest.document ->> 'assigns')::boolean then 'free'
                else 'pinned'
            end,
            'pinnedSince', case when watch.watched then ops.pinned_since(known.source) end,
            'live', newest.document #> '{live,id}',
            'readAt', newest.last_at,
            'error', case when watch.watched then ops.reading_error(known.source) end
        )
        order by known.source
    )
    from unnest(array['app_project', 'own_project']) as known (source)
    left join ops.platform_watches as watch on watch.source = known.source
    left join lateral ops.newest_reading(known.source) as newest on newest.id is not null and newest.last_at <= p_now
$$;

comment on function ops.project_documents(timestamptz) is
    'The platform''s projects as callers see them: whether production is pinned, free, unknown or not watched, and what serves.';

create or replace function ops.observe_pins(p_now timestamptz)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with projects as (
        select
            watch.source,
            newest.document,
            ops.pinned_since(watch.source) as since
        from ops.platform_watches as watch
        cross join lateral ops.newest_reading(watch.source) as newest
        where watch.watched and watch.source <> 'provider_backups' and newest.id is not null
    ),
    subjects as (
        select source as subject from projects
        union
        select subject from ops.alert_states where rule = 'release_pinned'
    ),
    judged as (
        select
            subjects.subject,
            projects.*,
            round(extract(epoch from p_now - projects.since) / 3600, 1) as hours
        from subjects
        left join projects on projects.source = subjects.subject
    )
    select ops.make_observation(
        'release_pinned', judged.subject,
        case
            when judged.source is null then 'good'
            when judged.document ->> 'assigns' is null then 'insufficient'
            else ops.judge(coalesce(judged.hours, 0), 24, 1, 1)
        end,
        case when judged.document ->> 'assigns' is not null then coalesce(judged.hours, 0) end, 24, 'h',
        p_facts => jsonb_build_object(
            'service', case judged.subject when 'own_project' then 'monitoring' else 'app' end,
            'detail', jsonb_strip_nulls(jsonb_build_object(
                'project', judged.document ->> 'name',
                'live', judged.document #>> '{live,id}',
                'pinnedSince', judged.since
            ))
        )
    )
    from judged
$$;

comment on function ops.observe_pins(timestamptz) is
    'The verdicts on the platform''s projects: bad once production is pinned for more than a day. A project that is no longer watched is good; of one that did not say, nothing is said.';
