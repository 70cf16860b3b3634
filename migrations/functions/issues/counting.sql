-- Each error that comes in by the door is counted with its issue, in the transaction that
-- takes it, so that it is counted once.

create or replace function ops.issue_severity(p_error ops.items)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return case
        -- Everybody can read the key of a page, and strangers must wake nobody.
        when p_error.detail ->> 'severity' = 'critical'
            and exists (select from ops.door_keys where id = p_error.key and origins <> '{}')
        then 'high'
        when p_error.detail ->> 'severity' in ('low', 'medium', 'high', 'critical') then p_error.detail ->> 'severity'
        -- Nobody in the app has dealt with it.
        when p_error.detail -> 'handled' = 'false' then 'high'
        else 'medium'
    end;
end
$$;

comment on function ops.issue_severity(ops.items) is
    'Returns how bad an error is: as it says itself, but at most high by the key of a page; else high if the app did not handle it, else medium.';

create or replace function ops.issue_category(p_detail jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_detail ->> 'category' in (
            'authentication', 'database', 'ai_service', 'image_processing', 'api_external', 'validation', 'network'
        )
        then p_detail ->> 'category'
        else 'unknown'
    end
$$;

comment on function ops.issue_category(jsonb) is 'Returns the category of an error, of those that the application knows.';

create or replace function ops.comes_back(p_issue ops.issues, p_release text, p_at timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return case p_issue.status
        when 'ignored' then coalesce(p_issue.ignored_until <= p_at, false)
        -- Pages that were open before go on with the version that they have.
        when 'resolved' then p_at > p_issue.changed_at and (
            p_release is null
            or exists (
                select
                from ops.releases as known
                where known.environment = p_issue.environment
                    and known.release = p_release
                    and known.first_seen > p_issue.changed_at
            )
        )
        else false
    end;
end
$$;

comment on function ops.comes_back(ops.issues, text, timestamptz) is
    'Returns whether an error of that release and time opens its issue again: a resolved one by a version that was not there when it was resolved, or by none; an ignored one after its time.';

create or replace function ops.count_issue(p_errors ops.items[], p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_newest ops.items := (select error from unnest(p_errors) as error order by error.at desc, error.id limit 1);
    v_worst text := (
        select ops.issue_severity(error)
        from unnest(p_errors) as error
        order by ops.severity_rank(ops.issue_severity(error)) desc
        limit 1
    );
    v_issue ops.issues;
    v_met bigint;
begin
    insert into ops.issues as known
        (
            id, environment, key, title, culprit, category, severity, status, events, people, first_seen, last_seen,
            first_release, last_release, changed_at
        )
    select
        gen_random_uuid(), v_newest.environment, v_newest.detail #>> '{issue,key}', v_newest.detail #>> '{issue,title}',
        coalesce(v_newest.detail #>> '{issue,culprit}', ''), ops.issue_category(v_newest.detail), v_worst, 'open',
        count(*), 0, min(error.at), max(error.at), v_newest.release, v_newest.release, p_now
    from unnest(p_errors) as error
    on conflict (environment, key) do update
    set
        title = excluded.title,
        culprit = excluded.culprit,
        severity = case
            when ops.severity_rank(excluded.severity) > ops.severity_rank(known.severity) then excluded.severity
            else known.severity
        end,
        category = case excluded.category when 'unknown' then known.category else excluded.category end,
        events = known.events + excluded.events,
        first_seen = least(known.first_seen, excluded.first_seen),
        last_seen = greatest(known.last_seen, excluded.last_seen),
        last_release = coalesce(excluded.last_release, known.last_release)
    returning * into v_issue;

    if exists (
        select from unnest(p_errors) as error where ops.comes_back(v_issue, error.release, error.at)
    ) then
        update ops.issues
        set
            status = 'open', changed_at = p_now, changed_by = null, ignored_until = null,
            regressed_at = case v_issue.status when 'resolved' then p_now else regressed_at end
        where id = v_issue.id;
    end if;

    insert into ops.issue_hours as known (issue, hour, events)
    select v_issue.id, date_trunc('hour', error.at), count(*)
    from unnest(p_errors) as error
    group by 2
    on conflict (issue, hour) do update
    set events = known.events + excluded.events;

    if v_issue.people < 10000 then
        insert into ops.issue_people (issue, person)
        select distinct v_issue.id, error.person
        from unnest(p_errors) as error
        where error.person is not null
        on conflict (issue, person) do nothing;
        get diagnostics v_met = row_count;
        update ops.issues set people = people + v_met where id = v_issue.id and v_met > 0;
    end if;
end
$$;

comment on function ops.count_issue(ops.items[], timestamptz) is
    'Counts errors of one issue, which is made if it is new and opened again if it comes back.';

create or replace function ops.admitted_errors(p_errors ops.items[])
returns ops.items[]
language plpgsql
stable
set search_path = ''
as $$
declare
    v_one ops.items := p_errors[1];
begin
    if exists (
        select
        from ops.issues as known
        where known.environment = v_one.environment and known.key = v_one.detail #>> '{issue,key}'
    )
        or (
            select count(*)
            from ops.issues as known
            where known.environment = v_one.environment and known.first_seen > v_one.received_at - interval '8 days'
        ) < 2000
    then
        return p_errors;
    end if;
    return array(
        select row(
            error.day, error.id, error.kind, error.at, error.received_at, error.source, error.key, error.environment,
            error.release, error.name, error.method, error.status, error.value, error.person, error.session,
            error.detail || '{"issue": {"key": "other", "title": "Other errors", "culprit": ""}}'
        )::ops.items
        from unnest(p_errors) as error
    );
end
$$;

comment on function ops.admitted_errors(ops.items[]) is
    'Returns errors of one issue as they are to be counted: as one of the others where it is new and 2,000 issues of its environment were new within 8 days.';

create or replace function ops.is_noted_release(
    p_environment text,
    p_release text,
    p_at timestamptz,
    p_error_at timestamptz
)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
    v_known ops.releases;
begin
    select *
    into v_known
    from ops.releases
    where environment = p_environment and release = p_release;
    if v_known.release is null then
        -- Whoever has the key of a page can make up versions without end.
        return (
            select count(*)
            from ops.releases
            where environment = p_environment and first_seen > p_at - interval '8 days'
        ) >= 2000;
    end if;
    return coalesce(v_known.last_seen > p_at - interval '1 day', false)
        and (p_error_at is null or coalesce(v_known.last_error_at > p_error_at - interval '1 day', false));
end
$$;

comment on function ops.is_noted_release(text, text, timestamptz, timestamptz) is
    'Returns whether nothing has to be noted of a version that sent something, and maybe an error, at these times: that was noted within the day before, or it is new and so are 2,000 others within 8 days.';

create or replace function ops.count_new_issues()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_errors ops.items[];
begin
    -- A version that is known is noted once a day, so that calls do not wait for each other.
    insert into ops.releases as known (environment, release, first_seen, last_seen, last_error_at)
    select
        taken.environment, taken.release, min(taken.at), max(taken.at),
        max(taken.at) filter (where taken.kind = 'error')
    from taken
    where taken.release is not null
    group by 1, 2
    having not ops.is_noted_release(
        taken.environment, taken.release, max(taken.at), max(taken.at) filter (where taken.kind = 'error')
    )
    order by 1, 2
    on conflict (environment, release) do update
    set
        last_seen = greatest(known.last_seen, excluded.last_seen),
        last_error_at = greatest(known.last_error_at, excluded.last_error_at);

    -- In one order, so that two calls do not wait for each other.
    for v_errors in
        select array_agg(row (taken.*)::ops.items)
        from taken
        where taken.kind = 'error' and taken.detail #>> '{issue,key}' is not null
        group by taken.environment, taken.detail #>> '{issue,key}'
        order by taken.environment, taken.detail #>> '{issue,key}'
    loop
        perform ops.count_issue(ops.admitted_errors(v_errors), v_errors[1].received_at);
    end loop;
    return null;
end
$$;

comment on function ops.count_new_issues() is
    'Notes the versions of the app that items came from, and counts the errors among them, each with its issue.';
