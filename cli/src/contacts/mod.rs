//! `pourtrait contacts`: whom alerts may ask for, and whether they can be
//! reached.

pub(crate) mod arguments;
mod contact;
mod devices;
mod duty_hours;

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use ops::{
    alerts::dispatch,
    app::App,
    rpc::{Call, Retry},
};
use outside::clock::Deadline;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    answered::{self, Answered, known},
    environment::Environment,
    file_plan::{self, Apply},
    project::{Project, author},
};
use arguments::{Change, Contacts, Reach, Way};
use contact::Contact;
use duty_hours::DutyHours;
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How long delivering a test may take.
const DELIVERY: Duration = Duration::from_secs(40);

#[derive(Debug, Serialize)]
pub(crate) struct ListContacts {}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) contacts: Vec<Answered<Contact>>,
}

impl Call for ListContacts {
    const NAME: &'static str = "ops_list_contacts";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct SaveContact {
    p_contact: Uuid,
    p_fields: Fields,
    p_by: String,
}

/// The fields of a contact that are given; the others stay as they are.
#[derive(Debug, Serialize)]
struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Change<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slack: Option<Change<String>>,
    /// By channel; one that is null is taken away.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    addresses: BTreeMap<String, Option<String>>,
    /// By severity; one that is null is taken away.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ways: BTreeMap<String, Option<Way>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<Change<DutyHours>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<Change<DutyHours>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<Change<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Change<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<Change<Vec<String>>>,
}

impl Fields {
    fn new(name: Option<String>, role: Option<String>, reach: Reach) -> Self {
        let Reach {
            email,
            slack,
            addresses,
            ways,
            hours,
            quiet,
            zone,
            severity,
            services,
        } = reach;
        Self {
            name,
            role,
            email,
            slack,
            addresses: addresses.into_iter().collect(),
            ways: ways.into_iter().collect(),
            hours,
            quiet,
            zone,
            severity,
            services,
        }
    }
}

impl Call for SaveContact {
    const NAME: &'static str = "ops_save_contact";
    // The same fields again change nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Contact>;
}

#[derive(Debug, Serialize)]
struct RemoveContact {
    p_contact: Uuid,
    p_by: String,
}

impl Call for RemoveContact {
    const NAME: &'static str = "ops_remove_contact";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<IgnoredAny>;
}

#[derive(Debug, Serialize)]
struct ApplyContacts {
    p_contacts: Vec<Value>,
    p_remove: bool,
    p_dry_run: bool,
    p_by: String,
}

impl Call for ApplyContacts {
    const NAME: &'static str = "ops_apply_contacts";
    // Twice is the same as once, but the second answer would say that nothing changed.
    const RETRY: Retry = Retry::Never;
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
    type Output = IgnoredAny;
}

pub(crate) async fn run(
    action: Contacts,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    if !action.only_looks() {
        project.show(environment);
    }
    match action {
        Contacts::List => show(&all(&project).await?, output),
        Contacts::Add { name, role, reach } => {
            let fields = Fields::new(Some(name), Some(role), reach);
            show(&[save(&project, Uuid::new_v4(), fields).await?], output);
        }
        Contacts::Edit {
            name,
            new_name,
            role,
            reach,
        } => {
            let fields = Fields::new(new_name, role, reach);
            let contacts = all(&project).await?;
            let (_, contact) = find(&contacts, &name)?;
            show(&[save(&project, contact.id, fields).await?], output);
        }
        Contacts::Remove { name } => {
            let contacts = all(&project).await?;
            let (_, contact) = find(&contacts, &name)?;
            let call = RemoveContact {
                p_contact: contact.id,
                p_by: author(),
            };
            let removed = project.call(&call).await?;
            let text = format!("{} is no longer asked or told", contact.name);
            output.result(removed.document(), &text);
        }
        Contacts::Export => export(&all(&project).await?, output),
        Contacts::Apply(file) => apply(&project, &file, output).await?,
        Contacts::Devices(options) => {
            let contacts = all(&project).await?;
            let (_, contact) = find(&contacts, &options.name)?;
            devices::run(&project, contact, &options, environment, output).await?;
        }
        Contacts::Keygen => return keygen(output),
        Contacts::Test { name } => return test(&project, &name, environment, output).await,
    }
    Ok(Verdict::Good)
}

/// Makes the key to which devices subscribe.
pub(crate) fn keygen(output: Output) -> anyhow::Result<Verdict> {
    devices::keygen(output)?;
    Ok(Verdict::Good)
}

async fn save(
    project: &Project,
    contact: Uuid,
    fields: Fields,
) -> anyhow::Result<Answered<Contact>> {
    let call = SaveContact {
        p_contact: contact,
        p_fields: fields,
        p_by: author(),
    };
    project.call(&call).await
}

async fn all(project: &Project) -> anyhow::Result<Vec<Answered<Contact>>> {
    Ok(project.call(&ListContacts {}).await?.contacts)
}

/// The fields that a file names: what somebody said of a contact, and nothing that
/// was found out since.
const FILED: [&str; 11] = [
    "name",
    "role",
    "email",
    "slack",
    "addresses",
    "ways",
    "hours",
    "quiet",
    "zone",
    "severity",
    "services",
];

/// All contacts as a file, in the order in which they are asked.
fn export(contacts: &[Answered<Contact>], output: Output) {
    let definitions: Vec<Value> = contacts.iter().map(|one| filed(one.document())).collect();
    let text = file_plan::write("contacts", &definitions);
    output.result(&json!({ "contacts": definitions }), &text);
}

fn filed(contact: &Value) -> Value {
    let said = FILED.into_iter().map(|field| (field, &contact[field]));
    let is_empty = |value: &Value| *value == json!([]) || *value == json!({});
    said.filter(|(_, value)| !value.is_null() && !is_empty(value))
        .map(|(field, value)| (field.to_owned(), value.clone()))
        .collect()
}

async fn apply(project: &Project, file: &Apply, output: Output) -> anyhow::Result<()> {
    let call = ApplyContacts {
        p_contacts: file.definitions("contacts")?,
        p_remove: file.remove,
        p_dry_run: file.dry_run,
        p_by: author(),
    };
    let plan = project.call(&call).await?;
    output.result(&plan, &file_plan::describe(&plan)?);
    Ok(())
}

/// The id of the contact of that name.
pub(crate) async fn id_of(project: &Project, name: &str) -> anyhow::Result<Uuid> {
    let contacts = all(project).await?;
    let (_, contact) = find(&contacts, name)?;
    Ok(contact.id)
}

/// The contact of that name, as it was answered and as it is read.
fn find<'a>(
    contacts: &'a [Answered<Contact>],
    name: &str,
) -> Result<(&'a Answered<Contact>, &'a Contact), Misuse> {
    let wanted = name.trim().to_lowercase();
    answered::find(contacts, |contact| contact.name.to_lowercase() == wanted).ok_or_else(|| {
        let names: Vec<_> = known(contacts)
            .map(|contact| contact.name.as_str())
            .collect();
        let there_are = match names.as_slice() {
            [] => "there is none".to_owned(),
            names => format!("there are {}", names.join(", ")),
        };
        Misuse(format!("no contact is called {name}; {there_are}"))
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
    let contacts = all(project).await?;
    let (_, contact) = find(&contacts, name)?;
    let call = TestContact {
        p_contact: contact.id,
        p_by: author(),
    };
    project.call(&call).await?;
    let app = App::new(environment.config());
    dispatch::deliver(&app, Deadline::after(DELIVERY))
        .await
        .context("the test is queued and could not be delivered from here")?;
    let contacts = all(project).await?;
    let (answered, contact) = find(&contacts, name)?;
    show(std::slice::from_ref(answered), output);
    let unproven = contact.unproven();
    if unproven.is_empty() {
        return Ok(Verdict::Good);
    }
    output::note(&format!(
        "not sent yet by {}: the deployment tries within a minute, if the channel is configured there",
        unproven.join(" and ")
    ));
    Ok(Verdict::Bad)
}

fn show(contacts: &[Answered<Contact>], output: Output) {
    output.result(&json!({ "contacts": contacts }), &contact::table(contacts));
}
