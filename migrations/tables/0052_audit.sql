-- The audit log: what was done that somebody has to answer for, as rows that are only ever
-- added and of which each names the hash of the one before it.
--
-- A row holds ids and keyed hashes. What people read of it stands beside it and can be erased:
-- the row keeps a salted hash of that, so that the chain stays valid. What is written waits in
-- ops.audit_pending until its transaction commits, and is chained then, so that nobody waits
-- for the chain while somebody else works. No role but the owner of the functions has a right
-- to write here, and triggers refuse that, too, around the functions.

create domain ops.audit_action as text
    check (value in (
        'setting.changed', 'check.changed', 'alert.answered', 'incident.changed', 'status.written', 'role.granted', 'role.revoked',
        'role.found', 'key.added', 'key.rotated', 'key.revoked', 'access.refused', 'data.exported', 'data.erased',
        'details.erased', 'database.restored'
    ));

comment on domain ops.audit_action is 'What was done that the audit log knows of. role.found: a role that a tick found changed, by whomever; details.erased: what people could read of earlier rows is gone.';

-- It is replaced by one that allows more, so no row has to be read.
-- squawk-ignore ban-drop-constraint
alter domain ops.permission drop constraint permission_check;
-- squawk-ignore ban-alter-domain-with-add-constraint
alter domain ops.permission add constraint permission_check
    check (value in (
        'dashboard.read', 'alerts.answer', 'status.write', 'people.manage', 'settings.write', 'rows.read', 'audit.read'
    ));

create table ops.audit (
    seq bigint primary key check (seq > 0),
    at timestamptz not null,
    action ops.audit_action not null,
    actor text check (actor ~ '^[0-9a-f]{64}$'),
    subject text check (length(subject) between 1 and 200),
    details text not null check (details ~ '^[0-9a-f]{64}$'),
    previous text not null check (previous ~ '^[0-9a-f]{64}$'),
    hash text not null check (hash ~ '^[0-9a-f]{64}$')
);

comment on table ops.audit is 'The audit log, a row for each thing that was done, chained by hashes. Rows are only ever added.';
comment on column ops.audit.actor is 'Who did it, as a keyed hash; null for the bundle itself.';
comment on column ops.audit.subject is 'What it was done to, as an id or a key of ours; never an address or a name of a person.';
comment on column ops.audit.details is 'SHA-256 over the salt and the text of the row''s details, which may be erased.';
comment on column ops.audit.previous is 'The hash of the row before; zeros for the first.';
comment on column ops.audit.hash is 'SHA-256 over the canonical form of the row, as ops.audit_hash has it.';

create index audit_action_idx on ops.audit (action, at desc);
create index audit_subject_idx on ops.audit (subject, seq desc);
create index audit_actor_idx on ops.audit (actor, seq desc);

create table ops.audit_details (
    seq bigint primary key references ops.audit (seq),
    salt text not null check (salt ~ '^[0-9a-f]{64}$'),
    document text not null check (jsonb_typeof(document::jsonb) = 'object' and octet_length(document) <= 4000)
);

comment on table ops.audit_details is 'What people read of rows of the audit log: who, and from what to what. A row is gone once it was erased.';
comment on column ops.audit_details.document is 'A JSON object, as the text that was hashed.';

create table ops.audit_pending (
    id bigint generated always as identity primary key,
    action ops.audit_action not null,
    actor text,
    subject text,
    document text not null
);

comment on table ops.audit_pending is 'What a transaction will have written into the audit log once it commits; empty for everybody else.';

create table ops.audit_key (
    here boolean primary key default true check (here),
    key bytea not null check (length(key) = 32)
);

comment on table ops.audit_key is 'The key under which the audit log hashes who did something; one row.';

insert into ops.audit_key (key)
values (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

alter table ops.audit enable row level security;
alter table ops.audit_details enable row level security;
alter table ops.audit_pending enable row level security;
alter table ops.audit_key enable row level security;

revoke all on table ops.audit, ops.audit_details, ops.audit_pending, ops.audit_key
    from public, anon, authenticated, service_role;
grant select on table ops.audit, ops.audit_details to service_role;

-- Nobody who is signed in reads here, whatever they are granted: the edge asks for a
-- permission, and reads with the server's key.
create policy ops_server_reads on ops.audit for select to service_role using (true);
create policy ops_server_reads on ops.audit_details for select to service_role using (true);
create policy ops_nobody on ops.audit_pending to service_role using (false);
create policy ops_nobody on ops.audit_key to service_role using (false);
