//! Whether what should be watched can be: the pages of the app, and the checks.

use ops::monitoring::probe_targets::{self, Unusable};

use super::finding::{Finding, Level};
use crate::{
    answered::known, checks::check_list::ListChecks, environment::Environment, project::Project,
    settings::ListSettings,
};

const SUBJECT: &str = "watched";

pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let looked = async {
        let project = Project::of(environment)?;
        let mut findings = pages(&project, environment).await?;
        findings.extend(checks(&project).await?);
        anyhow::Ok(findings)
    };
    looked
        .await
        .unwrap_or_else(|error| vec![Finding::new(Level::Error, SUBJECT, format!("{error:#}"))])
}

async fn pages(project: &Project, environment: &Environment) -> anyhow::Result<Vec<Finding>> {
    let settings = project.call(&ListSettings {}).await?.settings;
    let settings = known(&settings)
        .map(|setting| (setting.key.clone(), setting.value.clone()))
        .collect();
    let config = environment.config();
    let pages = probe_targets::of_app(&settings, config.app_url.as_ref());
    if pages.is_empty() {
        let text = "no page of the app: set NEXT_PUBLIC_APP_URL, or the setting app.urls";
        return Ok(vec![Finding::new(Level::Error, SUBJECT, text)]);
    }
    let count = pages.iter().filter(|page| page.is_ok()).count();
    let mut findings: Vec<_> = pages
        .into_iter()
        .filter_map(Result::err)
        .map(unusable)
        .collect();
    if findings.is_empty() {
        let text = format!("pages of the app: {count}");
        findings.push(Finding::new(Level::Ok, SUBJECT, text));
    }
    Ok(findings)
}

async fn checks(project: &Project) -> anyhow::Result<Vec<Finding>> {
    let checks = project.call(&ListChecks {}).await?.checks;
    let probed = known(&checks).filter(|watched| watched.check.is_probed());
    Ok(probed
        .filter_map(|watched| probe_targets::of_check(&watched.check.fields.clone().into()).err())
        .map(unusable)
        .collect())
}

fn unusable(definition: Unusable) -> Finding {
    let Unusable { name, fault, .. } = definition;
    Finding::new(
        Level::Error,
        SUBJECT,
        format!("{name} cannot be probed: {fault}"),
    )
}
