-- The schema of another app, small and unlike the first: rooms that are booked and paid for.
-- It has what the wine app has not: an enum, ranges, identity columns, a partitioned table.

create type public.booking_state as enum ('held', 'confirmed', 'cancelled');

create table public.rooms (
    id bigint generated always as identity primary key,
    name text not null unique,
    beds integer not null check (beds between 1 and 12)
);

create table public.bookings (
    id uuid primary key default gen_random_uuid(),
    room bigint not null references public.rooms (id) on delete cascade,
    guest uuid references auth.users (id) on delete set null,
    stay tstzrange not null check (not isempty(stay)),
    state public.booking_state not null default 'held',
    nights integer generated always as (
        extract(day from upper(stay) - lower(stay))::integer
    ) stored
);

create index bookings_stay_idx on public.bookings using gist (stay);

create table public.payments (
    booking uuid not null references public.bookings (id) on delete cascade,
    paid_at date not null,
    cents bigint not null check (cents <> 0),
    primary key (booking, paid_at)
) partition by range (paid_at);

create table public.payments_2026 partition of public.payments
    for values from ('2026-01-01') to ('2027-01-01');
create table public.payments_later partition of public.payments default;

alter table public.bookings enable row level security;
create policy guests_see_their_own on public.bookings
    for select to authenticated using ((select auth.uid()) = guest);

insert into public.rooms (name, beds)
select 'room ' || n, 1 + n % 4 from generate_series(1, 20) as n;

insert into public.bookings (room, stay, state)
select
    1 + n % 20,
    tstzrange('2026-06-01Z'::timestamptz + n * interval '1 day', '2026-06-04Z'::timestamptz + n * interval '1 day'),
    (array['held', 'confirmed', 'cancelled'])[1 + n % 3]::public.booking_state
from generate_series(1, 300) as n;

insert into public.payments (booking, paid_at, cents)
select id, lower(stay)::date, 9900 * nights from public.bookings where state = 'confirmed';
