//! `pourtrait checks`: what is watched beside the app itself. Checks are rows of
//! the database and validated there.

pub(crate) mod arguments;
pub(crate) mod check_list;
mod history;
mod probing;

use ops::{
    auth::heartbeat_token::{self, TokenSigner},
    monitoring::expectation::Expectation,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    answered::Answered,
    environment::Environment,
    file_plan::{self, Apply},
    project::{Project, author},
};
use arguments::{Checks, Kind};
use check_list::{Check, ListChecks};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// Fields of a check by name, as they were typed.
type Fields = Map<String, Value>;

#[derive(Debug, Serialize)]
struct AddCheck {
    p_name: String,
    p_check: Fields,
    p_by: String,
}

impl Call for AddCheck {
    const NAME: &'static str = "ops_add_check";
    const RETRY: Retry = Retry::Never;
    type Output = Answered<Check>;
}

#[derive(Debug, Serialize)]
struct EditCheck {
    p_name: String,
    p_changes: Fields,
    p_by: String,
}

impl Call for EditCheck {
    const NAME: &'static str = "ops_edit_check";
    // Twice would be recorded twice.
    const RETRY: Retry = Retry::Never;
    type Output = Answered<Check>;
}

#[derive(Debug, Serialize)]
struct RemoveCheck {
    p_name: String,
    p_by: String,
}

impl Call for RemoveCheck {
    const NAME: &'static str = "ops_remove_check";
    const RETRY: Retry = Retry::Never;
    type Output = Answered<Check>;
}

#[derive(Debug, Serialize)]
struct ApplyChecks {
    p_checks: Vec<Value>,
    p_remove: bool,
    p_dry_run: bool,
    p_by: String,
}

impl Call for ApplyChecks {
    const NAME: &'static str = "ops_apply_checks";
    // Twice is the same as once, but the second answer would say that nothing changed.
    const RETRY: Retry = Retry::Never;
    type Output = Value;
}

#[derive(Debug, Serialize)]
struct IssueToken {
    p_name: String,
    p_by: String,
    p_token_hash: String,
}

impl Call for IssueToken {
    const NAME: &'static str = "ops_issue_heartbeat_token";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Value;
}

pub(crate) async fn run(
    action: Checks,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Checks::List { tag } => {
            let mut checks = project.call(&ListChecks {}).await?.checks;
            checks.retain(|check| check_list::has_tag(check, tag.as_deref()));
            output.result(&json!(checks), &check_list::table(&checks));
        }
        Checks::Test { name } => return probing::run(&project, &name, environment, output).await,
        Checks::History { name, limit } => history::run(&project, name, limit, output).await?,
        Checks::Export => export(&project, output).await?,
        Checks::Apply(file) => {
            project.show(environment);
            apply(&project, &file, output).await?;
        }
        Checks::Add { name, kind, fields } => {
            // Before anything is added: without a token a heartbeat is of no use.
            let token = (kind == Kind::Heartbeat).then(|| token(environment));
            let token = token.transpose()?;
            project.show(environment);
            check_patterns(&fields.iter().cloned().collect())?;
            let added = add(&project, name.clone(), kind, fields).await?;
            output.result(added.document(), &check_list::line(&added));
            if let Some(token) = token {
                issue(&project, name, &token, environment, output).await?;
            }
        }
        Checks::Edit { name, fields } => {
            project.show(environment);
            let fields: Fields = fields.into_iter().collect();
            check_patterns(&fields)?;
            let edit = EditCheck {
                p_name: name,
                p_changes: fields,
                p_by: author(),
            };
            let edited = project.call(&edit).await?;
            output.result(edited.document(), &check_list::line(&edited));
        }
        Checks::Remove { name } => {
            project.show(environment);
            let remove = RemoveCheck {
                p_name: name,
                p_by: author(),
            };
            let removed = project.call(&remove).await?;
            let text = format!("removed: {}", check_list::line(&removed));
            output.result(removed.document(), &text);
        }
        Checks::Token { name } => {
            let token = token(environment)?;
            project.show(environment);
            issue(&project, name, &token, environment, output).await?;
        }
    }
    Ok(Verdict::Good)
}

async fn add(
    project: &Project,
    name: String,
    kind: Kind,
    fields: Vec<(String, Value)>,
) -> anyhow::Result<Answered<Check>> {
    let mut check: Fields = fields.into_iter().collect();
    check.insert("kind".to_owned(), json!(kind));
    let add = AddCheck {
        p_name: name,
        p_check: check,
        p_by: author(),
    };
    project.call(&add).await
}

/// All checks as a file, in the order of their names.
async fn export(project: &Project, output: Output) -> anyhow::Result<()> {
    let checks = project.call(&ListChecks {}).await?.checks;
    let definitions: Vec<_> = checks
        .iter()
        .map(|check| check.document()["definition"].clone())
        .collect();
    let text = file_plan::write("checks", &definitions);
    output.result(&json!({ "checks": definitions }), &text);
    Ok(())
}

async fn apply(project: &Project, file: &Apply, output: Output) -> anyhow::Result<()> {
    let checks = file.definitions("checks")?;
    for check in checks.iter().filter_map(Value::as_object) {
        check_patterns(check)?;
    }
    let call = ApplyChecks {
        p_checks: checks,
        p_remove: file.remove,
        p_dry_run: file.dry_run,
        p_by: author(),
    };
    let plan = project.call(&call).await?;
    output.result(&plan, &file_plan::describe(&plan)?);
    for name in new_heartbeats(&plan).filter(|_| !file.dry_run) {
        output::note(&format!(
            "{name} reports to a URL that `pourtrait checks token {name}` makes"
        ));
    }
    Ok(())
}

fn new_heartbeats(plan: &Value) -> impl Iterator<Item = &str> {
    let changes = plan["changes"].as_array().into_iter().flatten();
    changes
        .filter(|change| change["from"].is_null() && change["to"]["kind"] == "heartbeat")
        .filter_map(|change| change["name"].as_str())
}

/// Refuses a regular expression that no probe could read: the database cannot tell.
fn check_patterns(fields: &Fields) -> Result<(), Misuse> {
    // Whatever else is wrong, the database says.
    let Ok(expectation) = Expectation::deserialize(fields) else {
        return Ok(());
    };
    expectation.check_patterns().map_err(|unmet| {
        let which = unmet.which.unwrap_or_default();
        Misuse(format!("a regular expression cannot be read: {which}"))
    })
}

/// A new token, signed with the key that the deployment will know it by.
fn token(environment: &Environment) -> anyhow::Result<String> {
    let Some(key) = environment.config().monitoring_api_key else {
        return Err(Misuse(format!(
            "MONITORING_API_KEY is not set in {}, or is shorter than 16 characters: the token of \
             a heartbeat is signed with it, and it has to be the deployment's",
            environment.origin()
        ))
        .into());
    };
    Ok(TokenSigner::new(&key).issue())
}

/// Gives a heartbeat its token and shows its URL, which cannot be shown again.
async fn issue(
    project: &Project,
    name: String,
    token: &str,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<()> {
    let issue = IssueToken {
        p_name: name,
        p_by: author(),
        p_token_hash: heartbeat_token::hash(token),
    };
    project.call(&issue).await?;
    let base = environment.config().base_url;
    let base = base.as_ref().map_or("$BASE_URL", url::Url::as_str);
    let url = format!("{}/api/heartbeat?token={token}", base.trim_end_matches('/'));
    output.result(&json!({ "token": token, "url": url }), &url);
    Ok(())
}
