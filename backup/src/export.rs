//! A backup as one plain psql script.
//!
//! `tools/restore.sh` writes the same script, byte for byte, with nothing but
//! stock tools. It is one transaction, so that whatever is cut off restores nothing;
//! within it, what the server refuses takes nothing along.

mod psql_script;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{
    catalogue::ReadError, format::Snapshot, keys::Identities, opened_backup::OpenedBackup,
    store::Store,
};
use psql_script::Part;

/// Why a script could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The backup cannot be read: missing, damaged, or sealed to other keys.
    #[error(transparent)]
    Backup(#[from] ReadError),
    /// A script's directory does not fit its text.
    #[error("a script of the backup is not what its manifest says")]
    Script,
    /// Nobody takes what is written.
    #[error("cannot write the script: {0}")]
    Output(#[from] std::io::Error),
}

/// What happens when the server refuses an object or rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// Everything else is restored, and what is missing is told.
    Lenient,
    /// Nothing is restored.
    Strict,
}

/// Writes a backup as a psql script. One that failed is a part, and psql rolls
/// that back.
///
/// # Errors
/// See [`ExportError`].
pub async fn sql(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
    conduct: Conduct,
    output: &mut (impl AsyncWrite + Unpin),
) -> Result<(), ExportError> {
    let contents = OpenedBackup::open(store, snapshot, identities).await?;
    let mut script = None;
    for part in psql_script::parts(&contents.manifest, conduct) {
        match part {
            Part::Text(text) => output.write_all(text.as_bytes()).await?,
            Part::Rows(piece) => output.write_all(&contents.piece(piece).await?).await?,
            Part::Object(piece, object) => {
                let text = match script.take() {
                    Some((read, text)) if read == piece => text,
                    _ => contents.piece(piece).await?,
                };
                let statement = object
                    .within(&text)
                    .and_then(|text| str::from_utf8(text).ok());
                let statement = statement.ok_or(ExportError::Script)?.replace('\'', "''");
                output.write_all(statement.as_bytes()).await?;
                script = Some((piece, text));
            }
        }
    }
    output.flush().await?;
    Ok(())
}
