-- The devices on which contacts are reached by push messages. A person adds one where it is,
-- by signing in on a page there; so no file of contacts names any. A message to a contact by
-- this channel is one message for each device, which is retried and settled by itself. What it
-- is encrypted to is read when it is claimed, and lies in no message.

create or replace function ops.for_each_device(p_channel text, p_facts jsonb)
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_channel is distinct from 'push' then
        return next p_facts;
        return;
    end if;
    return query
    select p_facts || jsonb_build_object('device', device.id)
    from ops.push_devices as device
    where device.contact = (p_facts #>> '{recipients,people,0,contact}')::uuid and device.gone_at is null
    order by device.added_at, device.id;
end
$$;

comment on function ops.for_each_device(text, jsonb) is
    'Returns the facts of the messages that one message to a person is on a channel: one for each device where devices are reached, else these.';

create or replace function ops.addressed_facts(p_channel text, p_facts jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_channel is distinct from 'push' then
        return p_facts;
    end if;
    return coalesce(
        (
            select jsonb_set(
                p_facts,
                '{recipients,people,0,addresses}',
                coalesce(p_facts #> '{recipients,people,0,addresses}', '{}') || jsonb_build_object(
                    'push',
                    jsonb_build_object(
                        'endpoint', device.endpoint,
                        'keys', jsonb_build_object('p256dh', device.public_key, 'auth', device.auth_secret)
                    )::text
                )
            )
            from ops.push_devices as device
            where device.id = (p_facts ->> 'device')::uuid and device.gone_at is null
        ),
        p_facts
    );
end
$$;

comment on function ops.addressed_facts(text, jsonb) is
    'Returns the facts of a message as they are sent: with what the device is reached by, if it is to one that is not gone.';

create or replace function ops.device_names(p_contact uuid)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select string_agg(name, ', ' order by added_at, id)
        from ops.push_devices
        where contact = p_contact and gone_at is null
    );
end
$$;

comment on function ops.device_names(uuid) is
    'Returns the names of the devices of a contact, with commas between; null if it has none.';

create or replace function ops.device_documents(p_contact uuid)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('id', id, 'name', name, 'addedAt', added_at, 'provenAt', proven_at)
            order by added_at, id
        ),
        '[]'
    )
    from ops.push_devices
    where contact = p_contact and gone_at is null
$$;

comment on function ops.device_documents(uuid) is 'Returns the devices of a contact as callers see them.';

create or replace function ops.contact_of_caller(p_contact uuid, p_email text)
returns ops.contacts
language plpgsql
stable
set search_path = ''
as $$
declare
    v_contact ops.contacts;
begin
    if num_nonnulls(p_contact, p_email) <> 1 then
        perform ops.refuse(
            'contact and email', 'one of the two', case when p_contact is null then 'neither' else 'both' end
        );
    end if;
    select contact.* into v_contact
    from ops.contacts as contact
    join ops.contact_roles as roles on roles.role = contact.role
    where contact.id = p_contact or lower(contact.email) = lower(p_email)
    order by roles.level nulls last, roles.after_minutes, contact.id
    limit 1;
    if not found then
        perform ops.refuse(
            case when p_email is null then 'contact' else 'email' end,
            'that of a contact: pourtrait contacts add makes one', coalesce(p_email, p_contact::text)
        );
    end if;
    return v_contact;
end
$$;

comment on function ops.contact_of_caller(uuid, text) is
    'Returns the contact of that id or of that email address, the one that is asked first if several have it. Refuses with SQLSTATE 22023 if there is none.';

create or replace function ops.check_device(p_name text, p_subscription jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_length('name', p_name, 100);
    if p_name ~ '[[:cntrl:]]' then
        perform ops.refuse('name', 'a text of one line, without control characters', p_name);
    end if;
    if coalesce(p_subscription ->> 'endpoint', '') !~ '^https?://[!-~]+$'
        or length(p_subscription ->> 'endpoint') > 2000
    then
        perform ops.refuse('endpoint', 'a URL of at most 2,000 characters', 'something else');
    end if;
    if coalesce(p_subscription #>> '{keys,p256dh}', '') !~ '^[A-Za-z0-9_-]{87}$'
        or coalesce(p_subscription #>> '{keys,auth}', '') !~ '^[A-Za-z0-9_-]{22}$'
    then
        perform ops.refuse('keys', 'p256dh of 65 bytes and auth of 16, in base64url', 'something else');
    end if;
end
$$;

comment on function ops.check_device(text, jsonb) is
    'Refuses a name and a subscription that are none with SQLSTATE 22023, without repeating what is secret.';

create or replace function ops.queue_device_test(p_device ops.push_devices, p_contact ops.contacts, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    insert into ops.outbox (kind, channel, severity, facts, created_at, next_attempt_at)
    values (
        'notice', 'push', 'low',
        jsonb_build_object(
            'kind', 'notice',
            'severity', 'low',
            'title', format('Alerts reach %s on %s', p_contact.name, p_device.name),
            'message', 'Nothing is wrong. This device was added just now.',
            'openedAt', p_now,
            'device', p_device.id,
            'recipients', jsonb_build_object(
                'usual', false, 'people', jsonb_build_array(ops.person_document(p_contact))
            )
        ),
        p_now, p_now
    )
$$;

comment on function ops.queue_device_test(ops.push_devices, ops.contacts, timestamptz) is
    'Queues a message to a device that was added, which proves it.';

create or replace function ops.write_device(
    p_contact uuid,
    p_name text,
    p_subscription jsonb,
    p_by text,
    p_now timestamptz
)
returns ops.push_devices
language sql
set search_path = ''
as $$
    insert into ops.push_devices as device
        (contact, name, endpoint, public_key, auth_secret, added_at, added_by)
    values (
        p_contact, p_name, p_subscription ->> 'endpoint', p_subscription #>> '{keys,p256dh}',
        p_subscription #>> '{keys,auth}', p_now, p_by
    )
    on conflict (endpoint) do update
    set
        contact = excluded.contact, name = excluded.name, public_key = excluded.public_key,
        auth_secret = excluded.auth_secret, added_at = excluded.added_at, added_by = excluded.added_by,
        proven_at = null, gone_at = null
    -- A page says so again whenever it is opened.
    where (device.contact, device.name, device.public_key, device.auth_secret, device.gone_at)
        is distinct from (
            excluded.contact, excluded.name, excluded.public_key, excluded.auth_secret, null::timestamptz
        )
    returning device
$$;

comment on function ops.write_device(uuid, text, jsonb, text, timestamptz) is
    'Adds a device, or changes it where its browser subscribed before, and returns it; null if nothing changed.';

create or replace function public.ops_add_device(
    p_name text,
    p_subscription jsonb,
    p_by text,
    p_contact uuid default null,
    p_email text default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_by text;
    v_contact ops.contacts;
    v_device ops.push_devices;
begin
    perform ops.hold_functions();
    v_by := ops.check_by(p_by);
    perform ops.check_device(p_name, p_subscription);
    v_contact := ops.contact_of_caller(p_contact, p_email);
    perform from ops.contacts where id = v_contact.id for update;

    v_device := ops.write_device(v_contact.id, p_name, p_subscription, v_by, v_now);
    if v_device.id is not null then
        -- Nobody has more; whoever tries out many keeps the newest.
        delete from ops.push_devices
        where id in (
            select id from ops.push_devices where contact = v_contact.id order by added_at desc, id offset 10
        );
        perform ops.queue_device_test(v_device, v_contact, v_now);
    end if;
    return jsonb_build_object(
        'contact', v_contact.name, 'added', v_device.id is not null, 'devices', ops.device_documents(v_contact.id)
    );
end
$$;

comment on function public.ops_add_device(text, jsonb, text, uuid, text, timestamptz) is
    'Adds a device to the contact of that id or of that email address and queues a message that proves it. A browser that subscribed before is not added twice. Returns the devices of the contact, at most ten. Refuses what is not valid with SQLSTATE 22023.';

create or replace function public.ops_remove_device(
    p_contact uuid default null,
    p_email text default null,
    p_device uuid default null,
    p_endpoint text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_contact ops.contacts;
    v_removed bigint;
begin
    perform ops.hold_functions();
    v_contact := ops.contact_of_caller(p_contact, p_email);
    if num_nonnulls(p_device, p_endpoint) <> 1 then
        perform ops.refuse(
            'device and endpoint', 'one of the two', case when p_device is null then 'neither' else 'both' end
        );
    end if;
    delete from ops.push_devices
    where contact = v_contact.id and (id = p_device or endpoint = p_endpoint);
    get diagnostics v_removed = row_count;
    return jsonb_build_object(
        'contact', v_contact.name, 'removed', v_removed, 'devices', ops.device_documents(v_contact.id)
    );
end
$$;

comment on function public.ops_remove_device(uuid, text, uuid, text) is
    'Removes a device of the contact of that id or of that email address, by its id or by its endpoint, and returns the devices that are left.';

create or replace function ops.leave_device(p_message ops.outbox, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.push_devices
    set gone_at = p_now
    where p_message.channel = 'push' and id = (p_message.facts ->> 'device')::uuid and gone_at is null
$$;

comment on function ops.leave_device(ops.outbox, timestamptz) is
    'Notes that the device of a message is gone, so that nothing more is sent there.';

create or replace function ops.tell_gone_devices(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_device ops.push_devices;
    v_contact ops.contacts;
begin
    -- Every tick comes by here.
    if not exists (select from ops.push_devices where gone_at is not null) then
        return;
    end if;
    for v_device in
        delete from ops.push_devices where gone_at is not null returning *
    loop
        select * into v_contact from ops.contacts where id = v_device.contact;
        perform ops.queue_message(
            'notice', told.channel, false, 'medium', null, null,
            jsonb_build_object(
                'kind', 'notice',
                'severity', 'medium',
                'title', format('Push messages no longer reach %s on %s', v_contact.name, v_device.name),
                'message', 'Its browser has ended the subscription. Sign in there and let it be reached again.',
                'openedAt', p_now
            ) || case
                when told.usual then '{}'
                else jsonb_build_object('recipients', jsonb_build_object(
                    'usual', false, 'people', jsonb_build_array(ops.person_document(v_contact))
                ))
            end,
            p_context.settings, p_now
        )
        from (
            select route.channel, true as usual
            from ops.route('medium', p_context.channels) as route
            where route.channel is not null
            union all
            select 'email', false
            where 'email' = any (p_context.channels) and v_contact.email is not null
        ) as told;
    end loop;
end
$$;

comment on function ops.tell_gone_devices(ops.context, timestamptz) is
    'Removes the devices that are gone and tells the usual readers, and each contact by email, that they are no longer reached there. The caller holds the lock of the alerts.';
