-- The setting contacts becomes rows of ops.contacts, the one place for them.
--
-- Why: a setting had no channels, no hours and no proof. A role of another name
-- becomes external_consultant, the last to be asked; who had no address could
-- not be asked and is not taken over.
-- Undo: put the setting contacts, its kind and its check back.

set local search_path = '';

insert into ops.contacts (id, name, role, email, updated_at, updated_by)
select
    gen_random_uuid(),
    -- Names were not unique before.
    item.name || case when item.nth > 1 then ' ' || item.nth else '' end,
    coalesce(known.role, 'external_consultant'),
    item.email,
    setting.updated_at,
    setting.updated_by
from ops.settings as setting
cross join lateral (
    select
        value ->> 'name' as name,
        regexp_replace(lower(value ->> 'role'), '[^a-z]+', '_', 'g') as role,
        value ->> 'email' as email,
        row_number() over (partition by lower(value ->> 'name') order by place) as nth
    from jsonb_array_elements(setting.value) with ordinality as listed (value, place)
) as item
left join ops.contact_roles as known on known.role = item.role
where setting.key = 'contacts' and item.email is not null;

delete from ops.setting_changes where key = 'contacts';
delete from ops.settings where key = 'contacts';

-- Kinds of settings ----------------------------------------------------------

alter table ops.settings drop constraint settings_kind_check;
alter table ops.settings add constraint settings_kind_check
    check (kind in ('number', 'integer', 'boolean', 'text', 'checked_urls'));

create or replace function ops.check_setting(p_setting ops.settings)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_setting.kind in ('number', 'integer') then case
            when jsonb_typeof(p_setting.value) <> 'number'
                or (p_setting.kind = 'integer' and p_setting.value::numeric % 1 <> 0)
                or p_setting.value::numeric < p_setting.minimum
                or p_setting.value::numeric > p_setting.maximum
            then concat_ws(
                ' ',
                case p_setting.kind when 'integer' then 'a whole number' else 'a number' end,
                'from ' || p_setting.minimum,
                'to ' || p_setting.maximum
            )
        end
        when p_setting.kind = 'boolean' then
            case when jsonb_typeof(p_setting.value) <> 'boolean' then 'true or false' end
        when p_setting.kind = 'text' then case
            when jsonb_typeof(p_setting.value) <> 'string' or length(p_setting.value #>> '{}') > 2000
            then 'a text of at most 2000 characters'
        end
        when p_setting.kind = 'checked_urls' then ops.check_checked_urls(p_setting.value)
    end
$$;

drop function ops.check_contacts(jsonb);
