//! Sentry, as far as the functions speak to it: envelopes arrive, and are
//! answered at once or when a test says so.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::{
    expect,
    http::{body, serve},
};

/// A Sentry that keeps what it gets.
pub(crate) struct Sentry {
    dsn: String,
    envelopes: mpsc::UnboundedReceiver<Vec<Value>>,
    answers: watch::Sender<bool>,
}

impl Sentry {
    /// One that answers at once.
    pub(crate) async fn start() -> Self {
        Self::with(true).await
    }

    /// One that takes an envelope and does not answer until it may.
    pub(crate) async fn hung() -> Self {
        Self::with(false).await
    }

    async fn with(answering: bool) -> Self {
        let (sender, envelopes) = mpsc::unbounded_channel();
        let answers = watch::Sender::new(answering);
        let may = answers.subscribe();
        let address = serve(move |request| {
            let (sender, mut may) = (sender.clone(), may.clone());
            Box::pin(async move {
                let envelope = body(request).await;
                // A test that has ended no longer listens.
                let _ = sender.send(items(&envelope));
                let _ = may.wait_for(|may| *may).await;
                Response::new(Full::new(Bytes::from_static(b"{}")))
            })
        })
        .await;
        Self {
            dsn: format!("http://public@{address}/1"),
            envelopes,
            answers,
        }
    }

    /// What the functions are told.
    pub(crate) fn dsn(&self) -> &str {
        &self.dsn
    }

    /// The next envelope that arrives.
    pub(crate) async fn envelope(&mut self) -> Vec<Value> {
        expect("an envelope", self.envelopes.recv()).await.unwrap()
    }

    /// The envelope that has arrived already, if any.
    pub(crate) fn try_envelope(&mut self) -> Option<Vec<Value>> {
        self.envelopes.try_recv().ok()
    }

    /// Answers what is held back and everything after.
    pub(crate) fn release(&self) {
        self.answers.send_replace(true);
    }
}

/// The JSON lines of an envelope: its head, and each item after its own head.
fn items(envelope: &[u8]) -> Vec<Value> {
    let lines = envelope
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// The report in an envelope. One without a level is an error, Sentry's default.
#[track_caller]
pub(crate) fn event(items: &[Value]) -> &Value {
    let event = items.iter().find(|item| item.get("platform").is_some());
    event.unwrap_or_else(|| panic!("no report in {items:?}"))
}
