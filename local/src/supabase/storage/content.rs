//! What the files hold, each under the version of its row: the bucket behind the API.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::Context;
use bytes::Bytes;
use uuid::Uuid;

use crate::random;

/// A folder with a file for each version.
#[derive(Debug)]
pub(crate) struct Content {
    folder: PathBuf,
    /// Whether the folder was made for this process alone.
    temporary: bool,
}

impl Content {
    /// Opens the folder that is kept in `data`, or one that ends with this value.
    pub(crate) fn open(data: Option<&Path>) -> anyhow::Result<Self> {
        let folder = match data {
            Some(data) => data.join("storage"),
            None => std::env::temp_dir().join(format!("local-storage-{}", random::hex::<8>()?)),
        };
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self {
            folder,
            temporary: data.is_none(),
        })
    }

    pub(super) fn write(&self, version: Uuid, bytes: &[u8]) -> std::io::Result<()> {
        fs::write(self.path(version), bytes)
    }

    /// What a version holds; `None` where the row has no file.
    pub(super) fn read(&self, version: Uuid) -> std::io::Result<Option<Bytes>> {
        match fs::read(self.path(version)) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a version, which may be gone already.
    pub(super) fn remove(&self, version: Uuid) -> std::io::Result<()> {
        match fs::remove_file(self.path(version)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn path(&self, version: Uuid) -> PathBuf {
        self.folder.join(version.to_string())
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        if self.temporary {
            // What is left lies in the folder for temporary files.
            let _left = fs::remove_dir_all(&self.folder);
        }
    }
}
