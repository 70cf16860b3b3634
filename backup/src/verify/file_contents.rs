//! The files of Storage that a backup has: each listing and each piece opened, and each file
//! found in its pieces.

use futures_util::{StreamExt, stream};

use super::{Fault, READS, Report};
use crate::{
    catalogue::ReadError,
    files::{OpenedFiles, by_first_piece},
    format::{Content, FileState, Listing, Snapshot, object_path},
    hex,
    keys::Identities,
    store::Store,
};

/// Looks at them; nothing where the backup was taken without files.
pub(super) async fn look(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
    report: &mut Report,
    watch: &mut dyn FnMut(&Report),
) {
    let Some(named) = &snapshot.files else {
        return;
    };
    report.expected += 1;
    report.checked += 1;
    let opened = async {
        let opened = OpenedFiles::open(store, snapshot, identities).await?;
        let Some(files) = opened else {
            return Ok::<_, ReadError>(None);
        };
        let listing = files.listing().await?;
        Ok(Some((files, listing)))
    };
    let (files, listing) = match opened.await {
        Ok(Some(opened)) => opened,
        Ok(None) => return,
        Err(error) => {
            report.unread(&named.record.path, &error);
            return;
        }
    };
    let contents = kept(&listing);
    let groups = by_first_piece(contents.iter().copied());
    report.expected += groups.len() as u64;
    let mut reads = stream::iter(groups)
        .map(|group| check(&files, group.into_iter().map(|nth| contents[nth]).collect()))
        .buffer_unordered(READS / 2);
    while let Some(checked) = reads.next().await {
        report.checked += 1;
        match checked {
            Ok(bytes) => report.bytes += bytes,
            Err((path, Some(error))) => report.unread(&path, &error),
            Err((path, None)) => report.fault(&path, "it does not hold the file that it should"),
        }
        watch(report);
    }
}

/// What of the files of Storage was tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilesTried {
    /// How many files the backup has.
    pub listed: u64,
    /// How many of them were fetched, opened and found to be what they should be.
    pub opened: u64,
    /// The bytes that were opened for that.
    pub bytes: u64,
    /// What is not as it should be.
    pub faults: Vec<Fault>,
}

/// Fetches and opens some of the files, as many as so many bytes are, one piece at least. Which
/// ones, the backup's name decides, so that each backup's are others. Nothing where the backup was
/// taken without files.
pub async fn sample(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
    bytes: u64,
) -> Option<FilesTried> {
    let named = snapshot.files.as_ref()?;
    let mut tried = FilesTried::default();
    let opened = async {
        let Some(files) = OpenedFiles::open(store, snapshot, identities).await? else {
            return Ok::<_, ReadError>(None);
        };
        let listing = files.listing().await?;
        Ok(Some((files, listing)))
    };
    let (files, listing) = match opened.await {
        Ok(opened) => opened?,
        Err(error) => {
            tried.faults.push(Fault::unread(&named.record.path, &error));
            return Some(tried);
        }
    };
    let contents = kept(&listing);
    tried.listed = contents.len() as u64;
    let place = |group: &Vec<usize>| {
        let first = group.first().map_or("", |nth| contents[*nth].id.as_str());
        hex::sha256(format!("{} {first}", snapshot.snapshot).as_bytes())
    };
    let mut groups = by_first_piece(contents.iter().copied());
    groups.sort_by_cached_key(place);
    for group in groups {
        if tried.bytes >= bytes {
            break;
        }
        let files_of = group.len() as u64;
        match check(&files, group.into_iter().map(|nth| contents[nth]).collect()).await {
            Ok(read) => {
                tried.bytes += read;
                tried.opened += files_of;
            }
            Err((path, Some(error))) => tried.faults.push(Fault::unread(path, &error)),
            Err((path, None)) => {
                let what = "it does not hold the file that it should";
                tried.faults.push(Fault::damage(path, what));
            }
        }
    }
    Some(tried)
}

/// The contents that a backup has.
fn kept(listing: &Listing) -> Vec<&Content> {
    let states = listing.files.iter().map(|(_, state)| state);
    states
        .filter_map(|state| match state {
            FileState::Kept(content, _) => Some(content),
            FileState::Waiting
            | FileState::Begun(_)
            | FileState::Gone
            | FileState::Missing
            | FileState::Failed => None,
        })
        .collect()
}

/// Opens the pieces of contents that begin in the same one. Returns how many bytes they hold, or
/// which piece is wrong.
async fn check(
    files: &OpenedFiles<'_>,
    contents: Vec<&Content>,
) -> Result<u64, (String, Option<ReadError>)> {
    let path = |name: &str| object_path::segment(files.record.epoch, name);
    let mut bytes = 0;
    let Some(first) = contents.first().and_then(|content| content.pieces.first()) else {
        return Ok(0);
    };
    let opened = files.piece(&first.name, first.raw_len).await;
    let piece = opened.map_err(|error| (path(&first.name), Some(error)))?;
    bytes += piece.len() as u64;
    for content in contents {
        let [_, rest @ ..] = &content.pieces[..] else {
            continue;
        };
        if rest.is_empty() && files.within(content, &piece).is_none() {
            return Err((path(&first.name), None));
        }
        if rest.is_empty() {
            continue;
        }
        for next in rest {
            let opened = files.piece(&next.name, next.raw_len).await;
            let piece = opened.map_err(|error| (path(&next.name), Some(error)))?;
            bytes += piece.len() as u64;
        }
        if !files.is_whole(content) {
            return Err((path(&first.name), None));
        }
    }
    Ok(bytes)
}
