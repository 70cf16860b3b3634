//! `pourtrait backup evidence`: what was done with backups, signed, for whoever reviews it.
//!
//! - `in_store`: the receipts as they lie in the store, and what is wrong with them
//! - `verify`: that alone, told
//! - `summary`: what a period comes to, and what is not evidenced; pure
//! - `document`, `markdown`: all of it in one struct, and how that reads
//! - `report`: either of them, or the receipts themselves, written
//! - `review`: a period signed off

mod document;
mod in_store;
mod markdown;
mod report;
mod review;
mod summary;
mod verify;

use anyhow::Context;
use backup::{
    evidence::{PublicKey, SigningKey, reading},
    keys::Secret,
    repository::Repository as Written,
    store::Store,
};
use serde_json::json;

use super::{
    arguments::{Evidence, EvidenceAction},
    repository::Repository,
};
use crate::environment::Environment;
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

pub(super) async fn run(
    options: &Evidence,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    match &options.action {
        Some(EvidenceAction::Review(review)) => review::run(review, environment, output).await,
        None if options.key => show_key(options, environment, output).await,
        None if options.verify => verify::run(options, environment, output).await,
        None => report::run(options, environment, output).await,
    }
}

/// Shows the public key: of the secret where that is known, else the one that lies in the store.
async fn show_key(
    options: &Evidence,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let store = Repository::of(environment)?.store;
    let key = match environment.get("BACKUP_SECRET") {
        Some(secret) => of_secret(&store, secret).await?,
        None => only_key(&store).await?,
    };
    let pem = key.to_pem();
    let document = json!({ "keyId": key.id(), "publicKey": pem });
    match &options.output {
        Some(file) => {
            let written = std::fs::write(file, &pem);
            written.with_context(|| format!("cannot write {}", file.display()))?;
            output.result(&document, &format!("wrote {}", file.display()));
        }
        None => output.result(&document, &pem),
    }
    Ok(Verdict::Good)
}

async fn of_secret(store: &Store, secret: String) -> anyhow::Result<PublicKey> {
    let secret = Secret::parse(&secret.into());
    let secret = secret.map_err(|error| Misuse(format!("BACKUP_SECRET: {error}")))?;
    let repo = Written::name_in(store).await?;
    Ok(SigningKey::of(&secret, repo)?.public().clone())
}

async fn only_key(store: &Store) -> anyhow::Result<PublicKey> {
    let keys = reading::keys(store).await?;
    match <[PublicKey; 1]>::try_from(keys) {
        Ok([key]) => Ok(key),
        Err(keys) if keys.is_empty() => Err(Misuse(format!(
            "there is no public key in {} yet: the next backup writes it, and BACKUP_SECRET gives it",
            store.place()
        ))
        .into()),
        Err(keys) => Err(Misuse(format!(
            "there are {} public keys in {}, below v1/keys: one for each BACKUP_SECRET that there was",
            keys.len(),
            store.place()
        ))
        .into()),
    }
}
