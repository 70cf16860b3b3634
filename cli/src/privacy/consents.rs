//! `pourtrait privacy consents` and `consent`: what somebody agreed to.

use ops::{
    privacy::consents::{Consent, Consents, SaidBy, SetConsent, ShowConsents},
    rpc::Call,
};
use serde_json::json;

use super::{arguments::Answer, number};
use crate::{
    environment::Environment,
    project::{Project, author},
};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

pub(super) async fn show(
    person: &str,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let call = ShowConsents {
        p_person: number(person, environment).await?,
    };
    answer(&call, environment, output).await
}

pub(super) async fn set(
    person: &str,
    purpose: String,
    said: Answer,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let call = SetConsent {
        p_person: number(person, environment).await?,
        p_purpose: purpose,
        p_granted: said == Answer::Agree,
        p_said_by: SaidBy::Operator,
        p_by: Some(author()),
    };
    answer(&call, environment, output).await
}

async fn answer<C: Call<Output = Consents>>(
    call: &C,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let Consents { consents } = project.call(call).await?;
    output.result(&json!({ "consents": consents }), &text(&consents));
    Ok(Verdict::Good)
}

fn text(consents: &[Consent]) -> String {
    if consents.is_empty() {
        return "they have neither agreed to anything nor refused it".to_owned();
    }
    let rows: Vec<_> = consents
        .iter()
        .map(|one| {
            let said = if one.granted { "agreed" } else { "refused" };
            [
                one.purpose.clone(),
                said.to_owned(),
                format!("{:.0}", one.at),
            ]
        })
        .collect();
    output::table(["purpose", "said", "at"], &rows)
}
