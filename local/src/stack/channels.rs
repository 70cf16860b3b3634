//! Ways to tell people beside those that every stack has: Discord, a machine, and
//! Slack's bot in place of its webhook.

use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::{capture::Bot, files::load_or_make, random};

/// The channel that the bot is in.
const SLACK_CHANNEL: &str = "C0000LOCAL";

/// What proves a message on each of them.
#[derive(Serialize, Deserialize)]
pub(super) struct ChannelSecrets {
    slack_token: String,
    pub(super) discord_path: String,
    pub(super) webhook_path: String,
    webhook_secret: String,
}

impl ChannelSecrets {
    /// Those of the last start, if a folder keeps them.
    pub(super) fn of(folder: Option<&Path>) -> anyhow::Result<Self> {
        match folder {
            Some(folder) => load_or_make(&folder.join("channels.json"), Self::generate),
            None => Self::generate(),
        }
    }

    fn generate() -> anyhow::Result<Self> {
        Ok(Self {
            slack_token: format!("xoxb-{}", random::hex::<12>()?),
            discord_path: format!("/api/webhooks/1/{}", random::hex::<12>()?),
            webhook_path: format!("/alerts/{}", random::hex::<4>()?),
            webhook_secret: format!("whsec_{}", BASE64_STANDARD.encode(random::bytes::<32>()?)),
        })
    }

    pub(super) fn bot(&self) -> Bot {
        Bot {
            token: self.slack_token.clone(),
            channel: SLACK_CHANNEL.to_owned(),
        }
    }

    /// What messages to the machine are signed with.
    pub(super) fn webhook_key(&self) -> anyhow::Result<Vec<u8>> {
        let encoded = self.webhook_secret.trim_start_matches("whsec_");
        Ok(BASE64_STANDARD.decode(encoded)?)
    }

    /// The variables that open these channels, given where Slack, Discord and the
    /// machine answer.
    pub(super) fn variables(
        &self,
        [slack, discord, machine]: &[String; 3],
    ) -> [(String, String); 6] {
        [
            ("SLACK_BOT_TOKEN", self.slack_token.clone()),
            ("SLACK_CHANNEL_ID", SLACK_CHANNEL.to_owned()),
            ("SLACK_API_URL", format!("{slack}/api")),
            (
                "DISCORD_WEBHOOK_URL",
                format!("{discord}{}", self.discord_path),
            ),
            (
                "ALERT_WEBHOOK_URL",
                format!("{machine}{}", self.webhook_path),
            ),
            ("ALERT_WEBHOOK_SECRET", self.webhook_secret.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }
}
