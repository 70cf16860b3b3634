//! One request, from method check to answer: the same for every platform, the
//! local server and the tests.

use std::{sync::OnceLock, time::Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response, header};

use crate::{
    alerts,
    auth::{Jwks, Limiter},
    backup,
    clock::{self, Deadline},
    config::Config,
    endpoint::Endpoint,
    health, monitoring,
    outbound::Outbound,
    problem::Problem,
    rpc::{Call, Rpc, RpcError},
};

/// What an instance of a function keeps between invocations. None of it has to
/// survive: instances are frozen, doubled and killed at will.
#[derive(Debug)]
pub struct App {
    /// Which function this is.
    pub endpoint: Endpoint,
    /// The environment, parsed.
    pub config: Config,
    /// The one HTTP client.
    pub outbound: Outbound,
    /// When the instance started.
    pub started: Instant,
    /// Wrong proofs per client.
    pub limiter: Limiter,
    /// The project's public keys.
    pub jwks: Jwks,
    /// The last health results.
    pub health: health::Cache,
    /// An outage that this instance reported by itself.
    pub emergency: monitoring::Emergency,
    rpc: OnceLock<Option<Rpc>>,
}

/// What a handler makes of a request: an answer, or why there is none.
pub type Answer<'a> = BoxFuture<'a, Result<Response<Bytes>, Problem>>;

/// An endpoint's work. A function's binary names its own and links no other's.
pub type Handler = for<'a> fn(&'a App, Request<Bytes>, Deadline) -> Answer<'a>;

/// The id under which logs, reports and problems name a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl App {
    /// An instance of that function. Opens nothing: the first request that
    /// needs a connection pays for it.
    #[must_use]
    pub fn new(endpoint: Endpoint, config: Config) -> Self {
        Self::with_outbound(endpoint, config, Outbound::default())
    }

    /// An instance that reaches the network through `outbound`.
    #[must_use]
    pub fn with_outbound(endpoint: Endpoint, config: Config, outbound: Outbound) -> Self {
        Self {
            endpoint,
            config,
            outbound,
            started: clock::instant(),
            limiter: Limiter::default(),
            jwks: Jwks::default(),
            health: health::Cache::default(),
            emergency: monitoring::Emergency::default(),
            rpc: OnceLock::new(),
        }
    }

    /// Calls a function of the database.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn call<C: Call>(&self, call: &C, deadline: Deadline) -> Result<C::Output, RpcError> {
        let rpc = self
            .rpc
            .get_or_init(|| self.config.supabase.clone().map(Rpc::new));
        let rpc = rpc.as_ref().ok_or(RpcError::Unconfigured)?;
        rpc.call(&self.outbound, call, deadline).await
    }

    /// Answers a request with the endpoint's own handler, for servers that serve
    /// several endpoints.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.handle_by(handler(self.endpoint), request).await
    }

    /// Answers a request. Nothing goes wrong past this: every error has become
    /// an answer.
    pub async fn handle_by(&self, handler: Handler, request: Request<Bytes>) -> Response<Bytes> {
        let request_id = request
            .extensions()
            .get::<RequestId>()
            .cloned()
            .unwrap_or(RequestId(String::new()));
        let head = request.method() == Method::HEAD;
        let mut response = match self.route(handler, request).await {
            Ok(response) => response,
            Err(problem) => problem.response(&request_id.0),
        };
        if head {
            *response.body_mut() = Bytes::new();
        }
        finish(response, &request_id)
    }

    async fn route(
        &self,
        handler: Handler,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Problem> {
        let spec = self.endpoint.spec();
        if !spec.methods.contains(request.method()) {
            return Err(Problem::MethodNotAllowed(spec.methods));
        }
        if spec.body_limit > 0 && request.body().len() > spec.body_limit {
            return Err(Problem::PayloadTooLarge(spec.body_limit));
        }
        let deadline = Deadline::after(self.endpoint.time_budget());
        handler(self, request, deadline).await
    }
}

/// The handler of each endpoint.
#[must_use]
pub fn handler(endpoint: Endpoint) -> Handler {
    match endpoint {
        Endpoint::Health => health::handle,
        Endpoint::Dashboard => monitoring::dashboard::handle,
        Endpoint::Monitor => monitoring::handle,
        Endpoint::Dispatch => alerts::handle,
        Endpoint::Acknowledge => alerts::acknowledge::handle,
        Endpoint::Backup => backup::handle,
        Endpoint::Maintenance => monitoring::maintenance::handle,
        Endpoint::Heartbeat => monitoring::heartbeat::handle,
    }
}

/// Headers that every answer carries. None of ours may be kept by a cache: they
/// are true now, and most need a proof.
fn finish(mut response: Response<Bytes>, RequestId(id): &RequestId) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
    response
}

/// A JSON answer.
///
/// # Errors
/// 500 if the value cannot be written, which is our fault.
pub fn json<T: serde::Serialize>(
    status: http::StatusCode,
    value: &T,
) -> Result<Response<Bytes>, Problem> {
    let body = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Problem::Internal
    })?;
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok(response)
}
