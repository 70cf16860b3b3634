//! A request and its answer, redirects included where they are asked for.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use outside::{certificates::Witness, clock::Deadline, failure::Failure, outbound, reach::Reach};
use reqwest::Response;
use serde_json::{Map, Value, json};
use tokio::{task::spawn_blocking, time::timeout};
use url::Url;

use super::{Fault, Finding, Prober, Sighting, body};
use crate::monitoring::{expectation::Expectation, probe_targets::{Credentials, Http}};

/// Requests it, and follows as many redirects as it allows.
pub(super) async fn probe(
    prober: &Prober<'_>,
    http: &Http,
    reach: Reach,
    deadline: Deadline,
) -> Finding {
    let mut detail = Map::new();
    detail.insert("url".into(), json!(http.url));
    detail.insert("statusCode".into(), Value::Null);
    let mut finding = Finding {
        result: Ok(()),
        sightings: Vec::new(),
        detail,
    };
    finding.result = follow(prober, http, reach, deadline, &mut finding).await;
    // The database has to know whose certificates are watched on the way.
    let hosts: Vec<_> = finding.sightings.iter().map(|seen| &seen.host).collect();
    if hosts.len() > 1 {
        finding.detail.insert("hosts".into(), json!(hosts));
    }
    finding
}

async fn follow(
    prober: &Prober<'_>,
    http: &Http,
    reach: Reach,
    deadline: Deadline,
    finding: &mut Finding,
) -> Result<(), Fault> {
    let mut hop = Hop::first(prober, http)?;
    let mut left = http.redirects;
    loop {
        let credentials = prober.credentials(&hop.credentials)?;
        let (client, witness) = prober.outbound.look(reach, credentials)?;
        let sent = hop.send(&client, &witness, reach, deadline).await;
        // Each certificate is credited to the host that showed it.
        let host = hop.url.host_str();
        let seen = host.and_then(|host| Sighting::of(host, &witness));
        finding.sightings.extend(seen);
        let response = sent?;
        let status = response.status();
        let seen = json!(status.as_u16());
        finding.detail.insert("statusCode".into(), seen);
        if http.expectation.admits(status.as_u16()) {
            return judge(http, response, deadline).await;
        }
        let Some(next) = hop.next(&response).filter(|_| left > 0) else {
            return Err(Fault::from(if status.is_redirection() {
                "redirect"
            } else {
                "http_status"
            }));
        };
        hop = next;
        left -= 1;
    }
}

/// An answer is one only once it has ended: who sends headers and then hangs has
/// shown nobody anything.
async fn judge(http: &Http, response: Response, deadline: Deadline) -> Result<(), Fault> {
    let headers = response.headers().clone();
    http.expectation.judge_headers(&headers)?;
    let body = match outbound::body(response, body::LIMIT).await {
        // Of a page that is larger than we read, so much has come.
        Err(Failure::TooLarge) if !http.expectation.needs_body() => return Ok(()),
        body => body?,
    };
    if !http.expectation.needs_body() {
        return Ok(());
    }
    // Decoding and searching megabytes would hold up every other probe.
    let expectation = http.expectation.clone();
    let judging = spawn_blocking(move || judge_body(&expectation, &headers, &body));
    match timeout(deadline.remaining(), judging).await {
        Ok(judged) => judged.unwrap_or(Err("request".into())),
        Err(_) => Err(Failure::Timeout.into()),
    }
}

fn judge_body(expectation: &Expectation, headers: &HeaderMap, body: &[u8]) -> Result<(), Fault> {
    let decoded = body::decode(headers, body)?;
    Ok(expectation.judge(&body::text(headers, &decoded))?)
}

/// One request of a chain.
struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<String>,
    credentials: Credentials,
}

impl Hop {
    /// The request as it is defined, with its variables filled in.
    fn first(prober: &Prober<'_>, http: &Http) -> Result<Self, &'static str> {
        let method = http.method.as_deref().unwrap_or("GET");
        let mut headers = HeaderMap::new();
        for (name, value) in &http.headers {
            let value = prober.fill(value.as_str().unwrap_or_default())?;
            let name = HeaderName::try_from(name).map_err(|_| "request")?;
            let mut value = HeaderValue::try_from(value).map_err(|_| "variable")?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(Self {
            method: Method::from_bytes(method.as_bytes()).map_err(|_| "request")?,
            url: http.url.clone(),
            headers,
            body: http.body.clone(),
            credentials: http.credentials.clone(),
        })
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        witness: &Witness,
        reach: Reach,
        deadline: Deadline,
    ) -> Result<Response, Fault> {
        reach.check(&self.url)?;
        let request = client
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone())
            .timeout(deadline.remaining());
        let request = match &self.body {
            Some(body) => request.body(body.clone()),
            None => request,
        };
        let sent = request.send().await;
        sent.map_err(|error| Fault::of(&error, Failure::of(&error), witness))
    }

    /// Where an answer sends on to, if it does, and if that is a place that a
    /// check may ask.
    fn next(&self, response: &Response) -> Option<Self> {
        let status = response.status().as_u16();
        let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
        let url = self.url.join(location).ok()?;
        let repeats = match status {
            301..=303 => false,
            307 | 308 => true,
            _ => return None,
        };
        // What proves who asks is for the one it was meant for.
        let same = url.origin() == self.url.origin();
        (url.scheme() == "https" || url.scheme() == self.url.scheme()).then(|| Self {
            method: if repeats || self.method == Method::HEAD {
                self.method.clone()
            } else {
                Method::GET
            },
            headers: same.then(|| self.headers.clone()).unwrap_or_default(),
            credentials: same.then(|| self.credentials.clone()).unwrap_or_default(),
            body: self.body.clone().filter(|_| repeats && same),
            url,
        })
    }
}
