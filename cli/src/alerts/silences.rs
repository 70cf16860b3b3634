//! Silences: which messages are held back, until when, by whom and why.

use jiff::{SignedDuration, Timestamp};
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::arguments::Match;
use crate::{
    answered::Answered,
    project::{Project, author},
    times::{end_of, to_the_minute},
};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// A silence, as the database keeps it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Silence {
    id: Uuid,
    /// What an alert must match, by field: a text or a list of texts.
    #[serde(rename = "match")]
    matched: Map<String, Value>,
    reason: String,
    author: String,
    created_at: Timestamp,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct AddSilence {
    p_silence: Uuid,
    p_match: Match,
    p_until: Timestamp,
    p_reason: String,
    p_author: String,
    p_from: Option<Timestamp>,
}

impl Call for AddSilence {
    const NAME: &'static str = "ops_add_silence";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Silence>;
}

#[derive(Debug, Serialize)]
struct EndSilence {
    p_silence: Uuid,
    p_by: String,
}

impl Call for EndSilence {
    const NAME: &'static str = "ops_end_silence";
    // A silence that has ended stays as it is.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Option<Answered<Silence>>;
}

pub(super) async fn add(
    project: &Project,
    what: Match,
    begins_in: Option<SignedDuration>,
    length: SignedDuration,
    reason: String,
    output: Output,
) -> anyhow::Result<Verdict> {
    let call = AddSilence {
        p_silence: Uuid::new_v4(),
        p_match: what,
        p_until: end_of(begins_in.unwrap_or_default() + length)?,
        p_reason: reason,
        p_author: author(),
        p_from: begins_in.map(end_of).transpose()?,
    };
    show(&project.call(&call).await?, output);
    Ok(Verdict::Good)
}

pub(super) async fn end(
    project: &Project,
    silence: Uuid,
    output: Output,
) -> anyhow::Result<Verdict> {
    let call = EndSilence {
        p_silence: silence,
        p_by: author(),
    };
    let ended = project.call(&call).await?;
    let ended = ended.ok_or_else(|| Misuse(format!("there is no silence {silence}")))?;
    show(&ended, output);
    Ok(Verdict::Good)
}

fn show(silence: &Answered<Silence>, output: Output) {
    output.result(silence.document(), &line(silence));
}

/// A silence on one line.
pub(super) fn line(silence: &Answered<Silence>) -> String {
    silence.describe(|silence| {
        let matched: Vec<String> = silence.matched.iter().map(matched).collect();
        let from = if silence.starts_at > silence.created_at {
            format!(" from {}", to_the_minute(silence.starts_at))
        } else {
            String::new()
        };
        format!(
            "silence {}: {}{from} until {}, by {}: {}",
            silence.id,
            matched.join(", "),
            to_the_minute(silence.ends_at),
            silence.author,
            silence.reason
        )
    })
}

/// A field and what it must be.
fn matched((field, wanted): (&String, &Value)) -> String {
    let texts: Vec<&str> = match wanted {
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().into_iter().collect(),
    };
    format!("{field} {}", texts.join(" or "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(over: &Value, expected: &str) {
        let mut silence = json!({
            "id": "00000000-0000-4000-8000-000000000001",
            "match": {"rule": "app_slow", "subject": ["cellar", "barrels*"]},
            "reason": "works", "author": "Ada", "createdAt": "2026-11-24T12:00:00Z",
            "startsAt": "2026-11-24T12:00:00Z", "endsAt": "2026-11-25T12:00:00Z",
        });
        let over = over.as_object().cloned().unwrap_or_default();
        silence.as_object_mut().unwrap().extend(over);
        assert_eq!(
            line(&Answered::read(silence)),
            format!("silence 00000000-0000-4000-8000-000000000001: {expected}, by Ada: works")
        );
    }

    #[test]
    fn a_silence_says_what_it_holds_back_when_and_why() {
        check(
            &json!({}),
            "rule app_slow, subject cellar or barrels* until 2026-11-25 12:00 UTC",
        );
        check(
            &json!({"match": {"service": "ai"}, "startsAt": "2026-11-24T20:00:00Z"}),
            "service ai from 2026-11-24 20:00 UTC until 2026-11-25 12:00 UTC",
        );
    }
}
