-- What a restore by psql goes by, before the first object of a backup. All of it is
-- temporary, and one transaction: whatever is cut off was not restored.

set statement_timeout to 0;
set lock_timeout to 0;
set idle_in_transaction_session_timeout to 0;
set client_min_messages to warning;
set check_function_bodies to off;
set row_security to off;
set synchronize_seqscans to off;
set search_path to '';

-- Whoever runs the script in a transaction of their own commits at its end, wherever
-- that is: a row refers to another that only the last line makes.
create temporary table restore_end (id integer primary key) on commit drop;
create temporary table restore_begin (
    id integer constraint the_script_ended_early
        references restore_end deferrable initially deferred
) on commit drop;
insert into restore_begin values (1);

-- What the server refuses, with its words and what would make it.
create temporary table restore_missing (
    id integer generated always as identity,
    what text,
    reason text,
    code text,
    statement text,
    -- The table and the name of a constraint.
    constrained text,
    constraint_name text
);

-- Tables that take no rows.
create temporary table restore_left (relation text primary key);

-- The platform's schemas that were there before.
create temporary table restore_present as
select nspname::text as name from pg_namespace;

-- Whether the first refusal ends everything, and the path of the source's own sessions.
create temporary table restore_conduct (strict boolean, source_path text, row_hash text);

create function pg_temp.is_strict() returns boolean language sql as $$
    select strict from pg_temp.restore_conduct
$$;

-- Whether a refusal ends everything: where the server runs out of memory, locks or space it
-- would refuse whatever came next.
create function pg_temp.ends_all(code text) returns boolean language sql as $$
    select pg_temp.is_strict() or code ~ '^5[378]'
$$;

-- Refuses a server that is older, lacks extensions, or holds anything where the backup's
-- objects would lie.
create function pg_temp.examine(
    version integer,
    extensions text[],
    used_schemas text[],
    made_schemas text[]
) returns void language plpgsql as $$
declare
    found text;
begin
    if current_setting('server_version_num')::integer / 10000 < version / 10000 then
        raise exception 'not restorable here: the backup is of PostgreSQL %, and this is %',
            version / 10000, current_setting('server_version_num')::integer / 10000;
    end if;
    select string_agg(needed, ', ') into found
    from unnest(extensions) as needed
    where not exists (select from pg_available_extensions where name = needed);
    if found is not null then
        raise exception 'not restorable here: extension %', found;
    end if;
    select string_agg(what, ', ' order by what) into found
    from (
        select format('%I.%I', n.nspname, c.relname) as what
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any (used_schemas) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
        and not exists (
            select from pg_depend d
            where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
        )
        union all
        select format('schema %I', nspname) from pg_namespace where nspname = any (made_schemas)
    ) as there;
    if found is not null then
        raise exception 'the target is not empty, it has %', found;
    end if;
end $$;

-- Rows alone come into tables that are there, whose triggers have fired for them before.
create function pg_temp.play_replica(relations text[]) returns void language plpgsql as $$
declare
    found text;
begin
    select string_agg(relation, ', ') into found
    from unnest(relations) as relation where to_regclass(relation) is null;
    if found is not null then
        raise exception 'the target has no table %: restore what makes it first', found;
    end if;
    perform set_config('session_replication_role', 'replica', true);
exception when insufficient_privilege then
    raise exception 'rows alone need a role that may set session_replication_role, so that nothing acts on them';
end $$;

-- Names foreign keys that rows of these tables break: nobody has kept them.
create function pg_temp.find_orphans(relations text[]) returns void language plpgsql as $$
declare
    key record;
    orphans bigint;
begin
    for key in
        select k.oid, k.conname, format('%I.%I', n.nspname, c.relname) as relation,
            format('foreign key %s.%s %s', n.nspname, c.relname, k.conname) as what,
            case f.relkind when 'r' then 'only ' else '' end
                || format('%I.%I', fn.nspname, f.relname) as referred,
            pairs.refers, pairs.matches
        from pg_constraint k
        join pg_class c on c.oid = k.conrelid
        join pg_namespace n on n.oid = c.relnamespace
        join pg_class f on f.oid = k.confrelid
        join pg_namespace fn on fn.oid = f.relnamespace
        cross join lateral (
            select string_agg(format('c.%I is not null', a.attname),
                    case k.confmatchtype when 'f' then ' or ' else ' and ' end) as refers,
                string_agg(format('p.%I operator(%I.%s) c.%I%s', b.attname, opn.nspname, o.oprname, a.attname,
                    case when b.attcollation <> 0 then ' collate ' || b.attcollation::regcollation end),
                    ' and ') as matches
            from unnest(k.conkey, k.confkey, k.conpfeqop) as u (col, key, op)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.col
            join pg_attribute b on b.attrelid = k.confrelid and b.attnum = u.key
            join pg_operator o on o.oid = u.op
            join pg_namespace opn on opn.oid = o.oprnamespace
        ) as pairs
        where k.contype = 'f' and k.conrelid = any (relations::regclass[])
            and coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
            and coalesce(to_jsonb(k) ->> 'conperiod', 'false') = 'false'
            and not exists (
                select from pg_constraint w where w.oid = k.conparentid and w.conrelid = k.conrelid)
        order by n.nspname, c.relname, k.conname
    loop
        execute format(
            'select count(*) from only %s c where (%s) and not exists (select from %s p where %s)',
            key.relation, key.refers, key.referred, key.matches
        ) into orphans;
        if orphans > 0 then
            insert into pg_temp.restore_missing (what, reason, code, statement) values (
                'validity of ' || key.what,
                format('%s rows refer to none of %s', orphans, key.referred), '23503', ''
            );
        end if;
    end loop;
end $$;

-- Makes one object. What the server refuses is kept aside and takes nothing along; what
-- belongs on a table of the platform is only told. A schema of the platform that was
-- there is as it is.
create function pg_temp.make(
    scope text,
    kind text,
    name text,
    relation text,
    constraint_name text,
    statement text
) returns void language plpgsql as $$
begin
    if scope like 'managed:%' and exists (
        select from pg_temp.restore_present as present where present.name = substr(scope, 9)
    ) then
        return;
    end if;
    execute statement;
exception when others then
    if scope = 'attached' then
        raise warning 'not made: % %: % (%)', kind, name, sqlerrm, sqlstate;
    elsif pg_temp.ends_all(sqlstate) then
        raise exception using
            message = format('cannot make %s %s: %s', kind, name, sqlerrm), errcode = sqlstate;
    else
        insert into pg_temp.restore_missing
            (what, reason, code, statement, constrained, constraint_name)
        values (
            kind || ' ' || name, format('%s (%s)', sqlerrm, sqlstate), sqlstate, statement,
            relation, constraint_name
        );
    end if;
end $$;

-- Tries once more to make something; whether that went well.
create function pg_temp.attempt(missing_id integer, statement text) returns boolean
language plpgsql as $$
begin
    execute statement;
    return true;
exception when others then
    if pg_temp.ends_all(sqlstate) then
        raise;
    end if;
    update pg_temp.restore_missing
    set reason = format('%s (%s)', sqlerrm, sqlstate), code = sqlstate
    where id = missing_id;
    return false;
end $$;

-- Makes what was refused, in order, for as long as that helps.
create function pg_temp.make_while_it_helps() returns void language plpgsql as $$
declare
    missing record;
    helped boolean := true;
begin
    while helped loop
        helped := false;
        for missing in select * from pg_temp.restore_missing where statement <> '' order by id loop
            if pg_temp.attempt(missing.id, missing.statement) then
                delete from pg_temp.restore_missing where id = missing.id;
                helped := true;
            end if;
        end loop;
    end loop;
end $$;

-- Once more, and then where the source's own sessions find names that are not qualified.
create function pg_temp.try_again() returns void language plpgsql as $$
begin
    perform pg_temp.make_while_it_helps();
    perform set_config('search_path', pg_temp.source_path(), true);
    perform pg_temp.make_while_it_helps();
    perform set_config('search_path', '', true);
end $$;

create function pg_temp.source_path() returns text language sql as $$
    select source_path from pg_temp.restore_conduct
$$;

-- A constraint that rows break is there for new rows.
create function pg_temp.make_unvalidated() returns void language plpgsql as $$
declare
    missing record;
    told record;
begin
    perform set_config('search_path', pg_temp.source_path(), true);
    for missing in
        select * from pg_temp.restore_missing
        where constraint_name is not null and code in ('23503', '23514')
        order by id
    loop
        told := missing;
        -- Its own statement is the first; a comment may follow.
        if pg_temp.attempt(missing.id, overlay(
            missing.statement placing E' not valid;\n'
            from strpos(missing.statement, E';\n') for 2
        )) then
            update pg_temp.restore_missing
            set what = 'validity of ' || told.what, statement = format(
                E'alter table %s validate constraint %I;\n', told.constrained, told.constraint_name
            )
            where id = missing.id;
        else
            update pg_temp.restore_missing set reason = told.reason where id = missing.id;
        end if;
    end loop;
    perform set_config('search_path', '', true);
end $$;

-- Takes down that a table took no rows, without anything of a row.
create function pg_temp.leave(relation text, code text) returns void language plpgsql as $$
declare
    reason constant text := 'the server refuses them' || case code when 'unknown' then '' else ' with ' || code end;
begin
    if pg_temp.ends_all(code) then
        raise exception 'cannot load rows of %: %', relation, reason;
    end if;
    raise warning 'no rows of %: %', relation, reason;
    insert into pg_temp.restore_left values (relation);
    insert into pg_temp.restore_missing (what, reason, code, statement)
    values ('rows of ' || relation, reason, code, '');
end $$;

-- Columns as a list, quoted.
create function pg_temp.list(columns text[]) returns text language sql as $$
    select string_agg(format('%I', one), ', ' order by position)
    from unnest(columns) with ordinality as columns (one, position)
$$;

-- What COPY is told, so that it certainly begins: rows that are not awaited would be taken
-- for commands. Rows of a table that does not take them go nowhere; those of the platform's
-- tables, whose columns are the platform's to change, into a temporary table with the
-- source's columns.
create function pg_temp.aim(relation text, columns text[], types text[]) returns text
language plpgsql as $$
declare
    filled boolean;
    definition text;
begin
    perform set_config('search_path', pg_temp.source_path(), true);
    execute format('select exists (select from only %s)', relation) into filled;
    if filled then
        raise exception 'the target is not empty, it has rows in %', relation using errcode = 'P0009';
    end if;
    if types is not null then
        select string_agg(format('%I %s', one, kind), ', ' order by position) into definition
        from unnest(columns, types) with ordinality as columns (one, kind, position);
        execute format('create temporary table incoming (%s)', definition);
        return 'pg_temp.incoming' || pg_temp.columns_of(columns) || ' from stdin with (header)';
    end if;
    execute format(
        'explain insert into %s%s overriding system value select %s where false', relation,
        pg_temp.columns_of(columns), (select string_agg('null', ', ') from unnest(columns))
    );
    return relation || pg_temp.columns_of(columns) || ' from stdin with (header)';
exception when others then
    if sqlstate = 'P0009' then
        raise;
    end if;
    perform pg_temp.leave(relation, sqlstate);
    select string_agg(format('c%s text', position), ', ') into definition
    from generate_series(1, cardinality(columns)) as position;
    execute format('create temporary table nowhere (%s)', definition);
    return 'pg_temp.nowhere from stdin with (header) where false';
end $$;

create function pg_temp.columns_of(columns text[]) returns text language sql as $$
    select case cardinality(columns) when 0 then '' else format(' (%s)', pg_temp.list(columns)) end
$$;

-- The count and the checksum of a table as it is: of the texts that output functions write,
-- in UTF-8. Planning the query may run something of the app's, which may find its names only
-- where the source's own sessions do.
create function pg_temp.sums(relation text, columns text[]) returns text language plpgsql as $$
declare
    output constant text := case getdatabaseencoding()
        when 'UTF8' then 'concat(%1$I)'
        else 'convert_from(convert_to(concat(%1$I), ''UTF8''), getdatabaseencoding())'
    end;
    is_mixed constant boolean := (select row_hash = 'mixed' from pg_temp.restore_conduct);
    query constant text := format(
        'select concat_ws('' '', count(*), coalesce(sum(%3$s), 0), coalesce(sum(%4$s), 0)) '
        'from (select hash_array_extended(r collate "C", 0) as a, '
        'hash_array_extended(r collate "C", 7919) as b '
        'from (select array[%1$s]::text[] as r from only %2$s offset 0) as s offset 0) as h',
        (
            select string_agg(
                format('case when %1$I is distinct from null then ' || output || ' end', one),
                ', ' order by position
            )
            from unnest(columns) with ordinality as columns (one, position)
        ),
        relation,
        case when is_mixed then 'hashint8extended(a, b)' else 'a' end,
        case when is_mixed then 'hashint8extended(b, a)' else 'b' end
    );
    found text;
begin
    begin
        execute query into found;
    exception when others then
        perform set_config('search_path', pg_temp.source_path(), true);
        execute query into found;
        perform set_config('search_path', '', true);
    end;
    return found;
end $$;

create function pg_temp.compare(relation text, columns text[], expected text) returns void
language plpgsql as $$
declare
    found text;
begin
    if to_regclass(relation) is null or relation in (select l.relation from pg_temp.restore_left l) then
        return;
    end if;
    begin
        perform set_config('search_path', pg_temp.source_path(), true);
        execute format('analyze %s', relation);
        perform set_config('search_path', '', true);
    exception when others then
        raise warning 'no statistics of % yet: % (%)', relation, sqlerrm, sqlstate;
    end;
    begin
        found := pg_temp.sums(relation, columns);
    exception when others then
        if pg_temp.ends_all(sqlstate) then
            raise;
        end if;
        insert into pg_temp.restore_missing (what, reason, code, statement)
        values ('proof of rows of ' || relation, format('%s (%s)', sqlerrm, sqlstate), sqlstate, '');
        return;
    end;
    if found <> expected then
        raise exception '% is not equal to the backup', relation;
    end if;
end $$;

-- What is not known to be computed as the source had it.
create temporary table restore_doubts (what text);

-- What the server computed was made again and not restored: what differs is told.
create function pg_temp.compare_computed(
    what text,
    relation text,
    columns text[],
    expected text
) returns void language plpgsql as $$
declare
    differs constant text := 'not equal to the source, whose values were computed by something that has changed, or of rows that have';
    doubt text;
begin
    if to_regclass(relation) is null or relation in (select l.relation from pg_temp.restore_left l) then
        return;
    end if;
    begin
        if expected is null then
            doubt := 'not compared, because reading it runs code of the app';
        elsif pg_temp.sums(relation, columns) <> expected then
            doubt := differs;
        end if;
    exception
        when object_not_in_prerequisite_state then
            doubt := differs;
        when others then
            doubt := format('not compared: %s (%s)', sqlerrm, sqlstate);
    end;
    if doubt is not null then
        raise warning '%: %', what, doubt;
        insert into pg_temp.restore_doubts values (what);
    end if;
end $$;

-- How the last words go on.
create function pg_temp.doubted() returns text language sql as $$
    select case
        when exists (select from pg_temp.restore_doubts)
            then ', but for the computed values that the warnings name'
        else ''
    end
$$;

-- What came of the rows of a table.
create function pg_temp.came(
    relation text,
    columns text[],
    is_managed boolean,
    expected text,
    code text
) returns void language plpgsql as $$
begin
    if code <> '00000' then
        perform pg_temp.leave(relation, code);
    elsif is_managed and to_regclass('pg_temp.incoming') is not null then
        perform pg_temp.take_over(relation, columns, expected);
    end if;
    perform set_config('search_path', '', true);
    drop table if exists pg_temp.incoming, pg_temp.nowhere;
end $$;

-- Takes rows over with the columns that both sides have, and compares the two.
create function pg_temp.take_over(relation text, columns text[], expected text) returns void
language plpgsql as $$
declare
    shared text[];
begin
    if pg_temp.sums('pg_temp.incoming', columns) <> expected then
        raise exception '% is not equal to the backup', relation;
    end if;
    select array_agg(ours.attname order by ours.attnum) into shared
    from pg_attribute theirs join pg_attribute ours using (attname)
    where theirs.attrelid = relation::regclass and ours.attrelid = 'pg_temp.incoming'::regclass
    and theirs.attnum > 0 and ours.attnum > 0 and theirs.attgenerated = '';
    begin
        execute format(
            'insert into %s (%s) overriding system value select %2$s from pg_temp.incoming',
            relation, pg_temp.list(shared)
        );
    exception when others then
        perform pg_temp.leave(relation, sqlstate);
        return;
    end;
    if pg_temp.sums(relation, shared) <> pg_temp.sums('pg_temp.incoming', shared) then
        raise exception '% is not equal to the backup', relation;
    end if;
end $$;

-- The bundle's own schema settles what must not go on as it was, where it knows how to.
create function pg_temp.settle(snapshot text, taken_at text) returns void language plpgsql as $$
begin
    if exists (
        select from pg_proc
        where proname = 'after_restore' and pronamespace = to_regnamespace('ops')
    ) then
        perform pg_temp.make('app', 'call of', 'ops.after_restore', null, null, format(
            'select ops.after_restore(%L, %L, extract(epoch from clock_timestamp() - now())::numeric);',
            snapshot, taken_at
        ));
    end if;
end $$;

-- What a person is told of what is missing, and the SQL that makes it.
create function pg_temp.told() returns setof text language sql as $$
    select format('missing: %s: %s', regexp_replace(what, '\s+', ' ', 'g'), regexp_replace(reason, '\s+', ' ', 'g'))
    from pg_temp.restore_missing order by id
$$;

create function pg_temp.statements() returns setof text language sql as $$
    select format(
        E'-- %s\n-- %s\n%s', regexp_replace(what, '\s+', ' ', 'g'),
        regexp_replace(reason, '\s+', ' ', 'g'), statement
    )
    from pg_temp.restore_missing order by id
$$;

create function pg_temp.not_whole() returns void language plpgsql as $$
begin
    raise exception 'not everything could be restored; the SQL that makes the rest is in restore-missing.sql';
end $$;
