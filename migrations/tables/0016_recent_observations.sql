-- This file lets the state machine remember the last observations of a subject, so that what
-- is bad again and again opens an alert although it is never bad often enough in a row.

alter table ops.alert_states add column recent timestamptz[] not null default '{}';

comment on column ops.alert_states.recent is 'The last observations while quiet, the newest last: when each was bad, or null where it was good. Empty once none of them was bad.';
