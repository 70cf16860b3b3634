//! Devices that hear of changes: what the page's script asks for after somebody pressed a
//! button and the browser allowed it. Whoever knows where a browser is reached may say what
//! it hears of, and nobody else learns anything.

use bytes::Bytes;
use http::{Request, StatusCode};
use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{AskOutcome, Ended, away, client, environment, field, fields};
use crate::{
    app::App,
    auth::subscriber_keys::{Purpose, SubscriberKeys},
    config::Config,
    handler::{self, Answer},
    problem::Problem,
    rpc::{Call, Retry},
    web_push::{Subscription, WebPush},
};

/// After how many seconds whoever asked too often may ask again.
const PAUSE: u64 = 3_600;

#[derive(Debug, Serialize)]
struct SubscribeDevice {
    p_id: Uuid,
    p_address_hash: String,
    p_address: String,
    p_components: Vec<String>,
    p_client: String,
    p_environment: &'static str,
}

#[derive(Debug, Deserialize)]
struct Asked {
    outcome: AskOutcome,
    subscriber: Option<Uuid>,
}

impl Call for SubscribeDevice {
    const NAME: &'static str = "ops_subscribe_device";
    // The same device again is only counted.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Asked;
}

#[derive(Debug, Serialize)]
struct EndDevice {
    p_address_hash: String,
}

impl Call for EndDevice {
    const NAME: &'static str = "ops_end_device_subscription";
    // The same again changes nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Ended;
}

/// What a page gives its browser, where devices can be told: there is a key for pushes, one
/// for where they are reached, and an address that notifications lead to.
pub(in crate::status) fn push_key(config: &Config) -> Option<&str> {
    let can_be_told = config.monitoring_api_key.is_some() && config.base_url.is_some();
    let web_push = config.web_push.as_ref().filter(|_| can_be_told)?;
    Some(web_push.public_key())
}

fn told(config: &Config) -> Result<(&WebPush, SubscriberKeys), Problem> {
    let keys = push_key(config)
        .and(config.monitoring_api_key.as_ref())
        .and_then(SubscriberKeys::new);
    let told = config.web_push.as_ref().zip(keys);
    told.ok_or(Problem::Unavailable("push messages are not set up"))
}

/// The subscription that a request brings.
fn subscription(web_push: &WebPush, request: &Request<Bytes>) -> Result<Subscription, Problem> {
    let sent: Value = serde_json::from_str(&field(request.body(), "subscription"))
        .map_err(|_| Problem::BadRequest("subscription must be what the browser gave".into()))?;
    let subscription = web_push.subscription(&sent);
    subscription.map_err(|problem| Problem::BadRequest(problem.to_owned()))
}

fn hash(keys: &SubscriberKeys, subscription: &Subscription) -> String {
    keys.hash("push", subscription.endpoint().as_str())
}

/// Lets a device hear, and answers where somebody can choose what of.
pub(super) async fn subscribe(app: &App, request: &Request<Bytes>, deadline: Deadline) -> Answer {
    let (web_push, keys) = told(&app.config)?;
    let subscription = subscription(web_push, request)?;
    let hash = hash(&keys, &subscription);
    let sealed = keys.seal(&subscription.json().to_string(), &hash);
    let call = SubscribeDevice {
        p_id: Uuid::new_v4(),
        p_address: sealed.ok_or(Problem::Internal)?,
        p_address_hash: hash,
        p_components: fields(request.body(), "component"),
        p_client: client(&keys, request),
        p_environment: environment(app),
    };
    let asked = app.call(&call, deadline).await;
    let asked = asked.map_err(|error| away(&error))?;
    match (asked.outcome, asked.subscriber) {
        (AskOutcome::Taken, Some(id)) => {
            let token = keys.token(Purpose::Manage, id);
            let manage = format!("/status/manage?token={token}");
            handler::json(StatusCode::OK, &json!({ "manage": manage }))
        }
        (AskOutcome::Taken, None) => Err(Problem::Internal),
        (AskOutcome::Limited, _) => Err(Problem::TooManyRequests { retry_after: PAUSE }),
    }
}

/// Ends what a device heard.
pub(super) async fn end(app: &App, request: &Request<Bytes>, deadline: Deadline) -> Answer {
    let (web_push, keys) = told(&app.config)?;
    let call = EndDevice {
        p_address_hash: hash(&keys, &subscription(web_push, request)?),
    };
    app.call(&call, deadline)
        .await
        .map_err(|error| away(&error))?;
    handler::json(StatusCode::OK, &json!({ "ended": true }))
}
