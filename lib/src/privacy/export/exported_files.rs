//! Files in Storage that somebody owns, in the zip of what is held of them.

use std::{
    io::{Seek, Write},
    time::Duration,
};

use backup::files::StorageApi;
use serde::Serialize;
use tokio_postgres::GenericClient;

use super::Archive;
use crate::privacy::{
    Person, PrivacyError,
    files::{self, OwnedFile},
};

/// How long one file may take.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// A file of somebody, as an export has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedFile {
    /// Its bucket.
    pub bucket: String,
    /// Its name.
    pub name: String,
    /// Where it lies in the zip; nothing where it is not in it.
    pub path: Option<String>,
    /// How long it is in bytes.
    pub bytes: u64,
    /// Why it is not in it.
    pub reason: Option<String>,
}

/// Writes somebody's files into the zip, each as it comes. One that does not come is named with
/// its reason, and no part of it is left.
pub(super) async fn write_all<W: Write + Seek>(
    client: &impl GenericClient,
    person: &Person,
    storage: Option<&StorageApi>,
    archive: &mut Archive<W>,
) -> Result<Vec<ExportedFile>, PrivacyError> {
    let mut exported = Vec::new();
    for (nth, file) in files::some(client, person, i64::MAX)
        .await?
        .into_iter()
        .enumerate()
    {
        let path = path(nth, &file);
        let written = match storage {
            Some(storage) => write(storage, &file, &path, archive).await?,
            None => Err("SUPABASE_URL or the project's secret key is not set".to_owned()),
        };
        exported.push(ExportedFile {
            bucket: file.bucket,
            name: file.name,
            bytes: *written.as_ref().unwrap_or(&0),
            path: written.is_ok().then_some(path),
            reason: written.err(),
        });
    }
    Ok(exported)
}

/// How long the file is, or why it is not in the zip.
async fn write<W: Write + Seek>(
    storage: &StorageApi,
    file: &OwnedFile,
    path: &str,
    archive: &mut Archive<W>,
) -> Result<Result<u64, String>, PrivacyError> {
    let mut incoming = match storage.read(&file.bucket, &file.name, LONGEST).await {
        Ok(incoming) => incoming,
        Err(error) => return Ok(Err(error.to_string())),
    };
    archive.begin_stored(path)?;
    let mut bytes = 0;
    loop {
        match incoming.next().await {
            Ok(Some(part)) => {
                bytes += part.len() as u64;
                archive.write(&part)?;
            }
            Ok(None) => return Ok(Ok(bytes)),
            Err(error) => {
                archive.abort()?;
                return Ok(Err(error.to_string()));
            }
        }
    }
}

/// Where a file lies in the zip: under its number, so that no two lie in one place, and with the
/// end of its name as far as every system takes it.
fn path(nth: usize, file: &OwnedFile) -> String {
    let last = file.name.rsplit('/').next().unwrap_or_default();
    let safe = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => letter,
        _ => '_',
    };
    let name: String = last.chars().map(safe).collect();
    let name = name.trim_start_matches('.');
    let start = name.len().saturating_sub(100);
    format!("files/{:06}-{}", nth + 1, &name[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_within_the_zip_whatever_the_name_is() {
        for (name, expected) in [
            ("a/b/photo 1.png", "files/000003-photo_1.png"),
            ("../../etc/passwd", "files/000003-passwd"),
            ("..", "files/000003-"),
            ("C:\\x\\..\\y", "files/000003-C__x_.._y"),
            ("Ch\u{e2}teau", "files/000003-Ch_teau"),
            ("", "files/000003-"),
        ] {
            let file = OwnedFile {
                bucket: "b".into(),
                name: name.into(),
            };
            assert_eq!(path(2, &file), expected, "{name}");
        }
    }
}
