//! `pourtrait feedback`: what people wrote about the app, and what is done about it.

pub(crate) mod arguments;
pub(crate) mod written;

use std::time::Duration;

use ops::{
    messages::plain_text,
    rpc::{Call, Retry},
};
use outside::{clock::Deadline, outbound::Outbound};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    answered::Answered,
    environment::Environment,
    id_start,
    project::{Project, author},
};
use arguments::Feedback;
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};
use written::Written;

/// How much is looked through for what is named.
const NAMED: u32 = 500;

/// How long handing over a letter may take.
const MAILING: Duration = Duration::from_secs(15);

#[derive(Debug, Serialize)]
struct ListFeedback {
    p_status: &'static str,
    p_limit: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    feedback: Vec<Answered<Written>>,
    more: u64,
}

impl Call for ListFeedback {
    const NAME: &'static str = "ops_list_feedback";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct ShowFeedback {
    p_feedback: Uuid,
}

impl Call for ShowFeedback {
    const NAME: &'static str = "ops_show_feedback";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<Written>;
}

#[derive(Debug, Serialize)]
struct ChangeFeedback<'a> {
    p_feedback: Uuid,
    p_action: &'static str,
    p_text: Option<&'a str>,
    p_by: String,
}

impl Call for ChangeFeedback<'_> {
    const NAME: &'static str = "ops_change_feedback";
    // The same again changes nothing but the time.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Written>;
}

pub(crate) async fn run(
    action: Feedback,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Feedback::List(list) => {
            let call = ListFeedback {
                p_status: list.status(),
                p_limit: list.limit,
            };
            let listed = project.call(&call).await?;
            let text = written::table(&listed.feedback, list.status(), listed.more);
            output.result(&json!(listed), &text);
        }
        Feedback::Show { feedback } => {
            let call = ShowFeedback {
                p_feedback: find(&project, &feedback).await?,
            };
            let shown = project.call(&call).await?;
            output.result(shown.document(), &shown.describe(Written::describe));
        }
        Feedback::Answer { feedback, text } => {
            project.show(environment);
            return answer(&project, environment, &feedback, &text, output).await;
        }
        Feedback::Close { feedback, note } => {
            project.show(environment);
            let feedback = find(&project, &feedback).await?;
            let closed = change(&project, feedback, "close", note.as_deref()).await?;
            output.result(closed.document(), &closed.describe(Written::standing));
        }
    }
    Ok(Verdict::Good)
}

async fn change(
    project: &Project,
    feedback: Uuid,
    action: &'static str,
    text: Option<&str>,
) -> anyhow::Result<Answered<Written>> {
    let call = ChangeFeedback {
        p_feedback: feedback,
        p_action: action,
        p_text: text,
        p_by: author(),
    };
    project.call(&call).await
}

/// Notes an answer, and mails it where that can be; else whoever answers does.
async fn answer(
    project: &Project,
    environment: &Environment,
    feedback: &str,
    text: &str,
    output: Output,
) -> anyhow::Result<Verdict> {
    let feedback = find(project, feedback).await?;
    let answered = change(project, feedback, "answer", Some(text)).await?;
    let contact = answered.known().and_then(|written| written.contact.clone());
    let id = id_start::shown(feedback);
    let Some(contact) = contact else {
        let text = format!("the answer to {id} is kept; its writer left nowhere to be answered");
        output.result(answered.document(), &text);
        return Ok(Verdict::Good);
    };
    match mail(environment, feedback, &contact, text).await {
        Ok(()) => {
            let mailed = change(project, feedback, "mailed", None).await?;
            let text =
                format!("{id} is answered by mail; `pourtrait feedback close {id}` closes it");
            output.result(mailed.document(), &text);
            Ok(Verdict::Good)
        }
        Err(reason) => {
            let text = format!(
                "the answer to {id} is kept and was not mailed ({reason}): write to {}",
                plain_text::line(&contact)
            );
            output.result(answered.document(), &text);
            Ok(Verdict::Bad)
        }
    }
}

async fn mail(
    environment: &Environment,
    feedback: Uuid,
    contact: &str,
    text: &str,
) -> Result<(), &'static str> {
    let config = environment.config();
    let mailer = config.mailer.as_ref();
    let mailer = mailer.ok_or("RESEND_API_KEY and RESEND_FROM_EMAIL are not set")?;
    // The same words twice are one letter.
    let words = Sha256::digest(text.trim());
    let words = words.first_chunk().copied().map_or(0, u64::from_be_bytes);
    let key = format!("feedback-{feedback}-{words:x}");
    let letter = ("Your feedback", text.trim());
    let deadline = Deadline::after(MAILING);
    mailer
        .write(contact, letter, &key, &Outbound::default(), deadline)
        .await
}

/// The id that begins so, whatever became of it.
async fn find(project: &Project, start: &str) -> Result<Uuid, anyhow::Error> {
    if let Ok(id) = start.trim().parse() {
        return Ok(id);
    }
    let call = ListFeedback {
        p_status: "all",
        p_limit: NAMED,
    };
    let listed = project.call(&call).await?;
    let ids = listed.feedback.iter().filter_map(Answered::id);
    let found: Result<Uuid, Misuse> = id_start::find("piece of feedback", start.trim(), ids);
    Ok(found?)
}
