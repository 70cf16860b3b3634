-- Incidents are told: to the channels where people changed them, and to stakeholders, who hear
-- of them and are never asked to act.

-- The table has a handful of rows.
-- squawk-ignore ban-drop-not-null
alter table ops.contact_roles alter column level drop not null;
-- squawk-ignore ban-drop-not-null
alter table ops.contact_roles alter column after_minutes drop not null;
-- squawk-ignore constraint-missing-not-valid
alter table ops.contact_roles add constraint contact_roles_level_check1
    check ((level is null) = (after_minutes is null));

comment on column ops.contact_roles.level is 'The level at which alerts ask the role; null for one that is told of incidents and never asked.';

alter table ops.contacts add column severity ops.severity;
alter table ops.contacts add column services text[] not null default '{}';

comment on column ops.contacts.severity is 'The least severity of an incident that a stakeholder hears of; null means any.';
comment on column ops.contacts.services is 'The services of which a stakeholder hears; empty means all.';

-- The new column holds nothing yet.
-- squawk-ignore adding-foreign-key-constraint
alter table ops.outbox add column incident uuid references ops.incidents (id);

comment on column ops.outbox.incident is 'The incident that a notice is about; null for any other message.';

create index outbox_incident_idx on ops.outbox (incident) where incident is not null;

alter table ops.channels add column last_seen_at timestamptz;

comment on column ops.channels.last_seen_at is 'When a tick or a delivery last had it configured, to within some minutes; null before the first one that noted it.';
