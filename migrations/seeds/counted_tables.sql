-- The tables of the application whose rows are counted. A table that is empty as its triggers
-- are made has nothing that would have to be counted later; until this transaction ends
-- nobody writes to it.

insert into ops.counted_tables (name, place, finished)
values
    ('api_usage_metrics', 1, not exists (select from public.api_usage_metrics)),
    ('analytics_events', 2, not exists (select from public.analytics_events)),
    ('error_logs', 3, not exists (select from public.error_logs)),
    ('performance_metrics', 4, not exists (select from public.performance_metrics)),
    ('business_metrics', 5, not exists (select from public.business_metrics)),
    ('user_sessions', 6, not exists (select from public.user_sessions)),
    ('feature_usage', 7, not exists (select from public.feature_usage))
on conflict (name) do nothing;

update ops.counted_tables
set key = '', at = '-infinity', id = '00000000-0000-0000-0000-000000000000'
where finished and at = 'infinity';

-- While the functions of an older release were in force, nothing was counted.
insert into ops.uncounted_rows (table_name, at, rows, reason)
select counted.name, now(), 0, 'the functions of release ' || former.release || ' were in force from ' || former.applied_at
from ops.counted_tables as counted
cross join (select * from ops.function_sets order by id desc limit 1) as former
where not former.functions ? 'ops.hold_place(p_table text)' and counted.finished
    and exists (select from ops.function_sets as ours where ours.functions ? 'ops.hold_place(p_table text)');
