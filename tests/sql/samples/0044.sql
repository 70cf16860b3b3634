insert into ops.served_deployments (deployment, began_at, told_by) values ('dpl_1', '2026-11-24T11:00:00Z', 'webhook');
insert into ops.deployment_comparisons (
    served, age_minutes, made_at, from_at, to_at, before_from, before_to, verdict, measures
)
select id, 15, '2026-11-24T11:17:00Z', '2026-11-24T11:00:00Z', '2026-11-24T11:15:00Z',
    '2026-11-23T11:00:00Z', '2026-11-23T11:15:00Z', 'insufficient', '[]'
from ops.served_deployments;
