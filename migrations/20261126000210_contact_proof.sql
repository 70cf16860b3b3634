-- Proof that a contact can be reached: messages that were really sent.
--
-- Why: an address that nobody tried is found wrong in the night it is needed.
-- A channel counts as proven once a message to its present address was
-- accepted, be it a test or the real thing; a new address is proven anew.
-- Read by: `pourtrait contacts test`, `pourtrait check`.
-- Undo: drop the functions of this file and the trigger on ops.outbox.

set local search_path = '';

create function ops.person_document(p_contact ops.contacts)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'contact', p_contact.id,
        'name', p_contact.name,
        'role', p_contact.role,
        'email', p_contact.email,
        'slack', p_contact.slack_id
    )
$$;

comment on function ops.person_document(ops.contacts) is
    'A contact as a message keeps it: whom to reach, and where, as of then.';

create function ops.prove_channel()
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
        end
    from jsonb_array_elements(new.facts #> '{recipients,people}') as person (value)
    where contact.id = (person.value ->> 'contact')::uuid;
    return null;
end
$$;

comment on function ops.prove_channel() is
    'Marks the channel of a contact as proven when a message to the present address was sent.';

create trigger prove_channel
    after update of status on ops.outbox
    for each row
    when (new.status = 'sent' and old.status <> 'sent' and new.facts ? 'recipients')
    execute function ops.prove_channel();

create function public.ops_test_contact(p_contact uuid, p_by text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb := ops.read_settings();
    v_contact ops.contacts;
    v_channels text[];
begin
    select * into v_contact from ops.contacts where id = p_contact;
    if not found or coalesce(length(btrim(p_by)), 0) not between 1 and 200 then
        raise exception 'a test needs a contact that is there and who asks for it'
            using errcode = 'invalid_parameter_value';
    end if;
    v_channels := array_remove(
        array[
            case when v_contact.email is not null then 'email' end,
            case when v_contact.slack_id is not null then 'slack' end
        ],
        null
    );

    perform ops.queue_message(
        'notice', channel, false, 'low', null, null,
        jsonb_build_object(
            'kind', 'notice',
            'severity', 'low',
            'title', 'Test message to ' || v_contact.name,
            'message', 'Nothing is wrong. ' || btrim(p_by) || ' wants to know that alerts reach you this way.',
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
    'Queues a real test message on each channel of a contact; what is sent proves the channel.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_test_contact(uuid, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_test_contact(uuid, text, timestamptz) to service_role;
