-- Every feature of a schema that a backup covers, with names that have to be
-- quoted. Run as postgres on a migrated database with the app's tables.

create schema shop;
create schema "Größe & ""Ding""";
comment on schema shop is 'What is sold; \. it''s "quoted"
on two lines';
create extension if not exists citext with schema extensions;
create extension if not exists btree_gist with schema extensions;
create schema geo;
create extension if not exists hstore with schema geo;

-- Types ----------------------------------------------------------------------

create type shop.colour as enum ('red', 'it''s white', 'rosé', 'back\slash');
create type shop.point as (x double precision, "y ""axis""" numeric(8, 2), label text collate "C");
comment on type shop.point is 'Where a bottle lies.';
comment on column shop.point.x is 'From the left.';
create type shop."Straße" as (at shop.point, colours shop.colour []);
create function shop.distance(a double precision, b double precision) returns double precision
    language sql immutable as $$ select abs(a - b) $$;
create type shop.span as range (subtype = double precision, subtype_diff = shop.distance);
create type shop.words as range (subtype = text, collation = "C", multirange_type_name = shop."Many Words");
create domain shop.price as numeric(10, 2) default 0 not null constraint "not negative" check (value >= 0);
comment on domain shop.price is 'Euro.';
comment on constraint "not negative" on domain shop.price is 'Nobody is paid for wine.';
create domain shop.year as integer;
create function shop.plausible(p_year shop.year) returns boolean language sql immutable
    as $$ select p_year between 1800 and 2100 $$;
alter domain shop.year add constraint plausible check (shop.plausible(value));
create domain shop.label as text collate "C" check (value <> '');
create collation shop.numeric_order (provider = icu, locale = 'en-u-kn-true', deterministic = false);
comment on collation shop.numeric_order is '2 before 10';
create collation shop.plain (provider = libc, locale = 'C');
grant usage on type shop.colour to anon with grant option;
revoke usage on type shop.price from public;

-- Functions ------------------------------------------------------------------

create function shop.next_number() returns bigint language plpgsql as $$
begin
    -- A body that looks like $function$ and ends no quote.
    return nextval('shop.numbers');
end
$$;
create function shop.add(a integer, variadic b integer [] default '{1,2}') returns integer
    language sql immutable parallel safe cost 7 as $$ select a $$;
create procedure shop."Räumen"(inout p_count integer) language plpgsql security definer
    set search_path = '' set statement_timeout = '5s' as $$ begin p_count := 0; end $$;
comment on procedure shop."Räumen" is 'Clears.';
create procedure shop.two_out(out a integer, out b text) language sql as $$ select 1, 'x' $$;
comment on procedure shop.two_out is 'Answers.';
create function shop.two_out(out a integer, inout b text, c integer default 3) language sql as $$ select 1, 'x' $$;
create function shop.body(a integer) returns integer begin atomic select a + 1; select a + 2; end;
create function shop.pick(text) returns table (id integer, "Näme" text) rows 3 strict stable
    language sql as $$ select 1, $1 $$;
create function shop.first_of(anyelement, anyelement) returns anyelement language sql immutable
    as $$ select coalesce($1, $2) $$;
create aggregate shop.first(anyelement) (sfunc = shop.first_of, stype = anyelement, parallel = safe);
comment on aggregate shop.first(anyelement) is 'The first that is not null.';
create function shop.add_float(double precision, double precision) returns double precision
    language sql immutable as $$ select $1 + $2 $$;
create function shop.take_float(double precision, double precision) returns double precision
    language sql immutable as $$ select $1 - $2 $$;
create function shop.finish(double precision) returns text language sql immutable as $$ select $1::text $$;
create aggregate shop.total(double precision) (
    sfunc = shop.add_float, stype = double precision, initcond = '0', finalfunc = shop.finish,
    msfunc = shop.add_float, minvfunc = shop.take_float, mstype = double precision, minitcond = '0',
    mfinalfunc = shop.finish, sspace = 16
);
create function shop.points_equal(shop.point, shop.point) returns boolean language sql immutable
    as $$ select $1.x = $2.x $$;
create function shop.gather(numeric [], numeric) returns numeric [] language sql immutable
    as $$ select array_append($1, $2) $$;
create function shop.last_of(numeric []) returns numeric language sql immutable as $$ select $1 [array_length($1, 1)] $$;
create aggregate shop.last(order by numeric) (sfunc = shop.gather, stype = numeric [], finalfunc = shop.last_of, initcond = '{}');
comment on aggregate shop.last(order by numeric) is 'An ordered one.';
create function shop.one_more(bigint) returns bigint language sql immutable as $$ select $1 + 1 $$;
create aggregate shop.how_many(*) (sfunc = shop.one_more, stype = bigint, initcond = '0', combinefunc = int8pl);
grant execute on function shop.how_many() to anon;
create operator shop.!! (function = shop.one_more, rightarg = bigint);
create domain shop.numbered as bigint default shop.next_number();
create domain shop.twice as shop.numbered check (value < 1000);
create function shop.with_default(a bigint default shop.next_number(), b shop.twice [] default null) returns void
    language sql as $$ $$;
alter function shop.with_default depends on extension hstore;
create operator shop.=== (
    function = shop.points_equal, leftarg = shop.point, rightarg = shop.point,
    commutator = operator(shop.===), restrict = eqsel, join = eqjoinsel
);
comment on operator shop.=== (shop.point, shop.point) is 'The same place.';
create function shop.to_point(double precision) returns shop.point language sql immutable
    as $$ select row($1, 0, '')::shop.point $$;
create cast (double precision as shop.point) with function shop.to_point(double precision) as assignment;
create cast (shop.point as text) with inout;
comment on cast (shop.point as text) is 'As it is typed.';
create text search dictionary shop.no_stop (template = pg_catalog.simple, accept = false, stopwords = english);
create text search configuration shop.wine (copy = pg_catalog.english);
alter text search configuration shop.wine alter mapping for asciiword with shop.no_stop, english_stem;
comment on text search configuration shop.wine is 'English, mostly.';

-- Sequences and tables ---------------------------------------------------------

create sequence shop.numbers as integer increment by -3 minvalue -900 maxvalue 900 start with 12 cache 5 cycle;
create unlogged sequence shop.fleeting;
create table shop.cellars (
    id bigint generated always as identity (start with 100 increment by 5 sequence name shop."Cellar ID"),
    other integer generated by default as identity,
    name text collate "C" not null,
    "Größe ""m²""" numeric(12, 3) default 1.5,
    volume numeric generated always as ("Größe ""m²""" * 2) stored,
    number bigint default shop.next_number(),
    serial_number serial,
    keeper uuid references auth.users (id) on delete set null,
    parent bigint,
    colours shop.colour [] default '{red}',
    spot shop.point,
    during tstzrange,
    price shop.price,
    vintage shop.year default 1990,
    word extensions.citext default 'x',
    tags geo.hstore,
    doc text compression pglz,
    wine_text tsvector generated always as (to_tsvector('shop.wine', coalesce('a', ''))) stored,
    finished text generated always as (shop.finish(1.5)) stored,
    flags bit varying(12) default B'101',
    created_at timestamptz(3) not null default now(),
    constraint "Keller, der" primary key (id) include (name),
    unique nulls not distinct (name, parent) deferrable initially deferred,
    constraint sane check (number <> 3) no inherit,
    exclude using gist (name with =, during with &&) where (number > 0)
) with (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_vacuum_threshold = 99);
alter table shop.cellars drop column flags;
alter table shop.cellars add column late interval day to second (2) default '1 day';
alter table shop.cellars alter column doc set storage external;
alter table shop.cellars alter column name set statistics 77;
alter table shop.cellars alter column number set (n_distinct = -0.5, n_distinct_inherited = 3);
alter table shop.cellars add constraint "later" check (vintage > 0) not valid;
alter table shop.cellars add foreign key (parent) references shop.cellars (id) deferrable initially deferred;
alter table shop.cellars add constraint "number, unique" unique (number) with (fillfactor = 60);
alter table shop.cellars replica identity using index "Keller, der";
alter table shop.cellars cluster on "number, unique";
comment on table shop.cellars is E'tab\there';
comment on column shop.cellars."Größe ""m²""" is 'Square metres';
comment on constraint sane on shop.cellars is 'three is right out';
comment on index shop."number, unique" is 'an index of a constraint';
comment on sequence shop."Cellar ID" is 'the sequence of an identity column';

-- A circle of foreign keys.
create table shop.left_hand (id integer primary key, other integer);
create table shop.right_hand (id integer primary key, other integer references shop.left_hand match full on update cascade);
alter table shop.left_hand add foreign key (other) references shop.right_hand not valid;
-- A table whose default takes its own row type, and one without columns.
create table shop.own (id integer, n integer);
create function shop.of_own(shop.own) returns integer language sql as $$ select 1 $$;
alter table shop.own alter column n set default shop.of_own(null);
create table shop.nothing ();
alter table shop.own replica identity full;
create unlogged table shop."Flüchtig" (id bigserial primary key);
create table "Größe & ""Ding"""."Tab.elle" ("a.b" integer primary key, "select" text);

-- Partitions: list of ranges of hashes, defaults, keys and foreign keys ---------

create table shop.sales (
    id bigint not null, region text not null, sold_on date not null default current_date, cellar bigint,
    amount shop.price, constraint sales_key primary key (id, region, sold_on)
) partition by list (region);
create table shop.sales_eu partition of shop.sales (constraint eu_only check (amount < 1000000))
    for values in ('de', 'fr', null) partition by range (sold_on);
create table shop.sales_eu_old partition of shop.sales_eu for values from (minvalue) to ('2020-01-01');
create table shop."sales EU new" partition of shop.sales_eu for values from ('2020-01-01') to (maxvalue)
    partition by hash (id);
create table shop.sales_eu_new_0 partition of shop."sales EU new" for values with (modulus 2, remainder 0);
create table shop.sales_eu_new_1 partition of shop."sales EU new" for values with (modulus 2, remainder 1);
create table shop.sales_rest partition of shop.sales default;
alter table shop.sales add foreign key (cellar) references shop.cellars (id);
alter table shop.sales add constraint "positive" check (id > 0);
create index sales_by_date on shop.sales (sold_on desc nulls last);
create index only_here on shop.sales_rest (amount);
create table shop.returns (
    id bigint, region text, sold_on date,
    foreign key (id, region, sold_on) references shop.sales on delete cascade
);
create table shop.by_expression (id integer, name text) partition by range (lower(name) collate "C", id);
create index on shop.by_expression (id);
alter table shop.sales_rest alter column cellar set default 7;
comment on index shop.sales_by_date is 'on a partitioned table';

create table shop.sales_late (
    amount shop.price, gone integer, sold_on date not null, region text not null, cellar bigint, id bigint not null,
    constraint positive check (id > 0)
);
alter table shop.sales_late drop column gone;
alter table shop.sales attach partition shop.sales_late for values in ('at');
alter table shop.sales_rest alter column sold_on drop default;
create table shop.counted (id bigint generated always as identity, r integer) partition by list (r);
create table shop.counted_1 partition of shop.counted for values in (1);

-- Inheritance ------------------------------------------------------------------

create table shop.base (id integer not null, note text default 'base', doubled integer generated always as (id * 2) stored,
    constraint short check (length(note) < 99));
create table shop.mixin (extra integer);
create table shop.child (own_column text, note text default 'child') inherits (shop.base, shop.mixin);
alter table shop.child alter column extra set not null;
create table shop.grandchild () inherits (shop.child);
alter table shop.grandchild alter column note drop default;
alter table shop.grandchild alter column extra set default 5;
comment on constraint short on shop.child is 'inherited';

-- Indexes and statistics -------------------------------------------------------

create index "Index, Ausdruck" on shop.cellars using btree (lower(name) collate "C" text_pattern_ops, (number + 1) desc)
    include (price) with (fillfactor = 50) where price > 3;
alter index shop."Index, Ausdruck" alter column 2 set statistics 321;
comment on index shop."Index, Ausdruck" is 'by expression';
create index on shop.cellars using gin (wine_text) with (fastupdate = off);
create unique index on shop.cellars (keeper) nulls not distinct;
create statistics shop."Stat" (ndistinct, mcv) on name, number from shop.cellars;
alter statistics shop."Stat" set statistics 50;
create statistics shop.by_function on (lower(name)) from shop.cellars;
alter index shop."Index, Ausdruck" depends on extension citext;
comment on statistics shop."Stat" is 'together';

-- Views ------------------------------------------------------------------------

create view shop.cheap with (security_invoker = true, security_barrier = true) as
    select id, name, price as "der Preis" from shop.cellars where price < 10 with local check option;
comment on view shop.cheap is 'for everyone';
comment on column shop.cheap."der Preis" is 'renamed';
alter view shop.cheap alter column name set default 'cheap one';
create view shop.a_first as select * from shop.cheap with cascaded check option;
-- A grouped view depends on a primary key, and a function on the view's rows.
create view shop.grouped as select c.id, c.name, count(*) from shop.cellars c group by c.id;
create function shop.grouped_rows() returns setof shop.grouped language sql as $$ select * from shop.grouped $$;
create view shop.of_function as select * from shop.grouped_rows();
create view shop.numbers_to_ten as
    with recursive t (n) as (values (1) union all select n + 1 from t where n < 10) select n from t;
create materialized view shop.b_totals with (fillfactor = 80) as select region, sum(amount) as total from shop.sales group by region;
create unique index on shop.b_totals (region);
alter materialized view shop.b_totals alter column total set statistics 12;
create materialized view shop.a_of_totals as select count(*) from shop.b_totals;
create materialized view shop.empty as select 1 as one with no data;
comment on materialized view shop.empty is 'not filled yet';

-- Triggers and rules -------------------------------------------------------------

create function shop.touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger "Vorher, ""immer""" before insert or update of name, price on shop.cellars
    for each row when (new.name is not null) execute function shop.touch('it''s', '\x');
create constraint trigger checked after update on shop.cellars deferrable initially deferred
    for each row execute function shop.touch();
create trigger statement_wise after insert on shop.cellars referencing new table as fresh
    for each statement execute function shop.touch();
create trigger instead instead of insert on shop.grouped for each row execute function shop.touch();
create trigger on_sales after insert on shop.sales for each row execute function shop.touch();
alter table shop.sales_rest disable trigger on_sales;
alter table shop.cellars disable trigger statement_wise;
alter table shop.cellars enable always trigger checked;
comment on trigger checked on shop.cellars is 'always';
create rule "keine Löschung" as on delete to shop.own do instead nothing;
create rule also as on insert to shop.own where new.id > 3 do also
    (insert into shop.left_hand (id) values (new.id); delete from shop.left_hand where id = 3);
alter table shop.own disable rule also;
comment on rule also on shop.own is 'off';

-- Row-level security -------------------------------------------------------------

alter table shop.cellars enable row level security;
alter table shop.cellars force row level security;
alter table shop.sales enable row level security;
create policy "Eigene" on shop.cellars for select to authenticated, anon using (keeper = auth.uid());
create policy never on shop.cellars as restrictive for all to public using (true) with check (name <> 'x');
create policy ins on shop.cellars for insert with check (true);
create policy del on shop.cellars for delete to shop_clerk using (exists (select from shop.sales));
create policy upd on shop.sales for update to "Shop ""Owner""" using (true) with check (false);
comment on policy never on shop.cellars is 'never';
create function public.handle_new_user() returns trigger language plpgsql security definer
    set search_path = '' as $$ begin return new; end $$;

-- Grants -----------------------------------------------------------------------

create table shop.owned (id serial primary key);
grant usage, create on schema shop to "Shop ""Owner""";
alter table shop.owned owner to "Shop ""Owner""";
grant usage on schema shop to anon, shop_clerk;
grant select on shop.cellars to shop_clerk with grant option;
grant insert, delete on shop.cellars to anon;
grant select (name, price), update (price) on shop.cellars to authenticated;
grant select (tableoid) on shop.cellars to anon;
grant references ("Größe ""m²""") on shop.cellars to public;
set role shop_clerk;
grant select on shop.cellars to service_role;
reset role;
grant select (id, email) on auth.users to shop_clerk;
grant select on auth.identities to "Shop ""Owner""";
grant usage on schema storage to shop_clerk;
revoke update, delete on shop.left_hand from postgres;
grant all on shop.right_hand to public;
revoke all on shop.nothing from postgres;
revoke all on all functions in schema shop from public;
grant execute on function shop.body(integer) to anon;
grant execute on procedure shop."Räumen" to service_role;
grant usage on sequence shop.numbers to anon;
grant select on shop.cheap, shop.b_totals to anon;
revoke all on table public.business_metrics from anon, authenticated;
alter default privileges in schema shop grant select on tables to anon;
alter default privileges in schema shop grant select, usage on sequences to shop_clerk with grant option;
alter default privileges revoke execute on functions from public;
alter default privileges grant usage on types to shop_clerk;
alter default privileges for role "Shop ""Owner""" in schema shop grant all on tables to postgres;
alter default privileges in schema public revoke all on tables from anon;
alter default privileges in schema public revoke all on sequences from postgres, anon, authenticated, service_role;
revoke usage on schema public from public;
comment on schema public is 'ours now';

-- Publications -------------------------------------------------------------------

create publication shop_changes for table only shop.cellars (id, name) where (id > 5), shop.own
    with (publish = 'insert, delete', publish_via_partition_root);
create publication nothing_yet;
comment on publication shop_changes is 'some';
alter publication supabase_realtime add table shop.left_hand, shop.sales;
