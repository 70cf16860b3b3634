//! The alert channels: whether there are enough of them, and whether they work.

use ops::{
    app::App,
    config::Config,
    messages::channels::{self, Reach},
};
use outside::clock::Deadline;

use super::{
    PROBE_TIMEOUT,
    finding::{Finding, Level},
};
use crate::environment::Environment;

/// What keeps alerts from being sent, each with whether it applies.
pub(super) fn warnings(config: &Config) -> [(bool, &'static str, &'static str); 3] {
    let open = config.channels.list();
    let has = |reach| open.iter().any(|channel| channel.reach() == reach);
    [
        (
            open.is_empty(),
            "alerts",
            "no channel is configured: alerts are kept and shown, and reach nobody \
             (docs/configuration.md lists the variables of each; SLACK_WEBHOOK_URL alone is enough)",
        ),
        (
            open.len() == 1 && !has(Reach::Mail),
            "alerts",
            "one channel alone: while it is away critical alerts reach nobody \
             (email needs RESEND_API_KEY, RESEND_FROM_EMAIL and ADMIN_EMAIL)",
        ),
        (
            has(Reach::Mail) && !has(Reach::Room),
            "alerts",
            "no chat, such as Slack: every alert goes by email \
             (SLACK_WEBHOOK_URL, SLACK_BOT_TOKEN, DISCORD_WEBHOOK_URL)",
        ),
    ]
}

/// Asks those channels that can be asked without sending a message. A webhook, for
/// example, cannot be tried without one.
pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let app = App::new(environment.config());
    let mut findings = Vec::new();
    for channel in channels::ALL {
        let sender = app.config.channels.sender(channel);
        let deadline = Deadline::after(PROBE_TIMEOUT);
        let Some(asked) = sender.and_then(|sender| sender.identify(&app.outbound, deadline)) else {
            continue;
        };
        findings.push(match asked.await {
            Ok(()) => Finding::new(Level::Ok, channel.as_str(), "knows what it is opened with"),
            Err(reason) => Finding::new(Level::Error, channel.as_str(), reason),
        });
    }
    findings
}
