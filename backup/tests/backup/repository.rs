//! What a repository does with what it is given.

use backup::{
    catalogue,
    checksum::RowSums,
    format::{RowHash, object_path},
    repository::{Making, Remembered, Repository, RepositoryError, SealRunError},
    segments::Segment,
    tools, verify,
};
use futures_util::future::{join, join_all};

use crate::scratch::{
    Keyring, assert_whole, at, in_folder, manifest, memory, put_tables, replace, rows, seal,
    table_data, whole_backups,
};

#[tokio::test]
async fn what_is_there_is_not_stored_again() {
    let (keyring, store) = (Keyring::new(), memory());
    let first = keyring.back_up(&store, 1, 3).await.unwrap();
    let second = keyring.back_up(&store, 2, 3).await.unwrap();
    assert_eq!(first.totals.new_objects, 4);
    assert_eq!(first.totals.reused_raw_bytes, 0);
    assert_eq!(second.totals.new_objects, 0);
    assert_eq!(second.totals.reused_raw_bytes, second.totals.raw_bytes);
    assert_eq!(second.totals.rows, 9);
    let before = second.previous.as_ref().unwrap();
    assert_eq!(before.snapshot, first.snapshot);
    assert_whole(&store, &second, &keyring.identities).await;
}

#[tokio::test]
async fn a_place_where_nobody_made_a_repository_is_refused() {
    let (keyring, (_folder, root, store)) = (Keyring::new(), in_folder());
    let refused = keyring.open_as_it_is(&store).await.unwrap_err();
    assert!(
        matches!(&refused, RepositoryError::Absent(place) if *place == root.display().to_string())
    );
    assert_eq!(store.list("v1").await.unwrap(), [], "nothing was written");
    assert_eq!(Repository::make(&store, at(0)).await.unwrap(), Making::Made);
    assert_eq!(Repository::make(&store, at(1)).await.unwrap(), Making::Made);
    keyring.back_up(&store, 1, 1).await.unwrap();
    let described = store.get(object_path::REPO).await.unwrap();
    assert_eq!(Repository::make(&store, at(2)).await.unwrap(), Making::Kept);
    assert_eq!(store.get(object_path::REPO).await.unwrap(), described);
}

/// A repository whose backups are gone is not a new one, unless somebody says so.
#[tokio::test]
async fn a_repository_has_to_hold_what_the_database_remembers() {
    let (keyring, store) = (Keyring::new(), memory());
    let remembered = |second| Remembered {
        snapshot: "20261125T090008Z-17-4e3bf1cb".into(),
        taken_at: at(second),
    };
    Repository::make(&store, at(10)).await.unwrap();
    let repository = keyring.open(&store).await.unwrap();
    repository.must_hold(&remembered(9)).await.unwrap();
    let vanished = repository.must_hold(&remembered(11)).await.unwrap_err();
    assert!(
        matches!(vanished, RepositoryError::Vanished { .. }),
        "{vanished}"
    );
    assert!(
        vanished
            .to_string()
            .contains("20261125T090008Z-17-4e3bf1cb")
    );
    assert_eq!(
        Repository::make(&store, at(12)).await.unwrap(),
        Making::Made
    );
    let repository = keyring.open(&store).await.unwrap();
    repository.must_hold(&remembered(11)).await.unwrap();
    keyring.back_up(&store, 20, 1).await.unwrap();
    let repository = keyring.open(&store).await.unwrap();
    repository.must_hold(&remembered(30)).await.unwrap();
}

#[tokio::test]
async fn a_tool_that_was_changed_or_is_missing_is_found() {
    let (keyring, store) = (Keyring::new(), memory());
    let first = keyring.back_up(&store, 1, 1).await.unwrap();
    let second = keyring.back_up(&store, 2, 1).await.unwrap();
    let path = object_path::tool("restore.sh");
    let faults = async || {
        let mut found = Vec::new();
        for snapshot in [&first, &second] {
            for report in [
                verify::objects(&store, snapshot, &mut |_| {}).await,
                verify::contents(&store, snapshot, &keyring.identities, &mut |_| {}).await,
            ] {
                found.extend(report.faults.into_iter().map(|fault| fault.path));
            }
        }
        found
    };
    assert_eq!(faults().await, Vec::<String>::new());
    // The one of this build is as good as the one that was recorded.
    let ours = tools::FILES.iter().find(|(name, _)| *name == "restore.sh");
    let ours = ours.unwrap().1;
    replace(&store, &path, |text| *text = ours.to_vec()).await;
    assert_eq!(faults().await, Vec::<String>::new());
    replace(&store, &path, |text| text[100] ^= 1).await;
    assert_eq!(faults().await, [path.as_str(); 4]);
}

#[tokio::test]
async fn equal_segments_are_stored_once_even_at_the_same_time() {
    let (keyring, store) = (Keyring::new(), memory());
    let writer = keyring.begin(&store, 1).await.unwrap();
    let puts = (0..20).map(|_| writer.put(rows("1\tx\n", 10)));
    let pieces: Vec<_> = join_all(puts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(pieces.windows(2).all(|pair| pair[0].name == pair[1].name));
    assert_eq!(writer.figures().new_objects, 1);
    let script = writer
        .put(Segment::script("select 1;\n".into()))
        .await
        .unwrap();
    let sums = RowSums::of("1\tx\n".repeat(200).as_bytes(), 2, RowHash::Mixed);
    let manifest = manifest(script, vec![table_data(1, sums, pieces)]);
    let snapshot = seal(writer, manifest).await.unwrap();
    assert_eq!((snapshot.totals.objects, snapshot.totals.rows), (3, 200));
    assert_whole(&store, &snapshot, &keyring.identities).await;
}

#[tokio::test]
async fn a_segment_larger_than_all_that_may_be_on_its_way_passes() {
    let (keyring, store) = (Keyring::new(), memory());
    let writer = keyring.begin(&store, 1).await.unwrap();
    let piece = writer.put(rows("1\tx\n", 6_000_000)).await.unwrap();
    assert_eq!(piece.raw_len, 24_000_000);
}

#[tokio::test]
async fn what_an_unfinished_run_stored_is_found_by_the_next() {
    let (keyring, store) = (Keyring::new(), memory());
    let killed = keyring.begin(&store, 1).await.unwrap();
    put_tables(&killed, 3).await.unwrap();
    killed.keep_progress().await.unwrap();
    drop(killed);
    let snapshot = keyring.back_up(&store, 2, 3).await.unwrap();
    assert_eq!(snapshot.totals.new_objects, 0);
    assert_whole(&store, &snapshot, &keyring.identities).await;
}

#[tokio::test]
async fn a_long_run_writes_down_what_it_stored_as_it_goes() {
    let (keyring, store) = (Keyring::new(), memory());
    let killed = keyring.begin(&store, 1).await.unwrap();
    put_tables(&killed, 70).await.unwrap();
    drop(killed);
    assert_eq!(store.list("v1/runs").await.unwrap().len(), 1);
    let snapshot = keyring.back_up(&store, 2, 70).await.unwrap();
    assert_eq!(snapshot.totals.new_objects, 71 - 64);
    assert_whole(&store, &snapshot, &keyring.identities).await;
}

#[tokio::test]
async fn what_nobody_vouches_for_is_neither_trusted_nor_overwritten() {
    let (keyring, store) = (Keyring::new(), memory());
    let killed = keyring.begin(&store, 1).await.unwrap();
    put_tables(&killed, 1).await.unwrap();
    drop(killed);
    let before = store.list("v1/seg").await.unwrap();
    let snapshot = keyring.back_up(&store, 2, 1).await.unwrap();
    assert_eq!(snapshot.totals.new_objects, 2);
    let inventory = catalogue::inventory(&store, &snapshot).await.unwrap();
    let relied_on = |path: &str| inventory.objects.iter().any(|object| object.path == path);
    for object in before {
        assert!(!relied_on(&object.path), "{inventory:?}");
        assert_eq!(
            store.len_if_there(&object.path).await.unwrap(),
            Some(object.len)
        );
    }
    assert_whole(&store, &snapshot, &keyring.identities).await;
    // Its own are vouched for from then on.
    let next = keyring.back_up(&store, 3, 1).await.unwrap();
    assert_eq!(next.totals.new_objects, 0);
    assert_whole(&store, &next, &keyring.identities).await;
}

#[tokio::test]
async fn other_keys_begin_an_epoch_of_their_own() {
    let (mut keyring, store) = (Keyring::new(), memory());
    let first = keyring.back_up(&store, 1, 1).await.unwrap();
    let old_identities = keyring.identities.clone();
    let others = Keyring::new();
    keyring.recipients = others.recipients;
    let second = keyring.back_up(&store, 2, 1).await.unwrap();
    keyring.secret = others.secret;
    let third = keyring.back_up(&store, 3, 1).await.unwrap();
    let again = keyring.back_up(&store, 4, 1).await.unwrap();
    let epochs = [&first, &second, &third, &again].map(|snapshot| snapshot.epoch);
    assert_eq!(epochs, [1, 2, 3, 3]);
    assert_eq!((third.totals.new_objects, again.totals.new_objects), (2, 0));
    assert_eq!(first.repo, again.repo);
    assert_whole(&store, &first, &old_identities).await;
    assert_whole(&store, &again, &others.identities).await;
}

#[tokio::test]
async fn two_runs_at_once_make_two_whole_backups() {
    let (keyring, store) = (Keyring::new(), memory());
    let one = keyring.begin(&store, 1).await.unwrap();
    let other = keyring.begin(&store, 2).await.unwrap();
    let (manifest_of_one, manifest_of_other) =
        join(put_tables(&one, 4), put_tables(&other, 4)).await;
    let (first, second) = join(
        seal(one, manifest_of_one.unwrap()),
        seal(other, manifest_of_other.unwrap()),
    )
    .await;
    let found = whole_backups(&store, &keyring.identities).await;
    assert_eq!(found, [second.unwrap(), first.unwrap()]);
}

#[tokio::test]
async fn a_clock_that_went_back_makes_an_older_backup_and_loses_none() {
    let (keyring, store) = (Keyring::new(), memory());
    let late = keyring.back_up(&store, 500, 2).await.unwrap();
    let early = keyring.back_up(&store, 3, 3).await.unwrap();
    assert_eq!(early.previous.as_ref().unwrap().snapshot, late.snapshot);
    assert_eq!(early.totals.new_objects, 1);
    let found = whole_backups(&store, &keyring.identities).await;
    assert_eq!(found, [late, early]);
}

#[tokio::test]
async fn a_lost_lease_leaves_no_backup() {
    let (keyring, store) = (Keyring::new(), memory());
    let writer = keyring.begin(&store, 1).await.unwrap();
    let manifest = put_tables(&writer, 1).await.unwrap();
    let sealed = writer.seal(manifest, &[], at(9), async || false).await;
    assert!(matches!(sealed, Err(SealRunError::LeaseLost)));
    assert_eq!(store.list("v1/snap").await.unwrap(), []);
}

#[tokio::test]
async fn a_piece_that_was_not_put_is_refused() {
    let (keyring, store) = (Keyring::new(), memory());
    let writer = keyring.begin(&store, 1).await.unwrap();
    let mut manifest = put_tables(&writer, 1).await.unwrap();
    manifest.tables[0].pieces[0].name = "0".repeat(64);
    let sealed = seal(writer, manifest).await;
    assert!(
        matches!(sealed, Err(SealRunError::Unknown(_))),
        "{sealed:?}"
    );
}

#[tokio::test]
async fn an_object_that_went_meanwhile_is_noticed_before_sealing() {
    let (_folder, root, store) = in_folder();
    let keyring = Keyring::new();
    let writer = keyring.begin(&store, 1).await.unwrap();
    let manifest = put_tables(&writer, 1).await.unwrap();
    let lost = object_path::segment(1, &manifest.tables[0].pieces[0].name);
    std::fs::remove_file(root.join(&lost)).unwrap();
    let sealed = seal(writer, manifest).await;
    assert!(matches!(sealed, Err(SealRunError::Lost { path }) if path == lost));
}

#[tokio::test]
async fn an_object_that_was_torn_meanwhile_is_noticed_before_sealing() {
    let (_folder, root, store) = in_folder();
    let keyring = Keyring::new();
    let writer = keyring.begin(&store, 1).await.unwrap();
    let manifest = put_tables(&writer, 1).await.unwrap();
    let torn = object_path::segment(1, &manifest.tables[0].pieces[0].name);
    std::fs::write(root.join(&torn), "torn").unwrap();
    let sealed = seal(writer, manifest).await;
    assert!(matches!(sealed, Err(SealRunError::Lost { path }) if path == torn));
}

#[tokio::test]
async fn an_object_that_was_torn_before_is_stored_again_beside_it() {
    let (_folder, root, store) = in_folder();
    let keyring = Keyring::new();
    keyring.back_up(&store, 1, 2).await.unwrap();
    let torn = &store.list("v1/seg").await.unwrap()[0].path;
    std::fs::write(root.join(torn), "torn").unwrap();
    let snapshot = keyring.back_up(&store, 2, 2).await.unwrap();
    assert_eq!(snapshot.totals.new_objects, 1);
    assert_whole(&store, &snapshot, &keyring.identities).await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_hides_none_before_it_from_the_next_run() {
    let (keyring, store) = (Keyring::new(), memory());
    let first = keyring.back_up(&store, 1, 1).await.unwrap();
    let second = keyring.back_up(&store, 2, 1).await.unwrap();
    let record = object_path::record(&second.snapshot);
    replace(&store, &record, |text| text.truncate(20)).await;
    let third = keyring.back_up(&store, 3, 1).await.unwrap();
    assert_eq!(third.previous.unwrap().snapshot, first.snapshot);
    assert_eq!(third.totals.new_objects, 0);
}

#[tokio::test]
async fn an_object_that_went_before_is_stored_again() {
    let (_folder, root, store) = in_folder();
    let keyring = Keyring::new();
    let first = keyring.back_up(&store, 1, 2).await.unwrap();
    let lost = &store.list("v1/seg").await.unwrap()[0].path;
    std::fs::remove_file(root.join(lost)).unwrap();
    let snapshot = keyring.back_up(&store, 2, 2).await.unwrap();
    assert_eq!(snapshot.totals.new_objects, 1);
    assert_whole(&store, &snapshot, &keyring.identities).await;
    // Sealed anew it has another hash, and the content that the first one needs.
    let report = verify::contents(&store, &first, &keyring.identities, &mut |_| {}).await;
    assert!(report.is_whole(), "{report:?}");
}

#[tokio::test]
async fn a_backup_that_holds_much_less_is_suspect() {
    let (keyring, store) = (Keyring::new(), memory());
    let suspect = async |fence, tables| {
        let snapshot = keyring.back_up(&store, fence, tables).await.unwrap();
        snapshot.suspect.unwrap_or_default()
    };
    assert_eq!(suspect(1, 0).await, "there is no table in it");
    assert_eq!(suspect(2, 10).await, "");
    assert_eq!(suspect(3, 5).await, "");
    assert_eq!(
        suspect(4, 2).await,
        "it has 6 rows, less than half of the 15 of the one before"
    );
    assert_eq!(suspect(5, 2).await, "");
}

#[tokio::test]
async fn another_versions_repository_is_left_alone() {
    let (keyring, store) = (Keyring::new(), memory());
    store
        .put_new(object_path::REPO, "{\"format\": 3}".into())
        .await
        .unwrap();
    let error = keyring.back_up(&store, 1, 1).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "v1/repo.json: format version 3 is not one that this release reads (2)"
    );
    assert_eq!(
        store.get(object_path::REPO).await.unwrap(),
        "{\"format\": 3}"
    );
}

#[tokio::test]
async fn a_lost_repository_description_costs_an_epoch_and_no_backup() {
    let (keyring, store) = (Keyring::new(), memory());
    let first = keyring.back_up(&store, 1, 1).await.unwrap();
    replace(&store, object_path::REPO, |text| text.truncate(20)).await;
    let second = keyring.back_up(&store, 2, 1).await.unwrap();
    assert_eq!((second.repo, second.epoch), (first.repo, 2));
    assert_eq!(whole_backups(&store, &keyring.identities).await.len(), 2);
}
