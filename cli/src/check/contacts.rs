//! Whether alerts reach somebody who answers.

use super::finding::{Finding, Level};
use crate::{
    answered::{Answered, known, oddities},
    contacts::ListContacts,
    environment::Environment,
    oncall::ShowOncall,
    project::Project,
};

const SUBJECT: &str = "contacts";

/// Whether somebody has a rotation of level 1, whatever the contacts' own roles.
async fn staffed(environment: &Environment) -> bool {
    let shown = async { Project::of(environment)?.call(&ShowOncall::NOW).await };
    let plan = shown.await.ok().and_then(Answered::into_known);
    let rotations = plan.map_or_else(Vec::new, |plan| plan.rotations);
    known(&rotations).any(|rotation| {
        let now = rotation.now.as_ref();
        rotation.level == Some(1) && now.is_some_and(|now| now.name.is_some())
    })
}

pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let listed = async { Project::of(environment)?.call(&ListContacts {}).await };
    let contacts = match listed.await {
        Ok(listed) => listed.contacts,
        Err(error) => return vec![Finding::new(Level::Error, SUBJECT, format!("{error:#}"))],
    };
    if contacts.is_empty() {
        let text = "there are none: alerts go to the channels alone, and nobody else is asked \
                    when nobody answers (pourtrait contacts add)";
        return vec![Finding::new(Level::Warning, SUBJECT, text)];
    }
    let mut findings = Vec::new();
    let empty = known(&contacts).all(|contact| contact.level != Some(1));
    if empty && !staffed(environment).await {
        let text =
            "level 1 is empty: nobody is on call (pourtrait contacts add --role on_call_primary)";
        findings.push(Finding::new(Level::Error, SUBJECT, text));
    }
    for contact in known(&contacts) {
        for channel in contact.unproven() {
            let name = &contact.name;
            let text = format!(
                "{channel} of {name} was never proven: run `pourtrait contacts test \"{name}\"`"
            );
            findings.push(Finding::new(Level::Error, SUBJECT, text));
        }
    }
    let odd = oddities("contacts", &contacts);
    findings.extend(
        odd.into_iter()
            .map(|text| Finding::new(Level::Warning, SUBJECT, text)),
    );
    if findings.is_empty() {
        let text = format!("{} can be reached, level 1 is filled", contacts.len());
        findings.push(Finding::new(Level::Ok, SUBJECT, text));
    }
    findings
}
