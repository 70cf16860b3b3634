-- What was written to the archive before it was deleted.

alter table ops.forgotten_rows add column archived bigint not null default 0;

comment on column ops.forgotten_rows.archived is 'How many of them lie in the archive.';
