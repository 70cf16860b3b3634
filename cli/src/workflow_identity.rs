//! Who a job of a workflow on GitHub is, by a token that GitHub signs and that lasts minutes:
//! a project on Vercel that trusts the repository lets its bearer through the protection of its
//! deployments, so that no secret for that is kept anywhere.

use std::time::Duration;

use ops::verification::subject::Pass;
use outside::{
    failure::Failure,
    outbound::{self, Outbound},
    secure_url,
};
use secrecy::SecretString;
use serde::Deserialize;
use terminal::output;

use crate::environment::process_variable;

/// How long GitHub may take.
const TIME: Duration = Duration::from_secs(10);

/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

#[derive(Deserialize)]
struct Answer {
    value: String,
}

/// A pass by the job's identity, where this runs in a job that may ask for it.
pub(crate) async fn pass(outbound: &Outbound) -> Option<Pass> {
    let url = process_variable("ACTIONS_ID_TOKEN_REQUEST_URL")?;
    let proof = process_variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?;
    match token(outbound, &url, &proof).await {
        Ok(token) => Some(Pass::Identity(token)),
        Err(why) => {
            output::note(&format!("GitHub does not say who this job is: {why}"));
            None
        }
    }
}

async fn token(outbound: &Outbound, url: &str, proof: &str) -> Result<SecretString, String> {
    // Vercel wants the audience that GitHub names unasked.
    let url = secure_url::parse(url).map_err(str::to_owned)?;
    let said = |failure: Failure| failure.to_string();
    let request = outbound.client().map_err(said)?.get(url);
    let request = request.bearer_auth(proof).timeout(TIME);
    let answer = request
        .send()
        .await
        .map_err(|error| said(Failure::of(&error)))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("it answered {status}"));
    }
    let body = outbound::body(answer, LARGEST).await.map_err(said)?;
    let answer: Answer =
        serde_json::from_slice(&body).map_err(|_| "it answered no token".to_owned())?;
    Ok(answer.value.into())
}
