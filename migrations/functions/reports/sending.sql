-- Reports are sent by themselves: each once, at the hour of the setting after its period is
-- over, through the outbox, where it is tried again and shows if it is given up. A report
-- that nothing could queue for as long as it is news is left out.

create or replace function ops.queue_report(
    p_document jsonb,
    p_channel text,
    p_by text,
    p_now timestamptz
)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
    v_served boolean := p_channel = any (ops.served_channels());
    v_message uuid;
begin
    insert into ops.outbox
        (kind, channel, severity, facts, created_at, next_attempt_at, status, last_error)
    values (
        'notice', p_channel, 'low',
        jsonb_build_object(
            'kind', 'notice',
            'severity', 'low',
            'title', 'Report',
            'openedAt', p_now,
            'requestedBy', p_by,
            'report', p_document
        ),
        p_now, p_now,
        -- Nobody serves a channel that is not configured, and the report would wait for ever.
        case when v_served then 'pending' else 'dead' end,
        case when not v_served then 'the channel is not configured' end
    )
    returning id into v_message;
    return v_message;
end
$$;

comment on function ops.queue_report(jsonb, text, text, timestamptz) is
    'Queues a report for a channel; where that is not configured the row is dead at once, so that it shows.';

create or replace function ops.due_report(
    p_now timestamptz,
    p_settings jsonb,
    out kind text,
    out starts_at timestamptz,
    out ends_at timestamptz,
    out channels text[]
)
language plpgsql
stable
set search_path = ''
as $$
begin
    select known.kind, period.starts_at, period.ends_at, wanted.channels
    into kind, starts_at, ends_at, channels
    from (values
        ('daily', interval '24 hours'), ('weekly', interval '72 hours'), ('monthly', interval '168 hours')
    ) as known (kind, news)
    cross join lateral ops.report_period(known.kind, p_now, 0) as period
    cross join lateral (
        select array(
            select distinct jsonb_array_elements_text(p_settings -> ('report.' || known.kind)) as channel order by channel
        ) as channels
    ) as wanted
    cross join lateral ops.report_due_at(period.ends_at, p_settings) as due (at)
    where wanted.channels <> '{}'
        and p_now >= due.at
        and p_now < due.at + known.news
        and not exists (
            select
            from ops.reports as former
            where former.kind = known.kind and former.starts_at = period.starts_at
        )
    order by known.news
    limit 1;
end
$$;

comment on function ops.due_report(timestamptz, jsonb) is
    'A report that is due and was not queued; null if there is none.';

create or replace function public.ops_queue_reports(p_run uuid, p_fence bigint, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_run ops.runs;
    v_due record;
    v_document jsonb;
begin
    perform ops.hold_functions();
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;
    perform ops.keep_database_size(v_now);
    perform ops.note_costs(v_now);

    select * into v_due from ops.due_report(v_now, ops.read_settings());
    if v_due.kind is null then
        return jsonb_build_object('outcome', 'done');
    end if;
    -- The row makes it one report, whoever else would queue it now.
    insert into ops.reports (kind, starts_at, ends_at, queued_at, channels)
    values (v_due.kind, v_due.starts_at, v_due.ends_at, v_now, v_due.channels)
    on conflict do nothing;
    if found then
        v_document := ops.report_document(v_due.kind, v_now, v_now, 'production');
        perform ops.queue_report(v_document, named.channel, null, v_now)
        from unnest(v_due.channels) as named (channel);
    end if;
    return jsonb_build_object('outcome', 'more');
end
$$;

comment on function public.ops_queue_reports(uuid, bigint, timestamptz) is
    'Queues a report that is due and keeps what later reports compare with. The answer is more if it queued one, done if none is due, and superseded if another run has taken over.';

create or replace function public.ops_send_report(
    p_request uuid,
    p_kind text,
    p_at timestamptz,
    p_environment text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_by text;
    v_channels text[];
    v_document jsonb;
    v_former jsonb;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    v_by := ops.check_by(p_by);
    -- A repeated call waits for the first one and then finds its answer.
    perform pg_advisory_xact_lock(hashtextextended(p_request::text, 0));
    v_former := ops.former_answer(p_request, 'ops_send_report');
    if v_former is not null then
        return v_former;
    end if;

    v_document := public.ops_report(p_kind, p_at, p_environment, v_now);
    v_channels := array(
        select jsonb_array_elements_text(value) from ops.settings where key = 'report.' || p_kind
    );
    if v_channels = '{}' then
        perform ops.refuse(
            'report.' || p_kind, 'a list of channels', '[]',
            format('pourtrait settings set report.%s ''["email"]''', p_kind)
        );
    end if;
    return ops.keep_answer(
        p_request, 'ops_send_report',
        jsonb_build_object(
            'channels', to_jsonb(v_channels),
            'messages', (
                select jsonb_agg(ops.queue_report(v_document, named.channel, v_by, v_now))
                from unnest(v_channels) as named (channel)
            )
        ),
        v_now
    );
end
$$;

comment on function public.ops_send_report(uuid, text, timestamptz, text, text, timestamptz) is
    'Queues a report now, for the channels that the setting of its kind names, whether or not it was sent already. A call that is repeated with the same request queues nothing more.';
