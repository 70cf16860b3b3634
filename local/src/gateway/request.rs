//! A request as PostgREST understands it.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION, request::Parts};
use jiff::Timestamp;

use super::{
    claims::Caller,
    config::GatewayConfig,
    credentials,
    error::{ApiError, Result},
    jwt::Verifier,
    payload::{Body, Payload},
    preferences::Preferences,
    query::{Others, Query},
    window::Window,
};

/// Where PostgREST lies on a Supabase project.
const PREFIX: &str = "/rest/v1";

/// A request, proven and parsed, before the database was asked anything.
#[derive(Debug)]
pub(super) struct ApiRequest {
    pub(super) method: Method,
    /// Without the prefix.
    pub(super) path: String,
    pub(super) action: Action,
    /// The table, view or function.
    pub(super) name: String,
    pub(super) schema: String,
    pub(super) caller: Caller,
    pub(super) headers: HeaderMap,
    pub(super) query: Query,
    pub(super) window: Window,
    pub(super) body: Option<Body>,
    pub(super) preferences: Preferences,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Action {
    Read,
    Insert,
    Update,
    Delete,
    /// A call that may not write, its arguments in the query string.
    CallByGet,
    CallByPost,
    /// What a table or view allows.
    Describe,
    /// What a function allows.
    DescribeFunction,
}

/// What a path names.
enum Target {
    Relation(String),
    Function(String),
}

impl ApiRequest {
    /// Checks in PostgREST's order: token, path, schema, method, query string,
    /// range, body.
    pub(super) fn parse(
        mut parts: Parts,
        body: &Bytes,
        config: &GatewayConfig,
        verifier: &Verifier,
        now: Timestamp,
    ) -> Result<Self> {
        credentials::resolve(&mut parts.headers, config)?;
        let caller = match parts
            .headers
            .get(AUTHORIZATION)
            .and_then(credentials::bearer)
        {
            Some(token) => Caller::from_claims(verifier.verify(token, now)?),
            None => Caller::anonymous(),
        };
        let path = parts.uri.path();
        let path = path.strip_prefix(PREFIX).unwrap_or(path).to_owned();
        let target = target(&path)?;
        let schema = schema(&parts.method, &parts.headers, config)?;
        let (action, name) = action(&parts.method, target)?;
        let others = match action {
            Action::CallByGet => Others::FiltersAndArguments,
            _ => Others::Filters,
        };
        let query = Query::parse(parts.uri.query().unwrap_or_default(), others)?;
        let window = Window::parse(
            &query,
            (parts.method == Method::GET).then_some(&parts.headers),
        )?;
        let body = match action {
            Action::Insert | Action::Update => Some(Body::parse(&parts.headers, body, None)?),
            Action::CallByPost => Some(Body::parse(&parts.headers, body, Some("{}"))?),
            _ => None,
        };
        Ok(Self {
            preferences: Preferences::parse(&parts.headers),
            method: parts.method,
            path,
            action,
            name,
            schema,
            caller,
            headers: parts.headers,
            query,
            window,
            body,
        })
    }

    /// The rows to write; `None` where there are none to be given. Without
    /// `columns` all of them must have the same keys.
    pub(super) fn payload(&self) -> Result<Option<Payload>> {
        let Some(body) = self.body.clone() else {
            return Ok(None);
        };
        let payload = body.into_payload()?;
        if self.query.columns.is_none() && !payload.uniform {
            return Err(ApiError::bad_request(
                "PGRST102",
                "All object keys must match",
            ));
        }
        Ok(Some(payload))
    }
}

/// `/<relation>` or `/rpc/<function>`.
fn target(path: &str) -> Result<Target> {
    let segments: Option<Vec<String>> = path
        .strip_prefix('/')
        .unwrap_or_default()
        .split('/')
        .map(decode)
        .collect();
    match segments.as_deref() {
        Some([name]) if !name.is_empty() => Ok(Target::Relation(name.clone())),
        Some([rpc, name]) if rpc == "rpc" && !name.is_empty() => Ok(Target::Function(name.clone())),
        _ => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "PGRST125",
            "Invalid path specified in request URL",
        )),
    }
}

/// A percent-encoded segment; `None` where it is no UTF-8.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| std::str::from_utf8(tail.get(..2)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).ok()
}

/// The exposed schema that the request picks.
fn schema(method: &Method, headers: &HeaderMap, config: &GatewayConfig) -> Result<String> {
    let header = match *method {
        Method::GET | Method::HEAD => "accept-profile",
        _ => "content-profile",
    };
    let Some(wanted) = headers.get(header).and_then(|value| value.to_str().ok()) else {
        return Ok(config.schemas.first().cloned().unwrap_or_default());
    };
    if config.schemas.iter().any(|schema| schema == wanted) {
        return Ok(wanted.to_owned());
    }
    Err(ApiError::new(
        StatusCode::NOT_ACCEPTABLE,
        "PGRST106",
        format!("Invalid schema: {wanted}"),
    )
    .hint(format!(
        "Only the following schemas are exposed: {}",
        config.schemas.join(", ")
    )))
}

fn action(method: &Method, target: Target) -> Result<(Action, String)> {
    match target {
        Target::Relation(name) => {
            let action = match *method {
                Method::GET | Method::HEAD => Action::Read,
                Method::POST => Action::Insert,
                Method::PATCH => Action::Update,
                Method::DELETE => Action::Delete,
                Method::OPTIONS => Action::Describe,
                _ => {
                    return Err(ApiError::new(
                        StatusCode::METHOD_NOT_ALLOWED,
                        "PGRST117",
                        format!("Unsupported HTTP method: {method}"),
                    ));
                }
            };
            Ok((action, name))
        }
        Target::Function(name) => {
            let action = match *method {
                Method::GET | Method::HEAD => Action::CallByGet,
                Method::POST => Action::CallByPost,
                Method::OPTIONS => Action::DescribeFunction,
                _ => {
                    return Err(ApiError::new(
                        StatusCode::METHOD_NOT_ALLOWED,
                        "PGRST101",
                        format!("Cannot use the {method} method on RPC"),
                    ));
                }
            };
            Ok((action, name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_one_relation_or_function() {
        let check = |path: &str, expected: Option<&str>| {
            let found = target(path).ok().map(|target| match target {
                Target::Relation(name) => name,
                Target::Function(name) => format!("{name}()"),
            });
            assert_eq!(found.as_deref(), expected, "{path}");
        };
        check("/t", Some("t"));
        check("/public.t", Some("public.t"));
        check("/a%20b%2Fc", Some("a b/c"));
        check("/100%", Some("100%"));
        check("/w%C3%A4rme", Some("wärme"));
        check("/rpc", Some("rpc"));
        check("/rpc/f", Some("f()"));
        check("", None);
        check("/", None);
        check("/t/", None);
        check("/rpc/", None);
        check("/a/b", None);
        check("/rpc/f/g", None);
        check("/%ff", None);
    }
}
