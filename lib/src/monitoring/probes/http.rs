//! Requests and their answers, redirects included where they are asked for.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use outside::{certificates::Witness, clock::Deadline, failure::Failure, outbound, reach::Reach};
use reqwest::Response;
use serde_json::{Map, Value, json};
use tokio::{task::spawn_blocking, time::timeout};
use url::Url;

use super::{
    Fault, Finding, Prober, Sighting, body,
    carried::{Carried, Writing},
};
use crate::{
    encoded_body,
    monitoring::{
        expectation::Expectation,
        probe_targets::{Credentials, Http, Request, Step},
    },
};

/// Makes the requests that come before, then the one that the check is about.
pub(super) async fn probe(
    prober: &Prober<'_>,
    http: &Http,
    reach: Reach,
    deadline: Deadline,
) -> Finding {
    let mut detail = Map::new();
    detail.insert("url".into(), json!(http.request.url.text));
    detail.insert("statusCode".into(), Value::Null);
    let mut look = Look {
        prober,
        reach,
        deadline,
        carried: Carried::new(prober.variables),
        finding: Finding::of(Ok(()), detail),
    };
    let result = look.follow_all(http).await;
    let mut finding = Finding {
        result,
        ..look.finding
    };
    // The database has to know whose certificates are watched on the way.
    let hosts: Vec<_> = finding.sightings.iter().map(|seen| &seen.host).collect();
    if hosts.len() > 1 {
        finding.detail.insert("hosts".into(), json!(hosts));
    }
    finding
}

/// One probe on its way.
struct Look<'a> {
    prober: &'a Prober<'a>,
    reach: Reach,
    deadline: Deadline,
    carried: Carried<'a>,
    finding: Finding,
}

impl Look<'_> {
    async fn follow_all(&mut self, http: &Http) -> Result<(), Fault> {
        for (place, step) in http.before.iter().enumerate() {
            let made = self.step(step).await;
            if made.is_err() {
                self.finding.detail.insert("step".into(), json!(place + 1));
            }
            made?;
        }
        let response = self.follow(&http.request).await?;
        self.judge(&http.request, response, false).await.map(drop)
    }

    async fn step(&mut self, step: &Step) -> Result<(), Fault> {
        let response = self.follow(&step.request).await?;
        let headers = response.headers().clone();
        let needs_text = !step.keep.is_empty();
        let text = self.judge(&step.request, response, needs_text).await?;
        self.carried.keep(&step.keep, &headers, &text)
    }

    /// Requests it, and follows as many redirects as it allows.
    async fn follow(&mut self, request: &Request) -> Result<Response, Fault> {
        let mut hop = Hop::first(&self.carried, request)?;
        let mut left = request.redirects;
        loop {
            let response = self.send(&hop).await?;
            let status = response.status();
            let seen = json!(status.as_u16());
            self.finding.detail.insert("statusCode".into(), seen);
            if request.expectation.admits(status.as_u16()) {
                return Ok(response);
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

    async fn send(&mut self, hop: &Hop) -> Result<Response, Fault> {
        let credentials = self.prober.credentials(&hop.credentials)?;
        let (client, witness) = self.prober.outbound.look(self.reach, credentials)?;
        let cookies = self.carried.cookies(&hop.url);
        let sent = hop.send(&client, &witness, cookies, self.reach, self.deadline);
        let sent = sent.await;
        // Each certificate is credited to the host that showed it.
        let host = hop.url.host_str();
        let seen = host.and_then(|host| Sighting::of(host, &witness));
        self.finding.sightings.extend(seen);
        let response = sent?;
        self.carried.take_cookies(&hop.url, response.headers());
        Ok(response)
    }

    /// Judges an answer, and returns its text if that is needed or was looked at. An
    /// answer is one only once it has ended: who sends headers and then hangs has
    /// shown nobody anything.
    async fn judge(
        &self,
        request: &Request,
        response: Response,
        needs_text: bool,
    ) -> Result<String, Fault> {
        let headers = response.headers().clone();
        request.expectation.judge_headers(&headers)?;
        let needs_text = needs_text || request.expectation.needs_body();
        let body = match outbound::body(response, encoded_body::LIMIT).await {
            // Of a page that is larger than we read, so much has come.
            Err(Failure::TooLarge) if !needs_text => return Ok(String::new()),
            body => body?,
        };
        if !needs_text {
            return Ok(String::new());
        }
        // Decoding and searching megabytes would hold up every other probe.
        let expectation = request.expectation.clone();
        let judging = spawn_blocking(move || judge_body(&expectation, &headers, &body));
        match timeout(self.deadline.remaining(), judging).await {
            Ok(judged) => judged.unwrap_or(Err("request".into())),
            Err(_) => Err(Failure::Timeout.into()),
        }
    }
}

fn judge_body(
    expectation: &Expectation,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<String, Fault> {
    let decoded = encoded_body::decode(headers, body)?;
    let text = body::text(headers, &decoded);
    expectation.judge(&text)?;
    Ok(text.into_owned())
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
    /// The request as it is defined, with its placeholders filled in.
    fn first(carried: &Carried<'_>, request: &Request) -> Result<Self, Fault> {
        let method = request.method.as_deref().unwrap_or("GET");
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let value = carried.fill(value.as_str().unwrap_or_default(), Writing::Plain)?;
            let name = HeaderName::try_from(name).map_err(|_| "request")?;
            let mut value = HeaderValue::try_from(value).map_err(|_| "variable")?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let body = request.body.as_deref();
        let body = body.map(|text| carried.fill_known(text, writing(text, &headers)));
        let body = body.transpose()?;
        Ok(Self {
            method: Method::from_bytes(method.as_bytes()).map_err(|_| "request")?,
            url: url(carried, request)?,
            body,
            headers,
            credentials: request.credentials.clone(),
        })
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        witness: &Witness,
        cookies: Option<HeaderValue>,
        reach: Reach,
        deadline: Deadline,
    ) -> Result<Response, Fault> {
        reach.check(&self.url)?;
        let mut headers = self.headers.clone();
        headers.extend(cookies.map(|cookies| (header::COOKIE, cookies)));
        let request = client
            .request(self.method.clone(), self.url.clone())
            .headers(headers)
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
        let (headers, credentials, body) = if same {
            let body = self.body.clone().filter(|_| repeats);
            (self.headers.clone(), self.credentials.clone(), body)
        } else {
            Default::default()
        };
        (url.scheme() == "https" || url.scheme() == self.url.scheme()).then(|| Self {
            method: if repeats || self.method == Method::HEAD {
                self.method.clone()
            } else {
                Method::GET
            },
            headers,
            credentials,
            body,
            url,
        })
    }
}

/// A request's URL. Placeholders choose what is asked for, never who is asked.
fn url(carried: &Carried<'_>, request: &Request) -> Result<Url, Fault> {
    let filled = carried.fill(&request.url.text, Writing::Encoded)?;
    let url: Url = filled.parse().map_err(|_| "request")?;
    if url.origin() == request.url.url.origin() {
        Ok(url)
    } else {
        Err("request".into())
    }
}

/// How a value is written into a body: as its kind of text needs it.
fn writing(body: &str, headers: &HeaderMap) -> Writing {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        Writing::Encoded
    } else if body.trim_start().starts_with(['{', '[']) {
        Writing::Json
    } else {
        Writing::Plain
    }
}
