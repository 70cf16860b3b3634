//! Delivers the outbox: it leases what is due, sends it and settles it, until nothing
//! is due or the time is over.
//!
//! Each channel goes its own way, so that one that hangs delays no other. What
//! is leased can be sent within the lease even if every send takes all the time
//! that it may; what is not settled, because this instance dies, is due again
//! when the lease ends. Delivery is at least once.

mod claimed_messages;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use outside::clock::{self, Deadline};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::claimed_messages::{Claimed, Packed, Parcel, Unread};
use crate::{
    app::App,
    messages::channels::{Channel, Delivery, SEND_TIMEOUT},
    rpc::{Call, Retry, RpcError},
};

/// How long a claimed message is ours.
const LEASE: Duration = Duration::from_secs(60);

/// Kept back from the time for sending, so that what was sent is also settled.
const SETTLING: Duration = Duration::from_secs(5);

/// The most messages that are claimed at once.
const BATCH: usize = 20;

/// What a round of delivery did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryReport {
    /// Messages that a provider accepted.
    pub sent: u64,
    /// Messages that will be tried again.
    pub retried: u64,
    /// Messages that were given up.
    pub dead: u64,
    /// Messages that somebody else had taken over by the time we settled.
    pub stale: u64,
    /// Whether everything that was due was tried.
    pub complete: bool,
}

impl DeliveryReport {
    const NOTHING: Self = Self {
        sent: 0,
        retried: 0,
        dead: 0,
        stale: 0,
        complete: true,
    };

    fn add(&mut self, settled: &Settled) {
        self.sent += settled.sent;
        self.retried += settled.retried;
        self.dead += settled.dead;
        self.stale += settled.stale;
    }

    fn join(&mut self, other: &Self) {
        self.sent += other.sent;
        self.retried += other.retried;
        self.dead += other.dead;
        self.stale += other.stale;
        self.complete &= other.complete;
    }
}

#[derive(Debug, Serialize)]
struct ClaimMessages {
    p_claim: Uuid,
    p_channels: [Channel; 1],
    p_limit: usize,
    p_lease_seconds: u64,
}

impl Call for ClaimMessages {
    const NAME: &'static str = "ops_claim_messages";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Claimed;
}

#[derive(Debug, Serialize)]
struct SettleMessages {
    p_claim: Uuid,
    p_results: Vec<Settlement>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Settlement {
    id: Uuid,
    outcome: SettledAs,
    retry_after_seconds: Option<u64>,
    status_code: Option<u16>,
    provider_id: Option<String>,
    error: Option<String>,
}

/// What becomes of a message, as the database takes it.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum SettledAs {
    Sent,
    /// It may have arrived.
    Retry,
    /// It cannot have arrived.
    Refused,
    /// It was claimed and nobody tried to send it: that costs it no attempt.
    Untried,
    /// It cannot be read: the database gives it up and queues a bare line for it.
    Unread,
    /// Its address is gone: the database leaves that behind.
    Gone,
    Dead,
}

#[derive(Debug, Deserialize)]
struct Settled {
    stale: u64,
    sent: u64,
    retried: u64,
    dead: u64,
}

impl Call for SettleMessages {
    const NAME: &'static str = "ops_settle_messages";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Settled;
}

/// Delivers what is due on every channel that is configured.
///
/// # Errors
/// When the database could not be asked on any channel. Whatever was sent by
/// then and not settled is sent again when its lease ends.
pub async fn deliver(app: &App, deadline: Deadline) -> Result<DeliveryReport, RpcError> {
    let channels = app.config.channels.list().into_iter();
    let rounds = channels.map(|channel| deliver_by(app, channel, deadline));
    let mut report = DeliveryReport::NOTHING;
    let mut failure = None;
    let mut answered = false;
    for (round, error) in join_all(rounds).await {
        answered |= error.is_none();
        report.join(&round);
        failure = failure.or(error);
    }
    match failure {
        Some(error) if !answered => Err(error),
        _ => Ok(report),
    }
}

/// One channel's round: how far it got, and what ended it early.
async fn deliver_by(
    app: &App,
    channel: Channel,
    deadline: Deadline,
) -> (DeliveryReport, Option<RpcError>) {
    let mut report = DeliveryReport::NOTHING;
    let mut sender = Sender::new(app, channel);
    loop {
        match deliver_batch(&mut sender, deadline).await {
            Ok(Batch::Settled(settled)) => report.add(&settled),
            Ok(Batch::Jammed(settled)) => {
                report.add(&settled);
                report.complete = false;
                return (report, None);
            }
            Ok(Batch::NoTime) => {
                report.complete = false;
                return (report, None);
            }
            Ok(Batch::NothingDue) => return (report, None),
            Err(error) => {
                tracing::warn!(channel = channel.as_str(), %error, "messages cannot be claimed or settled");
                report.complete = false;
                return (report, Some(error));
            }
        }
    }
}

enum Batch {
    Settled(Settled),
    /// The channel takes nothing at present.
    Jammed(Settled),
    NothingDue,
    NoTime,
}

async fn deliver_batch(sender: &mut Sender<'_>, deadline: Deadline) -> Result<Batch, RpcError> {
    let lease = time_of_lease(deadline);
    let limit = capacity(lease.remaining());
    if limit == 0 {
        return Ok(Batch::NoTime);
    }
    let claim = ClaimMessages {
        p_claim: Uuid::new_v4(),
        p_channels: [sender.channel],
        p_limit: limit,
        p_lease_seconds: LEASE.as_secs(),
    };
    let claimed = sender.app.call(&claim, lease).await?;
    let Packed { parcels, unread } = claimed_messages::pack(&claimed, &sender.app.config);
    if parcels.is_empty() && unread.is_empty() {
        return Ok(Batch::NothingDue);
    }
    let mut results: Vec<_> = unread.iter().flat_map(Unread::settlements).collect();
    let mut jammed = !parcels.is_empty();
    for parcel in &parcels {
        let attempt = sender.send(parcel, lease).await;
        jammed &= !attempt.is_settled();
        results.extend(parcel.rows.iter().map(|id| attempt.settlement(*id)));
    }
    let settle = SettleMessages {
        p_claim: claim.p_claim,
        p_results: results,
    };
    let settled = sender.app.call(&settle, time_to_settle(deadline)).await?;
    Ok(if jammed {
        Batch::Jammed(settled)
    } else {
        Batch::Settled(settled)
    })
}

/// How long a claim may be worked on. The lease begins in the database, after this.
fn time_of_lease(deadline: Deadline) -> Deadline {
    deadline.within(LEASE)
}

/// What was sent is settled even where its sending took all the time.
fn time_to_settle(deadline: Deadline) -> Deadline {
    deadline.or_at_least(SETTLING)
}

/// Whether one more message can be sent at its slowest, and settled, in what is left of
/// the lease.
fn fits(left: Duration) -> bool {
    left >= SEND_TIMEOUT + SETTLING
}

/// How many messages can be sent one after the other in that time, each at its
/// slowest, and settled.
fn capacity(time: Duration) -> usize {
    let sends = time.saturating_sub(SETTLING).as_secs() / SEND_TIMEOUT.as_secs();
    usize::try_from(sends).map_or(BATCH, |sends| sends.min(BATCH))
}

/// What came of a parcel's turn.
#[derive(Debug, Clone)]
enum Attempt {
    /// The channel was asked.
    Made(Delivery),
    /// The channel was not asked: nobody has tried to send it.
    Untried {
        after: Option<Duration>,
        reason: &'static str,
    },
}

impl Attempt {
    /// Whether it needs no other one.
    fn is_settled(&self) -> bool {
        matches!(
            self,
            Self::Made(Delivery::Sent { .. } | Delivery::Gone { .. } | Delivery::Dead { .. })
        )
    }

    fn settlement(&self, id: Uuid) -> Settlement {
        let (outcome, after, status_code, provider_id, error) = match self {
            Self::Made(Delivery::Sent { provider_id }) => {
                (SettledAs::Sent, None, None, provider_id.clone(), None)
            }
            Self::Made(Delivery::Retry {
                after,
                status,
                error,
            }) => (SettledAs::Retry, *after, *status, None, Some(*error)),
            Self::Made(Delivery::Refused {
                after,
                status,
                error,
            }) => (SettledAs::Refused, *after, *status, None, Some(*error)),
            Self::Made(Delivery::Gone { status, error }) => {
                (SettledAs::Gone, None, *status, None, Some(*error))
            }
            Self::Made(Delivery::Dead { status, error }) => {
                (SettledAs::Dead, None, *status, None, Some(*error))
            }
            Self::Untried { after, reason } => {
                (SettledAs::Untried, *after, None, None, Some(*reason))
            }
        };
        Settlement {
            id,
            outcome,
            retry_after_seconds: after.map(|after| after.as_secs()),
            status_code,
            provider_id,
            error: error.map(str::to_owned),
        }
    }
}

impl Unread {
    fn settlements(&self) -> impl Iterator<Item = Settlement> {
        self.rows.iter().map(|id| Settlement {
            id: *id,
            outcome: SettledAs::Unread,
            retry_after_seconds: None,
            status_code: None,
            provider_id: None,
            error: Some(format!("it cannot be read: {}", self.reason)),
        })
    }
}

/// Sends one after the other, no faster than the channel takes.
struct Sender<'a> {
    app: &'a App,
    channel: Channel,
    last: Option<Instant>,
    /// The channel asked us to wait for so long: nothing more is sent in this round.
    wait: Option<Attempt>,
}

impl<'a> Sender<'a> {
    fn new(app: &'a App, channel: Channel) -> Self {
        Self {
            app,
            channel,
            last: None,
            wait: None,
        }
    }

    async fn send(&mut self, parcel: &Parcel, lease: Deadline) -> Attempt {
        if let Some(wait) = &self.wait {
            return wait.clone();
        }
        if let Some(last) = self.last {
            let since = clock::instant().duration_since(last);
            clock::wait(self.channel.pace().saturating_sub(since)).await;
        }
        if !fits(lease.remaining()) {
            // Claiming took long, or a digest came on top: the lease could end
            // before this was sent and settled.
            return Attempt::Untried {
                after: None,
                reason: "no time left to send it",
            };
        }
        self.last = Some(clock::instant());
        let App {
            config, outbound, ..
        } = self.app;
        let delivery = config
            .channels
            .send(self.channel, parcel.outgoing(), outbound, lease)
            .await;
        self.note(&delivery);
        Attempt::Made(delivery)
    }

    fn note(&mut self, delivery: &Delivery) {
        let channel = self.channel.as_str();
        match delivery {
            Delivery::Sent { .. } => tracing::info!(channel, "message sent"),
            Delivery::Retry {
                after,
                status,
                error,
            }
            | Delivery::Refused {
                after,
                status,
                error,
            } => {
                tracing::warn!(
                    channel,
                    status,
                    error,
                    "message not sent, will be tried again"
                );
                if *status == Some(429) {
                    self.wait = Some(Attempt::Untried {
                        after: *after,
                        reason: "the channel asked to wait",
                    });
                }
            }
            Delivery::Gone { status, error } => {
                tracing::warn!(channel, status, error, "an address is gone");
            }
            Delivery::Dead { status, error } => {
                tracing::error!(channel, status, error, "message given up");
            }
        }
    }
}

#[cfg(test)]
mod tests;
