//! When each channel was last proven to take messages.

use jiff::{SignedDuration, Timestamp};
use ops::{
    messages::channels::Channel,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Level};
use crate::{
    answered::{Answered, known},
    environment::Environment,
    project::Project,
    times::to_the_minute,
};

const SUBJECT: &str = "alerts";

#[derive(Debug, Serialize)]
struct ListChannels {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    /// For how long a message that was sent proves its channel.
    maximum_days: i64,
    channels: Vec<Answered<Proof>>,
}

/// When a channel took a message last, and since when it takes none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    channel: Channel,
    proven_at: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    error: Option<String>,
}

impl Call for ListChannels {
    const NAME: &'static str = "ops_list_channels";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// A finding for every channel that is configured here.
pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let listed = async { Project::of(environment)?.call(&ListChannels {}).await };
    let listed = match listed.await {
        Ok(listed) => listed,
        Err(error) => return vec![Finding::new(Level::Error, SUBJECT, format!("{error:#}"))],
    };
    let oldest = outside::clock::now() - SignedDuration::from_hours(24 * listed.maximum_days);
    let configured = environment.config().channels.list();
    configured
        .into_iter()
        .map(|channel| {
            let proof = known(&listed.channels).find(|proof| proof.channel == channel);
            proof.map_or_else(|| unproven(channel), |proof| judge(proof, oldest))
        })
        .collect()
}

fn judge(proof: &Proof, oldest: Timestamp) -> Finding {
    let name = proof.channel.as_str();
    if let Some(since) = proof.failing_since {
        let error = proof.error.as_deref().unwrap_or("no answer");
        let text = format!(
            "{name} has taken nothing since {}: {error}",
            to_the_minute(since)
        );
        return Finding::new(Level::Error, SUBJECT, text);
    }
    match proof.proven_at {
        Some(at) if at >= oldest => {
            let text = format!("{name} was last proven {}", to_the_minute(at));
            Finding::new(Level::Ok, SUBJECT, text)
        }
        Some(at) => {
            let text = format!(
                "{name} was last proven {}: run `pourtrait alerts prove`",
                to_the_minute(at)
            );
            Finding::new(Level::Warning, SUBJECT, text)
        }
        None => unproven(proof.channel),
    }
}

fn unproven(channel: Channel) -> Finding {
    let name = channel.as_str();
    let text = format!("{name} was never proven: run `pourtrait alerts prove`");
    Finding::new(Level::Warning, SUBJECT, text)
}

#[cfg(test)]
mod tests {
    use ops::messages::channels::slack;

    use super::*;

    #[test]
    fn a_channel_is_proven_unproven_or_failing() {
        let at = |time: &str| Some(time.parse::<Timestamp>().unwrap());
        let oldest = "2026-10-20T00:00:00Z".parse().unwrap();
        for (proven_at, failing_since, level, text) in [
            (
                at("2026-11-24T12:00:00Z"),
                None,
                Level::Ok,
                "slack was last proven 2026-11-24 12:00 UTC",
            ),
            (
                at("2026-10-01T12:00:00Z"),
                None,
                Level::Warning,
                "slack was last proven 2026-10-01 12:00 UTC: run `pourtrait alerts prove`",
            ),
            (
                None,
                None,
                Level::Warning,
                "slack was never proven: run `pourtrait alerts prove`",
            ),
            (
                at("2026-11-24T12:00:00Z"),
                at("2026-11-24T12:05:00Z"),
                Level::Error,
                "slack has taken nothing since 2026-11-24 12:05 UTC: no answer",
            ),
        ] {
            let proof = Proof {
                channel: slack::CHANNEL,
                proven_at,
                failing_since,
                error: None,
            };
            let finding = judge(&proof, oldest);
            assert_eq!((finding.level, finding.text.as_str()), (level, text));
        }
    }
}
