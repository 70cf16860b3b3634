//! The project's Storage, by its REST API: `/storage/v1` at the project's URL.
//!
//! It answers refusals with status 400 and the real status in the body. The API knows files by
//! their rows alone: what lies in the bucket without a row, nobody can ask it for.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use outside::{
    failure::Failure,
    outbound::{self, Outbound},
};
use reqwest::{Body, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// The longest answer that is no file, in bytes.
const ANSWER: usize = 16 * 1024 * 1024;

/// How long a request may take that moves no file.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why Storage does not do what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// There is no such file, or no such bucket.
    #[error("it is not there")]
    Absent,
    /// No URL can name it.
    #[error("its name cannot be written in a URL")]
    Nameless,
    /// Storage refuses this one request.
    #[error("Storage refuses with {status}: {message}")]
    Refused {
        /// The real status.
        status: u16,
        /// Its own words.
        message: String,
    },
    /// Storage does not serve us: the next request will fare no better.
    #[error("Storage does not serve: {0}")]
    Away(String),
}

impl StorageError {
    fn unreachable(failure: Failure) -> Self {
        Self::Away(failure.to_string())
    }

    /// From the body of a refusal.
    fn refusal(status: StatusCode, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let inner = match &body["statusCode"] {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number
                .as_u64()
                .and_then(|number| u16::try_from(number).ok()),
            _ => None,
        };
        let status = match (status, inner) {
            (StatusCode::BAD_REQUEST, Some(inner)) => inner,
            (other, _) => other.as_u16(),
        };
        let said = body["message"].as_str().unwrap_or_default();
        let message = said.chars().take(200).collect();
        match status {
            404 => Self::Absent,
            // 402: the project is over its quota, and nothing is served.
            401 | 402 | 403 | 429 | 500.. => {
                Self::Away(format!("{status} {message}").trim().to_owned())
            }
            _ => Self::Refused { status, message },
        }
    }
}

/// A file that is coming in.
#[derive(Debug)]
pub struct Incoming {
    response: Response,
    /// Its entity tag.
    pub tag: Option<String>,
    /// The byte of it that comes first; unknown where Storage does not say which range it sends.
    pub start: Option<u64>,
}

impl Incoming {
    /// The next part of it; `None` at its end.
    ///
    /// # Errors
    /// [`StorageError::Away`] if it does not come whole.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        let part = self.response.chunk().await;
        part.map_err(|error| StorageError::unreachable(Failure::of(&error)))
    }
}

/// A file as Storage has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct There {
    /// How long it is in bytes.
    pub size: Option<u64>,
    /// Its entity tag.
    pub tag: Option<String>,
}

/// How a file is to be served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Served {
    /// Its media type.
    pub mimetype: Option<String>,
    /// How long it may be kept, as `cache-control` says it.
    pub cache_control: Option<String>,
}

/// A bucket as the API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewBucket {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether everybody may read its files.
    #[serde(default)]
    pub public: bool,
    /// The longest file that it takes, in bytes.
    #[serde(default)]
    pub file_size_limit: Option<u64>,
    /// The media types that it takes; all if none is named.
    #[serde(default)]
    pub allowed_mime_types: Option<Vec<String>>,
}

/// A project's Storage.
#[derive(Clone)]
pub struct StorageApi {
    outbound: Arc<Outbound>,
    base: Url,
    key: SecretString,
}

impl StorageApi {
    /// The Storage of the project at `base`, with its secret key in either form: `sb_secret_…`,
    /// or a JWT of the role `service_role`.
    #[must_use]
    pub fn new(outbound: Arc<Outbound>, base: Url, key: SecretString) -> Self {
        Self {
            outbound,
            base,
            key,
        }
    }

    /// Begins to read a file, which has to be there whole within that time.
    ///
    /// # Errors
    /// See [`StorageError`].
    pub async fn read(
        &self,
        bucket: &str,
        name: &str,
        within: Duration,
    ) -> Result<Incoming, StorageError> {
        self.read_from(bucket, name, 0, within).await
    }

    /// Begins to read a file at that byte. Storage may send all of it, and it may send another
    /// content than before: it hands `range` on to the bucket, and `if-range` it does not.
    ///
    /// # Errors
    /// See [`StorageError`].
    pub async fn read_from(
        &self,
        bucket: &str,
        name: &str,
        start: u64,
        within: Duration,
    ) -> Result<Incoming, StorageError> {
        let url = self.file_url(&["object", "authenticated"], bucket, name)?;
        let mut request = self.request(Method::GET, url)?.timeout(within);
        if start > 0 {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        let response = answered(request).await?;
        Ok(Incoming {
            tag: text(response.headers(), &header::ETAG),
            start: match response.status() {
                StatusCode::PARTIAL_CONTENT => range_start(response.headers()),
                _ => Some(0),
            },
            response,
        })
    }

    /// Whether a file is there, and as what.
    ///
    /// # Errors
    /// See [`StorageError`]; that it is not there is none.
    pub async fn look(&self, bucket: &str, name: &str) -> Result<Option<There>, StorageError> {
        let url = self.file_url(&["object", "authenticated"], bucket, name)?;
        let request = self.request(Method::HEAD, url)?.timeout(PATIENCE);
        let sent = request.send().await;
        let response = sent.map_err(|error| StorageError::unreachable(Failure::of(&error)))?;
        match response.status() {
            status if status.is_success() => {
                let length = text(response.headers(), &header::CONTENT_LENGTH);
                Ok(Some(There {
                    size: length.and_then(|length| length.parse().ok()),
                    tag: text(response.headers(), &header::ETAG),
                }))
            }
            // A refusal of HEAD has no body that would tell more.
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => Ok(None),
            other => Err(StorageError::refusal(other, b"")),
        }
    }

    /// Uploads a file, over one of that name.
    ///
    /// # Errors
    /// See [`StorageError`].
    pub async fn write(
        &self,
        (bucket, name): (&str, &str),
        served: &Served,
        (body, length): (Body, u64),
        within: Duration,
    ) -> Result<(), StorageError> {
        let url = self.file_url(&["object"], bucket, name)?;
        let mut headers = HeaderMap::new();
        headers.insert("x-upsert", HeaderValue::from_static("true"));
        headers.insert(header::CONTENT_LENGTH, length.into());
        for (name, value) in [
            (header::CONTENT_TYPE, &served.mimetype),
            (header::CACHE_CONTROL, &served.cache_control),
        ] {
            let value = value.as_deref().map(HeaderValue::from_str);
            if let Some(Ok(value)) = value {
                headers.insert(name, value);
            }
        }
        let request = self.request(Method::POST, url)?.headers(headers);
        answered(request.body(body).timeout(within)).await?;
        Ok(())
    }

    /// A URL at which anybody can read a file for that long.
    ///
    /// # Errors
    /// See [`StorageError`].
    pub async fn sign(
        &self,
        (bucket, name): (&str, &str),
        lasting: Duration,
    ) -> Result<String, StorageError> {
        let url = self.file_url(&["object", "sign"], bucket, name)?;
        let body = serde_json::json!({ "expiresIn": lasting.as_secs() });
        let request = self.request(Method::POST, url)?.json(&body);
        let response = answered(request.timeout(PATIENCE)).await?;
        let body = outbound::body(response, ANSWER).await;
        let body = body.map_err(StorageError::unreachable)?;
        let signed: Signed = serde_json::from_slice(&body)
            .map_err(|_| StorageError::Away("it signed no URL".to_owned()))?;
        let base = self.base.as_str().trim_end_matches('/');
        Ok(format!("{base}/storage/v1{}", signed.url))
    }

    /// Deletes files of a bucket; those that are not there are gone already.
    ///
    /// # Errors
    /// See [`StorageError`].
    pub async fn delete(&self, bucket: &str, names: &[String]) -> Result<(), StorageError> {
        let url = self.url(["object", bucket]);
        let body = serde_json::json!({ "prefixes": names });
        let request = self.request(Method::DELETE, url)?.json(&body);
        answered(request.timeout(PATIENCE)).await?;
        Ok(())
    }

    /// The ids of all buckets, in order.
    ///
    /// # Errors
    /// See [`StorageError`].
    pub async fn buckets(&self) -> Result<Vec<String>, StorageError> {
        const PAGE: usize = 100;
        let mut ids = Vec::new();
        loop {
            let mut url = self.url(["bucket"]);
            url.set_query(Some(&format!("limit={PAGE}&offset={}", ids.len())));
            let response = answered(self.request(Method::GET, url)?.timeout(PATIENCE)).await?;
            let body = outbound::body(response, ANSWER).await;
            let body = body.map_err(StorageError::unreachable)?;
            let page: Vec<Id> = serde_json::from_slice(&body)
                .map_err(|_| StorageError::Away("its list of buckets is none".to_owned()))?;
            let is_last = page.len() < PAGE;
            ids.extend(page.into_iter().map(|bucket| bucket.id));
            if is_last {
                ids.sort_unstable();
                ids.dedup();
                return Ok(ids);
            }
        }
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// See [`StorageError`].
    pub async fn make_bucket(&self, bucket: &NewBucket) -> Result<(), StorageError> {
        let url = self.url(["bucket"]);
        let request = self.request(Method::POST, url)?.json(bucket);
        answered(request.timeout(PATIENCE)).await?;
        Ok(())
    }

    fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, StorageError> {
        let client = self.outbound.client().map_err(StorageError::unreachable)?;
        Ok(client.request(method, url).headers(self.proof()))
    }

    /// An opaque key is no bearer: the gateway translates it. A JWT is both.
    fn proof(&self) -> HeaderMap {
        let key = self.key.expose_secret();
        let bearer = format!("Bearer {key}");
        let is_opaque = key.starts_with("sb_");
        [("apikey", key), ("authorization", bearer.as_str())]
            .into_iter()
            .filter(|(name, _)| !is_opaque || *name == "apikey")
            .filter_map(|(name, value)| {
                let mut value = HeaderValue::from_str(value).ok()?;
                value.set_sensitive(true);
                Some((HeaderName::from_static(name), value))
            })
            .collect()
    }

    /// A segment of dots would be taken for a way through folders, and never arrive.
    fn file_url(&self, before: &[&str], bucket: &str, name: &str) -> Result<Url, StorageError> {
        let dots = ["", ".", ".."];
        if dots.contains(&bucket) || name.split('/').any(|segment| dots.contains(&segment)) {
            return Err(StorageError::Nameless);
        }
        let before = before.iter().copied();
        Ok(self.url(before.chain([bucket]).chain(name.split('/'))))
    }

    fn url<'s>(&self, segments: impl IntoIterator<Item = &'s str>) -> Url {
        let segments: Vec<_> = segments.into_iter().map(encoded).collect();
        let mut url = self.base.clone();
        let before = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{before}/storage/v1/{}", segments.join("/")));
        url
    }
}

/// A segment of a path, every byte of which arrives: a parser of URLs would drop tabs and
/// newlines, and so name another file.
fn encoded(segment: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            other => {
                let digits = [other >> 4, other & 15].map(|half| DIGITS[usize::from(half)]);
                text.push('%');
                text.extend(digits.map(char::from));
            }
        }
    }
    text
}

impl fmt::Debug for StorageApi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StorageApi")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Signed {
    #[serde(rename = "signedURL")]
    url: String,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// The answer, if it is none of refusal.
async fn answered(request: RequestBuilder) -> Result<Response, StorageError> {
    let sent = request.send().await;
    let response = sent.map_err(|error| StorageError::unreachable(Failure::of(&error)))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = outbound::body(response, ANSWER).await.unwrap_or_default();
    Err(StorageError::refusal(status, &body))
}

/// From `content-range: bytes 5-9/10`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = text(headers, &header::CONTENT_RANGE)?;
    let (start, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    start.parse().ok()
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(key: &str) -> StorageApi {
        let base = Url::parse("https://ref.supabase.co").unwrap();
        StorageApi::new(Arc::default(), base, key.to_owned().into())
    }

    #[test]
    fn a_name_is_written_so_that_it_arrives_as_it_is() {
        let api = api("sb_secret_x");
        for (name, expected) in [
            ("a/b c.png", Some("a/b%20c.png")),
            ("50%/#1?.png", Some("50%25/%231%3F.png")),
            ("Ch\u{e2}teau", Some("Ch%C3%A2teau")),
            ("tab\t\n.png", Some("tab%09%0A.png")),
            ("a/../b", None),
            ("a//b", None),
            ("", None),
        ] {
            let url = api.file_url(&["object"], "photos", name);
            let expected = expected
                .map(|path| format!("https://ref.supabase.co/storage/v1/object/photos/{path}"))
                .ok_or(StorageError::Nameless);
            assert_eq!(url.map(String::from), expected, "{name}");
        }
    }

    #[test]
    fn a_key_travels_as_its_form_wants() {
        for (key, expected) in [
            ("sb_secret_x", vec!["apikey"]),
            ("a.b.c", vec!["apikey", "authorization"]),
        ] {
            let proof = api(key).proof();
            let mut names: Vec<_> = proof.keys().map(HeaderName::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn a_range_says_where_it_begins() {
        for (range, expected) in [
            ("bytes 5-9/10", Some(5)),
            ("bytes 0-9/*", Some(0)),
            ("bytes */10", None),
            ("items 5-9/10", None),
            ("bytes -5-9/10", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_RANGE, HeaderValue::from_static(range));
            assert_eq!(range_start(&headers), expected, "{range}");
        }
        assert_eq!(range_start(&HeaderMap::new()), None);
    }

    #[test]
    fn the_status_is_the_one_in_the_body() {
        let bad = StatusCode::BAD_REQUEST;
        for (status, body, expected) in [
            (
                bad,
                r#"{"statusCode":"404","message":"m"}"#,
                StorageError::Absent,
            ),
            (bad, r#"{"statusCode":404}"#, StorageError::Absent),
            (StatusCode::NOT_FOUND, "", StorageError::Absent),
            (
                bad,
                r#"{"statusCode":"403","message":"no"}"#,
                StorageError::Away("403 no".into()),
            ),
            (
                StatusCode::BAD_GATEWAY,
                "<html>",
                StorageError::Away("502".into()),
            ),
            (
                bad,
                r#"{"statusCode":"413","message":"long"}"#,
                StorageError::Refused {
                    status: 413,
                    message: "long".into(),
                },
            ),
        ] {
            assert_eq!(StorageError::refusal(status, body.as_bytes()), expected);
        }
    }
}
