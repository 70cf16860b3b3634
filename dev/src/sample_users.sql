insert into auth.users (instance_id, id, aud, role, email, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
select
    '00000000-0000-0000-0000-000000000000',
    id::uuid,
    'authenticated',
    'authenticated',
    'sample-' || nth || '@pourtrait.test',
    '{"provider": "email", "providers": ["email"]}',
    '{}',
    now() - interval '30 days',
    now() - interval '30 days'
from unnest($1::text[]) with ordinality as sample (id, nth)
on conflict (id) do nothing
