//! What a store does, tried with an object of its own: whether it creates only, whether what
//! was written is there at once, and whether the key that writes may overwrite and delete.
//!
//! What backups rest on has to hold. That our own key may overwrite or delete is no fault of the
//! store, and is what a thief of the key can do: a bucket's lock or a key without that right
//! keeps them from it.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use object_store::{ObjectStoreExt, PutMode};
use outside::clock;
use serde::Serialize;
use uuid::Uuid;

use super::{Deletion, Store, StoreError, attempts::in_words};

/// The folder of trials, in which no backup lies.
const FOLDER: &str = "v1/trials";

/// How far the store's clock may be from ours: what is locked for a time is locked by its own.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An object that is there is not created again.
    CreateOnly,
    /// An object is read as it was written, at once.
    ReadAfterWrite,
    /// It is in a listing, at once.
    ListAfterWrite,
    /// The store's clock is ours.
    Clock,
    /// Our key may not write over it.
    OverwriteRefused,
    /// Our key may not delete it.
    DeleteRefused,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is so.
    Good,
    /// It is not so, and a thief of the key can do harm. Backups can be made.
    Open,
    /// It is not so, and backups there are not safe.
    Bad,
    /// It could not be tried.
    Unknown,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// What.
    pub what: What,
    /// What came of it.
    pub outcome: Outcome,
    /// What the store did or said.
    pub seen: String,
}

/// A trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// When.
    pub at: Timestamp,
    /// What was tried, in order.
    pub tried: Vec<Tried>,
    /// The object that is left there, because it cannot be deleted.
    pub left: Option<String>,
}

impl What {
    /// In words, as a promise.
    #[must_use]
    pub fn promise(self) -> &'static str {
        match self {
            Self::CreateOnly => "creates only what is not there",
            Self::ReadAfterWrite => "reads what was just written",
            Self::ListAfterWrite => "lists what was just written",
            Self::Clock => "has our time",
            Self::OverwriteRefused => "refuses our key to overwrite",
            Self::DeleteRefused => "refuses our key to delete",
        }
    }
}

impl Outcome {
    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "yes",
            Self::Open => "no",
            Self::Bad => "NO",
            Self::Unknown => "unknown",
        }
    }
}

impl Trial {
    /// Whether backups can be kept there.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self
            .tried
            .iter()
            .any(|tried| matches!(tried.outcome, Outcome::Bad | Outcome::Unknown))
    }
}

/// Tries a store.
///
/// # Errors
/// If nothing can be written there at all.
pub async fn run(store: &Store) -> Result<Trial, StoreError> {
    let at = clock::now();
    let path = format!("{FOLDER}/{}", Uuid::new_v4());
    let first = Bytes::from(format!("a trial of {at}"));
    store.put_new(&path, first.clone()).await?;
    let mut tried = vec![
        read(store, &path, &first).await,
        list(store, &path).await,
        time(store, &path).await,
        create(store, &path, &first).await,
        overwrite(store, &path, &first).await,
    ];
    let delete = delete(store, &path).await;
    let left = match store.get_if_there(&path).await {
        Ok(None) => None,
        Ok(Some(_)) | Err(_) => Some(path),
    };
    tried.push(delete);
    Ok(Trial { at, tried, left })
}

fn good(what: What, seen: impl Into<String>) -> Tried {
    Tried {
        what,
        outcome: Outcome::Good,
        seen: seen.into(),
    }
}

fn bad(what: What, seen: impl Into<String>) -> Tried {
    Tried {
        outcome: Outcome::Bad,
        ..good(what, seen)
    }
}

fn unknown(what: What, error: &StoreError) -> Tried {
    Tried {
        outcome: Outcome::Unknown,
        ..good(what, error.to_string())
    }
}

async fn read(store: &Store, path: &str, written: &Bytes) -> Tried {
    let what = What::ReadAfterWrite;
    match store.get_if_there(path).await {
        Ok(Some(there)) if there == *written => good(what, "the same bytes"),
        Ok(Some(_)) => bad(what, "other bytes"),
        Ok(None) => bad(what, "nothing is there"),
        Err(error) => unknown(what, &error),
    }
}

async fn list(store: &Store, path: &str) -> Tried {
    let what = What::ListAfterWrite;
    match store.list(FOLDER).await {
        Ok(listed) if listed.iter().any(|object| object.path == path) => good(what, "it is listed"),
        Ok(_) => bad(what, "it is not listed"),
        Err(error) => unknown(what, &error),
    }
}

async fn time(store: &Store, path: &str) -> Tried {
    let what = What::Clock;
    let there = match store.objects.head(&store.location(path)).await {
        Ok(object) => object.last_modified.timestamp(),
        Err(error) => {
            return Tried {
                outcome: Outcome::Unknown,
                ..good(what, in_words(&error))
            };
        }
    };
    let apart = there - clock::now().as_second();
    let seen = match apart {
        0 => "to the second".to_owned(),
        apart if apart > 0 => format!("it is {apart} s ahead"),
        apart => format!("it is {} s behind", -apart),
    };
    if apart.abs() <= SKEW.as_secs() {
        good(what, seen)
    } else {
        bad(what, seen)
    }
}

async fn create(store: &Store, path: &str, first: &Bytes) -> Tried {
    let what = What::CreateOnly;
    let other = Bytes::from_static(b"something else");
    match store.prove_create_only(path, &other).await {
        Ok(()) => match store.get_if_there(path).await {
            Ok(Some(there)) if there == *first => good(what, "the second one was refused"),
            Ok(_) => bad(
                what,
                "the second one was refused, and the first is not there any more",
            ),
            Err(error) => unknown(what, &error),
        },
        Err(error @ (StoreError::Overwrites | StoreError::CannotCreate)) => {
            bad(what, error.to_string())
        }
        Err(error) => unknown(what, &error),
    }
}

async fn overwrite(store: &Store, path: &str, first: &Bytes) -> Tried {
    let what = What::OverwriteRefused;
    let other = Bytes::from_static(b"written over");
    let answered = store.put(path, &other, PutMode::Overwrite).await;
    let there = match store.get_if_there(path).await {
        Ok(there) => there,
        Err(error) => return unknown(what, &error),
    };
    match answered {
        Err(error) if there.as_ref() == Some(first) => good(what, in_words(&error)),
        Ok(()) if there.as_ref() == Some(first) => {
            good(what, "it was acknowledged, and the first bytes are there")
        }
        _ => Tried {
            outcome: Outcome::Open,
            ..good(
                what,
                "it was written over; a bucket with versions keeps the first",
            )
        },
    }
}

async fn delete(store: &Store, path: &str) -> Tried {
    let what = What::DeleteRefused;
    let (outcome, seen) = match store.try_deletion(path).await {
        Ok(Deletion::Refused) => (Outcome::Good, "the object is there as before"),
        Ok(Deletion::Hidden) => (
            Outcome::Open,
            "it lies behind a mark, and its version is still there",
        ),
        Ok(Deletion::Gone) => (Outcome::Open, "it is gone"),
        Err(error) => return unknown(what, &error),
    };
    Tried {
        outcome,
        ..good(what, seen)
    }
}
