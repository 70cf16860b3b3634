//! The answer to a request that the database has carried out.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE},
};
use serde_json::{Map, Value};

use super::{
    error::{ApiError, Result},
    media::Media,
    plan::Outcome,
    preferences::Preferences,
};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");

/// An answer under construction.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Option<(Media, String)>,
}

impl Answer {
    /// An answer without a body.
    pub(super) fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// Adds the result.
    pub(super) fn body(mut self, media: Media, body: &str) -> Self {
        self.body = Some((media, body.to_owned()));
        self
    }

    /// Adds a header; one whose value no header can hold is left out.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Tells which rows the body holds.
    pub(super) fn range(self, range: &str) -> Self {
        self.header(CONTENT_RANGE, range)
    }

    /// Tells which preferences were followed.
    pub(super) fn applied(self, preferences: &Preferences) -> Self {
        match preferences.applied() {
            Some(applied) => self.header(PREFERENCE_APPLIED, &applied),
            None => self,
        }
    }

    /// Tells the schema, where there are several.
    pub(super) fn profile(self, schema: &str, exposed: &[String]) -> Self {
        if exposed.len() > 1 {
            self.header(CONTENT_PROFILE, schema)
        } else {
            self
        }
    }

    /// Replaces status and headers as the database wishes.
    pub(super) fn overridden(mut self, outcome: &Outcome) -> Result<Self> {
        if let Some(headers) = &outcome.headers {
            let headers = parse_headers(headers).ok_or_else(|| {
                invalid_setting(
                    "PGRST111",
                    "response.headers guc must be a JSON array composed of objects with a single key and a string value",
                )
            })?;
            for name in headers.keys() {
                self.headers.remove(name);
            }
            self.headers.extend(headers);
        }
        if let Some(status) = &outcome.status {
            self.status = status.parse().map_err(|_| {
                invalid_setting(
                    "PGRST112",
                    "response.status guc must be a valid status code",
                )
            })?;
        }
        Ok(self)
    }

    /// The finished answer.
    pub(super) fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status;
        if let Some((media, body)) = self.body {
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
            *response.body_mut() = Bytes::from(body);
        }
        response.headers_mut().extend(self.headers);
        response
    }
}

/// States the length of every body, so that the answer to HEAD can, too.
pub(super) fn set_length(response: &mut Response<Bytes>) {
    if response.status() != StatusCode::NO_CONTENT {
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
}

/// `[{"Name": "value"}, …]`.
fn parse_headers(json: &str) -> Option<HeaderMap> {
    let list: Vec<Map<String, Value>> = serde_json::from_str(json).ok()?;
    let mut headers = HeaderMap::new();
    for object in &list {
        let mut entries = object.iter();
        let (Some((name, Value::String(value))), None) = (entries.next(), entries.next()) else {
            return None;
        };
        headers.append(HeaderName::try_from(name).ok()?, value.parse().ok()?);
    }
    Some(headers)
}

fn invalid_setting(code: &str, message: &str) -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
}
