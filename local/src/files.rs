//! Files that only their owner may read, and what is kept in them from one
//! start to the next.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::Context;
use serde::{Serialize, de::DeserializeOwned};

/// What the file keeps, as JSON; made by `make` at the first call.
pub(crate) fn load_or_make<T: Serialize + DeserializeOwned>(
    path: &Path,
    make: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text)
            .with_context(|| format!("{} does not hold what was kept there", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let fresh = make()?;
            write_private(path, &serde_json::to_string_pretty(&fresh)?)?;
            Ok(fresh)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a file with mode 0600 from its first moment on.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
