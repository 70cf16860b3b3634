//! Alerts that are not resolved: the list of them, and what people do about one.

use anyhow::Context;
use jiff::Timestamp;
use ops::{
    alerts::acknowledge::{ActOnAlert, ActOnAlerts, ActOutcome, Action, Selection},
    messages::message_facts::Severity,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    arguments::Which,
    silences::{self, Silence},
};
use crate::{
    answered::{self, Answered, word},
    id_start,
    oncall::plan::Duty,
    project::{Project, author},
    times::to_the_minute,
};
use terminal::{failure::Verdict, output::Output};

#[derive(Debug, Serialize)]
struct ListAlerts {}

#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    alerts: Vec<Answered<Alert>>,
    silences: Vec<Answered<Silence>>,
    /// Who is on call; a database of an earlier release does not say.
    #[serde(default, rename = "onCall")]
    on_call: Vec<Answered<Duty>>,
}

impl Call for ListAlerts {
    const NAME: &'static str = "ops_list_alerts";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// An alert, as far as a list shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    id: Uuid,
    rule: String,
    subject: String,
    severity: Severity,
    status: Status,
    since: Timestamp,
    acknowledged_by: Option<String>,
    acknowledged_until: Option<Timestamp>,
    silenced_until: Option<Timestamp>,
    held_by: Option<Holder>,
    /// Who is asked next; a database of an earlier release does not say.
    next: Option<Next>,
}

/// How far an alert has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Acknowledged,
    Resolved,
}

/// What an alert is only the consequence of.
#[derive(Debug, Deserialize)]
struct Holder {
    rule: String,
    subject: String,
}

/// Who is asked next, or why nobody is.
#[derive(Debug, Deserialize)]
struct Next {
    /// When, where that is known.
    at: Option<Timestamp>,
    /// The names of whom it asks; `email` is the address that every alert goes to.
    names: Vec<String>,
    reason: Option<Quiet>,
}

/// What keeps an alert from asking somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Quiet {
    /// Its cause is asked about.
    Held,
    /// Somebody is at it, and is asked first when that runs out.
    Acknowledged,
    /// A silence or maintenance postpones it.
    Silenced,
    /// There is nobody to ask.
    NoContacts,
    /// The next tick plans it.
    NotPlanned,
    /// Everybody was asked.
    AllAsked,
    /// Nobody is asked about anything of its severity.
    NoLadder,
}

impl Quiet {
    /// Why nobody is asked, where no time is known.
    fn reason(self) -> &'static str {
        match self {
            Self::Held => "nobody: its cause is told",
            Self::Acknowledged => "nobody while it is acknowledged",
            Self::Silenced => "nobody while it is silenced",
            Self::NoContacts => "nobody: there are no contacts",
            Self::NotPlanned => "nobody until the next tick",
            Self::AllAsked => "nobody: email was sent as well",
            Self::NoLadder => "nobody at this severity",
        }
    }
}

/// What somebody does about alerts.
pub(super) struct Change {
    pub(super) which: Which,
    pub(super) action: Action,
    pub(super) until: Option<Timestamp>,
    pub(super) note: Option<String>,
}

pub(super) async fn list(project: &Project, output: Output) -> anyhow::Result<Verdict> {
    let listed = project.call(&ListAlerts {}).await?;
    output.result(&json!(listed), &listing(&listed));
    Ok(Verdict::Good)
}

/// The open alert whose id begins so.
pub(super) async fn find(project: &Project, start: &str) -> anyhow::Result<Uuid> {
    let listed = project.call(&ListAlerts {}).await?;
    let ids = listed.alerts.iter().filter_map(Answered::id);
    Ok(id_start::find("open alert", start, ids)?)
}

pub(super) async fn change(
    project: &Project,
    change: Change,
    output: Output,
) -> anyhow::Result<Verdict> {
    let alert = match selection(project, &change.which).await? {
        Selection::Alerts(alerts) if alerts.len() == 1 => alerts[0],
        select => return change_many(project, select, change, output).await,
    };
    let call = ActOnAlert {
        p_request: Uuid::new_v4(),
        p_alert: alert,
        p_action: change.action,
        p_until: change.until,
        p_note: change.note,
        p_actor: author(),
        p_link: None,
        p_role: None,
    };
    let acted = project.call(&call).await?;
    let json = json!({ "outcome": acted.outcome, "alert": acted.alert });
    let alert: Option<Answered<Alert>> =
        serde_json::from_value(acted.alert).context("the alert cannot be read")?;
    let text = alert.map_or_else(
        || "the alert is gone".to_owned(),
        |alert| alert.describe(|alert| format!("{} is {}", alert.subject, word(alert.status))),
    );
    output.result(&json, &text);
    Ok(match acted.outcome {
        ActOutcome::Done | ActOutcome::Unchanged => Verdict::Good,
        ActOutcome::Ready
        | ActOutcome::Unknown
        | ActOutcome::Used
        | ActOutcome::Expired
        | ActOutcome::Resolved => Verdict::Bad,
    })
}

/// The alerts that the command line names.
async fn selection(project: &Project, which: &Which) -> anyhow::Result<Selection> {
    if let Some(incident) = which.incident {
        return Ok(Selection::Incident(incident));
    }
    if !which.tags.is_empty() {
        let tags = [("tag".to_owned(), json!(which.tags))];
        return Ok(Selection::Match(tags.into_iter().collect()));
    }
    let listed = project.call(&ListAlerts {}).await?;
    let ids: Vec<Uuid> = listed.alerts.iter().filter_map(Answered::id).collect();
    let found = which
        .alerts
        .iter()
        .map(|start| id_start::find("open alert", start, ids.iter().copied()));
    Ok(Selection::Alerts(found.collect::<Result<_, _>>()?))
}

async fn change_many(
    project: &Project,
    select: Selection,
    change: Change,
    output: Output,
) -> anyhow::Result<Verdict> {
    let call = ActOnAlerts {
        p_request: Uuid::new_v4(),
        p_select: select,
        p_action: change.action,
        p_from: None,
        p_until: change.until,
        p_note: change.note,
        p_actor: author(),
        p_role: None,
    };
    let acted = project.call(&call).await?;
    let text = match acted.acted.as_slice() {
        [] => "no open alert is meant, or nothing had to be done".to_owned(),
        [_] => "done for 1 alert".to_owned(),
        alerts => format!("done for {} alerts", alerts.len()),
    };
    output.result(&json!(acted), &text);
    Ok(Verdict::Good)
}

fn listing(listed: &Listed) -> String {
    const HEADING: [&str; 7] = [
        "alert", "severity", "rule", "subject", "since", "state", "next",
    ];
    let alerts = if listed.alerts.is_empty() {
        "nothing is open".to_owned()
    } else {
        answered::table("alerts", &listed.alerts, HEADING, Alert::row)
    };
    let silences = listed.silences.iter().map(silences::line);
    let on_call = listed.on_call.iter().map(|duty| duty.describe(Duty::line));
    let lines: Vec<_> = std::iter::once(alerts)
        .chain(silences)
        .chain(on_call)
        .collect();
    lines.join("\n")
}

impl Alert {
    fn row(&self) -> [String; 7] {
        [
            id_start::shown(self.id),
            word(self.severity),
            self.rule.clone(),
            self.subject.clone(),
            to_the_minute(self.since),
            self.state(),
            self.next(),
        ]
    }

    fn state(&self) -> String {
        let until = |time: Option<Timestamp>| time.map_or_else(String::new, to_the_minute);
        match (&self.acknowledged_by, self.silenced_until, &self.held_by) {
            (Some(by), _, _) => {
                format!(
                    "acknowledged by {by} until {}",
                    until(self.acknowledged_until)
                )
            }
            (None, Some(end), _) => format!("silenced until {}", to_the_minute(end)),
            (None, None, Some(holder)) => format!("held by {} {}", holder.rule, holder.subject),
            (None, None, None) => word(self.status),
        }
    }

    /// Who is asked next if nobody answers, and when, or why nobody is.
    fn next(&self) -> String {
        let Some(Next { at, names, reason }) = &self.next else {
            return String::new();
        };
        let whom = match (reason, names.as_slice()) {
            (Some(reason), []) => return reason.reason().to_owned(),
            (None, []) => return String::new(),
            (_, names) => names.join(", "),
        };
        at.map_or_else(
            || whom.clone(),
            |at| format!("{whom} at {}", to_the_minute(at)),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn alert(over: &Value) -> Answered<Alert> {
        let mut document = json!({
            "id": "abc00000-0000-4000-8000-000000000001", "rule": "app_down", "subject": "cellar",
            "severity": "critical", "status": "firing", "since": "2026-11-24T11:58:00+00:00",
            "acknowledgedBy": null, "acknowledgedUntil": null, "silencedUntil": null, "heldBy": null,
            "next": {"at": "2026-11-24T12:30:00Z", "names": ["Bo", "Cleo"], "reason": null},
        });
        let over = over.as_object().cloned().unwrap_or_default();
        document.as_object_mut().unwrap().extend(over);
        Answered::read(document)
    }

    #[test]
    fn the_list_shows_who_is_asked_next_or_why_nobody_is() {
        let next = |at: Option<&str>, names: &[&str], reason: Option<&str>| json!({"next": {"at": at, "names": names, "reason": reason}});
        let at = Some("2026-11-24T12:45:00Z");
        for (over, shown) in [
            (json!({}), "Bo, Cleo at 2026-11-24 12:30 UTC"),
            (
                next(at, &["Ada"], Some("acknowledged")),
                "Ada at 2026-11-24 12:45 UTC",
            ),
            (next(None, &[], Some("held")), "nobody: its cause is told"),
            (
                next(None, &[], Some("no_contacts")),
                "nobody: there are no contacts",
            ),
            (
                next(None, &[], Some("no_ladder")),
                "nobody at this severity",
            ),
            (json!({"next": null}), ""),
        ] {
            assert_eq!(alert(&over).known().unwrap().next(), shown, "{over}");
        }
    }

    #[test]
    fn an_alert_shows_why_it_is_quiet() {
        let held = json!({"rule": "database_failing", "subject": "database"});
        let acknowledged =
            json!({"acknowledgedBy": "Ada", "acknowledgedUntil": "2026-11-24T13:00:00Z"});
        for (over, state) in [
            (json!({}), "firing"),
            (
                acknowledged,
                "acknowledged by Ada until 2026-11-24 13:00 UTC",
            ),
            (
                json!({"silencedUntil": "2026-11-24T13:00:00Z", "heldBy": held}),
                "silenced until 2026-11-24 13:00 UTC",
            ),
            (json!({"heldBy": held}), "held by database_failing database"),
        ] {
            assert_eq!(alert(&over).known().unwrap().state(), state, "{over}");
        }
    }

    #[test]
    fn an_alert_in_an_unknown_state_leaves_the_others_readable() {
        let listed = Listed {
            alerts: vec![alert(&json!({"status": "paused"})), alert(&json!({}))],
            silences: Vec::new(),
            on_call: Vec::new(),
        };
        let listing = listing(&listed);
        let lines: Vec<_> = listing.lines().collect();
        assert!(
            lines[1].starts_with("abc00000  critical  app_down"),
            "{listing}"
        );
        assert!(
            lines[2].starts_with("not understood (unknown variant `paused`"),
            "{listing}"
        );
        assert!(
            lines[3].starts_with("1 of 2 alerts cannot be read"),
            "{listing}"
        );
    }
}
