//! `pourtrait audit security`: what an auditor asks, from what can be looked at, with a word
//! about each thing that cannot.

use ops::security_report::log_verdict;
use serde_json::json;

use super::{
    proof,
    report::{self, Asked, markdown::Document, sections},
};
use crate::{environment::Environment, project::Project};
use terminal::{failure::Verdict, output::Output};

pub(super) async fn run(
    asked: &Asked,
    project: &Project,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let gathered = report::gather(asked, project, environment).await?;
    let proof = proof::find(project, environment).await?;
    let answer = &gathered.answer;
    let mut text = Document::new(
        "Security report",
        &format!(
            "Of {}, from {:.0} to {:.0}.",
            gathered.host, answer.from, answer.to
        ),
    );
    let everything = |_: &str| true;
    for (title, body) in [
        ("What differs", sections::differences(&gathered)),
        ("The audit log", proof.text()),
        ("What was done", sections::changes(answer)),
        (
            "Row by row, but for answers to alerts and incidents",
            sections::told(answer, everything),
        ),
        ("People with a role", sections::people(answer)),
        ("Who signed in", sections::sign_ins(answer)),
        ("Keys", sections::keys(&gathered)),
        ("What is kept, and how long", sections::kept(answer)),
        ("Who may read what", sections::readers(answer)),
        ("Encrypted at rest", sections::places(&gathered)),
        ("TLS and headers", sections::transport(&gathered)),
        ("The provider's advisors", sections::advice(&gathered)),
        ("Advisories of the dependencies", sections::dependencies(&gathered)),
        ("The server", sections::server(answer)),
        (
            "Not looked at here",
            "What was done in the dashboards of providers: their own logs. Who read the dashboard: it is not \
             written down, only who was refused."
                .to_owned(),
        ),
    ] {
        text.section(title, &body);
    }
    let mut document = gathered.document();
    document["auditLog"] = json!(proof.report);
    document["auditLogVerdict"] = json!(log_verdict(&proof.report));
    report::show(asked, &document, &text.text(), output)?;
    Ok(if gathered.is_somewhere_wrong() {
        Verdict::Bad
    } else {
        proof.verdict()
    })
}
