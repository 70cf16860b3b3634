//! Who was erased, beside the backups that still hold them: one sealed object each, written
//! once, which a restore of an older backup has to follow.
//!
//! Nobody who reads the store learns who left, and whoever can restore can also read whom to
//! leave out. The name of an object tells the time alone.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    keys::{Identities, Recipients},
    sealed_object::{self, ENDING, SealedObjectError},
    store::Store,
};

const FOLDER: &str = "v1/erasures";
const FORMAT: u32 = 1;

/// The most that one is, opened, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Why an erasure cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The store would not, or it cannot be sealed or opened.
    #[error(transparent)]
    Object(#[from] SealedObjectError),
    /// It is none that this build can read.
    #[error("{0} is not an erasure that this build can read")]
    Unreadable(String),
}

/// That somebody is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Erasure {
    format: u32,
    /// Its own number.
    pub id: Uuid,
    /// The number of the user.
    pub user: Uuid,
    /// The keyed hash under which the database knows who was erased.
    pub subject: String,
    /// When it was decided, before anything was erased.
    pub decided_at: Timestamp,
    /// Tables whose rows go although their keys would keep them, as `schema.table`.
    pub delete: Vec<String>,
}

impl Erasure {
    /// The erasure of a user.
    #[must_use]
    pub fn of(user: Uuid, subject: String, decided_at: Timestamp, delete: Vec<String>) -> Self {
        Self {
            format: FORMAT,
            id: Uuid::new_v4(),
            user,
            subject,
            decided_at,
            delete,
        }
    }

    /// Where it lies in the store.
    #[must_use]
    pub fn path(&self) -> String {
        let time = self.decided_at.strftime("%Y%m%dT%H%M%SZ");
        format!("{FOLDER}/{time}-{}.json{ENDING}", self.id)
    }

    /// Seals it and writes it.
    pub async fn write(&self, store: &Store, recipients: &Recipients) -> Result<(), ErasureError> {
        let plaintext = Bytes::from(serde_json::to_vec(self).unwrap_or_default());
        sealed_object::write(store, &self.path(), plaintext, recipients).await?;
        Ok(())
    }
}

/// Every erasure that was decided at that time or later, oldest first. One that cannot be read
/// fails all: nobody would know whom to leave out.
pub async fn since(
    store: &Store,
    time: Timestamp,
    identities: &Identities,
) -> Result<Vec<Erasure>, ErasureError> {
    let objects = store.list(FOLDER).await.map_err(SealedObjectError::from)?;
    let mut erasures = Vec::new();
    for object in objects {
        let erasure = read(store, object.path, identities).await?;
        if erasure.decided_at >= time {
            erasures.push(erasure);
        }
    }
    erasures.sort_by_key(|erasure| erasure.decided_at);
    Ok(erasures)
}

async fn read(
    store: &Store,
    path: String,
    identities: &Identities,
) -> Result<Erasure, ErasureError> {
    let opened = sealed_object::read(store, &path, identities, LARGEST).await?;
    let erasure = opened.and_then(|opened| serde_json::from_slice::<Erasure>(&opened).ok());
    erasure
        .filter(|erasure| erasure.format == FORMAT)
        .ok_or(ErasureError::Unreadable(path))
}
