//! Silences: which messages are held back, until when, by whom and why.

use jiff::{SignedDuration, Timestamp};
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
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
    rule: Option<String>,
    subject: Option<String>,
    fingerprint: Option<String>,
    reason: String,
    author: String,
    ends_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct AddSilence {
    p_silence: Uuid,
    p_match: Match,
    p_until: Timestamp,
    p_reason: String,
    p_author: String,
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
    length: SignedDuration,
    reason: String,
    output: Output,
) -> anyhow::Result<Verdict> {
    let call = AddSilence {
        p_silence: Uuid::new_v4(),
        p_match: what,
        p_until: end_of(length)?,
        p_reason: reason,
        p_author: author(),
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
        let matched = [
            ("rule", &silence.rule),
            ("subject", &silence.subject),
            ("fingerprint", &silence.fingerprint),
        ];
        let matched: Vec<String> = matched
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key} {}", value.as_ref()?)))
            .collect();
        format!(
            "silence {}: {} until {}, by {}: {}",
            silence.id,
            matched.join(", "),
            to_the_minute(silence.ends_at),
            silence.author,
            silence.reason
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_silence_says_what_it_holds_back_until_when_and_why() {
        let silence = Answered::read(json!({
            "id": "00000000-0000-4000-8000-000000000001", "rule": "app_slow", "subject": "cellar",
            "fingerprint": null, "reason": "works", "author": "Ada",
            "createdAt": "2026-11-24T12:00:00+00:00", "endsAt": "2026-11-25T12:00:00+00:00",
        }));
        assert_eq!(
            line(&silence),
            "silence 00000000-0000-4000-8000-000000000001: rule app_slow, subject cellar \
             until 2026-11-25 12:00 UTC, by Ada: works"
        );
    }
}
