-- Advice about indexes: those that nobody uses, those that another one makes up for, and those
-- that are missing.

create or replace function ops.advised_indexes()
returns table (
    id oid,
    table_id oid,
    name text,
    bytes bigint,
    scans bigint,
    is_ours boolean,
    is_needed boolean,
    shape text,
    columns smallint[],
    covered text
)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        idx.indexrelid, idx.indrelid, format('%I.%I', listed.space, cls.relname),
        pg_relation_size(idx.indexrelid), pg_stat_get_numscans(idx.indexrelid),
        listed.space = 'ops' or cls.relname like 'ops\_%',
        -- It holds a promise beside being fast.
        idx.indisunique or idx.indisexclusion or idx.indisreplident or idx.indisclustered
            or exists (select from pg_constraint as con where con.conindid = idx.indexrelid),
        concat_ws(
            ' ', cls.relam, idx.indkey::text, idx.indnkeyatts, idx.indclass::text, idx.indcollation::text,
            idx.indoption::text, pg_get_expr(idx.indexprs, idx.indrelid), '|', pg_get_expr(idx.indpred, idx.indrelid)
        ),
        (idx.indkey::smallint[])[0:idx.indnkeyatts - 1],
        -- Only a plain one of columns can be made up for by a longer one.
        case
            when idx.indexprs is null and idx.indpred is null and cls.relam = (select am.oid from pg_am as am where am.amname = 'btree')
            then concat_ws(' ', idx.indclass::text, idx.indcollation::text, idx.indoption::text)
        end
    from ops.advised_tables() as listed
    join pg_index as idx on idx.indrelid = listed.id
    join pg_class as cls on cls.oid = idx.indexrelid
    where idx.indisvalid;
end
$$;

comment on function ops.advised_indexes() is
    'The indexes of the advised tables. shape is the same for two that are the same; columns are those of the key, in order.';

create or replace function ops.statistics_since()
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
    -- Without a reset they are as old as the server's start or the database, which is no less.
    return (
        select coalesce(stats_reset, pg_postmaster_start_time())
        from pg_stat_database
        where datname = current_database()
    );
end
$$;

comment on function ops.statistics_since() is 'Since when the server counts what is used.';

create or replace function ops.advise_unused_indexes(p_now timestamptz)
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select ops.make_advice(
        'unused_index', unused.name, format('drop index concurrently %s', unused.name), unused.bytes, null,
        jsonb_build_object('scans', unused.scans, 'since', ops.statistics_since(), 'definition', pg_get_indexdef(unused.id))
    )
    from ops.advised_indexes() as unused
    -- Once a week something may run that needs it, and once in a while an account is deleted.
    where unused.scans = 0 and not unused.is_needed and not unused.is_ours and unused.bytes > 65536
        and ops.statistics_since() <= p_now - interval '14 days'
        and not exists (
            select
            from pg_constraint as con
            where con.contype = 'f' and con.conrelid = unused.table_id and con.conkey[1] = unused.columns[1]
        )
        -- Of two that do the same one goes, and then the other may be used.
        and not exists (
            select
            from ops.advise_duplicate_indexes() as duplicate (document)
            where unused.name in (duplicate.document ->> 'object', duplicate.document #>> '{facts,sameAs}')
        );
end
$$;

comment on function ops.advise_unused_indexes(timestamptz) is
    'Indexes that nobody has used for two weeks at least, that hold no promise, belong to no foreign key, do the same as no other, and are none of ours. Nothing while the server has counted for less.';

create or replace function ops.advise_duplicate_indexes()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select ops.make_advice(
        'duplicate_index', spare.name, format('drop index concurrently %s', spare.name), spare.bytes, null,
        jsonb_build_object('sameAs', kept.name, 'scans', spare.scans, 'definition', pg_get_indexdef(spare.id))
    )
    from ops.advised_indexes() as spare
    cross join lateral (
        select other.name
        from ops.advised_indexes() as other
        where other.table_id = spare.table_id
            and other.id <> spare.id
            and (
                other.shape = spare.shape and (other.is_needed, -other.id::bigint) > (spare.is_needed, -spare.id::bigint)
                or spare.covered is not null
                    and other.covered is not null
                    and cardinality(other.columns) > cardinality(spare.columns)
                    and other.columns[1:cardinality(spare.columns)] = spare.columns
                    and pg_get_indexdef(other.id, 1, true) = pg_get_indexdef(spare.id, 1, true)
            )
        order by other.id
        limit 1
    ) as kept
    where not spare.is_needed and not spare.is_ours;
end
$$;

comment on function ops.advise_duplicate_indexes() is
    'Indexes that are the same as another one of the table, or the beginning of a longer one, and hold no promise.';

create or replace function ops.advise_key_indexes()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select ops.make_advice(
        'missing_key_index', format('%I.%I', listed.space, listed.name),
        format('create index concurrently on %I.%I (%s)', listed.space, listed.name, names.list), null, listed.rows,
        jsonb_build_object(
            'constraint', con.conname,
            'references', con.confrelid::regclass::text,
            'rows', listed.rows,
            'tableBytes', pg_relation_size(listed.id)
        )
    )
    from ops.advised_tables() as listed
    join pg_constraint as con on con.conrelid = listed.id and con.contype = 'f'
    cross join lateral (
        select string_agg(format('%I', att.attname), ', ' order by key.nth) as list
        from unnest(con.conkey) with ordinality as key (number, nth)
        join pg_attribute as att on att.attrelid = con.conrelid and att.attnum = key.number
    ) as names
    where listed.rows >= 1000
        and not exists (
            select
            from pg_index as idx
            where idx.indrelid = con.conrelid
                and idx.indisvalid
                -- In any order: each is compared with one value.
                and (idx.indkey::smallint[])[0:cardinality(con.conkey) - 1] @> con.conkey
                and (idx.indpred is null or pg_get_expr(idx.indpred, idx.indrelid) ilike '%is not null%')
        );
end
$$;

comment on function ops.advise_key_indexes() is
    'Foreign keys without an index, in tables of a thousand rows at least: whoever deletes a row that they refer to reads the whole table.';

create or replace function ops.compared_column(p_table oid)
returns jsonb
language plpgsql
stable
-- The view hides other roles' statements from the caller.
security definer
set search_path = ''
as $$
declare
    v_schema name;
    v_found jsonb;
begin
    select nspname into v_schema
    from pg_extension
    join pg_namespace on pg_namespace.oid = extnamespace
    where extname = 'pg_stat_statements';
    if v_schema is null then
        return null;
    end if;
    execute format(
        $query$
        select jsonb_build_object(
            'column', att.attname, 'calls', sum(said.calls), 'totalMs', round(sum(said.total_exec_time)::numeric, 1)
        )
        from %I.pg_stat_statements as said
        join pg_class as cls on cls.oid = $1
        join pg_attribute as att on att.attrelid = $1 and att.attnum > 0 and not att.attisdropped
        where said.dbid = (select oid from pg_database where datname = current_database())
            and said.query ~* format('\m(from|join|update)\s+("?\w+"?\.)?"?%%s\M', cls.relname)
            and said.query ~* format('\mwhere\M.*\m%%s"?\s*=\s*\$\d', att.attname)
            and cls.relname ~ '^\w+$' and att.attname ~ '^\w+$'
            and not exists (
                select from pg_index as idx where idx.indrelid = $1 and idx.indisvalid and idx.indkey[0] = att.attnum
            )
        group by att.attname
        order by sum(said.total_exec_time) desc
        limit 1
        $query$,
        v_schema
    ) into v_found using p_table;
    return v_found;
exception
    when object_not_in_prerequisite_state or insufficient_privilege then
        return null;
end
$$;

comment on function ops.compared_column(oid) is
    'The column without an index that statements compare with one value, of those that took most time; null where that is not known.';

create or replace function ops.advise_scanned_tables()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select ops.make_advice(
        'missing_index', format('%I.%I', listed.space, listed.name),
        case
            when compared.said is not null then format(
                'create index concurrently on %I.%I (%I)', listed.space, listed.name, compared.said ->> 'column'
            )
        end,
        null, scanned.rows / scanned.scans,
        jsonb_build_object(
            'rows', listed.rows,
            'wholeReads', scanned.scans,
            'rowsRead', scanned.rows,
            'compared', compared.said,
            'reason', case
                when compared.said is null then 'which column is compared, pg_stat_statements does not tell'
            end
        )
    )
    from ops.advised_tables() as listed
    cross join lateral (
        select pg_stat_get_numscans(listed.id) as scans, pg_stat_get_tuples_returned(listed.id) as rows
    ) as scanned
    cross join lateral (select ops.compared_column(listed.id) as said) as compared
    where listed.rows >= 10000 and scanned.scans >= 50 and scanned.rows / scanned.scans >= 5000;
end
$$;

comment on function ops.advise_scanned_tables() is
    'Tables of ten thousand rows that were read whole fifty times, with the index that their statements lack; the statement is null where it is not known which.';

create or replace function public.ops_advise_database(p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_since timestamptz := ops.statistics_since();
begin
    return (
        with advice as (
            select * from ops.advise_vacuum() as given (document)
            union all
            select * from ops.advise_analyze()
            union all
            select * from ops.advise_unused_indexes(v_now)
            union all
            select * from ops.advise_duplicate_indexes()
            union all
            select * from ops.advise_key_indexes()
            union all
            select * from ops.advise_scanned_tables()
        )
        select jsonb_build_object(
            'since', v_since,
            'unusedKnown', v_since <= v_now - interval '14 days',
            'advice', coalesce(
                jsonb_agg(
                    document
                    order by
                        (document ->> 'gainBytes')::bigint desc nulls last,
                        (document ->> 'gainRows')::bigint desc nulls last,
                        document ->> 'object'
                ),
                '[]'
            )
        )
        from advice
    );
end
$$;

comment on function public.ops_advise_database(timestamptz) is
    'What of the database costs something and gives nothing, or would give more, each with the statement that changes it and what that is measured to give. since is from when on the server has counted.';
