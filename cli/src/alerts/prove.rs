//! `pourtrait alerts prove`: a test over every channel, by the whole way of an
//! alert.

use std::time::Duration;

use anyhow::Context;
use ops::{
    alerts::dispatch,
    app::App,
    messages::channels::Channel,
    rpc::{Call, Retry},
};
use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::messages::{self, ListMessages, Message};
use crate::{
    answered::Answered,
    environment::Environment,
    project::{Project, author},
};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// How long delivering may take.
const DELIVERY: Duration = Duration::from_secs(45);

#[derive(Debug, Serialize)]
struct ProveDelivery {
    p_request: Uuid,
    p_channels: Vec<Channel>,
    p_by: String,
}

#[derive(Debug, Deserialize)]
struct Queued {
    queued: Vec<Test>,
}

#[derive(Debug, Deserialize)]
struct Test {
    message: Uuid,
}

impl Call for ProveDelivery {
    const NAME: &'static str = "ops_prove_delivery";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Queued;
}

/// Queues a test on each channel that is configured here, delivers what is due,
/// and shows what became of the tests.
pub(super) async fn run(
    project: &Project,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let config = environment.config();
    let call = ProveDelivery {
        p_request: Uuid::new_v4(),
        p_channels: config.channels.list(),
        p_by: author(),
    };
    if call.p_channels.is_empty() {
        let text = format!("{} configures no channel to prove", environment.origin());
        return Err(Misuse(text).into());
    }
    let tests = project.call(&call).await?.queued;
    let app = App::new(config);
    dispatch::deliver(&app, Deadline::after(DELIVERY))
        .await
        .context("the tests are queued and could not be delivered from here")?;
    let messages = outcome(project, &tests).await?;
    output.result(
        &json!({ "messages": messages }),
        &messages::listing(&messages),
    );
    let sent = |message: &Answered<Message>| message.known().is_some_and(Message::is_sent);
    Ok(if messages.iter().all(sent) {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

async fn outcome(project: &Project, tests: &[Test]) -> anyhow::Result<Vec<Answered<Message>>> {
    let call = ListMessages {
        p_dead: false,
        p_alert: None,
        p_limit: messages::MOST,
    };
    let ids: Vec<_> = tests.iter().map(|test| Some(test.message)).collect();
    let mut listed = project.call(&call).await?.messages;
    listed.retain(|message| ids.contains(&message.id()));
    Ok(listed)
}
