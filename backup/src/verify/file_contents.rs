//! The files of Storage that a backup has: each listing and each piece opened, and each file
//! found in its pieces.

use futures_util::{StreamExt, stream};

use super::{READS, Report};
use crate::{
    catalogue::ReadError,
    files::{OpenedFiles, by_first_piece},
    format::{Content, FileState, Snapshot, object_path},
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
    let contents: Vec<&Content> = listing
        .files
        .iter()
        .filter_map(|(_, state)| match state {
            FileState::Kept(content, _) => Some(content),
            FileState::Waiting | FileState::Gone | FileState::Missing | FileState::Failed => None,
        })
        .collect();
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
        let mut naming = files.naming();
        naming.update(&piece);
        for next in rest {
            let opened = files.piece(&next.name, next.raw_len).await;
            let piece = opened.map_err(|error| (path(&next.name), Some(error)))?;
            naming.update(&piece);
            bytes += piece.len() as u64;
        }
        if naming.finish() != content.id {
            return Err((path(&first.name), None));
        }
    }
    Ok(bytes)
}
