//! Ways to tell people beside those that every stack has: the channels that are stood in
//! for, and Slack's bot in place of its webhook.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    capture::{Bot, Capture, Inbox, STAND_INS},
    fault::{Faults, Service},
    files::load_or_make,
    random,
};

/// The channel that the bot is in.
const SLACK_CHANNEL: &str = "C0000LOCAL";

/// What proves a message on each of them.
#[derive(Serialize, Deserialize)]
pub(super) struct ChannelSecrets {
    slack_token: String,
    #[serde(default)]
    stand_ins: BTreeMap<Service, String>,
}

impl ChannelSecrets {
    /// Those of the last start, if a folder keeps them, with fresh ones for what is new.
    pub(super) fn of(folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut secrets = match folder {
            Some(folder) => load_or_make(&folder.join("channels.json"), Self::generate)?,
            None => Self::generate()?,
        };
        for stand_in in &STAND_INS {
            if let Entry::Vacant(new) = secrets.stand_ins.entry(stand_in.service) {
                new.insert(random::hex::<24>()?);
            }
        }
        Ok(secrets)
    }

    fn generate() -> anyhow::Result<Self> {
        Ok(Self {
            slack_token: format!("xoxb-{}", random::hex::<12>()?),
            stand_ins: BTreeMap::new(),
        })
    }

    pub(super) fn bot(&self) -> Bot {
        Bot {
            token: self.slack_token.clone(),
            channel: SLACK_CHANNEL.to_owned(),
        }
    }

    /// Starts every stand-in.
    pub(super) async fn serve(
        &self,
        ports: &BTreeMap<Service, u16>,
        inbox: &Arc<Inbox>,
        faults: &Arc<Faults>,
    ) -> anyhow::Result<BTreeMap<Service, Capture>> {
        let mut captures = BTreeMap::new();
        for stand_in in &STAND_INS {
            let port = ports.get(&stand_in.service).copied();
            let secret = self.secret(stand_in.service);
            let capture = Capture::stand_in(stand_in, port, secret, inbox, faults).await?;
            captures.insert(stand_in.service, capture);
        }
        Ok(captures)
    }

    /// The variables that open these channels, given where Slack and the stand-ins answer.
    pub(super) fn variables(
        &self,
        slack: &Capture,
        captures: &BTreeMap<Service, Capture>,
    ) -> BTreeMap<String, String> {
        let bot = [
            ("SLACK_BOT_TOKEN", self.slack_token.clone()),
            ("SLACK_CHANNEL_ID", SLACK_CHANNEL.to_owned()),
            ("SLACK_API_URL", format!("{}/api", slack.url())),
        ];
        let others = STAND_INS.iter().flat_map(|stand_in| {
            let url = captures.get(&stand_in.service).map(Capture::url);
            (stand_in.variables)(self.secret(stand_in.service), &url.unwrap_or_default())
        });
        bot.into_iter()
            .chain(others)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn secret(&self, service: Service) -> &str {
        self.stand_ins.get(&service).map_or("", String::as_str)
    }
}
