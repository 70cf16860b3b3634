//! A backup as one plain psql script.
//!
//! `tools/restore.sh` writes the same script, byte for byte, with nothing but
//! stock tools. It runs in one transaction of its own, so that it restores
//! everything or nothing, however it is cut off.

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

/// Writes a backup as a psql script. One that failed is a part, and psql rolls
/// that back.
///
/// # Errors
/// See [`ExportError`].
pub async fn sql(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
    output: &mut (impl AsyncWrite + Unpin),
) -> Result<(), ExportError> {
    let contents = OpenedBackup::open(store, snapshot, identities).await?;
    for part in psql_script::parts(&contents.manifest) {
        match part {
            Part::Text(text) => output.write_all(text.as_bytes()).await?,
            Part::Piece(piece) => output.write_all(&contents.piece(piece).await?).await?,
            Part::Attached(piece, object) => {
                let text = contents.piece(piece).await?;
                let text = object
                    .within(&text)
                    .and_then(|text| str::from_utf8(text).ok());
                let text = text.ok_or(ExportError::Script)?.replace('\'', "''''");
                output.write_all(text.as_bytes()).await?;
            }
        }
    }
    output.flush().await?;
    Ok(())
}
