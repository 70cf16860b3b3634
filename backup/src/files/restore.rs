//! Files into a project's Storage again: buckets, then contents by the API, then their rows, which
//! the API writes as if they had been uploaded today by nobody.
//!
//! It changes nothing that is as it should be already, so that it goes on where it broke off.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use outside::database;
use reqwest::Body;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};
use tokio_postgres::Client;

use super::{NewBucket, OpenedFiles, Served, StorageApi, StorageError, opened::by_first_piece};
use crate::{
    catalogue::ReadError,
    format::{Bucket, Content, FileRow, FileState, Likeness, Listing},
    pinned_session::in_words,
};

/// How many pieces are worked on at once.
const AT_ONCE: usize = 3;

/// How long moving one file may take.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How many rows are repaired at once.
const ROWS: usize = 200;

/// Why files cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreFilesError {
    /// The backup cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Storage does not do what it is asked for.
    #[error("{what}: {source}")]
    Storage {
        /// What it was asked for.
        what: String,
        /// Why not.
        source: StorageError,
    },
    /// The database does not.
    #[error("the database refused: {0}")]
    Database(String),
    /// The database is not the one behind the project's URL.
    #[error(
        "the database is not the project's: it has the buckets {database:?}, and the project's Storage has {storage:?}"
    )]
    Strangers {
        /// The buckets that the database knows.
        database: BTreeSet<String>,
        /// Those that Storage knows.
        storage: BTreeSet<String>,
    },
}

impl From<tokio_postgres::Error> for RestoreFilesError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(in_words(&error))
    }
}

/// Where files go.
#[derive(Debug)]
pub struct Target<'a> {
    /// The project's Storage.
    pub api: &'a StorageApi,
    /// The session URL of the project's database.
    pub database: &'a SecretString,
    /// The root that signed its certificate: PEM text or a path.
    pub ca: Option<&'a str>,
}

/// A file that was not restored, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Its bucket.
    pub bucket: String,
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What was done.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoredFiles {
    /// Buckets that were made.
    pub buckets_made: Vec<String>,
    /// Files that were uploaded, read back and found equal.
    pub uploaded: u64,
    /// Those in bytes.
    pub uploaded_bytes: u64,
    /// Files that were there already, with the same hash.
    pub already_there: u64,
    /// Files of people who were erased since the backup, which are not there.
    pub left_out: u64,
    /// Files that the backup has in a state after its snapshot.
    pub newer: u64,
    /// Files whose content the backup does not have.
    pub not_in_backup: u64,
    /// Files that were not restored.
    pub refused: Vec<Refused>,
    /// Whether rows have their old times as well.
    pub kept_times: bool,
}

/// Restores every file, but those of `erased` people. `watch` is told how many are done.
///
/// # Errors
/// See [`RestoreFilesError`]; that one file is refused is none.
pub async fn restore(
    files: &OpenedFiles<'_>,
    target: &Target<'_>,
    erased: &BTreeSet<String>,
    watch: &(dyn Fn(u64) + Sync),
) -> Result<RestoredFiles, RestoreFilesError> {
    let listing = files.listing().await?;
    let client = database::connect(target.database, target.ca).await;
    let client = client.map_err(|error| RestoreFilesError::Database(error.to_string()))?;
    let mut restored = RestoredFiles {
        buckets_made: make_buckets(&listing.buckets, target.api, &client).await?,
        kept_times: true,
        ..RestoredFiles::default()
    };
    let chosen = choose(&listing, erased, &mut restored);
    leave_out(&listing, erased, target.api, &client).await?;
    let work = Work {
        files,
        api: target.api,
        client: Mutex::new(client),
        watch,
    };
    let groups = by_first_piece(chosen.iter().map(|(_, content)| *content));
    let mut ended = stream::iter(groups)
        .map(|group| {
            let members: Vec<_> = group.into_iter().map(|nth| chosen[nth]).collect();
            work.restore_group(members)
        })
        .buffer_unordered(AT_ONCE);
    while let Some(group) = ended.next().await {
        let group = group?;
        restored.uploaded += group.uploaded;
        restored.uploaded_bytes += group.uploaded_bytes;
        restored.already_there += group.already_there;
        restored.refused.extend(group.refused);
        restored.kept_times &= group.kept_times;
    }
    Ok(restored)
}

/// The files that are restored, with their contents; the others are counted.
fn choose<'l>(
    listing: &'l Listing,
    erased: &BTreeSet<String>,
    restored: &mut RestoredFiles,
) -> Vec<(&'l FileRow, &'l Content)> {
    let mut chosen = Vec::new();
    for (row, state) in &listing.files {
        match state {
            _ if is_of(row, erased) => restored.left_out += 1,
            FileState::Kept(content, likeness) => {
                restored.newer += u64::from(*likeness == Likeness::Newer);
                chosen.push((row, content));
            }
            FileState::Waiting
            | FileState::Begun(_)
            | FileState::Failed
            | FileState::Gone
            | FileState::Missing => restored.not_in_backup += 1,
        }
    }
    chosen
}

/// Whether a file belongs to one of these people.
fn is_of(row: &FileRow, people: &BTreeSet<String>) -> bool {
    if people.is_empty() {
        return false;
    }
    let document: Value = serde_json::from_str(&row.row).unwrap_or_default();
    ["owner", "owner_id"]
        .into_iter()
        .filter_map(|field| document[field].as_str())
        .any(|owner| people.contains(owner))
}

/// Makes the buckets that are missing, once it is sure that database and Storage are one project.
async fn make_buckets(
    buckets: &[Bucket],
    api: &StorageApi,
    client: &Client,
) -> Result<Vec<String>, RestoreFilesError> {
    let there = same_buckets(api, client).await?;
    let mut made = Vec::new();
    for bucket in buckets {
        if there.contains(&bucket.id) {
            continue;
        }
        let making = api.make_bucket(&new_bucket(bucket)).await;
        making.map_err(|source| RestoreFilesError::Storage {
            what: format!("the bucket {} cannot be made", bucket.id),
            source,
        })?;
        made.push(bucket.id.clone());
    }
    if !made.is_empty() {
        same_buckets(api, client).await?;
    }
    Ok(made)
}

/// The buckets that database and Storage both know.
async fn same_buckets(
    api: &StorageApi,
    client: &Client,
) -> Result<BTreeSet<String>, RestoreFilesError> {
    let listed = api.buckets().await;
    let listed = listed.map_err(|source| RestoreFilesError::Storage {
        what: "the buckets cannot be listed".to_owned(),
        source,
    })?;
    let storage: BTreeSet<String> = listed.into_iter().collect();
    let rows = client.query("select id from storage.buckets", &[]).await?;
    let database: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    if database == storage {
        Ok(storage)
    } else {
        Err(RestoreFilesError::Strangers { database, storage })
    }
}

fn new_bucket(bucket: &Bucket) -> NewBucket {
    let row: Value = serde_json::from_str(&bucket.row).unwrap_or_default();
    let types = row["allowed_mime_types"].as_array().map(|types| {
        let words = types.iter().filter_map(Value::as_str);
        words.map(str::to_owned).collect()
    });
    NewBucket {
        id: bucket.id.clone(),
        name: row["name"].as_str().unwrap_or(&bucket.id).to_owned(),
        public: row["public"].as_bool().unwrap_or(false),
        file_size_limit: row["file_size_limit"].as_u64(),
        allowed_mime_types: types,
    }
}

/// Deletes what an earlier restore has brought of people who are erased.
async fn leave_out(
    listing: &Listing,
    erased: &BTreeSet<String>,
    api: &StorageApi,
    client: &Client,
) -> Result<(), RestoreFilesError> {
    if erased.is_empty() {
        return Ok(());
    }
    let people: Vec<&str> = erased.iter().map(String::as_str).collect();
    let owned = "select bucket_id, name from storage.objects
        where owner_id = any ($1) or owner::text = any ($1)";
    let mut gone: BTreeSet<(String, String)> = BTreeSet::new();
    for row in client.query(owned, &[&people]).await? {
        gone.insert((row.get(0), row.get(1)));
    }
    let theirs = listing.files.iter().filter(|(row, _)| is_of(row, erased));
    gone.extend(theirs.map(|(row, _)| (row.bucket.clone(), row.name.clone())));
    for (bucket, name) in gone {
        let deleting = api.delete(&bucket, std::slice::from_ref(&name)).await;
        deleting.map_err(|source| RestoreFilesError::Storage {
            what: "a file of somebody who was erased cannot be deleted".to_owned(),
            source,
        })?;
    }
    Ok(())
}

/// What restores files.
struct Work<'a> {
    files: &'a OpenedFiles<'a>,
    api: &'a StorageApi,
    client: Mutex<Client>,
    watch: &'a (dyn Fn(u64) + Sync),
}

/// What came of one file.
enum Outcome {
    Uploaded,
    AlreadyThere,
    Refused(String),
}

impl Work<'_> {
    /// Restores files whose content begins in the same piece.
    async fn restore_group(
        &self,
        members: Vec<(&FileRow, &Content)>,
    ) -> Result<RestoredFiles, RestoreFilesError> {
        let mut group = RestoredFiles {
            kept_times: true,
            ..RestoredFiles::default()
        };
        let mut piece: Option<Bytes> = None;
        let mut repaired: Vec<&FileRow> = Vec::new();
        for (row, content) in members {
            match self.restore_file(row, content, &mut piece).await? {
                Outcome::Uploaded => {
                    group.uploaded += 1;
                    group.uploaded_bytes += content.size;
                    repaired.push(row);
                }
                Outcome::AlreadyThere => {
                    group.already_there += 1;
                    repaired.push(row);
                }
                Outcome::Refused(reason) => group.refused.push(Refused {
                    bucket: row.bucket.clone(),
                    name: row.name.clone(),
                    reason,
                }),
            }
            (self.watch)(1);
        }
        for rows in repaired.chunks(ROWS) {
            group.kept_times &= self.repair(rows).await?;
        }
        Ok(group)
    }

    async fn restore_file(
        &self,
        row: &FileRow,
        content: &Content,
        piece: &mut Option<Bytes>,
    ) -> Result<Outcome, RestoreFilesError> {
        match self.api.look(&row.bucket, &row.name).await {
            Ok(Some(there)) if is_its_hash(row, content, &there) => {
                return Ok(Outcome::AlreadyThere);
            }
            Ok(_) => {}
            Err(error) => return refused(error),
        }
        let uploading = match &content.pieces[..] {
            [] => self.upload(row, Body::from(Bytes::new()), 0).await,
            [only] => {
                if piece.is_none() {
                    *piece = Some(self.files.piece(&only.name, only.raw_len).await?);
                }
                let within = piece
                    .as_ref()
                    .and_then(|piece| self.files.within(content, piece));
                let Some(bytes) = within else {
                    let reason = "its content is not the one in the backup's listing";
                    return Ok(Outcome::Refused(reason.to_owned()));
                };
                self.upload(row, Body::from(bytes), content.size).await
            }
            [_, _, ..] => self.upload_pieces(row, content).await?,
        };
        match uploading {
            Ok(()) => {}
            Err(error) => return refused(error),
        }
        match self.reads_back(row, content).await {
            Ok(true) => Ok(Outcome::Uploaded),
            Ok(false) => Ok(Outcome::Refused(
                "what was uploaded is not what is there".to_owned(),
            )),
            Err(error) => refused(error),
        }
    }

    async fn upload(&self, row: &FileRow, body: Body, length: u64) -> Result<(), StorageError> {
        let document: Value = serde_json::from_str(&row.row).unwrap_or_default();
        let word = |name: &str| document["metadata"][name].as_str().map(str::to_owned);
        let served = Served {
            mimetype: word("mimetype"),
            cache_control: word("cacheControl"),
        };
        let name = (row.bucket.as_str(), row.name.as_str());
        let writing = self.api.write(name, &served, (body, length), LONGEST);
        writing.await
    }

    /// Uploads a content piece by piece, one of which is in memory at a time.
    async fn upload_pieces(
        &self,
        row: &FileRow,
        content: &Content,
    ) -> Result<Result<(), StorageError>, RestoreFilesError> {
        let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
        let frames = stream::unfold(receiver, async |mut receiver| {
            let next = receiver.recv().await?;
            Some((next.map(Frame::data), receiver))
        });
        let body = Body::wrap(StreamBody::new(frames));
        let feeding = async move {
            for piece in &content.pieces {
                match self.files.piece(&piece.name, piece.raw_len).await {
                    // Nobody listens any more once the upload has ended.
                    Ok(bytes) => {
                        if sender.send(Ok(bytes)).await.is_err() {
                            return Ok(());
                        }
                    }
                    Err(error) => {
                        let broken = std::io::Error::other("the backup cannot be read");
                        let _nobody_listens = sender.send(Err(broken)).await;
                        return Err(error);
                    }
                }
            }
            Ok(())
        };
        let (uploaded, fed) = tokio::join!(self.upload(row, body, content.size), feeding);
        fed?;
        Ok(uploaded)
    }

    /// Whether what is there now is the content.
    async fn reads_back(&self, row: &FileRow, content: &Content) -> Result<bool, StorageError> {
        let mut incoming = self.api.read(&row.bucket, &row.name, LONGEST).await?;
        let mut comparison = self.files.comparison(content);
        while let Some(part) = incoming.next().await? {
            comparison.update(&part);
        }
        Ok(comparison.is_equal())
    }

    /// Gives rows their ids, owners and times; false if their times were not to be had.
    async fn repair(&self, rows: &[&FileRow]) -> Result<bool, RestoreFilesError> {
        let documents: Vec<Value> = rows
            .iter()
            .filter_map(|row| serde_json::from_str(&row.row).ok())
            .collect();
        let documents = Value::Array(documents).to_string();
        let mut client = self.client.lock().await;
        let transaction = client.transaction().await?;
        // A trigger of the platform sets the time of the last change, unless the role may say
        // that none fires.
        let silence = "savepoint silence; set local session_replication_role to replica";
        if transaction.batch_execute(silence).await.is_err() {
            let back = "rollback to savepoint silence";
            transaction.batch_execute(back).await?;
        }
        let kept_times = transaction.query_one(REPAIR, &[&documents]).await?.get(0);
        transaction.commit().await?;
        Ok(kept_times)
    }
}

/// What the API has written, as it was. The version stays: the file lies under it.
const REPAIR: &str = "
with repaired as (
    update storage.objects as stored
    set id = case
            when exists (select from storage.objects as other where other.id = (one ->> 'id')::uuid)
            then stored.id
            else (one ->> 'id')::uuid
        end,
        owner = (one ->> 'owner')::uuid,
        owner_id = one ->> 'owner_id',
        created_at = (one ->> 'created_at')::timestamptz,
        updated_at = (one ->> 'updated_at')::timestamptz,
        user_metadata = nullif(one -> 'user_metadata', 'null')
    from jsonb_array_elements($1::text::jsonb) as given (one)
    where stored.bucket_id = one ->> 'bucket_id' and stored.name = one ->> 'name'
    returning stored.updated_at is not distinct from (one ->> 'updated_at')::timestamptz as kept
)
select coalesce(bool_and(kept), true) from repaired";

/// Whether what is there has the hash that the row names.
fn is_its_hash(row: &FileRow, content: &Content, there: &super::storage_api::There) -> bool {
    let bare = |tag: &str| tag.trim_matches('"').to_owned();
    let is_hash = |tag: &String| tag.len() == 32 && tag.bytes().all(|b| b.is_ascii_hexdigit());
    let named = row.tag.as_deref().map(bare).filter(is_hash);
    let has = there.tag.as_deref().map(bare);
    there.size == Some(content.size)
        && row.size == Some(content.size)
        && named.is_some()
        && named == has
}

/// That Storage does not serve ends everything; what it refuses is one file's.
fn refused(error: StorageError) -> Result<Outcome, RestoreFilesError> {
    match error {
        StorageError::Away(_) => Err(RestoreFilesError::Storage {
            what: "files cannot be restored".to_owned(),
            source: error,
        }),
        StorageError::Absent | StorageError::Nameless | StorageError::Refused { .. } => {
            Ok(Outcome::Refused(error.to_string()))
        }
    }
}
