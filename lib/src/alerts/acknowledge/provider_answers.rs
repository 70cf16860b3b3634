//! What people answered by way of a channel's provider: a button in a pager, a reply, a
//! digit on the phone. Each answer acts on its own alert alone, and once, however often
//! and in which order the provider tells of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{ActOnAlert, ActOutcome, Acted, Action, LinkUse, refusal};
use crate::{
    app::App,
    auth::signed_link::Signer,
    handler::Answer,
    messages::channels::{
        Channel,
        callback::{About, CalledBack, Does, ProviderAnswer},
    },
    problem::Problem,
    rpc::{Call, Retry},
};
use outside::clock::{self, Deadline};

/// Which alert an address answers that was told of it.
#[derive(Debug, Serialize)]
struct FindAnswered<'a> {
    p_channel: Channel,
    p_address: &'a str,
    p_code: Option<&'a str>,
}

/// What was found; an alert without a message is never there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    alert: Option<Uuid>,
    message: Option<Uuid>,
    /// Who has that address.
    name: Option<String>,
    /// How many open alerts the address was told of.
    open: u64,
}

impl Call for FindAnswered<'_> {
    const NAME: &'static str = "ops_find_answered";
    const RETRY: Retry = Retry::Read;
    type Output = Found;
}

/// One answer, as far as it is known what it is about.
enum Understood {
    Acts {
        alert: Uuid,
        link: Option<LinkUse>,
        by: Option<String>,
    },
    /// Why nothing is done, in words for whoever answered.
    Nothing(&'static str),
}

/// Does what was answered, and answers the provider.
pub(super) async fn take(
    app: &App,
    channel: Channel,
    called_back: CalledBack,
    deadline: Deadline,
) -> Answer {
    let CalledBack { answers, reply } = called_back;
    let mut said = String::new();
    for answer in answers {
        said = act(app, channel, answer, deadline).await?;
    }
    Ok(reply.said(&said))
}

async fn act(
    app: &App,
    channel: Channel,
    answer: ProviderAnswer,
    deadline: Deadline,
) -> Result<String, Problem> {
    let request = answer.request(channel.as_str());
    let does = answer.does;
    let (alert, link, by) = match understand(app, channel, answer, deadline).await? {
        Understood::Acts { alert, link, by } => (alert, link, by),
        Understood::Nothing(why) => return Ok(why.to_owned()),
    };
    let by = by.unwrap_or_else(|| "somebody".to_owned());
    let call = ActOnAlert {
        p_request: request,
        p_alert: alert,
        p_action: match does {
            Does::Acknowledge => Action::Acknowledge,
            Does::Resolve => Action::Resolve,
        },
        p_until: None,
        p_note: None,
        p_actor: format!("{by} (by {})", channel.name()),
        p_link: link,
        p_role: None,
    };
    let acted = app
        .call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))?;
    tracing::info!(%alert, channel = channel.as_str(), outcome = ?acted.outcome, "a provider called back");
    Ok(words(does, &acted))
}

async fn understand(
    app: &App,
    channel: Channel,
    answer: ProviderAnswer,
    deadline: Deadline,
) -> Result<Understood, Problem> {
    let by = answer.by;
    Ok(match answer.about {
        About::Alert(alert) => Understood::Acts {
            alert,
            link: None,
            by,
        },
        About::Message { alert, message } => Understood::Acts {
            alert,
            link: Some(once(message)),
            by,
        },
        About::Token(token) => {
            let signer = app.config.monitoring_api_key.as_ref().map(Signer::new);
            match signer.and_then(|signer| signer.verify(&token)) {
                Some(grant) => Understood::Acts {
                    alert: grant.alert,
                    link: Some(LinkUse {
                        message: grant.message,
                        expires_at: grant.expires_at,
                    }),
                    by,
                },
                None => Understood::Nothing(UNKNOWN),
            }
        }
        About::Address { address, code } => {
            let call = FindAnswered {
                p_channel: channel,
                p_address: &address,
                p_code: code.as_deref(),
            };
            let found = app
                .call(&call, deadline)
                .await
                .map_err(|error| refusal(&error))?;
            match (found.alert, found.message, found.open) {
                (Some(alert), Some(message), _) => Understood::Acts {
                    alert,
                    link: Some(once(message)),
                    by: by.or(found.name),
                },
                (.., 0) => Understood::Nothing("Nothing is open that this number was told of."),
                (.., 1) => Understood::Nothing("No open alert has that code."),
                _ => Understood::Nothing("Several alerts are open: answer with the code of one."),
            }
        }
    })
}

const UNKNOWN: &str = "No such alert is known here.";

/// The answer of a message counts once, as its link does. The provider has proven that
/// it is one, so only the message's age ends it, which the database knows.
fn once(message: Uuid) -> LinkUse {
    LinkUse {
        message,
        expires_at: clock::now() + std::time::Duration::from_secs(60),
    }
}

/// What came of it, for whoever answered.
fn words(does: Does, Acted { outcome, alert }: &Acted) -> String {
    let known = |text: &Value| text.as_str().map(str::to_owned);
    match outcome {
        ActOutcome::Ready | ActOutcome::Done => match does {
            Does::Acknowledge => {
                let until = known(&alert["acknowledgedUntil"]);
                let until = until.and_then(|text| text.parse::<Timestamp>().ok());
                let until = until.map_or_else(String::new, |until| {
                    format!(" until {}", until.strftime("%H:%M UTC"))
                });
                format!("You have it{until}. Nobody else is called meanwhile.")
            }
            Does::Resolve => "It is resolved.".to_owned(),
        },
        ActOutcome::Unchanged | ActOutcome::Resolved => "It is over already.".to_owned(),
        ActOutcome::Used => match known(&alert["acknowledgedBy"]) {
            Some(by) => format!("That was answered already: {by} has it."),
            None => "That was answered already.".to_owned(),
        },
        ActOutcome::Expired => "This message is too old to be answered.".to_owned(),
        ActOutcome::Unknown => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_answers_is_told_what_came_of_it() {
        for (does, outcome, alert, expected) in [
            (
                Does::Acknowledge,
                ActOutcome::Done,
                json!({"acknowledgedUntil": "2026-11-24T03:12:00Z"}),
                "You have it until 03:12 UTC. Nobody else is called meanwhile.",
            ),
            (
                Does::Acknowledge,
                ActOutcome::Done,
                json!({"acknowledgedUntil": 7}),
                "You have it. Nobody else is called meanwhile.",
            ),
            (
                Does::Resolve,
                ActOutcome::Done,
                json!(null),
                "It is resolved.",
            ),
            (
                Does::Resolve,
                ActOutcome::Unchanged,
                json!({}),
                "It is over already.",
            ),
            (
                Does::Acknowledge,
                ActOutcome::Used,
                json!({"acknowledgedBy": "Ben"}),
                "That was answered already: Ben has it.",
            ),
            (Does::Acknowledge, ActOutcome::Unknown, json!(null), UNKNOWN),
        ] {
            assert_eq!(words(does, &Acted { outcome, alert }), expected);
        }
    }
}
