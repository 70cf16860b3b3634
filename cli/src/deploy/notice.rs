//! Tells the bundle what came of a deployment: an alert where it failed, which the next one
//! that succeeds resolves.

use std::time::Duration;

use outside::outbound::Outbound;
use secrecy::ExposeSecret;
use serde_json::json;
use terminal::output;

use crate::{environment::Environment, traffic::Which};

/// How long the bundle may take, delivery among it.
const LIMIT: Duration = Duration::from_secs(30);

/// Tells it, as far as it can be reached: a deployment is what it is all the same.
pub(super) async fn tell(
    environment: &Environment,
    outbound: &Outbound,
    which: Which,
    failure: Option<&str>,
) {
    if let Err(why) = send(environment, outbound, which, failure).await {
        output::note(&format!("nobody was told by the bundle: {why}"));
    }
}

async fn send(
    environment: &Environment,
    outbound: &Outbound,
    which: Which,
    failure: Option<&str>,
) -> Result<(), String> {
    let config = environment.config();
    let unset = |name: &str| format!("{name} is not set in {}", environment.origin());
    let base = config.base_url.ok_or_else(|| unset("BASE_URL"))?;
    let key = config.monitoring_api_key;
    let key = key.ok_or_else(|| unset("MONITORING_API_KEY"))?;
    let url = base.join("/api/alerts/dispatch");
    let url = url.map_err(|error| error.to_string())?;
    let what = which.words();
    let alert = json!({
        "source": "deploy",
        "type": match which {
            Which::App => "app_release_failed",
            Which::Ops => "ops_release_failed",
        },
        "severity": "high",
        "title": format!("A release of {what} failed"),
        "message": failure.unwrap_or("A later release succeeded."),
        "status": if failure.is_some() { "firing" } else { "resolved" },
    });
    let client = outbound.client().map_err(|failure| failure.to_string())?;
    let request = client
        .post(url)
        .bearer_auth(key.expose_secret())
        .timeout(LIMIT)
        .json(&alert);
    let answer = request.send().await;
    let answer = answer.map_err(|error| outside::failure::Failure::of(&error).to_string())?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(format!("its door answered {}", answer.status().as_u16()))
}
