-- What people write comes in with other items, and is kept beside them: by itself, with the
-- error that it is about and the incident in which it was written.

create or replace function ops.feedback_issue(
    p_detail jsonb,
    p_session text,
    p_environment text,
    p_at timestamptz
)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
declare
    v_event text := replace(p_detail ->> 'event', '-', '');
    v_key text;
begin
    if v_event ~ '^[0-9a-f]{32}$' then
        select error.detail #>> '{issue,key}'
        into v_key
        from ops.items as error
        where error.id = v_event::uuid
            and error.kind = 'error'
            and error.day between (p_at at time zone 'UTC')::date - 8 and (p_at at time zone 'UTC')::date + 1;
    end if;
    if v_key is null and (p_detail ? 'trace' or p_detail ->> 'about' = 'last_error') then
        select latest.key
        into v_key
        from (
            -- Whatever happens, no more than these are looked through.
            select
                error.detail ->> 'trace' as trace, error.session, error.at, error.id,
                error.detail #>> '{issue,key}' as key
            from ops.items as error
            where error.kind = 'error'
                and error.environment = p_environment
                and error.at between p_at - interval '1 hour' and p_at + interval '5 minutes'
            order by error.at desc
            limit 1000
        ) as latest
        where latest.trace = p_detail ->> 'trace'
            or p_detail ->> 'about' = 'last_error' and latest.session = p_session
        order by latest.trace is not distinct from p_detail ->> 'trace' desc, latest.at desc, latest.id
        limit 1;
    end if;
    return (select known.id from ops.issues as known where known.environment = p_environment and known.key = v_key);
end
$$;

comment on function ops.feedback_issue(jsonb, text, text, timestamptz) is
    'Returns the issue of the error that feedback is about: the one that it names, else the last one of its trace within an hour, or of its session if it says that it is about that; null if it says nothing or that is not known.';

create or replace function ops.feedback_incident(p_environment text, p_at timestamptz)
returns uuid
language sql
stable
set search_path = ''
as $$
    select incident.id
    from ops.incidents as incident
    where p_environment = 'production'
        and incident.started_at <= p_at
        and (incident.resolved_at is null or incident.resolved_at >= p_at)
    order by ops.severity_rank(incident.severity) desc, incident.number desc
    limit 1
$$;

comment on function ops.feedback_incident(text, timestamptz) is
    'Returns the incident that was open at a time, the worst of several; null outside production.';

create or replace function ops.keep_feedback(p_item ops.items, p_contact text, p_now timestamptz)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_feedback ops.feedback;
begin
    if (
        select count(*) from ops.feedback as known where known.key = p_item.key and known.at > p_now - interval '24 hours'
    ) >= 200 then
        return false;
    end if;
    insert into ops.feedback (
        id, at, key, source, environment, release, person, page, message, contact, issue, incident, status
    )
    values (
        p_item.id, p_item.at, p_item.key, p_item.source, p_item.environment, p_item.release, p_item.person,
        -- Queries hold what nobody should read here.
        left(substring(coalesce(p_item.detail ->> 'page', p_item.detail ->> 'path') from '^[^?#]*'), 300),
        left(p_item.detail ->> 'message', 8192), nullif(left(btrim(p_contact), 254), ''),
        ops.feedback_issue(p_item.detail, p_item.session, p_item.environment, p_item.at),
        ops.feedback_incident(p_item.environment, p_item.at), 'open'
    )
    returning * into v_feedback;
    perform ops.log_feedback(v_feedback, p_now);
    return true;
end
$$;

comment on function ops.keep_feedback(ops.items, text, timestamptz) is
    'Keeps what somebody wrote, and says whether it is kept: no more than 200 of a project key in 24 hours are.';

create or replace function ops.log_feedback(p_feedback ops.feedback, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select ops.log_incident_event(
        p_feedback.incident, 'reported', 'feedback', left(p_feedback.message, 5000),
        jsonb_strip_nulls(jsonb_build_object('feedback', p_feedback.id, 'reporter', p_feedback.person)), p_now
    )
    -- A person reads no more, and strangers may write what they like.
    where p_feedback.incident is not null and (
        select count(*) from ops.feedback as known where known.incident = p_feedback.incident
    ) <= 50
$$;

comment on function ops.log_feedback(ops.feedback, timestamptz) is
    'Writes feedback into the incident in which it was written, as a report like any other of a user; the first 50 of them.';

create or replace function ops.take_feedback(p_key integer, p_source text, p_items jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_given record;
    v_item ops.items;
    v_too_many bigint := 0;
begin
    for v_given in
        select listed.item
        from jsonb_array_elements(p_items) as listed (item)
        where listed.item ->> 'kind' = 'feedback'
    loop
        begin
            select *
            into v_item
            from ops.items as item
            where item.id = (v_given.item ->> 'id')::uuid
                and item.kind = 'feedback'
                and item.key = p_key
                and item.day > (p_now at time zone 'UTC')::date - 9
                and not exists (select from ops.feedback as known where known.id = item.id);
            if found and coalesce(btrim(v_item.detail ->> 'message'), '') <> ''
                and not ops.keep_feedback(v_item, v_given.item ->> 'contact', p_now)
            then
                v_too_many := v_too_many + 1;
            end if;
        exception
            -- What cannot be written was refused and counted as an item.
            when data_exception or integrity_constraint_violation then
                null;
        end;
    end loop;
    perform ops.note_drop(p_key, p_source, 'feedback of more than 200 a day', v_too_many, p_now);
end
$$;

comment on function ops.take_feedback(integer, text, jsonb, timestamptz) is
    'Keeps what people wrote among items that were taken, each once, and notes what was too much.';

create or replace function ops.link_late_feedback(p_limit integer, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.feedback as written
    set issue = found.issue
    from (
        select unlinked.id, ops.feedback_issue(item.detail, item.session, item.environment, item.at) as issue
        from (
            select id
            from ops.feedback
            where status = 'open' and issue is null and at > p_now - interval '1 hour'
            order by at desc
            limit p_limit
        ) as unlinked
        join ops.items as item
            on item.id = unlinked.id and item.kind = 'feedback' and item.day > (p_now at time zone 'UTC')::date - 9
    ) as found
    where written.id = found.id and found.issue is not null;
end
$$;

comment on function ops.link_late_feedback(integer, timestamptz) is
    'Links feedback of the last hour to errors that came in after it.';

create or replace function ops.forget_feedback(p_limit integer, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_deleted bigint;
begin
    delete from ops.feedback
    where ctid = any (array(
        select ctid
        from ops.feedback
        where closed_at < p_now - interval '90 days' or at < p_now - interval '400 days'
        limit p_limit
    ));
    get diagnostics v_deleted = row_count;
    return v_deleted;
end
$$;

comment on function ops.forget_feedback(integer, timestamptz) is
    'Deletes feedback that was closed 90 days ago, and what nobody dealt with in 400. Returns how much it deleted.';
