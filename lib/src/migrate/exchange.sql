-- Puts one set of functions in the place of another, whole or not at all.
--
-- The migrator runs this file and then calls pg_temp.exchange_functions with
-- the set's texts; an exported set does the same in its own text. Everything
-- here lives in the session's temporary schema and vanishes with it.

-- Every function that is ours, and all that decides whether another definition
-- can be put in its place.
create or replace temporary view our_functions as
select
    p.oid as function,
    n.nspname as schema,
    p.proname as name,
    p.prokind as kind,
    pg_catalog.pg_get_function_identity_arguments(p.oid) as arguments,
    pg_catalog.pg_get_function_result(p.oid) as result,
    p.pronargdefaults as defaults
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where n.nspname = 'ops' or (n.nspname = 'public' and p.proname like 'ops\_%');

-- Composite types that are no table's rows.
create or replace temporary view our_types as
select
    t.oid as type,
    t.typname as name,
    pg_catalog.jsonb_build_array(
        (
            select pg_catalog.jsonb_agg(
                pg_catalog.jsonb_build_array(
                    a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
                )
                order by a.attnum
            )
            from pg_catalog.pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        ),
        pg_catalog.obj_description(t.oid, 'pg_type')
    ) as body
from pg_catalog.pg_type as t
inner join pg_catalog.pg_class as c on c.oid = t.typrelid
where t.typnamespace = (select n.oid from pg_catalog.pg_namespace as n where n.nspname = 'ops') and c.relkind = 'c';

-- Triggers that call a function of ours.
create or replace temporary view our_triggers as
select t.oid as trigger, t.xmin as written_by, t.tgfoid as function, t.tgname as name, t.tgrelid as on_table
from pg_catalog.pg_trigger as t
inner join pg_temp.our_functions as f on f.function = t.tgfoid
where not t.tgisinternal;

-- The types that the set in force made, as far as they are still there.
create or replace function pg_temp.types_in_force()
returns setof pg_temp.our_types
language sql
set search_path = ''
as $$
    select t.*
    from pg_temp.our_types as t
    where t.name = any((select s.types from ops.function_sets as s order by s.id desc limit 1)::text[])
$$;

-- Makes the set beside what is there, reads what the server understood, and
-- takes all of it back.
create or replace function pg_temp.read_set(p_types text, p_functions text)
returns jsonb
language plpgsql
set search_path = ''
set check_function_bodies = off
as $$
declare
    v_functions oid[];
    v_types oid[];
    v_statement text;
    v_read jsonb;
begin
    select array_agg(f.function) into v_functions from pg_temp.our_functions as f;
    select array_agg(t.type) into v_types from pg_temp.our_types as t;
    begin
        for v_statement in
            select format('alter routine %s rename to %I', f.function::regprocedure, 'aside ' || f.function)
            from pg_temp.our_functions as f
            union all
            select format('alter type %s rename to %I', t.type::regtype, 'aside ' || t.type)
            from pg_temp.types_in_force() as t
        loop
            execute v_statement;
        end loop;
        execute p_types;
        execute p_functions;
        v_read := jsonb_build_object(
            'functions',
            (
                select jsonb_agg(to_jsonb(f) - 'function')
                from pg_temp.our_functions as f
                where f.function <> all(coalesce(v_functions, '{}'))
            ),
            'types',
            (
                select coalesce(jsonb_object_agg(t.name, t.body), '{}')
                from pg_temp.our_types as t
                where t.type <> all(coalesce(v_types, '{}'))
            )
        );
        raise exception using errcode = 'OPS01', message = 'only to take it back';
    exception when sqlstate 'OPS01' then
        return v_read;
    end;
end
$$;

-- Whether the types of the set are as those in force. Where one differs, all
-- are made anew.
create or replace function pg_temp.keeps_types(p_set jsonb)
returns boolean
language sql
set search_path = ''
as $$
    select p_set -> 'types' = (select coalesce(jsonb_object_agg(t.name, t.body), '{}') from pg_temp.types_in_force() as t)
$$;

-- Drops what the set cannot be put over: functions that it lacks or that have
-- another signature there, and what rests on a type that is made anew. Nothing
-- that is not ours goes along: the server refuses to drop what it rests on.
create or replace function pg_temp.clear_the_way(p_set jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_keeps_types constant boolean := pg_temp.keeps_types(p_set);
    v_functions oid[];
    v_trigger record;
    v_statement text;
begin
    select array_agg(f.function) into v_functions
    from pg_temp.our_functions as f
    where
        not exists (
            select 1
            from jsonb_to_recordset(p_set -> 'functions')
                as new (schema text, name text, kind text, arguments text, result text, defaults integer)
            where
                new.schema = f.schema and new.name = f.name and new.kind = f.kind::text
                and new.arguments = f.arguments and new.result is not distinct from f.result
                and new.defaults >= f.defaults
        )
        or (
            not v_keeps_types
            and exists (
                select 1
                from pg_catalog.pg_depend as d
                inner join pg_catalog.pg_type as made on made.oid = d.refobjid or made.typarray = d.refobjid
                where
                    d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = f.function
                    and d.refclassid = 'pg_catalog.pg_type'::regclass
                    and made.oid in (select t.type from pg_temp.types_in_force() as t)
            )
        );
    for v_trigger in
        select t.name, t.on_table from pg_temp.our_triggers as t where t.function = any(v_functions)
    loop
        execute format('drop trigger %I on %s', v_trigger.name, v_trigger.on_table::regclass);
    end loop;
    select 'drop routine ' || string_agg(one::regprocedure::text, ', ') into v_statement
    from unnest(v_functions) as one;
    if v_statement is not null then
        execute v_statement;
    end if;
    if not v_keeps_types then
        select 'drop type ' || string_agg(t.type::regtype::text, ', ') into v_statement
        from pg_temp.types_in_force() as t;
        if v_statement is not null then
            execute v_statement;
        end if;
    end if;
end
$$;

-- Runs the triggers of the set and drops those that it did not write.
create or replace function pg_temp.exchange_triggers(p_triggers text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_before text[];
    v_trigger record;
begin
    select array_agg(format('%s %s', t.trigger, t.written_by)) into v_before from pg_temp.our_triggers as t;
    -- Some stand on tables of the application, whose statements wait behind this one.
    perform set_config('lock_timeout', '900ms', true);
    execute p_triggers;
    for v_trigger in
        select t.name, t.on_table from pg_temp.our_triggers as t where format('%s %s', t.trigger, t.written_by) = any(v_before)
    loop
        execute format('drop trigger %I on %s', v_trigger.name, v_trigger.on_table::regclass);
    end loop;
end
$$;

-- Waits until no call that writes is running, and keeps new ones waiting until
-- the transaction ends, or the session.
create or replace function pg_temp.stop_calls(p_for_the_session boolean)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform set_config('lock_timeout', '5s', true);
    -- The bytes of `pourtset`; ops.hold_functions takes the same, shared.
    if p_for_the_session then
        perform pg_advisory_lock(8101823389103252852);
    else
        perform pg_advisory_xact_lock(8101823389103252852);
    end if;
    -- From here on calls are waiting, and the API gives up on them after 8 s.
    perform set_config('lock_timeout', '2s', true);
exception when lock_not_available then
    raise exception using
        errcode = 'lock_not_available',
        message = 'calls that write kept the functions in use for 5 s',
        detail = coalesce(
            (
                select string_agg(
                    format(
                        'process %s (application %s, user %s, %s since %s): %s',
                        l.pid, nullif(a.application_name, ''), a.usename, a.state,
                        date_trunc('seconds', a.xact_start), left(regexp_replace(a.query, '\s+', ' ', 'g'), 100)
                    ),
                    E'\n'
                    order by a.xact_start
                )
                from pg_catalog.pg_locks as l
                left join pg_catalog.pg_stat_activity as a on a.pid = l.pid
                where
                    l.locktype = 'advisory' and l.granted and l.objsubid = 1
                    and l.database = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database())
                    and (l.classid::bigint << 32) | l.objid::bigint = 8101823389103252852
            ),
            'they have ended meanwhile'
        );
end
$$;

create or replace function pg_temp.exchange_functions(
    p_release text,
    p_sha256 text,
    p_types text,
    p_functions text,
    p_triggers text,
    p_seeds text,
    p_grants text,
    p_sources text
)
returns void
language plpgsql
set search_path = ''
set check_function_bodies = off
as $$
declare
    v_is_first constant boolean := not exists (select 1 from pg_temp.our_functions);
    v_makes_types boolean := true;
    v_set jsonb;
    v_others oid[];
    v_types text[];
begin
    -- Calls wait only for the exchange itself, not for the reading before it.
    if not v_is_first then
        v_set := pg_temp.read_set(p_types, p_functions);
    end if;
    perform pg_temp.stop_calls(false);
    if not v_is_first then
        v_makes_types := not pg_temp.keeps_types(v_set);
        perform pg_temp.clear_the_way(v_set);
    end if;
    select array_agg(t.name order by t.name) into v_types from pg_temp.types_in_force() as t;
    if v_makes_types then
        select array_agg(t.type) into v_others from pg_temp.our_types as t;
        execute p_types;
        select array_agg(t.name order by t.name) into v_types
        from pg_temp.our_types as t
        where t.type <> all(coalesce(v_others, '{}'));
    end if;
    execute p_functions;
    perform pg_temp.exchange_triggers(p_triggers);
    execute p_seeds;
    execute p_grants;
    insert into ops.function_sets (release, sha256, types, functions, sources)
    values (p_release, p_sha256, coalesce(v_types, '{}'), pg_temp.digest_functions(), p_sources::jsonb);
    notify pgrst, 'reload schema';
end
$$;
