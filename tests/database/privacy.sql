-- An application in whose tables people stand in every way that keys allow. Whoever has the
-- number n is one of several alike, so that what stays of others can be counted.

create table public.profiles (
    id uuid primary key references auth.users on delete cascade,
    name text,
    best_wine bigint
);
create table public.wines (
    id bigint primary key,
    owner uuid not null references public.profiles on delete cascade,
    label text
);
-- A cycle: a profile names a wine of its own.
alter table public.profiles add foreign key (best_wine) references public.wines;

-- Rows that forbid to delete what they refer to, and go with it.
create table public.tastings (
    wine bigint not null references public.wines on delete restrict,
    taster uuid not null references auth.users,
    primary key (wine, taster)
);

-- Names two people; the row is the taker's.
create table public.gifts (
    id bigint primary key,
    giver uuid references auth.users on delete set null,
    taker uuid references auth.users on delete cascade,
    words text
);

-- Rows that have to refer to each other.
create table public.pairs_of (
    id bigint primary key,
    other bigint not null,
    person uuid not null references auth.users on delete cascade
);
create table public.pairs_to (
    id bigint primary key,
    other bigint not null references public.pairs_of deferrable initially deferred
);
alter table public.pairs_of add foreign key (other) references public.pairs_to deferrable initially deferred;

-- A chain of own rows, and of a table with parts.
create table public.diary (
    id bigint not null,
    person uuid not null references auth.users on delete cascade,
    day date not null,
    primary key (id, day)
) partition by range (day);
create table public.diary_2025 partition of public.diary for values from ('2025-01-01') to ('2026-01-01');
create table public.diary_2026 partition of public.diary for values from ('2026-01-01') to ('2027-01-01');

-- What somebody has decided stays, and does not say who it was.
create table public.decisions (
    id bigint primary key,
    decided_by uuid references auth.users,
    what text not null,
    ip_address inet,
    detail jsonb
);

-- Rows that a key would keep, though they are about nobody else.
create table public."Odd ""notes""" (
    id bigint primary key,
    "user id" uuid references auth.users on delete set null,
    text text
);

-- Names somebody in a way that nobody can follow.
create table public.imports (id bigint primary key, detail jsonb not null, one text);

do $$
declare
    v_table integer;
begin
    for v_table in 1..24 loop
        execute format(
            'create table public.part_%s (
                id bigint primary key,
                above bigint not null references public.%s on delete cascade
            )',
            v_table, case v_table when 1 then 'wines' else 'part_' || v_table - 1 end
        );
    end loop;
end
$$;

create function public.add_person(p_n integer) returns uuid language plpgsql as $$
declare
    v_id uuid := format('00000000-0000-4000-8000-%s', lpad(p_n::text, 12, '0'));
    v_email text := format('Person.%s@Wine.example', p_n);
    v_table integer;
begin
    insert into auth.users (id, email, encrypted_password) values (v_id, v_email, 'hashed');
    insert into auth.identities (provider_id, user_id, identity_data, provider)
    values (v_id, v_id, jsonb_build_object('email', v_email), 'email');
    insert into public.profiles (id, name) values (v_id, 'Person ' || p_n);
    insert into public.wines (id, owner, label) values (10 * p_n, v_id, 'red'), (10 * p_n + 1, v_id, 'white');
    update public.profiles set best_wine = 10 * p_n where id = v_id;
    insert into public.tastings (wine, taster) values (10 * p_n, v_id), (10 * p_n + 1, v_id);
    insert into public.gifts (id, giver, taker, words) values (10 * p_n, v_id, v_id, 'to myself');
    set constraints all deferred;
    insert into public.pairs_of (id, other, person) values (p_n, p_n, v_id);
    insert into public.pairs_to (id, other) values (p_n, p_n);
    set constraints all immediate;
    insert into public.diary (id, person, day) values (p_n, v_id, '2025-06-01'), (p_n, v_id, '2026-06-01');
    insert into public.decisions (id, decided_by, what, ip_address, detail)
    values (p_n, v_id, v_email || ' said yes', '192.0.2.7', jsonb_build_object('by', jsonb_build_array(v_id, v_email)));
    insert into public."Odd ""notes""" (id, "user id", text) values (p_n, v_id, 'mine');
    for v_table in 1..24 loop
        execute format(
            'insert into public.part_%s (id, above) values ($1, $2)', v_table
        ) using p_n, case v_table when 1 then 10 * p_n else p_n end;
    end loop;
    insert into public.analytics_events (event_name, user_id, session_id, ip_address, user_agent, properties)
    values ('wine_added', v_id, 's' || p_n, '192.0.2.7', 'Firefox', jsonb_build_object('email', lower(v_email)));
    insert into public.user_sessions (user_id) values (v_id);
    insert into public.error_logs (message, user_id, severity) values ('no wine for ' || v_id, v_id, 'low');
    insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id, ip_address)
    values ('/api/wines', 'GET', 200, 12, v_id, '192.0.2.7');
    return v_id;
end
$$;
