//! The ways to tell people, as far as the environment describes them. A channel
//! that lacks a part is closed, and the part is named as missing.

use base64::{Engine, prelude::BASE64_STANDARD};
use outside::secure_url;
use secrecy::{SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    Config, Service,
    parse::{self, Reader},
};

/// A way to tell people, in the words that the database uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Slack's incoming webhook, or a bot of Slack's.
    Slack,
    /// Email through Resend.
    Email,
    /// Discord's webhook.
    Discord,
    /// A request to a machine.
    Webhook,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Slack, Self::Email, Self::Discord, Self::Webhook];

    /// The word that the database uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Email => "email",
            Self::Discord => "discord",
            Self::Webhook => "webhook",
        }
    }

    /// The channel of that word, if this release knows it.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.as_str() == word)
    }
}

/// The email channel.
#[derive(Debug, Clone)]
pub struct Email {
    /// Sends the mail.
    pub service: Service,
    /// The sender.
    pub from: String,
    /// The recipients, at least one.
    pub to: Vec<String>,
}

/// The Slack channel in one of its two forms.
#[derive(Debug, Clone)]
pub enum Slack {
    /// An incoming webhook, whose URL is the secret: it posts and does no more.
    Webhook(SecretString),
    /// A bot, which can also answer in threads and change what it posted.
    Bot(SlackBot),
}

/// A bot of Slack's and where it posts.
#[derive(Debug, Clone)]
pub struct SlackBot {
    /// Its token.
    pub token: SecretString,
    /// The id of the channel.
    pub channel: String,
    /// Where Slack's API answers.
    pub api_url: Url,
}

/// The channel for machines.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where each message is posted, which may hold a secret too.
    pub url: SecretString,
    /// What messages are signed with.
    pub secret: SecretSlice<u8>,
}

impl Config {
    /// The channels that can be used.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        let mut channels = Channel::ALL.to_vec();
        channels.retain(|channel| match channel {
            Channel::Slack => self.slack.is_some(),
            Channel::Email => self.email.is_some(),
            Channel::Discord => self.discord_webhook.is_some(),
            Channel::Webhook => self.webhook.is_some(),
        });
        channels
    }
}

pub(super) fn email(read: &mut Reader, service: Option<Service>) -> Option<Email> {
    let from = read.text("RESEND_FROM_EMAIL");
    let from = from.and_then(|text| read.keep("RESEND_FROM_EMAIL", parse::address(&text)));
    let to = read.text("ADMIN_EMAIL");
    let to = to.and_then(|text| read.keep("ADMIN_EMAIL", parse::addresses(&text)));
    Some(Email {
        service: service?,
        from: from?,
        to: to.filter(|to| !to.is_empty())?,
    })
}

/// The bot, which can do more, or the webhook.
pub(super) fn slack(read: &mut Reader) -> Option<Slack> {
    let webhook = secret_url(read, "SLACK_WEBHOOK_URL").map(Slack::Webhook);
    slack_bot(read).map(Slack::Bot).or(webhook)
}

fn slack_bot(read: &mut Reader) -> Option<SlackBot> {
    requires_all(read, ["SLACK_BOT_TOKEN", "SLACK_CHANNEL_ID"])?;
    let api_url = read.url_or("SLACK_API_URL", "https://slack.com/api");
    let token = read.key("SLACK_BOT_TOKEN");
    let channel = read.text("SLACK_CHANNEL_ID");
    let channel = channel.and_then(|text| read.keep("SLACK_CHANNEL_ID", channel_id(text)));
    Some(SlackBot {
        token: token?,
        channel: channel?,
        api_url: api_url?,
    })
}

pub(super) fn discord(read: &mut Reader) -> Option<SecretString> {
    secret_url(read, "DISCORD_WEBHOOK_URL")
}

pub(super) fn webhook(read: &mut Reader) -> Option<Webhook> {
    requires_all(read, ["ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET"])?;
    let url = secret_url(read, "ALERT_WEBHOOK_URL");
    let secret = read.text("ALERT_WEBHOOK_SECRET");
    let secret = secret.and_then(|text| read.keep("ALERT_WEBHOOK_SECRET", signing_secret(&text)));
    Some(Webhook {
        url: url?,
        secret: secret?,
    })
}

/// Nothing if none of two variables is set; where one is, the other has to be.
fn requires_all(read: &mut Reader, names: [&'static str; 2]) -> Option<()> {
    read.first(&names)?;
    for name in names {
        read.require(name);
    }
    Some(())
}

/// A URL that is itself the proof of who calls it.
pub(super) fn secret_url(read: &mut Reader, name: &'static str) -> Option<SecretString> {
    let value = read.text(name)?;
    read.keep(name, secure_url::parse(&value).map(|_| value.into()))
}

/// A name would do to post, but threads and changes go by the id.
fn channel_id(text: String) -> Result<String, &'static str> {
    let known = text.starts_with(['C', 'G', 'D']) && text.len() > 2;
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if known && text.bytes().all(plain) {
        Ok(text)
    } else {
        Err("not a channel's id, `C…`: it is at the end of the channel's details in Slack")
    }
}

/// In the form that Standard Webhooks gives secrets; its prefix may be left out.
fn signing_secret(text: &str) -> Result<SecretSlice<u8>, &'static str> {
    let encoded = text.strip_prefix("whsec_").unwrap_or(text);
    let bytes = BASE64_STANDARD
        .decode(encoded)
        .map_err(|_| "not base64 (`openssl rand -base64 32`)")?;
    if bytes.len() < 24 {
        return Err("shorter than 24 bytes (`openssl rand -base64 32`)");
    }
    Ok(bytes.into())
}
