//! Sends subscribers what is due to them, in runs of delivery, after what pages people: at
//! least once, and no address keeps another from hearing. Mail goes one by one at the pace of
//! its provider; devices are at services of their own and are told many at once.

mod by_mail;
mod to_devices;

use std::time::Duration;

use futures_util::future;
use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Kind, environment};
use crate::{
    app::App,
    rpc::{Call, Retry, RpcError},
};

/// How long a claimed message is ours.
const LEASE: Duration = Duration::from_secs(60);

/// How long one run may send, so that the next one finds it done.
const SENDING: Duration = Duration::from_secs(25);

/// With less time than that nothing more is begun.
const LEAST: Duration = Duration::from_secs(5);

/// Kept back so that what was sent is also settled.
const SETTLING: Duration = Duration::from_secs(5);

#[derive(Debug, Serialize)]
struct ClaimMessages {
    p_claim: Uuid,
    p_limit: u32,
    p_lease_seconds: u64,
    p_environment: &'static str,
    p_queue: bool,
    p_kind: Kind,
}

#[derive(Debug, Deserialize)]
struct Claimed {
    #[serde(default)]
    name: String,
    messages: Vec<Message>,
}

impl Call for ClaimMessages {
    const NAME: &'static str = "ops_claim_subscriber_messages";
    // A claim whose answer was lost comes back when its lease ends.
    const RETRY: Retry = Retry::Never;
    type Output = Claimed;
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: Uuid,
    subscriber: Uuid,
    address_hash: String,
    address: String,
    facts: Value,
}

/// What one claim holds.
#[derive(Debug)]
struct Batch {
    claim: Uuid,
    /// The name of the page, as it is set.
    name: String,
    messages: Vec<Message>,
}

/// Whether a claim also queues what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Queued,
    Left,
}

#[derive(Debug, Serialize)]
struct SettleMessages {
    p_claim: Uuid,
    p_results: Vec<Settlement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Settlement {
    id: Uuid,
    outcome: SettledAs,
    after_seconds: Option<u64>,
}

/// What became of a message, as the database takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum SettledAs {
    Sent,
    /// It is tried again.
    Retry,
    /// Its address does not take it.
    Dead,
    /// Its address is no more.
    Gone,
    /// Nobody has tried to send it.
    Untried,
}

#[derive(Debug, Deserialize)]
struct Settled {
    settled: u64,
}

impl Call for SettleMessages {
    const NAME: &'static str = "ops_settle_subscriber_messages";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Settled;
}

/// Queues what is new for subscribers and sends what is due, as far as time allows. A failure
/// is a warning: the next run goes on.
///
/// Returns how many messages were settled; `None` where that could not be found out.
pub async fn send_due(app: &App, deadline: Deadline) -> Option<u64> {
    let sent = send(app, deadline.within(SENDING + SETTLING)).await;
    sent.inspect_err(|error| tracing::warn!(%error, "subscribers wait for the next run"))
        .ok()
}

async fn send(app: &App, deadline: Deadline) -> Result<u64, RpcError> {
    // Changes are noted whether or not anybody can be told of them.
    let limit = by_mail::most_at_once(&app.config);
    let mail = claim(app, Kind::Email, limit, News::Queued, deadline).await?;
    let (mailed, pushed) = future::join(
        by_mail::send(app, mail, deadline),
        to_devices::send(app, deadline),
    )
    .await;
    Ok(mailed? + pushed?)
}

async fn claim(
    app: &App,
    kind: Kind,
    limit: u32,
    news: News,
    deadline: Deadline,
) -> Result<Batch, RpcError> {
    let call = ClaimMessages {
        p_claim: Uuid::new_v4(),
        p_limit: limit,
        p_lease_seconds: LEASE.as_secs(),
        p_environment: environment(app),
        p_queue: news == News::Queued,
        p_kind: kind,
    };
    let Claimed { name, messages } = app.call(&call, deadline).await?;
    Ok(Batch {
        claim: call.p_claim,
        name,
        messages,
    })
}

async fn settle(
    app: &App,
    claim: Uuid,
    results: Vec<Settlement>,
    deadline: Deadline,
) -> Result<u64, RpcError> {
    let call = SettleMessages {
        p_claim: claim,
        p_results: results,
    };
    let settled = app.call(&call, deadline.or_at_least(SETTLING)).await?;
    Ok(settled.settled)
}

fn settlement(message: &Message, outcome: SettledAs, after: Option<Duration>) -> Settlement {
    Settlement {
        id: message.id,
        outcome,
        after_seconds: after.map(|after| after.as_secs()),
    }
}
