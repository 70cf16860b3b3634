-- An address of a contact is proven once a message to it was accepted, be it a test or the
-- message of an alert. A new address has to be proven again.

create or replace function ops.person_document(p_contact ops.contacts)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'contact', p_contact.id,
        'name', p_contact.name,
        'role', p_contact.role,
        'email', p_contact.email,
        'slack', p_contact.slack_id,
        'addresses', p_contact.addresses
            || jsonb_strip_nulls(jsonb_build_object('push', ops.device_names(p_contact.id)))
    )
$$;

comment on function ops.person_document(ops.contacts) is
    'Returns a contact as a ladder and a message keep it: who it is, and its addresses at that time; of push messages the names of its devices.';

create or replace function ops.prove_channel()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    update ops.contacts as contact
    set
        email_proven_at = case
            when new.channel = 'email' and contact.email = person.value ->> 'email' then new.sent_at
            else contact.email_proven_at
        end,
        slack_proven_at = case
            when new.channel = 'slack' and contact.slack_id = person.value ->> 'slack' then new.sent_at
            else contact.slack_proven_at
        end,
        addresses_proven = contact.addresses_proven || case
            when contact.addresses ->> new.channel = person.value #>> array['addresses', new.channel]
            then jsonb_build_object(new.channel, new.sent_at)
            else '{}'
        end
    from jsonb_array_elements(new.facts #> '{recipients,people}') as person (value)
    where contact.id = (person.value ->> 'contact')::uuid;
    update ops.push_devices
    set proven_at = new.sent_at
    where new.channel = 'push' and id = (new.facts ->> 'device')::uuid;
    return null;
end
$$;

comment on function ops.prove_channel() is
    'Marks an address or a device of a contact as proven when a message to it was sent, if the contact still has it.';

create or replace function public.ops_test_contact(p_contact uuid, p_by text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb;
    v_contact ops.contacts;
    v_by text;
    v_channels text[];
begin
    perform ops.hold_functions();
    select * into v_contact from ops.contacts where id = p_contact;
    if not found then
        perform ops.refuse('contact', 'the id of a contact', p_contact::text);
    end if;
    v_by := ops.check_by(p_by);
    v_settings := ops.read_settings();
    v_channels := array_remove(
        array[
            case when v_contact.email is not null then 'email' end,
            case when v_contact.slack_id is not null then 'slack' end
        ],
        null
    ) || array(select jsonb_object_keys(ops.person_document(v_contact) -> 'addresses'));

    perform ops.queue_message(
        'notice', channel, false, 'low', null, null,
        jsonb_build_object(
            'kind', 'notice',
            'severity', 'low',
            'title', 'Test message to ' || v_contact.name,
            'message', 'Nothing is wrong. ' || v_by || ' wants to know that alerts reach you this way.',
            'openedAt', v_now,
            'recipients', jsonb_build_object(
                'usual', false,
                'people', jsonb_build_array(ops.person_document(v_contact))
            )
        ),
        v_settings,
        v_now
    )
    from unnest(v_channels) as tested (channel);
    return jsonb_build_object('queued', to_jsonb(v_channels));
end
$$;

comment on function public.ops_test_contact(uuid, text, timestamptz) is
    'Queues a test message to each address of a contact. An address to which it was sent is proven.';
