//! `check --live`: when each channel was last proven to take messages.

use jiff::{SignedDuration, Timestamp};
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};

use super::{Finding, Level};
use crate::{commands::project::Project, environment::Environment};

const SUBJECT: &str = "alerts";

#[derive(Debug, Serialize)]
struct ListChannels {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    /// For how long a message that was sent proves its channel.
    maximum_days: i64,
    channels: Vec<Channel>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Channel {
    channel: String,
    proven_at: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    error: Option<String>,
}

impl Call for ListChannels {
    const NAME: &'static str = "ops_list_channels";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// What there is to say of every channel that is configured here.
pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let listed = async { Project::of(environment)?.call(&ListChannels {}).await };
    let listed = match listed.await {
        Ok(listed) => listed,
        Err(error) => return vec![Finding::new(Level::Error, SUBJECT, format!("{error:#}"))],
    };
    let oldest = ops::clock::now() - SignedDuration::from_hours(24 * listed.maximum_days);
    let configured = environment.config().channels();
    configured
        .into_iter()
        .map(|name| {
            let known = listed.channels.iter().find(|one| one.channel == name);
            known.map_or_else(|| unproven(name), |channel| judge(channel, oldest))
        })
        .collect()
}

fn judge(channel: &Channel, oldest: Timestamp) -> Finding {
    let name = &channel.channel;
    if let Some(since) = channel.failing_since {
        let error = channel.error.as_deref().unwrap_or("no answer");
        let text = format!("{name} has taken nothing since {}: {error}", minute(since));
        return Finding::new(Level::Error, SUBJECT, text);
    }
    match channel.proven_at {
        Some(at) if at >= oldest => {
            let text = format!("{name} was last proven {}", minute(at));
            Finding::new(Level::Ok, SUBJECT, text)
        }
        Some(at) => {
            let text = format!(
                "{name} was last proven {}: run `pourtrait alerts prove`",
                minute(at)
            );
            Finding::new(Level::Warning, SUBJECT, text)
        }
        None => unproven(name),
    }
}

fn unproven(name: &str) -> Finding {
    let text = format!("{name} was never proven: run `pourtrait alerts prove`");
    Finding::new(Level::Warning, SUBJECT, text)
}

/// To the minute, in UTC.
fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
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
            let channel = Channel {
                channel: "slack".into(),
                proven_at,
                failing_since,
                error: None,
            };
            let finding = judge(&channel, oldest);
            assert_eq!((finding.level, finding.text.as_str()), (level, text));
        }
    }
}
