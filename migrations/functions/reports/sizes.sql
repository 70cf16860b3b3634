-- How large the database was on each day, so that reports can say how it grows.

create or replace function ops.keep_database_size(p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.database_sizes (day, bytes)
    select ops.floor_to_day(read_at), (document ->> 'sizeBytes')::bigint
    from ops.database_readings
    on conflict (day) do update set bytes = excluded.bytes;
    -- A row a day; no report looks further back than five months.
    delete from ops.database_sizes where day < p_now - interval '400 days';
end
$$;

comment on function ops.keep_database_size(timestamptz) is 'Keeps how large the database was when the maintenance read it last, for its day.';

create or replace function ops.database_size_before(p_to timestamptz)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select bytes
        from ops.database_sizes
        -- A size that is older says nothing of that time.
        where day < p_to and day >= p_to - interval '48 hours'
        order by day desc
        limit 1
    );
end
$$;

comment on function ops.database_size_before(timestamptz) is
    'How many bytes the database had before a time, as it was read last on the day before or the one before that; null if it was not.';
