-- Which deployment of the app serves production: as the platform's webhooks told, and as the
-- project was read. A webhook may come late, twice or never.

create or replace function ops.was_pinned(p_at timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return coalesce(
        (
            select told.pinned
            from (
                select least(reading.last_at, p_at) as at, not (reading.document ->> 'assigns')::boolean as pinned
                from ops.platform_readings as reading
                where reading.source = 'app_project'
                    and reading.first_at <= p_at
                    and reading.document ->> 'assigns' is not null
                union all
                select event.at, event.event = 'rolled_back'
                from ops.list_deployments('app', 'production', p_at - interval '8 days', p_at) as event
                where event.event in ('promoted', 'rolled_back')
            ) as told
            order by told.at desc
            limit 1
        ),
        false
    );
end
$$;

comment on function ops.was_pinned(timestamptz) is
    'Whether production of the app was pinned at a time, so that what was built served nobody: a rollback does that, and the project says so.';

create or replace function ops.told_deployments(p_now timestamptz)
returns table (at timestamptz, deployment text, commit text, branch text, told_by text)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        -- The platform's clock may be ahead of ours.
        least(event.at, p_now), event.deployment, event.commit, event.branch, 'webhook'
    from ops.list_deployments('app', 'production', p_now - interval '8 days', 'infinity') as event
    where event.event in ('promoted', 'rolled_back')
        or event.event = 'ready' and not ops.was_pinned(event.at)
    union all
    select reading.at, reading.deployment, reading.commit, null, 'reading'
    from ops.read_serving(p_now) as reading;
end
$$;

comment on function ops.told_deployments(timestamptz) is
    'What was told in the last eight days of which deployment serves production, and from when on.';

create or replace function ops.read_serving(p_now timestamptz)
returns table (at timestamptz, deployment text, commit text)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with readings as (
        select
            reading.document #>> '{live,id}' as deployment,
            reading.document #>> '{live,commit}' as commit,
            (reading.document #>> '{live,at}')::timestamptz as since,
            reading.first_at,
            reading.last_at,
            lag(reading.last_at) over (order by reading.id) as former
        from ops.platform_readings as reading
        where reading.source = 'app_project'
            and reading.last_at > p_now - interval '8 days'
            and reading.first_at <= p_now
            and reading.document #>> '{live,id}' is not null
    )
    -- It serves since some time between the reading before and this one.
    select
        greatest(least(readings.since, readings.first_at), readings.former, readings.first_at - interval '8 days'),
        readings.deployment,
        readings.commit
    from readings
    union all
    -- It served then, whatever a webhook made of it. What was told just before is let settle.
    select least(readings.last_at, p_now), readings.deployment, readings.commit
    from readings
    where not exists (
        select
        from ops.list_deployments(
            'app', 'production', readings.last_at - interval '5 minutes', readings.last_at
        ) as event
        where event.event in ('ready', 'promoted', 'rolled_back')
    );
end
$$;

comment on function ops.read_serving(timestamptz) is
    'Which deployment served production whenever the project was read in the last eight days: since when at the earliest, and that it did at the reading.';

create or replace function ops.note_served_deployments(p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_told record;
    v_before ops.served_deployments;
    v_after ops.served_deployments;
begin
    for v_told in
        select * from ops.told_deployments(p_now) as told order by told.at, told.told_by desc
    loop
        select * into v_before
        from ops.served_deployments
        where began_at <= v_told.at
        order by began_at desc, id desc
        limit 1;
        if v_before.deployment is not distinct from v_told.deployment then
            continue;
        end if;
        select * into v_after
        from ops.served_deployments
        where began_at > v_told.at
        order by began_at, id
        limit 1;
        if v_after.deployment = v_told.deployment and v_after.told_by = 'webhook' and v_told.told_by = 'reading' then
            -- What the project says of its time is no better than what was told of it then.
            continue;
        elsif v_after.deployment = v_told.deployment then
            -- A reading noticed it before its webhook came.
            update ops.served_deployments
            set
                began_at = v_told.at,
                told_by = v_told.told_by,
                commit = coalesce(commit, v_told.commit),
                branch = coalesce(branch, v_told.branch)
            where id = v_after.id;
        else
            insert into ops.served_deployments (deployment, commit, branch, began_at, told_by)
            values (v_told.deployment, v_told.commit, v_told.branch, v_told.at, v_told.told_by);
        end if;
    end loop;
end
$$;

comment on function ops.note_served_deployments(timestamptz) is
    'Writes down each time that another deployment began to serve, in the order of their times whenever it was told. What is told twice changes nothing.';

create or replace function ops.list_served(p_since timestamptz, p_now timestamptz)
returns table (
    id bigint,
    deployment text,
    commit text,
    branch text,
    began_at timestamptz,
    ended_at timestamptz,
    before text
)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select listed.*
    from (
        select
            served.id,
            served.deployment,
            served.commit,
            served.branch,
            served.began_at,
            lead(served.began_at) over times as ended_at,
            lag(served.deployment) over times as before
        from ops.served_deployments as served
        where served.began_at <= p_now and served.began_at > p_since - interval '400 days'
        window times as (order by served.began_at, served.id)
    ) as listed
    where listed.ended_at is null or listed.ended_at > p_since;
end
$$;

comment on function ops.list_served(timestamptz, timestamptz) is
    'The deployments that have served since a time, each with when it began, when the next one took over (null while it serves) and which one served before it.';

create or replace function ops.forget_served_deployments(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    delete from ops.served_deployments
    where began_at < p_now - interval '400 days'
        and exists (select from ops.served_deployments as later where later.began_at > served_deployments.began_at)
$$;

comment on function ops.forget_served_deployments(timestamptz) is
    'Deletes deployments that are long over with their comparisons; the newest is kept.';
