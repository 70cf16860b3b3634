//! AWS Lambda's side: the runtime interface, at which a function fetches events
//! and hands in answers.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

use super::{
    expect,
    http::{Answer, body, serve},
    process::Process,
};

/// A function as AWS Lambda runs it, behind a function URL.
pub(crate) struct Lambda {
    pub(crate) process: Process,
    events: mpsc::UnboundedSender<Value>,
    outcomes: mpsc::UnboundedReceiver<Outcome>,
}

/// What a function handed in.
#[derive(Debug)]
enum Outcome {
    Response(Value),
    /// An error of an invocation or of the start. To a request none may ever come.
    Error(String),
}

impl Lambda {
    /// Starts a binary; it fetches its first event by itself.
    pub(crate) async fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let (events, incoming) = mpsc::unbounded_channel();
        let (outgoing, outcomes) = mpsc::unbounded_channel();
        let incoming = Arc::new(Mutex::new(incoming));
        let address = serve(move |request| {
            let (incoming, outgoing) = (Arc::clone(&incoming), outgoing.clone());
            Box::pin(async move {
                if request.uri().path().ends_with("/invocation/next") {
                    // Without an event the interface keeps the function waiting.
                    match incoming.lock().await.recv().await {
                        Some(event) => invocation(&event),
                        None => std::future::pending().await,
                    }
                } else {
                    hand_in(request, &outgoing).await
                }
            })
        })
        .await;
        let api = address.to_string();
        let own = [
            ("AWS_LAMBDA_RUNTIME_API", api.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "pourtrait"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ];
        Self {
            process: Process::start(binary, &[variables, &own].concat()),
            events,
            outcomes,
        }
    }

    /// Sends a request as a function URL does and waits for the answer.
    pub(crate) async fn ask(&mut self, request: Request<Bytes>) -> Answer {
        match self.outcome(event(&request)).await {
            Outcome::Response(response) => answer(&response),
            Outcome::Error(error) => panic!("the function handed in an error: {error}"),
        }
    }

    /// Sends an event that is no request, as a scheduler does: what the function hands in, or
    /// the error that it reports.
    pub(crate) async fn invoke(&mut self, event: Value) -> Result<Value, String> {
        match self.outcome(event).await {
            Outcome::Response(response) => Ok(response),
            Outcome::Error(error) => Err(error),
        }
    }

    async fn outcome(&mut self, event: Value) -> Outcome {
        self.events.send(event).unwrap();
        expect("an answer", self.outcomes.recv()).await.unwrap()
    }
}

/// What the interface answers when an event is there.
fn invocation(event: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(event.to_string().into()));
    let headers = response.headers_mut();
    let arn =
        HeaderValue::from_static("arn:aws:lambda:eu-central-1:123456789012:function:pourtrait");
    let own = uuid::Uuid::new_v4().to_string();
    let id = event["requestContext"]["requestId"].as_str();
    let id = id.unwrap_or(&own).parse().unwrap();
    headers.insert("lambda-runtime-aws-request-id", id);
    headers.insert("lambda-runtime-invoked-function-arn", arn);
    headers.insert(
        "lambda-runtime-deadline-ms",
        HeaderValue::from_static("4102444800000"),
    );
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    response
}

async fn hand_in(
    request: Request<Incoming>,
    outgoing: &mpsc::UnboundedSender<Outcome>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let body = body(request).await;
    let outcome = match serde_json::from_slice(&body) {
        Ok(response) if path.ends_with("/response") => Outcome::Response(response),
        _ => Outcome::Error(format!("{path}: {}", String::from_utf8_lossy(&body))),
    };
    // A test that has ended no longer listens.
    let _ = outgoing.send(outcome);
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// A request as an event of API Gateway's payload format 2.0.
fn event(request: &Request<Bytes>) -> Value {
    let uri = request.uri();
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    let headers: serde_json::Map<String, Value> = request
        .headers()
        .iter()
        .filter(|(name, _)| *name != "cookie")
        .map(|(name, value)| (name.to_string(), text(value).into()))
        .collect();
    // Cookies travel beside the headers, one by one.
    let cookies: Vec<String> = request
        .headers()
        .get_all("cookie")
        .iter()
        .flat_map(|line| {
            text(line)
                .split("; ")
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    json!({
        "cookies": cookies,
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": uri.path(),
        "rawQueryString": uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "api",
            "domainName": "ops.example",
            "domainPrefix": "ops",
            "http": {
                "method": request.method().as_str(),
                "path": uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "harness",
            },
            "requestId": uuid::Uuid::new_v4().to_string(),
            "routeKey": "$default",
            "stage": "$default",
            "time": "24/Nov/2026:03:00:00 +0000",
            "timeEpoch": 1_795_489_200_000_u64,
        },
        "body": String::from_utf8(request.body().to_vec()).unwrap(),
        "isBase64Encoded": false,
    })
}

fn answer(response: &Value) -> Answer {
    let status = u16::try_from(response["statusCode"].as_u64().unwrap()).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in response["headers"].as_object().unwrap() {
        let name: HeaderName = name.parse().unwrap();
        headers.insert(name, value.as_str().unwrap().parse().unwrap());
    }
    for cookie in response["cookies"].as_array().into_iter().flatten() {
        headers.append("set-cookie", cookie.as_str().unwrap().parse().unwrap());
    }
    assert_eq!(response["isBase64Encoded"], false, "{response}");
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: response["body"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
            .into(),
    }
}
