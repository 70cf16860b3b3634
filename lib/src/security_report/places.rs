//! Where things lie, by whom each place is encrypted and under which key, and what of that was
//! looked at. What a provider says of its own disks nobody here can look at, and it is told so.

use backup::{
    catalogue::{self, ReadError},
    format::{Repo, Snapshot, object_path},
    keys::Recipients,
    store::Store,
};
use serde::Serialize;

use crate::config::{Archive, Config};

/// How a file begins that is encrypted with age, and each recipient in it.
const AGE: (&str, &str) = ("age-encryption.org/v1\n", "\n-> X25519 ");

/// How many objects of a backup are looked at, beside its manifest.
const LOOKED_AT: usize = 5;

/// The largest of them, in bytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// What is said of the key where the provider encrypts.
const PROVIDERS: &str = "the provider's";

/// A place where something lies.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Which.
    pub name: String,
    /// What lies there.
    pub holds: &'static str,
    /// Who encrypts it.
    pub by: &'static str,
    /// Under which key.
    pub key: &'static str,
    /// What of that was looked at.
    pub verified: Verified,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// It is so: what was seen.
    Yes(String),
    /// It is NOT so: what was seen.
    Wrong(String),
    /// Nobody could look: why.
    Not(String),
}

impl Verified {
    /// In a word that stays the same from look to look.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Yes(_) => "verified",
            Self::Wrong(_) => "NOT as it should be",
            Self::Not(_) => "not verified",
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Yes(seen) => format!("yes: {seen}"),
            Self::Wrong(seen) => format!("NO, IT IS NOT: {seen}"),
            Self::Not(reason) => format!("no: {reason}"),
        }
    }
}

/// What the provider says and nobody here sees.
fn stated(name: impl Into<String>, holds: &'static str) -> Place {
    Place {
        name: name.into(),
        holds,
        by: "its provider",
        key: PROVIDERS,
        verified: Verified::Not("what its provider says of it cannot be looked at".to_owned()),
    }
}

/// Every place that the environment names, but for the backups.
pub(super) fn configured(config: &Config) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(supabase) = &config.supabase {
        let host = supabase.url.host_str().unwrap_or_default();
        places.push(stated(
            format!("the database, at {host}"),
            "everything: the app's tables, accounts, what the bundle records, the audit log",
        ));
    }
    if let Archive::At(archive) = &config.archive {
        places.push(Place {
            name: format!("the archive, in {}", archive.place.url),
            holds: "rows of the app that were deleted by age",
            by: "this bundle where rows name people; the rest is in the clear",
            key: "BACKUP_RECIPIENTS, whose private keys are not here",
            verified: Verified::Not("`pourtrait maintenance plan` names its files".to_owned()),
        });
    }
    if let Some(replica) = &config.replica {
        places.push(Place {
            name: format!("the copy of the backups, in {}", replica.url),
            holds: "what the backups hold",
            by: "this bundle, before it is sent",
            key: "BACKUP_RECIPIENTS, whose private keys are not here",
            verified: Verified::Not(
                "`pourtrait backup verify` reads it where BACKUP_URL names it".to_owned(),
            ),
        });
    }
    if let Some(copy) = &config.status_copy {
        places.push(Place {
            name: format!("the status page's copy, in {}", copy.url),
            holds: "what everybody may read",
            by: "nobody, for it is public",
            key: "none",
            verified: Verified::Not("there is nothing to keep from anybody".to_owned()),
        });
    }
    if config.platforms.own_project.is_some() {
        places.push(stated(
            "the deployment, at Vercel",
            "variables with secrets, logs of requests",
        ));
    }
    if let Some(repository) = &config.platforms.repository {
        places.push(stated(
            format!("the repository {repository}, at GitHub"),
            "sources, secrets of workflows",
        ));
    }
    places.extend(services(config));
    places
}

/// Who is sent something.
fn services(config: &Config) -> Vec<Place> {
    let mut places = Vec::new();
    let host = |url: &url::Url| url.host_str().unwrap_or_default().to_owned();
    if let Some(resend) = &config.resend {
        places.push(stated(
            format!("mail, by {}", host(&resend.base_url)),
            "alerts, reports, addresses of whoever is told, confirmations of subscribers",
        ));
    }
    for channel in config.channels.list() {
        places.push(stated(
            format!("the channel {}", channel.name()),
            "alerts and reports",
        ));
    }
    if config.sentry_dsn.is_some() {
        places.push(stated("Sentry", "errors of this bundle"));
    }
    for (service, name) in [
        (&config.openai, "OpenAI"),
        (&config.vision, "Google Vision"),
    ] {
        if service.is_some() {
            places.push(stated(
                format!("{name}, of this bundle's checks"),
                "a probe without data of people",
            ));
        }
    }
    places
}

/// The backups: their newest one is read, and held against what it should be.
pub async fn backups(store: &Store, recipients: Option<&Recipients>) -> Place {
    Place {
        name: format!("backups, in {}", store.place()),
        holds: "everything that the database holds",
        by: "this bundle, before they leave it (age, X25519)",
        key: "public keys of whoever may restore; the private ones are not here",
        verified: match newest(store, recipients).await {
            Ok(verified) => verified,
            Err(error) => Verified::Not(error.what()),
        },
    }
}

async fn newest(store: &Store, ours: Option<&Recipients>) -> Result<Verified, ReadError> {
    let snapshot = catalogue::find(store, "latest").await?;
    let repo = store.get(object_path::REPO).await?;
    let wanted = Repo::parse(&repo).ok();
    let wanted = wanted.and_then(|repo| {
        let mut epochs = repo.epochs.into_iter();
        epochs.find(|epoch| epoch.epoch == snapshot.epoch)
    });
    let Some(epoch) = wanted else {
        let unknown = "repo.json does not say for whom the newest backup is";
        return Ok(Verified::Not(unknown.to_owned()));
    };
    if let Some(ours) = ours.map(Recipients::fingerprints)
        && !is_same(&ours, &epoch.recipients)
    {
        return Ok(Verified::Wrong(format!(
            "the newest backup is for the recipients {}, and BACKUP_RECIPIENTS are {}",
            epoch.recipients.join(", "),
            ours.join(", ")
        )));
    }
    let mut objects = 0;
    for path in sealed_objects(store, &snapshot).await? {
        let found = recipients_of(&store.get(&path).await?);
        if found != epoch.recipients.len() {
            return Ok(Verified::Wrong(match found {
                0 => format!("{path} is not encrypted with age"),
                found => format!(
                    "{path} is encrypted to {found} keys, and not to {}",
                    epoch.recipients.len()
                ),
            }));
        }
        objects += 1;
    }
    let whose = if ours.is_some() {
        "those of BACKUP_RECIPIENTS"
    } else {
        "which BACKUP_RECIPIENTS would be compared with"
    };
    Ok(Verified::Yes(format!(
        "{objects} objects of {} were read and begin with age's header, each for {} public keys; \
         key epoch {} is of {:.0}, for the recipients {}, {whose}",
        snapshot.snapshot.as_str(),
        epoch.recipients.len(),
        epoch.epoch,
        epoch.since,
        epoch.recipients.join(", "),
    )))
}

fn is_same(some: &[String], others: &[String]) -> bool {
    some.len() == others.len() && some.iter().all(|one| others.contains(one))
}

/// The manifest, and some of what the backup holds.
async fn sealed_objects(store: &Store, snapshot: &Snapshot) -> Result<Vec<String>, ReadError> {
    let inventory = catalogue::inventory(store, snapshot).await?;
    let sealed = inventory.objects.into_iter().filter(|object| {
        is_sealed(&object.path) && object.len <= LARGEST && object.path != snapshot.manifest.path
    });
    let mut paths = vec![snapshot.manifest.path.clone()];
    paths.extend(sealed.map(|object| object.path).take(LOOKED_AT));
    Ok(paths)
}

/// Whether an object is named as one that is encrypted.
fn is_sealed(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, kind)| kind == "age")
}

/// To how many keys a file is encrypted; 0 if it is not encrypted with age at all.
fn recipients_of(sealed: &[u8]) -> usize {
    let (beginning, recipient) = AGE;
    let head = &sealed[..sealed.len().min(64 * 1024)];
    if !head.starts_with(beginning.as_bytes()) {
        return 0;
    }
    let recipient = recipient.as_bytes();
    let places = head.windows(recipient.len());
    places.filter(|place| *place == recipient).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_counted_in_the_head_of_a_file() {
        let head = "age-encryption.org/v1\n-> X25519 abc\ndef\n-> X25519 ghi\njkl\n--- mac\n";
        assert_eq!(recipients_of(head.as_bytes()), 2);
        assert_eq!(recipients_of(b"-> X25519 abc"), 0);
        assert_eq!(recipients_of(b""), 0);
    }

    #[test]
    fn recipients_are_the_same_in_any_order() {
        let of = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(is_same(&of(&["a", "b"]), &of(&["b", "a"])));
        assert!(!is_same(&of(&["a", "b"]), &of(&["a"])));
    }

    #[test]
    fn what_is_configured_is_a_place_and_no_secret_is_in_its_name() {
        let config = Config::from_lookup(&|name| {
            let value = match name {
                "SUPABASE_URL" => "https://abc.supabase.co",
                "SUPABASE_SECRET_KEY" => "sb_secret_hidden",
                "RESEND_API_KEY" => "re_hidden",
                "SENTRY_DSN" => "https://hidden@sentry.example/1",
                "GITHUB_REPOSITORY" => "wine/ops",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let places = configured(&config);
        let names: Vec<_> = places.iter().map(|place| place.name.as_str()).collect();
        for name in [
            "the database, at abc.supabase.co",
            "the repository wine/ops, at GitHub",
            "mail, by api.resend.com",
            "Sentry",
        ] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
        assert!(!format!("{places:?}").contains("hidden"), "{places:?}");
    }
}
