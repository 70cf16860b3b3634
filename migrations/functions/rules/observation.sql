-- An observation is what one rule saw of one subject. A rule names what it knows; everything
-- else has its one default here.

create or replace function ops.make_observation(
    p_rule text,
    p_subject text,
    p_verdict text,
    p_value numeric default null,
    p_threshold numeric default null,
    p_unit text default null,
    p_samples bigint default null,
    p_occurrences bigint default 1,
    p_severity text default null,
    p_facts jsonb default '{}',
    p_fingerprint text default null
)
returns ops.observation
language sql
immutable
set search_path = ''
as $$
    select row(
        coalesce(p_fingerprint, p_rule || ':' || p_subject),
        p_rule, p_subject, p_severity, p_verdict,
        -- A document in JSON can hold no other number.
        case when p_value not in ('NaN', 'Infinity', '-Infinity') then p_value end,
        p_threshold, p_unit, p_samples, p_occurrences, p_facts, null
    )::ops.observation
$$;

comment on function ops.make_observation(text, text, text, numeric, numeric, text, bigint, bigint, text, jsonb, text) is
    'An observation. Its fingerprint is made of rule and subject unless one is given; its severity counts only if the rule has none of its own, and a value that is not finite is null.';

create or replace function ops.with_fence(p_observation ops.observation, p_fence bigint)
returns ops.observation
language plpgsql
immutable
set search_path = ''
as $$
begin
    p_observation.fence := p_fence;
    return p_observation;
end
$$;

comment on function ops.with_fence(ops.observation, bigint) is
    'The observation as one that the run with that fence made. An observation between ticks has no fence, so that the tick under way may still judge the same subject.';

create or replace function ops.make_context(
    p_channels text[],
    p_settings jsonb,
    p_environment text default null,
    p_deployment text default null,
    p_commit text default null
)
returns ops.context
language sql
immutable
set search_path = ''
as $$
    select row(p_environment, p_deployment, p_commit, p_channels, p_settings, null)::ops.context
$$;

comment on function ops.make_context(text[], jsonb, text, text, text) is
    'What is true of a whole tick or call.';

