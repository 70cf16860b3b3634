//! The alert channels: whether there are enough of them, and whether they work.

use ops::{
    alerts::channels::slack,
    app::App,
    config::{Channel, Config, Slack},
};
use outside::clock::Deadline;

use super::{
    PROBE_TIMEOUT,
    finding::{Finding, Level},
};
use crate::environment::Environment;

/// What keeps alerts from being sent, each with whether it applies.
pub(super) fn warnings(config: &Config) -> [(bool, &'static str, &'static str); 3] {
    let channels = config.channels();
    let has = |channel| channels.contains(&channel);
    [
        (
            channels.is_empty(),
            "alerts",
            "no channel is configured: alerts are kept and shown, and reach nobody \
             (SLACK_WEBHOOK_URL, SLACK_BOT_TOKEN, DISCORD_WEBHOOK_URL, ALERT_WEBHOOK_URL, or \
             RESEND_API_KEY with RESEND_FROM_EMAIL and ADMIN_EMAIL)",
        ),
        (
            channels.len() == 1 && !has(Channel::Email),
            "alerts",
            "one channel alone: while it is away critical alerts reach nobody \
             (email needs RESEND_API_KEY, RESEND_FROM_EMAIL and ADMIN_EMAIL)",
        ),
        (
            has(Channel::Email) && !has(Channel::Slack) && !has(Channel::Discord),
            "alerts",
            "neither Slack nor Discord: every alert goes by email \
             (SLACK_WEBHOOK_URL, SLACK_BOT_TOKEN, DISCORD_WEBHOOK_URL)",
        ),
    ]
}

/// Asks those channels that can be asked without sending a message: Slack, whose
/// token it is. A webhook cannot be tried without a message.
pub(super) async fn look(environment: &Environment) -> Option<Finding> {
    let app = App::new(environment.config());
    let Some(Slack::Bot(_)) = &app.config.slack else {
        return None;
    };
    let known = slack::identify(&app, Deadline::after(PROBE_TIMEOUT)).await;
    Some(match known {
        Ok(()) => Finding::new(Level::Ok, "slack", "knows the bot's token"),
        Err(reason) => Finding::new(Level::Error, "slack", reason),
    })
}
