-- Runs of the deployment check: taken at the door, claimed by whoever verifies, concluded
-- once, and answered until the platform has taken the answer. A conclusion is kept before it
-- is sent, so that a lost answer is sent again as it was.

create or replace function ops.take_check_runs(
    p_key integer,
    p_source text,
    p_check_runs jsonb,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_run jsonb;
    v_refused bigint := 0;
begin
    for v_run in select value from jsonb_array_elements(p_check_runs) loop
        begin
            insert into ops.check_runs as known (run, deployment, key, received_at, cancelled_at)
            select given.run, given.deployment, p_key, p_now, case when given.cancelled then p_now end
            from jsonb_to_record(v_run) as given (run text, deployment text, cancelled boolean)
            -- A cancellation may overtake what it cancels.
            on conflict (run) do update
            set cancelled_at = coalesce(known.cancelled_at, excluded.cancelled_at)
            where known.answered_at is null;
        exception
            when data_exception or integrity_constraint_violation or program_limit_exceeded then
                v_refused := v_refused + 1;
        end;
    end loop;
    perform ops.note_drop(p_key, p_source, 'unusable', v_refused, p_now);
end
$$;

comment on function ops.take_check_runs(integer, text, jsonb, timestamptz) is
    'Writes runs of the deployment check that are not there yet, and notes which were cancelled, in whichever order both arrive.';

create or replace function ops.conclude_overdue_check_runs(p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.check_runs
    set
        conclusion = 'canceled',
        conclusion_text = 'the platform cancelled it',
        concluded_at = p_now,
        answered_at = p_now
    where answered_at is null and cancelled_at is not null;
    update ops.check_runs
    set
        conclusion = 'failed',
        conclusion_text = 'it was not verified within 10 minutes',
        concluded_at = p_now
    where answered_at is null
        and conclusion is null
        and received_at <= p_now - interval '10 minutes'
        and (leased_until is null or leased_until <= p_now);
end
$$;

comment on function ops.conclude_overdue_check_runs(timestamptz) is
    'Ends the runs that the platform cancelled, without an answer, and concludes as failed those that nobody verified in their time.';

create or replace function public.ops_claim_check_run(p_claim uuid, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_run ops.check_runs;
begin
    perform ops.hold_functions();
    perform ops.check_id('claim', p_claim);
    perform ops.conclude_overdue_check_runs(v_now);
    select * into v_run
    from ops.check_runs
    where claim = p_claim and leased_until > v_now and answered_at is null;
    if not found then
        update ops.check_runs
        set claim = p_claim, leased_until = v_now + interval '60 seconds', attempts = attempts + 1
        where run = (
            select open.run
            from ops.check_runs as open
            where open.answered_at is null
                and open.attempts < 20
                and (open.leased_until is null or open.leased_until <= v_now)
            order by open.conclusion is null, open.received_at, open.run
            limit 1
            for update skip locked
        )
        returning * into v_run;
    end if;
    return jsonb_build_object(
        'run', v_run.run,
        'deployment', v_run.deployment,
        'conclusion', v_run.conclusion,
        'text', v_run.conclusion_text
    );
end
$$;

comment on function public.ops_claim_check_run(uuid, timestamptz) is
    'Gives the caller one run of the deployment check for 60 seconds: one whose conclusion the platform has not taken yet, else one that nobody has verified. All null if there is none. A repeated claim returns its first result.';

create or replace function public.ops_conclude_check_run(
    p_run text,
    p_claim uuid,
    p_conclusion text,
    p_text text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_run ops.check_runs;
begin
    perform ops.hold_functions();
    perform ops.check_word('conclusion', p_conclusion, ops.words('ops.check_run_conclusion'));
    perform ops.check_length('text', p_text, 2000);
    update ops.check_runs
    set conclusion = p_conclusion, conclusion_text = p_text, concluded_at = v_now
    where run = p_run and claim = p_claim and conclusion is null and cancelled_at is null;
    select * into v_run from ops.check_runs where run = p_run;
    return jsonb_build_object(
        'isDue', coalesce(
            v_run.claim = p_claim and v_run.cancelled_at is null and v_run.answered_at is null, false
        ),
        'conclusion', v_run.conclusion,
        'text', v_run.conclusion_text
    );
end
$$;

comment on function public.ops_conclude_check_run(text, uuid, text, text, timestamptz) is
    'Keeps what a run came to, once: a later conclusion changes nothing. Returns the one that counts, and whether the caller has to send it: not if the run was cancelled or somebody else took it over.';

create or replace function public.ops_settle_check_run(
    p_run text,
    p_claim uuid,
    p_refusal text default null,
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
    if p_refusal is not null then
        perform ops.check_length('refusal', p_refusal, 2000);
    end if;
    update ops.check_runs
    set answered_at = v_now, refusal = p_refusal, leased_until = null
    where run = p_run and claim = p_claim and conclusion is not null and answered_at is null;
    return jsonb_build_object(
        'settled',
        exists (select from ops.check_runs where run = p_run and claim = p_claim and answered_at is not null)
    );
end
$$;

comment on function public.ops_settle_check_run(text, uuid, text, timestamptz) is
    'Notes that the platform took the conclusion of a run, or why it never will.';

create or replace function ops.forget_check_runs(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    delete from ops.check_runs where received_at < p_now - interval '90 days'
$$;

comment on function ops.forget_check_runs(timestamptz) is 'Deletes runs of the deployment check that are long over.';
