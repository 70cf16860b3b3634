//! `pourtrait alerts`: what is open, whom it asks next, and what people do about
//! it.

mod messages;
mod prove;

use anyhow::Context;
use jiff::Timestamp;
use ops::{
    alerts::acknowledge::{ActOnAlert, ActOutcome, Action},
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    lengths::until,
    project::{Project, author},
    replay,
};
use crate::{
    arguments::alerts::{Alerts, Match},
    environment::Environment,
    failure::{Misuse, Verdict},
    output::{self, Output},
};

#[derive(Debug, Serialize)]
struct ListAlerts {}

#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    alerts: Vec<Value>,
    silences: Vec<Value>,
}

impl Call for ListAlerts {
    const NAME: &'static str = "ops_list_alerts";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct AddSilence {
    p_silence: Uuid,
    p_match: Value,
    p_until: Timestamp,
    p_reason: String,
    p_author: String,
}

impl Call for AddSilence {
    const NAME: &'static str = "ops_add_silence";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Value;
}

#[derive(Debug, Serialize)]
struct EndSilence {
    p_silence: Uuid,
    p_by: String,
}

impl Call for EndSilence {
    const NAME: &'static str = "ops_end_silence";
    // One that has ended stays as it is.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Value;
}

pub(crate) async fn run(
    action: Alerts,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let reads = matches!(
        action,
        Alerts::List | Alerts::Messages { .. } | Alerts::Replay(_)
    );
    if !reads {
        project.show(environment);
    }
    match action {
        Alerts::List => {
            let listed = project.call(&ListAlerts {}).await?;
            output.result(&json!(listed), &listing(&listed));
        }
        Alerts::Acknowledge {
            alert,
            length,
            note,
        } => {
            let until = length.as_deref().map(until).transpose()?;
            return act(&project, &alert, Action::Acknowledge, until, note, output).await;
        }
        Alerts::Unacknowledge { alert, note } => {
            return act(&project, &alert, Action::Unacknowledge, None, note, output).await;
        }
        Alerts::Resolve { alert, note } => {
            return act(&project, &alert, Action::Resolve, None, note, output).await;
        }
        Alerts::Silence {
            what,
            length,
            reason,
        } => {
            let call = AddSilence {
                p_silence: Uuid::new_v4(),
                p_match: matching(&what),
                p_until: until(&length)?,
                p_reason: reason,
                p_author: author(),
            };
            let silence = project.call(&call).await?;
            output.result(&silence, &silence_line(&silence));
        }
        Alerts::Unsilence { silence } => {
            let call = EndSilence {
                p_silence: silence,
                p_by: author(),
            };
            let ended = project.call(&call).await?;
            if ended.is_null() {
                return Err(Misuse(format!("there is no silence {silence}")).into());
            }
            output.result(&ended, &silence_line(&ended));
        }
        Alerts::Messages { dead, alert, limit } => {
            let alert = match alert {
                Some(alert) => Some(named(&project, &alert).await?),
                None => None,
            };
            messages::list(&project, dead, alert, limit, output).await?;
        }
        Alerts::Resend { message, channel } => {
            return messages::resend(&project, &message, channel, output).await;
        }
        Alerts::Prove => return prove::run(&project, environment, output).await,
        Alerts::Replay(what) => return replay::run(&what, &project, output).await,
    }
    Ok(Verdict::Good)
}

/// The alert of that id; of an open one its start is enough.
async fn named(project: &Project, alert: &str) -> anyhow::Result<Uuid> {
    match alert.parse() {
        Ok(id) => Ok(id),
        Err(_) => find(&project.call(&ListAlerts {}).await?, alert),
    }
}

async fn act(
    project: &Project,
    alert: &str,
    action: Action,
    until: Option<Timestamp>,
    note: Option<String>,
    output: Output,
) -> anyhow::Result<Verdict> {
    let listed = project.call(&ListAlerts {}).await?;
    let call = ActOnAlert {
        p_request: Uuid::new_v4(),
        p_alert: find(&listed, alert)?,
        p_action: action,
        p_until: until,
        p_note: note,
        p_actor: author(),
        p_link: None,
    };
    let acted = project.call(&call).await?;
    let status = acted.alert["status"].as_str().unwrap_or("unknown");
    let text = format!("{} is {status}", word(&acted.alert, "subject"));
    output.result(
        &json!({ "outcome": acted.outcome, "alert": acted.alert }),
        &text,
    );
    Ok(match acted.outcome {
        ActOutcome::Done | ActOutcome::Unchanged => Verdict::Good,
        ActOutcome::Ready
        | ActOutcome::Unknown
        | ActOutcome::Used
        | ActOutcome::Expired
        | ActOutcome::Resolved => Verdict::Bad,
    })
}

/// The open alert whose id begins so, as the list shows it.
fn find(listed: &Listed, start: &str) -> anyhow::Result<Uuid> {
    let ids: Vec<&str> = listed
        .alerts
        .iter()
        .filter_map(|alert| alert["id"].as_str())
        .filter(|id| !start.is_empty() && id.starts_with(&start.to_lowercase()))
        .collect();
    match ids.as_slice() {
        [one] => one.parse().context("the database names an alert oddly"),
        [] => Err(Misuse(format!("no open alert begins with {start}")).into()),
        _ => Err(Misuse(format!("{} open alerts begin with {start}", ids.len())).into()),
    }
}

fn matching(what: &Match) -> Value {
    let given = [
        ("rule", &what.rule),
        ("subject", &what.subject),
        ("fingerprint", &what.fingerprint),
    ];
    given
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn listing(listed: &Listed) -> String {
    let rows: Vec<_> = listed.alerts.iter().map(row).collect();
    let mut text = if rows.is_empty() {
        "nothing is open".to_owned()
    } else {
        output::table(
            [
                "alert", "severity", "rule", "subject", "since", "state", "next",
            ],
            &rows,
        )
    };
    for silence in &listed.silences {
        text.push('\n');
        text.push_str(&silence_line(silence));
    }
    text
}

fn row(alert: &Value) -> [String; 7] {
    let id: String = word(alert, "id").chars().take(8).collect();
    [
        id,
        word(alert, "severity"),
        word(alert, "rule"),
        word(alert, "subject"),
        time(&alert["since"]),
        state(alert),
        next(alert),
    ]
}

fn state(alert: &Value) -> String {
    if let Some(by) = alert["acknowledgedBy"].as_str() {
        return format!(
            "acknowledged by {by} until {}",
            time(&alert["acknowledgedUntil"])
        );
    }
    if alert["silencedUntil"].is_string() {
        return format!("silenced until {}", time(&alert["silencedUntil"]));
    }
    if let Some(rule) = alert["heldBy"]["rule"].as_str() {
        return format!("held by {rule} {}", word(&alert["heldBy"], "subject"));
    }
    word(alert, "status")
}

/// Who is asked next if nobody answers, and when: not while the alert is
/// acknowledged or silenced, and nobody knows when while it is held.
fn next(alert: &Value) -> String {
    if alert["heldBy"].is_object() {
        return String::new();
    }
    let steps = alert["ladder"].as_array().into_iter().flatten();
    let waiting: Vec<(Option<Timestamp>, &str)> = steps
        .filter(|step| step["status"] == "waiting")
        .map(|step| {
            let held = ["acknowledgedUntil", "silencedUntil"].map(|key| instant(&alert[key]));
            let at = held.into_iter().chain([instant(&step["dueAt"])]).max();
            (at.flatten(), step["name"].as_str().unwrap_or("email"))
        })
        .collect();
    let Some((Some(first), _)) = waiting.first() else {
        return String::new();
    };
    let names: Vec<&str> = waiting
        .iter()
        .filter(|(at, _)| at.as_ref() == Some(first))
        .map(|(_, name)| *name)
        .collect();
    format!("{} at {}", names.join(", "), minute(*first))
}

fn silence_line(silence: &Value) -> String {
    let what: Vec<String> = ["rule", "subject", "fingerprint"]
        .into_iter()
        .filter_map(|key| Some(format!("{key} {}", silence[key].as_str()?)))
        .collect();
    format!(
        "silence {}: {} until {}, by {}: {}",
        word(silence, "id"),
        what.join(", "),
        time(&silence["endsAt"]),
        word(silence, "author"),
        word(silence, "reason")
    )
}

fn word(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_default().to_owned()
}

fn instant(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn time(value: &Value) -> String {
    instant(value).map_or_else(String::new, minute)
}

/// To the minute, in UTC.
fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_named_by_the_start_of_its_id() {
        let listed = Listed {
            alerts: vec![
                json!({"id": "abc00000-0000-4000-8000-000000000001"}),
                json!({"id": "abd00000-0000-4000-8000-000000000002"}),
            ],
            silences: Vec::new(),
        };
        assert_eq!(find(&listed, "ABC").unwrap().as_u128() & 0xf, 1);
        for start in ["ab", "x", ""] {
            assert!(find(&listed, start).is_err(), "{start}");
        }
    }

    #[test]
    fn the_list_tells_who_is_asked_next() {
        let alert = json!({"ladder": [
            {"status": "told", "name": "Anna", "dueAt": "2026-11-24T12:00:00Z"},
            {"status": "waiting", "name": "Bo", "dueAt": "2026-11-24T12:30:00Z"},
            {"status": "waiting", "name": "Cleo", "dueAt": "2026-11-24T12:30:00Z"},
            {"status": "waiting", "name": "Eve", "dueAt": "2026-11-24T13:00:00Z"},
        ]});
        assert_eq!(next(&alert), "Bo, Cleo at 2026-11-24 12:30 UTC");
        let mut held = alert;
        held["acknowledgedUntil"] = json!("2026-11-24T12:45:00Z");
        assert_eq!(next(&held), "Bo, Cleo at 2026-11-24 12:45 UTC");
        held["heldBy"] = json!({"rule": "database_failing", "subject": "database"});
        assert_eq!(next(&held), "");
        held["heldBy"] = json!(null);
        held["ladder"] = json!([]);
        assert_eq!(next(&held), "");
    }
}
