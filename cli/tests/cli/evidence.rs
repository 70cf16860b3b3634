//! `backup evidence`: what was done with backups, from the database and from the store alone.

use std::{collections::BTreeMap, path::PathBuf};

use dev::DevOptions;
use serde_json::{Value, json};

use crate::{
    backup::{ORDERS, run, with_identity},
    support::{bundle, call_with},
};

type Env = BTreeMap<String, String>;

/// The variables of somebody who has the bucket and nothing else.
fn with_the_store_alone(env: &Env) -> Env {
    let names = [
        "BACKUP_URL",
        "BACKUP_ACCESS_KEY_ID",
        "BACKUP_SECRET_ACCESS_KEY",
    ];
    let known = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), env.get(*name)?.clone())));
    known.collect()
}

fn receipts(env: &Env) -> Vec<PathBuf> {
    let store = env["BACKUP_URL"].strip_prefix("file://").unwrap();
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(store).join("v1/rcpt")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A time that begins and ends where it is said.
struct Period {
    from: String,
    to: String,
}

impl Period {
    fn command<'a>(&'a self, before: &[&'a str], after: &[&'a str]) -> Vec<&'a str> {
        let period = ["--from", &self.from, "--to", &self.to];
        [&["backup", "evidence"], before, &period, after].concat()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_told_verified_reviewed_and_a_lost_receipt_is_found() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);
    let alone = &with_the_store_alone(env);
    let early = call_with(alone, &["backup", "evidence", "--key"]).await;
    assert_eq!(early.status, 2, "{early:?}");
    assert!(
        early.stderr.contains("the next backup writes it"),
        "{early:?}"
    );

    let from = outside::clock::now().to_string();
    back_up(env, 1).await;
    let verified = call_with(env, &["backup", "verify", "latest"]).await;
    assert_eq!(verified.status, 0, "{verified:?}");
    back_up(env, 2).await;
    let to = outside::clock::now().to_string();
    verified_with_the_store_alone(env, alone).await;
    let period = Period { from, to };
    let root = told_in_every_form(env, &period).await;
    signed_off(env, &period, &root).await;
    back_up(env, 2).await;
    lost_and_altered(env, alone, &period).await;
    running.stop().await.unwrap();
}

/// A backup after which that many receipts were due.
async fn back_up(env: &Env, due: u64) {
    let taken = call_with(env, &["backup", "run", "--json"]).await.json();
    let expected = json!({"written": due, "waiting": 0});
    assert_eq!(taken["receipts"], expected, "{taken}");
}

async fn verified_with_the_store_alone(env: &Env, alone: &Env) {
    let whole = call_with(alone, &["backup", "evidence", "--verify", "--no-receipt"]).await;
    assert_eq!(whole.status, 0, "{whole:?}");
    let first = whole.stdout.lines().next().unwrap();
    assert!(
        first.starts_with("3 receipts in ") && first.ends_with(": none is missing or altered"),
        "{whole:?}"
    );
    let of_secret = call_with(env, &["backup", "evidence", "--key"]).await;
    let in_store = call_with(alone, &["backup", "evidence", "--key"]).await;
    assert!(
        of_secret.stdout.starts_with("-----BEGIN PUBLIC KEY-----\n"),
        "{of_secret:?}"
    );
    assert_eq!(of_secret.stdout, in_store.stdout);
}

/// Returns the root of the period.
async fn told_in_every_form(env: &Env, period: &Period) -> Value {
    let report = call_with(env, &period.command(&[], &[])).await;
    assert_eq!(report.status, 0, "{report:?}");
    for text in [
        "# Evidence of backups\n",
        "\n| Backups | 2 sealed, of which 0 suspect; 0 failed; 0 slots missed |",
        "\n| Receipts | 3 of the period; none of all is missing or altered | whole |",
        "\n| Reviewed | by nobody |",
        "No drill proved that a backup can be restored",
        "\n## Coverage (SOC 2 A1.2; ISO/IEC 27001:2022 A.8.13)\n",
    ] {
        assert!(report.stdout.contains(text), "{text} in {}", report.stdout);
    }
    let told = call_with(env, &period.command(&[], &["--format", "json"])).await;
    let told = told.json();
    let (summary, chain) = (&told["summary"], &told["chain"]);
    assert_eq!(
        (
            &summary["sealed"],
            &chain["inPeriod"],
            &summary["withoutReceipt"]
        ),
        (&json!(2), &json!(3), &json!(0)),
        "{told}"
    );
    let lines = call_with(env, &period.command(&[], &["--format", "intoto"])).await;
    let lines = lines.stdout.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    let kind = "application/vnd.in-toto+json";
    assert!(lines.iter().all(|one| one["payloadType"] == kind));
    chain["root"].clone()
}

async fn signed_off(env: &Env, period: &Period, root: &Value) {
    let asked = call_with(env, &period.command(&["review"], &["--by", "anna"])).await;
    assert_eq!((asked.status, asked.stdout.as_str()), (0, ""), "{asked:?}");
    assert!(asked.stderr.contains("say --yes"), "{asked:?}");
    let yes = period.command(&["review"], &["--by", "anna", "--yes", "--json"]);
    let signed = call_with(env, &yes).await.json();
    assert_eq!(
        (&signed["by"], &signed["receipts"], &signed["root"]),
        (&json!("anna"), &json!(3), root)
    );
    let report = call_with(env, &period.command(&[], &[])).await;
    let line = "\n| Reviewed | by anna, ";
    assert!(report.stdout.contains(line), "{report:?}");
}

async fn lost_and_altered(env: &Env, alone: &Env, period: &Period) {
    let all = receipts(env);
    let (lost, altered) = (&all[0], &all[2]);
    std::fs::remove_file(lost).unwrap();
    let text = std::fs::read_to_string(altered).unwrap();
    std::fs::write(altered, text.replacen("eyJ", "eyK", 1)).unwrap();
    let broken = call_with(alone, &["backup", "evidence", "--verify", "--no-receipt"]).await;
    assert_eq!(broken.status, 1, "{broken:?}");
    for text in [
        "BROKEN",
        "no key that is known has signed it",
        "a receipt that is missing or altered",
    ] {
        assert!(broken.stdout.contains(text), "{text}: {broken:?}");
    }
    let told = call_with(env, &["backup", "evidence", "--verify", "--json"]).await;
    let told = told.json();
    assert_eq!(
        (&told["whole"], &told["heldAgainstProject"]),
        (&json!(false), &json!(true))
    );
    let name = lost.file_name().unwrap().to_str().unwrap();
    assert!(told["faults"].to_string().contains(name), "{told}");
    let yes = period.command(&["review"], &["--by", "anna", "--yes"]);
    let refused = call_with(env, &yes).await;
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(refused.stderr.contains("nothing is signed"), "{refused:?}");

    // What is gone for good keeps nobody from signing, once that is accepted by its name.
    let faults = told["faults"].as_array().unwrap().iter();
    let names: Vec<_> = faults.map(|fault| &fault["what"]).collect();
    let names = json!(names).to_string();
    let accepted = call_with(env, &["settings", "set", "backup.accepted", &names]).await;
    assert_eq!(accepted.status, 0, "{accepted:?}");
    let signed = call_with(env, &yes).await;
    assert_eq!(signed.status, 0, "{signed:?}");
    assert!(signed.stderr.contains("accepted: v1/rcpt/"), "{signed:?}");
}
