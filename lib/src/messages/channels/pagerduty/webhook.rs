//! What a webhook of `PagerDuty`'s tells: an incident that somebody acknowledged or
//! resolved there.

use ring::hmac;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    hexadecimal,
    messages::{
        channels::callback::{About, Callback, CalledBack, Does, ProviderAnswer, Refused, Reply},
        plain_text,
    },
};

/// How much is kept of a person's name.
const NAME_LIMIT: usize = 100;

/// Reads a call that is proven by that secret.
pub(super) fn read(secret: &str, call: &Callback<'_>) -> Result<CalledBack, Refused> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    // While a secret is exchanged there is a signature of each.
    let signatures = call.header("x-pagerduty-signature").unwrap_or_default();
    let proven = signatures
        .split(',')
        .filter_map(|signature| hexadecimal::bytes(signature.trim().strip_prefix("v1=")?))
        .any(|tag| hmac::verify(&key, call.body, &tag).is_ok());
    if !proven {
        return Err(Refused::Wrong);
    }
    let body: Value = serde_json::from_slice(call.body).map_err(|_| Refused::Unreadable)?;
    let event = &body["event"];
    let id = event["id"].as_str().ok_or(Refused::Unreadable)?;
    Ok(CalledBack {
        answers: answer(event, id).into_iter().collect(),
        reply: Reply::empty(),
    })
}

/// What somebody answered. What this integration did itself comes back too, and so do
/// incidents that are not ours.
fn answer(event: &Value, id: &str) -> Option<ProviderAnswer> {
    let does = match event["event_type"].as_str()? {
        "incident.acknowledged" => Does::Acknowledge,
        "incident.resolved" => Does::Resolve,
        _ => return None,
    };
    if event["agent"]["type"] != "user_reference" {
        return None;
    }
    let alert = Uuid::try_parse(event["data"]["incident_key"].as_str()?).ok()?;
    let name = event["agent"]["summary"].as_str();
    Some(ProviderAnswer {
        about: About::Alert(alert),
        does,
        by: name.map(|name| plain_text::cut(&plain_text::line(name), NAME_LIMIT)),
        event: id.to_owned(),
    })
}
