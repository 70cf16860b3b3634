-- The chain of the audit log: how a row is hashed, and who writes.
--
-- The canonical form of a row is a text of eight fields: the words `pourtrait audit 1`, then
-- seq, at, action, actor, subject, details and previous. A field is written as the number of
-- its bytes in UTF-8, a colon and its text, and one that is null as a hyphen; each is followed
-- by a line feed. Numbers are written in decimal digits, the time in UTC with six digits of a
-- second, such as 2026-11-24T12:00:00.000000Z. The hash is SHA-256 over the text in UTF-8, in
-- lower-case hexadecimal digits. Whoever verifies the log computes the same.

create or replace function ops.audit_field(p_text text)
returns text
language sql
stable
parallel safe
set search_path = ''
as $$
    select coalesce(octet_length(convert_to(p_text, 'UTF8')) || ':' || p_text, '-') || E'\n'
$$;

comment on function ops.audit_field(text) is 'A field of the canonical form of a row of the audit log.';

create or replace function ops.audit_time(p_at timestamptz)
returns text
language sql
stable
parallel safe
set search_path = ''
as $$
    select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

comment on function ops.audit_time(timestamptz) is 'A time as the canonical form of a row of the audit log has it.';

create or replace function ops.audit_hash(p_row ops.audit)
returns text
language sql
stable
parallel safe
set search_path = ''
as $$
    select encode(
        sha256(convert_to(
            ops.audit_field('pourtrait audit 1')
                || ops.audit_field(p_row.seq::text)
                || ops.audit_field(ops.audit_time(p_row.at))
                || ops.audit_field(p_row.action)
                || ops.audit_field(p_row.actor)
                || ops.audit_field(p_row.subject)
                || ops.audit_field(p_row.details)
                || ops.audit_field(p_row.previous),
            'UTF8'
        )),
        'hex'
    )
$$;

comment on function ops.audit_hash(ops.audit) is 'SHA-256 over the canonical form of a row of the audit log, in hexadecimal.';

create or replace function ops.audit_details_hash(p_salt text, p_document text)
returns text
language sql
stable
parallel safe
set search_path = ''
as $$
    select encode(sha256(decode(p_salt, 'hex') || convert_to(p_document, 'UTF8')), 'hex')
$$;

comment on function ops.audit_details_hash(text, text) is
    'The hash of the details of a row of the audit log: SHA-256 over the bytes of the salt and the text.';

create or replace function ops.audit_actor(p_name text)
returns text
language sql
stable
-- Nobody but the owner may read the key.
security definer
set search_path = ''
as $$
    select encode(sha256(held.key || sha256(held.key || convert_to(lower(btrim(p_name)), 'UTF8'))), 'hex')
    from ops.audit_key as held
    where nullif(btrim(p_name), '') is not null
$$;

comment on function ops.audit_actor(text) is
    'Who somebody is in the audit log: a keyed hash of their name, whatever its case; null for nobody.';

create or replace function ops.write_audit(p_action text, p_actor text, p_subject text, p_details jsonb)
returns void
language plpgsql
-- Nobody but the owner may write here, so that nothing is written around this function.
security definer
set search_path = ''
as $$
declare
    v_document text := (jsonb_build_object('actor', p_actor) || coalesce(p_details, '{}'))::text;
begin
    if octet_length(v_document) > 4000 then
        v_document := jsonb_build_object(
            'actor', left(p_actor, 200),
            'bytes', octet_length(v_document),
            'sha256', encode(sha256(convert_to(v_document, 'UTF8')), 'hex')
        );
    end if;
    insert into ops.audit_pending (action, actor, subject, document)
    values (p_action, ops.audit_actor(p_actor), left(p_subject, 200), v_document);
end
$$;

comment on function ops.write_audit(text, text, text, jsonb) is
    'Writes into the audit log who did what to what, when the transaction commits and only then. Of details that are too long, their hash alone is kept.';

create or replace function ops.chain_audit()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_row ops.audit;
    v_salt text := encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex');
begin
    -- From here to the end of the commit nobody else is added.
    perform pg_advisory_xact_lock(hashtextextended('ops.audit', 0));
    select newest.seq + 1, greatest(newest.at, clock_timestamp()), newest.hash
    into v_row.seq, v_row.at, v_row.previous
    from ops.audit as newest
    order by newest.seq desc
    limit 1;
    v_row.seq := coalesce(v_row.seq, 1);
    v_row.at := coalesce(v_row.at, clock_timestamp());
    v_row.previous := coalesce(v_row.previous, repeat('0', 64));
    v_row.action := new.action;
    v_row.actor := new.actor;
    v_row.subject := new.subject;
    v_row.details := ops.audit_details_hash(v_salt, new.document);
    v_row.hash := ops.audit_hash(v_row);
    insert into ops.audit values (v_row.*);
    insert into ops.audit_details (seq, salt, document) values (v_row.seq, v_salt, new.document);
    delete from ops.audit_pending where id = new.id;
    return null;
end
$$;

comment on function ops.chain_audit() is
    'Chains what a transaction wrote into the audit log as it commits, one transaction after the other.';

create or replace function ops.guard_audit()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_stack text;
begin
    get diagnostics v_stack = pg_context;
    -- The arguments of the trigger are the functions that may do this.
    if tg_op <> 'TRUNCATE' and v_stack ~ format('(?n)^[^"]*\mops\.(%s)\(', tg_argv[0]) then
        return coalesce(new, old);
    end if;
    raise exception 'the audit log is written by its own functions alone'
        using errcode = 'insufficient_privilege';
end
$$;

comment on function ops.guard_audit() is
    'Refuses with SQLSTATE 42501 what the functions of the audit log do not do themselves, whoever does it.';
