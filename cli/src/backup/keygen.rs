//! `pourtrait backup keygen`: new keys, and how to keep them.

use std::{io::Write, path::Path};

use anyhow::Context;
use backup::keys::{self, Keys};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{arguments::Keygen, private_place::refuse_shared};
use terminal::{
    failure::Verdict,
    output::{self, Output},
    private_file,
};

pub(super) fn run(options: &Keygen, output: Output) -> anyhow::Result<Verdict> {
    if let Some(path) = &options.output {
        refuse_shared(path, "the private key")?;
    }
    let keys = keys::generate();
    if let Some(path) = &options.output {
        write(path, &keys)?;
    }
    let mut json = json!({
        "BACKUP_SECRET": keys.secret.expose_secret(),
        "BACKUP_RECIPIENTS": keys.recipient,
    });
    let identity = if let Some(path) = &options.output {
        json["identityFile"] = json!(path);
        format!("The private key is in {}.", path.display())
    } else {
        json["identity"] = json!(keys.identity.expose_secret());
        format!("The private key:\n\n{}", file(&keys).trim_end())
    };
    let text = format!(
        "For the functions' environment:\n\n\
         BACKUP_SECRET={}\nBACKUP_RECIPIENTS={}\n\n{identity}\n",
        keys.secret.expose_secret(),
        keys.recipient,
    );
    output.result(&json, &text);
    output::note(KEEPING);
    Ok(Verdict::Good)
}

const KEEPING: &str = "
How to keep them:
  - The private key opens every backup. Without it no backup can be opened, by
    nobody. Two people keep it, each a copy of their own, offline: printed, or on
    a stick in a safe.
  - It never goes to Vercel, into a repository or into a chat.
  - BACKUP_SECRET only names objects and opens nothing. Losing it costs one full
    upload.
  - To let several people restore, make a key for each and join the public keys
    with commas in BACKUP_RECIPIENTS. A change counts for backups taken after it.
  - Try the key now: `pourtrait backup verify latest --level 2 --identity FILE`
    after the first backup.";

/// As `age-keygen` writes it, so that `age -d -i` takes it.
fn file(keys: &Keys) -> String {
    format!(
        "# public key: {}\n{}\n",
        keys.recipient,
        keys.identity.expose_secret()
    )
}

fn write(path: &Path, keys: &Keys) -> anyhow::Result<()> {
    let written =
        private_file::create(path).and_then(|mut key| key.write_all(file(keys).as_bytes()));
    written.with_context(|| format!("cannot write the private key to {}", path.display()))
}
