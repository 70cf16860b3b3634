//! `/api/status`: the public page, in all of its forms, and who is told of it.
//!
//! The database decides what is public and how each component is; here it becomes words,
//! pages and feeds. The page answers whatever happens to the database, and says how old its
//! figures are.

mod assets;
mod badge;
pub mod document;
mod feeds;
mod kept_copy;
pub mod outside_copy;
mod page;
mod place;
#[cfg(test)]
mod sample;
mod statuspage_api;
mod strip;
pub mod subscribers;
mod words;

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use outside::clock::{self, Deadline};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    app::App,
    auth::Visitor,
    endpoint::Route,
    handler::{Answer, Handler, Routes},
    hexadecimal::hexadecimal,
    media_type, own_reports,
    problem::Problem,
};
use document::Document;
use kept_copy::KeptCopy;
use place::{BadgeFormat, Place};

/// What a page of this endpoint may load and do.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types sw; \
     report-uri /api/reports; report-to ops";

/// How caches may keep what everybody sees: the network for half a minute, nobody else.
const FOR_READERS: &str = "public, max-age=0, must-revalidate";
const FOR_THE_NETWORK: &str = "public, s-maxage=30, stale-while-revalidate=60";

/// The same for badges, whose proxies keep what they are not told to drop.
const FOR_BADGES: &str = "public, max-age=60";

/// Where the page lies if nothing says so.
static NOWHERE: LazyLock<Option<Url>> = LazyLock::new(|| "http://localhost".parse().ok());

/// What answers `/api/status`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::STATUS, ShowsStatus::default()).and(Route::SUBSCRIBE, TakesSubscriptions)
}

/// Shows the page. Keeps the last one that it has seen.
#[derive(Debug, Default)]
struct ShowsStatus {
    kept: KeptCopy,
}

impl Handler<Visitor> for ShowsStatus {
    async fn handle(
        &self,
        app: &App,
        _: Visitor,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        if request.method() == Method::OPTIONS {
            return Ok(preflight());
        }
        let place = place::at(request.uri().path()).ok_or(NOTHING)?;
        if matches!(place, Place::Confirm | Place::Manage | Place::Unsubscribe) {
            return subscribers::show(app, &place, &request, deadline).await;
        }
        let document = self.kept.document(app, deadline).await;
        if !document.is_public {
            return Err(Problem::NotFound("there is no public status page"));
        }
        let shown = show(app, &place, &document)?;
        Ok(unless_known(shown, request.headers()))
    }
}

/// Takes what the forms of the page send.
#[derive(Debug)]
struct TakesSubscriptions;

impl Handler<Visitor> for TakesSubscriptions {
    async fn handle(
        &self,
        app: &App,
        _: Visitor,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let place = place::at(request.uri().path()).ok_or(NOTHING)?;
        if media_type::of(request.headers()).as_deref() != Some(media_type::FORM) {
            return Err(Problem::UnsupportedMediaType);
        }
        subscribers::act(app, &place, &request, deadline).await
    }
}

const NOTHING: Problem = Problem::NotFound("there is nothing at this address of the status page");

/// The origin under which the page is known.
fn base(app: &App) -> Url {
    let known = app.config.base_url.clone().or_else(|| NOWHERE.clone());
    #[expect(clippy::expect_used, reason = "the text is a URL, as a test asserts")]
    known.expect("a URL")
}

fn show(app: &App, place: &Place, document: &Document) -> Answer {
    let setting = page::Setting {
        base: None,
        second: app.config.status_copy_url.as_ref(),
        takes_subscribers: subscribers::are_taken(&app.config),
        push_key: subscribers::devices::push_key(&app.config),
        fresh_s: page::FRESH_S,
        now: clock::now(),
    };
    let known = |component: &Option<String>| match component {
        Some(id) if document.component(id).is_none() => Err(NOTHING),
        _ => Ok(()),
    };
    let response = match place {
        Place::Page => public(as_html(page::whole(document, &setting))),
        Place::Incident(id) => {
            let incident = document
                .incidents
                .iter()
                .find(|incident| incident.id == *id);
            let incident = incident.ok_or(NOTHING)?;
            public(as_html(page::one_incident(incident, document, &setting)))
        }
        Place::Document => {
            let text = serde_json::to_string(document).map_err(|_| Problem::Internal)?;
            open(public(as_text(media_type::JSON, text)))
        }
        Place::Feed(format, component) => {
            known(component)?;
            let (kind, text) = feeds::feed(document, &base(app), *format, component.as_deref());
            open(public(as_text(kind, text)))
        }
        Place::Badge(format, component) => {
            let component = component.as_deref();
            let response = match format {
                BadgeFormat::Picture => {
                    as_text("image/svg+xml", badge::picture(document, component))
                }
                BadgeFormat::Shields => as_text(
                    media_type::JSON,
                    badge::shields(document, component).to_string(),
                ),
            };
            let mut response = open(public(response));
            set(&mut response, header::CACHE_CONTROL, FOR_BADGES);
            response
        }
        Place::Api(path) => {
            let answer = statuspage_api::answer(document, &base(app), *path);
            open(public(as_text(media_type::JSON, answer.to_string())))
        }
        Place::Subscribe
        | Place::Confirm
        | Place::Manage
        | Place::Unsubscribe
        | Place::SubscribeDevice
        | Place::EndDevice => return Err(NOTHING),
    };
    Ok(response)
}

fn set(response: &mut Response<Bytes>, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

fn as_text(kind: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    set(&mut response, header::CONTENT_TYPE, kind);
    response
}

/// A page, with what it may load.
fn as_html(text: String) -> Response<Bytes> {
    let mut response = as_text("text/html; charset=utf-8", text);
    set(&mut response, header::CONTENT_SECURITY_POLICY, POLICY);
    // Some addresses hold a token.
    set(&mut response, header::REFERRER_POLICY, "no-referrer");
    own_reports::announce(response.headers_mut());
    response
}

/// What everybody sees alike, and caches may keep for a while.
fn public(mut response: Response<Bytes>) -> Response<Bytes> {
    set(&mut response, header::CACHE_CONTROL, FOR_READERS);
    for name in ["cdn-cache-control", "vercel-cdn-cache-control"] {
        set(
            &mut response,
            HeaderName::from_static(name),
            FOR_THE_NETWORK,
        );
    }
    let tag = hexadecimal(&Sha256::digest(response.body())[..12]);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What pages of any origin may read and show.
fn open(mut response: Response<Bytes>) -> Response<Bytes> {
    set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    let name = HeaderName::from_static("cross-origin-resource-policy");
    set(&mut response, name, "cross-origin");
    response
}

fn preflight() -> Response<Bytes> {
    let mut response = open(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    set(
        &mut response,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, HEAD",
    );
    set(
        &mut response,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "if-none-match",
    );
    set(&mut response, header::ACCESS_CONTROL_MAX_AGE, "86400");
    response
}

/// Nothing but headers for whoever has it already.
fn unless_known(mut response: Response<Bytes>, request: &HeaderMap) -> Response<Bytes> {
    let tag = response
        .headers()
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok());
    let asked = request
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok());
    let known = tag.zip(asked).is_some_and(|(tag, asked)| {
        let mut tags = asked.split(',').map(str::trim);
        asked.trim() == "*" || tags.any(|known| known.trim_start_matches("W/") == tag)
    });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Bytes::new();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_an_origin() {
        assert!(NOWHERE.is_some());
    }

    #[test]
    fn who_has_it_already_gets_no_body() {
        let answer = |asked: &str| {
            let mut request = HeaderMap::new();
            request.insert(header::IF_NONE_MATCH, asked.parse().unwrap());
            unless_known(public(as_text("text/plain", "x".to_owned())), &request)
        };
        let tag = answer("\"other\"").headers()[header::ETAG]
            .to_str()
            .unwrap()
            .to_owned();
        for (asked, status) in [
            (tag.as_str(), 304),
            (&format!("\"a\", W/{tag}"), 304),
            ("*", 304),
            ("\"other\"", 200),
        ] {
            assert_eq!(answer(asked).status(), status, "{asked}");
        }
    }
}
