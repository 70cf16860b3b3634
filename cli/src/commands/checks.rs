//! `pourtrait checks`: what is watched beside the app itself, which are rows of
//! the database and validated there.

use std::time::Duration;

use anyhow::Context;
use ops::{
    clock::Deadline,
    monitoring::{check::Status, probes::Prober, targets},
    outbound::Outbound,
    reach::Reach,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::project::{Project, author, plain};
use crate::{
    arguments::checks::Checks,
    environment::Environment,
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How long trying a check may take; its own time-out is shorter.
const TRY: Duration = Duration::from_secs(15);

#[derive(Debug, Serialize)]
struct ListChecks {}

#[derive(Debug, Deserialize)]
struct Listed {
    checks: Vec<Kept>,
}

/// A check and what was seen of it last.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    definition: Map<String, Value>,
    updated_at: String,
    updated_by: String,
    status: Option<String>,
    reason: Option<String>,
    latency_ms: Option<f64>,
    at: Option<String>,
}

impl Call for ListChecks {
    const NAME: &'static str = "ops_list_checks";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// The fields of a definition, as it is after a change.
type Definition = Map<String, Value>;

#[derive(Debug, Serialize)]
struct AddCheck {
    p_name: String,
    p_check: Definition,
    p_by: String,
}

impl Call for AddCheck {
    const NAME: &'static str = "ops_add_check";
    const RETRY: Retry = Retry::Never;
    type Output = Definition;
}

#[derive(Debug, Serialize)]
struct EditCheck {
    p_name: String,
    p_changes: Definition,
    p_by: String,
}

impl Call for EditCheck {
    const NAME: &'static str = "ops_edit_check";
    // Twice would be recorded twice.
    const RETRY: Retry = Retry::Never;
    type Output = Definition;
}

#[derive(Debug, Serialize)]
struct RemoveCheck {
    p_name: String,
    p_by: String,
}

impl Call for RemoveCheck {
    const NAME: &'static str = "ops_remove_check";
    const RETRY: Retry = Retry::Never;
    type Output = Definition;
}

#[derive(Debug, Serialize)]
struct IssueToken {
    p_name: String,
    p_by: String,
}

#[derive(Debug, Deserialize)]
struct Issued {
    token: String,
}

impl Call for IssueToken {
    const NAME: &'static str = "ops_issue_heartbeat_token";
    const RETRY: Retry = Retry::Never;
    type Output = Issued;
}

pub(crate) async fn run(
    action: Checks,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Checks::List => {
            let checks = project.call(&ListChecks {}).await?.checks;
            output.result(&json!(checks), &listing(&checks));
        }
        Checks::Add { name, kind, fields } => {
            project.show(environment);
            let mut check: Definition = fields.into_iter().collect();
            let is_heartbeat = kind == "heartbeat";
            check.insert("kind".to_owned(), kind.into());
            let add = AddCheck {
                p_name: name.clone(),
                p_check: check,
                p_by: author(),
            };
            let added = project.call(&add).await?;
            output.result(&json!(added), &described(&added));
            if is_heartbeat {
                issue(&project, name, environment, output).await?;
            }
        }
        Checks::Edit { name, fields } => {
            project.show(environment);
            let edit = EditCheck {
                p_name: name,
                p_changes: fields.into_iter().collect(),
                p_by: author(),
            };
            let edited = project.call(&edit).await?;
            output.result(&json!(edited), &described(&edited));
        }
        Checks::Remove { name } => {
            project.show(environment);
            let remove = RemoveCheck {
                p_name: name,
                p_by: author(),
            };
            let removed = project.call(&remove).await?;
            output.result(
                &json!(removed),
                &format!("removed: {}", described(&removed)),
            );
        }
        Checks::Test { name } => return test(&project, &name, environment, output).await,
        Checks::Token { name } => {
            project.show(environment);
            issue(&project, name, environment, output).await?;
        }
    }
    Ok(Verdict::Good)
}

/// Shows a heartbeat's URL, which cannot be shown again.
async fn issue(
    project: &Project,
    name: String,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<()> {
    let issue = IssueToken {
        p_name: name,
        p_by: author(),
    };
    let Issued { token } = project.call(&issue).await?;
    let base = environment.config().base_url;
    let base = base.as_ref().map_or("$BASE_URL", url::Url::as_str);
    let url = format!("{}/api/heartbeat?token={token}", base.trim_end_matches('/'));
    output.result(&json!({ "token": token, "url": url }), &url);
    Ok(())
}

/// Probes a check from this machine, wherever it may lead: whoever runs this can
/// reach it anyway.
async fn test(
    project: &Project,
    name: &str,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let checks = project.call(&ListChecks {}).await?.checks;
    let kept = checks
        .into_iter()
        .find(|kept| kept.definition["name"] == name)
        .with_context(|| {
            Misuse(format!(
                "no check is called {name}: see `pourtrait checks list`"
            ))
        })?;
    let kind = plain(&kept.definition["kind"]);
    if ["heartbeat", "rule"].contains(&kind.as_str()) {
        let text = format!(
            "{name} ({kind}) is read by the monitor itself: {}",
            seen(&kept)
        );
        output.result(&json!(kept), &text);
        return Ok(verdict(kept.status.as_deref() == Some("up")));
    }

    let target = targets::of_definition(&kept.definition.into()).map_err(Misuse)?;
    let variables = environment.config().check_variables;
    let prober = Prober {
        outbound: &Outbound::default(),
        variables: &variables,
        reach: Reach::Anywhere,
    };
    let (check, expiry) = prober.probe(&target, Deadline::after(TRY)).await;
    let found = json!({ "check": check, "certificateUntil": expiry });
    let mut words = vec![plain(&found["check"]["status"])];
    words.extend(check.reason.map(str::to_owned));
    words.extend(
        check
            .latency_ms
            .map(|latency| format!("after {latency:.0} ms")),
    );
    words.extend(expiry.map(|end| format!("certificate until {end}")));
    output.result(&found, &format!("{name}: {}", words.join(", ")));
    Ok(verdict(check.status == Status::Up))
}

fn verdict(good: bool) -> Verdict {
    if good { Verdict::Good } else { Verdict::Bad }
}

/// A definition on one line.
fn described(definition: &Definition) -> String {
    let fields: Vec<_> = definition
        .iter()
        .filter(|(field, _)| !["name", "kind"].contains(&field.as_str()))
        .map(|(field, value)| format!("{field}={}", plain(value)))
        .collect();
    let [name, kind] =
        ["name", "kind"].map(|field| definition.get(field).map(plain).unwrap_or_default());
    format!("{name} ({kind}): {}", fields.join(" "))
}

/// What was seen last, in words.
fn seen(kept: &Kept) -> String {
    match (&kept.status, &kept.reason) {
        (None, _) => "not yet".to_owned(),
        (Some(status), None) => status.clone(),
        (Some(status), Some(reason)) => format!("{status} ({reason})"),
    }
}

fn listing(checks: &[Kept]) -> String {
    let rows: Vec<_> = checks
        .iter()
        .map(|kept| {
            let field = |name: &str| kept.definition.get(name).map(plain).unwrap_or_default();
            let about = ["url", "host", "event"].map(field).concat();
            [
                field("name"),
                field("kind"),
                about,
                field("everySeconds"),
                field("severity"),
                if field("enabled") == "true" {
                    seen(kept)
                } else {
                    "disabled".to_owned()
                },
                kept.latency_ms
                    .map(|latency| format!("{latency:.0}"))
                    .unwrap_or_default(),
                kept.updated_by.clone(),
            ]
        })
        .collect();
    output::table(
        [
            "check",
            "kind",
            "about",
            "every",
            "severity",
            "seen",
            "ms",
            "changed by",
        ],
        &rows,
    )
}
