//! What a restore would do, found out without doing any of it.

use std::collections::HashSet;

use super::{
    Cause, Note, Request,
    restore_plan::Plan,
    target_sessions::{self, Sessions},
};
use crate::{
    catalogue,
    format::{Piece, object_path},
    masking::MaskedTables,
    opened_backup::OpenedBackup,
    schema::Stage,
    selection::{Chosen, Parts},
};

/// What a restore would do.
#[derive(Debug)]
pub struct Preview {
    /// Tables that would be filled.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
    /// The length of their COPY text.
    pub bytes: u64,
    /// Objects that would be fetched from the store.
    pub fetched_objects: u64,
    /// Their length there.
    pub fetched_bytes: u64,
    /// What a person would be told, as far as it is known before.
    pub notes: Vec<Note>,
    /// Why nothing would be restored, if that is so.
    pub refused: Option<Cause>,
}

/// Looks at a backup and at the database that it is to be restored into, which stays as it is.
///
/// # Errors
/// See [`Cause`]: where one of the two cannot be looked at.
pub async fn preview(request: &Request<'_>) -> Result<Preview, Cause> {
    let source = OpenedBackup::open(request.store, request.snapshot, request.identities).await?;
    let plan = Plan::of(Chosen::of(&source.manifest, request.selection)?);
    let inventory = catalogue::inventory(request.store, request.snapshot).await?;
    let wanted = wanted(&plan, source.manifest.epoch);
    let fetched = || {
        let objects = inventory.objects.iter();
        objects.filter(|stored| wanted.contains(&stored.path))
    };
    let mut preview = Preview {
        tables: plan.tables().count() as u64,
        rows: plan.tables().map(|data| data.rows).sum(),
        bytes: plan.bytes(),
        fetched_objects: fetched().count() as u64,
        fetched_bytes: fetched().map(|stored| stored.len).sum(),
        notes: Vec::new(),
        refused: None,
    };
    if let Some(masking) = request.masking
        && let Err(error) = MaskedTables::of(&source, plan.tables(), masking).await
    {
        preview.refused = Some(error.into());
        return Ok(preview);
    }
    let sessions = Sessions::open(request.into, request.ca, 1).await?;
    let parts = request.selection.parts;
    match target_sessions::check(sessions.main(), &plan, parts).await {
        Ok(absent) if parts != Parts::Data => {
            let roles = plan.chosen.roles();
            let roles = target_sessions::missing_roles(sessions.main(), &roles).await?;
            preview.notes.extend(roles.into_iter().map(Note::RoleMade));
            preview
                .notes
                .extend(absent.into_iter().map(Note::SchemaMade));
            let left_out = plan.chosen.left_out.iter().cloned();
            preview.notes.extend(left_out.map(Note::LeftOut));
            let unfilled = plan.chosen.unfilled.iter().cloned();
            preview.notes.extend(unfilled.map(Note::Unfilled));
        }
        Ok(_) => {}
        Err(cause) => preview.refused = Some(cause),
    }
    sessions.close().await?;
    Ok(preview)
}

/// The objects of the store that a restore reads.
fn wanted(plan: &Plan<'_>, epoch: u32) -> HashSet<String> {
    let path = |piece: &Piece| object_path::segment(epoch, &piece.name);
    let rows = plan.tables().flat_map(|data| &data.pieces).map(path);
    let stages = [Stage::Before, Stage::After].into_iter();
    let scripts = stages.flat_map(|stage| plan.chosen.scripts(stage));
    let scripts = scripts.map(|chosen| path(&chosen.script.piece));
    rows.chain(scripts).collect()
}
