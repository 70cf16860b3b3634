//! Evidence as the database has it: facts without a receipt, how old the newest backup was at any
//! instant, and reviews.

use ops::{backups::evidence::Evidence, monitoring::document::Backups};
use serde_json::{Value, json};

use crate::{
    backups::{back_up, claim, shown},
    support::{World, at, transitions, verdict},
};

async fn plan(world: &World, now: &str) -> Value {
    let arguments = json!({"p_limit": 100, "p_now": at(now)});
    world.call("ops_plan_receipts", arguments).await
}

fn kinds(plan: &Value) -> Vec<String> {
    let facts = plan["facts"].as_array().unwrap().iter();
    facts
        .map(|fact| fact["kind"].as_str().unwrap().to_owned())
        .collect()
}

/// The receipt of a fact, as whoever wrote it has it noted.
fn receipt(fact: &Value, digit: &str, previous: &[&str]) -> Value {
    let (kind, id) = (&fact["kind"], &fact["id"]);
    json!({
        "path": format!("v1/rcpt/{}-{}", kind.as_str().unwrap(), id.as_str().unwrap()),
        "sha256": digit.repeat(64), "kind": kind, "fact": id, "at": fact["at"],
        "previous": previous.iter().map(|digit| digit.repeat(64)).collect::<Vec<_>>(),
    })
}

async fn note(world: &World, receipts: Value, now: &str) -> Value {
    let arguments = json!({"p_receipts": receipts, "p_now": at(now)});
    world.call("ops_note_receipts", arguments).await
}

async fn evidence(world: &World, from: &str, to: &str, now: &str) -> Evidence {
    let arguments = json!({"p_from": at(from), "p_to": at(to), "p_now": at(now)});
    let document = world.call("ops_backup_evidence", arguments).await;
    serde_json::from_value(document).unwrap()
}

#[tokio::test]
async fn every_fact_waits_for_its_receipt_until_it_is_noted() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    let failed = claim(&world, "09:30:00").await;
    let arguments = json!({"p_run": failed["run"], "p_fence": failed["fence"], "p_outcome": "failed",
                           "p_backup": {"reason": "the address is odd"}, "p_now": at("09:30:10")});
    world.call("ops_finish_backup", arguments).await;
    let drill = json!({
        "id": uuid::Uuid::new_v4(), "snapshot": "20261124T090000Z-1-0123abcd", "takenAt": at("09:00:00"),
        "startedAt": at("09:31:00"), "finishedAt": at("09:32:00"), "reason": null,
        "missing": [{"what": "index public.secret_idx", "reason": "odd"}], "tables": ["public.secret"], "seconds": 60,
        "rows": 1, "bytes": 10, "tablesInBackup": 1,
    });
    let arguments = json!({"p_drill": drill, "p_now": at("09:32:00")});
    world.call("ops_record_drill", arguments).await;
    let pin = json!({"p_action": "backup.pinned", "p_snapshot": "20261124T090000Z-1-0123abcd", "p_by": "anna"});
    world.call("ops_note_pin", pin).await;

    let now = "2026-12-31T00:00:00Z";
    let planned = plan(&world, now).await;
    assert_eq!(kinds(&planned), ["backup", "failure", "drill", "pin"]);
    assert_eq!(
        (&planned["heads"], &planned["since"]),
        (&json!([]), &Value::Null)
    );
    // Whoever reads the store learns no name of a table, no text of an error and nobody's name.
    let told = planned.to_string();
    for word in ["secret", "address is odd", "anna"] {
        assert!(!told.contains(word), "{word} in {told}");
    }
    let facts = planned["facts"].as_array().unwrap().clone();
    let first = receipt(&facts[0], "a", &[]);
    assert_eq!(note(&world, json!([first]), now).await, json!({"noted": 1}));
    assert_eq!(note(&world, json!([first]), now).await, json!({"noted": 0}));
    let planned = plan(&world, now).await;
    assert_eq!(kinds(&planned), ["failure", "drill", "pin"]);
    assert_eq!(planned["heads"], json!(["a".repeat(64)]));
    assert_eq!(planned["paths"], json!([first["path"]]));
    let rest = json!([
        receipt(&facts[1], "b", &["a"]),
        receipt(&facts[2], "c", &["a"]),
        receipt(&facts[3], "d", &["b"]),
    ]);
    note(&world, rest, now).await;
    let planned = plan(&world, now).await;
    assert_eq!(kinds(&planned), [""; 0]);
    // Two that wrote at once: the next one follows both.
    assert_eq!(planned["heads"], json!(["c".repeat(64), "d".repeat(64)]));
}

#[tokio::test]
async fn what_is_no_receipt_is_refused() {
    let world = World::migrated().await;
    let good = json!({"path": "v1/rcpt/x", "sha256": "a".repeat(64), "kind": "backup", "fact": "1",
                      "at": at("09:00:00"), "previous": []});
    for (key, value) in [
        ("path", json!("")),
        ("sha256", json!("A".repeat(64))),
        ("kind", json!("party")),
        ("fact", Value::Null),
        ("previous", json!("none")),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        let arguments = json!({"p_receipts": [good, bad], "p_now": at("09:00:00")});
        let [code, message, _] = world.refusal("ops_note_receipts", arguments).await;
        assert_eq!(code, "22023", "{message}");
        assert!(message.contains(key), "{message}");
    }
    assert_eq!(world.rows("select * from ops.receipts").await, json!([]));
}

/// Seconds of that day.
type Second = u32;

/// How old the newest backup is at the end of each second, the slow way.
fn ages(backups: &[(Second, Second)], from: Second, to: Second) -> Vec<Option<Second>> {
    (from + 1..=to)
        .map(|now| {
            let sealed = backups.iter().filter(|(_, sealed)| *sealed < now);
            let newest = sealed.map(|(taken, _)| *taken).max();
            newest.map(|taken| now.saturating_sub(taken))
        })
        .collect()
}

fn clock(second: Second) -> String {
    let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}

/// Numbers that look random and are the same every time.
fn numbers(mut seed: u64) -> impl FnMut(u32) -> u32 {
    move |below| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(seed >> 33).unwrap() % below
    }
}

#[tokio::test]
async fn the_age_of_the_newest_backup_is_what_a_count_of_seconds_gives() {
    let world = World::migrated().await;
    for seed in 0..12 {
        let mut number = numbers(seed);
        world
            .execute("delete from ops.backups; delete from ops.runs")
            .await;
        let mut backups = Vec::new();
        for _ in 0..number(9) {
            let taken = 3600 + number(7 * 3600);
            // One may be sealed after another that was taken later.
            let sealed = taken + 1 + number(3000);
            backups.push((taken, sealed));
            world
                .execute(&format!(
                    "with run as (
                        insert into ops.runs (id, job, fence, outcome, started_at, finished_at)
                        values (gen_random_uuid(), 'backup', 1, 'done', '{taken}', '{sealed}') returning id
                    )
                    insert into ops.backups (run, outcome, snapshot, taken_at, sealed_at, finished_at)
                    select id, 'done', 'snapshot', '{taken}', '{sealed}', '{sealed}' from run",
                    taken = at(&clock(taken)),
                    sealed = at(&clock(sealed)),
                ))
                .await;
        }
        let from = 2 * 3600 + number(3600);
        let to = from + 60 + number(5 * 3600);
        let told = evidence(&world, &clock(from), &clock(to), "23:59:59")
            .await
            .rpo;
        let mut known: Vec<f64> = ages(&backups, from, to)
            .into_iter()
            .flatten()
            .map(f64::from)
            .collect();
        known.sort_by(f64::total_cmp);
        let seconds = u32::try_from(known.len()).unwrap();
        let without = f64::from(to - from - seconds);
        let story = format!("seed {seed}: {backups:?}, {from} to {to}: {told:?}");
        assert!(
            (told.ages.known_seconds - f64::from(seconds)).abs() < 0.01,
            "{story}"
        );
        assert!(
            (told.ages.without_seconds - without).abs() < 0.01,
            "{story}"
        );
        let beyond = known
            .iter()
            .map(|age| (age - 3600.0).clamp(0.0, 1.0))
            .sum::<f64>();
        assert!((told.ages.beyond_seconds - beyond).abs() < 0.01, "{story}");
        match known.last() {
            None => assert_eq!(
                (told.ages.largest_seconds, told.ages.median_seconds),
                (None, None),
                "{story}"
            ),
            Some(largest) => {
                assert!(
                    (told.ages.largest_seconds.unwrap() - largest).abs() < 0.01,
                    "{story}"
                );
                let median = known[(known.len() - 1) / 2];
                assert!(
                    (told.ages.median_seconds.unwrap() - median).abs() <= 1.0,
                    "{median} {story}"
                );
            }
        }
    }
}

#[tokio::test]
async fn runs_missed_slots_and_days_are_all_told() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    // Nobody called at 09:30 and 10:00, and after 10:30 nobody ever did.
    back_up(&world, "10:30:00").await;
    let told = evidence(&world, "08:00:00", "12:00:00", "11:40:00").await;
    let missed: Vec<_> = told.missed.iter().map(ToString::to_string).collect();
    assert_eq!(
        missed,
        [
            "2026-11-24T09:30:00Z",
            "2026-11-24T10:00:00Z",
            "2026-11-24T11:00:00Z"
        ]
    );
    let kinds: Vec<_> = told.facts.iter().map(|fact| fact.kind.as_str()).collect();
    assert_eq!(kinds, ["backup", "backup"]);
    assert_eq!(told.until.to_string(), "2026-11-24T11:40:00Z");
    let [day] = &told.rpo_days[..] else {
        panic!("{:?}", told.rpo_days);
    };
    assert_eq!(day.ages, told.rpo.ages);
    assert_eq!(told.rpo.ages.largest_seconds, Some(5400.0));
    assert!((told.rpo.ages.without_seconds - 3600.0).abs() < 0.01);
    for (from, to) in [("12:00:00", "11:00:00"), ("11:50:00", "12:00:00")] {
        let arguments = json!({"p_from": at(from), "p_to": at(to), "p_now": at("11:40:00")});
        let [code, ..] = world.refusal("ops_backup_evidence", arguments).await;
        assert_eq!(code, "22023", "{from} {to}");
    }
}

#[tokio::test]
async fn a_review_counts_once_is_in_the_audit_log_and_waits_for_its_receipt() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    let review = json!({
        "id": uuid::Uuid::new_v4(), "from": at("08:00:00"), "to": at("10:00:00"), "by": " anna ", "note": "fine",
        "receipts": 1, "first": "a".repeat(64), "last": "a".repeat(64), "root": "b".repeat(64),
    });
    let sign = |now: &str| json!({"p_review": review, "p_now": at(now)});
    let early = world.refusal("ops_review_evidence", sign("09:30:00")).await;
    assert_eq!(early[0], "22023", "the period is not over: {early:?}");
    let first = world.call("ops_review_evidence", sign("10:00:00")).await;
    assert_eq!(
        (&first["by"], &first["note"]),
        (&json!("anna"), &json!("fine"))
    );
    assert_eq!(
        world.call("ops_review_evidence", sign("10:05:00")).await,
        first
    );
    let logged = world
        .rows("select action, subject from ops.audit where action = 'evidence.reviewed'")
        .await;
    assert_eq!(
        logged,
        json!([{"action": "evidence.reviewed", "subject": review["id"]}])
    );
    assert_eq!(kinds(&plan(&world, "10:10:00").await), ["backup", "review"]);
    let told = evidence(&world, "09:30:00", "12:00:00", "10:10:00").await;
    assert_eq!(told.reviews.len(), 1, "it overlaps");
    let told = evidence(&world, "10:00:00", "12:00:00", "10:10:00").await;
    assert_eq!(told.reviews.len(), 0);
}

#[tokio::test]
async fn a_chain_is_broken_since_it_was_found_so_until_it_is_whole() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    let stands = async |now: &str| {
        let document = shown(&world, now).await;
        let typed: Backups = serde_json::from_value(document).unwrap();
        typed.receipts
    };
    let first = stands("09:01:00").await;
    assert_eq!(
        (first.status.as_str(), first.waiting, first.receipts),
        ("not_verified", 1, 0)
    );
    let check = async |whole: bool, now: &str| {
        let faults = if whole {
            json!([])
        } else {
            json!([{"what": "v1/rcpt/x", "why": "it is missing"}])
        };
        let check = json!({"id": uuid::Uuid::new_v4(), "whole": whole, "receipts": 1, "heads": [], "faults": faults});
        let arguments = json!({"p_check": check, "p_now": at(now)});
        world.call("ops_record_receipt_check", arguments).await
    };
    for (whole, now, status, since) in [
        (true, "09:02:00", "whole", None),
        (false, "09:03:00", "broken", Some("2026-11-24T09:03:00Z")),
        (false, "09:04:00", "broken", Some("2026-11-24T09:03:00Z")),
        (true, "09:05:00", "whole", None),
        (false, "09:06:00", "broken", Some("2026-11-24T09:06:00Z")),
    ] {
        check(whole, now).await;
        let found = stands(now).await;
        let broken_since = found.broken_since.map(|at| at.to_string());
        assert_eq!(
            (found.status.as_str(), broken_since.as_deref()),
            (status, since),
            "{now}"
        );
        assert_eq!(found.faults.is_empty(), whole);
    }
}

#[tokio::test]
async fn a_broken_chain_is_told_until_it_is_whole_or_accepted() {
    const RULE: &str = "backup_receipts_broken";
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    let told = async |now: &str| {
        let mut told = transitions(&world.tick(now, &[]).await);
        told.retain(|one| one.contains(RULE));
        told
    };
    let check = async |lost: &[&str], now: &str| {
        let fault = |path: &&str| json!({"what": path, "why": "it is missing"});
        let faults: Vec<_> = lost.iter().map(fault).collect();
        let check = json!({"id": uuid::Uuid::new_v4(), "whole": lost.is_empty(), "receipts": 1,
                           "heads": [], "faults": faults});
        let arguments = json!({"p_check": check, "p_now": at(now)});
        world.call("ops_record_receipt_check", arguments).await
    };
    let accept = async |names: Value| {
        let arguments = json!({"p_key": "backup.accepted", "p_value": names, "p_by": "anna"});
        world.call("ops_set_setting", arguments).await
    };
    let unread = world.tick("09:01:00", &[]).await;
    assert_eq!(verdict(&unread, RULE, "receipts"), &Value::Null);
    check(&[], "09:02:00").await;
    assert_eq!(told("09:03:00").await, [""; 0]);
    check(&["v1/rcpt/x"], "09:04:00").await;
    assert_eq!(told("09:05:00").await, [format!("opened {RULE} receipts")]);
    let facts = world
        .value(&format!(
            "(select facts from ops.alerts where rule = '{RULE}')"
        ))
        .await;
    assert_eq!(
        (&facts["reason"], &facts["detail"]["found"]),
        (&json!("it is missing"), &json!("v1/rcpt/x"))
    );
    check(&[], "09:06:00").await;
    assert_eq!(
        told("09:07:00").await,
        [format!("resolved {RULE} receipts")]
    );

    // What is gone for good is accepted, and what goes later is told all the same.
    accept(json!(["v1/rcpt/x", "index public.other"])).await;
    check(&["v1/rcpt/x"], "10:00:00").await;
    assert_eq!(told("10:01:00").await, [""; 0]);
    check(&["v1/rcpt/x", "v1/rcpt/y"], "10:02:00").await;
    assert_eq!(told("10:03:00").await, [format!("opened {RULE} receipts")]);
    accept(json!(["v1/rcpt/y", "v1/rcpt/x"])).await;
    assert_eq!(
        told("10:04:00").await,
        [format!("resolved {RULE} receipts")]
    );
    let document = shown(&world, "10:04:00").await;
    assert_eq!(document["receipts"]["status"], "broken");
}
