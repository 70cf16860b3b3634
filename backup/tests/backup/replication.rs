//! A copy of a repository in another place: whole or not there, whatever happens meanwhile.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use backup::{
    audit_anchors::{self, Anchor},
    catalogue,
    format::{Snapshot, object_path},
    replication::{self, Healed, ReplicationError, Report},
    store::{Arrival, Store},
    verify,
};
use futures_util::future::join_all;
use object_store::memory::InMemory;
use outside::clock::Deadline;

use crate::{
    faulty::{FAULTS, Fault, Faulty},
    scratch::{Keyring, assert_whole, at, in_folder, memory, replace, whole_backups},
};

const PATIENCE: Duration = Duration::from_secs(120);

async fn copied(from: &Store, to: &Store) -> Report {
    copied_within(from, to, PATIENCE).await.unwrap()
}

async fn copied_within(
    from: &Store,
    to: &Store,
    time: Duration,
) -> Result<Report, ReplicationError> {
    replication::replicate(from, to, Deadline::after(time), &mut |_| {}).await
}

async fn healed(damaged: &Store, whole: &Store, backup: &Snapshot) -> Healed {
    replication::heal(damaged, whole, &backup.snapshot, &mut |_| {})
        .await
        .unwrap()
}

fn place(objects: Arc<dyn object_store::ObjectStore>) -> Store {
    Store::new(objects, "there", Arrival::Unchecked)
}

#[tokio::test]
async fn a_copy_holds_every_backup_and_is_restorable_by_itself() {
    let (keyring, here, (_folder, _, there)) = (Keyring::new(), memory(), in_folder());
    let first = keyring.back_up(&here, 1, 3).await.unwrap();
    let second = keyring.back_up(&here, 2, 4).await.unwrap();
    let anchor = Anchor::new(7, "a".repeat(64), at(2));
    audit_anchors::write(&here, &anchor).await.unwrap();
    let report = copied(&here, &there).await;
    assert_eq!(
        report.copied,
        [second.snapshot.clone(), first.snapshot.clone()],
        "the newest first"
    );
    assert_eq!(report.lag_seconds(), Some(0));
    for snapshot in [&first, &second] {
        assert_whole(&there, snapshot, &keyring.identities).await;
    }
    assert_eq!(audit_anchors::list(&there).await.unwrap(), [anchor]);

    let again = copied(&here, &there).await;
    assert_eq!((again.copied.len(), again.objects), (0, 0));
    // What is gone here stays there.
    let third = keyring.back_up(&here, 3, 4).await.unwrap();
    let report = copied(&here, &there).await;
    assert_eq!(report.copied, [third.snapshot]);
    assert!(report.objects <= 3, "{report:?}");
    assert_eq!(whole_backups(&there, &keyring.identities).await.len(), 3);
}

/// What was collected here and is wanted again is sealed once more, as other bytes: the copy
/// needs both.
#[tokio::test]
async fn what_comes_again_here_leaves_earlier_backups_of_the_copy_whole() {
    let (keyring, here, there) = (Keyring::new(), memory(), place(Arc::new(InMemory::new())));
    let first = keyring.back_up(&here, 1, 3).await.unwrap();
    copied(&here, &there).await;
    for folder in [object_path::SNAPSHOTS]
        .iter()
        .chain(&object_path::COLLECTED)
    {
        for object in here.list(folder).await.unwrap() {
            here.delete(&object.path).await.unwrap();
        }
    }
    let second = keyring.back_up(&here, 1, 3).await.unwrap();
    copied(&here, &there).await;
    for snapshot in [&first, &second] {
        assert_whole(&there, snapshot, &keyring.identities).await;
    }
}

/// Copies with a fault at one request, and once more without; whether there was that request.
async fn survives(here: &Store, keyring: &Keyring, fault: Fault, number: u64) -> bool {
    let objects = Arc::new(InMemory::new());
    let faulty = Faulty::new(&objects, fault, number);
    // An error is as good an end as any.
    let _ended = copied_within(here, &place(Arc::clone(&faulty) as _), PATIENCE).await;
    let there = place(objects);
    for snapshot in catalogue::snapshots(&there).await.unwrap().snapshots {
        let report = verify::objects(&there, &snapshot, &mut |_| {}).await;
        let damages: Vec<_> = report.damages().collect();
        assert!(damages.is_empty(), "{faulty}: {damages:?}");
    }
    copied(here, &there).await;
    let whole = whole_backups(&there, &keyring.identities).await;
    assert_eq!(whole.len(), 2, "{faulty}");
    faulty.requests.load(Ordering::SeqCst) > number
}

#[tokio::test]
async fn whatever_happens_to_a_request_what_is_in_the_copy_is_whole_and_the_next_one_ends_it() {
    let (keyring, here) = (Keyring::new(), memory());
    keyring.back_up(&here, 1, 2).await.unwrap();
    keyring.back_up(&here, 2, 3).await.unwrap();
    for fault in FAULTS {
        let batch = 16;
        for first in (0..).step_by(batch) {
            let attempts = (first..)
                .take(batch)
                .map(|number| survives(&here, &keyring, fault, number));
            if join_all(attempts).await.contains(&false) {
                assert!(first > 0, "a copy makes more requests than that");
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_is_damaged_here_is_not_copied_and_keeps_no_other_from_it() {
    let (keyring, here, there) = (Keyring::new(), memory(), place(Arc::new(InMemory::new())));
    let first = keyring.back_up(&here, 1, 2).await.unwrap();
    let second = keyring.back_up(&here, 2, 5).await.unwrap();
    let of_second = catalogue::inventory(&here, &second).await.unwrap().objects;
    let of_first = catalogue::inventory(&here, &first).await.unwrap().objects;
    let own = of_second
        .iter()
        .find(|stored| stored.path.starts_with("v1/seg") && !of_first.contains(stored));
    replace(&here, &own.unwrap().path, |bytes| bytes[10] ^= 1).await;
    let report = copied(&here, &there).await;
    assert_eq!(report.copied, std::slice::from_ref(&first.snapshot));
    assert_eq!(report.hindered.len(), 1);
    assert_eq!(report.hindered[0].0, second.snapshot);
    assert_eq!(report.lag_seconds(), Some(60));
    assert_whole(&there, &first, &keyring.identities).await;
}

#[tokio::test]
async fn either_side_is_healed_from_the_other_and_what_both_lost_is_told() {
    let (keyring, here, there) = (Keyring::new(), memory(), place(Arc::new(InMemory::new())));
    let backup = keyring.back_up(&here, 1, 3).await.unwrap();
    copied(&here, &there).await;
    let objects = catalogue::inventory(&here, &backup).await.unwrap().objects;
    let segments: Vec<_> = objects
        .iter()
        .filter(|stored| stored.path.starts_with("v1/seg"))
        .collect();
    let record = object_path::record(&backup.snapshot);
    for path in [&record, &backup.inventory.path, &segments[0].path] {
        replace(&there, path, |bytes| bytes.truncate(5)).await;
    }
    replace(&here, &segments[1].path, |bytes| bytes[3] ^= 4).await;
    let mended = healed(&there, &here, &backup).await;
    assert_eq!(
        mended.healed,
        [
            record,
            backup.inventory.path.clone(),
            segments[0].path.clone()
        ]
    );
    assert_eq!(mended.faults, []);
    let mended = healed(&here, &there, &backup).await;
    assert_eq!(mended.healed, [segments[1].path.clone()]);
    for store in [&here, &there] {
        assert_whole(store, &backup, &keyring.identities).await;
    }
    for store in [&here, &there] {
        replace(store, &segments[2].path, Vec::clear).await;
    }
    let lost = healed(&here, &there, &backup).await;
    assert_eq!(lost.faults.len(), 1, "{lost:?}");
    assert!(
        lost.faults[0].what.contains("in the other place"),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_place_that_is_no_place_for_a_copy_is_refused_and_a_late_one_copies_nothing() {
    let (keyring, here, (_folder, _, there)) = (Keyring::new(), memory(), in_folder());
    let absent = copied_within(&here, &there, PATIENCE).await;
    assert!(matches!(absent, Err(ReplicationError::Absent(_))));
    keyring.back_up(&here, 1, 1).await.unwrap();
    let late = copied_within(&here, &there, Duration::ZERO).await.unwrap();
    assert_eq!((late.copied.len(), late.left.len()), (0, 1));
    let (_other_folder, _, other) = in_folder();
    keyring.back_up(&other, 1, 1).await.unwrap();
    let another = copied_within(&here, &other, PATIENCE).await;
    assert!(matches!(another, Err(ReplicationError::Another(_))));
}
