-- Rules, alerts, incidents, and the state machine that opens and resolves them.
--
-- Why: an alert opens after several bad observations in a row, resolves after
-- several good ones, and is open at most once. What has been observed so far is
-- remembered here, nothing in memory. ops.step is the only place that decides.
-- Read by: the tick, raised alerts, the outbox, the dashboard.
-- Undo: drop the functions, the type and the tables of this file.

set local search_path = '';

create table ops.rules (
    rule text primary key,
    severity text check (severity in ('critical', 'high', 'medium', 'low')),
    signal text not null,
    subject_kind text not null,
    bad_after integer check (bad_after > 0),
    good_after integer check (good_after > 0),
    affects text[] not null default '{}'
);

comment on table ops.rules is 'Every rule that may raise an alert or a notice; the runbook has an entry for each.';
comment on column ops.rules.severity is 'Null where the occurrence brings its own.';
comment on column ops.rules.signal is 'check: a probe; traffic: figures over a window; event: a row of the application; notice: a message without an alert; external: raised by a caller; emergency: handed over by the function that could not reach the database.';
comment on column ops.rules.subject_kind is 'What a subject of this rule is.';
comment on column ops.rules.bad_after is 'Bad observations in a row that open an alert; null means the setting.';
comment on column ops.rules.good_after is 'Good observations in a row that resolve it; null means the setting.';
comment on column ops.rules.affects is 'Services that suffer; empty where the observation names its own.';

insert into ops.rules (rule, severity, signal, subject_kind, bad_after, good_after, affects)
values
    ('app_down', 'critical', 'check', 'url', null, null, '{app}'),
    ('database_failing', 'critical', 'check', 'service', null, null, '{database,app}'),
    ('critical_error', 'critical', 'event', 'message', 1, 1, '{app}'),
    ('monitoring_blind', 'critical', 'emergency', 'service', null, null, '{monitoring}'),
    ('error_rate_high', 'high', 'traffic', 'service', null, null, '{app}'),
    ('app_slow', 'high', 'check', 'url', null, null, '{app}'),
    ('api_slow', 'high', 'traffic', 'service', null, null, '{app}'),
    ('monitoring_gap', 'high', 'notice', 'job', null, null, '{monitoring}'),
    ('service_degraded', 'medium', 'check', 'service', null, null, '{}'),
    ('api_average_slow', 'medium', 'traffic', 'service', null, null, '{app}'),
    ('page_load_slow', 'medium', 'traffic', 'service', null, null, '{app}'),
    ('certificate_urgent', 'medium', 'check', 'host', null, null, '{app}'),
    ('certificate_expiring', 'low', 'check', 'host', null, null, '{app}'),
    ('endpoint_slow', 'low', 'traffic', 'endpoint', null, null, '{app}'),
    ('app_alert', null, 'event', 'type', 1, 1, '{app}'),
    ('external', null, 'external', 'source', 1, 1, '{}');

create table ops.incidents (
    id uuid primary key default gen_random_uuid(),
    number bigint generated always as identity unique,
    severity text not null check (severity in ('critical', 'high', 'medium', 'low')),
    status text not null default 'investigating'
        check (status in ('investigating', 'identified', 'monitoring', 'resolved')),
    started_at timestamptz not null,
    resolved_at timestamptz,
    rule text not null references ops.rules (rule),
    subject text not null,
    deployment_id text,
    commit_sha text,
    affects text[] not null default '{}',
    check ((status = 'resolved') = (resolved_at is not null))
);

comment on table ops.incidents is 'What people work on: critical and high alerts that were open at the same time.';
comment on column ops.incidents.number is 'What people call it.';
comment on column ops.incidents.rule is 'Rule of the first alert, as subject and deployment are.';

create index incidents_open_idx on ops.incidents (started_at desc) where status <> 'resolved';
create index incidents_started_idx on ops.incidents (started_at desc);
create index incidents_rule_idx on ops.incidents (rule);

create table ops.alerts (
    id uuid primary key default gen_random_uuid(),
    fingerprint text not null check (length(fingerprint) between 1 and 1200),
    rule text not null references ops.rules (rule),
    subject text not null,
    severity text not null check (severity in ('critical', 'high', 'medium', 'low')),
    status text not null default 'firing' check (status in ('firing', 'acknowledged', 'resolved')),
    source text not null check (source in ('monitor', 'app', 'external', 'emergency')),
    first_bad_at timestamptz not null,
    opened_at timestamptz not null,
    acknowledged_at timestamptz,
    acknowledged_by text,
    resolved_at timestamptz,
    incident uuid references ops.incidents (id),
    facts jsonb not null,
    last_facts jsonb not null,
    occurrences bigint not null default 1,
    check ((status = 'resolved') = (resolved_at is not null))
);

comment on table ops.alerts is 'Every alert ever opened.';
comment on column ops.alerts.fingerprint is 'Identity: rule and subject, or source and type; never message text.';
comment on column ops.alerts.first_bad_at is 'Since when it has been bad; before opened_at.';
comment on column ops.alerts.facts is 'What was observed when it opened.';
comment on column ops.alerts.last_facts is 'What was observed last while it was bad.';
comment on column ops.alerts.occurrences is 'Bad observations, or events, since first_bad_at.';

create unique index alerts_open_key on ops.alerts (fingerprint) where status <> 'resolved';
create index alerts_opened_idx on ops.alerts (opened_at desc);
create index alerts_incident_idx on ops.alerts (incident);
create index alerts_rule_idx on ops.alerts (rule, opened_at desc);
create index alerts_fingerprint_idx on ops.alerts (fingerprint, opened_at desc);

create table ops.alert_states (
    fingerprint text primary key,
    rule text not null references ops.rules (rule),
    subject text not null,
    phase text not null default 'quiet' check (phase in ('quiet', 'firing')),
    bad_count integer not null default 0,
    good_count integer not null default 0,
    first_bad_at timestamptz,
    last_bad_at timestamptz,
    last_observed_at timestamptz,
    last_fence bigint,
    alert uuid references ops.alerts (id)
);

comment on table ops.alert_states is 'What the state machine remembers, one row per fingerprint that is not simply quiet.';
comment on column ops.alert_states.bad_count is 'Bad observations in a row.';
comment on column ops.alert_states.good_count is 'Good observations in a row while firing.';
comment on column ops.alert_states.last_fence is 'Fence of the run that observed last; what is not newer is ignored.';

create index alert_states_rule_idx on ops.alert_states (rule);
create index alert_states_alert_idx on ops.alert_states (alert);

alter table ops.rules enable row level security;
alter table ops.incidents enable row level security;
alter table ops.alerts enable row level security;
alter table ops.alert_states enable row level security;

create function ops.lock_alerts()
returns void
language sql
set search_path = ''
as $$
    select pg_advisory_xact_lock(hashtextextended('ops.alerts', 0))
$$;

comment on function ops.lock_alerts() is
    'Until the transaction ends, nobody else opens, resolves or settles: two callers would make two incidents of one, or wait for each other''s messages.';

-- The state machine ----------------------------------------------------------

create type ops.observation as (
    fingerprint text,
    rule text,
    subject text,
    severity text,
    verdict text,
    value numeric,
    threshold numeric,
    unit text,
    samples bigint,
    occurrences bigint,
    facts jsonb,
    fence bigint
);

comment on type ops.observation is
    'What one rule saw of one subject: verdict bad, good or insufficient (not enough known to say); severity only where the rule has none.';

create function ops.step(
    p_state ops.alert_states,
    p_observation ops.observation,
    p_rule ops.rules,
    p_now timestamptz,
    out state ops.alert_states,
    out transition text
)
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    state := p_state;

    if p_observation.verdict = 'insufficient' or p_observation.fence <= p_state.last_fence then
        return;
    end if;

    state.last_observed_at := p_now;
    state.last_fence := p_observation.fence;

    if p_observation.verdict = 'bad' then
        state.bad_count := p_state.bad_count + 1;
        state.good_count := 0;
        state.first_bad_at := coalesce(p_state.first_bad_at, p_now);
        state.last_bad_at := p_now;
        if p_state.phase = 'quiet' and state.bad_count >= p_rule.bad_after then
            state.phase := 'firing';
            transition := 'open';
        end if;
        return;
    end if;

    state.good_count := p_state.good_count + 1;
    if p_state.phase = 'firing' and state.good_count < p_rule.good_after then
        -- Not yet well; a bad observation now starts the good ones anew.
        return;
    end if;
    if p_state.phase = 'firing' then
        transition := 'resolve';
    end if;
    state.phase := 'quiet';
    state.bad_count := 0;
    state.good_count := 0;
    state.first_bad_at := null;
end
$$;

comment on function ops.step(ops.alert_states, ops.observation, ops.rules, timestamptz) is
    'The state machine: a state and an observation give the next state and, perhaps, the transition open or resolve. p_rule carries the thresholds in force. Folding it over history replays history.';

create function ops.effective_rules(p_settings jsonb)
returns setof ops.rules
language sql
stable
set search_path = ''
as $$
    select
        rule,
        severity,
        signal,
        subject_kind,
        coalesce(bad_after, (p_settings ->> 'alert.bad_after')::integer),
        coalesce(good_after, (p_settings ->> 'alert.good_after')::integer),
        affects
    from ops.rules
$$;

comment on function ops.effective_rules(jsonb) is 'The rules with the thresholds that the settings give them.';

create function ops.judge(p_value numeric, p_threshold numeric, p_samples bigint, p_minimum bigint)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_value is null then 'insufficient'
        when p_value <= p_threshold then 'good'
        when p_samples < p_minimum then 'insufficient'
        else 'bad'
    end
$$;

comment on function ops.judge(numeric, numeric, bigint, bigint) is
    'The verdict on a figure over a window: bad above the threshold, but nothing is called bad on fewer samples than the minimum, and nothing is said without any.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
