//! Reading again what backups rest on, and writing anew what was damaged.

use std::{collections::BTreeMap, time::Duration};

use backup::{
    format::{Snapshot, Stored, object_path},
    reread::{self, Damage, END, Report, Round, Share, position},
    store::Store,
    verify,
};
use jiff::{SignedDuration, Timestamp};
use outside::clock::Deadline;

use crate::scratch::{
    Keyring, assert_whole, at, in_folder, memory, put_tables, replace, seal, whole_backups,
};

const PATIENCE: Duration = Duration::from_secs(120);

/// A round that has not begun, and all of it.
const WHOLE: (u64, u64) = (0, END);

async fn read(store: &Store, copy: Option<&Store>, again: &[&str], round: (u64, u64)) -> Report {
    read_within(store, copy, again, round, u64::MAX).await
}

async fn read_within(
    store: &Store,
    copy: Option<&Store>,
    again: &[&str],
    (upto, target): (u64, u64),
    bytes: u64,
) -> Report {
    let again: BTreeMap<String, Option<Timestamp>> = again
        .iter()
        .map(|path| ((*path).to_owned(), None))
        .collect();
    let began_at = at(0);
    let share = Share {
        round: (Round { began_at, upto }, target),
        again: &again,
        stretches: &[],
        first_at: None,
        days: 7,
        bytes,
        deadline: Deadline::after(PATIENCE),
        copy,
    };
    reread::read(store, &share, at(10)).await.unwrap()
}

/// Where a backup's first segment lies, as it was stored.
async fn first_segment(store: &Store, snapshot: &Snapshot) -> Stored {
    let inventory = backup::catalogue::inventory(store, snapshot).await.unwrap();
    let mut objects = inventory.objects.into_iter();
    objects
        .find(|stored| stored.path.starts_with("v1/seg/"))
        .unwrap()
}

/// Bytes that are others at the same length: no listing tells.
async fn flip(store: &Store, path: &str) {
    replace(store, path, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    })
    .await;
}

async fn is_whole(store: &Store, snapshot: &Snapshot) -> bool {
    verify::objects(store, snapshot, &mut |_| {})
        .await
        .is_whole()
}

#[tokio::test]
async fn shares_come_to_every_object_once_however_small_they_are() {
    let (keyring, store) = (Keyring::new(), memory());
    let first = keyring.back_up(&store, 1, 12).await.unwrap();
    keyring.back_up(&store, 2, 15).await.unwrap();
    let all = read(&store, None, &[], WHOLE).await;
    // Two manifests and two inventories; 15 tables, and a script of both.
    assert_eq!((all.objects, all.round.upto), (20, END));
    assert_eq!((all.coverage.objects, all.damages.len()), (20, 0));
    assert_eq!(all.coverage.bytes, all.bytes);
    let (mut objects, mut upto, mut shares) = (0, 0, 0);
    while upto < END {
        // A byte is less than any object, of which one is always read.
        let share = read_within(&store, None, &[], (upto, END), 1).await;
        assert!(share.round.upto > upto, "{share:?}");
        assert_eq!((share.from, share.objects), (upto, 1), "{share:?}");
        (objects, upto, shares) = (objects + share.objects, share.round.upto, shares + 1);
    }
    assert_eq!((objects, shares), (20, 20));
    let inventory = position(&first.inventory.path);
    let alone = read(&store, None, &[], (inventory, inventory + 1)).await;
    assert_eq!((alone.objects, alone.bytes), (1, first.inventory.len));
}

#[tokio::test]
async fn what_was_read_and_when_is_counted_by_object() {
    let (keyring, store) = (Keyring::new(), memory());
    keyring.back_up(&store, 1, 30).await.unwrap();
    let day = |days: i64| at(1) + SignedDuration::from_hours(24 * days);
    let again = BTreeMap::new();
    let coverage = async |stretches: &[reread::Stretch], first_at, now| {
        let share = Share {
            round: (
                Round {
                    began_at: day(0),
                    upto: END,
                },
                END,
            ),
            again: &again,
            stretches,
            first_at,
            days: 7,
            bytes: 1,
            deadline: Deadline::after(PATIENCE),
            copy: None,
        };
        reread::read(&store, &share, now).await.unwrap().coverage
    };
    let nothing = coverage(&[], None, day(20)).await;
    assert_eq!(
        (nothing.objects, nothing.old, nothing.old_read),
        (33, 33, 0)
    );
    assert_eq!(
        nothing.oldest_at,
        Some(day(20)),
        "nobody was to read before"
    );
    let young = coverage(&[], Some(day(0)), day(6)).await;
    assert_eq!((young.old, young.oldest_at), (0, Some(day(0))));
    let stretch = |at, from, upto| reread::Stretch { at, from, upto };
    let half = END / 2;
    let stretches = [stretch(day(10), 0, END), stretch(day(15), half, END)];
    let inventory = backup::catalogue::snapshots(&store)
        .await
        .unwrap()
        .snapshots;
    let objects = backup::catalogue::inventory(&store, &inventory[0])
        .await
        .unwrap()
        .objects;
    let mut paths: Vec<_> = objects.into_iter().map(|stored| stored.path).collect();
    paths.push(inventory[0].inventory.path.clone());
    let upper = paths.iter().filter(|path| position(path) >= half).count() as u64;
    let found = coverage(&stretches, Some(day(0)), day(20)).await;
    assert_eq!((found.old, found.old_read), (33, upper));
    assert_eq!(found.oldest_at, Some(day(10)));
}

#[tokio::test]
async fn damage_that_no_listing_tells_is_found_and_named() {
    let (keyring, store) = (Keyring::new(), memory());
    let first = keyring.back_up(&store, 1, 3).await.unwrap();
    let second = keyring.back_up(&store, 2, 3).await.unwrap();
    let segment = first_segment(&store, &first).await;
    flip(&store, &segment.path).await;
    let found = read(&store, None, &[], WHOLE).await;
    let expected = Damage {
        path: segment.path.clone(),
        stored: Some(segment.clone()),
        what: "its content is not the one it was stored with".into(),
        snapshot: second.snapshot.clone(),
        backups: 2,
        is_healed: false,
    };
    assert_eq!(found.damages, [expected]);
    // Wherever the round is, what is known is looked at.
    let again = read(
        &store,
        None,
        &[&segment.path, "v1/seg/1/no/longer.zst.age"],
        (9, 9),
    )
    .await;
    assert_eq!((again.damages.len(), again.whole.len()), (1, 0));
    assert_eq!(again.gone, ["v1/seg/1/no/longer.zst.age"]);
    flip(&store, &segment.path).await;
    let again = read(&store, None, &[&segment.path], (9, 9)).await;
    assert_eq!((again.damages.len(), again.whole), (0, vec![segment.path]));
}

#[tokio::test]
async fn records_and_inventories_are_read_each_time_and_healed_from_the_copy() {
    let (keyring, here, (_folder, _, there)) = (Keyring::new(), memory(), in_folder());
    let first = keyring.back_up(&here, 1, 3).await.unwrap();
    let second = keyring.back_up(&here, 2, 4).await.unwrap();
    let deadline = Deadline::after(PATIENCE);
    backup::replication::replicate(&here, &there, deadline, &mut |_| {})
        .await
        .unwrap();
    let record = object_path::record(&first.snapshot);
    for path in [&record, &second.inventory.path] {
        flip(&here, path).await;
    }
    let found = read(&here, None, &["v1/seg/1/xx/unknown.zst.age"], (9, 9)).await;
    let paths: Vec<_> = found.damages.iter().map(|damage| &damage.path).collect();
    assert_eq!(paths, [&second.inventory.path, &record]);
    assert_eq!(found.gone, [""; 0], "who knows what they name");
    let healed = read(&here, Some(&there), &[&record], (9, 9)).await;
    assert!(
        healed.damages.iter().all(|damage| damage.is_healed),
        "{healed:?}"
    );
    let whole = read(&here, Some(&there), &[&record], (9, 9)).await;
    assert_eq!((whole.damages.len(), whole.whole), (0, vec![record]));
    assert_eq!(whole_backups(&here, &keyring.identities).await.len(), 2);
}

/// The run that meets the rows again writes over what is damaged: every backup that rests on it is
/// whole by hash and by content, and only a note tells that the bytes are others.
#[tokio::test]
async fn a_run_writes_anew_what_is_proven_damaged_and_every_backup_is_whole_again() {
    let (keyring, (_folder, root, store)) = (Keyring::new(), in_folder());
    let first = keyring.back_up(&store, 1, 3).await.unwrap();
    let segment = first_segment(&store, &first).await;
    flip(&store, &segment.path).await;
    // A run that knows of nothing rests on it.
    let second = keyring.back_up(&store, 2, 3).await.unwrap();
    assert_eq!(second.totals.new_objects, 0);
    for backup in [&first, &second] {
        assert!(!is_whole(&store, backup).await);
    }
    let intact = second.manifest.clone();
    let begun = keyring.begin(&store, 3).await.unwrap();
    let writer = begun.without(&[segment.clone(), intact]).await.unwrap();
    let manifest = put_tables(&writer, 3).await.unwrap();
    let third = seal(writer, manifest).await.unwrap();
    assert_eq!(third.totals.new_objects, 1);
    for backup in [&first, &second, &third] {
        assert_whole(&store, backup, &keyring.identities).await;
    }
    let now = store.get(&segment.path).await.unwrap();
    assert_ne!(now.len(), 0);
    let notes = store.list(object_path::MENDED).await.unwrap();
    assert_eq!(notes.len(), 1);
    assert!(root.join(&notes[0].path).is_file());
    // What is whole is never written over.
    let again = keyring.begin(&store, 4).await.unwrap();
    let again = again.without(std::slice::from_ref(&segment)).await.unwrap();
    let manifest = put_tables(&again, 3).await.unwrap();
    let fourth = seal(again, manifest).await.unwrap();
    assert_eq!(fourth.totals.new_objects, 0);
    assert_eq!(store.get(&segment.path).await.unwrap(), now);
    // The note vouches for these bytes alone, and newer backups rest on an object of their own.
    flip(&store, &segment.path).await;
    assert!(!is_whole(&store, &first).await);
    assert!(is_whole(&store, &third).await);
}

/// A copy takes what was written anew with the note, so that it is whole by itself.
#[tokio::test]
async fn a_copy_of_what_was_written_anew_is_whole_by_itself() {
    let (keyring, here, (_folder, _, there)) = (Keyring::new(), memory(), in_folder());
    let first = keyring.back_up(&here, 1, 3).await.unwrap();
    let copy = async || {
        let deadline = Deadline::after(PATIENCE);
        backup::replication::replicate(&here, &there, deadline, &mut |_| {}).await
    };
    copy().await.unwrap();
    let segment = first_segment(&here, &first).await;
    flip(&here, &segment.path).await;
    let writer = keyring.begin(&here, 2).await.unwrap();
    let writer = writer.without(&[segment]).await.unwrap();
    let manifest = put_tables(&writer, 3).await.unwrap();
    seal(writer, manifest).await.unwrap();
    copy().await.unwrap();
    for store in [&here, &there] {
        assert_eq!(whole_backups(store, &keyring.identities).await.len(), 2);
    }
}
