-- What the rules observe of the receipts of what was done with backups: whether the chain was found
-- as it was written.

create or replace function ops.observe_receipts(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'backup_receipts_broken', 'receipts', case when unaccepted.names = '{}' then 'good' else 'bad' end,
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', (
                select entry ->> 'why'
                from jsonb_array_elements(newest.faults) as listed (entry)
                where entry ->> 'what' = unaccepted.names[1]
                limit 1
            ),
            'detail', jsonb_strip_nulls(jsonb_build_object('found', unaccepted.names[1]))
        )
    )
    from (
        select checked.faults
        from ops.receipt_checks as checked
        where checked.checked_at <= p_now
        order by checked.checked_at desc
        limit 1
    ) as newest
    cross join lateral ops.unaccepted_names(newest.faults, p_settings) as unaccepted (names)
$$;

comment on function ops.observe_receipts(timestamptz, jsonb) is
    'The verdict on the chain of receipts: bad while one is missing or altered, unless that is accepted by its name, because what is lost stays lost. Before the chain was read for the first time there is no verdict.';
