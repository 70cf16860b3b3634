-- A silence matches by more than names, and may begin later.

alter table ops.silences add column match jsonb;
alter table ops.silences add column starts_at timestamptz;

comment on column ops.silences.match is 'What an alert must match, by field: a text, or a list of which one has to match; * stands for anything. Null in rows of earlier releases, which match by their own columns.';
comment on column ops.silences.starts_at is 'When it begins; null for at once.';
comment on column ops.silences.rule is 'The rule of earlier releases'' silences, of which an alert must match the rule, the subject and the fingerprint, as far as they are given.';
comment on column ops.silences.fingerprint is 'The word match where an earlier release could not read the row: its functions match it with nothing.';
