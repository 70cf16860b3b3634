-- People sign in: what each role may do, and how often somebody tried.

create domain ops.person_role as text
    check (value in ('viewer', 'responder', 'admin'));

create domain ops.permission as text
    check (value in (
        'dashboard.read', 'alerts.answer', 'status.write', 'people.manage', 'settings.write', 'rows.read'
    ));

create domain ops.try_scope as text
    check (value in ('client', 'account', 'pair', 'device', 'code', 'mail', 'mail_client', 'mail_device', 'session'));

comment on domain ops.person_role is 'Who somebody is to the people who run the application: app_metadata.role of a user.';
comment on domain ops.permission is 'Something that a person may do.';
comment on domain ops.try_scope is 'Of what tries to sign in are counted: client: of a network; account: of an address, from browsers that never signed in to it; pair: of a network at an address; device: of a browser that signed in to the address before; code: of a browser that asked for a code; mail, mail_client and mail_device: codes that were asked for, for an address, from a network, from such a browser; session: a session that is refreshed.';

create table ops.role_permissions (
    role ops.person_role not null,
    permission ops.permission not null,
    primary key (role, permission)
);

comment on table ops.role_permissions is 'What each role may do, one row for each permission of a role.';

create table ops.sign_in_tries (
    scope ops.try_scope not null,
    key text not null check (length(key) between 1 and 200),
    tries integer not null,
    since timestamptz not null,
    last_at timestamptz not null,
    primary key (scope, key)
);

create index sign_in_tries_since_idx on ops.sign_in_tries (since);

comment on table ops.sign_in_tries is 'How often somebody tried to sign in lately, one row for each network, address, or both, and so on. Tries that succeeded are taken out again.';
comment on column ops.sign_in_tries.key is 'Whose tries they are, as an HMAC: neither an address nor a network can be read here.';
comment on column ops.sign_in_tries.since is 'When the counting began; past the window of the scope it begins anew.';

alter table ops.role_permissions enable row level security;
alter table ops.sign_in_tries enable row level security;
