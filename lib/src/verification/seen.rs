//! What a deployment answered: all that the looks judge.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use jiff::Timestamp;
use outside::{certificates::Chain, failure::Failure};
use serde::Serialize;
use serde_json::Value;

use super::{judgement::Judgement, subject::Subject};
use crate::platforms::{
    api::ApiError,
    supabase::backups::ProviderBackups,
    vercel::{Deployment, Project},
};

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) took: Duration,
}

/// What became of one question.
pub(super) type Reply = Result<Answered, Failure>;

/// A question that was not asked has a reason.
pub(super) type Asked<T> = Result<T, &'static str>;

/// What was asked without a proof and has to be refused.
#[derive(Debug)]
pub(super) struct Door {
    /// `POST /api/alerts/dispatch`, say.
    pub(super) name: String,
    pub(super) reply: Reply,
}

/// One handshake.
#[derive(Debug)]
pub(super) struct Handshake {
    /// The version that both sides chose, or what one of them objects to.
    pub(super) result: Result<String, String>,
    /// What the server showed.
    pub(super) chain: Option<Chain>,
}

/// A header, and what became of it on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PromisedHeader {
    /// Of which page.
    pub path: String,
    /// Its name.
    pub name: String,
    /// What it is to be.
    pub promised: String,
    /// What it is; nothing where it is not there.
    pub found: Option<String>,
    /// Whether that is as good.
    pub is_kept: bool,
}

/// Everything that was asked, once.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) subject: &'a Subject,
    pub(super) now: Timestamp,
    /// Pages with the headers that the rules are about, by path.
    pub(super) pages: Vec<(&'static str, Reply)>,
    /// Health as strangers see it; the app's front page.
    pub(super) health: Reply,
    /// Health as operators see it.
    pub(super) operator_health: Asked<Reply>,
    pub(super) handshake: Option<Handshake>,
    pub(super) doors: Vec<Door>,
    /// The dashboard without a proof.
    pub(super) open_dashboard: Reply,
    pub(super) dashboard: Asked<Reply>,
    /// The dashboard of previews, of the last hour.
    pub(super) preview_dashboard: Asked<Reply>,
    pub(super) status_page: Reply,
    pub(super) status_document: Reply,
    /// Files that nobody may read, by path.
    pub(super) sources: Vec<(&'static str, Reply)>,
    /// Answers to a handful of clients at once.
    pub(super) load: Vec<Reply>,
    pub(super) vercel_project: Asked<Result<Project, ApiError>>,
    pub(super) vercel_deployment: Asked<Result<Deployment, ApiError>>,
    pub(super) provider_backups: Asked<Result<ProviderBackups, ApiError>>,
    /// Files of the build's functions that are not ours.
    pub(super) standalone: Asked<Result<Vec<String>, String>>,
}

impl Answered {
    /// Its body as JSON; null if it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Its body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where it sends us instead.
    pub(super) fn sends_to(&self) -> Option<&str> {
        (300..400)
            .contains(&self.status)
            .then(|| self.header(header::LOCATION.as_str()))
            .flatten()
    }
}

impl Seen<'_> {
    /// Judges the dashboard's document, where it could be read.
    pub(super) fn with_dashboard(&self, judge: impl FnOnce(&Value) -> Judgement) -> Judgement {
        with_data(&self.dashboard, judge)
    }

    /// The same of the previews'.
    pub(super) fn with_preview_dashboard(
        &self,
        judge: impl FnOnce(&Value) -> Judgement,
    ) -> Judgement {
        with_data(&self.preview_dashboard, judge)
    }

    /// Health's document as operators see it, else as strangers do.
    pub(super) fn best_health(&self) -> Value {
        let operators = self.operator_health.as_ref().ok();
        let known = operators.and_then(|reply| reply.as_ref().ok());
        let known = known.filter(|answer| [200, 503].contains(&answer.status));
        known
            .or(self.health.as_ref().ok())
            .map(Answered::json)
            .unwrap_or_default()
    }

    /// Which release says that it is there.
    pub(super) fn release(&self) -> Option<String> {
        Some(self.best_health()["version"].as_str()?.to_owned())
    }
}

fn with_data(asked: &Asked<Reply>, judge: impl FnOnce(&Value) -> Judgement) -> Judgement {
    let answer = match asked {
        Err(reason) => return Judgement::skipped(*reason),
        Ok(Err(failure)) => return Judgement::skipped(format!("the dashboard: {failure}")),
        Ok(Ok(answer)) => answer,
    };
    let document = answer.json();
    match document.get("data") {
        Some(data) if answer.status == 200 => judge(data),
        _ => Judgement::skipped(format!("the dashboard answers {}", answer.status)),
    }
}
