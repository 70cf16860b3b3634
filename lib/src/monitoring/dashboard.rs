//! `/api/monitoring/dashboard`: everything known, in one document, from one call
//! of the database; the same function answers scrapers at `/api/metrics`.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::Serialize;
use serde_json::json;
use url::form_urlencoded;

use super::{document::Document, metrics};
use crate::{
    app::App,
    auth::{METRICS, Person, Reader, roles::Permission},
    config::Environment,
    endpoint::Route,
    handler::{self, Answer, Handler, Routes},
    health,
    problem::Problem,
    rpc::{Call, Retry},
};
use outside::clock::{self, Deadline};

/// The ranges that can be asked for, and their seconds.
const RANGES: [(&str, u32); 6] = [
    ("1h", 3_600),
    ("24h", 86_400),
    ("7d", 604_800),
    ("30d", 2_592_000),
    ("90d", 7_776_000),
    ("1y", 31_536_000),
];
const DEFAULT_RANGE: (&str, u32) = RANGES[1];

/// The call behind the endpoint.
#[derive(Debug, Serialize)]
pub struct Dashboard {
    /// How far back, from now.
    pub p_seconds: u32,
    /// Which of the app's environments, where its tables tell them apart.
    pub p_environment: &'static str,
    /// Whether the audit log is shown.
    pub p_audit_log: bool,
}

impl Call for Dashboard {
    const NAME: &'static str = "ops_dashboard";
    const RETRY: Retry = Retry::Read;
    type Output = Document;
}

/// What answers `/api/monitoring/dashboard`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::DASHBOARD, ShowsDashboard)
}

/// Answers 400 for a range or an environment that does not exist, and 503 when the
/// database cannot be asked.
#[derive(Debug)]
struct ShowsDashboard;

impl Handler<Reader> for ShowsDashboard {
    async fn handle(
        &self,
        app: &App,
        reader: Reader,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let query = Query::parse(request.uri().query().unwrap_or_default())?;
        if request.uri().path() == METRICS {
            return metrics::show(app, query.environment, request.headers(), deadline).await;
        }
        show(app, &query, may_read_audit(&reader), deadline).await
    }
}

/// Whoever may read the dashboard may not read for that alone who did what.
fn may_read_audit(reader: &Reader) -> bool {
    match reader {
        Reader::Person(Person::Operator) => true,
        Reader::Person(Person::User(user)) => user
            .role
            .is_some_and(|role| role.may(Permission::ReadAudit)),
        Reader::Scraper => false,
    }
}

async fn show(app: &App, query: &Query, audit_log: bool, deadline: Deadline) -> Answer {
    let call = Dashboard {
        p_seconds: query.range.1,
        p_environment: query.environment.as_str(),
        p_audit_log: audit_log,
    };
    let mut document = app.call(&call, deadline).await.map_err(|error| {
        tracing::error!(%error, "the dashboard cannot be read");
        Problem::Unavailable("the database cannot be asked now")
    })?;
    document.performance.memory_usage = health::memory(app).percentage;
    let answer = json!({
        "success": true,
        "timestamp": clock::now(),
        "timeRange": query.range.0,
        "data": document,
    });
    handler::json(StatusCode::OK, &answer)
}

#[derive(Debug, PartialEq, Eq)]
struct Query {
    range: (&'static str, u32),
    environment: Environment,
}

impl Query {
    fn parse(query: &str) -> Result<Self, Problem> {
        let mut parsed = Self {
            range: DEFAULT_RANGE,
            environment: Environment::Production,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "timeRange" => parsed.range = range(&value)?,
                "environment" => parsed.environment = environment(&value)?,
                _ => {}
            }
        }
        Ok(parsed)
    }
}

fn range(name: &str) -> Result<(&'static str, u32), Problem> {
    let known = RANGES.into_iter().find(|(range, _)| *range == name);
    known.ok_or_else(|| {
        let names = RANGES.map(|(range, _)| range).join(", ");
        Problem::BadRequest(format!("timeRange must be one of {names}"))
    })
}

fn environment(name: &str) -> Result<Environment, Problem> {
    Environment::parse(name).ok_or_else(|| {
        Problem::BadRequest("environment must be one of production, preview, development".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_or_refused_whole() {
        let parse =
            |query| Query::parse(query).map(|query| (query.range.0, query.environment.as_str()));
        assert_eq!(parse(""), Ok(("24h", "production")));
        assert_eq!(
            parse("timeRange=1h&environment=preview"),
            Ok(("1h", "preview"))
        );
        assert_eq!(parse("timeRange=1y&utm=x"), Ok(("1y", "production")));
        for nonsense in [
            "timeRange=",
            "timeRange=1H",
            "timeRange=24",
            "timeRange=1h%00",
            "environment=staging",
        ] {
            assert!(
                matches!(parse(nonsense), Err(Problem::BadRequest(_))),
                "{nonsense}"
            );
        }
    }
}
