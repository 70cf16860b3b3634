-- Receipts in the store. Whoever makes a backup asks which facts have none yet, writes them, and
-- has noted which there are, so that nothing is lost while the store is away.

create or replace function ops.receipt_heads()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(receipt.sha256 order by receipt.sha256), '[]')
    from ops.receipts as receipt
    left join (select distinct unnest(previous) as sha256 from ops.receipts) as followed using (sha256)
    where followed.sha256 is null
$$;

comment on function ops.receipt_heads() is 'The hashes of the receipts that none follows.';

create or replace function ops.unreceipted_facts(p_now timestamptz)
returns table (kind text, id text, at timestamptz, snapshot text, record_sha256 text, facts jsonb, details jsonb)
language sql
stable
set search_path = ''
as $$
    select fact.*
    -- Facts are noted as they arrive and receipts written in that order, so that none is missing
    -- before the newest but what arrived at the same time.
    from ops.backup_facts(
        coalesce((select max(receipts.at) - interval '24 hours' from ops.receipts), '-infinity'), p_now
    ) as fact
    left join ops.receipts as receipt on receipt.kind = fact.kind and receipt.fact = fact.id
    where receipt.path is null
$$;

comment on function ops.unreceipted_facts(timestamptz) is 'The facts that have no receipt yet.';

create or replace function public.ops_plan_receipts(p_limit integer, p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    -- Others may have written what is as old as that: a database that was restored, and what its
    -- former self wrote.
    v_since timestamptz := (
        select least(max(receipts.at), v_now) - interval '72 hours' from ops.receipts having count(*) > 0
    );
begin
    perform ops.check_number('limit', p_limit, 1, 1000);
    return jsonb_build_object(
        'since', v_since,
        -- A little less than a day, so that the time of day does not wander.
        'isCheckDue', not exists (
            select from ops.receipt_checks where checked_at > v_now - interval '23 hours' and checked_at <= v_now
        ),
        'heads', ops.receipt_heads(),
        'paths', (
            select coalesce(jsonb_agg(receipts.path order by receipts.path), '[]')
            from ops.receipts
            where receipts.at >= v_since
        ),
        'facts', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'kind', fact.kind,
                        'id', fact.id,
                        'at', fact.at,
                        'snapshot', fact.snapshot,
                        'recordSha256', fact.record_sha256,
                        'facts', fact.facts
                    )
                    order by fact.at, fact.kind, fact.id
                ),
                '[]'
            )
            from (
                select * from ops.unreceipted_facts(v_now) as one order by one.at, one.kind, one.id limit p_limit
            ) as fact
        )
    );
end
$$;

comment on function public.ops_plan_receipts(integer, timestamptz) is
    'The facts that have no receipt yet, the oldest first; the receipts of the last three days before the newest; the hashes that none follows; and whether the chain has to be read.';

create or replace function ops.check_receipt(p_receipt jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.check_length('path', p_receipt ->> 'path', 300);
    perform ops.check_word('kind', p_receipt ->> 'kind', ops.words('ops.receipt_kind'));
    perform ops.check_length('fact', p_receipt ->> 'fact', 200);
    perform ops.check_time('at', (p_receipt ->> 'at')::timestamptz);
    if coalesce(p_receipt ->> 'sha256', '') !~ '^[0-9a-f]{64}$' then
        perform ops.refuse('sha256', '64 hexadecimal digits', p_receipt ->> 'sha256');
    end if;
    if jsonb_typeof(p_receipt -> 'previous') is distinct from 'array' then
        perform ops.refuse('previous', 'a list', jsonb_typeof(p_receipt -> 'previous'));
    end if;
end
$$;

comment on function ops.check_receipt(jsonb) is
    'Refuses with SQLSTATE 22023 a receipt that lacks something or is none.';

create or replace function public.ops_note_receipts(p_receipts jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_receipt jsonb;
    v_noted bigint;
begin
    perform ops.hold_functions();
    if jsonb_typeof(p_receipts) is distinct from 'array' then
        perform ops.refuse('receipts', 'a list', jsonb_typeof(p_receipts));
    end if;
    for v_receipt in select jsonb_array_elements(p_receipts) loop
        perform ops.check_receipt(v_receipt);
    end loop;
    insert into ops.receipts (path, sha256, kind, fact, at, previous, noted_at)
    select
        listed.receipt ->> 'path',
        listed.receipt ->> 'sha256',
        listed.receipt ->> 'kind',
        listed.receipt ->> 'fact',
        (listed.receipt ->> 'at')::timestamptz,
        array(select jsonb_array_elements_text(listed.receipt -> 'previous')),
        v_now
    from jsonb_array_elements(p_receipts) as listed (receipt)
    on conflict do nothing;
    get diagnostics v_noted = row_count;
    -- The store has them for good.
    delete from ops.receipts as old
    where old.at < v_now - interval '9600 hours'
        and exists (select from ops.receipts as later where later.previous @> array[old.sha256]);
    return jsonb_build_object('noted', v_noted);
end
$$;

comment on function public.ops_note_receipts(jsonb, timestamptz) is
    'Notes which receipts lie in the store, each once. They are known for four hundred days, and the last one for good.';

create or replace function public.ops_record_receipt_check(p_check jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
begin
    perform ops.hold_functions();
    perform ops.check_id('id', (p_check ->> 'id')::uuid);
    perform ops.check_number('receipts', (p_check ->> 'receipts')::bigint, 0, 9007199254740991);
    insert into ops.receipt_checks (id, whole, receipts, heads, faults, checked_at)
    values (
        (p_check ->> 'id')::uuid,
        (p_check ->> 'whole')::boolean,
        (p_check ->> 'receipts')::bigint,
        array(select jsonb_array_elements_text(coalesce(nullif(p_check -> 'heads', 'null'), '[]'))),
        ops.named_list(p_check -> 'faults', 'why'),
        v_now
    )
    on conflict (id) do nothing;
    -- Of those that found nothing, the newest says what they say.
    delete from ops.receipt_checks where whole and checked_at < v_now - interval '9600 hours';
    return ops.receipts_document(v_now);
end
$$;

comment on function public.ops_record_receipt_check(jsonb, timestamptz) is
    'Keeps what was found when the chain of receipts was read, once, and returns how receipts stand.';

create or replace function ops.receipts_document(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'status', case
            when newest.whole is null then 'not_verified'
            when newest.whole then 'whole'
            else 'broken'
        end,
        'receipts', (
            select count(*) from ops.receipts where at > p_now - interval '720 hours' and at <= p_now
        ),
        'newestAt', (select max(at) from ops.receipts where at <= p_now),
        'waiting', (select count(*) from ops.unreceipted_facts(p_now)),
        'verifiedAt', newest.checked_at,
        'brokenSince', (
            select min(broken.checked_at)
            from ops.receipt_checks as broken
            where not broken.whole
                and broken.checked_at <= p_now
                and not newest.whole
                and not exists (
                    select
                    from ops.receipt_checks as later
                    where later.whole and later.checked_at > broken.checked_at and later.checked_at <= p_now
                )
        ),
        'faults', coalesce(newest.faults, '[]'),
        'lastReview', (
            select jsonb_build_object(
                'from', review.starts_at, 'to', review.ends_at, 'by', review.reviewer, 'at', review.reviewed_at
            )
            from ops.evidence_reviews as review
            where review.reviewed_at <= p_now
            order by review.reviewed_at desc
            limit 1
        )
    )
    from (select) as always
    left join lateral (
        select checked.whole, checked.checked_at, checked.faults
        from ops.receipt_checks as checked
        where checked.checked_at <= p_now
        order by checked.checked_at desc
        limit 1
    ) as newest on true
$$;

comment on function ops.receipts_document(timestamptz) is
    'How receipts stand: how many there are of thirty days, how many facts wait for theirs, whether the chain was found whole or since when it is broken, and the last review.';
