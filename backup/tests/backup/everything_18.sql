-- What PostgreSQL has since version 18.

create table shop.v18 (a int constraint "A named" not null, b int generated always as (a * 2) virtual, c int not null no inherit, d int,
   constraint loose check (d > 3) not enforced, e int not null);
alter table shop.v18 rename column e to f;
alter table shop.v18 alter constraint "A named" no inherit;
create table shop.v18p (a int constraint mine not null, z int) ;
create table shop.v18c (own int) inherits (shop.v18p);
alter table shop.v18c add constraint "child's" not null z;
create domain shop.d18 as int constraint "dom nn" not null;
comment on constraint mine on shop.v18p is 'x';
create table shop.parts18 (a int constraint p_nn not null, i bigint generated always as identity) partition by list (a);
create table shop.parts18_1 partition of shop.parts18 for values in (1);
create table shop.parts18_2 (a int constraint other_nn not null, i bigint not null);
alter table shop.parts18 attach partition shop.parts18_2 for values in (2);
create table shop.temporal (id int4range, at daterange, primary key (id, at without overlaps));
create publication p18 for table shop.v18 with (publish_generated_columns = stored);
create table shop.fk18 (a bigint);
alter table shop.fk18 add constraint nfk foreign key (a) references shop.left_hand (id) not enforced;
create table shop.later18 (id int, c text);
alter table shop.later18 add constraint c_nn not null c not valid;
comment on constraint c_nn on shop.later18 is 'from now on';
create table shop.renamed18 (id int primary key, c text not null);
comment on constraint renamed18_c_not_null on shop.renamed18 is 'why';
alter table shop.renamed18 rename column c to d;
create table shop.twice18 (id int, total int generated always as (id * 2) stored);
create table shop.thrice18 (id int, total int generated always as (id * 3) stored) inherits (shop.twice18);
create table shop.fivefold18 (x int) inherits (shop.twice18);
alter table shop.fivefold18 alter column total set expression as (id * 5);
create table shop.theirs18 (own int, constraint theirs not null a) inherits (shop.v18p);
