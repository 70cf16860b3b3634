-- What the month costs, as far as our own figures tell: what was used so far, times the prices
-- of the settings, and what that comes to at the month's end at the same pace. What nobody
-- tells is null, with the reason, and is no part of the sum.

create or replace function ops.cost_item(
    p_item text,
    p_subject text,
    p_amount numeric,
    p_unit text,
    p_price numeric,
    p_share numeric,
    p_reason text default null
)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_cost numeric := round(p_amount * p_price, 6);
begin
    return jsonb_build_object(
        'item', p_item,
        'subject', p_subject,
        'amount', p_amount,
        'unit', p_unit,
        'price', trim_scale(p_price),
        'cost', v_cost,
        -- What is as large as it is costs no more at the month's end.
        'projected', round(case when p_share is null then v_cost else v_cost / nullif(p_share, 0) end, 4),
        'reason', case
            when p_reason is not null then p_reason
            when p_amount is null then 'nothing is known yet'
            when p_price is null then 'no price is set'
            when p_share = 0 then 'the month has only begun'
        end
    );
end
$$;

comment on function ops.cost_item(text, text, numeric, text, numeric, numeric, text) is
    'What one thing costs: so far and projected to the month''s end, which p_share of the month has passed of; with no share it is a size, which costs the same at the end. Null where the amount, the price or the share says nothing, with the reason.';

create or replace function ops.cost_share(p_now timestamptz, p_from timestamptz, p_to timestamptz)
returns numeric
language plpgsql
immutable
set search_path = ''
as $$
begin
    return case
        -- What a few hours used says little of a month.
        when p_now < p_from + interval '24 hours' then 0
        else extract(epoch from p_now - p_from) / extract(epoch from p_to - p_from)
    end;
end
$$;

comment on function ops.cost_share(timestamptz, timestamptz, timestamptz) is
    'Which share of a month has passed; 0 on its first day, of which nothing is projected.';

create or replace function ops.cost_of_functions(
    p_from timestamptz,
    p_now timestamptz,
    p_share numeric,
    p_settings jsonb
)
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_kept boolean := p_from >= p_now - make_interval(hours => 24 * (p_settings ->> 'retention.runs_days')::integer);
    v_reason text := case when not v_kept then 'runs of the whole month are not kept: retention.runs_days' end;
begin
    return query
    with used as (
        select
            job.job,
            case when job.first_slot is not null or count(run.id) > 0 then count(run.id) end as calls,
            sum(extract(epoch from run.finished_at - run.started_at)) as seconds
        from ops.jobs as job
        left join ops.runs as run
            on run.job = job.job
            and run.started_at >= p_from
            and run.started_at <= p_now
            and run.outcome <> 'missed'
        group by job.job
    )
    select ops.cost_item(
        'invocations', used.job, case when v_kept then used.calls end, 'calls',
        (p_settings ->> 'cost.invocations_million')::numeric / 1000000, p_share, v_reason
    )
    from used
    union all
    select ops.cost_item(
        'function_time', used.job, case when v_kept then round(used.seconds / 3600, 4) end, 'h',
        nullif((p_settings ->> 'cost.function_hour')::numeric, 0), p_share, v_reason
    )
    from used
    union all
    select ops.cost_item(
        'invocations', 'other endpoints', null, 'calls', null, p_share,
        'nothing counts the calls of the other endpoints: the platform''s own usage page does'
    );
end
$$;

comment on function ops.cost_of_functions(timestamptz, timestamptz, numeric, jsonb) is
    'How often and how long the functions of jobs ran, from their runs.';

create or replace function ops.cost_of_storage(
    p_from timestamptz,
    p_now timestamptz,
    p_share numeric,
    p_settings jsonb
)
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_database numeric := ops.database_size_before(p_now + interval '1 microsecond') / 1e9;
    v_written numeric;
    v_read numeric;
    v_fetched numeric;
    v_reread numeric;
    v_requests numeric;
begin
    select
        sum(ops.report_number(run.figures -> 'bytesStored')) / 1e9,
        sum(ops.report_number(coalesce(run.figures -> 'bytesReceived', run.figures -> 'bytesRead'))) / 1e9,
        sum(ops.report_number(run.figures -> 'files' -> 'fetchedBytes')) / 1e9,
        sum((
            select sum(ops.report_number(requests.count))
            from jsonb_each(
                case jsonb_typeof(run.figures -> 'requests')
                    when 'object' then run.figures -> 'requests'
                    else '{}'
                end
            ) as requests (kind, count)
        ))
    into v_written, v_read, v_fetched, v_requests
    from ops.backups as run
    where run.finished_at >= p_from and run.finished_at <= p_now;

    select sum(share.bytes) / 1e9
    into v_reread
    from ops.backup_rereads as share
    where share.received_at >= p_from and share.received_at <= p_now;

    return query values
        (ops.cost_item(
            'database_size', null,
            case
                when v_database is not null
                then round(greatest(v_database - (p_settings ->> 'cost.database_included_gb')::numeric, 0), 4)
            end,
            'GB beyond the plan',
            (p_settings ->> 'cost.database_gb')::numeric, null
        )),
        (ops.cost_item(
            'backup_requests', null, v_requests, 'requests',
            (p_settings ->> 'cost.store_requests_million')::numeric / 1000000, p_share
        )),
        (ops.cost_item(
            'backup_egress', null, round(v_read, 4), 'GB read',
            (p_settings ->> 'cost.egress_gb')::numeric, p_share
        )),
        (ops.cost_item(
            'files_egress', null, round(v_fetched, 4), 'GB fetched',
            (p_settings ->> 'cost.egress_gb')::numeric, p_share
        )),
        (ops.cost_item(
            'backup_rereads', null, round(v_reread, 4), 'GB read', null, p_share,
            'what a store asks for being read depends on the provider'
        )),
        (ops.cost_item(
            'backup_writes', null, round(v_written, 4), 'GB written', null, p_share,
            'stores ask for what they hold, not for what is written'
        )),
        (ops.cost_item(
            'backup_storage', null, null, 'GB', null, null, 'only the store knows how much it holds'
        ));
end
$$;

comment on function ops.cost_of_storage(timestamptz, timestamptz, numeric, jsonb) is
    'How large the database is beyond what the plan includes, what backups read of it and fetched of Storage''s files, and what they asked of the store, wrote there and read there again.';

create or replace function ops.cost_of_messages(p_from timestamptz, p_now timestamptz, p_share numeric)
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select ops.cost_item(
        'messages', known.channel::text, count(message.id), 'messages', null, p_share,
        'what a message costs depends on the provider''s plan'
    )
    from ops.channels as known
    left join ops.outbox as message
        on message.channel = known.channel
        and message.status = 'sent'
        and message.sent_at >= p_from
        and message.sent_at <= p_now
    group by known.channel;
end
$$;

comment on function ops.cost_of_messages(timestamptz, timestamptz, numeric) is 'How many messages were sent on each channel.';

create or replace function ops.cost_document(p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
declare
    v_settings jsonb := ops.read_settings();
    v_from timestamptz := date_trunc('month', p_now at time zone 'UTC') at time zone 'UTC';
    v_to timestamptz := (date_trunc('month', p_now at time zone 'UTC') + interval '1 month') at time zone 'UTC';
    v_share numeric := ops.cost_share(p_now, v_from, v_to);
begin
    return (
        with items as materialized (
            select * from ops.cost_of_functions(v_from, p_now, v_share, v_settings) as item (document)
            union all
            select * from ops.cost_of_storage(v_from, p_now, v_share, v_settings)
            union all
            select * from ops.cost_of_messages(v_from, p_now, v_share)
        )
        select jsonb_build_object(
            'from', v_from,
            'to', v_to,
            'asOf', p_now,
            'currency', 'USD',
            'cost', sum(ops.report_number(document -> 'cost')),
            'projected', round(sum(ops.report_number(document -> 'projected')), 2),
            'limit', nullif((v_settings ->> 'cost.monthly_limit')::numeric, 0),
            'items', jsonb_agg(document order by document ->> 'item', document ->> 'subject'),
            'unknown', coalesce(
                jsonb_agg(
                    concat_ws(' ', document ->> 'item', document ->> 'subject')
                    order by document ->> 'item', document ->> 'subject'
                ) filter (where jsonb_typeof(document -> 'projected') = 'null'),
                '[]'
            ),
            'prices', (
                select jsonb_agg(
                    jsonb_build_object(
                        'key', price.key,
                        'value', price.value,
                        -- The defaults were read in the vendors' documentation on that day.
                        'readOn', case price.updated_by
                            when 'migration' then '2026-11-30'
                            else to_char(price.updated_at at time zone 'UTC', 'YYYY-MM-DD')
                        end
                    )
                    order by price.key
                )
                from ops.settings as price
                where price.key like 'cost.%' and price.key <> 'cost.monthly_limit'
            )
        )
        from items
    );
end
$$;

comment on function ops.cost_document(timestamptz) is
    'What the month costs as far as our own figures tell, what that comes to at its end, and what of it nobody tells.';

create or replace function public.ops_costs(p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return ops.cost_document(coalesce(p_now, now()));
end
$$;

comment on function public.ops_costs(timestamptz) is 'What the month costs so far and at its end, thing by thing.';

create or replace function ops.note_costs(p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.facts as known (name, value, noted_at, changed_at)
    values ('month_cost', ops.cost_document(p_now) -> 'projected', p_now, p_now)
    on conflict (name) do update
    set
        value = excluded.value,
        previous = known.value,
        noted_at = excluded.noted_at,
        previous_at = known.noted_at,
        changed_at = case when known.value is distinct from excluded.value then excluded.changed_at else known.changed_at end;
end
$$;

comment on function ops.note_costs(timestamptz) is
    'Notes what the month is going to cost, so that a tick need not find it out. The maintenance job does this.';
