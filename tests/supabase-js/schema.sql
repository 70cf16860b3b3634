-- What contract.js reads and writes. Everything begins with contract_, and
-- goes again when the script ends.

begin;
drop table if exists public.contract_wines, public.contract_notes, public.contract_stock cascade;

create table public.contract_wines (
    id integer primary key,
    name text not null,
    vintage integer,
    price numeric(20, 5),
    tags text [] not null default '{}',
    data jsonb,
    tasted_at timestamptz
);
alter table public.contract_wines enable row level security;
create policy contract_wines_read on public.contract_wines for select to anon, authenticated using (true);
grant select on public.contract_wines to anon, authenticated;
grant all on public.contract_wines to service_role;

create table public.contract_notes (
    id integer generated always as identity primary key,
    owner uuid not null default auth.uid(),
    text text not null
);
alter table public.contract_notes enable row level security;
create policy contract_notes_own on public.contract_notes for all to authenticated
using (owner = auth.uid()) with check (owner = auth.uid());
grant select, insert, update, delete on public.contract_notes to anon, authenticated, service_role;

create table public.contract_stock (
    shelf text,
    slot integer,
    bottles integer default 6,
    primary key (shelf, slot)
);
alter table public.contract_stock enable row level security;
grant all on public.contract_stock to service_role;

create or replace function public.contract_add(a integer, b integer default 10) returns integer
language sql immutable as 'select a + b';
create or replace function public.contract_search(part text) returns setof public.contract_wines
language sql stable as $$select * from public.contract_wines where name ilike '%' || part || '%'$$;
create or replace function public.contract_total(numbers integer []) returns bigint
language sql immutable as 'select sum(n) from unnest(numbers) as n';
create or replace function public.contract_touch() returns void language sql volatile as 'select';
create or replace function public.contract_refuse() returns void language plpgsql volatile as $$
begin
    raise exception 'refused' using detail = 'because', hint = 'try not to', errcode = 'PT409';
end
$$;
create or replace function public.contract_who() returns json
language sql stable as 'select json_build_object(''role'', auth.role(), ''uid'', auth.uid())';
commit;

notify pgrst, 'reload schema';
