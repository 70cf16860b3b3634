//! A request and its answer, redirects included where they are asked for.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use jiff::Timestamp;
use outside::{clock::Deadline, failure::Failure, outbound, reach::Reach};
use reqwest::{Response, tls::TlsInfo};
use serde_json::{Map, Value, json};
use url::Url;
use x509_cert::{Certificate, der::Decode};

use super::{Finding, Prober};
use crate::monitoring::probe_targets::Http;

/// How much of an answer is searched for what is expected, in bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

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
    let mut hop = match Hop::first(prober, http) {
        Ok(hop) => hop,
        Err(reason) => return Finding::down(reason, detail),
    };
    let mut left = http.redirects;
    loop {
        let response = match hop.send(prober, reach, deadline).await {
            Ok(response) => response,
            Err(failure) => return Finding::down(failure.as_str(), detail),
        };
        let (status, expiry) = (response.status(), expiry(&response));
        detail.insert("statusCode".into(), json!(status.as_u16()));
        if http.expectation.admits(status.as_u16()) {
            return Finding {
                result: judge(http, response).await,
                expiry,
                detail,
            };
        }
        let Some(next) = hop.next(&response).filter(|_| left > 0) else {
            let reason = if status.is_redirection() {
                "redirect"
            } else {
                "http_status"
            };
            return Finding {
                expiry,
                ..Finding::down(reason, detail)
            };
        };
        hop = next;
        left -= 1;
    }
}

async fn judge(http: &Http, response: Response) -> Result<(), &'static str> {
    if !http.expectation.needs_body() {
        return Ok(());
    }
    match outbound::body(response, BODY_LIMIT).await {
        Err(failure) => Err(failure.as_str()),
        Ok(body) => http.expectation.judge(&body),
    }
}

/// One request of a chain.
struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<String>,
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
        })
    }

    async fn send(
        &self,
        prober: &Prober<'_>,
        reach: Reach,
        deadline: Deadline,
    ) -> Result<Response, Failure> {
        reach.check(&self.url)?;
        let request = prober
            .outbound
            .client_within(reach)?
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone())
            .timeout(deadline.remaining());
        let request = match &self.body {
            Some(body) => request.body(body.clone()),
            None => request,
        };
        request.send().await.map_err(|error| Failure::of(&error))
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
            headers: if same {
                self.headers.clone()
            } else {
                HeaderMap::new()
            },
            body: self.body.clone().filter(|_| repeats && same),
            url,
        })
    }
}

/// When the certificate of an answer's connection ends.
fn expiry(response: &Response) -> Option<Timestamp> {
    let der = response.extensions().get::<TlsInfo>()?.peer_certificate()?;
    not_after(der)
}

/// When a certificate ends.
pub(super) fn not_after(der: &[u8]) -> Option<Timestamp> {
    let certificate = Certificate::from_der(der).ok()?;
    let end = certificate
        .tbs_certificate
        .validity
        .not_after
        .to_unix_duration();
    Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
}
