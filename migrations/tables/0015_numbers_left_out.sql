-- This file makes room for Web Vitals that were all left out because none can be real, and
-- takes away what such numbers have left behind.

alter table ops.web_vitals add column left_out bigint not null default 0;

-- Its rows are some hundreds. Only the functions of the set that comes with this file read
-- them.
-- squawk-ignore ban-drop-not-null
alter table ops.web_vitals alter column p75 drop not null;
-- squawk-ignore ban-drop-constraint
alter table ops.web_vitals drop constraint web_vitals_views_check;
-- squawk-ignore constraint-missing-not-valid
alter table ops.web_vitals add constraint web_vitals_views_check check (views >= 0);

comment on column ops.web_vitals.left_out is 'How many measurements were left out because they cannot be real.';

-- They are measured anew within ten minutes.
delete from ops.web_vitals where p75 in ('NaN', 'Infinity', '-Infinity');

update ops.alerts
set facts = facts || '{"value": null}'
where status <> 'resolved' and facts ->> 'value' in ('NaN', 'Infinity', '-Infinity');

update ops.alerts
set last_facts = last_facts || '{"value": null}'
where status <> 'resolved' and last_facts ->> 'value' in ('NaN', 'Infinity', '-Infinity');

update ops.outbox
set facts = facts || '{"value": null}'
where status = 'pending' and facts ->> 'value' in ('NaN', 'Infinity', '-Infinity');
