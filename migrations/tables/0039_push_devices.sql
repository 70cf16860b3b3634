-- The devices on which a contact is reached by push messages, and a word for what came of a
-- message whose address is gone.

create table ops.push_devices (
    id uuid primary key default gen_random_uuid(),
    contact uuid not null references ops.contacts (id) on delete cascade,
    name text not null,
    endpoint text not null unique check (length(endpoint) <= 2000),
    public_key text not null check (length(public_key) <= 100),
    auth_secret text not null check (length(auth_secret) <= 100),
    added_at timestamptz not null,
    added_by text not null,
    proven_at timestamptz,
    gone_at timestamptz
);

comment on table ops.push_devices is 'The devices on which contacts are reached by push messages, each as its browser subscribed.';
comment on column ops.push_devices.endpoint is 'Where the push service of its browser takes messages for it; whoever knows it and the key of this deployment can write there.';
comment on column ops.push_devices.public_key is 'What messages are encrypted to, in base64url.';
comment on column ops.push_devices.auth_secret is 'The secret that the browser shares with whoever writes to it, in base64url.';
comment on column ops.push_devices.proven_at is 'When a message to it was last accepted.';
comment on column ops.push_devices.gone_at is 'When the push service said that it is gone; it is told and removed by the next tick.';

create index push_devices_contact_idx on ops.push_devices (contact);

alter table ops.push_devices enable row level security;

-- It is replaced by one that allows more, so no row has to be read.
-- squawk-ignore ban-drop-constraint
alter domain ops.delivery_outcome drop constraint delivery_outcome_check;
-- squawk-ignore ban-alter-domain-with-add-constraint
alter domain ops.delivery_outcome add constraint delivery_outcome_check
    check (value in ('sent', 'retry', 'refused', 'untried', 'unread', 'gone', 'dead')) not valid;

comment on domain ops.delivery_outcome is 'What came of one attempt to deliver a message. retry: it may have arrived, and is tried again; refused: it cannot have arrived, and is tried again; untried: nobody tried to send it; unread: the worker could not read it; gone: its address is gone.';
