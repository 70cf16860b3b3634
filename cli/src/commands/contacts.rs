//! `pourtrait contacts`: whom alerts may ask for, and whether they can be
//! reached.

use std::time::Duration;

use anyhow::Context;
use ops::{
    alerts::dispatch,
    app::App,
    clock::Deadline,
    endpoint::Endpoint,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    hours::Hours,
    project::{Project, author},
};
use crate::{
    arguments::contacts::{ContactFields, Contacts},
    environment::Environment,
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How long delivering a test may take.
const DELIVERY: Duration = Duration::from_secs(40);

/// A contact, as the database answers it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contact {
    id: Uuid,
    pub(super) name: String,
    role: String,
    pub(super) level: u8,
    email: Option<String>,
    email_proven_at: Option<String>,
    slack: Option<String>,
    slack_proven_at: Option<String>,
    hours: Option<Hours>,
    zone: String,
    updated_at: String,
    updated_by: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ListContacts {}

#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) contacts: Vec<Contact>,
}

impl Call for ListContacts {
    const NAME: &'static str = "ops_list_contacts";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct SaveContact {
    p_contact: Uuid,
    p_fields: Map<String, Value>,
    p_by: String,
}

impl Call for SaveContact {
    const NAME: &'static str = "ops_save_contact";
    // The same fields again change nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Contact;
}

#[derive(Debug, Serialize)]
struct RemoveContact {
    p_contact: Uuid,
}

impl Call for RemoveContact {
    const NAME: &'static str = "ops_remove_contact";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Value;
}

#[derive(Debug, Serialize)]
struct TestContact {
    p_contact: Uuid,
    p_by: String,
}

impl Call for TestContact {
    const NAME: &'static str = "ops_test_contact";
    // Twice would be sent twice.
    const RETRY: Retry = Retry::Never;
    type Output = Value;
}

impl Contact {
    /// Its channels: name, address, and since when each is proven.
    fn channels(&self) -> impl Iterator<Item = (&'static str, &str, Option<&str>)> {
        [
            ("email", &self.email, &self.email_proven_at),
            ("slack", &self.slack, &self.slack_proven_at),
        ]
        .into_iter()
        .filter_map(|(channel, address, proven)| {
            Some((channel, address.as_deref()?, proven.as_deref()))
        })
    }

    /// The channels that nothing was ever sent by.
    pub(super) fn unproven(&self) -> Vec<&'static str> {
        self.channels()
            .filter(|(.., proven)| proven.is_none())
            .map(|(channel, ..)| channel)
            .collect()
    }

    fn row(&self) -> [String; 5] {
        let channels: Vec<String> = self
            .channels()
            .map(|(channel, address, proven)| {
                let proven = if proven.is_some() {
                    ""
                } else {
                    " (not proven)"
                };
                format!("{channel} {address}{proven}")
            })
            .collect();
        let hours = self.hours.as_ref().map_or_else(
            || "always".to_owned(),
            |hours| format!("{hours} {}", self.zone),
        );
        [
            format!("L{}", self.level),
            self.role.clone(),
            self.name.clone(),
            channels.join(", "),
            hours,
        ]
    }
}

pub(crate) async fn run(
    action: Contacts,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    if !matches!(action, Contacts::List) {
        project.show(environment);
    }
    match action {
        Contacts::List => {
            let contacts = project.call(&ListContacts {}).await?.contacts;
            show(&contacts, output);
        }
        Contacts::Add { name, role, fields } => {
            let mut given = given(&fields)?;
            given.insert("name".to_owned(), json!(name));
            given.insert("role".to_owned(), json!(role));
            show(&[save(&project, Uuid::new_v4(), given).await?], output);
        }
        Contacts::Edit {
            name,
            new_name,
            role,
            fields,
        } => {
            let mut given = given(&fields)?;
            for (key, value) in [("name", new_name), ("role", role)] {
                if let Some(value) = value {
                    given.insert(key.to_owned(), json!(value));
                }
            }
            let contact = find(&project, &name).await?;
            show(&[save(&project, contact.id, given).await?], output);
        }
        Contacts::Remove { name } => {
            let contact = find(&project, &name).await?;
            let call = RemoveContact {
                p_contact: contact.id,
            };
            let removed = project.call(&call).await?;
            output.result(&removed, &format!("{} is no longer asked", contact.name));
        }
        Contacts::Test { name } => return test(&project, &name, environment, output).await,
    }
    Ok(Verdict::Good)
}

async fn save(
    project: &Project,
    contact: Uuid,
    fields: Map<String, Value>,
) -> anyhow::Result<Contact> {
    let call = SaveContact {
        p_contact: contact,
        p_fields: fields,
        p_by: author(),
    };
    project.call(&call).await
}

/// The fields that were given; an empty word takes one away.
fn given(fields: &ContactFields) -> anyhow::Result<Map<String, Value>> {
    let text = |value: &Option<String>| {
        value.as_ref().map(|value| match value.trim() {
            "" => Value::Null,
            value => json!(value),
        })
    };
    let hours = match fields.hours.as_deref().map(str::trim) {
        None => None,
        Some("" | "always") => Some(Value::Null),
        Some(words) => Some(json!(Hours::parse(words).map_err(Misuse)?)),
    };
    let all = [
        ("email", text(&fields.email)),
        ("slack", text(&fields.slack)),
        ("hours", hours),
        ("zone", text(&fields.zone)),
    ];
    Ok(all
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect())
}

async fn find(project: &Project, name: &str) -> anyhow::Result<Contact> {
    let contacts = project.call(&ListContacts {}).await?.contacts;
    let known: Vec<_> = contacts
        .iter()
        .map(|contact| contact.name.clone())
        .collect();
    contacts
        .into_iter()
        .find(|contact| contact.name.to_lowercase() == name.trim().to_lowercase())
        .with_context(|| {
            let known = match known.as_slice() {
                [] => "there is none".to_owned(),
                known => format!("there are {}", known.join(", ")),
            };
            Misuse(format!("no contact is called {name}; {known}"))
        })
}

/// Queues real messages and delivers them from here, as far as the variables
/// here allow; the deployment delivers the rest.
async fn test(
    project: &Project,
    name: &str,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let contact = find(project, name).await?;
    let call = TestContact {
        p_contact: contact.id,
        p_by: author(),
    };
    project.call(&call).await?;
    let app = App::new(Endpoint::Dispatch, environment.config());
    dispatch::deliver(&app, Deadline::after(DELIVERY))
        .await
        .context("the test is queued and could not be delivered from here")?;
    let contact = find(project, name).await?;
    let unproven = contact.unproven();
    show(&[contact], output);
    if unproven.is_empty() {
        return Ok(Verdict::Good);
    }
    output::note(&format!(
        "not sent yet by {}: the deployment tries within a minute, if the channel is configured there",
        unproven.join(" and ")
    ));
    Ok(Verdict::Bad)
}

fn show(contacts: &[Contact], output: Output) {
    let rows: Vec<_> = contacts.iter().map(Contact::row).collect();
    let text = if rows.is_empty() {
        "no contacts: alerts go to the channels alone, and nobody else is ever asked".to_owned()
    } else {
        output::table(["level", "role", "name", "channels", "on duty"], &rows)
    };
    output.result(&json!({ "contacts": contacts }), &text);
}
