-- What the spec of a custom check must be, kind by kind. Each function examines a part and
-- returns the first fault that it finds. Whatever is admitted here can be probed: a test
-- holds it against what the function that probes reads.

create or replace function ops.find_record_fault(p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_spec ? 'record' and not ops.is_word(p_spec -> 'record', kinds)
        then ops.make_fault('record', ops.join_words(kinds), ops.show(p_spec -> 'record'))
        when p_spec ? 'record' and p_spec ? 'address'
        then ops.make_fault('address', 'absent where records are asked for', ops.show(p_spec -> 'address'))
        when not p_spec ? 'record' and alone.key is not null
        then ops.make_fault(alone.key, 'absent unless a kind of record is asked for', ops.show(p_spec -> alone.key))
        when p_spec ? 'absent' and jsonb_typeof(p_spec -> 'absent') <> 'boolean'
        then ops.make_fault('absent', 'true or false', ops.show(p_spec -> 'absent'))
        when p_spec ? 'values' and (
            p_spec -> 'absent' = 'true' or not ops.is_list_of_texts(p_spec -> 'values', 20, 500)
        )
        then ops.make_fault(
            'values', 'an array of 1 to 20 texts, and absent where no record may be', ops.show(p_spec -> 'values')
        )
        when p_spec ? 'server' and not (
            ops.is_text(p_spec -> 'server', 45, '')
            and (ops.is_ipv4(p_spec ->> 'server') or ops.is_ipv6(p_spec ->> 'server'))
        )
        then ops.make_fault('server', 'an IP address', ops.show(p_spec -> 'server'))
        when p_spec ? 'port' and not p_spec ? 'server'
        then ops.make_fault('port', 'absent unless a server is named', ops.show(p_spec -> 'port'))
    end
    from (select '{A,AAAA,CAA,CNAME,MX,NS,PTR,SOA,SRV,TXT}'::text[] as kinds) as known
    cross join (
        select min(key) as key
        from unnest('{values,absent,server,port}'::text[]) as needy (key)
        where p_spec ? key
    ) as alone
$$;

comment on function ops.find_record_fault(jsonb) is
    'What is wrong with the records that a check over DNS asks for, or null.';

create or replace function ops.find_network_fault(p_kind text, p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when not (ops.is_text(p_spec -> 'host', 253, '') and ops.is_host(p_spec ->> 'host'))
        then ops.make_fault('host', 'the name or the address of a host', ops.show(p_spec -> 'host'))
        when (p_kind = 'tcp' or p_spec ? 'port') and not ops.is_whole(p_spec -> 'port', 1, 65535)
        then ops.make_fault('port', 'a whole number from 1 to 65535', ops.show(p_spec -> 'port'))
        when p_spec ? 'address' and not (
            ops.is_text(p_spec -> 'address', 45, '')
            and (ops.is_ipv4(p_spec ->> 'address') or ops.is_ipv6(p_spec ->> 'address'))
        )
        then ops.make_fault('address', 'an IP address', ops.show(p_spec -> 'address'))
        when p_kind = 'dns' then ops.find_record_fault(p_spec)
        when p_kind = 'tcp' and p_spec ? 'send' and not ops.is_text(p_spec -> 'send', 1000, '')
        then ops.make_fault('send', 'a text of 1 to 1000 characters', ops.describe_size(p_spec -> 'send'))
        when p_kind = 'tcp' then ops.find_expectation_fault('', p_spec)
        when p_spec ? 'startTls' and not ops.is_word(p_spec -> 'startTls', '{smtp,imap,pop3,postgres}')
        then ops.make_fault('startTls', 'smtp, imap, pop3 or postgres', ops.show(p_spec -> 'startTls'))
        else ops.find_credentials_fault('', p_spec)
    end
$$;

comment on function ops.find_network_fault(text, jsonb) is
    'What is wrong with the spec of a check over TLS, DNS or TCP, or null.';

create or replace function ops.find_heartbeat_fault(p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.make_fault(field, 'a whole number from 60 to 31622400', ops.show(p_spec -> field))
    from unnest('{periodSeconds,graceSeconds,maxRunSeconds}'::text[]) with ordinality as bound (field, nth)
    where (field <> 'maxRunSeconds' or p_spec ? field) and not ops.is_whole(p_spec -> field, 60, 31622400)
    order by nth
    limit 1
$$;

comment on function ops.find_heartbeat_fault(jsonb) is 'What is wrong with the spec of a heartbeat, or null.';

create or replace function ops.is_list_of_tags(p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.is_list_of_names(p_value, 20) and not exists (
        select
        from jsonb_array_elements_text(p_value) as tag (word)
        where tag.word !~ '^[a-z0-9][a-z0-9-]*$'
    )
$$;

comment on function ops.is_list_of_tags(jsonb) is
    'Whether a value is an array of words by which custom checks are grouped.';

create or replace function ops.known_spec_keys(p_kind text)
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select keys || '{opensAfter,resolvesAfter,dependsOn,tags}'::text[]
    from (
        select case p_kind
            when 'http' then '{before,maxLatencyMs,retries}'::text[] || ops.known_request_keys()
            when 'tls' then '{host,port,startTls,ca,certificate,key,maxLatencyMs,retries}'
            when 'dns' then '{host,address,record,values,absent,server,port,maxLatencyMs,retries}'
            when 'tcp' then '{host,port,send,contains,matches,maxLatencyMs,retries}'
            when 'heartbeat' then '{periodSeconds,graceSeconds,maxRunSeconds}'
            when 'rule'
            then '{event,of,metric,aggregate,windowMinutes,minimumSamples,minimum,maximum,dropPercent,risePercent}'
        end as keys
    ) as known
    where keys is not null
$$;

comment on function ops.known_spec_keys(text) is
    'The keys that the spec of a custom check of that kind may have; null if custom checks are never of that kind.';

create or replace function ops.custom_kinds()
returns text[]
language sql
stable
parallel safe
set search_path = ''
as $$
    select array_agg(kind order by nth)
    from unnest(ops.words('ops.check_kind')) with ordinality as known (kind, nth)
    where ops.known_spec_keys(kind) is not null
$$;

comment on function ops.custom_kinds() is 'The kinds that a custom check may be of.';

create or replace function ops.find_spec_fault(p_kind text, p_spec jsonb)
returns ops.fault
language sql
stable
parallel safe
set search_path = ''
as $$
    select coalesce(
        case
            when jsonb_typeof(p_spec) <> 'object' then ops.make_fault('spec', 'an object', jsonb_typeof(p_spec))
            when p_spec - ops.known_spec_keys(p_kind) <> '{}'
            then ops.make_fault(
                'keys',
                'among ' || array_to_string(ops.known_spec_keys(p_kind), ', '),
                ops.show_keys(p_spec - ops.known_spec_keys(p_kind))
            )
            when p_spec ? 'dependsOn' and not ops.is_list_of_names(p_spec -> 'dependsOn', 20)
            then ops.make_fault(
                'dependsOn', 'an array of 1 to 20 names of checks and services', ops.show(p_spec -> 'dependsOn')
            )
            when p_spec ? 'tags' and not ops.is_list_of_tags(p_spec -> 'tags')
            then ops.make_fault(
                'tags',
                'an array of 1 to 20 words of lower-case letters, digits and hyphens, at most 50 each',
                ops.show(p_spec -> 'tags')
            )
        end,
        case
            when p_kind = 'http' then ops.find_http_fault(p_spec)
            when p_kind in ('tls', 'dns', 'tcp') then ops.find_network_fault(p_kind, p_spec)
            when p_kind = 'heartbeat' then ops.find_heartbeat_fault(p_spec)
            when p_kind = 'rule' then ops.find_rule_fault(p_spec)
        end,
        (
            select ops.make_fault(bound.field, 'a whole number from 1 to 60', ops.show(p_spec -> bound.field))
            from (values ('opensAfter'), ('resolvesAfter')) as bound (field)
            where p_spec ? bound.field and not ops.is_whole(p_spec -> bound.field, 1, 60)
            order by bound.field
            limit 1
        ),
        case
            when p_spec ? 'retries' and not ops.is_whole(p_spec -> 'retries', 0, 3)
            then ops.make_fault('retries', 'a whole number from 0 to 3', ops.show(p_spec -> 'retries'))
        end,
        case
            when p_spec ? 'maxLatencyMs' and not ops.is_whole(p_spec -> 'maxLatencyMs', 1, 10000)
            then ops.make_fault('maxLatencyMs', 'a whole number from 1 to 10000', ops.show(p_spec -> 'maxLatencyMs'))
        end
    )
$$;

comment on function ops.find_spec_fault(text, jsonb) is
    'What is wrong with the spec of a custom check of that kind, or null.';
