//! The copy of the page that lies with another provider, so that it can be read while this
//! deployment, its platform or its database is away. It is written on every change and every
//! five minutes, under the addresses that the page has here.

use backup::store::Store;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use outside::clock::{self, Deadline};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::{
    assets, badge,
    document::{Document, ReadStatus, Trust},
    feeds, page,
    place::{ApiPath, Format},
    statuspage_api,
};
use crate::{
    app::App,
    config::StatusCopy,
    hexadecimal::hexadecimal,
    media_type,
    rpc::{Call, Retry, RpcError},
};

/// Where the document lies in the copy.
pub(super) const DOCUMENT: &str = "status/status.json";

/// The one copy that there is.
const PLACE: &str = "main";

/// How caches may keep what changes, and what never does.
const CHANGES: &str = "public, max-age=30";
const STAYS: &str = "public, max-age=31536000, immutable";

/// The types of pages and of what programs read.
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = media_type::JSON;

/// How many files are written at once.
const AT_ONCE: usize = 8;

#[derive(Debug, Serialize)]
struct ClaimCopy<'a> {
    p_place: &'static str,
    p_fingerprint: &'a str,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claimed {
    is_due: bool,
}

impl Call for ClaimCopy<'_> {
    const NAME: &'static str = "ops_claim_status_copy";
    // Who asks again is told that somebody is at it: the next run writes it.
    const RETRY: Retry = Retry::Never;
    type Output = Claimed;
}

#[derive(Debug, Serialize)]
struct SettleCopy<'a> {
    p_place: &'static str,
    p_fingerprint: &'a str,
    p_is_written: bool,
}

#[derive(Debug, Deserialize)]
struct Settled {
    tell: Option<Told>,
}

impl Call for SettleCopy<'_> {
    const NAME: &'static str = "ops_settle_status_copy";
    const RETRY: Retry = Retry::Never;
    type Output = Settled;
}

/// What is to be told of the copy, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Told {
    /// It cannot be written.
    Failing,
    /// It can again.
    Recovered,
}

/// A file of the copy.
struct File {
    path: String,
    content_type: &'static str,
    cache: &'static str,
    bytes: Bytes,
}

/// Writes the copy if it is wanted and due. A failure is a warning and what is returned, never
/// more.
pub async fn write(app: &App, deadline: Deadline) -> Option<Told> {
    let copy = app.config.status_copy.as_ref()?;
    match write_if_due(app, copy, deadline).await {
        Ok(told) => told,
        Err(error) => {
            tracing::warn!(%error, "the copy of the status page waits for the next run");
            None
        }
    }
}

async fn write_if_due(
    app: &App,
    copy: &StatusCopy,
    deadline: Deadline,
) -> Result<Option<Told>, RpcError> {
    let call = ReadStatus {
        p_environment: app.config.deployment.environment.as_str(),
    };
    let document = app.call(&call, deadline).await?;
    let fingerprint = fingerprint(&document);
    let claim = ClaimCopy {
        p_place: PLACE,
        p_fingerprint: &fingerprint,
    };
    if !document.is_public || !app.call(&claim, deadline).await?.is_due {
        return Ok(None);
    }
    let written = tokio::time::timeout(deadline.remaining(), put(app, copy, &document)).await;
    let failure = match written {
        Ok(Ok(())) => None,
        Ok(Err(reason)) => Some(reason),
        Err(_) => Some("there was no time left".to_owned()),
    };
    if let Some(reason) = &failure {
        tracing::warn!(reason, "the copy of the status page cannot be written");
    }
    let settle = SettleCopy {
        p_place: PLACE,
        p_fingerprint: &fingerprint,
        p_is_written: failure.is_none(),
    };
    let deadline = deadline.or_at_least(std::time::Duration::from_secs(2));
    Ok(app.call(&settle, deadline).await?.tell)
}

/// What tells two pages apart, beside the time and the seconds that pass by themselves.
fn fingerprint(document: &Document) -> String {
    let mut shown = document.clone();
    shown.generated_at = jiff::Timestamp::UNIX_EPOCH;
    shown.last_look_at = None;
    shown.trust = Trust::default();
    for component in &mut shown.components {
        component.updated_at = component.created_at;
        let days = &mut component.days;
        for list in [
            &mut days.up,
            &mut days.down,
            &mut days.unknown,
            &mut days.maintenance,
        ] {
            list.clear();
        }
        (days.percent, days.lower, days.upper, days.coverage) = (None, None, None, None);
    }
    let text = serde_json::to_vec(&shown).unwrap_or_default();
    hexadecimal(&Sha256::digest(text))
}

async fn put(app: &App, copy: &StatusCopy, document: &Document) -> Result<(), String> {
    let store = Store::open(copy.url.as_str(), copy.credentials.as_ref(), &app.outbound)
        .map_err(|error| error.to_string())?;
    let writes = files(app, document).into_iter().map(|file| {
        let store = &store;
        async move {
            store
                .put_served(&file.path, &file.bytes, file.content_type, file.cache)
                .await
                .map_err(|error| error.to_string())
        }
    });
    stream::iter(writes)
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

fn files(app: &App, document: &Document) -> Vec<File> {
    let base = super::base(app);
    let setting = page::Setting {
        base: Some(&base),
        second: None,
        // The form leads to where subscriptions are taken.
        takes_subscribers: super::subscribers::are_taken(&app.config),
        // A browser subscribes at the page that sends, and nowhere else.
        push_key: None,
        fresh_s: page::FRESH_COPY_S,
        now: clock::now(),
    };
    let file = |path: &str, content_type, text: String| File {
        path: path.to_owned(),
        content_type,
        cache: CHANGES,
        bytes: text.into(),
    };
    let whole = with_policy(&page::whole(document, &setting), &base);
    let mut files = vec![
        file("index.html", HTML, whole.clone()),
        file("status/index.html", HTML, whole),
        file(DOCUMENT, JSON, json(document)),
        file(
            "status/badge.svg",
            "image/svg+xml",
            badge::picture(document, None),
        ),
        file(
            "status/badge.json",
            JSON,
            badge::shields(document, None).to_string(),
        ),
    ];
    for incident in &document.incidents {
        let text = page::one_incident(incident, document, &setting);
        files.push(file(
            &format!("status/incidents/{}/index.html", incident.id),
            HTML,
            with_policy(&text, &base),
        ));
    }
    for format in [Format::Atom, Format::Rss, Format::Json, Format::Calendar] {
        let (content_type, text) = feeds::feed(document, &base, format, None);
        files.push(file(
            format.path(None).trim_start_matches('/'),
            content_type,
            text,
        ));
    }
    for (path, name) in ApiPath::ALL {
        let text = statuspage_api::answer(document, &base, path).to_string();
        files.push(file(&format!("api/v2/{name}"), JSON, text));
    }
    files.extend(assets::FILES.map(|(path, content_type, text)| File {
        path: path.trim_start_matches('/').to_owned(),
        content_type,
        cache: STAYS,
        bytes: Bytes::from_static(text.as_bytes()),
    }));
    files
}

fn json(document: &Document) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

/// A bucket sends no headers of ours, so the page itself says what it may load. What it is
/// made of lies beside it.
fn with_policy(html: &str, base: &Url) -> String {
    let origin = base.origin().ascii_serialization();
    let policy = format!(
        "<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src \
         'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action {origin}; base-uri 'none'; \
         require-trusted-types-for 'script'; trusted-types sw\">"
    );
    html.replacen("<meta charset=\"utf-8\">", &policy, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{document::State, sample};

    #[test]
    fn time_that_passes_by_itself_is_no_change() {
        let mut document = sample::document(&[State::Operational]);
        let before = fingerprint(&document);
        document.generated_at = "2026-11-24T10:11:00Z".parse().unwrap();
        document.last_look_at = "2026-11-24T10:10:30Z".parse().ok();
        document.components[0].days.up[89] = Some(1);
        assert_eq!(fingerprint(&document), before);
        document.components[0].state = State::Degraded;
        assert_ne!(fingerprint(&document), before);
    }
}
