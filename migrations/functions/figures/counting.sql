-- Counting: what the application writes becomes pending figures in its own transaction. One
-- function counts items, whoever brings them. Nothing here may make a statement of the
-- application fail: what cannot be counted is noted, and its row is kept.

create or replace function ops.count_items(
    p_items ops.counted_item[],
    p_former_at timestamptz default null
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_few_before timestamptz := coalesce(ops.minutes_from('request', p_former_at), '-infinity');
    v_many_before timestamptz := coalesce(ops.minutes_from('requests', p_former_at), '-infinity');
begin
    if cardinality(p_items) = 0 then
        return;
    end if;
    insert into ops.pending_figures (
        kind, environment, name, part, category, at, n, tallies, fast, left_out, measured, total, low, high,
        latest, first_at, last_at, buckets, counts, sample, people, sessions
    )
    with placed as materialized (
        select
            item.*,
            case
                when item.at >= '2200-01-01Z' then 'infinity'
                else date_bin(
                    case
                        when item.at <= v_many_before
                            or item.at <= v_few_before and item.kind not in ('requests', 'event', 'business')
                        then interval '1 hour'
                        else interval '1 minute'
                    end,
                    item.at - interval '1 microsecond',
                    '1970-01-05Z'
                )
            end as slot,
            case
                -- Every other bucket is used: halves of what a percentile has to add up, for 1 % of
                -- its exactness.
                when value >= 1e-9 then 2 * ceil(ln(value::float8) / (2 * ln(1.0202::float8)))
                when value >= 0 then -2000
            end::smallint as bucket
        from unnest(p_items) as item
        where item.at >= '2000-01-01Z'
    ),
    sums as (
        select
            kind, environment, name, part, category, slot,
            sum(weight) as n,
            case
                when kind in ('request', 'requests', 'dependency') then array[
                    count(*) filter (where tally = 1), count(*) filter (where tally = 2),
                    count(*) filter (where tally = 3), count(*) filter (where tally = 4),
                    count(*) filter (where tally = 5), count(*) filter (where tally = 6),
                    count(*) filter (where tally = 7)
                ]
                when kind = 'error' then array[
                    count(*) filter (where tally = 1), count(*) filter (where tally = 2),
                    count(*) filter (where tally = 3), count(*) filter (where tally = 4)
                ]
                else '{}'
            end as tallies,
            count(*) filter (where fast) as fast,
            coalesce(sum(weight) filter (where left_out), 0) as left_out,
            coalesce(sum(weight) filter (where value is not null), 0) as measured,
            coalesce(sum(weight * value), 0) as total,
            -- What may be taken back has no extremes that would still be true then.
            min(value) filter (where kind not in ('session', 'feature')) as low,
            max(value) filter (where kind not in ('session', 'feature')) as high,
            (array_agg(value order by at desc) filter (where kind = 'business' and value is not null))[1] as latest,
            min(at) filter (where kind in ('business', 'error')) as first_at,
            max(at) filter (where kind = 'error' or kind = 'business' and value is not null) as last_at,
            (array_agg(sample order by at desc) filter (where sample is not null))[1] as sample
        from placed
        group by kind, environment, name, part, category, slot
    ),
    spreads as (
        select
            kind, environment, name, part, category, slot,
            array_agg(bucket order by bucket) as buckets,
            array_agg(n order by bucket) as counts
        from (
            select kind, environment, name, part, category, slot, bucket, sum(weight) as n
            from placed
            where bucket is not null
            group by kind, environment, name, part, category, slot, bucket
            having sum(weight) <> 0
        ) as filled
        group by kind, environment, name, part, category, slot
    )
    select
        kind, environment, name, part, category, slot, n, tallies, fast, left_out, measured, total, low, high,
        latest, first_at, last_at, coalesce(buckets, '{}'), coalesce(counts, '{}'), sample, '{}', '{}'
    from sums
    left join spreads using (kind, environment, name, part, category, slot)
    -- An update that changes no number changes no figure.
    where n <> 0 or total <> 0 or left_out <> 0 or measured <> 0 or buckets is not null
    union all
    select
        'people', environment, '', '', '', slot, count(*), '{}', 0, 0, 0, 0, null, null,
        null, null, null, '{}', '{}', null,
        coalesce(array_agg(distinct person) filter (where person is not null), '{}'),
        coalesce(array_agg(distinct session) filter (where session is not null), '{}')
    from placed
    where (person is not null or session is not null) and slot < 'infinity'
    group by environment, slot;
end
$$;

comment on function ops.count_items(ops.counted_item[], timestamptz) is
    'Counts items: it writes one pending figure for each minute and key, and one for the people of each minute. Of former items, which are counted at p_former_at, only the hour is kept where nobody reads minutes any more. An item without a time after the year 1999 is in no figure.';

create or replace function ops.count_all(p_items refcursor)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_row record;
    v_items ops.counted_item[] := array[]::ops.counted_item[];
begin
    loop
        fetch p_items into v_row;
        exit when not found;
        v_items := v_items || v_row.item;
        if cardinality(v_items) = 10000 then
            perform ops.count_items(v_items);
            v_items := array[]::ops.counted_item[];
        end if;
    end loop;
    perform ops.count_items(v_items);
    close p_items;
end
$$;

comment on function ops.count_all(refcursor) is
    'Counts every item of a cursor, which has one in its column "item" and is closed then; so many at a time that one statement of a million rows takes no more memory than one of some thousand.';

create or replace function ops.hold_place(p_table text)
returns ops.counted_tables
language plpgsql
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
begin
    select * into v_place from ops.counted_tables where name = p_table;
    if not v_place.finished then
        -- From here on the place stays where it is until the transaction ends. The row's own
        -- lock makes a transaction fail that cannot see the place as it is now.
        perform pg_advisory_xact_lock_shared(1718183795, v_place.place);
        select * into v_place from ops.counted_tables where name = p_table for share;
    end if;
    return v_place;
end
$$;

comment on function ops.hold_place(text) is
    'How far the former rows of a table are counted. Until that is finished the place is kept from moving, so that each row is counted either there or by its trigger.';

create or replace function ops.note_uncounted(p_table text, p_rows bigint, p_reason text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.uncounted_rows (table_name, at, rows, reason)
    values (p_table, now(), p_rows, left(p_reason, 500));
    raise warning 'rows of public.% could not be counted: %', p_table, p_reason;
exception
    when others then
        raise warning 'rows of public.% could not be counted, and that could not be noted: %', p_table, sqlerrm;
end
$$;

comment on function ops.note_uncounted(text, bigint, text) is
    'Notes that rows were kept and not counted. It never fails.';
