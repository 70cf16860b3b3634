//! `/api/metrics`: what a scraper reads every minute, from one call of the database. It is a
//! rewrite to the dashboard's function.

mod exposition;
mod families;
pub mod figures;
mod shown_names;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use serde::Serialize;

use crate::{
    VERSION,
    app::App,
    config::Environment,
    handler::Answer,
    problem::Problem,
    rpc::{Call, Retry},
};
use exposition::Form;
use figures::Figures;
use outside::clock::Deadline;

/// The call behind the endpoint.
#[derive(Debug, Serialize)]
pub struct ReadMetrics {
    /// Which of the app's environments, where its tables tell them apart.
    pub p_environment: &'static str,
}

impl Call for ReadMetrics {
    const NAME: &'static str = "ops_metrics";
    const RETRY: Retry = Retry::Read;
    type Output = Figures;
}

/// Answers a scraper in the form that it prefers, and 503 when the database cannot be asked.
pub(super) async fn show(
    app: &App,
    environment: Environment,
    headers: &HeaderMap,
    deadline: Deadline,
) -> Answer {
    let environment = environment.as_str();
    let call = ReadMetrics {
        p_environment: environment,
    };
    let figures = app.call(&call, deadline).await.map_err(|error| {
        tracing::error!(%error, "the metrics cannot be read");
        Problem::Unavailable("the database cannot be asked now")
    })?;
    let form = Form::wanted(headers);
    let families = families::families(&figures, VERSION, environment);
    let mut response = Response::new(Bytes::from(form.write(&families)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(form.content_type()),
    );
    headers.insert(
        header::VARY,
        HeaderValue::from_static("accept, authorization"),
    );
    Ok(response)
}
