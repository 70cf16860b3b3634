//! Copies a repository to another store, and heals either from the other.
//!
//! What is copied is what inventories name, byte for byte, and each object is proven by its hash
//! before it is written: nothing that is damaged spreads. A commit record is copied last, so
//! that a backup is in the copy once all of it is there. Nothing is ever deleted there because
//! it is gone here: the copy has a retention of its own. Whoever is killed leaves a copy that
//! the next one goes on with.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use outside::clock::Deadline;

use super::{
    catalogue::{self, ReadError},
    format::{FormatError, Inventory, Repo, Snapshot, SnapshotName, Stored, object_path},
    store::{Listed, OpenError, Store, StoreError},
    tombstones::Doomed,
    verify::Fault,
};

/// How many objects are copied at once.
const COPIES: usize = 8;

/// The folders that no inventory names, and whose objects are written once: where the audit log
/// stood, who was erased, how the application is set up, which backups are kept by name, what was
/// written anew, and the receipts with what verifies them.
const BESIDE: [&str; 7] = [
    "v1/audit",
    "v1/erasures",
    "v1/app",
    object_path::PINS,
    object_path::KEYS,
    object_path::RECEIPTS,
    object_path::MENDED,
];

/// Why nothing can be copied.
#[derive(Debug, thiserror::Error)]
pub enum ReplicationError {
    /// A store does not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The other place cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// No backups are made.
    #[error("backups are not set up")]
    Unset,
    /// There is nothing to copy.
    #[error("there is no repository in {0}")]
    Absent(String),
    /// A description of a repository is not what it should be.
    #[error("{place}: {path}: {source}", path = object_path::REPO)]
    Format {
        /// Where it lies.
        place: String,
        /// What is wrong with it.
        source: FormatError,
    },
    /// The other place is another repository's.
    #[error("{0} holds another repository: a copy has a place of its own")]
    Another(String),
}

/// What was copied, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The backups that are in the copy since.
    pub copied: Vec<SnapshotName>,
    /// How many objects were copied for that.
    pub objects: u64,
    /// How many bytes those are.
    pub bytes: u64,
    /// The backups that the time was too short for, newest first.
    pub left: Vec<SnapshotName>,
    /// The backups that cannot be copied, each with the reason.
    pub hindered: Vec<(SnapshotName, String)>,
    /// When the newest backup of each place was taken: here, and in the copy.
    pub newest: (Option<Timestamp>, Option<Timestamp>),
}

impl Report {
    /// How much younger the newest backup here is than the newest in the copy, in seconds.
    #[must_use]
    pub fn lag_seconds(&self) -> Option<i64> {
        let (here, there) = self.newest;
        Some((here?.as_second() - there?.as_second()).max(0))
    }

    /// Whether everything that can be copied is.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.left.is_empty()
    }
}

/// Why one object, or one backup, is not copied.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    /// It cannot be read here, or is not what it should be.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The copy does not take it.
    #[error("the copy does not take it: {0}")]
    Write(StoreError),
}

/// Copies what the other place lacks, the newest backup first, until the deadline. `watch` is
/// told after each object.
///
/// # Errors
/// See [`ReplicationError`]. One backup that cannot be copied keeps no other from it.
pub async fn replicate(
    from: &Store,
    to: &Store,
    deadline: Deadline,
    watch: &mut (dyn FnMut(&Report) + Send),
) -> Result<Report, ReplicationError> {
    copy_description(from, to).await?;
    let mut report = Report::default();
    copy_beside(from, to, deadline, &mut report).await?;
    // One that was torn on its way is not as long as it should be.
    let there = records(to).await?;
    let here = records(from).await?.into_iter().rev();
    let missing: Vec<_> = here
        .filter(|(name, len)| there.get(name) != Some(len))
        .map(|(name, _)| name)
        .collect();
    let mut copying = Copying {
        from,
        to: to.reading_back(),
        there: HashMap::new(),
        doomed: Doomed::read(to).await?,
    };
    for name in missing {
        if deadline.has_passed() {
            report.left.push(name);
            continue;
        }
        match copying.backup(&name, deadline, &mut report, watch).await {
            Ok(true) => report.copied.push(name),
            Ok(false) => report.left.push(name),
            // The next one would meet the same.
            Err(CopyError::Write(error)) if !error.is_about_the_object() => {
                return Err(error.into());
            }
            Err(error) => report.hindered.push((name, error.to_string())),
        }
    }
    report.newest = (newest(from).await?, newest(to).await?);
    Ok(report)
}

/// Where the newest backup stands.
async fn newest(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let newest = catalogue::newest(store).await?;
    Ok(newest.map(|record| record.snapshot.taken_at))
}

/// The backups whose records lie there, with the lengths of those.
async fn records(store: &Store) -> Result<BTreeMap<SnapshotName, u64>, StoreError> {
    let listed = store.list(object_path::SNAPSHOTS).await?;
    let named = listed
        .into_iter()
        .filter_map(|object| Some((object_path::record_name(&object.path)?, object.len)));
    Ok(named.collect())
}

/// What all backups have in common. The only object that is written anew, when keys change.
async fn copy_description(from: &Store, to: &Store) -> Result<(), ReplicationError> {
    let text = from.get_if_there(object_path::REPO).await?;
    let text = text.ok_or_else(|| ReplicationError::Absent(from.place().to_owned()))?;
    let here = description(from, &text)?;
    match to.get_if_there(object_path::REPO).await? {
        None => to.reading_back().put_new(object_path::REPO, text).await?,
        Some(there) if there == text => {}
        Some(there) => match Repo::parse(&there) {
            Ok(there) if there.repo != here.repo => {
                return Err(ReplicationError::Another(to.place().to_owned()));
            }
            // Of another release, which must not be touched.
            Err(source @ FormatError::Version(_)) => {
                let place = to.place().to_owned();
                return Err(ReplicationError::Format { place, source });
            }
            Ok(_) | Err(_) => to.put_over(object_path::REPO, text).await?,
        },
    }
    Ok(())
}

fn description(store: &Store, text: &Bytes) -> Result<Repo, ReplicationError> {
    Repo::parse(text).map_err(|source| ReplicationError::Format {
        place: store.place().to_owned(),
        source,
    })
}

/// What lies beside the backups. No hash of it is known elsewhere, so it is taken as it is read,
/// and what is in the copy already stays.
async fn copy_beside(
    from: &Store,
    to: &Store,
    deadline: Deadline,
    report: &mut Report,
) -> Result<(), ReplicationError> {
    let reading_back = to.reading_back();
    for folder in BESIDE {
        let there = lengths(to.list(folder).await?);
        for Listed { path, len, .. } in from.list(folder).await? {
            if there.contains_key(&path) || deadline.has_passed() {
                continue;
            }
            let bytes = from.get(&path).await?;
            match reading_back.put_new(&path, bytes).await {
                Ok(()) => {
                    report.objects += 1;
                    report.bytes += len;
                }
                Err(StoreError::Taken { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// The folder in which an object is looked for: of a kind, in an epoch.
fn folder(path: &str) -> &str {
    let slashes = path.match_indices('/').map(|(at, _)| at);
    slashes.take(3).last().map_or(path, |at| &path[..at])
}

fn lengths(listed: Vec<Listed>) -> HashMap<String, u64> {
    listed
        .into_iter()
        .map(|Listed { path, len, .. }| (path, len))
        .collect()
}

/// From one store to the other.
struct Copying<'a> {
    from: &'a Store,
    to: Store,
    /// What is in the copy, by the folder that was listed: paths with lengths.
    there: HashMap<String, HashMap<String, u64>>,
    /// What a collection of the copy is going to delete: it is written anew, and stays then.
    doomed: Doomed,
}

impl Copying<'_> {
    /// Copies a backup; false where the time was too short.
    async fn backup(
        &mut self,
        name: &SnapshotName,
        deadline: Deadline,
        report: &mut Report,
        watch: &mut (dyn FnMut(&Report) + Send),
    ) -> Result<bool, CopyError> {
        let (record, snapshot) = record(self.from, name).await?;
        let inventory = catalogue::inventory(self.from, &snapshot).await?;
        let wanted = self.wanted(&inventory).await.map_err(CopyError::Write)?;
        // Made beforehand, because no compiler proves of a closure that it may be sent.
        let copies: Vec<_> = wanted
            .iter()
            .map(|stored| self.one(stored.clone(), deadline))
            .collect();
        let mut copies = stream::iter(copies).buffer_unordered(COPIES);
        let mut is_whole = true;
        while let Some(copied) = copies.next().await {
            match copied? {
                Some(bytes) => {
                    report.objects += 1;
                    report.bytes += bytes;
                    watch(report);
                }
                None => is_whole = false,
            }
        }
        drop(copies);
        if !is_whole {
            return Ok(false);
        }
        for Stored { path, len, .. } in wanted {
            let there = self.there.entry(folder(&path).to_owned()).or_default();
            there.insert(path, len);
        }
        copy(self.from, &self.to, &snapshot.inventory).await?;
        self.tools(&snapshot).await?;
        put(&self.to, &object_path::record(name), record).await?;
        Ok(true)
    }

    /// Copies an object; nothing where the time was too short.
    async fn one(&self, stored: Stored, deadline: Deadline) -> Result<Option<u64>, CopyError> {
        if deadline.has_passed() {
            return Ok(None);
        }
        let copied = if self.doomed.has(&stored.path) {
            renew(self.from, &self.to, &stored).await
        } else {
            copy(self.from, &self.to, &stored).await
        };
        copied.map(Some)
    }

    /// What the copy lacks of a backup, or will not have for long.
    async fn wanted(&mut self, inventory: &Inventory) -> Result<Vec<Stored>, StoreError> {
        let mut wanted = Vec::new();
        for stored in &inventory.objects {
            let folder = folder(&stored.path);
            if !self.there.contains_key(folder) {
                let listed = self.to.list(folder).await?;
                self.there.insert(folder.to_owned(), lengths(listed));
            }
            let is_there = self
                .there
                .get(folder)
                .is_some_and(|there| there.get(&stored.path) == Some(&stored.len));
            if !is_there || self.doomed.has(&stored.path) {
                wanted.push(stored.clone());
            }
        }
        Ok(wanted)
    }

    /// What restores without this program. A later backup may have replaced it here.
    async fn tools(&self, snapshot: &Snapshot) -> Result<(), CopyError> {
        for tool in &snapshot.tools {
            let Ok(bytes) = catalogue::exactly(self.from, tool).await else {
                continue;
            };
            let there = self
                .to
                .get_if_there(&tool.path)
                .await
                .map_err(CopyError::Write)?;
            if there.as_ref() != Some(&bytes) {
                self.to
                    .put_over(&tool.path, bytes)
                    .await
                    .map_err(CopyError::Write)?;
            }
        }
        Ok(())
    }
}

/// A commit record as it lies there, and what it says.
async fn record(store: &Store, name: &SnapshotName) -> Result<(Bytes, Snapshot), ReadError> {
    let path = object_path::record(name);
    let text = store.get(&path).await?;
    let snapshot = catalogue::read_record(&path, &text, name)?;
    Ok((text, snapshot))
}

/// Writes an object over what is there, so that it is as young as now.
async fn renew(from: &Store, to: &Store, stored: &Stored) -> Result<u64, CopyError> {
    let bytes = catalogue::exactly(from, stored).await?;
    let written = to.put_over(&stored.path, bytes).await;
    written.map(|()| stored.len).map_err(CopyError::Write)
}

/// Copies an object that is what it should be. What lies in its place and is something else was
/// torn or has decayed.
async fn copy(from: &Store, to: &Store, stored: &Stored) -> Result<u64, CopyError> {
    let bytes = catalogue::exactly(from, stored).await?;
    put(to, &stored.path, bytes).await?;
    Ok(stored.len)
}

/// Writes an object, over what lies in its place if that is something else.
async fn put(to: &Store, path: &str, bytes: Bytes) -> Result<(), CopyError> {
    let written = match to.put_new(path, bytes.clone()).await {
        Err(StoreError::Taken { .. }) => to.put_over(path, bytes).await,
        other => other,
    };
    written.map_err(CopyError::Write)
}

/// What was mended of a backup, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healed {
    /// How many objects were looked at.
    pub checked: u64,
    /// The objects that were written anew.
    pub healed: Vec<String>,
    /// What is still wrong.
    pub faults: Vec<Fault>,
}

/// Reads every object of a backup and writes those that are damaged anew, from a copy in which
/// they are whole. `watch` is told after each.
///
/// # Errors
/// If neither place says what the backup consists of.
pub async fn heal(
    damaged: &Store,
    whole: &Store,
    name: &SnapshotName,
    watch: &mut (dyn FnMut(&Healed) + Send),
) -> Result<Healed, ReadError> {
    let mut healed = Healed::default();
    let path = object_path::record(name);
    let snapshot = match record(damaged, name).await {
        Ok((_, snapshot)) => snapshot,
        Err(error) if error.is_damage() => {
            let snapshot = mend_record(damaged, whole, name).await?;
            healed.healed.push(path);
            snapshot
        }
        Err(error) => return Err(error),
    };
    mend(damaged, whole, &snapshot.inventory, &mut healed).await;
    let inventory = catalogue::inventory(damaged, &snapshot).await?;
    let looks: Vec<_> = inventory
        .objects
        .into_iter()
        .map(|stored| mended(damaged, whole, stored))
        .collect();
    let mut looks = stream::iter(looks).buffer_unordered(COPIES);
    while let Some(one) = looks.next().await {
        healed.checked += one.checked;
        healed.healed.extend(one.healed);
        healed.faults.extend(one.faults);
        watch(&healed);
    }
    Ok(healed)
}

/// Writes a commit record anew, as the other place has it.
pub(super) async fn mend_record(
    damaged: &Store,
    whole: &Store,
    name: &SnapshotName,
) -> Result<Snapshot, ReadError> {
    let (text, snapshot) = record(whole, name).await?;
    damaged.put_over(&object_path::record(name), text).await?;
    Ok(snapshot)
}

async fn mended(damaged: &Store, whole: &Store, stored: Stored) -> Healed {
    let mut healed = Healed::default();
    mend(damaged, whole, &stored, &mut healed).await;
    healed
}

/// Looks at an object, and writes it anew where it is damaged and the other place has it whole.
pub(super) async fn mend(damaged: &Store, whole: &Store, stored: &Stored, healed: &mut Healed) {
    healed.checked += 1;
    let fault = |what: String, is_damage| Fault {
        path: stored.path.clone(),
        what,
        is_damage,
    };
    let Err(error) = catalogue::exactly(damaged, stored).await else {
        return;
    };
    if !error.is_damage() {
        healed.faults.push(fault(error.what(), false));
        return;
    }
    match catalogue::exactly(whole, stored).await {
        Ok(bytes) => match damaged.put_over(&stored.path, bytes).await {
            Ok(()) => healed.healed.push(stored.path.clone()),
            Err(refused) => healed.faults.push(fault(refused.what(), true)),
        },
        Err(other) => {
            let what = format!("{}, and in the other place: {}", error.what(), other.what());
            healed.faults.push(fault(what, true));
        }
    }
}
