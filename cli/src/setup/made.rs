//! What nobody has to think of: secrets and keys, made here and shown once.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use backup::keys;
use crypto_box::aead::{OsRng, rand_core::RngCore};
use ops::web_push::VapidKey;
use secrecy::{ExposeSecret, SecretString};
use terminal::{failure::Misuse, private_file};

use super::{arguments::Setup, book::Book};
use crate::backup::refuse_shared;

/// What callers prove themselves by.
const GUARDS: [&str; 2] = ["CRON_SECRET", "MONITORING_API_KEY"];

/// What was made now.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// By the name of the variable.
    pub(super) secrets: BTreeMap<&'static str, String>,
    /// The private backup key, which is in none of them.
    pub(super) identity: Option<Identity>,
}

/// A private backup key.
#[derive(Debug)]
pub(super) struct Identity {
    text: SecretString,
    /// Where it goes; `None` where it is shown.
    pub(super) path: Option<PathBuf>,
}

/// Makes everything that is not there.
pub(super) fn make(book: &mut Book, options: &Setup) -> anyhow::Result<Made> {
    let mut made = Made::default();
    for name in GUARDS {
        if book.get(name).is_none() {
            made.keep(book, name, random()?);
        }
    }
    if options.web_push && book.get("VAPID_PRIVATE_KEY").is_none() {
        let key = VapidKey::generate().map_err(|_| anyhow!("this machine has no randomness"))?;
        made.keep(book, "VAPID_PRIVATE_KEY", key.expose_secret().to_owned());
    }
    // Half of a backup's configuration is a fault: without a place there are no keys.
    if book.get("BACKUP_URL").is_some() {
        backup_keys(book, options, &mut made)?;
    }
    Ok(made)
}

impl Made {
    fn keep(&mut self, book: &mut Book, name: &'static str, value: String) {
        book.put(name, &value);
        self.secrets.insert(name, value);
    }
}

fn backup_keys(book: &mut Book, options: &Setup, made: &mut Made) -> anyhow::Result<()> {
    if book.get("BACKUP_SECRET").is_none() {
        made.keep(book, "BACKUP_SECRET", random()?);
    }
    if book.get("BACKUP_RECIPIENTS").is_some() {
        return Ok(());
    }
    // A run that was cut off has kept the key and nothing else: its public half is beside it.
    if let Some(path) = options.identity.as_ref().filter(|path| path.exists()) {
        let recipient = kept_recipient(path)?;
        book.put("BACKUP_RECIPIENTS", &recipient);
        return Ok(());
    }
    if let Some(path) = &options.identity {
        refuse_shared(path, "the private key")?;
    }
    let pair = keys::generate();
    book.put("BACKUP_RECIPIENTS", &pair.recipient);
    let text = format!(
        "# public key: {}\n{}\n",
        pair.recipient,
        pair.identity.expose_secret()
    );
    made.identity = Some(Identity {
        text: text.into(),
        path: options.identity.clone(),
    });
    Ok(())
}

/// The public half as `age-keygen` and we write it beside the private one.
fn kept_recipient(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path)
        .map_err(|error| Misuse(format!("cannot read {}: {error}", path.display())))?;
    let recipient = text
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    let recipient = recipient.with_context(|| {
        Misuse(format!(
            "{} is there and does not say which public key it belongs to: name another file, or set BACKUP_RECIPIENTS",
            path.display()
        ))
    })?;
    Ok(recipient.trim().to_owned())
}

impl Identity {
    /// The key as `age` reads it.
    pub(super) fn text(&self) -> &str {
        self.text.expose_secret()
    }

    /// Writes it where it goes, before anything relies on it, whole or not at all and over
    /// nothing.
    pub(super) fn write(&self) -> anyhow::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let fresh = beside(path);
        let written = write_private(&fresh, self.text()).and_then(|()| {
            if path.exists() {
                return Err(std::io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(&fresh, path)
        });
        written.with_context(|| format!("cannot write the private key to {}", path.display()))
    }
}

/// Writes a file that nobody else may read.
pub(super) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    // A leftover keeps its own mode.
    if path.exists() {
        fs::remove_file(path)?;
    }
    let mut file = private_file::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Where a file is written before it takes its name.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// 32 random bytes as 64 hexadecimal digits.
pub(crate) fn random() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| anyhow!("this machine has no randomness"))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
