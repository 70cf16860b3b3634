-- These functions guess on whose side the cause of an incident is, from what was known as
-- the incident began. The guess comes with its evidence. What was known is kept with the
-- incident, because samples are not kept for ever.

create or replace function ops.services_at(p_from timestamptz, p_to timestamptz)
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
            select ops.status_of_service(status, reason) as status, reason, detail, at
            from ops.samples
            where check_name = known.name
                and at > p_from - make_interval(secs => 2 * known.every_seconds)
                and at <= p_to
                -- The last sample before the period reaches into it as long as it is valid.
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
            -- A single page gives more detail than the aggregate of all pages.
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
    'Returns the worst sample of each service in a period: its status and reason.';

create or replace function ops.deployment_before(p_at timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    -- Every tick writes its deployment on all of its samples, so one check is enough.
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
    'Returns the deployment that was in force at a time, when it was first seen and how many seconds before that time; null if the samples that are kept show no change of deployment.';

create or replace function ops.note_beginning()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    new.updated_at := coalesce(new.updated_at, new.started_at);
    -- The beginning is over after ten minutes.
    new.services := ops.services_at(
        new.started_at, least(new.updated_at, new.started_at + interval '10 minutes')
    );
    new.began_after := ops.deployment_before(new.started_at);
    return new;
end
$$;

comment on function ops.note_beginning() is
    'Keeps with a new incident the worst sample of each service as it began, and the deployment that was newest.';

create or replace function ops.vendor_of(p_service text)
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

comment on function ops.vendor_of(text) is 'Returns the vendor that runs a service which the app needs; null for the app itself.';

create or replace function ops.cause_evidence(p_services jsonb, p_deployment jsonb)
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
    'Returns the evidence for a probable cause: the services that were bad, those that were up, those of which nothing was known, and a deployment.';

create or replace function ops.cause_signs(
    p_services jsonb,
    out vendors_bad bigint,
    out bad_vendor text,
    out vendors_well boolean,
    out vendors_unreached boolean,
    out refused_us boolean,
    out app_bad boolean,
    out app_unreached boolean,
    out app_not_entered boolean
)
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
            coalesce(reason in ('dns', 'connect', 'tls', 'reset') or starts_with(reason, 'tls_'), false) as unreached,
            "statusCode" as status_code,
            ops.vendor_of(service) as vendor
        from jsonb_to_recordset(p_services) as seen (service text, status text, reason text, "statusCode" integer)
    )
    select
        count(distinct vendor) filter (where vendor is not null and bad),
        min(vendor) filter (where vendor is not null and bad),
        coalesce(bool_and(well) filter (where vendor is not null), false),
        bool_and(unreached or reason = 'timeout') filter (where vendor is not null and bad),
        bool_and(reason in ('auth', 'quota', 'config', 'not_migrated')) filter (where vendor is not null and bad),
        coalesce(bool_or(bad) filter (where service = 'app'), false),
        bool_or(bad and unreached) filter (where service = 'app'),
        -- Nothing of ours ran: the platform did not let a request through.
        bool_or(bad and (unreached or status_code in (502, 503)))
            filter (where service = 'app')
    from seen
$$;

comment on function ops.cause_signs(jsonb) is
    'Returns the signs from which a probable cause is concluded: how many vendors were bad and which one, whether all of them were up, whether the bad ones could not be reached or refused us, and whether the app was bad, could not be reached, or was not entered.';

create or replace function ops.probable_cause(p_services jsonb, p_began_after jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select jsonb_build_object(
        'side', case
            -- Several vendors at once have in common only the network from which they are asked.
            when signs.vendors_bad > 1 and signs.vendors_unreached then 'vercel'
            when signs.vendors_bad > 1 then 'unknown'
            -- An app that cannot even be reached does not fail for want of a vendor.
            when signs.vendors_bad = 1 and signs.app_unreached
            then case when signs.vendors_unreached then 'vercel' else 'unknown' end
            -- The vendor works and refuses our key, our quota or our schema.
            when signs.vendors_bad = 1 and signs.refused_us then 'ours'
            when signs.vendors_bad = 1 then signs.bad_vendor
            when deployed.recently is not null then 'ours'
            when not signs.app_bad or not signs.vendors_well then 'unknown'
            when signs.app_not_entered then 'vercel'
            else 'ours'
        end,
        'evidence', ops.cause_evidence(p_services, deployed.recently)
    )
    from ops.cause_signs(p_services) as signs
    cross join (
        -- A deployment within the last half hour is the first suspect.
        select case when (p_began_after ->> 'secondsBefore')::numeric <= 1800 then p_began_after end as recently
    ) as deployed
$$;

comment on function ops.probable_cause(jsonb, jsonb) is
    'Guesses whose side an incident is on (ours, supabase, openai, google, resend, vercel or unknown) from what was known of all services and the newest deployment as it began, and returns the guess with its evidence.';
