insert into ops.components (slug, name, position, services, created_at, updated_at, updated_by)
values ('sign-in', 'Sign in', 1, '{database}', '2026-11-24T10:00:00Z', '2026-11-24T10:00:00Z', 'anna');
insert into ops.component_changes (at, slug, name, old_state, state)
values ('2026-11-24T10:00:00Z', 'sign-in', 'Sign in', 'operational', 'major_outage');
insert into ops.subscribers (id, kind, address_hash, address, asked_at)
values ('00000000-0000-4000-8000-000000003801', 'email', repeat('0a', 32), 'sealed', '2026-11-24T10:00:00Z');
insert into ops.subscriber_messages (id, subscriber, about, facts, created_at, next_attempt_at)
values (
    '00000000-0000-4000-8000-000000003802', '00000000-0000-4000-8000-000000003801', 'confirm', '{}',
    '2026-11-24T10:00:00Z', '2026-11-24T10:00:00Z'
);
insert into ops.subscription_requests (client, hour, requests) values ('all', '2026-11-24T10:00:00Z', 1);
insert into ops.status_copies (place, written_at) values ('main', '2026-11-24T10:00:00Z');
