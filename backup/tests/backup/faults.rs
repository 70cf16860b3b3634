//! A store that fails: one request of a backup at a time, every request in turn.

use std::sync::{Arc, atomic::Ordering};

use backup::{
    repository::RepositoryError,
    store::{Arrival, Store, StoreError},
};
use object_store::memory::InMemory;

use crate::{
    faulty::{FAULTS, Fault, Faulty},
    scratch::{Keyring, assert_whole, whole_backups},
};

/// Backs up `before` times without a fault, once with one, and once more without.
async fn survive(before: u64, fault: Fault, at: u64, arrival: Arrival) -> bool {
    let keyring = Keyring::new();
    let memory = Arc::new(InMemory::new());
    let sound = Store::new(Arc::clone(&memory) as _, "p", arrival);
    for fence in 0..before {
        keyring.back_up(&sound, fence, 2 + fence).await.unwrap();
    }
    let faulty = Faulty::new(&memory, fault, at);
    let store = Store::new(Arc::clone(&faulty) as _, "p", arrival);
    let outcome = keyring.back_up(&store, 100, 4).await;
    let sealed = whole_backups(&sound, &keyring.identities).await;
    if let Ok(snapshot) = &outcome {
        assert_eq!(&sealed[0], snapshot, "{faulty}, {arrival:?}");
    }
    let later = keyring.back_up(&sound, 200, 5).await;
    let later = later.unwrap_or_else(|error| panic!("{faulty}, {arrival:?}: {error:#}"));
    assert_whole(&sound, &later, &keyring.identities).await;
    faulty.requests.load(Ordering::SeqCst) > at
}

/// Every request of a backup meets the fault in turn, until a backup ends before
/// its number is reached.
async fn every_request(before: u64, fault: Fault, arrival: Arrival) {
    let batch = 16;
    for first in (0..).step_by(batch) {
        let attempts = (first..)
            .take(batch)
            .map(|at| survive(before, fault, at, arrival));
        let reached = futures_util::future::join_all(attempts).await;
        if reached.contains(&false) {
            assert!(first > 0, "a backup makes more requests than that");
            return;
        }
    }
}

#[tokio::test]
async fn the_first_backup_survives_every_fault_of_every_request() {
    for fault in FAULTS {
        every_request(0, fault, Arrival::Unchecked).await;
    }
}

#[tokio::test]
async fn a_later_backup_survives_every_fault_of_every_request() {
    for fault in FAULTS {
        every_request(2, fault, Arrival::Unchecked).await;
    }
}

/// A store that compares checksums lets no flipped bit in.
#[tokio::test]
async fn a_store_that_checks_what_arrives_needs_no_reading_back() {
    for fault in FAULTS {
        if fault != Fault::FlippedWrite {
            every_request(1, fault, Arrival::Checked).await;
        }
    }
}

/// The faults do what they say; else the tests above prove nothing.
#[tokio::test]
async fn a_lost_answer_is_settled_by_reading() {
    for fault in [Fault::LateAnswer, Fault::LostAnswer] {
        let memory = Arc::new(InMemory::new());
        let store = Store::new(Faulty::new(&memory, fault, 0), "", Arrival::Checked);
        store.put_new("v1/x", "x".into()).await.unwrap();
        let requests = store.requests();
        assert_eq!((requests.put, requests.get), (1, 1));
    }
}

#[tokio::test]
async fn a_request_that_was_not_carried_out_is_repeated() {
    for fault in [Fault::Conflict, Fault::Precondition, Fault::Unavailable] {
        let memory = Arc::new(InMemory::new());
        let store = Store::new(Faulty::new(&memory, fault, 0), "", Arrival::Checked);
        store.put_new("v1/x", "x".into()).await.unwrap();
        let requests = store.requests();
        assert_eq!((requests.put, requests.get), (2, 1));
    }
}

#[tokio::test]
async fn a_torn_write_is_never_taken_for_the_object() {
    for (fault, arrival) in [
        (Fault::Torn, Arrival::Checked),
        (Fault::TornUnnoticed, Arrival::Unchecked),
        (Fault::FlippedWrite, Arrival::Unchecked),
    ] {
        let memory = Arc::new(InMemory::new());
        let store = Store::new(Faulty::new(&memory, fault, 0), "", arrival);
        let path = "v1/x".to_owned();
        let refused = store.put_new(&path, "xyz".into()).await.unwrap_err();
        assert_eq!(refused, StoreError::Taken { path });
    }
}

#[tokio::test]
async fn a_store_that_always_fails_is_given_up_after_five_attempts() {
    let store = Store::new(Faulty::always(Fault::Unavailable), "", Arrival::Checked);
    let failing = store.get("v1/x").await.unwrap_err();
    assert!(matches!(failing, StoreError::Failing { .. }), "{failing}");
    assert_eq!(store.requests().get, 5);
}

#[tokio::test]
async fn a_store_that_refuses_is_not_asked_again() {
    let memory = Arc::new(InMemory::new());
    let faulty = Faulty::new(&memory, Fault::KilledBefore, 0);
    let store = Store::new(faulty, "", Arrival::Checked);
    let refused = store.put_new("v1/x", "x".into()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused { .. }), "{refused}");
    assert_eq!(store.requests().put, 1);
}

/// What was not recognised as overwriting would silently lose the first backup.
#[tokio::test]
async fn a_store_that_overwrites_is_refused() {
    let store = Store::new(Faulty::overwriting(), "", Arrival::Checked);
    let error = Keyring::new().open(&store).await.unwrap_err();
    assert_eq!(
        error
            .downcast_ref::<RepositoryError>()
            .map(ToString::to_string),
        Some(StoreError::Overwrites.to_string()),
    );
}
