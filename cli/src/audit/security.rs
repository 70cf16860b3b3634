//! `pourtrait audit security`: what an auditor asks, from what can be looked at, with a word
//! about each thing that cannot.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::Context;
use backup::{catalogue, store::Store};
use jiff::{SignedDuration, Timestamp};
use ops::{
    audit_log::Entry,
    rpc::{Call, Retry},
};
use outside::clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    arguments::Security,
    proof::{self, Proof},
    rows,
};
use crate::{environment::Environment, project::Project};
use terminal::{failure::Verdict, output::Output};

/// A key that is older is to be rotated.
const OLD_DAYS: i64 = 365;

/// How a file begins that is encrypted with age, and each recipient in it.
const AGE: (&str, &str) = ("age-encryption.org/v1\n", "\n-> X25519 ");

#[derive(Debug, Serialize)]
struct ReadReport {
    p_from: Timestamp,
}

impl Call for ReadReport {
    const NAME: &'static str = "ops_security_report";
    const RETRY: Retry = Retry::Read;
    type Output = Answer;
}

/// What the database knows of it.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    from: Timestamp,
    to: Timestamp,
    /// Roles by the ids of users; nothing where they cannot be read.
    people: Option<BTreeMap<String, String>>,
    keys: Vec<Key>,
    heartbeats: u64,
    kept: Vec<Kept>,
    tables: Tables,
    policies: Vec<Policy>,
    grants: Vec<Granted>,
    changes: Vec<Changed>,
    rows: Vec<Entry>,
}

/// A project key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    id: u32,
    name: String,
    created_at: Timestamp,
    created_by: String,
    revoked_at: Option<Timestamp>,
}

/// How long something is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    key: String,
    value: Value,
    unit: Option<String>,
    what: String,
}

/// How many tables are ours, and how many have row-level security.
#[derive(Debug, Serialize, Deserialize)]
struct Tables {
    ours: u64,
    guarded: u64,
}

/// A policy of a table that the project's API exposes.
#[derive(Debug, Serialize, Deserialize)]
struct Policy {
    table: String,
    policy: String,
    roles: Vec<String>,
    command: String,
    using: Option<String>,
    check: Option<String>,
}

/// What a role of strangers may do with a table.
#[derive(Debug, Serialize, Deserialize)]
struct Granted {
    table: String,
    role: String,
    may: Vec<String>,
}

/// How often something was done, and how often before.
#[derive(Debug, Serialize, Deserialize)]
struct Changed {
    action: String,
    now: u64,
    before: u64,
}

/// How one place is encrypted at rest.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AtRest {
    place: String,
    by: &'static str,
    key: &'static str,
    verified: String,
}

pub(super) async fn run(
    options: &Security,
    project: &Project,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let since = SignedDuration::from_hours(24 * i64::from(options.days));
    let call = ReadReport {
        p_from: clock::now() - since,
    };
    let answer = project.call(&call).await?;
    let proof = proof::find(project, environment).await?;
    let at_rest = at_rest(project, environment, proof.store.as_ref()).await;
    let document = json!({
        "host": project.host(), "database": answer, "auditLog": proof.report, "atRest": at_rest,
    });
    let text = markdown(project.host(), &answer, &proof, &at_rest);
    match &options.out {
        Some(file) => {
            let written = std::fs::write(file, &text);
            written.with_context(|| format!("cannot write {}", file.display()))?;
            output.result(&document, &format!("wrote {}", file.display()));
        }
        None => output.result(&document, text.trim_end()),
    }
    Ok(proof.verdict())
}

/// Each place where something lies.
async fn at_rest(
    project: &Project,
    environment: &Environment,
    store: Option<&Store>,
) -> Vec<AtRest> {
    let mut places = vec![AtRest {
        place: format!("the database, at {}", project.host()),
        by: "its provider",
        key: "the provider's",
        verified: "no: the provider states it".to_owned(),
    }];
    if let Some(store) = store {
        places.push(AtRest {
            place: format!("backups, in {}", store.place()),
            by: "this bundle, before they leave it",
            key: "public keys of whoever may restore; the private ones are not here",
            verified: newest_backup(store).await,
        });
    }
    if environment.get("VERCEL_PROJECT_ID").is_some() {
        places.push(AtRest {
            place: "variables of the deployment, at Vercel".to_owned(),
            by: "its provider",
            key: "the provider's",
            verified: "no: the provider states it".to_owned(),
        });
    }
    places
}

/// Whether the newest backup is encrypted as it should be, by its own bytes.
async fn newest_backup(store: &Store) -> String {
    let manifest = async {
        let newest = catalogue::find(store, "latest").await?;
        let sealed = store.get(&newest.manifest.path).await?;
        Ok::<_, catalogue::ReadError>((newest.snapshot, sealed))
    };
    match manifest.await {
        Err(error) => format!("no: {}", error.what()),
        Ok((snapshot, sealed)) => match recipients(&sealed) {
            0 => format!("NO: the manifest of {snapshot} is not encrypted with age"),
            count => format!("yes: the manifest of {snapshot} is encrypted to {count} public keys"),
        },
    }
}

/// To how many keys a file is encrypted; 0 if it is not encrypted with age at all.
fn recipients(sealed: &[u8]) -> usize {
    let (beginning, recipient) = AGE;
    let head = &sealed[..sealed.len().min(64 * 1024)];
    if !head.starts_with(beginning.as_bytes()) {
        return 0;
    }
    let recipient = recipient.as_bytes();
    let places = head.windows(recipient.len());
    places.filter(|place| *place == recipient).count()
}

fn markdown(host: &str, answer: &Answer, proof: &Proof, at_rest: &[AtRest]) -> String {
    let mut text = format!(
        "# Security report\n\nOf {host}, from {:.0} to {:.0}.\n",
        answer.from, answer.to
    );
    section(&mut text, "The audit log", &proof.text());
    changes(&mut text, answer);
    people(&mut text, answer);
    keys(&mut text, answer);
    kept(&mut text, answer);
    readers(&mut text, answer);
    let rows = at_rest.iter().map(|place| {
        [&place.place, place.by, place.key, &place.verified]
            .map(str::to_owned)
            .to_vec()
    });
    let table = table(&["place", "by", "key", "verified"], rows);
    section(&mut text, "Encrypted at rest", &table);
    section(
        &mut text,
        "Not looked at here",
        "TLS and headers from outside: `pourtrait verify`. Advisories of dependencies: `pourtrait validate --only \
         advisories`. What was done in the dashboards of providers: their own logs.",
    );
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    let _ = write!(text, "\n## {title}\n\n{}\n", body.trim_end());
}

/// A table of Markdown, or a word where it has no row.
fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<String> = rows
        .map(|cells| {
            let cells = cells.iter().map(|cell| cell.replace('|', "\\|"));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        })
        .collect();
    if rows.is_empty() {
        return "None.".to_owned();
    }
    let rule = "| --- ".repeat(heading.len());
    format!("| {} |\n{rule}|\n{}", heading.join(" | "), rows.concat())
}

fn changes(text: &mut String, answer: &Answer) {
    let counted = answer.changes.iter().map(|changed| {
        vec![
            changed.action.clone(),
            changed.now.to_string(),
            changed.before.to_string(),
        ]
    });
    let counted = table(&["what", "in this time", "in the one before"], counted);
    section(text, "What was done", &counted);
    let told = answer.rows.iter().map(|row| rows::cells(row).to_vec());
    section(
        text,
        "Row by row, but for answers to alerts and incidents",
        &table(&rows::HEADING, told),
    );
}

fn people(text: &mut String, answer: &Answer) {
    let body = match &answer.people {
        None => "The users of the project cannot be read.".to_owned(),
        Some(people) => table(
            &["user", "role"],
            people
                .iter()
                .map(|(user, role)| vec![user.clone(), role.clone()]),
        ),
    };
    section(text, "People with a role", &body);
}

fn keys(text: &mut String, answer: &Answer) {
    let open = answer.keys.iter().filter(|key| key.revoked_at.is_none());
    let rows = open.map(|key| {
        let days = answer.to.duration_since(key.created_at).as_hours() / 24;
        let verdict = if days > OLD_DAYS {
            ", to be rotated"
        } else {
            ""
        };
        vec![
            key.id.to_string(),
            key.name.clone(),
            key.created_by.clone(),
            format!("{days} days{verdict}"),
        ]
    });
    let body = table(&["project key", "name", "made by", "age"], rows);
    let heartbeats = answer.heartbeats;
    let body = format!(
        "{}\n\nTokens of heartbeats: {heartbeats}. The age of secrets in variables is not known here.",
        body.trim_end()
    );
    section(text, "Keys", &body);
}

fn kept(text: &mut String, answer: &Answer) {
    let rows = answer.kept.iter().map(|kept| {
        let unit = kept.unit.as_deref().unwrap_or_default();
        vec![
            kept.what.clone(),
            format!("{} {unit}", kept.value),
            kept.key.clone(),
        ]
    });
    section(
        text,
        "What is kept, and how long",
        &table(&["what", "how long", "setting"], rows),
    );
}

fn readers(text: &mut String, answer: &Answer) {
    let Tables { ours, guarded } = &answer.tables;
    let grants = answer.grants.iter().map(|granted| {
        vec![
            granted.table.clone(),
            granted.role.clone(),
            granted.may.join(", "),
        ]
    });
    let grants = table(&["table", "role", "may"], grants);
    let policies = answer.policies.iter().map(|policy| {
        let conditions = [("using", &policy.using), ("with check", &policy.check)];
        let conditions = conditions
            .iter()
            .filter_map(|(word, condition)| Some(format!("{word} {}", condition.as_ref()?)));
        vec![
            policy.table.clone(),
            policy.policy.clone(),
            policy.roles.join(", "),
            policy.command.clone(),
            conditions.collect::<Vec<_>>().join(" "),
        ]
    });
    let policies = table(
        &["table", "policy", "roles", "command", "condition"],
        policies,
    );
    section(
        text,
        "Who may read what",
        &format!(
            "Of {ours} tables of the bundle, {guarded} have row-level security. What strangers (`anon`) and people \
             who are signed in (`authenticated`) have a privilege to do, narrowed by the policies below it; who \
             comes in by which door is in docs/access.md.\n\n{grants}\n{policies}"
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_counted_in_the_head_of_a_file() {
        let head = "age-encryption.org/v1\n-> X25519 abc\ndef\n-> X25519 ghi\njkl\n--- mac\n";
        assert_eq!(recipients(head.as_bytes()), 2);
        assert_eq!(recipients(b"-> X25519 abc"), 0);
        assert_eq!(recipients(b""), 0);
    }

    #[test]
    fn a_table_escapes_what_would_end_a_cell_and_says_where_it_is_empty() {
        let rows = [vec!["a|b".to_owned(), "c".to_owned()]];
        assert_eq!(
            table(&["x", "y"], rows.into_iter()),
            "| x | y |\n| --- | --- |\n| a\\|b | c |\n"
        );
        assert_eq!(table(&["x"], std::iter::empty()), "None.");
    }

    #[test]
    fn a_key_of_more_than_a_year_is_named() {
        let key = |id, created_at: &str, revoked_at: Option<&str>| json!({"id": id, "name": "web", "createdAt": created_at, "createdBy": "anna", "revokedAt": revoked_at});
        let answer: Answer = serde_json::from_value(json!({
            "from": "2026-10-30T00:00:00Z", "to": "2026-11-30T00:00:00Z", "people": null,
            "keys": [
                key(1, "2025-11-29T00:00:00Z", None),
                key(2, "2026-11-20T00:00:00Z", None),
                key(3, "2020-01-01T00:00:00Z", Some("2021-01-01T00:00:00Z")),
            ],
            "heartbeats": 2, "kept": [], "tables": {"ours": 1, "guarded": 1}, "policies": [], "grants": [],
            "changes": [], "rows": [],
        }))
        .unwrap();
        let mut text = String::new();
        keys(&mut text, &answer);
        assert!(
            text.contains("| 1 | web | anna | 366 days, to be rotated |"),
            "{text}"
        );
        assert!(text.contains("| 2 | web | anna | 10 days |"), "{text}");
        assert!(!text.contains("| 3 |"), "{text}");
        people(&mut text, &answer);
        assert!(text.contains("cannot be read"), "{text}");
    }
}
