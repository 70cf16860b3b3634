//! The only file that knows a platform.
//!
//! The same binary is a function of Vercel's runtime and, when AWS Lambda starts
//! it, one of Lambda: so that the watcher can also run where it does not die
//! with the watched. Nothing but an answer ever reaches a runtime, for both
//! would show an error's text to the caller.

mod scheduled_event;

use std::{panic::AssertUnwindSafe, process::ExitCode, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use lambda_http::{RequestExt, request::RequestContext};
use outside::clock::{self, milliseconds};
use sentry::SentryFutureExt;
use uuid::Uuid;

use crate::{
    app::App,
    auth::ClientAddress,
    config::{Config, Platform},
    function::{Function, RequestId},
    handler::Routes,
    problem::Problem,
    telemetry::Telemetry,
};

/// How long reports may take: after the answer on Vercel, before it on Lambda,
/// which freezes an instance once it has answered.
const FLUSH_AFTER: Duration = Duration::from_secs(2);
const FLUSH_BEFORE: Duration = Duration::from_millis(500);

/// Longer bodies never arrive: Vercel refuses what is over 4.5 MB, Lambda what
/// is over 6 MB.
const PLATFORM_BODY_LIMIT: usize = 6 * 1024 * 1024;

/// Serves an endpoint until the platform stops it.
#[must_use]
pub fn serve(routes: Routes) -> ExitCode {
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(routes)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot be served");
            ExitCode::FAILURE
        }
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn run(routes: Routes) -> Result<(), Error> {
    let app = App::new(Config::from_process());
    let platform = app.config.platform;
    let edge = Edge::new(Function::new(app, routes));
    match platform {
        Platform::Vercel => vercel(edge).await,
        Platform::Lambda => lambda(edge).await,
    }
}

/// An instance, ready to answer.
#[derive(Debug, Clone)]
pub struct Edge {
    function: Arc<Function>,
    telemetry: Telemetry,
}

impl Edge {
    /// Starts logs and reports for that instance.
    #[must_use]
    pub fn new(function: Function) -> Self {
        let (name, app) = (function.endpoint().spec().name, function.app());
        Self {
            telemetry: Telemetry::start(name, &app.config, &app.outbound),
            function: Arc::new(function),
        }
    }

    /// Answers a request, whatever happens inside.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let RequestId(id) = RequestId::of(&request);
        let method = request.method().clone();
        let work = self.function.handle(request);
        self.guard(&id, &method, work).await
    }

    /// Turns a panic into a 500, under a hub of the request's own, and logs one
    /// line, without path, query, body or address.
    async fn guard(
        &self,
        id: &str,
        method: &Method,
        work: impl Future<Output = Response<Bytes>>,
    ) -> Response<Bytes> {
        let hub = self.telemetry.hub();
        hub.configure_scope(|scope| scope.set_tag("request_id", id));
        let started = clock::instant();
        let guarded = async {
            let response = AssertUnwindSafe(work).catch_unwind().await;
            let response = response.unwrap_or_else(|_| {
                tracing::error!(request_id = id, "a handler panicked");
                Problem::Internal.response(id)
            });
            tracing::info!(
                request_id = id,
                endpoint = self.function.endpoint().spec().name,
                method = method.as_str(),
                status = response.status().as_u16(),
                duration_ms = milliseconds(clock::instant().duration_since(started)),
                "answered"
            );
            response
        };
        guarded.bind_hub(hub).await
    }

    /// As much of a body as the endpoint can want: one byte over its limit, so
    /// that the limit is judged in one place. The rest is read and dropped: a
    /// caller that is still sending would not see the answer.
    async fn read<B>(&self, mut body: B) -> Bytes
    where
        B: http_body::Body<Data = Bytes> + Unpin,
    {
        let wanted = self.function.endpoint().spec().body_limit + 1;
        let mut bytes = BytesMut::new();
        let mut received = 0;
        while received < PLATFORM_BODY_LIMIT {
            let Some(Ok(frame)) = body.frame().await else {
                break;
            };
            if let Ok(data) = frame.into_data() {
                received += data.len();
                let missing = wanted - bytes.len();
                bytes.extend_from_slice(&data[..data.len().min(missing)]);
            }
        }
        bytes.freeze()
    }
}

async fn vercel(edge: Edge) -> Result<(), Error> {
    let service = vercel_runtime::service_fn(
        move |request: vercel_runtime::Request, state: vercel_runtime::AppState| {
            let edge = edge.clone();
            async move {
                let (mut head, body) = request.into_parts();
                head.extensions.insert(request_id(&head.headers));
                head.extensions.insert(vercel_client(&head.headers));
                let body = edge.read(body).await;
                let response = edge.answer(Request::from_parts(head, body)).await;
                if edge.telemetry.has_reports() {
                    let telemetry = edge.telemetry.clone();
                    state.wait_until(async move { telemetry.flush(FLUSH_AFTER).await });
                }
                Ok::<_, vercel_runtime::Error>(response.map(vercel_runtime::ResponseBody::from))
            }
        },
    );
    vercel_runtime::run(service).await
}

async fn lambda(edge: Edge) -> Result<(), Error> {
    let service = lambda_http::service_fn(move |request: lambda_http::Request| {
        let edge = edge.clone();
        async move {
            let scheduled = matches!(
                request.request_context_ref(),
                Some(RequestContext::PassThrough)
            );
            let response = if scheduled {
                scheduled_call(&edge, request).await
            } else {
                Ok(requested(&edge, request).await)
            };
            edge.telemetry.flush(FLUSH_BEFORE).await;
            response.map(|answer| answer.map(|body| lambda_http::Body::from(body.to_vec())))
        }
    });
    lambda_http::run(service).await
}

/// Answers a request of a function URL.
async fn requested(edge: &Edge, request: lambda_http::Request) -> Response<Bytes> {
    let client = lambda_client(&request);
    let id = lambda_id(&request);
    let (mut head, body) = request.into_parts();
    head.extensions.insert(id);
    if let Some(client) = client {
        head.extensions.insert(client);
    }
    let body = edge
        .read(http_body_util::Full::new(Bytes::from(body.to_vec())))
        .await;
    edge.answer(Request::from_parts(head, body)).await
}

/// Does what a scheduler's event asks for. A run that failed is the only answer that may be
/// an error: nobody reads it but the scheduler, which then tries again and keeps count.
async fn scheduled_call(
    edge: &Edge,
    event: lambda_http::Request,
) -> Result<Response<Bytes>, Error> {
    let spec = edge.function.endpoint().spec();
    let secret = edge.function.app().config.cron_secret.as_ref();
    let id = lambda_id(&event);
    let mut request = scheduled_event::request(spec, secret, event.body()).inspect_err(
        |error| tracing::error!(request_id = id.0, %error, "an event is not answered"),
    )?;
    request.extensions_mut().insert(id);
    let response = edge.answer(request).await;
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(format!("the run was answered with {}", response.status()).into())
    }
}

/// The platform's id of a request if it gave a plain one, else one of our own.
fn request_id(headers: &HeaderMap) -> RequestId {
    let given = headers
        .get("x-vercel-id")
        .and_then(|value| value.to_str().ok());
    let plain = |id: &&str| id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic());
    RequestId(
        given
            .filter(plain)
            .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned),
    )
}

/// The caller's address as Vercel saw it. A bare `x-forwarded-for` is the
/// caller's own word and counts for nothing.
fn vercel_client(headers: &HeaderMap) -> ClientAddress {
    let address = headers
        .get("x-vercel-forwarded-for")
        .and_then(|value| value.to_str().ok());
    ClientAddress(address.unwrap_or_default().to_owned())
}

fn lambda_client(request: &lambda_http::Request) -> Option<ClientAddress> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => Some(ClientAddress(
            context.http.source_ip.clone().unwrap_or_default(),
        )),
        _ => None,
    }
}

fn lambda_id(request: &lambda_http::Request) -> RequestId {
    let id = request
        .lambda_context_ref()
        .map(|context| context.request_id.clone());
    RequestId(id.unwrap_or_else(|| Uuid::new_v4().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health;

    #[test]
    fn a_request_id_that_is_not_plain_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert("x-vercel-id", "fra1::abc-123".parse().unwrap());
        assert_eq!(request_id(&headers), RequestId("fra1::abc-123".into()));
        headers.insert("x-vercel-id", "with blanks".parse().unwrap());
        assert_ne!(request_id(&headers), RequestId("with blanks".into()));
    }

    #[test]
    fn only_the_platforms_header_names_a_client() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "192.0.2.66".parse().unwrap());
        assert_eq!(vercel_client(&headers), ClientAddress(String::new()));
        headers.insert("x-vercel-forwarded-for", "192.0.2.1".parse().unwrap());
        assert_eq!(vercel_client(&headers), ClientAddress("192.0.2.1".into()));
    }

    #[tokio::test]
    async fn a_panic_becomes_an_answer_that_tells_nothing() {
        let config = Config::from_lookup(&|_| None);
        let edge = Edge::new(Function::new(App::new(config), health::routes()));
        let panicking = async { panic!("the cellar is flooded") };
        let response = edge.guard("id-1", &Method::GET, panicking).await;
        assert_eq!(response.status(), 500);
        let body = String::from_utf8(response.into_body().to_vec()).unwrap();
        assert!(body.contains("id-1") && !body.contains("flooded"), "{body}");
    }
}
