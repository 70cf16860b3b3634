//! Microsoft Teams by a workflow that posts a card when its address is called: `POST` of
//! a message with an adaptive card, answered with 202. The address is the secret.
//!
//! An answer of 202 says that the workflow has begun, and not that Teams shows the card.
//! Nobody can tell a repetition apart there, so a message whose answer was lost may be
//! posted twice. That is better than not at all.
//!
//! See learn.microsoft.com: "Create incoming webhooks with Workflows for Microsoft
//! Teams", "Rate limiting for webhooks" and adaptivecards.io for the card.

mod card;

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header;
use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

#[cfg(test)]
pub(super) use self::card::body;
use super::{
    Channel, Definition, Delivery, Outgoing, Reach, Sender,
    exchange::{Answer, exchange},
    shared,
};
use crate::variables::{Group, Reader, secret};

/// A channel or a chat of Teams'.
pub const CHANNEL: Channel = Channel(&Definition {
    word: "teams",
    name: "Microsoft Teams",
    reach: Reach::Room,
    // It takes four a second.
    pace: Duration::from_millis(500),
    knows_what_was_said: false,
    variables: Group {
        title: "Alerts on Microsoft Teams",
        without: "One variable opens the channel.",
        variables: &[secret(
            "TEAMS_WORKFLOW_URL",
            "The address of a workflow, `https://….logic.azure.com/…` or `https://….powerplatform.com/…`, made from “Post to a channel when a webhook request is received”.",
        )],
    },
    open: |read| Some(shared(Teams::read(read)?)),
});

/// A workflow, whose address is the secret.
#[derive(Debug)]
struct Teams {
    workflow: SecretString,
}

impl Sender for Teams {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        let body = card::body(outgoing.content);
        Box::pin(async move { self.post(&body, outbound, deadline).await })
    }
}

impl Teams {
    fn read(read: &mut Reader) -> Option<Self> {
        let workflow = read.secret_url("TEAMS_WORKFLOW_URL")?;
        Some(Self { workflow })
    }

    async fn post(&self, body: &Value, outbound: &Outbound, deadline: Deadline) -> Delivery {
        let answer = async {
            let request = outbound
                .client()?
                .post(self.workflow.expose_secret())
                // Without the charset a character counts as two bytes.
                .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
                .body(body.to_string());
            exchange(request, deadline).await
        };
        match answer.await {
            Ok(answer) => judge(&answer),
            Err::<_, Failure>(failure) => failure.into(),
        }
    }
}

fn judge(answer: &Answer) -> Delivery {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = body["error"]["code"].as_str().unwrap_or_default();
    match answer.status.as_u16() {
        200 | 202 => Delivery::Sent { provider_id: None },
        201 | 203..=299 => answer.retry("something else than a workflow answered"),
        408 => answer.retry("timeout"),
        429 => answer.limited(),
        500..=599 => answer.retry("teams fails"),
        // Somebody has to repair the workflow; then it works.
        400 if code.starts_with("Workflow") => {
            answer.refused("the workflow is turned off or was deleted")
        }
        401 | 403 => answer.refused("the workflow refused its address: it has changed or expired"),
        404 | 410 => answer.refused("the workflow is gone, or its owner is"),
        400 | 413 => answer.dead("teams does not accept the message"),
        _ => answer.dead("teams refused the message"),
    }
}

#[cfg(test)]
mod tests;
