-- The cheapest question that only a migrated database answers.

create or replace function public.ops_ping()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object('now', now(), 'version', current_setting('server_version'))
$$;

comment on function public.ops_ping() is
    'The database''s time and version. The health probe calls this, because it touches no table.';
