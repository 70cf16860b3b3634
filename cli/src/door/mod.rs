//! `pourtrait door`: the project keys with which apps and platforms send.

pub(crate) mod arguments;

use ops::{
    auth::door_key::KeySigner,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    answered::{self, Answered},
    environment::Environment,
    project::{Project, author},
};
use arguments::{Door, NewKey};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

#[derive(Debug, Serialize)]
struct ListKeys {}

#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    keys: Vec<Answered<Key>>,
    drops: Vec<Answered<Drop>>,
}

/// A project key, as far as the command looks at it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    id: u32,
    name: String,
    origins: Vec<String>,
    items_a_minute: u64,
    items_a_day: u64,
    revoked_at: Option<String>,
    #[serde(default)]
    taken_today: u64,
    #[serde(default)]
    refused_today: u64,
}

/// What was not taken.
#[derive(Debug, Deserialize)]
struct Drop {
    key: u32,
    source: String,
    reason: String,
    items: u64,
}

impl Call for ListKeys {
    const NAME: &'static str = "ops_list_door_keys";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct AddKey {
    p_name: String,
    p_origins: Vec<String>,
    p_items_a_minute: u32,
    p_items_a_day: u64,
    p_by: String,
}

impl Call for AddKey {
    const NAME: &'static str = "ops_add_door_key";
    // Twice would be two keys.
    const RETRY: Retry = Retry::Never;
    type Output = Answered<Key>;
}

#[derive(Debug, Serialize)]
struct RotateKey {
    p_key: u32,
    p_by: String,
}

impl Call for RotateKey {
    const NAME: &'static str = "ops_rotate_door_key";
    // Twice would be two keys.
    const RETRY: Retry = Retry::Never;
    type Output = Answered<Key>;
}

#[derive(Debug, Serialize)]
struct RevokeKey {
    p_key: u32,
    p_by: String,
}

impl Call for RevokeKey {
    const NAME: &'static str = "ops_revoke_door_key";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Key>;
}

pub(crate) async fn run(
    action: Door,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let signer = signer(environment)?;
    if !matches!(action, Door::Keys) {
        project.show(environment);
    }
    match action {
        Door::Keys => {
            let listed = project.call(&ListKeys {}).await?;
            output.result(&json!(listed), &overview(&listed, &signer));
        }
        Door::Add(NewKey {
            name,
            origins,
            a_minute,
            a_day,
        }) => {
            let call = AddKey {
                p_name: name,
                p_origins: origins,
                p_items_a_minute: a_minute,
                p_items_a_day: a_day,
                p_by: author(),
            };
            let key = project.call(&call).await?;
            show(&key, &signer, environment, output);
        }
        Door::Rotate { key } => {
            let call = RotateKey {
                p_key: key,
                p_by: author(),
            };
            let key = project.call(&call).await?;
            show(&key, &signer, environment, output);
        }
        Door::Revoke { key } => {
            let call = RevokeKey {
                p_key: key,
                p_by: author(),
            };
            let revoked = project.call(&call).await?;
            let text = revoked.describe(|key| format!("the door is closed to {}", key.name));
            output.result(revoked.document(), &text);
        }
    }
    Ok(Verdict::Good)
}

/// Whoever signs keys: a key is known by the deployment's own secret.
fn signer(environment: &Environment) -> anyhow::Result<KeySigner> {
    let Some(key) = environment.config().monitoring_api_key else {
        return Err(Misuse(format!(
            "MONITORING_API_KEY is not set in {}, or is shorter than 16 characters: project keys \
             are signed with it, and it has to be the deployment's",
            environment.origin()
        ))
        .into());
    };
    Ok(KeySigner::new(&key))
}

/// A new key, and what clients are given.
fn show(key: &Answered<Key>, signer: &KeySigner, environment: &Environment, output: Output) {
    let Some(known) = key.known() else {
        output.result(key.document(), "the key is there");
        return;
    };
    let text_of_key = signer.sign(known.id);
    let base = environment.config().base_url;
    let base = base.as_ref().map_or("$BASE_URL", url::Url::as_str);
    let base = base.trim_end_matches('/');
    let (scheme, host) = base.split_once("://").unwrap_or(("https", base));
    let url = format!("{base}/api/ingest?key={text_of_key}");
    let dsn = format!("{scheme}://{text_of_key}@{host}/{}", known.id);
    let text = format!(
        "key {} ({})\n  {text_of_key}\n  {url}\n  DSN for Sentry's clients: {dsn}",
        known.id, known.name
    );
    let document = json!({ "key": key.document(), "signed": text_of_key, "url": url, "dsn": dsn });
    output.result(&document, &text);
}

const KEYS: [&str; 6] = ["key", "name", "signed", "today", "limits", "pages"];

const DROPS: [&str; 4] = ["key", "source", "not taken in 24 hours", "items"];

fn overview(listed: &Listed, signer: &KeySigner) -> String {
    if listed.keys.is_empty() {
        return "no project keys: the door is closed; `pourtrait door add NAME` opens it"
            .to_owned();
    }
    let keys = answered::table("keys", &listed.keys, KEYS, |key| {
        let pages = match (&key.revoked_at, key.origins.as_slice()) {
            (Some(at), _) => format!("closed since {at}"),
            (None, []) => "any".to_owned(),
            (None, origins) => origins.join(", "),
        };
        [
            key.id.to_string(),
            key.name.clone(),
            signer.sign(key.id),
            format!("{} taken, {} too many", key.taken_today, key.refused_today),
            format!("{} a minute, {} a day", key.items_a_minute, key.items_a_day),
            pages,
        ]
    });
    if listed.drops.is_empty() {
        return keys;
    }
    let drops = answered::table("drops", &listed.drops, DROPS, |drop| {
        [
            drop.key.to_string(),
            drop.source.clone(),
            drop.reason.clone(),
            drop.items.to_string(),
        ]
    });
    format!("{keys}\n\n{drops}")
}
