-- Whose side an incident is probably on, from what was known as it began.
--
-- Why: who has to act first depends on it: we roll back, or we tell a vendor.
-- The answer is a guess, and comes with the evidence that led to it. What was
-- known is kept with the incident, because samples are not kept for ever.
-- Read by: whatever opens an incident; the incident documents.
-- Undo: drop the trigger and the functions of this file.

set local search_path = '';

-- What was known -------------------------------------------------------------

create function ops.services_at(p_from timestamptz, p_to timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with worst as (
        select distinct on (known.service)
            known.service, sample.status, sample.reason, sample.detail -> 'statusCode' as status_code
        from ops.checks as known
        cross join lateral (
            select status, reason, detail, at
            from ops.samples
            where check_name = known.name
                and at > p_from - make_interval(secs => 2 * known.every_seconds)
                and at <= p_to
                -- The last sample before reaches into the period as long as it is valid.
                and at + make_interval(secs => valid_seconds) > p_from
                and (
                    at > p_from
                    or not exists (
                        select
                        from ops.samples as later
                        where later.check_name = known.name and later.at > samples.at and later.at <= p_from
                    )
                )
        ) as sample
        where known.kind in ('app', 'aggregate', 'dependency')
        order by
            known.service, array_position('{down,degraded,unknown,up}'::text[], sample.status),
            -- A page tells more than the application as a whole.
            known.kind = 'aggregate', sample.at
    )
    select coalesce(
        jsonb_agg(
            jsonb_build_object('service', service, 'status', status, 'reason', reason, 'statusCode', status_code)
            order by service
        ),
        '[]'
    )
    from worst
$$;

comment on function ops.services_at(timestamptz, timestamptz) is
    'The worst that the probes said of each service in a period.';

create function ops.deployment_before(p_at timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    -- Every tick names its deployment on all of its samples, so that one check tells.
    with watched as (
        select known.name
        from ops.checks as known
        where known.kind in ('aggregate', 'app', 'dependency')
        order by known.name = 'app' desc, known.created_at, known.name
        limit 1
    ),
    newest as (
        select sample.deployment_id, sample.commit_sha
        from watched
        join ops.samples as sample on sample.check_name = watched.name
        where sample.at <= p_at
        order by sample.at desc, sample.id desc
        limit 1
    ),
    former as (
        select sample.at, sample.id
        from watched
        join ops.samples as sample on sample.check_name = watched.name
        cross join newest
        where sample.at <= p_at and sample.deployment_id is distinct from newest.deployment_id
        order by sample.at desc, sample.id desc
        limit 1
    ),
    first_seen as (
        select sample.at
        from watched
        join ops.samples as sample on sample.check_name = watched.name
        cross join former
        where sample.at > former.at and sample.at <= p_at
        order by sample.at
        limit 1
    )
    select jsonb_build_object(
        'deployment', newest.deployment_id,
        'commit', newest.commit_sha,
        'firstSeenAt', first_seen.at,
        'secondsBefore', extract(epoch from p_at - first_seen.at)
    )
    from newest
    cross join first_seen
    where newest.deployment_id is not null
$$;

comment on function ops.deployment_before(timestamptz) is
    'The newest deployment that was seen first at that time or before, and how long before; null if the samples that are kept know of no change.';

create function ops.note_beginning()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    new.updated_at := coalesce(new.updated_at, new.started_at);
    -- What came later than that was not the beginning.
    new.services := ops.services_at(
        new.started_at, least(new.updated_at, new.started_at + interval '10 minutes')
    );
    new.began_after := ops.deployment_before(new.started_at);
    return new;
end
$$;

comment on function ops.note_beginning() is
    'Keeps with a new incident what was known of every service and which deployment was newest.';

create trigger note_beginning
    before insert on ops.incidents
    for each row execute function ops.note_beginning();

-- What follows ---------------------------------------------------------------

create function ops.vendor_of(p_service text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case p_service
        when 'database' then 'supabase'
        when 'storage' then 'supabase'
        when 'ai' then 'openai'
        when 'imageProcessing' then 'google'
        when 'email' then 'resend'
    end
$$;

comment on function ops.vendor_of(text) is 'Who runs a service that the app stands on; null for the app.';

create function ops.cause_evidence(p_services jsonb, p_deployment jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(
            jsonb_agg(value || '{"kind": "bad"}' order by value ->> 'service')
                filter (where value ->> 'status' in ('down', 'degraded')),
            '[]'
        )
        || coalesce(
            jsonb_agg(
                jsonb_build_object('kind', value ->> 'status', 'service', value ->> 'service')
                order by value ->> 'status' desc, value ->> 'service'
            ) filter (where value ->> 'status' in ('up', 'unknown')),
            '[]'
        )
        || case
            when p_deployment is null then '[]'
            else jsonb_build_array(p_deployment || '{"kind": "deployment"}')
        end
    from jsonb_array_elements(p_services)
$$;

comment on function ops.cause_evidence(jsonb, jsonb) is
    'What a probable cause was concluded from: what was bad, what was well, what was not known, and a deployment.';

create function ops.probable_cause(p_services jsonb, p_began_after jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    with seen as (
        select
            service,
            status in ('down', 'degraded') as bad,
            status = 'up' as well,
            coalesce(reason, '') as reason,
            "statusCode" as status_code,
            ops.vendor_of(service) as vendor
        from jsonb_to_recordset(p_services) as seen (service text, status text, reason text, "statusCode" integer)
    ),
    vendors as (
        select
            count(distinct vendor) filter (where bad) as bad,
            min(vendor) filter (where bad) as first_bad,
            coalesce(bool_and(well), false) as all_well,
            bool_and(reason in ('timeout', 'dns', 'connect', 'tls', 'reset')) filter (where bad) as unreached,
            bool_and(reason in ('auth', 'quota', 'config', 'not_migrated')) filter (where bad) as refused_us
        from seen
        where vendor is not null
    ),
    app as (
        select
            coalesce(bool_or(bad), false) as bad,
            bool_or(bad and reason in ('dns', 'connect', 'tls', 'reset')) as unreached,
            -- Nothing of ours ran: the platform did not let a request through.
            bool_or(bad and (reason in ('dns', 'connect', 'tls', 'reset') or status_code in (502, 503))) as not_entered
        from seen
        where service = 'app'
    ),
    deployed as (
        -- A change within half an hour is the first suspect.
        select case when (p_began_after ->> 'secondsBefore')::numeric <= 1800 then p_began_after end as recently
    )
    select jsonb_build_object(
        'side', case
            -- Several at once have in common only the network from which they are asked.
            when vendors.bad > 1 and vendors.unreached then 'vercel'
            when vendors.bad > 1 then 'unknown'
            -- An app that cannot even be reached does not fail for want of a vendor.
            when vendors.bad = 1 and app.unreached then case when vendors.unreached then 'vercel' else 'unknown' end
            -- The vendor works and refuses our key, our quota or our schema.
            when vendors.bad = 1 and vendors.refused_us then 'ours'
            when vendors.bad = 1 then vendors.first_bad
            when deployed.recently is not null then 'ours'
            when not app.bad or not vendors.all_well then 'unknown'
            when app.not_entered then 'vercel'
            else 'ours'
        end,
        'evidence', ops.cause_evidence(p_services, deployed.recently)
    )
    from vendors
    cross join app
    cross join deployed
$$;

comment on function ops.probable_cause(jsonb, jsonb) is
    'Whose side it probably is (ours, supabase, openai, google, resend, vercel or unknown), from what was known of all services and the newest deployment as it began, with the evidence that led there.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
