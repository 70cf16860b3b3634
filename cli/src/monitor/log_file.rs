//! Where a monitor writes what it sees: a file that is opened anew when it was moved away,
//! else standard output.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde_json::Value;
use terminal::output::{self, Output};

/// A log, one JSON document a line.
#[derive(Debug)]
pub(super) struct LogFile {
    place: Option<(PathBuf, File)>,
}

impl LogFile {
    /// Opens the file, or none.
    pub(super) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let place = path.map(|path| Ok::<_, anyhow::Error>((path.to_owned(), append_to(path)?)));
        Ok(Self {
            place: place.transpose()?,
        })
    }

    /// Opens it anew. Where that fails the old one goes on, which is better than none.
    pub(super) fn reopen(&mut self) {
        let Some((path, file)) = &mut self.place else {
            return;
        };
        match append_to(path) {
            Ok(opened) => *file = opened,
            Err(error) => output::note(&format!("{error:#}; the old file goes on")),
        }
    }

    /// Writes a line.
    pub(super) fn write(&mut self, line: &Value) {
        match &mut self.place {
            None => Output { json: true }.result(line, ""),
            Some((path, file)) => {
                if let Err(error) = writeln!(file, "{line}") {
                    output::note(&format!("cannot write to {}: {error}", path.display()));
                }
            }
        }
    }
}

fn append_to(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}
