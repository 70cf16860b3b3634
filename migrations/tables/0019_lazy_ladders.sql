-- A rung of a ladder picks its people when it is due, so the plan names none. What was planned
-- before names one person for each row, and is told as it stands.

alter table ops.escalations add column round integer not null default 1 check (round > 0);
alter table ops.escalations add column after_minutes integer;
-- The new column holds nothing yet.
-- squawk-ignore adding-foreign-key-constraint
alter table ops.escalations add column rung bigint references ops.escalations (id);

-- These are replaced by ones that allow more, on tables that keep what is open and some
-- months of what was.
-- squawk-ignore ban-drop-constraint
alter table ops.escalations drop constraint escalations_check;
-- squawk-ignore constraint-missing-not-valid
alter table ops.escalations add constraint escalations_person_check check (person is null or level is not null);
-- squawk-ignore ban-drop-constraint
alter table ops.escalations drop constraint escalations_status_check;
-- squawk-ignore constraint-missing-not-valid
alter table ops.escalations add constraint escalations_status_check
    check (status in ('waiting', 'told', 'stopped', 'done'));

create index escalations_rung_idx on ops.escalations (rung) where rung is not null;

comment on table ops.escalations is 'The ladder of each alert: one row for each rung, and one for each person that a rung has asked.';
comment on column ops.escalations.round is 'How often the ladder has begun: it repeats until somebody answers.';
comment on column ops.escalations.level is 'The level that is asked; null for the email that a high alert adds. A person may be of another level than the rung, where that has nobody.';
comment on column ops.escalations.after_minutes is 'Which roles of its level a rung asks: those that are due by so many minutes after the opening.';
comment on column ops.escalations.rung is 'The rung that asked the person of this row.';
comment on column ops.escalations.person is 'The contact as it was when it was asked; null for a rung.';
comment on column ops.escalations.status is 'told: a message to the person was queued; done: the rung has asked whom it found; stopped: the alert resolved or got another plan before the rung was due.';

alter table ops.alerts add column acknowledged_contact uuid;

comment on column ops.alerts.acknowledged_contact is 'The contact who acknowledged it, where that is known: it is asked first when the acknowledgement ends.';

-- squawk-ignore ban-drop-constraint
alter table ops.alert_events drop constraint alert_events_kind_check;
-- squawk-ignore constraint-missing-not-valid
alter table ops.alert_events add constraint alert_events_kind_check check (kind in (
    'opened', 'resolved', 'escalated', 'acknowledged', 'acknowledgement_ending', 'acknowledgement_ended',
    'unacknowledged', 'snoozed', 'silenced', 'closed'
));

comment on column ops.alert_events.kind is 'closed: a person resolved it, and resolved follows; acknowledgement_ending: whoever acknowledged it was told that the time is nearly over; acknowledgement_ended: the alert was not resolved in time.';
