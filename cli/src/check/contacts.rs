//! Whether alerts reach somebody who answers.

use super::finding::{Finding, Level};
use crate::{
    answered::{known, oddities},
    contacts::ListContacts,
    environment::Environment,
    project::Project,
};

const SUBJECT: &str = "contacts";

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
    if known(&contacts).all(|contact| contact.level != Some(1)) {
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
