-- How long figures are kept: minutes for days, hours and six hours for months, what is longer for good.

create or replace function ops.forget_minutes(p_limit integer, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_deleted bigint;
begin
    delete from ops.figures
    where ctid = any (array(
        select ctid
        from ops.figures
        where grain = 60
            and at < ops.minutes_from('request', p_now)
            and (at < ops.minutes_from('requests', p_now) or kind not in ('requests', 'event', 'business'))
        limit p_limit
    ));
    get diagnostics v_deleted = row_count;
    return v_deleted;
end
$$;

comment on function ops.forget_minutes(integer, timestamptz) is
    'Deletes figures of minutes that nobody reads any more; their hours are kept. Returns how many it deleted.';

create or replace function ops.forget_hours(p_limit integer, p_settings jsonb, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_deleted bigint;
begin
    delete from ops.figures
    where ctid = any (array(
        select ctid
        from ops.figures
        where grain in (3600, 21600)
            and at < p_now - make_interval(hours => 24 * (p_settings ->> 'retention.hours_days')::integer)
        limit p_limit
    ));
    get diagnostics v_deleted = row_count;
    return v_deleted;
end
$$;

comment on function ops.forget_hours(integer, jsonb, timestamptz) is
    'Deletes figures of hours and six hours that are older than their setting allows; their days are kept. Returns how many it deleted.';

create or replace function ops.forget_people(p_limit integer, p_settings jsonb, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_visits_until timestamptz := ops.people_kept_from(p_now);
    v_people_until timestamptz := p_now - make_interval(hours => 24 * (p_settings ->> 'retention.people_days')::integer);
    v_deleted bigint;
    v_sum bigint;
begin
    delete from ops.daily_people
    where ctid = any (array(select ctid from ops.daily_people where day < v_visits_until limit p_limit));
    get diagnostics v_sum = row_count;

    delete from ops.visits
    where ctid = any (array(select ctid from ops.visits where first_at < v_visits_until limit p_limit));
    get diagnostics v_deleted = row_count;
    v_sum := greatest(v_sum, v_deleted);

    delete from ops.daily_visitors
    where ctid = any (array(select ctid from ops.daily_visitors where day < v_visits_until limit p_limit));
    get diagnostics v_deleted = row_count;
    v_sum := greatest(v_sum, v_deleted);

    delete from ops.door_sessions
    where ctid = any (array(select ctid from ops.door_sessions where last_at < v_visits_until limit p_limit));
    get diagnostics v_deleted = row_count;
    v_sum := greatest(v_sum, v_deleted);

    delete from ops.people
    where ctid = any (array(
        select ctid
        from ops.people
        where environment = any (ops.words('ops.environment')) and last_at < v_people_until
        limit p_limit
    ));
    get diagnostics v_deleted = row_count;
    v_sum := greatest(v_sum, v_deleted);

    delete from ops.error_groups
    where ctid = any (array(select ctid from ops.error_groups where last_seen < v_people_until limit p_limit));
    get diagnostics v_deleted = row_count;
    v_sum := greatest(v_sum, v_deleted);

    delete from ops.uncounted_rows
    where ctid = any (array(select ctid from ops.uncounted_rows where at < v_people_until limit p_limit));
    get diagnostics v_deleted = row_count;
    return greatest(v_sum, v_deleted);
end
$$;

comment on function ops.forget_people(integer, jsonb, timestamptz) is
    'Deletes who was there on single days, visits, people and kinds of error that are older than their settings allow. Returns how many it deleted of the table that had most: fewer than the limit if none is left.';
