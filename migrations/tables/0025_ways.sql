-- A contact chooses for each severity by which channels an alert reaches it and how soon, and
-- has hours in which only what is critical may.

alter table ops.contacts add column ways jsonb not null default '{}';
alter table ops.contacts add column quiet_days integer[];
alter table ops.contacts add column quiet_from time;
alter table ops.contacts add column quiet_until time;

comment on column ops.contacts.ways is 'By severity, after how many minutes an alert reaches it on each channel. Without the severity a critical alert reaches it by every address at once, and any other one does not.';
comment on column ops.contacts.quiet_days is 'Days on which the quiet hours begin, 1 for Monday to 7 for Sunday; null means that there are none.';
comment on column ops.contacts.quiet_until is 'The end of the quiet hours, excluded; if it is before quiet_from it lies on the following day.';

alter table ops.outbox add column not_before timestamptz;

comment on column ops.outbox.not_before is 'Before this it is not sent, because it is the way to a person that comes later, or the person has quiet hours; null if it may be sent at once.';

-- This is replaced by one that allows more, on a table that keeps what is open and some months
-- of what was.
-- squawk-ignore ban-drop-constraint
alter table ops.escalations drop constraint escalations_severity_check;
-- squawk-ignore constraint-missing-not-valid
alter table ops.escalations add constraint escalations_severity_check
    check (severity in ('critical', 'high', 'medium'));
