//! One look at everything that is watched, and at a witness where nothing answers.

use std::time::Duration;

use futures_util::future::join_all;
use outside::{
    clock,
    failure::Failure,
    outbound::{self, Outbound},
};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::watched::Seen;

/// How long an answer may take.
const TIME: Duration = Duration::from_secs(10);

/// The largest answer that is read, in bytes; the rest of a page says nothing more.
const LARGEST: usize = 4 * 1024 * 1024;

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Subject {
    /// This bundle, by its health.
    Bundle,
    /// The watched app, by its front page.
    App,
}

/// Where something that is watched answers.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) subject: Subject,
    pub(super) url: Url,
}

/// What came of one look at one of them.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) seen: Seen,
    pub(super) milliseconds: u64,
}

impl Subject {
    /// The word for people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::App => "app",
        }
    }
}

/// Looks at all of them at once. What cannot be reached is down only if the witness can.
pub(super) async fn look(outbound: &Outbound, targets: &[Target], witness: &Url) -> Vec<Look> {
    let mut looks = join_all(targets.iter().map(async |target| {
        let began = clock::instant();
        let outcome = probe(outbound, target).await;
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        (outcome, milliseconds)
    }))
    .await;
    let out_of_reach = looks.iter().any(|(outcome, _)| outcome.is_err());
    let is_lost = out_of_reach && fetch(outbound, witness).await.is_err();
    looks
        .drain(..)
        .map(|(outcome, milliseconds)| Look {
            seen: match outcome {
                Ok(seen) => seen,
                Err(_) if is_lost => Seen::Unknown,
                Err(failure) => Seen::Down(failure.to_string()),
            },
            milliseconds,
        })
        .collect()
}

/// What something answered; why there was no answer at all is the network's matter, here or
/// there.
async fn probe(outbound: &Outbound, target: &Target) -> Result<Seen, Failure> {
    let (status, body) = fetch(outbound, &target.url).await?;
    Ok(match target.subject {
        Subject::App if status < 400 => Seen::Up,
        Subject::Bundle if status == 200 && is_health(&body) => Seen::Up,
        Subject::Bundle if status == 200 => {
            Seen::Down("something answers that is not this bundle".to_owned())
        }
        Subject::App | Subject::Bundle => Seen::Down(format!("it answers {status}")),
    })
}

fn is_health(body: &[u8]) -> bool {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    document["status"].is_string() && document["services"].is_object()
}

async fn fetch(outbound: &Outbound, url: &Url) -> Result<(u16, Vec<u8>), Failure> {
    let request = outbound.client()?.get(url.clone()).timeout(TIME);
    let response = request.send().await.map_err(|error| Failure::of(&error))?;
    let status = response.status().as_u16();
    match outbound::body(response, LARGEST).await {
        Ok(body) => Ok((status, body.to_vec())),
        // Who sends more than that answers.
        Err(Failure::TooLarge) => Ok((status, Vec::new())),
        Err(failure) => Err(failure),
    }
}
