//! Stores in folders.

use std::{os::unix::fs::PermissionsExt, process::Command, sync::Arc};

use backup::{
    catalogue,
    store::{Arrival, OpenError, Store, StoreError},
};
use object_store::memory::InMemory;
use outside::outbound::Outbound;

use crate::scratch::{Folder, Keyring, in_folder, memory, whole_backups};

#[tokio::test]
async fn a_folder_holds_backups() {
    let (_folder, root, store) = in_folder();
    let keyring = Keyring::new();
    assert!(
        catalogue::snapshots(&store)
            .await
            .unwrap()
            .snapshots
            .is_empty()
    );
    let first = keyring.back_up(&store, 1, 2).await.unwrap();
    let second = keyring.back_up(&store, 2, 3).await.unwrap();
    let found = whole_backups(&store, &keyring.identities).await;
    assert_eq!(found, [second, first]);
    assert!(root.join("v1/repo.json").is_file());
    assert!(root.join("v1/tools/restore.sh").is_file());
}

#[tokio::test]
async fn a_folder_creates_an_object_once() {
    let (_folder, _, store) = in_folder();
    store.put_new("v1/a/b", "one".into()).await.unwrap();
    store.put_new("v1/a/b", "one".into()).await.unwrap();
    let taken = store.put_new("v1/a/b", "two".into()).await.unwrap_err();
    assert!(matches!(taken, StoreError::Taken { .. }), "{taken}");
    assert_eq!(store.get("v1/a/b").await.unwrap(), "one");
    store
        .prove_create_only("v1/a/b", &"one".into())
        .await
        .unwrap();
    store.put_over("v1/a/b", "two".into()).await.unwrap();
    assert_eq!(store.get("v1/a/b").await.unwrap(), "two");
}

#[tokio::test]
async fn what_is_missing_is_said_to_be() {
    let (_folder, _, store) = in_folder();
    for store in [store, memory()] {
        assert_eq!(store.get_if_there("v1/x").await.unwrap(), None);
        assert_eq!(store.len_if_there("v1/x").await.unwrap(), None);
        assert_eq!(store.list("v1/x").await.unwrap(), []);
        assert_eq!(store.folders("v1/x").await.unwrap(), Vec::<String>::new());
        let missing = store.get("v1/x").await.unwrap_err();
        assert_eq!(missing.to_string(), "v1/x is missing");
    }
}

#[tokio::test]
async fn listings_name_paths_from_the_stores_root() {
    let (_folder, _, folder) = in_folder();
    let below = Store::new(Arc::new(InMemory::new()), "some/where", Arrival::Checked);
    for store in [folder, below] {
        for path in ["v1/runs/a/1", "v1/runs/b/1", "v1/runs/b/2", "v1/runsome"] {
            store.put_new(path, "x".into()).await.unwrap();
        }
        let paths = async |after: &str| {
            let listed = store.list_after("v1/runs", after).await.unwrap();
            let mut paths: Vec<_> = listed.into_iter().map(|object| object.path).collect();
            paths.sort_unstable();
            paths
        };
        assert_eq!(
            paths("").await,
            ["v1/runs/a/1", "v1/runs/b/1", "v1/runs/b/2"]
        );
        assert_eq!(paths("a/z").await, ["v1/runs/b/1", "v1/runs/b/2"]);
        assert_eq!(store.folders("v1/runs").await.unwrap(), ["a", "b"]);
        assert_eq!(store.len_if_there("v1/runs/a/1").await.unwrap(), Some(1));
    }
}

#[tokio::test]
async fn a_full_disk_is_told_as_such() {
    // The limit on a file's size fails a write as a full disk does, and needs
    // no disk of its own.
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "store::a_program_with_little_room", "--ignored"])
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && output.contains("1 passed"),
        "{output}"
    );
}

#[tokio::test]
#[ignore = "started by the test above, with a limit on the size of files"]
async fn a_program_with_little_room() {
    let (_folder, _, store) = in_folder();
    let full = store
        .put_new("v1/x", vec![7; 1_000_000].into())
        .await
        .unwrap_err();
    assert_eq!(
        full,
        StoreError::Full {
            path: "v1/x".into()
        }
    );
    assert_eq!(store.list("v1").await.unwrap(), []);
    store.put_new("v1/x", vec![7; 1_000].into()).await.unwrap();
}

#[tokio::test]
async fn a_file_where_a_folder_should_be_is_an_error_at_once() {
    let folder = Folder::new();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let url = url::Url::from_file_path(&file).unwrap();
    let opened = Store::open(url.as_str(), None, &Outbound::default());
    assert!(matches!(opened, Err(OpenError::Folder(_))), "{opened:?}");
}

#[test]
fn a_folder_that_is_missing_is_made_only_where_that_is_asked_for() {
    let folder = Folder::new();
    let missing = folder.path().join("not/mounted");
    let url = url::Url::from_file_path(&missing).unwrap();
    let error = Store::open(url.as_str(), None, &Outbound::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("there is no folder {}", missing.display())
    );
    assert!(!folder.path().join("not").exists());
    let made = Store::make(url.as_str(), None, &Outbound::default()).unwrap();
    assert_eq!(made.place(), missing.display().to_string());
    assert!(missing.is_dir());
}

#[test]
fn only_urls_of_stores_are_opened() {
    let check = |url: &str, expected: &str| {
        let error = Store::open(url, None, &Outbound::default()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{url}");
    };
    check("backups", "the store's URL cannot be read");
    check(
        "ftp://host/x",
        "the store's URL begins with neither file: nor s3:",
    );
    check(
        "s3://bucket/x?region=auto",
        "a bucket needs the id of a key and its secret",
    );
    check(
        "file://host/x",
        "the store's URL names no folder of this machine (file:///absolute/folder)",
    );
    check(
        "file:///x?a=b",
        "the store's URL names a folder and has more than a path",
    );
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_is_refused_in_words() {
    let (_folder, root, store) = in_folder();
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o500)).unwrap();
    let may_write_anyway = std::fs::write(root.join("probe"), "").is_ok();
    let put = store.put_new("v1/x", "x".into()).await;
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o700)).unwrap();
    if may_write_anyway {
        return;
    }
    assert!(matches!(put, Err(StoreError::Refused { .. })), "{put:?}");
}
