//! Backups of the local database: into a folder, to keys that are made once and
//! kept beside the data.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use backup::{keys, repository::Repository, store::Store};
use outside::{clock, outbound::Outbound};
use secrecy::ExposeSecret;
use terminal::env_file;
use url::Url;
use uuid::Uuid;

use super::folder::Folder;

/// The private key, as `age-keygen` writes it.
const IDENTITY: &str = "backup-identity.txt";
/// What functions need of the keys: `BACKUP_SECRET` and `BACKUP_RECIPIENTS`.
const SHARED: &str = "backup-keys.env";
/// The folder of the store.
const STORE: &str = "backups";

/// Where the local backups lie. Without a data folder they end with this.
#[derive(Debug)]
pub(super) struct Backups {
    place: Place,
    shared: BTreeMap<String, String>,
}

#[derive(Debug)]
enum Place {
    Kept(PathBuf),
    Temporary(PathBuf),
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            // Whatever stays behind lies in the system's folder for such.
            let _ = fs::remove_dir_all(path);
        }
    }
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Temporary(path) => path,
        }
    }
}

impl Backups {
    /// Backups beside the data, or in a fresh folder.
    pub(super) fn open(folder: Option<&Folder>) -> anyhow::Result<Self> {
        let place = if let Some(folder) = folder {
            Place::Kept(folder.path().to_owned())
        } else {
            let path = std::env::temp_dir().join(format!("pourtrait-{}", Uuid::new_v4()));
            fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
            Place::Temporary(path)
        };
        let shared = load_or_make(place.path())?;
        Ok(Self { place, shared })
    }

    /// What functions are configured with. The private key is no part of it.
    pub(super) fn variables(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let store = self.place.path().join(STORE);
        let url = Url::from_file_path(&store)
            .map_err(|()| anyhow!("{} cannot be written as a URL", store.display()))?;
        let mut variables = self.shared.clone();
        variables.insert("BACKUP_URL".to_owned(), url.into());
        Ok(variables)
    }

    /// Makes the repository where there is none.
    pub(super) async fn prepare(&self) -> anyhow::Result<()> {
        let url = &self.variables()?["BACKUP_URL"];
        let store = Store::make(url, None, &Outbound::default())?;
        Repository::make(&store, clock::now()).await?;
        Ok(())
    }

    /// What other commands need beside that: where the private key lies.
    pub(super) fn identity_file(&self) -> (String, String) {
        let path = self.place.path().join(IDENTITY);
        (
            "BACKUP_IDENTITY_FILE".to_owned(),
            path.display().to_string(),
        )
    }
}

/// The keys of an earlier start, or new ones. What functions need is written
/// last, so that there is never a public key whose private one was not kept.
fn load_or_make(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let shared = folder.join(SHARED);
    match fs::read_to_string(&shared) {
        Ok(text) => {
            return env_file::parse(&text)
                .map_err(|error| anyhow!("{}, {error}", shared.display()));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", shared.display()));
        }
    }
    let keys = keys::generate();
    let identity = format!(
        "# public key: {}\n{}\n",
        keys.recipient,
        keys.identity.expose_secret()
    );
    write_private(&folder.join(IDENTITY), &identity)?;
    let variables = BTreeMap::from([
        (
            "BACKUP_SECRET".to_owned(),
            keys.secret.expose_secret().to_owned(),
        ),
        ("BACKUP_RECIPIENTS".to_owned(), keys.recipient),
    ]);
    let text: String = variables
        .iter()
        .map(|(name, value)| env_file::assignment(name, value))
        .collect();
    write_private(&shared, &text)?;
    Ok(variables)
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let open = || -> std::io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
    };
    open()
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_made_once_kept_and_private() {
        let place = std::env::temp_dir().join(format!("backups-{}", Uuid::new_v4()));
        fs::create_dir(&place).unwrap();
        let opened = || {
            let folder = Folder::open(&place).unwrap();
            Backups::open(Some(&folder)).unwrap()
        };
        let first = opened().variables().unwrap();
        assert_eq!(opened().variables().unwrap(), first);
        for name in [IDENTITY, SHARED] {
            let mode = fs::metadata(place.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let (_, identity) = opened().identity_file();
        let identity = fs::read_to_string(identity).unwrap();
        assert!(identity.contains(&first["BACKUP_RECIPIENTS"]), "the pair");
        let private = |value: &String| value.contains("AGE-SECRET-KEY");
        assert!(private(&identity) && !first.values().any(private));
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn without_a_data_folder_backups_end_with_the_process() {
        let backups = Backups::open(None).unwrap();
        let folder = backups.place.path().to_owned();
        assert!(folder.join(IDENTITY).exists());
        drop(backups);
        assert!(!folder.exists());
    }
}
