//! Backups read again, whole and damaged.

use backup::{
    catalogue::{self, ReadError},
    checksum::RowSums,
    format::{FormatError, Snapshot, Stored, object_path},
    keys::DedupeKey,
    seal,
    segments::Segment,
    store::Store,
    verify,
};

use jiff::SignedDuration;

use crate::scratch::{
    Keyring, at, faults, in_folder, manifest, memory, replace, rows, seal, table_data,
};

#[tokio::test]
async fn backups_are_found_by_name_and_beginning() {
    let (keyring, store) = (Keyring::new(), memory());
    let find = async |which: &str| {
        catalogue::find(&store, which)
            .await
            .map_err(|error| error.to_string())
    };
    assert_eq!(find("latest").await, Err("there is no backup".into()));
    let first = keyring.back_up(&store, 1, 1).await.unwrap();
    let second = keyring.back_up(&store, 2, 1).await.unwrap();
    let name = first.snapshot.as_str();
    assert_eq!(find("latest").await.as_ref(), Ok(&second));
    assert_eq!(find(name).await.as_ref(), Ok(&first));
    assert_eq!(find(&name[..name.len() - 3]).await.as_ref(), Ok(&first));
    assert_eq!(
        find("1999").await,
        Err("there is no backup \"1999\"".into())
    );
    assert_eq!(find("").await, Err("there is no backup \"\"".into()));
    assert_eq!(
        find("20").await,
        Err("the names of 2 backups begin with \"20\"".into())
    );
}

#[tokio::test]
async fn a_backup_is_found_by_the_time_before_which_it_was_taken() {
    let (keyring, store) = (Keyring::new(), memory());
    let empty = catalogue::find_before(&store, at(1)).await.unwrap_err();
    assert!(matches!(empty, ReadError::Empty), "{empty}");
    let first = keyring.back_up(&store, 10, 1).await.unwrap();
    let second = keyring.back_up(&store, 20, 1).await.unwrap();
    let a_moment = SignedDuration::from_millis(1);
    for (time, expected) in [
        (at(10) + a_moment, &first),
        (at(20), &first),
        (at(20) + a_moment, &second),
        (at(90), &second),
    ] {
        let found = catalogue::find_before(&store, time).await.unwrap();
        assert_eq!(found.snapshot, expected.snapshot, "{time}");
    }
    let none = catalogue::find_before(&store, at(10)).await.unwrap_err();
    assert_eq!(
        none.to_string(),
        format!(
            "no backup was taken before {}, the first is {}",
            at(10),
            first.snapshot
        )
    );
    // Whoever asks for the time of a backup that cannot be read gets no other one.
    let damaged = object_path::record(&second.snapshot);
    replace(&store, &damaged, |text| text.truncate(text.len() / 2)).await;
    let torn = catalogue::find_before(&store, at(30)).await.unwrap_err();
    assert!(matches!(torn, ReadError::Unreadable { .. }), "{torn}");
}

#[tokio::test]
async fn a_damaged_record_is_named_and_hides_no_other() {
    let (keyring, store) = (Keyring::new(), memory());
    let first = keyring.back_up(&store, 1, 1).await.unwrap();
    let second = keyring.back_up(&store, 2, 1).await.unwrap();
    let damaged = object_path::record(&second.snapshot);
    replace(&store, &damaged, |text| text.truncate(text.len() / 2)).await;
    let listing = catalogue::snapshots(&store).await.unwrap();
    assert_eq!(listing.snapshots, [first]);
    assert!(listing.unreadable[0].to_string().starts_with(&damaged));
    let latest = catalogue::find(&store, "latest").await.unwrap_err();
    assert!(latest.to_string().starts_with(&damaged), "{latest}");
    // New backups go on, from the last one that can be read.
    let third = keyring.back_up(&store, 3, 1).await.unwrap();
    assert_eq!(catalogue::find(&store, "latest").await.unwrap(), third);
}

#[tokio::test]
async fn another_versions_record_is_refused_by_its_number() {
    let (keyring, store) = (Keyring::new(), memory());
    let snapshot = keyring.back_up(&store, 1, 1).await.unwrap();
    let record = object_path::record(&snapshot.snapshot);
    replace(&store, &record, |text| {
        *text = String::from_utf8(text.clone())
            .unwrap()
            .replace("\"format\": 2", "\"format\": 3")
            .into();
    })
    .await;
    let error = catalogue::find(&store, "latest").await.unwrap_err();
    assert!(
        matches!(&error, ReadError::Unreadable { source: FormatError::Version(version), .. } if version == "3"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_key_reads_nothing() {
    let (keyring, store) = (Keyring::new(), memory());
    let snapshot = keyring.back_up(&store, 1, 1).await.unwrap();
    let stranger = Keyring::new().identities;
    let error = catalogue::manifest(&store, &snapshot, &stranger)
        .await
        .unwrap_err();
    let path = &snapshot.manifest.path;
    assert_eq!(
        error.to_string(),
        format!("{path}: it is encrypted to none of the given identities")
    );
    let report = verify::contents(&store, &snapshot, &stranger, &mut |_| {}).await;
    assert!(!report.is_whole());
    let objects = verify::objects(&store, &snapshot, &mut |_| {}).await;
    assert!(objects.is_whole(), "{objects:?}");
}

/// A backup whose two tables' pieces lie at the returned paths.
async fn two_pieces(keyring: &Keyring, store: &Store) -> (Snapshot, [String; 2]) {
    let snapshot = keyring.back_up(store, 1, 2).await.unwrap();
    let manifest = catalogue::manifest(store, &snapshot, &keyring.identities)
        .await
        .unwrap();
    let path = |table: usize| object_path::segment(1, &manifest.tables[table].pieces[0].name);
    (snapshot, [path(0), path(1)])
}

async fn assert_found(
    keyring: &Keyring,
    store: &Store,
    snapshot: &Snapshot,
    expected: &[(&str, &str)],
) {
    let found = faults(store, snapshot, &keyring.identities).await;
    let mut found: Vec<_> = found
        .iter()
        .map(|fault| (&*fault.path, &*fault.what))
        .collect();
    found.sort_unstable();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_truncated_segment_is_found_at_both_levels() {
    let (keyring, store) = (Keyring::new(), memory());
    let (snapshot, [path, _]) = two_pieces(&keyring, &store).await;
    replace(&store, &path, |bytes| bytes.truncate(bytes.len() - 1)).await;
    let sealed = "it cannot be decrypted: it is truncated or altered";
    assert_found(
        &keyring,
        &store,
        &snapshot,
        &[
            (&path, "its length is not the one it was stored with"),
            (&path, sealed),
        ],
    )
    .await;
}

#[tokio::test]
async fn swapped_segments_are_found_at_both_levels() {
    let (keyring, store) = (Keyring::new(), memory());
    let (snapshot, [one, other]) = two_pieces(&keyring, &store).await;
    let [first, second] = [
        store.get(&one).await.unwrap(),
        store.get(&other).await.unwrap(),
    ];
    store.put_over(&one, second).await.unwrap();
    store.put_over(&other, first).await.unwrap();
    let found = faults(&store, &snapshot, &keyring.identities).await;
    for path in [&one, &other] {
        let opened = "its content is not the one in the manifest";
        let of_path = found.iter().filter(|fault| fault.path == *path);
        let [stored, contents] = &of_path.map(|fault| &*fault.what).collect::<Vec<_>>()[..] else {
            panic!("{found:?}");
        };
        // No two sealed objects need be equally long.
        assert!(
            stored.ends_with("is not the one it was stored with"),
            "{stored}"
        );
        assert_eq!(*contents, opened);
    }
}

#[tokio::test]
async fn a_missing_segment_is_found_at_both_levels() {
    let (_folder, root, store) = in_folder();
    let keyring = Keyring::new();
    let (snapshot, [path, _]) = two_pieces(&keyring, &store).await;
    std::fs::remove_file(root.join(&path)).unwrap();
    let missing = "it is missing";
    assert_found(
        &keyring,
        &store,
        &snapshot,
        &[(&path, missing), (&path, missing)],
    )
    .await;
}

#[tokio::test]
async fn an_altered_inventory_is_found() {
    let (keyring, store) = (Keyring::new(), memory());
    let snapshot = keyring.back_up(&store, 1, 1).await.unwrap();
    replace(&store, &snapshot.inventory.path, |bytes| bytes[10] ^= 1).await;
    let path = &snapshot.inventory.path;
    let what = "its content is not the one it was stored with";
    assert_found(&keyring, &store, &snapshot, &[(path, what), (path, what)]).await;
}

#[tokio::test]
async fn rows_that_are_not_copy_text_are_found() {
    let (keyring, store) = (Keyring::new(), memory());
    let writer = keyring.begin(&store, 1).await.unwrap();
    let script = writer
        .put(Segment::script("select 1;\n".into()))
        .await
        .unwrap();
    let mut short = writer.put(rows("1\tx\n", 3)).await.unwrap();
    short.rows = 4;
    let odd = writer.put(rows("1\tx\ty\n", 2)).await.unwrap();
    let paths = [&short, &odd].map(|piece| object_path::segment(1, &piece.name));
    let manifest = manifest(
        script,
        vec![table_data(1, RowSums::default(), vec![short, odd])],
    );
    let snapshot = seal(writer, manifest).await.unwrap();
    assert_found(
        &keyring,
        &store,
        &snapshot,
        &[
            (&paths[0], "it holds 3 rows and should hold 4"),
            (
                &paths[1],
                "row 1 has more or fewer fields than its table has columns",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn one_piece_is_read_by_itself() {
    let (keyring, store) = (Keyring::new(), memory());
    let snapshot = keyring.back_up(&store, 1, 1).await.unwrap();
    let manifest = catalogue::manifest(&store, &snapshot, &keyring.identities)
        .await
        .unwrap();
    let key = DedupeKey::from_hex(&manifest.dedupe_key).unwrap();
    let piece = &manifest.tables[0].pieces[0];
    let read = catalogue::piece(&store, snapshot.epoch, piece, &keyring.identities, &key).await;
    assert_eq!(read.unwrap(), "0\tsome text\n".repeat(3).as_bytes());
    let mut other = piece.clone();
    other.raw_len -= 1;
    let read = catalogue::piece(&store, snapshot.epoch, &other, &keyring.identities, &key).await;
    assert!(matches!(read, Err(ReadError::Sealed { .. })));
}

#[tokio::test]
async fn a_piece_is_what_its_length_its_hash_and_its_name_say() {
    let (keyring, store) = (Keyring::new(), memory());
    let snapshot = keyring.back_up(&store, 1, 1).await.unwrap();
    let manifest = catalogue::manifest(&store, &snapshot, &keyring.identities)
        .await
        .unwrap();
    let key = DedupeKey::from_hex(&manifest.dedupe_key).unwrap();
    let piece = &manifest.tables[0].pieces[0];
    let elsewhere = "0".repeat(64);
    let sealed = store.get(&object_path::segment(1, &piece.name)).await;
    store
        .put_new(&object_path::segment(1, &elsewhere), sealed.unwrap())
        .await
        .unwrap();
    let [mut longer, mut hashed, mut named] = [(); 3].map(|()| piece.clone());
    longer.raw_len += 1;
    hashed.raw_sha256.clone_from(&elsewhere);
    named.name = elsewhere;
    for (piece, expected) in [
        (longer, "its length is not the one in the manifest"),
        (hashed, "its content is not the one in the manifest"),
        (named, "its name is not that of its content"),
    ] {
        let read = catalogue::piece(&store, 1, &piece, &keyring.identities, &key).await;
        assert_eq!(read.unwrap_err().what(), expected);
    }
}

#[tokio::test]
async fn a_manifest_belongs_to_the_record_of_its_name_repository_epoch_and_time() {
    let (keyring, store) = (Keyring::new(), memory());
    let record = keyring.back_up(&store, 1, 1).await.unwrap();
    let next = keyring.back_up(&store, 2, 1).await.unwrap();
    let read = async |record: &Snapshot| {
        let manifest = catalogue::manifest(&store, record, &keyring.identities).await;
        manifest.map_err(|error| error.what())
    };
    read(&record).await.unwrap();
    let [mut name, mut repo, mut epoch, mut time] = [(); 4].map(|()| record.clone());
    name.snapshot = next.snapshot;
    repo.repo = uuid::Uuid::nil();
    epoch.epoch += 1;
    time.taken_at = next.taken_at;
    for other in [name, repo, epoch, time] {
        let refused = read(&other).await.unwrap_err();
        assert_eq!(refused, "it is the manifest of another backup", "{other:?}");
    }
}

#[tokio::test]
async fn an_inventory_that_names_another_object_than_the_manifest_is_found() {
    let (keyring, store) = (Keyring::new(), memory());
    let mut snapshot = keyring.back_up(&store, 1, 1).await.unwrap();
    let mut inventory = catalogue::inventory(&store, &snapshot).await.unwrap();
    let segments = object_path::segments(1);
    let mut objects = inventory.objects.iter_mut();
    let named = objects.find(|stored| stored.path.starts_with(&segments));
    let other = object_path::segment(1, &"0".repeat(64));
    let unnamed = std::mem::replace(&mut named.unwrap().path, other);
    inventory.objects.sort_unstable();
    let text = seal::compress(&inventory.render()).unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, &text);
    snapshot.inventory = Stored {
        path: object_path::inventory(&"0".repeat(64)),
        len: text.len() as u64,
        sha256: hash
            .as_ref()
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}")),
    };
    store
        .put_new(&snapshot.inventory.path, text.into())
        .await
        .unwrap();
    let report = verify::contents(&store, &snapshot, &keyring.identities, &mut |_| {}).await;
    let what = "the manifest names it and the inventory does not";
    let found = report.faults.iter();
    let found: Vec<_> = found
        .map(|fault| (fault.path.as_str(), fault.what.as_str()))
        .collect();
    assert_eq!(found, [(unnamed.as_str(), what)]);
}

#[tokio::test]
async fn progress_is_told_object_by_object() {
    let (keyring, store) = (Keyring::new(), memory());
    let snapshot = keyring.back_up(&store, 1, 3).await.unwrap();
    let mut seen = Vec::new();
    verify::objects(&store, &snapshot, &mut |report| {
        seen.push((report.checked, report.expected));
    })
    .await;
    assert_eq!(seen, [(3, 7), (4, 7), (5, 7), (6, 7), (7, 7)]);
}
