//! The state machine, one step at a time and folded over sequences.

use serde_json::{Value, json};

use crate::support::{World, at};

/// A state that remembers nothing.
fn quiet() -> Value {
    json!({"fingerprint": "f", "rule": "app_down", "subject": "s", "phase": "quiet",
           "bad_count": 0, "good_count": 0, "recent": []})
}

/// Applies one observation and returns the next state and the transition.
async fn step(
    world: &World,
    state: &Value,
    verdict: &str,
    fence: i64,
    now: &str,
) -> (Value, Value) {
    let thresholds = json!({"bad_after": 3, "good_after": 2});
    let observation = json!({"verdict": verdict, "fence": fence});
    let query = format!(
        "select s.state, s.transition
         from ops.step(
             jsonb_populate_record(null::ops.alert_states, '{state}'),
             jsonb_populate_record(null::ops.observation, '{observation}'),
             jsonb_populate_record(null::ops.rules, '{thresholds}'),
             '{}'
         ) as s",
        at(now),
    );
    let next = world.rows(&query).await[0].clone();
    (next["state"].clone(), next["transition"].clone())
}

#[tokio::test]
async fn one_step() {
    let world = World::migrated().await;
    let at_noon = "2026-11-24T12:00:00+00:00";
    let since = "2026-11-24T11:00:00+00:00";
    let cases = [
        (
            "a first bad observation is remembered",
            json!({}),
            ("bad", 7),
            json!({"bad_count": 1, "first_bad_at": at_noon, "last_bad_at": at_noon,
                   "last_observed_at": at_noon, "last_fence": 7, "recent": [at_noon]}),
            Value::Null,
        ),
        (
            "the third opens",
            json!({"bad_count": 2, "first_bad_at": since, "last_fence": 6}),
            ("bad", 7),
            json!({"phase": "firing", "bad_count": 3, "first_bad_at": since, "last_bad_at": at_noon,
                   "last_observed_at": at_noon, "last_fence": 7}),
            json!("open"),
        ),
        (
            "a good one before that forgets",
            json!({"bad_count": 2, "first_bad_at": since, "last_bad_at": since, "last_fence": 6}),
            ("good", 7),
            json!({"last_bad_at": since, "last_observed_at": at_noon, "last_fence": 7}),
            Value::Null,
        ),
        (
            "what is bad stays open",
            json!({"phase": "firing", "bad_count": 3, "good_count": 1, "first_bad_at": since}),
            ("bad", 7),
            json!({"phase": "firing", "bad_count": 4, "first_bad_at": since, "last_bad_at": at_noon,
                   "last_observed_at": at_noon, "last_fence": 7}),
            Value::Null,
        ),
        (
            "a first good one is not enough",
            json!({"phase": "firing", "bad_count": 3, "first_bad_at": since}),
            ("good", 7),
            json!({"phase": "firing", "bad_count": 3, "good_count": 1, "first_bad_at": since,
                   "last_observed_at": at_noon, "last_fence": 7}),
            Value::Null,
        ),
        (
            "the second resolves",
            json!({"phase": "firing", "bad_count": 3, "good_count": 1, "first_bad_at": since}),
            ("good", 7),
            json!({"last_observed_at": at_noon, "last_fence": 7}),
            json!("resolve"),
        ),
        (
            "insufficient changes nothing",
            json!({"bad_count": 2, "first_bad_at": since, "last_fence": 6}),
            ("insufficient", 7),
            json!({"bad_count": 2, "first_bad_at": since, "last_fence": 6}),
            Value::Null,
        ),
        (
            "an observation of the same fence is ignored",
            json!({"bad_count": 2, "first_bad_at": since, "last_fence": 7}),
            ("bad", 7),
            json!({"bad_count": 2, "first_bad_at": since, "last_fence": 7}),
            Value::Null,
        ),
        (
            "an older one too",
            json!({"phase": "firing", "bad_count": 3, "good_count": 1, "last_fence": 9}),
            ("good", 7),
            json!({"phase": "firing", "bad_count": 3, "good_count": 1, "last_fence": 9}),
            Value::Null,
        ),
    ];
    check(&world, &cases).await;
}

#[tokio::test]
async fn what_comes_and_goes_opens_by_the_last_nine() {
    let world = World::migrated().await;
    let at_noon = "2026-11-24T12:00:00+00:00";
    let since = "2026-11-24T11:00:00+00:00";
    let cases = [
        (
            "a bad one among the last nine is remembered",
            json!({"bad_count": 1, "first_bad_at": since, "last_bad_at": since,
                   "recent": [null, null, null, null, null, null, null, null, since]}),
            ("good", 7),
            json!({"last_bad_at": since, "last_observed_at": at_noon, "last_fence": 7,
                   "recent": [null, null, null, null, null, null, null, since, null]}),
            Value::Null,
        ),
        (
            "the tenth from the end is not",
            json!({"last_bad_at": since,
                   "recent": [since, null, null, null, null, null, null, null, null]}),
            ("good", 7),
            json!({"last_bad_at": since, "last_observed_at": at_noon, "last_fence": 7}),
            Value::Null,
        ),
        (
            "the fifth of nine opens, since the first of them",
            json!({"recent": [since, at_noon, null, at_noon, null, at_noon, null, null]}),
            ("bad", 7),
            json!({"phase": "firing", "bad_count": 5, "first_bad_at": since, "last_bad_at": at_noon,
                   "last_observed_at": at_noon, "last_fence": 7}),
            json!("open"),
        ),
        (
            "the fourth does not, since one lies too far back",
            json!({"recent": [since, at_noon, null, at_noon, null, at_noon, null, null, null]}),
            ("bad", 7),
            json!({"bad_count": 1, "first_bad_at": at_noon, "last_bad_at": at_noon,
                   "last_observed_at": at_noon, "last_fence": 7,
                   "recent": [at_noon, null, at_noon, null, at_noon, null, null, null, at_noon]}),
            Value::Null,
        ),
    ];
    check(&world, &cases).await;
}

/// A state, what is observed at noon with which fence, and the next state and transition.
type Case = (&'static str, Value, (&'static str, i64), Value, Value);

async fn check(world: &World, cases: &[Case]) {
    for (name, state, (verdict, fence), expected, transition) in cases {
        let (state, expected) = (merged(quiet(), state), merged(quiet(), expected));
        let (next, happened) = step(world, &state, verdict, *fence, "12:00:00").await;
        let next: Value = without_nulls(&next);
        assert_eq!(next, expected, "{name}");
        assert_eq!(&happened, transition, "{name}");
    }
}

fn merged(mut base: Value, over: &Value) -> Value {
    let over = over.as_object().unwrap().clone();
    base.as_object_mut().unwrap().extend(over);
    base
}

fn without_nulls(value: &Value) -> Value {
    let fields = value.as_object().unwrap().clone();
    fields
        .into_iter()
        .filter(|(_, field)| !field.is_null())
        .collect()
}

#[tokio::test]
async fn folded_over_a_sequence() {
    let world = World::migrated().await;
    // b bad, g good, i insufficient; O opens, R resolves.
    for (verdicts, transitions) in [
        ("bbb", "..O"),
        ("bbgbbb", ".....O"),
        ("bibib", "....O"),
        ("bbbgg", "..O.R"),
        ("bbbgbgg", "..O...R"),
        ("bbbgig", "..O..R"),
        ("bbbbbbgg", "..O....R"),
        ("bbbggbbbgg", "..O.R..O.R"),
        ("ggggg", "....."),
        ("iiii", "...."),
        // Never three in a row.
        ("bbgbbgbbg", "......O.."),
        ("bgbgbgbgbg", "........O."),
        ("bbgibbigibbg", ".........O.."),
        ("bggbggbggbggbggbgg", ".................."),
        ("bbggbbggbbgg", "........O..R"),
        // What was resolved counts anew.
        ("bbgbbgbggbb", "......O.R.."),
    ] {
        let mut state = quiet();
        let mut happened = String::new();
        for (fence, verdict) in (1..).zip(verdicts.chars()) {
            let verdict = match verdict {
                'b' => "bad",
                'g' => "good",
                _ => "insufficient",
            };
            let (next, transition) = step(&world, &state, verdict, fence, "12:00:00").await;
            state = next;
            happened.push(match transition.as_str() {
                Some("open") => 'O',
                Some("resolve") => 'R',
                _ => '.',
            });
        }
        assert_eq!(happened, transitions, "{verdicts}");
    }
}

#[tokio::test]
async fn a_figure_is_judged_by_threshold_and_sample_size() {
    let world = World::migrated().await;
    for (value, threshold, samples, minimum, verdict) in [
        ("5.1", "5", 30, 30, "bad"),
        ("5", "5", 30, 30, "good"),
        ("5.1", "5", 29, 30, "insufficient"),
        ("4.9", "5", 1, 30, "good"),
        ("null", "5", 0, 30, "insufficient"),
    ] {
        let judged = format!("ops.judge({value}, {threshold}, {samples}, {minimum})");
        assert_eq!(world.value(&judged).await, verdict, "{judged}");
    }
}

#[tokio::test]
async fn severity_words_meet_in_one_place() {
    let world = World::migrated().await;
    for (word, severity) in [
        ("critical", "critical"),
        ("error", "high"),
        ("warning", "medium"),
        ("info", "low"),
        ("high", "high"),
        ("medium", "medium"),
        ("low", "low"),
        ("Error", "high"),
    ] {
        assert_eq!(
            world.value(&format!("ops.severity_of('{word}')")).await,
            severity
        );
    }
    assert_eq!(world.value("ops.severity_of('fatal')").await, Value::Null);
}

#[tokio::test]
async fn two_occurrences_of_one_error_read_the_same() {
    let world = World::migrated().await;
    for (message, normalised) in [
        (
            "Wine 12 of user 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "wine # of user #",
        ),
        (
            "GET https://x.example/a?b=1  failed:\n 502",
            "get # failed: #",
        ),
        ("cannot read /var/app/wines/12.json", "cannot read #"),
        (
            r#"relation "wines_2024" does not exist"#,
            "relation # does not exist",
        ),
        ("column ''x'' and `y`", "column # and #"),
        ("commit deadbeef01 took 1.25s", "commit # took #s"),
        ("can''t connect, won''t retry", "can't connect, won't retry"),
        ("either/or is no path", "either/or is no path"),
    ] {
        let expression = format!("ops.normalise_message(E'{}')", message.replace('\n', "\\n"));
        assert_eq!(world.value(&expression).await, normalised, "{message}");
    }
    let long = world
        .value("length(ops.normalise_message(repeat('ab ', 100000)))")
        .await;
    assert!(long.as_i64().unwrap() <= 200, "{long}");
}
