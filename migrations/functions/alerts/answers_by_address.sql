-- Who is told by phone answers by phone: with the code of the message, or without one where
-- no other alert is open that this phone was told of.

create or replace function ops.answer_code(p_message uuid)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select to_char(('x' || substr(md5(p_message::text), 1, 7))::bit(28)::integer % 9000 + 1000, 'FM0000')
$$;

comment on function ops.answer_code(uuid) is
    'Returns the four digits by which the reader of a message answers it. They only tell alerts apart: the phone proves who answers.';

create or replace function ops.answer_facts(p_message ops.outbox)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select case
        when ops.reach_of(p_message.channel) = 'phone' and ops.is_beginning(p_message)
        then jsonb_build_object('code', ops.answer_code(p_message.id))
        else '{}'
    end
$$;

comment on function ops.answer_facts(ops.outbox) is 'Returns the code of a message that is answered by one.';

create or replace function public.ops_find_answered(p_channel text, p_address text, p_code text default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with told as (
        select alert.id as alert, message.id as message, message.created_at, person.value ->> 'name' as name
        from ops.alerts as alert
        join ops.outbox as message on message.alert = alert.id
        cross join lateral jsonb_array_elements(message.facts #> '{recipients,people}') as person (value)
        where alert.status <> 'resolved'
            and message.channel = p_channel
            and ops.is_beginning(message)
            and ops.may_have_arrived(message)
            and person.value #>> array['addresses', p_channel] = p_address
    ),
    known as (
        select count(distinct alert) as open, max(name) as name from told
    ),
    answered as (
        select told.alert, told.message
        from told
        cross join known
        where case when p_code is null then known.open = 1 else ops.answer_code(told.message) = p_code end
        order by told.created_at desc
        limit 1
    )
    select jsonb_build_object(
        'alert', answered.alert, 'message', answered.message, 'name', known.name, 'open', known.open
    )
    from known
    left join answered on true
$$;

comment on function public.ops_find_answered(text, text, text) is
    'Returns the open alert, and its message, that an address answers: the one of the code, or without a code the only one that it was told of; also who has the address, and of how many open alerts it was told.';
