//! Drift between what Vercel holds for the functions and what this source says: names,
//! targets, ways of keeping, and values by their fingerprints.

use std::{collections::BTreeMap, sync::Arc};

use ops::{config::Fingerprinter, platforms::vercel::environment::Listed};
use outside::outbound::Outbound;

use super::finding::{Finding, Level};
use crate::{
    environment::Environment,
    setup::{
        placement::is_for_functions,
        vercel_plan::{Wanted, plan},
    },
};

const SUBJECT: &str = "Vercel";

pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let config = environment.config();
    let Some(vercel) = config.platforms.vercel(&Arc::new(Outbound::default())) else {
        return warning("VERCEL_TOKEN is not set, so not looked at");
    };
    let Some(project) = &config.platforms.own_project else {
        return warning("VERCEL_PROJECT_ID is not set, so not looked at");
    };
    let Some(key) = &config.monitoring_api_key else {
        return warning("without MONITORING_API_KEY no value can be compared, so not looked at");
    };
    let variables = environment.variables();
    let known = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let wanted = match Wanted::of(known, &Fingerprinter::new(key)) {
        Ok(wanted) => wanted,
        Err(reason) => return vec![Finding::new(Level::Error, SUBJECT, reason)],
    };
    match vercel.variables(project).await {
        Ok(listed) => judge(wanted, &listed, &variables),
        Err(error) => {
            let text = format!("the variables of {project} cannot be listed: {error}");
            vec![Finding::new(Level::Error, SUBJECT, text)]
        }
    }
}

fn judge(
    wanted: Vec<Wanted>,
    listed: &[Listed],
    variables: &BTreeMap<String, String>,
) -> Vec<Finding> {
    let count = wanted.len();
    let mut findings: Vec<_> = plan(wanted, listed)
        .iter()
        .map(|change| {
            let name = &change.wanted.name;
            let text = format!("{name} {}: run `pourtrait setup`", change.why.as_str());
            Finding::new(Level::Error, SUBJECT, text)
        })
        .collect();
    let strange = listed
        .iter()
        .filter(|one| is_for_functions(&one.key) && !variables.contains_key(&one.key));
    findings.extend(strange.map(|one| {
        let text = format!(
            "{} is set there and not here: add it here, or remove it there",
            one.key
        );
        Finding::new(Level::Warning, SUBJECT, text)
    }));
    if findings.is_empty() {
        let text = format!("holds the {count} variables as they are here");
        findings.push(Finding::new(Level::Ok, SUBJECT, text));
    }
    findings
}

fn warning(text: &str) -> Vec<Finding> {
    vec![Finding::new(Level::Warning, SUBJECT, text)]
}
