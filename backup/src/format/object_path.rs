//! Where things lie in the store.

use crate::hex;

use super::SnapshotName;

/// What all backups have in common.
pub const REPO: &str = "v1/repo.json";

/// The folder of commit records.
pub const SNAPSHOTS: &str = "v1/snap";

/// The folder of what unfinished runs stored.
pub const RUNS: &str = "v1/runs";

/// The sealed rows or script of this name.
#[must_use]
pub fn segment(epoch: u32, name: &str) -> String {
    format!("{}/{}/{name}.zst.age", segments(epoch), aa(name))
}

/// The folder of an epoch's segments.
#[must_use]
pub fn segments(epoch: u32) -> String {
    format!("v1/seg/{epoch}")
}

/// The name within a segment's path.
#[must_use]
pub fn segment_name(epoch: u32, path: &str) -> Option<&str> {
    let (_, file) = path.rsplit_once('/')?;
    let name = file.strip_suffix(".zst.age")?;
    (path == segment(epoch, name)).then_some(name)
}

/// A sealed manifest.
#[must_use]
pub fn manifest(epoch: u32, name: &str) -> String {
    format!("v1/man/{epoch}/{name}.zst.age")
}

/// An inventory.
#[must_use]
pub fn inventory(name: &str) -> String {
    format!("v1/inv/{name}.zst")
}

/// The commit record of a backup.
#[must_use]
pub fn record(snapshot: &SnapshotName) -> String {
    let [year, month, day] = snapshot.date();
    format!("{SNAPSHOTS}/{year}/{month}/{day}/{snapshot}.json")
}

/// The backup whose commit record lies at `object_path`, if one does.
#[must_use]
pub fn record_name(path: &str) -> Option<SnapshotName> {
    let (_, file) = path.rsplit_once('/')?;
    let name: SnapshotName = file.strip_suffix(".json")?.parse().ok()?;
    (path == record(&name)).then_some(name)
}

/// What an unfinished run had stored, in parts counted from 0.
#[must_use]
pub fn progress(snapshot: &SnapshotName, part: u32) -> String {
    format!("{RUNS}/{snapshot}/{part:06}.zst")
}

/// A tool that restores without this program.
#[must_use]
pub fn tool(name: &str) -> String {
    format!("v1/tools/{name}")
}

/// Whether a text can be an object's name: a keyed hash, perhaps with the fence
/// of the run that found the bare name taken.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let (hash, fence) = name.split_once('-').unwrap_or((name, "0"));
    hex::is_hash(hash) && !fence.is_empty() && fence.bytes().all(|byte| byte.is_ascii_digit())
}

/// The keyed hash in a name.
#[must_use]
pub fn id_of(name: &str) -> &str {
    name.split_once('-').map_or(name, |(id, _)| id)
}

/// Names are ASCII wherever they come from; a shorter one has no such folder.
fn aa(name: &str) -> &str {
    name.get(..2).unwrap_or_default()
}
