-- Settings are rows: thresholds, checked URLs and whatever else an operator may change.

create table ops.settings (
    key text primary key check (key ~ '^[a-z]+(\.[a-z0-9_]+)?$'),
    value jsonb not null,
    default_value jsonb not null,
    kind text not null check (kind in ('number', 'integer', 'boolean', 'text', 'checked_urls')),
    minimum numeric,
    maximum numeric,
    unit text,
    description text not null,
    updated_at timestamptz not null default now(),
    updated_by text not null default 'migration'
);

comment on table ops.settings is 'What an operator may change, one row for each setting; migrations make the rows.';
comment on column ops.settings.kind is 'What a value must be; ops.find_setting_fault knows the rules.';
comment on column ops.settings.unit is 'Unit of a number: %, ms, s, min, h, d; null for what has none.';

alter table ops.settings enable row level security;

create table ops.setting_changes (
    id bigint generated always as identity primary key,
    key text not null references ops.settings (key),
    old_value jsonb not null,
    new_value jsonb not null,
    changed_at timestamptz not null,
    changed_by text not null
);

comment on table ops.setting_changes is 'Every change of a setting: from what, to what, by whom and when.';

create index setting_changes_key_idx on ops.setting_changes (key, changed_at desc);

alter table ops.setting_changes enable row level security;
