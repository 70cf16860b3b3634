-- What people see of issues, and what they do about them.

create or replace function ops.issue_document(p_issue ops.issues, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_issue.id,
        'environment', p_issue.environment,
        'title', p_issue.title,
        'culprit', p_issue.culprit,
        'category', p_issue.category,
        'severity', p_issue.severity,
        'status', p_issue.status,
        'events', p_issue.events,
        'people', p_issue.people,
        'firstSeen', p_issue.first_seen,
        'lastSeen', p_issue.last_seen,
        'firstRelease', p_issue.first_release,
        'lastRelease', p_issue.last_release,
        'changedAt', p_issue.changed_at,
        'changedBy', p_issue.changed_by,
        'ignoredUntil', p_issue.ignored_until,
        'regressedAt', p_issue.regressed_at,
        'hours', (
            select jsonb_agg(coalesce(counted.events, 0) order by listed.hour)
            from generate_series(
                date_trunc('hour', p_now) - interval '23 hours', date_trunc('hour', p_now), interval '1 hour'
            ) as listed (hour)
            left join ops.issue_hours as counted on counted.issue = p_issue.id and counted.hour = listed.hour
        )
    )
$$;

comment on function ops.issue_document(ops.issues, timestamptz) is
    'Returns an issue as callers see it, with how often it happened in each of the last 24 hours, the oldest first.';

create or replace function public.ops_list_errors(
    p_environment text,
    p_status text default 'open',
    p_limit integer default 50,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));
    perform ops.check_word('status', p_status, array['open', 'resolved', 'ignored', 'all']);
    perform ops.check_number('limit', p_limit, 1, 500);
    return jsonb_build_object(
        'errors', (
            select coalesce(
                jsonb_agg(
                    ops.issue_document(latest, coalesce(p_now, now())) order by latest.last_seen desc, latest.id
                ),
                '[]'
            )
            from (
                select *
                from ops.issues
                where environment = p_environment and p_status in (status, 'all')
                order by last_seen desc, id
                limit p_limit
            ) as latest
        ),
        'more', (
            select greatest(0, count(*) - p_limit)
            from ops.issues
            where environment = p_environment and p_status in (status, 'all')
        )
    );
end
$$;

comment on function public.ops_list_errors(text, text, integer, timestamptz) is
    'Lists the issues of an environment that have that status, or all, the one that happened last first, and says how many more there are.';

create or replace function ops.find_issue(p_issue uuid)
returns ops.issues
language plpgsql
stable
set search_path = ''
as $$
declare
    v_issue ops.issues;
begin
    select * into v_issue from ops.issues where id = p_issue;
    if not found then
        perform ops.refuse('error', 'the id of an error', p_issue::text);
    end if;
    return v_issue;
end
$$;

comment on function ops.find_issue(uuid) is 'Returns an issue. Refuses with SQLSTATE 22023 what is none.';

create or replace function public.ops_show_error(p_error uuid, p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_issue ops.issues := ops.find_issue(p_error);
begin
    return ops.issue_document(v_issue, coalesce(p_now, now())) || jsonb_build_object(
        'newest', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'id', latest.id, 'at', latest.at, 'source', latest.source, 'release', latest.release,
                        'name', latest.name, 'detail', latest.detail - 'issue'
                    )
                    order by latest.at desc, latest.id
                ),
                '[]'
            )
            from (
                select *
                from ops.items
                where kind = 'error'
                    and detail #>> '{issue,key}' = v_issue.key
                    and environment = v_issue.environment
                order by at desc
                limit 5
            ) as latest
        ),
        'feedback', (
            select coalesce(jsonb_agg(ops.feedback_document(latest) order by latest.at desc, latest.id), '[]')
            from (
                select *
                from ops.feedback
                where issue = p_error
                order by at desc, id
                limit 5
            ) as latest
        )
    );
end
$$;

comment on function public.ops_show_error(uuid, timestamptz) is
    'Returns an issue with the five errors of it that came last, as long as single items are kept, and the five last pieces of feedback about it.';

create or replace function public.ops_act_on_error(
    p_error uuid,
    p_action text,
    p_until timestamptz,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_issue ops.issues;
begin
    perform ops.hold_functions();
    perform ops.check_word('action', p_action, array['resolve', 'ignore', 'reopen']);
    if p_until is not null and (p_action <> 'ignore' or p_until <= v_now) then
        perform ops.refuse('until', 'a time after now, and only where an error is ignored', p_until::text);
    end if;
    v_issue := ops.find_issue(p_error);
    update ops.issues
    set
        status = case p_action when 'resolve' then 'resolved' when 'ignore' then 'ignored' else 'open' end,
        ignored_until = p_until,
        changed_at = v_now,
        changed_by = ops.check_by(p_by)
    where id = p_error
    returning * into v_issue;
    return ops.issue_document(v_issue, v_now);
end
$$;

comment on function public.ops_act_on_error(uuid, text, timestamptz, text, timestamptz) is
    'Resolves, ignores or reopens an issue, and returns it. A resolved one is open again when a version that is not there yet brings it back; an ignored one when it happens after p_until, or never.';

create or replace function ops.forget_issues(p_settings jsonb, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    delete from ops.issue_hours where hour < p_now - interval '100 days';
    -- What nobody has seen for long is gone, whatever became of it.
    delete from ops.issues
    where last_seen < p_now - make_interval(
        days => case status when 'resolved' then (p_settings ->> 'retention.items_days')::integer else 400 end
    )
$$;

comment on function ops.forget_issues(jsonb, timestamptz) is
    'Deletes what was resolved and has not happened since single items are kept, what has not happened for 400 days, and old hours.';

create or replace function ops.forget_releases(p_limit integer, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_deleted bigint;
begin
    delete from ops.releases
    where ctid = any (array(
        select ctid
        from ops.releases
        where greatest(first_seen, last_seen) < p_now - interval '400 days'
        limit p_limit
    ));
    get diagnostics v_deleted = row_count;
    return v_deleted;
end
$$;

comment on function ops.forget_releases(integer, timestamptz) is
    'Deletes versions of the app that have sent nothing for 400 days: as long as an issue is kept that one of them could bring back. Returns how many it deleted.';
