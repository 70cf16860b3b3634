-- Schema ops: what the operations bundle remembers, and who may touch it.
--
-- Why: the tables are not exposed by PostgREST; they are reached through the
-- functions public.ops_*, which answer one JSON document each and which only
-- the server's key may execute. Every table of ours has row level security and
-- no policy, so that nobody else sees a row even with a stray grant.
-- Undo: drop schema ops cascade, and the functions public.ops_*.

set local search_path = '';

create schema if not exists ops;

comment on schema ops is 'What the operations bundle remembers; reached through public.ops_* only.';

revoke all on schema ops from public, anon, authenticated;
grant usage on schema ops to service_role;

alter default privileges in schema ops grant select, insert, update, delete on tables to service_role;
alter default privileges in schema ops grant usage, select on sequences to service_role;
alter default privileges in schema ops grant execute on functions to service_role;

-- Words ----------------------------------------------------------------------

create function ops.severity_of(p_word text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case lower(p_word)
        when 'critical' then 'critical'
        when 'error' then 'high'
        when 'warning' then 'medium'
        when 'info' then 'low'
        when 'high' then 'high'
        when 'medium' then 'medium'
        when 'low' then 'low'
    end
$$;

comment on function ops.severity_of(text) is
    'The one place where severity words meet: the application''s critical / error / warning / info become our critical / high / medium / low; ours stay; any other word is null.';

create function ops.severity_rank(p_severity text)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case p_severity
        when 'critical' then 4
        when 'high' then 3
        when 'medium' then 2
        when 'low' then 1
    end
$$;

comment on function ops.severity_rank(text) is
    'How bad a severity is, 4 for critical down to 1 for low, to compare and to order.';

create function ops.normalise_message(p_message text)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    -- One pass puts # for quoted strings, URLs, paths, uuids, long hex words and
    -- numbers (\Y: not after a letter, so that "can't" opens no quotation); a
    -- second collapses blanks. The input is cut first, so that a page of text
    -- costs no more than a line.
    return left(btrim(regexp_replace(
        regexp_replace(
            lower(left(p_message, 1000)),
            '"[^"]*"|\Y''[^'']*''|`[^`]*`'
            '|[a-z][a-z0-9+.-]*://\S+|\Y/[^\s/]\S*'
            '|\m[0-9a-f]{8,}(-[0-9a-f]{4,})*\M'
            '|\d+(\.\d+)*',
            '#', 'g'
        ),
        '\s{2,}|[\n\r\t]', ' ', 'g'
    )), 200);
end
$$;

comment on function ops.normalise_message(text) is
    'A message without what differs between two occurrences of one error: lower case, # for quoted strings, URLs, paths, uuids, hex words and numbers, single blanks, 200 characters.';

create function ops.message_key(p_message text)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return md5(ops.normalise_message(p_message));
end
$$;

comment on function ops.message_key(text) is
    'The hash of a normalised message, for fingerprints, which never contain message text.';

-- Liveness -------------------------------------------------------------------

create function public.ops_ping()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object('now', now(), 'version', current_setting('server_version'))
$$;

comment on function public.ops_ping() is
    'The database''s time and version: what the health probe asks, touching no table.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_ping() from public, anon, authenticated;
grant execute on function public.ops_ping() to service_role;
