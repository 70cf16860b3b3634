//! `pourtrait report`: how a day, a week or a month went beside those before it.

pub(crate) mod arguments;
mod outdated;

use jiff::Timestamp;
use ops::{
    messages::{
        channels::{email, slack},
        message::{Content, Message},
        message_facts::Facts,
        message_links::Places,
        report,
    },
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    environment::Environment,
    project::{Project, author},
};
use arguments::{Format, Report, Shown};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

#[derive(Debug, Serialize)]
struct ReadReport<'a> {
    p_kind: &'static str,
    p_at: Option<Timestamp>,
    p_environment: &'a str,
}

impl Call for ReadReport<'_> {
    const NAME: &'static str = "ops_report";
    const RETRY: Retry = Retry::Read;
    type Output = Value;
}

#[derive(Debug, Serialize)]
struct SendReport<'a> {
    p_request: Uuid,
    p_kind: &'static str,
    p_at: Option<Timestamp>,
    p_environment: &'a str,
    p_by: String,
}

/// By which channels it goes out.
#[derive(Debug, Deserialize)]
struct Sent {
    channels: Vec<String>,
}

impl Call for SendReport<'_> {
    const NAME: &'static str = "ops_send_report";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Sent;
}

pub(crate) async fn run(
    action: Report,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let (kind, shown) = match action {
        Report::Daily(shown) => ("daily", shown),
        Report::Weekly(shown) => ("weekly", shown),
        Report::Monthly(shown) => ("monthly", shown),
        Report::Outdated { file } => {
            project.show(environment);
            return outdated::hand_in(&project, &file, output).await;
        }
    };
    if shown.send {
        project.show(environment);
    }
    let document = read(&project, kind, &shown).await?;
    if shown.send {
        send(&project, kind, &shown).await?;
    }
    let format = if output.json {
        Format::Json
    } else {
        shown.format
    };
    let text = render(&document, format);
    output.result(&document, &text);
    Ok(Verdict::Good)
}

async fn read(project: &Project, kind: &'static str, shown: &Shown) -> anyhow::Result<Value> {
    let call = ReadReport {
        p_kind: kind,
        p_at: shown.at,
        p_environment: &shown.environment,
    };
    project.call(&call).await
}

async fn send(project: &Project, kind: &'static str, shown: &Shown) -> anyhow::Result<()> {
    let call = SendReport {
        p_request: Uuid::new_v4(),
        p_kind: kind,
        p_at: shown.at,
        p_environment: &shown.environment,
        p_by: author(),
    };
    let sent = project.call(&call).await?;
    output::note(&format!(
        "queued for {}; the next delivery sends it",
        sent.channels.join(" and ")
    ));
    Ok(())
}

/// The report in a form, by the same code that sends it.
fn render(document: &Value, format: Format) -> String {
    let facts = Facts::read(&json!({"kind": "notice", "severity": "low", "report": document}));
    let content = || Content::Message(Message::new(&facts, Places::default()));
    match (format, &facts.report) {
        (Format::Json, _) | (_, None) => format!("{document:#}"),
        (Format::Text, Some(report)) => report::text(report).trim_end().to_owned(),
        (Format::Html, Some(_)) => email::letter(&content()).html,
        (Format::Slack, Some(_)) => format!("{:#}", slack::payload(&content())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "kind": "daily", "environment": "production",
            "from": "2026-11-23T00:00:00+00:00", "to": "2026-11-24T00:00:00+00:00",
            "before": {"from": "2026-11-16T00:00:00+00:00", "to": "2026-11-17T00:00:00+00:00"},
            "lines": [{"line": "event", "subject": "<b>wine</b>", "value": 3, "before": [3, 3, 3, 3]}],
        })
    }

    #[test]
    fn each_form_says_the_same_in_its_own_way() {
        let text = render(&document(), Format::Text);
        assert!(
            text.starts_with("Daily report of 2026-11-23: nothing calls for a look\n"),
            "{text}"
        );
        assert!(
            text.contains("Events: <b>wine</b>: 3 (before 3, mean 3): as usual | /dashboard"),
            "{text}"
        );
        let html = render(&document(), Format::Html);
        assert!(
            html.starts_with("<!doctype html>") && html.contains("&lt;b&gt;wine"),
            "{html}"
        );
        let slack: Value = serde_json::from_str(&render(&document(), Format::Slack)).unwrap();
        assert!(
            slack["blocks"].to_string().contains("&lt;b&gt;wine"),
            "{slack}"
        );
        let json: Value = serde_json::from_str(&render(&document(), Format::Json)).unwrap();
        assert_eq!(json, document());
    }

    #[test]
    fn what_is_no_report_is_printed_as_it_stands() {
        let odd = json!({"lines": 7});
        let printed: Value = serde_json::from_str(&render(&odd, Format::Text)).unwrap();
        assert_eq!(printed, odd);
    }
}
