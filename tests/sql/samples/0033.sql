-- What somebody wrote about an issue, and was answered.
insert into ops.feedback
    (id, at, key, source, environment, message, contact, issue, status, answer, answered_at, answered_by)
values (
    '00000000-0000-4000-8000-000000003201', '2026-11-24T10:00:00Z', 1, 'own', 'production', 'I cannot pour',
    'anna@wine.example', '00000000-0000-4000-8000-000000002901', 'open', 'Now you can', '2026-11-24T11:00:00Z', 'bo'
);
