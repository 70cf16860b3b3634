//! `pourtrait privacy requests` and `refuse`: what people asked for. Doing it closes it.

use ops::privacy::requests::{CloseRequest, Kind, ListRequests, Open, OpenRequests, Outcome};
use serde_json::json;

use super::number;
use crate::{
    answered::word,
    environment::Environment,
    project::{Project, author},
};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(super) async fn list(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let OpenRequests { requests } = project.call(&ListRequests {}).await?;
    output.result(&json!({ "requests": requests }), &text(&requests));
    Ok(Verdict::Good)
}

fn text(requests: &[Open]) -> String {
    if requests.is_empty() {
        return "nobody waits for an answer".to_owned();
    }
    let rows: Vec<_> = requests
        .iter()
        .map(|one| {
            let since = format!("{:.0}", one.asked_at);
            let trouble = one.trouble.clone().unwrap_or_default();
            [since, word(one.kind), one.person.clone(), trouble]
        })
        .collect();
    output::table(["asked at", "for", "account", "trouble"], &rows)
}

pub(super) async fn refuse(
    person: &str,
    kind: Kind,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    project.show(environment);
    let call = CloseRequest {
        p_person: number(person, environment).await?,
        p_kind: kind,
        p_outcome: Outcome::Refused,
        p_by: author(),
    };
    if !project.call(&call).await?.closed {
        let nothing = format!("{person} did not ask for that, or it is done");
        return Err(Misuse(nothing).into());
    }
    output.result(&json!({ "refused": true }), "refused, and off the list");
    Ok(Verdict::Good)
}

/// Takes what was done off the list, where it was asked for. What was done is done whether or
/// not that can be noted.
pub(super) async fn note_done(person: &str, kind: Kind, environment: &Environment) {
    let call = CloseRequest {
        p_person: person.to_owned(),
        p_kind: kind,
        p_outcome: Outcome::Done,
        p_by: author(),
    };
    let noted = match Project::of(environment) {
        Ok(project) => project.call(&call).await,
        Err(error) => Err(error),
    };
    if let Err(error) = noted {
        output::note(&format!(
            "whether it was asked for is not noted, because the database's API cannot be asked: {error:#}"
        ));
    }
}
