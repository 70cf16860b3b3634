-- An issue that was resolved, with an hour and a person.
insert into ops.releases (environment, release, first_seen) values ('production', '1.4.2', '2026-11-24T09:00:00Z');
insert into ops.issues
    (
        id, environment, key, title, culprit, category, severity, status, events, people, first_seen, last_seen,
        first_release, last_release, changed_at, changed_by
    )
values (
    '00000000-0000-4000-8000-000000002901', 'production', '1:abc', 'TypeError: x', 'addWine', 'database', 'high', 'resolved', 3,
    1, '2026-11-24T09:00:00Z', '2026-11-24T10:00:00Z', '1.4.1', '1.4.2', '2026-11-24T11:00:00Z', 'anna'
);
insert into ops.issue_hours (issue, hour, events) values ('00000000-0000-4000-8000-000000002901', '2026-11-24T09:00:00Z', 3);
insert into ops.issue_people (issue, person) values ('00000000-0000-4000-8000-000000002901', 'u1');
