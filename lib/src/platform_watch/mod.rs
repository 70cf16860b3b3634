//! Watches the platforms' own APIs, as far as there are tokens: whether production is
//! pinned and who serves it, how the provider's backups stand, and how the machine of the
//! database is. What that means, the database decides.
//!
//! Each source is read by itself, at most once an hour: one that cannot be read, or says
//! something odd, takes no other along.

mod production;

use std::time::Duration;

use futures_util::future::join_all;
use outside::clock::Deadline;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    app::App,
    platforms::{api::ApiError, supabase::host_metrics},
    rpc::{Call, Retry, RpcError},
};
use production::Production;

/// How long reading one source may take, tries again included.
const PATIENCE: Duration = Duration::from_secs(12);

/// What is read of a platform, as `ops.platform_source` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The watched app's project on Vercel.
    AppProject,
    /// This bundle's.
    OwnProject,
    /// The backups that Supabase makes itself.
    ProviderBackups,
    /// The machine that the database runs on.
    DatabaseHost,
}

impl Source {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::AppProject,
        Self::OwnProject,
        Self::ProviderBackups,
        Self::DatabaseHost,
    ];
}

/// What became of the sources whose time had come.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many were read.
    pub read: usize,
    /// How many could not be read or stored.
    pub failed: usize,
}

#[derive(Debug, Serialize)]
struct ClaimReadings {
    p_sources: Vec<Source>,
}

#[derive(Debug, Deserialize)]
struct Claimed {
    sources: Vec<Source>,
}

impl Call for ClaimReadings {
    const NAME: &'static str = "ops_claim_platform_readings";
    // What was claimed and not read is claimed again an hour later.
    const RETRY: Retry = Retry::Never;
    type Output = Claimed;
}

#[derive(Debug, Serialize)]
struct StoreReading {
    p_source: Source,
    p_document: Option<Value>,
    p_error: Option<String>,
}

impl Call for StoreReading {
    const NAME: &'static str = "ops_store_platform_reading";
    // The same reading again changes nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = IgnoredAny;
}

/// Why a source was not read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Host(#[from] host_metrics::Unread),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
    #[error("not configured")]
    Unconfigured,
}

/// Reads every source that there is a token for and whose time has come.
///
/// # Errors
/// When the database cannot say which ones.
pub async fn read_platforms(app: &App, deadline: Deadline) -> Result<Report, RpcError> {
    let call = ClaimReadings {
        p_sources: Source::ALL
            .into_iter()
            .filter(|source| is_configured(app, *source))
            .collect(),
    };
    let claimed = app.call(&call, deadline).await?;
    let sources = claimed.sources.into_iter();
    let outcomes = join_all(sources.map(|source| keep(app, source, deadline))).await;
    let read = outcomes.iter().filter(|kept| **kept).count();
    Ok(Report {
        read,
        failed: outcomes.len() - read,
    })
}

fn is_configured(app: &App, source: Source) -> bool {
    let platforms = &app.config.platforms;
    let vercel = || platforms.vercel(&app.outbound).is_some();
    match source {
        Source::AppProject => platforms.app_project.is_some() && vercel(),
        Source::OwnProject => platforms.own_project.is_some() && vercel(),
        Source::ProviderBackups => {
            platforms.supabase_project.is_some() && platforms.management(&app.outbound).is_some()
        }
        Source::DatabaseHost => platforms.host_metrics.is_some() && app.config.supabase.is_some(),
    }
}

/// Whether one was read and stored.
async fn keep(app: &App, source: Source, deadline: Deadline) -> bool {
    let patience = deadline.within(PATIENCE).remaining();
    let reading = timeout(patience, read(app, source))
        .await
        .unwrap_or(Err(Unread::Late));
    if let Err(error) = &reading {
        tracing::warn!(%error, ?source, "a platform cannot be read");
    }
    let is_read = reading.is_ok();
    let (document, error) = match reading {
        Ok(document) => (Some(document), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let call = StoreReading {
        p_source: source,
        p_document: document,
        p_error: error,
    };
    match app.call(&call, deadline).await {
        Ok(_) => is_read,
        Err(error) => {
            tracing::error!(%error, ?source, "a reading of a platform cannot be stored");
            false
        }
    }
}

async fn read(app: &App, source: Source) -> Result<Value, Unread> {
    let platforms = &app.config.platforms;
    match source {
        Source::AppProject => project(app, platforms.app_project.as_deref()).await,
        Source::OwnProject => project(app, platforms.own_project.as_deref()).await,
        Source::ProviderBackups => {
            let management = platforms.management(&app.outbound);
            let (Some(management), Some(project)) = (management, &platforms.supabase_project)
            else {
                return Err(Unread::Unconfigured);
            };
            Ok(json!(management.backups(project).await?))
        }
        Source::DatabaseHost => {
            let (Some(url), Some(supabase)) = (&platforms.host_metrics, &app.config.supabase)
            else {
                return Err(Unread::Unconfigured);
            };
            let deadline = Deadline::after(PATIENCE);
            let key = supabase.key.secret();
            Ok(json!(
                host_metrics::read(&app.outbound, url, key, deadline).await?
            ))
        }
    }
}

async fn project(app: &App, project: Option<&str>) -> Result<Value, Unread> {
    let vercel = app.config.platforms.vercel(&app.outbound);
    let (Some(vercel), Some(project)) = (vercel, project) else {
        return Err(Unread::Unconfigured);
    };
    Ok(json!(Production::of(vercel.project(project).await?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_server::{self, Received, Reply, Server};

    const PROJECT: &str = r#"{"id": "prj_1", "name": "app", "autoAssignCustomDomains": false,
        "targets": {"production": {"id": "dpl_a"}}}"#;

    /// A database that claims what it is offered.
    async fn database() -> Server {
        Server::answering(|request: &Received| {
            let answer = if request.head.contains("ops_claim_platform_readings") {
                json!({"sources": request.json()["p_sources"]})
            } else {
                json!({"changed": true})
            };
            Reply::new(200, &answer.to_string())
        })
        .await
    }

    /// What the database was told, and what was reported, where the platforms answer so.
    async fn told(answers: fn(&Received) -> Reply, tokens: &[&str]) -> (Vec<Value>, Report) {
        let (database, platforms) = (database().await, Server::answering(answers).await);
        let mut variables = vec![
            ("SUPABASE_URL", database.url("")),
            ("SUPABASE_SECRET_KEY", "sb_secret_x".to_owned()),
            ("VERCEL_API_URL", platforms.url("")),
            ("SUPABASE_API_URL", platforms.url("")),
            ("APP_VERCEL_PROJECT_ID", "prj_app".to_owned()),
            ("VERCEL_PROJECT_ID", "prj_ops".to_owned()),
            ("SUPABASE_PROJECT_REF", "abcdefgh".to_owned()),
        ];
        variables.extend(tokens.iter().map(|token| (*token, "t".to_owned())));
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let app = fake_server::app(&variables);
        let deadline = Deadline::after(Duration::from_secs(30));
        let report = read_platforms(&app, deadline).await.unwrap();
        let requests = database.requests();
        let stored = requests.iter().map(Received::json).skip(1).collect();
        (stored, report)
    }

    #[tokio::test]
    async fn without_a_token_nothing_is_read() {
        let (stored, report) = told(|_| Reply::new(500, ""), &[]).await;
        assert_eq!((stored, report), (vec![], Report::default()));
    }

    #[tokio::test]
    async fn one_that_is_odd_or_refused_takes_no_other_along() {
        let answers = |request: &Received| {
            if request.head.contains("prj_app") {
                Reply::new(200, PROJECT)
            } else if request.head.contains("prj_ops") {
                Reply::new(200, "<html>")
            } else {
                Reply::new(403, r#"{"message": "scope"}"#)
            }
        };
        let (mut stored, report) = told(answers, &["VERCEL_TOKEN", "SUPABASE_ACCESS_TOKEN"]).await;
        assert_eq!(report, Report { read: 1, failed: 2 });
        stored.sort_by_key(|one| one["p_source"].to_string());
        assert_eq!(stored[0]["p_document"]["assigns"], false);
        assert_eq!(stored[0]["p_document"]["live"]["id"], "dpl_a");
        let errors: Vec<_> = stored[1..].iter().map(|one| &one["p_error"]).collect();
        assert!(
            errors[0]
                .as_str()
                .unwrap()
                .starts_with("answered what it should not")
        );
        assert_eq!(errors[1], "answered 403: scope");
    }
}
