-- These types are used by functions alone; a type that a column uses is made in tables/.

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
    'What one rule observed of one subject. The verdict is bad, good, or insufficient if too little is known to say. A severity is given only where the rule has none.';

create type ops.context as (
    environment text,
    deployment text,
    commit text,
    channels text[],
    settings jsonb,
    on_call jsonb
);

comment on type ops.context is
    'What is true of a whole tick or call: where it runs, which channels are configured, the settings, and who is on call where alerts ask people.';

create type ops.app_event as (
    source text,
    id uuid,
    rule text,
    kind text,
    severity text,
    at timestamptz,
    message text,
    handled boolean,
    resolved boolean
);

comment on type ops.app_event is
    'A row of the application that is an event: its rule and kind, and whether somebody has handled it.';

create type ops.fault as (
    field text,
    expected text,
    got text
);

comment on type ops.fault is
    'What is wrong with a document: which of its fields, what the field must be, and what it got. Null where nothing is wrong.';

create type ops.counted_item as (
    kind text,
    environment text,
    name text,
    part text,
    category text,
    at timestamptz,
    weight integer,
    tally integer,
    value numeric,
    fast boolean,
    left_out boolean,
    sample text,
    person bigint,
    session bigint
);

comment on type ops.counted_item is
    'One thing to be counted in figures: of which kind and name it is, when it was, the word that it is tallied under, and its number, which is null if it has none or none that can be real. The weight is -1 for what is taken back.';

create type ops.figure_sum as (
    n bigint,
    measured bigint,
    low numeric,
    high numeric,
    buckets smallint[],
    counts bigint[]
);

comment on type ops.figure_sum is
    'What was counted of one thing in a window: how often, and its numbers in buckets.';
