//! A project's Storage, with files in it.

use std::{sync::Arc, time::Duration};

use backup::files::{NewBucket, Served, StorageApi};

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn storage(url: &str, key: &str) -> StorageApi {
    StorageApi::new(Arc::default(), url.parse().unwrap(), key.to_owned().into())
}

/// Makes the bucket `photos` with these files, each of which says where it is.
pub(crate) async fn fill(storage: &StorageApi, names: &[&str]) {
    let bucket = NewBucket {
        id: "photos".to_owned(),
        name: "photos".to_owned(),
        public: false,
        file_size_limit: None,
        allowed_mime_types: None,
    };
    storage.make_bucket(&bucket).await.unwrap();
    for name in names {
        let content = content(name);
        let length = content.len() as u64;
        let body = (content.into(), length);
        let served = Served::default();
        let written = storage.write(("photos", name), &served, body, PATIENCE);
        written.await.unwrap();
    }
}

/// What is in the file of that name that [`fill`] made.
pub(crate) fn content(name: &str) -> String {
    format!("what is in {name}")
}

pub(crate) async fn read(storage: &StorageApi, name: &str) -> String {
    let mut incoming = storage.read("photos", name, PATIENCE).await.unwrap();
    let mut content = Vec::new();
    while let Some(part) = incoming.next().await.unwrap() {
        content.extend(part);
    }
    String::from_utf8(content).unwrap()
}
