//! Rows of the audit log, for people.

use ops::{
    audit_log::{AuditLog, Entry, ListAudit},
    messages::plain_text,
};
use serde_json::{Value, json};

use super::arguments::List;
use crate::{project::Project, times::to_the_minute};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

pub(super) async fn show(project: &Project, list: List, output: Output) -> anyhow::Result<Verdict> {
    let call = ListAudit {
        p_before: list.before,
        p_limit: list.limit,
        p_action: list.action,
    };
    let log = project.call(&call).await?;
    output.result(&json!(log), &table(&log));
    Ok(Verdict::Good)
}

/// What a row is told by.
pub(super) const HEADING: [&str; 6] = ["row", "at", "who", "did", "to", "details"];

/// A row under that heading.
pub(super) fn cells(entry: &Entry) -> [String; 6] {
    let text = |text: &Option<String>| plain_text::line(text.as_deref().unwrap_or_default());
    [
        entry.seq.to_string(),
        to_the_minute(entry.at),
        text(&entry.actor),
        entry.action.clone(),
        text(&entry.subject),
        plain_text::line(&details(entry)),
    ]
}

fn table(AuditLog { rows, .. }: &AuditLog) -> String {
    if rows.is_empty() {
        return "nothing was written".to_owned();
    }
    let rows: Vec<_> = rows.iter().map(cells).collect();
    output::table(HEADING, &rows)
}

/// What else is known, as `key value` pairs.
fn details(entry: &Entry) -> String {
    let Some(Value::Object(details)) = &entry.details else {
        return "erased".to_owned();
    };
    let pairs: Vec<_> = details
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| match value {
            Value::String(text) => format!("{key} {text}"),
            other => format!("{key} {other}"),
        })
        .collect();
    pairs.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_told_in_pairs() {
        let entry = |details: Option<Value>| Entry {
            seq: 1,
            at: "2026-11-24T12:00:00Z".parse().unwrap(),
            action: "setting.changed".to_owned(),
            actor: None,
            subject: None,
            erased: details.is_none(),
            details,
        };
        let known = json!({"from": 99, "to": "x", "note": null});
        assert_eq!(details(&entry(Some(known))), "from 99, to x");
        assert_eq!(details(&entry(None)), "erased");
    }
}
