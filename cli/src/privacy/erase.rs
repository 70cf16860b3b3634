//! `pourtrait privacy erase`: somebody goes, and a signed proof says what went.
//!
//! That it was decided lies beside the backups before anything is erased: whoever is killed
//! between the two erases again, and a restore leaves out whom it should.

use std::{fs, path::Path};

use anyhow::Context;
use backup::{
    catalogue, erasures::Erasure, format::SnapshotName, keys::Recipients, pins, store::Store,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use ops::{
    auth::subscriber_keys::SubscriberKeys,
    backups::{
        backup_setup::{BackupSetup, SetupError},
        collection::Known,
    },
    config::Config,
    privacy::{
        Person,
        erasure::{self, Former, Order},
        files, marks,
        proof::{LastBackup, Proof, ProofKeys},
        ways::Ways,
    },
};
use outside::{clock, outbound::Outbound};
use serde_json::json;
use tokio_postgres::Client;

use super::{arguments::Erase, find, session, show::text, storage};
use crate::{environment::Environment, project::author};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(super) async fn run(
    options: &Erase,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let whose = &options.whose;
    if !options.yes {
        let verdict = super::show::run(whose, environment, output).await?;
        output::note("nothing was erased: say --yes");
        return Ok(verdict);
    }
    let config = environment.config();
    let keys = Keys::of(&config, environment)?;
    let copies = Copies::of(&config)?;
    let (mut client, host) = session(environment).await?;
    let person = find(&client, &whose.person).await?;
    let ways = Ways::find(&client, &whose.delete).await?;
    let subject = keys.proof.subject(person.id);
    let decided = Erasure::of(person.id, subject, clock::now(), whose.delete.clone());
    if let Some(copies) = &copies {
        decided.write(&copies.store, &copies.recipients).await?;
    }
    let by = author();
    let subscriber = keys.subscriber(&person);
    let order = Order {
        id: decided.id,
        person: &person,
        subject: &decided.subject,
        subscriber: subscriber.as_deref(),
        decided_at: decided.decided_at,
        by: &by,
    };
    // Files first: their rows tell whoever comes after a kill what is left. Once more at the end,
    // since they may upload for as long as they have an account.
    let storage = storage(&config);
    let deleting = files::erase(&client, storage.as_ref(), &person).await;
    let deleted = deleting.context("nothing was erased in the database")?;
    let erased = erasure::erase(&mut client, &order, &ways).await?;
    let late = files::erase(&client, storage.as_ref(), &person).await?;
    let erased_at = clock::now();
    let left = marks::find(&client, &person).await?;
    let proof = Proof {
        erasure: decided.id,
        subject: &decided.subject,
        decided_at: decided.decided_at,
        erased_at,
        database: &host,
        erased: &erased,
        files_deleted: deleted + late,
        not_covered: &left,
        last_backup: last_backup(&client, copies.as_ref(), erased_at).await?,
        followed_by_restores: copies.as_ref().map(|_| decided.path()),
        public_key: keys.proof.public_key(),
    };
    let written = proof.text();
    let signature = keys.proof.sign(&written);
    let encoded = BASE64_STANDARD.encode(&signature);
    erasure::keep_proof(&client, decided.id, &written, &encoded).await?;
    let name = write(&options.proof, &proof, &written, &signature)?;
    let mut lines = vec![text(&erased, &left)];
    if proof.files_deleted > 0 {
        lines.push(format!(
            "{} files in Storage were deleted",
            proof.files_deleted
        ));
    }
    lines.push(kept(&proof));
    lines.push(format!(
        "the proof is {name}.json in {}, signed; check it with\n  openssl pkeyutl -verify -pubin -inkey {name}.pem -rawin -in {name}.json -sigfile {name}.sig",
        options.proof.display()
    ));
    output.result(&json!({ "proof": proof, "files": name }), &lines.join("\n"));
    Ok(if left.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

/// Which backup holds the person still, in words.
fn kept(proof: &Proof) -> String {
    let Some(last) = &proof.last_backup else {
        return "no backup holds them".to_owned();
    };
    let until = match (last.expires_at, &last.pinned[..]) {
        (Some(time), _) => format!("and nothing is left of any by {time:.0}"),
        (None, []) => "and are kept until somebody deletes them".to_owned(),
        (None, pinned) => format!("until somebody unpins {}", pinned.join(", ")),
    };
    format!(
        "backups hold them still, the newest is {}, {until}; a restore leaves them out",
        last.name
    )
}

/// What signs, and what finds a subscriber again.
struct Keys {
    proof: ProofKeys,
    subscribers: SubscriberKeys,
}

impl Keys {
    fn of(config: &Config, environment: &Environment) -> anyhow::Result<Self> {
        let key = config.monitoring_api_key.as_ref();
        let keys = key.and_then(|key| {
            Some(Self {
                proof: ProofKeys::new(key)?,
                subscribers: SubscriberKeys::new(key)?,
            })
        });
        let origin = environment.origin();
        let unset = || {
            Misuse(format!(
                "MONITORING_API_KEY, which signs the proof, is not set in {origin}"
            ))
        };
        keys.ok_or_else(|| unset().into())
    }

    fn subscriber(&self, person: &Person) -> Option<String> {
        let email = person.email.as_ref()?;
        Some(self.subscribers.hash("email", email))
    }
}

/// Where backups lie, and for whom.
struct Copies {
    store: Store,
    recipients: Recipients,
}

impl Copies {
    /// `None` where there are no backups. Any that there are must not forget whom to leave out.
    fn of(config: &Config) -> anyhow::Result<Option<Self>> {
        let setup = match BackupSetup::of(config) {
            Err(SetupError::Absent) => {
                output::note("no backups are set up, so that none has to leave anybody out");
                return Ok(None);
            }
            other => other.context("nothing was erased")?,
        };
        Ok(Some(Self {
            store: setup
                .store(&Outbound::default())
                .context("nothing was erased: the store of the backups does not open")?,
            recipients: Recipients::parse(&setup.backup.recipients)?,
        }))
    }
}

/// The newest backup that holds the person, and when nothing is left of it. A backup that is being
/// made may have seen the person until they were erased, so that counts as its time.
async fn last_backup(
    client: &Client,
    copies: Option<&Copies>,
    erased_at: Timestamp,
) -> anyhow::Result<Option<LastBackup>> {
    let Some(copies) = copies else {
        return Ok(None);
    };
    let held = catalogue::snapshots(&copies.store).await?.snapshots;
    let Some(newest) = held.first() else {
        return Ok(None);
    };
    let pinned = pins::names(&copies.store).await?;
    let pinned: Vec<_> = pinned.iter().map(SnapshotName::to_string).collect();
    let known = client
        .query_one("select public.ops_plan_collection()::text", &[])
        .await?;
    let known: Known = serde_json::from_str(known.get(0))?;
    Ok(Some(LastBackup {
        name: newest.snapshot.to_string(),
        taken_at: newest.taken_at,
        expires_at: known
            .gone_by(erased_at.max(newest.taken_at))
            .filter(|_| pinned.is_empty()),
        pinned,
    }))
}

/// Writes the proof, its signature and the key. Returns what their names begin with.
fn write(folder: &Path, proof: &Proof, text: &str, signature: &[u8]) -> anyhow::Result<String> {
    let name = format!("erasure-{}", proof.erasure);
    for (ending, bytes) in [
        ("json", text.as_bytes()),
        ("sig", signature),
        ("pem", proof.public_key.as_bytes()),
    ] {
        let path = folder.join(format!("{name}.{ending}"));
        fs::write(&path, bytes).with_context(|| {
            format!(
                "all was erased and the proof is kept (pourtrait privacy erasures), but {} cannot be written",
                path.display()
            )
        })?;
    }
    Ok(name)
}

/// Who was erased.
pub(super) async fn list(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let (client, _) = session(environment).await?;
    let all = erasure::former(&client, None).await?;
    output.result(&json!({ "erasures": all }), &listed(&all));
    Ok(Verdict::Good)
}

fn listed(all: &[Former]) -> String {
    if all.is_empty() {
        return "nobody was erased".to_owned();
    }
    let rows: Vec<_> = all
        .iter()
        .map(|one| {
            [
                format!("{:.0}", one.erased_at),
                one.id.clone(),
                one.subject.chars().take(12).collect(),
                match one.proof {
                    Some(_) => "signed".to_owned(),
                    None => "none".to_owned(),
                },
            ]
        })
        .collect();
    output::table(["at", "erasure", "subject", "proof"], &rows)
}
