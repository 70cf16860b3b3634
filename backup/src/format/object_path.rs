//! Where things lie in the store.

use jiff::Timestamp;

use crate::hex;

use super::SnapshotName;

/// What all backups have in common.
pub const REPO: &str = "v1/repo.json";

/// The folder of commit records.
pub const SNAPSHOTS: &str = "v1/snap";

/// The folder of what unfinished runs stored.
pub const RUNS: &str = "v1/runs";

/// The folder of the commit records of backups that are no longer kept, until what they
/// rest on is deleted.
pub const TRASH: &str = "v1/trash";

/// The folder of what keeps single backups, whatever the ladder says.
pub const PINS: &str = "v1/pin";

/// The folder of the lists of objects that are going to be deleted.
pub const TOMBSTONES: &str = "v1/gc/tombstones";

/// The folder of receipts.
pub const RECEIPTS: &str = "v1/rcpt";

/// The folder of the public keys that verify receipts.
pub const KEYS: &str = "v1/keys";

/// The folder of what tells which damaged objects were written anew.
pub const MENDED: &str = "v1/mended";

/// An object that is written to learn the time of the store.
pub const CLOCK: &str = "v1/gc/clock.json";

/// The folder of objects that the store's lock was proven with.
pub const LOCK: &str = "v1/lock";

/// The folders of objects that are there only for backups to rest on, or for the next run:
/// whatever lies elsewhere is never collected.
pub const COLLECTED: [&str; 5] = ["v1/seg", "v1/man", "v1/inv", "v1/files", RUNS];

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

/// Where the commit record of a backup lies that is no longer kept.
#[must_use]
pub fn trashed(snapshot: &SnapshotName) -> String {
    format!("{TRASH}/{snapshot}.json")
}

/// The backup whose commit record lies there in the trash, if one does.
#[must_use]
pub fn trashed_name(path: &str) -> Option<SnapshotName> {
    name_in(TRASH, path)
}

/// What keeps a backup.
#[must_use]
pub fn pin(snapshot: &SnapshotName) -> String {
    format!("{PINS}/{snapshot}.json")
}

/// The backup that the object at this path keeps, if it is a pin.
#[must_use]
pub fn pinned_name(path: &str) -> Option<SnapshotName> {
    name_in(PINS, path)
}

fn name_in(folder: &str, path: &str) -> Option<SnapshotName> {
    let file = path.strip_prefix(folder)?.strip_prefix('/')?;
    file.strip_suffix(".json")?.parse().ok()
}

/// The receipt of a fact of that time and kind, which is told from others by `told`.
#[must_use]
pub fn receipt(at: Timestamp, kind: &str, told: &str) -> String {
    let time = at.strftime("%Y%m%dT%H%M%SZ");
    format!("{}/{time}-{kind}-{told}.json", receipt_month(at))
}

/// The folder of the receipts of a month.
fn receipt_month(at: Timestamp) -> String {
    format!("{RECEIPTS}/{}", at.strftime("%Y/%m"))
}

/// What the paths of receipts of that time and later come after, within the folder of receipts.
#[must_use]
pub fn receipts_since(at: Timestamp) -> String {
    at.strftime("%Y/%m/%Y%m%dT%H%M%SZ").to_string()
}

/// The public key with this id.
#[must_use]
pub fn public_key(id: &str) -> String {
    format!("{KEYS}/{id}.pem")
}

/// A list of objects that are going to be deleted, made at this time by the run that holds
/// `fence`.
#[must_use]
pub fn tombstones(made_at: Timestamp, fence: u64) -> String {
    let time = made_at.strftime("%Y%m%dT%H%M%SZ");
    format!("{TOMBSTONES}/{time}-{fence}.zst")
}

/// What the store's lock is proven with at that time.
#[must_use]
pub fn lock_proof(at: Timestamp) -> String {
    format!("{LOCK}/{}.json", at.strftime("%Y%m%dT%H%M%SZ"))
}

/// What a backup has of the files of Storage.
#[must_use]
pub fn file_record(snapshot: &SnapshotName) -> String {
    format!("v1/files/record/{snapshot}.zst")
}

/// The folder of the indexes of files.
pub const FILE_INDEXES: &str = "v1/files/index";

/// An index of files.
#[must_use]
pub fn file_index(name: &str) -> String {
    format!("{FILE_INDEXES}/{name}.zst")
}

/// What an unfinished run had stored, in parts counted from 0.
#[must_use]
pub fn progress(snapshot: &SnapshotName, part: u32) -> String {
    format!("{RUNS}/{snapshot}/{part:06}.zst")
}

/// What the last run of an epoch knows of the rows that it read.
#[must_use]
pub fn known_rows(epoch: u32) -> String {
    format!("v1/known/{epoch}.zst.sealed")
}

/// What tells, since the object at `path` was damaged, that bytes of this hash belong there.
#[must_use]
pub fn mended(path: &str, sha256: &str) -> String {
    format!("{MENDED}/{}/{sha256}.json", hex::sha256(path.as_bytes()))
}

/// A tool that restores without this program.
#[must_use]
pub fn tool(name: &str) -> String {
    format!("v1/tools/{name}")
}

/// The name of an object whose content has this hash and whose bytes that one: what is sealed
/// once more is other bytes, and must never stand where a copy of the repository still has the
/// first.
#[must_use]
pub fn name_of(content: &str, sha256: &str) -> String {
    let start = sha256.get(..16).unwrap_or_default();
    let number = u64::from_str_radix(start, 16).unwrap_or_default();
    format!("{content}-{number}")
}

/// Whether a text can be an object's name: a hash of its content, mostly with a number. Older
/// releases left that out where they could.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let (hash, number) = name.split_once('-').unwrap_or((name, "0"));
    hex::is_hash(hash) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The hash of the content in a name.
#[must_use]
pub fn id_of(name: &str) -> &str {
    name.split_once('-').map_or(name, |(id, _)| id)
}

/// Names are ASCII wherever they come from; a shorter one has no such folder.
fn aa(name: &str) -> &str {
    name.get(..2).unwrap_or_default()
}
