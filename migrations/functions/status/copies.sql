-- The copy of the status page that lies with another provider: when it is due, and whether
-- somebody has to be told that it cannot be written.

create or replace function public.ops_claim_status_copy(
    p_place text,
    p_fingerprint text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
begin
    perform ops.hold_functions();
    perform ops.check_length('place', p_place, 64);
    insert into ops.status_copies (place) values (p_place) on conflict (place) do nothing;
    update ops.status_copies
    set leased_until = v_now + interval '50 seconds'
    where place = p_place
        and (leased_until is null or leased_until <= v_now)
        and (
            written_at is null
            or fingerprint is distinct from p_fingerprint
            -- A run comes each minute, not to the second.
            or written_at <= v_now - interval '290 seconds'
        );
    return jsonb_build_object('isDue', found);
end
$$;

comment on function public.ops_claim_status_copy(text, text, timestamptz) is
    'Whether the caller has to write the copy now: because what it shows changed, or every five minutes. Only one caller is told so at a time.';

create or replace function public.ops_settle_status_copy(
    p_place text,
    p_fingerprint text,
    p_is_written boolean,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_failing_since timestamptz;
begin
    perform ops.hold_functions();
    select failing_since into v_failing_since from ops.status_copies where place = p_place for update;
    update ops.status_copies
    set
        fingerprint = case when p_is_written then p_fingerprint else fingerprint end,
        written_at = case when p_is_written then v_now else written_at end,
        failing_since = case when not p_is_written then coalesce(v_failing_since, v_now) end,
        leased_until = null
    where place = p_place;
    return jsonb_build_object(
        'tell', case
            when p_is_written and v_failing_since is not null then 'recovered'
            when not p_is_written and v_failing_since is null then 'failing'
        end
    );
end
$$;

comment on function public.ops_settle_status_copy(text, text, boolean, timestamptz) is
    'Notes whether the copy was written, and returns what is to be told of that: failing or recovered, each once, else null.';
