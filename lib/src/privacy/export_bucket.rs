//! Where exports lie until they are fetched: a private bucket of the project's own Storage, where
//! the person's data are already. It is made with the first export, and read by signed URLs alone.

use std::time::Duration;

use backup::files::{HANDED_OUT, NewBucket, Served, StorageApi, StorageError};
use bytes::Bytes;
use uuid::Uuid;

/// How long a signed URL works: whoever is sent there goes at once.
const SIGNED: Duration = Duration::from_secs(300);

/// The name under which a browser keeps it.
const SAVED_AS: &str = "your-data.zip";

/// Puts a file there, and makes the bucket where it is missing.
pub(super) async fn put(
    storage: &StorageApi,
    export: Uuid,
    zip: Bytes,
    within: Duration,
) -> Result<(), StorageError> {
    let bucket = NewBucket {
        id: HANDED_OUT.to_owned(),
        name: HANDED_OUT.to_owned(),
        public: false,
        file_size_limit: None,
        allowed_mime_types: None,
    };
    match storage.make_bucket(&bucket).await {
        // It is there.
        Ok(()) | Err(StorageError::Refused { status: 409, .. }) => {}
        Err(error) => return Err(error),
    }
    let served = Served {
        mimetype: Some("application/zip".to_owned()),
        cache_control: Some("no-store".to_owned()),
    };
    let length = zip.len() as u64;
    let name = name(export);
    let body = (zip.into(), length);
    storage
        .write((HANDED_OUT, &name), &served, body, within)
        .await
}

/// A URL at which anybody can fetch the file for some minutes.
pub(super) async fn sign(storage: &StorageApi, export: Uuid) -> Result<String, StorageError> {
    let url = storage.sign((HANDED_OUT, &name(export)), SIGNED).await?;
    Ok(format!("{url}&download={SAVED_AS}"))
}

/// Deletes a file. One that is not there is gone.
pub(super) async fn remove(storage: &StorageApi, export: Uuid) -> Result<(), StorageError> {
    match storage.delete(HANDED_OUT, &[name(export)]).await {
        // Nor is the bucket.
        Err(StorageError::Absent) => Ok(()),
        other => other,
    }
}

fn name(export: Uuid) -> String {
    format!("{export}.zip")
}
