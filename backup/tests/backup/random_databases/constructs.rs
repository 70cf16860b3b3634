//! What a random database is put together from. `{n}` is the place of a construct, and
//! `{m}` that of an earlier one. Each makes a table `t{n}` with rows in it, whose `id` is
//! its key where it has one; names in bodies are found by the path of the sessions alone.

/// What every server takes.
pub(super) const CONSTRUCTS: [&str; 42] = [
    // A check over a function that finds its names by the path.
    "create table limits{n} (most int); insert into limits{n} values (10);
     create function ok{n}(int) returns boolean language sql stable as 'select $1 <= (select most from limits{n})';
     create table t{n} (id int primary key, v int check (ok{n}(v)));
     insert into t{n} values (1, 5), (2, null);",
    // A check that was true of its rows.
    "create function fits{n}(int) returns boolean language sql as 'select true';
     create table t{n} (id int primary key, constraint \"Fits; {n}\" check (fits{n}(id)));
     insert into t{n} values (1), (2);
     comment on constraint \"Fits; {n}\" on t{n} is 'it''s; said';
     create or replace function fits{n}(int) returns boolean language sql as 'select $1 > 1';",
    "create table t{n} (id int primary key, due int);
     insert into t{n} values (1, -1), (2, 2);
     alter table t{n} add constraint later{n} check (due > 0) not valid;",
    // A generated column over a function that finds its names by the path.
    "create function half{n}(int) returns int language sql immutable as 'select $1 / 2';
     create function quarter{n}(int) returns int language plpgsql immutable as 'begin return half{n}(half{n}($1)); end';
     create table t{n} (id int primary key, q int generated always as (quarter{n}(id)) stored);
     insert into t{n} values (8), (20);",
    // A generated column that another function has computed.
    "create function worth{n}(int) returns int language sql immutable as 'select $1';
     create table t{n} (id int primary key, w int generated always as (worth{n}(id)) stored);
     insert into t{n} values (8), (20);
     create or replace function worth{n}(int) returns int language sql immutable as 'select $1 + 1';",
    // One that fails by now.
    "create function now_and_then{n}(int) returns int language plpgsql immutable as
         'begin if current_setting(''app.now{n}'', true) = ''1'' then return 1; end if; raise ''never again''; end';
     create table t{n} (id int primary key, v int generated always as (now_and_then{n}(id)) stored);
     set app.now{n} = '1'; insert into t{n} values (1), (2); reset app.now{n};",
    // Children of a table with a generated column.
    "create table t{n} (id int primary key, v int, w int generated always as (v * 2) stored);
     create table child{n} (x int) inherits (t{n});
     create table grandchild{n} (y text default 'y') inherits (child{n});
     insert into t{n} values (1, 1); insert into child{n} values (2, 2); insert into grandchild{n} values (4, 4);",
    // A domain whose check its rows break.
    "create domain amount{n} as int; create table t{n} (id int primary key, a amount{n}, l amount{n}[]);
     insert into t{n} values (1, -5, '{1,-2}');
     alter domain amount{n} add constraint positive check (value > 0) not valid;",
    "create function small{n}(int) returns boolean language sql immutable as 'select true';
     create domain d{n} as int constraint less check (small{n}(value)) default 3;
     create type pair{n} as (a d{n}, b text);
     create table t{n} (id int primary key, a d{n}, p pair{n}, ps pair{n}[]);
     insert into t{n} values (1, 40, row (50, 'x'), array[row (60, 'y')::pair{n}]), (2, 1, null, null);
     create or replace function small{n}(int) returns boolean language sql immutable as 'select $1 < 10';",
    "create type inner{n} as (x int, y text); create domain whole{n} as inner{n} check ((value).x > 0);
     create table t{n} (id int primary key, w whole{n}); insert into t{n} values (1, row (1, 'a')), (2, null);",
    // Partitions.
    "create table t{n} (id int not null, at int, s text default 'x') partition by range (id);
     create table part{n}_a partition of t{n} for values from (0) to (10);
     create table part{n}_b (s text, at int, id int not null, primary key (id));
     alter table t{n} attach partition part{n}_b for values from (10) to (20);
     create table part{n}_rest partition of t{n} default;
     alter table t{n} add primary key (id);
     create index on t{n} (at);
     insert into t{n} select g, g, 's' || g from generate_series(1, 25) g;",
    "create table t{n} (id int not null, kind text not null) partition by list (kind);
     create table part{n}_x partition of t{n} for values in ('x', 'y') partition by range (id);
     create table part{n}_x1 partition of part{n}_x for values from (minvalue) to (5);
     create table part{n}_x2 partition of part{n}_x for values from (5) to (maxvalue);
     create table part{n}_none partition of t{n} for values in (null, 'z');
     create unique index on t{n} (id, kind);
     insert into t{n} select g, chr(120 + g % 3) from generate_series(1, 12) g;",
    "create table t{n} (id int, v text, primary key (id)) partition by hash (id);
     create table part{n}_0 partition of t{n} for values with (modulus 2, remainder 0);
     create table part{n}_1 partition of t{n} for values with (modulus 2, remainder 1);
     insert into t{n} select g, 'v' from generate_series(1, 9) g;",
    // Rows that their partition does not take any more.
    "create function side{n}(int) returns text language sql immutable as 'select case when $1 < 5 then ''l'' else ''r'' end';
     create table t{n} (id int, v text) partition by list (side{n}(id));
     create table part{n}_l partition of t{n} for values in ('l');
     create table part{n}_r partition of t{n} for values in ('r');
     insert into t{n} select g, 'v' from generate_series(1, 9) g;
     create or replace function side{n}(int) returns text language sql immutable as 'select case when $1 < 3 then ''l'' else ''r'' end';",
    // Keys to and from partitioned tables, with names of the server's.
    "create table whole{n} (id int primary key) partition by range (id);
     create table piece{n} partition of whole{n} for values from (0) to (100);
     create table t{n} (id int, w int references whole{n}, primary key (id)) partition by range (id);
     create table leaf{n}_a partition of t{n} for values from (0) to (5);
     create table leaf{n}_b (w int, id int not null);
     alter table leaf{n}_b add constraint t{n}_w_fkey foreign key (w) references whole{n} on delete cascade;
     alter table t{n} attach partition leaf{n}_b for values from (5) to (10);
     insert into whole{n} values (1), (2); insert into t{n} values (1, 1), (7, 2);",
    // A view of rows that were not there when it was filled.
    "create table t{n} (id int primary key); insert into t{n} values (1);
     create materialized view kept{n} as select * from t{n}; insert into t{n} values (2);
     create index on kept{n} (id);",
    "create table t{n} (id int primary key, v int); insert into t{n} values (1, 1);
     create materialized view unfilled{n} as select * from t{n} with no data;
     create view over{n} as select * from unfilled{n};",
    "create table t{n} (id int primary key, v int); insert into t{n} values (1, 1);
     create materialized view once{n} as select v from t{n};
     create unique index on once{n} (v);
     insert into t{n} values (2, 1);
     create materialized view twice{n} as select v from once{n};",
    // Policies over functions.
    "create table team{n} (u uuid, team int);
     create table t{n} (id int primary key, team int); alter table t{n} enable row level security;
     create function mine{n}() returns setof int language sql stable security definer as
         'select team from team{n} where u = auth.uid()';
     create policy \"of the team\" on t{n} as permissive for all to authenticated using (team in (select mine{n}()));
     create policy \"none;\" on t{n} as restrictive for delete to anon using (false);
     alter table t{n} force row level security;
     insert into team{n} values (gen_random_uuid(), 1);",
    // Tables of a type, also as rows of others.
    "create type kind{n} as (id int, v text);
     create table t{n} of kind{n} (primary key (id), v with options default 'x' not null);
     insert into t{n} values (1, 'a');
     create table holds{n} (k kind{n}, t t{n}, ts t{n}[]);
     insert into holds{n} values (row (1, 'b'), row (2, 'c'), array[row (3, 'd')::t{n}]);",
    // An orphan behind a key that is said to be valid: a trigger kept it.
    "create table owner{n} (id int primary key);
     create table t{n} (id int primary key, o int constraint belongs{n} references owner{n} on delete cascade);
     create function keep{n}() returns trigger language plpgsql as 'begin return null; end';
     create trigger keep before delete on t{n} for each row execute function keep{n}();
     insert into owner{n} values (1), (2); insert into t{n} values (1, 1), (2, 2), (3, null);
     delete from owner{n} where id = 2;",
    "create table t{n} (id int primary key, o int);
     insert into t{n} values (1, 7);
     alter table t{n} add constraint self{n} foreign key (o) references t{n} not valid;",
    // A duplicate under a unique index whose function has changed.
    "create function same{n}(int) returns int language sql immutable as 'select $1';
     create table t{n} (id int primary key, v int);
     create unique index unique{n} on t{n} (same{n}(v));
     insert into t{n} values (1, 1), (2, 2);
     create or replace function same{n}(int) returns int language sql immutable as 'select 0';",
    // A child whose check conflicts with its parent's, which is not valid.
    "create table t{n} (id int primary key, v int); insert into t{n} values (1, 5);
     create table child{n} () inherits (t{n}); insert into child{n} values (2, 2);
     alter table child{n} add constraint c{n} check (v < 10);
     alter table t{n} add constraint c{n} check (v < 10) not valid;
     alter table t{n} add constraint own{n} check (v > 0) no inherit;",
    // Names as values.
    "create table t{n} (id int primary key, of regclass, f regprocedure, k regtype);
     create view seen{n} as select 1 as one;
     create function called{n}(int) returns int language sql as 'select 1';
     create index named{n} on t{n} (id);
     insert into t{n} values (1, 'seen{n}', 'called{n}(int)', 'seen{n}'), (2, 't{n}', null, 't{n}[]'),
         (3, 'named{n}', null, null), (4, 't{n}_pkey', null, null);",
    // Views that need each other.
    "create table t{n} (id int primary key, v text); insert into t{n} values (1, 'a');
     create view round{n} as select id, v from t{n};
     create function rounds{n}() returns setof round{n} language sql stable as 'select * from t{n}';
     create or replace view round{n} as select id, v from rounds{n}();
     create view waiting{n} as select * from round{n};
     comment on view round{n} is 'a circle';",
    // Sequences in every way.
    "create sequence count{n} as smallint increment -2 minvalue -100 maxvalue 50 start 7 cache 3 cycle;
     select nextval('count{n}');
     create table t{n} (id int generated always as identity (start 5) primary key, s serial,
         c int default nextval('count{n}'), by_name text default nextval('count{n}'::text)::text);
     insert into t{n} default values; insert into t{n} default values;
     create sequence owned{n} owned by t{n}.c; create sequence alone{n}; comment on sequence alone{n} is 'never asked';",
    // Columns that came and went.
    "create table t{n} (a int, id int primary key, b text); insert into t{n} values (1, 1, 'x');
     alter table t{n} drop column a; alter table t{n} add column c int not null default 9;
     alter table t{n} alter column b type varchar(7); alter table t{n} rename column b to \"B b\";
     insert into t{n} values (2, 'y', 3); alter table t{n} alter column c drop default;",
    // Children with several parents.
    "create table t{n} (id int primary key, shared text default 'p');
     create table second{n} (shared text not null, more int);
     create table both{n} (own int) inherits (t{n}, second{n});
     create table less{n} (id int not null, shared text); alter table less{n} inherit t{n};
     alter table both{n} alter column shared drop default;
     insert into both{n} values (1, 'a', 2, 3); insert into less{n} values (4, 'b');",
    // Constraints that wait, and exclude.
    "create table t{n} (id int primary key deferrable initially deferred, r int4range, b box,
         constraint apart{n} exclude using gist (r with &&) where (id > 0),
         unique nulls not distinct (r), unique (id) include (r));
     insert into t{n} values (1, '[1,3)'), (2, '[3,5)');",
    // Triggers in every state.
    "create table t{n} (id int primary key, v int); insert into t{n} values (1, 1);
     create function no{n}() returns trigger language plpgsql as 'begin raise ''no''; end';
     create trigger a before insert on t{n} for each row execute function no{n}();
     create trigger b after update of v on t{n} for each statement execute function no{n}();
     create constraint trigger c after delete on t{n} deferrable for each row when (old.v > 3) execute function no{n}();
     alter table t{n} disable trigger b; alter table t{n} enable always trigger a; comment on trigger a on t{n} is 'no';",
    "create table t{n} (id int) partition by range (id); create function go{n}() returns trigger language plpgsql as 'begin return new; end';
     create table part{n} partition of t{n} for values from (0) to (9);
     create trigger rows after insert on t{n} for each row execute function go{n}();
     alter table part{n} disable trigger rows; insert into t{n} values (1);",
    // Rules and views that take rows.
    "create table t{n} (id int primary key, v text); create table log{n} (id int);
     create rule also as on insert to t{n} do also insert into log{n} values (new.id);
     insert into t{n} values (1, 'a');
     create view few{n} with (security_barrier) as select * from t{n} where id < 9 with cascaded check option;
     alter view few{n} alter column v set default 'few';
     create recursive view climb{n} (n) as values (1) union all select n + 1 from climb{n} where n < 3;",
    // Types and casts of one's own.
    "create type mood{n} as enum ('sad', 'so so', 'it''s fine'); alter type mood{n} add value 'between' before 'so so';
     create type span{n} as range (subtype = float8, subtype_diff = float8mi);
     create function number{n}(mood{n}) returns int language sql immutable as 'select 1';
     create cast (mood{n} as int) with function number{n}(mood{n}) as assignment;
     create table t{n} (id int primary key, m mood{n}, ms mood{n}[], s span{n}, ss span{n}_multirange);
     insert into t{n} values (1, 'sad', '{\"it''s fine\",\"so so\"}', '[1,2)', '{[1,2),[4,5)}');",
    "create type word{n} as (w text);
     create function told{n}(word{n}) returns text language sql immutable as 'select ''told ''::text';
     create cast (word{n} as text) with function told{n}(word{n}) as implicit;
     create table t{n} (id int primary key, w word{n}); insert into t{n} values (1, row ('a')), (2, row (null));",
    // Operators and aggregates.
    "create function close{n}(int, int) returns boolean language sql immutable as 'select abs($1 - $2) < 2';
     create schema o{n}; create operator o{n}.~=~ (leftarg = int, rightarg = int, function = close{n}, commutator = operator(o{n}.~=~));
     create function more{n}(bigint) returns bigint language sql immutable as 'select $1 + 1';
     create aggregate how_many{n}(*) (sfunc = more{n}, stype = bigint, initcond = '0');
     comment on aggregate how_many{n}(*) is 'of everything';
     create table t{n} (id int primary key, check (id operator(o{n}.~=~) id)); insert into t{n} values (1);",
    // Functions of rows and tables, with defaults that call others.
    "create table t{n} (id int primary key, v text); insert into t{n} values (1, 'a');
     create function base{n}() returns int language sql immutable as 'select 2';
     create function first{n}(t{n}, int default base{n}()) returns text language sql stable as 'select $1.v';
     create function all{n}() returns setof t{n} language sql stable rows 5 as 'select * from t{n}';
     create function shape{n}() returns table (a int, b t{n}) language sql stable as 'select 1, t from t{n} t';
     create view calls{n} as select t.*, first{n}(t) as f from t{n} t;
     create procedure act{n}(inout a int) language plpgsql as 'begin a := a + 1; end';
     alter function first{n}(t{n}, int) set work_mem = '1MB';",
    // Values of every kind.
    "create table t{n} (id int primary key, f float8, g real, n numeric, i interval, d date, ts timestamptz, b bytea, x xml, j json, k jsonb,
         a text[][], m money, p point, u uuid, t tsvector, q tsquery, bits varbit, net inet, c \"char\", o oid);
     insert into t{n} (id, f, g, n, i, d, ts, b, x, j, a, bits, c) values
         (1, 'nan', '-infinity', 'nan', '-1 mon 2 days', 'infinity', '-infinity', '\\x00ff5c', '<?xml version=\"1.0\" encoding=\"latin1\"?><a/>',
          '{\"a\" : 1, \"a\":2}', '{{a,NULL},{\"\",\"x,y\"}}', '101', ''),
         (2, 0.1, 1e-45, 1e-30, 'P1Y', '0001-01-01 BC', '294276-12-31 23:59:59Z', '', '', ' [1]', '[5:6]={x,\\\\N}', '', 'z');
     insert into t{n} (id, k, m, p, u, t, q, net, o) values
         (3, '{\"b\": null}', 12.5, '(1,-0)', gen_random_uuid(), 'a:1A b', 'a & !b', '10.0.0.0/8', 4294967295);",
    // How columns lie and are searched.
    "create collation c{n} (provider = icu, locale = 'de-DE');
     create text search configuration search{n} (copy = simple);
     create unlogged table t{n} (id int primary key, v text compression pglz collate c{n}, w text) with (fillfactor = 70);
     alter table t{n} alter column v set storage external;
     alter table t{n} alter column w set statistics 7; alter table t{n} alter column w set (n_distinct = -0.5);
     create index lies{n} on t{n} using gin (to_tsvector('search{n}', v));
     alter table t{n} replica identity full; alter table t{n} cluster on t{n}_pkey;
     insert into t{n} values (1, repeat('ä', 9000), null);",
    // Odd names.
    "create schema \"S {n}; --\"; create table t{n} (id int primary key); insert into t{n} values (1);
     create table \"S {n}; --\".\"T'\"\"{n}\\\" (\"a\\b\" int primary key, \"select\" text default E'\\n;\\n', \"%s {\" int references t{n});
     insert into \"S {n}; --\".\"T'\"\"{n}\\\" values (1, default, 1), (2, E'\\\\.', null);
     comment on column \"S {n}; --\".\"T'\"\"{n}\\\".\"%s {\" is E'a\\nb\\\\';
     create index \"I; {n}\" on \"S {n}; --\".\"T'\"\"{n}\\\" ((\"select\" || ';'));",
    // Who may do what.
    "create schema s{n}; grant all on schema s{n} to shop_clerk; create table t{n} (id int primary key, v int, w int);
     create table s{n}.inside (id int); alter table s{n}.inside owner to shop_clerk;
     grant select (v), update on t{n} to anon with grant option; revoke all on t{n} from authenticated;
     grant usage on schema s{n} to public; grant select on s{n}.inside to \"Shop \"\"Owner\"\"\";
     alter default privileges in schema s{n} grant select on tables to anon;
     create function f{n}() returns int language sql security definer as 'select 1'; revoke all on function f{n}() from public;
     insert into t{n} values (1, 2, 3); insert into s{n}.inside values (7);",
    // Large objects, publications.
    "create table t{n} (id int primary key, o oid); insert into t{n} values (1, lo_from_bytea(0, '\\x0102'));
     create publication p{n} for table t{n} (id) where (id > 0) with (publish = 'insert');
     comment on table t{n} is 'published';",
];

/// What servers from 17 on refuse: they fill views and indexes without the session's path.
pub(super) const UNTIL_16: [&str; 2] = [
    "create function lean{n}(text) returns text language sql immutable as 'select lower($1)';
     create function leaner{n}(text) returns text language plpgsql immutable as 'begin return lean{n}($1); end';
     create table t{n} (id int primary key, v text); insert into t{n} values (1, 'A'), (2, 'b');
     create index on t{n} (leaner{n}(v)) where leaner{n}(v) <> 'c';
     create statistics s{n} on id, v from t{n};",
    "create table t{n} (id int primary key, v int); insert into t{n} values (1, 1);
     create function sees{n}() returns setof int language sql stable as 'select id from t{n}';
     create materialized view of_function{n} as select sees{n} as id from sees{n}();",
];

/// What only newer servers take.
pub(super) const SINCE_18: [&str; 4] = [
    "create table t{n} (id int primary key, v int, w int generated always as (v * 2) virtual); insert into t{n} values (1, 1);
     create table child{n} (w int generated always as (v * 3) virtual) inherits (t{n}); insert into child{n} values (2, 2);",
    "create table t{n} (id int primary key, v int constraint must{n} not null no inherit, w int); insert into t{n} values (1, 1, null);
     alter table t{n} add constraint later{n} not null w not valid; comment on constraint must{n} on t{n} is 'must';
     create table child{n} (constraint own{n} not null v) inherits (t{n}); insert into child{n} values (2, 2, 3);",
    "create table t{n} (id int primary key, v int check (v > 0) not enforced, o int references t{n} not enforced); insert into t{n} values (1, -1, 9);",
    "create table t{n} (id int4range, v daterange, primary key (id, v without overlaps)); insert into t{n} values ('[1,2)', '[2020-01-01,2021-01-01)');
     create table u{n} (id int4range, v daterange, foreign key (id, period v) references t{n} (id, period v)); insert into u{n} values ('[1,2)', '[2020-01-01,2020-02-01)');",
];

/// What connects two constructs. A server refuses some of these for some tables.
pub(super) const LINKS: [&str; 10] = [
    "alter table t{n} add column of{m} int; alter table t{n} add constraint link{n}_{m} foreign key (of{m}) references t{m} (id) not valid;
     update t{n} set of{m} = 99;",
    "alter table t{n} add column to{m} int references t{m} (id) on delete set null deferrable initially deferred;",
    "create view joined{n}_{m} as select a.id, b.id as other from t{n} a left join t{m} b using (id);
     grant select on joined{n}_{m} to anon; create materialized view joined_rows{n}_{m} as select * from joined{n}_{m};",
    "alter table t{n} enable row level security; create policy p{m} on t{n} using (exists (select from t{m} where t{m}.id = t{n}.id));",
    "create function link{n}_{m}(t{m}) returns boolean language sql stable as 'select exists (select from t{n} where id = $1.id)';
     alter table t{m} add constraint by_function{n} check (link{n}_{m}(t{m}.*)) not valid;",
    "comment on table t{n} is 'beside t{m}; ''quoted''';
     comment on column t{n}.id is E'a\\nline\\\\'; grant references (id) on t{n} to anon;",
    "create rule into{m} as on delete to t{n} do also delete from t{m} where id = old.id;",
    "create table child_of{n}_{m} (check (id > 1000) no inherit) inherits (t{n}, t{m}); insert into child_of{n}_{m} (id) values (1001);",
    "create index link{n}_{m} on t{n} ((id % 7)) where id > {m};
     alter table t{n} add column whole{m} t{m}; alter table t{n} add column class{m} regclass default 't{m}'::regclass;",
    "create function fires{n}_{m}() returns trigger language plpgsql as 'begin insert into t{m} (id) values (new.id); return new; end';
     create trigger fires{m} after insert or update on t{n} for each row execute function fires{n}_{m}();",
];
