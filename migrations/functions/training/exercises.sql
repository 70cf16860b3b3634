-- Exercises: when each was done last, and whether it is time to do it again.

create or replace function ops.exercise_days()
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
    select 90
$$;

comment on function ops.exercise_days() is 'After how many days an exercise is to be done again.';

create or replace function ops.exercise_document(p_exercise ops.exercises)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_exercise.id,
        'exercise', p_exercise.exercise,
        'by', p_exercise.done_by,
        'startedAt', p_exercise.started_at,
        'finishedAt', p_exercise.finished_at,
        'seconds', extract(epoch from p_exercise.finished_at - p_exercise.started_at),
        'steps', p_exercise.steps
    )
$$;

comment on function ops.exercise_document(ops.exercises) is 'An exercise that was finished, with its times.';

create or replace function ops.list_exercises(p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select jsonb_agg(
            jsonb_build_object(
                'exercise', known.word,
                'status', case
                    when newest.finished_at is null then 'never'
                    when newest.finished_at <= p_now - ops.exercise_days() * interval '24 hours' then 'overdue'
                    else 'ok'
                end,
                'due', newest.finished_at + ops.exercise_days() * interval '24 hours',
                'last', newest.document
            )
            order by known.place
        )
        from unnest(ops.words('ops.exercise')) with ordinality as known (word, place)
        left join lateral (
            select done.finished_at, ops.exercise_document(done) as document
            from ops.exercises as done
            where done.exercise = known.word and done.finished_at <= p_now
            order by done.finished_at desc
            limit 1
        ) as newest on true
    );
end
$$;

comment on function ops.list_exercises(timestamptz) is
    'Each exercise: never done, overdue or ok, when it is due, and how it went last.';

create or replace function ops.check_steps(p_steps jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_step jsonb;
begin
    if jsonb_typeof(p_steps) is distinct from 'array' or jsonb_array_length(p_steps) > 100 then
        perform ops.refuse('steps', 'a list of at most 100 steps', left(p_steps::text, 100));
    end if;
    for v_step in select jsonb_array_elements(p_steps) loop
        perform ops.check_text('step', v_step ->> 'step', 200);
        perform ops.check_time('at', (v_step ->> 'at')::timestamptz);
    end loop;
end
$$;

comment on function ops.check_steps(jsonb) is 'Refuses what is no list of steps, each with what was done and when.';

create or replace function public.ops_record_exercise(
    p_exercise jsonb, p_by text, p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_id uuid;
begin
    perform ops.hold_functions();
    v_id := (p_exercise ->> 'id')::uuid;
    perform ops.check_id('id', v_id);
    perform ops.check_word('exercise', p_exercise ->> 'exercise', ops.words('ops.exercise'));
    perform ops.check_time('startedAt', (p_exercise ->> 'startedAt')::timestamptz);
    perform ops.check_time('finishedAt', (p_exercise ->> 'finishedAt')::timestamptz);
    perform ops.check_steps(p_exercise -> 'steps');

    insert into ops.exercises (id, exercise, done_by, started_at, finished_at, steps, received_at)
    values (
        v_id,
        p_exercise ->> 'exercise',
        ops.check_text('by', p_by, 200),
        (p_exercise ->> 'startedAt')::timestamptz,
        greatest((p_exercise ->> 'finishedAt')::timestamptz, (p_exercise ->> 'startedAt')::timestamptz),
        p_exercise -> 'steps',
        coalesce(p_now, now())
    )
    on conflict (id) do nothing;

    return (select ops.exercise_document(done) from ops.exercises as done where done.id = v_id);
end
$$;

comment on function public.ops_record_exercise(jsonb, text, timestamptz) is
    'Keeps the receipt of an exercise, once however often it is sent, and returns the exercise.';

create or replace function public.ops_list_exercises(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'everyDays', ops.exercise_days(),
        'exercises', ops.list_exercises(coalesce(p_now, now()))
    )
$$;

comment on function public.ops_list_exercises(timestamptz) is
    'Each exercise: when it was done last and how it went, and whether it is due.';
