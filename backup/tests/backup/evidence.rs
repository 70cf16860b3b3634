//! Receipts in a store: written once each, chained whatever happens, and whatever is done to one is
//! found without any key that opens backups.

use std::{collections::BTreeSet, process::Command, sync::Arc, time::Duration};

use backup::{
    evidence::{
        Fact, SigningKey,
        chain::{self, Proof},
        reading,
        writing::{self, Known, Report},
    },
    keys::Secret,
    store::{Arrival, Store},
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use object_store::memory::InMemory;
use outside::clock::Deadline;
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

const REPO: Uuid = Uuid::from_u128(1);

fn key() -> SigningKey {
    let secret = Secret::parse(&SecretString::from("a".repeat(64))).unwrap();
    SigningKey::of(&secret, REPO).unwrap()
}

fn store() -> Store {
    Store::new(Arc::new(InMemory::new()), "wine", Arrival::Unchecked)
}

fn fact(number: i64) -> Fact {
    let begin: Timestamp = "2026-11-30T23:00:00Z".parse().unwrap();
    Fact {
        kind: if number % 3 == 0 { "drill" } else { "backup" }.to_owned(),
        id: number.to_string(),
        at: begin + SignedDuration::from_mins(10 * number),
        snapshot: None,
        record_sha256: None,
        facts: json!({ "rows": number }).as_object().unwrap().clone(),
    }
}

fn facts(numbers: std::ops::Range<i64>) -> Vec<Fact> {
    numbers.map(fact).collect()
}

async fn write(store: &Store, facts: &[Fact], known: &Known) -> Report {
    let deadline = Deadline::after(Duration::from_secs(60));
    let (report, done) = writing::write(store, (REPO, &key()), facts, known, deadline).await;
    done.unwrap();
    report
}

/// What the database knows after these were noted.
fn noted(reports: &[&Report]) -> Known {
    let written: Vec<_> = reports.iter().flat_map(|report| &report.written).collect();
    let followed: BTreeSet<&String> = written.iter().flat_map(|one| &one.previous).collect();
    let ends = written.iter().filter(|one| !followed.contains(&one.sha256));
    Known {
        heads: ends.map(|one| one.sha256.clone()).collect(),
        paths: written.iter().map(|one| one.path.clone()).collect(),
        since: None,
    }
}

async fn proven(store: &Store) -> Proof {
    let keys = reading::keys(store).await.unwrap();
    let read = reading::all(store, REPO, &keys, &mut |_| {}).await.unwrap();
    let found: Vec<_> = read.into_iter().map(|one| one.found).collect();
    chain::prove(&found)
}

async fn replace(store: &Store, path: &str, text: &[u8]) {
    let text = Bytes::copy_from_slice(text);
    store.put_over(path, text).await.unwrap();
}

#[tokio::test]
async fn receipts_follow_each_other_over_runs_and_months() {
    let store = store();
    let first = write(&store, &facts(0..5), &Known::default()).await;
    let second = write(&store, &facts(5..9), &noted(&[&first])).await;
    assert_eq!((first.written.len(), second.written.len()), (5, 4));
    assert_eq!((second.missing.len(), &second.trouble), (0, &None));
    let proof = proven(&store).await;
    assert_eq!(
        (proof.receipts, proof.beginnings, proof.forks, proof.faults),
        (9, 1, 0, vec![])
    );
    assert_eq!(proof.heads, [second.written[3].sha256.clone()]);
    assert_eq!(
        proof.kinds,
        [("backup".to_owned(), 6), ("drill".to_owned(), 3)].into()
    );
    assert!(
        first.written[0]
            .path
            .starts_with("v1/rcpt/2026/11/20261130T230000Z-drill-")
    );
    assert!(
        second.written[3]
            .path
            .starts_with("v1/rcpt/2026/12/20261201T002000Z-")
    );
}

/// Whether or not the database has noted it, and whatever it knows.
#[tokio::test]
async fn a_fact_has_one_receipt_however_often_it_is_written() {
    let store = store();
    let first = write(&store, &facts(0..3), &Known::default()).await;
    // Killed before it was noted.
    let again = write(&store, &facts(0..4), &Known::default()).await;
    let paths = |report: &Report| -> BTreeSet<String> {
        report.written.iter().map(|one| one.path.clone()).collect()
    };
    assert!(paths(&first).is_subset(&paths(&again)));
    assert_eq!(again.written.len(), 4);
    let proof = proven(&store).await;
    assert_eq!((proof.receipts, proof.forks, proof.faults), (4, 0, vec![]));
    // A database that was restored knows the first alone.
    let restored = noted(&[&Report {
        written: first.written[..1].to_vec(),
        ..Report::default()
    }]);
    let later = write(&store, &facts(1..6), &restored).await;
    assert_eq!(later.written.len(), 5);
    let proof = proven(&store).await;
    assert_eq!(
        (proof.receipts, proof.forks, proof.heads.len(), proof.faults),
        (6, 0, 1, vec![])
    );
}

#[tokio::test]
async fn a_run_that_is_killed_at_any_receipt_leaves_a_whole_chain() {
    for written in 0..6 {
        let store = store();
        write(&store, &facts(0..written), &Known::default()).await;
        write(&store, &facts(0..6), &Known::default()).await;
        let proof = proven(&store).await;
        assert_eq!(
            (
                proof.receipts,
                proof.beginnings,
                proof.forks,
                proof.heads.len(),
                proof.faults
            ),
            (6, 1, 0, 1, vec![]),
            "killed after {written}"
        );
    }
}

#[tokio::test]
async fn two_runs_at_once_make_a_fork_that_the_next_one_joins() {
    let store = store();
    let begun = write(&store, &facts(0..2), &Known::default()).await;
    let known = noted(&[&begun]);
    // Neither has seen what the other writes.
    let deadline = Deadline::after(Duration::from_secs(60));
    let (one, other) = (facts(2..4), facts(4..6));
    let key = key();
    let ((one, done), (other, too)) = tokio::join!(
        writing::write(&store, (REPO, &key), &one, &known, deadline),
        writing::write(&store, (REPO, &key), &other, &known, deadline),
    );
    done.and(too).unwrap();
    let proof = proven(&store).await;
    assert_eq!((proof.receipts, proof.faults.len()), (6, 0));
    let joined = write(&store, &facts(6..7), &noted(&[&begun, &one, &other])).await;
    assert_eq!(joined.written.len(), 1);
    let joint = proven(&store).await;
    assert_eq!(
        (joint.forks, joint.heads.len(), joint.faults.len()),
        (proof.forks, 1, 0)
    );
    assert_eq!(joined.written[0].previous.len(), proof.heads.len());
}

/// Each alone, with no key but the public one that lies there.
#[tokio::test]
async fn whatever_is_taken_away_or_altered_is_found() {
    let store = store();
    let written = write(&store, &facts(0..8), &Known::default()).await.written;
    let last = written.len() - 1;
    for (index, receipt) in written.iter().enumerate() {
        let path = &receipt.path;
        let text = store.get(path).await.unwrap();
        let mut flipped = text.to_vec();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        let blank = [&text[..], b" "].concat();
        for (what, changed) in [("flipped", flipped), ("other bytes, same sense", blank)] {
            replace(&store, path, &changed).await;
            let proof = proven(&store).await;
            // What none follows is as it was signed, and no more can be said of it.
            let is_seen = what == "flipped" || index < last;
            assert_eq!(
                proof.faults.is_empty(),
                !is_seen,
                "{what} {index}: {proof:?}"
            );
        }
        store.delete(path).await.unwrap();
        let proof = proven(&store).await;
        assert_eq!(proof.faults.len(), usize::from(index < last), "{index}");
        // Who knows what was there finds the last one too.
        let known = noted(&[&Report {
            written: written.clone(),
            ..Report::default()
        }]);
        let seen = write(&store, &[], &known).await;
        assert_eq!(seen.missing.iter().collect::<Vec<_>>(), [path]);
        replace(&store, path, &text).await;
        assert_eq!(proven(&store).await.faults, []);
    }
}

#[tokio::test]
async fn a_receipt_that_somebody_else_signed_counts_for_nothing_and_is_told() {
    let store = store();
    let ours = write(&store, &facts(0..1), &Known::default()).await;
    let secret = Secret::parse(&SecretString::from("b".repeat(64))).unwrap();
    let theirs = SigningKey::of(&secret, REPO).unwrap();
    let deadline = Deadline::after(Duration::from_secs(60));
    let known = noted(&[&ours]);
    let (forged, _) = writing::write(&store, (REPO, &theirs), &facts(1..2), &known, deadline).await;
    let path = forged.written[0].path.clone();
    let next = write(&store, &facts(1..3), &noted(&[&ours])).await;
    assert!(next.trouble.unwrap().starts_with(&path));
    let kept: Vec<_> = next.written.iter().map(|one| &one.fact.id).collect();
    assert_eq!(kept, ["2"]);
    let keys = [key().public().clone()];
    let read = reading::all(&store, REPO, &keys, &mut |_| {})
        .await
        .unwrap();
    let found: Vec<_> = read.into_iter().map(|one| one.found).collect();
    let faults = chain::prove(&found).faults;
    let told: Vec<_> = faults.iter().map(|fault| &fault.path).collect();
    assert_eq!(told, [&path]);
}

/// With nothing but what lies in the store, and `openssl`.
#[tokio::test]
async fn openssl_verifies_a_receipt_with_the_key_that_lies_beside_it() {
    let store = store();
    let written = write(&store, &facts(0..1), &Known::default()).await;
    let envelope = store.get(&written.written[0].path).await.unwrap();
    let envelope: serde_json::Value = serde_json::from_slice(&envelope).unwrap();
    let key = store.list("v1/keys").await.unwrap();
    let [key] = &key[..] else {
        panic!("{key:?}");
    };
    let folder = std::env::temp_dir().join(format!("receipt-{}", Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let key = store.get(&key.path).await.unwrap();
    std::fs::write(folder.join("key.pem"), &key).unwrap();
    let text = |name: &str| envelope[name].as_str().unwrap().to_owned();
    let signature = envelope["signatures"][0]["sig"].as_str().unwrap();
    let script = "set -e
        base64 -d <<<\"$2\" >payload
        { printf 'DSSEv1 %d %s %d ' ${#1} \"$1\" \"$(wc -c <payload)\"; cat payload; } >signed
        base64 -d <<<\"$3\" >signature
        openssl dgst -sha256 -verify key.pem -signature signature signed
        printf x >>signed
        ! openssl dgst -sha256 -verify key.pem -signature signature signed";
    let verified = Command::new("bash")
        .current_dir(&folder)
        .args([
            "-c",
            script,
            "bash",
            &text("payloadType"),
            &text("payload"),
            signature,
        ])
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(
        verified.status.success() && said.starts_with("Verified OK\n"),
        "{verified:?}"
    );
}
