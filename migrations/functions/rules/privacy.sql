-- What the rules observe of what people ask of their own data: whether somebody waits too long.

create or replace function ops.observe_privacy(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'privacy_request_waits', 'privacy', ops.judge(waiting.days, most.days, 1, 1), waiting.days, most.days, 'days',
        p_facts => jsonb_build_object(
            'service', 'monitoring',
            'detail', jsonb_build_object('requests', waiting.requests)
        )
    )
    from (
        select
            count(*) as requests,
            coalesce(floor(extract(epoch from p_now - min(asked_at)) / 86400), 0) as days
        from ops.privacy_requests
        where closed_at is null
    ) as waiting
    cross join (select (p_settings ->> 'privacy.request_days')::numeric) as most (days)
    where
        waiting.requests > 0
        or exists (select from ops.alert_states where rule = 'privacy_request_waits')
$$;

comment on function ops.observe_privacy(timestamptz, jsonb) is
    'The verdict on what people ask of their own data: bad while somebody waits for longer than the setting says; none before anybody asked.';
