//! Who hears of changes, by email or on a device: asking, confirming, changing and ending it,
//! and what is sent. Whatever acts is a button: those who look at links for others press none.

pub(super) mod devices;
mod mail;
mod news;
mod notification;
pub mod sending;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use outside::clock::Deadline;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    page::{self, choose},
    place::Place,
};
use crate::{
    app::App,
    auth::{
        self,
        subscriber_keys::{Purpose, SubscriberKeys, token_hash},
    },
    config::Config,
    handler::Answer,
    problem::Problem,
    rpc::{Call, Retry, RpcError},
    variables,
};

/// The longest address of mail.
const ADDRESS: usize = 254;

/// How many components somebody may choose at most.
const CHOICES: usize = 50;

#[derive(Debug, Serialize)]
struct Subscribe {
    p_id: Uuid,
    p_kind: &'static str,
    p_address_hash: String,
    p_address: String,
    p_components: Vec<String>,
    p_confirm_hash: String,
    p_client: String,
    p_environment: &'static str,
}

#[derive(Debug, Deserialize)]
struct Asked {
    outcome: AskOutcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AskOutcome {
    /// What is due to the address will be done.
    Taken,
    /// The client asks too often, or everybody together does.
    Limited,
}

impl Call for Subscribe {
    const NAME: &'static str = "ops_subscribe";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Asked;
}

#[derive(Debug, Serialize)]
struct Confirm {
    p_hash: String,
}

#[derive(Debug, Deserialize)]
struct Confirmed {
    subscriber: Option<Uuid>,
}

impl Call for Confirm {
    const NAME: &'static str = "ops_confirm_subscription";
    // A second answer would say that the token was used.
    const RETRY: Retry = Retry::Never;
    type Output = Confirmed;
}

#[derive(Debug, Serialize)]
struct Show {
    p_id: Uuid,
    p_environment: &'static str,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    is_active: bool,
    components: Vec<String>,
    known: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    id: String,
    name: String,
}

impl Call for Show {
    const NAME: &'static str = "ops_show_subscription";
    const RETRY: Retry = Retry::Read;
    type Output = Shown;
}

#[derive(Debug, Serialize)]
struct Change {
    p_id: Uuid,
    p_components: Vec<String>,
    p_environment: &'static str,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    is_active: bool,
}

impl Call for Change {
    const NAME: &'static str = "ops_change_subscription";
    // The same again changes nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Changed;
}

#[derive(Debug, Serialize)]
struct End {
    p_id: Uuid,
}

#[derive(Debug, Deserialize)]
struct Ended {
    /// What it was reached by; nothing where that is asked for by what it is.
    kind: Option<Kind>,
}

/// What a subscriber is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// An address of mail.
    Email,
    /// A device.
    Push,
}

impl Call for End {
    const NAME: &'static str = "ops_end_subscription";
    // The same again changes nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Ended;
}

/// Whether mail can be sent to subscribers: there is a sender, a key for their addresses and
/// an address that links lead to.
pub(super) fn are_taken(config: &Config) -> bool {
    config.mailer.is_some() && config.monitoring_api_key.is_some() && config.base_url.is_some()
}

/// The keys, where subscriptions of any kind are taken.
fn keys(config: &Config) -> Result<SubscriberKeys, Problem> {
    let key: Option<&SecretString> = config.monitoring_api_key.as_ref();
    key.filter(|_| are_taken(config) || devices::push_key(config).is_some())
        .and_then(SubscriberKeys::new)
        .ok_or(Problem::Unavailable("subscriptions are not set up"))
}

fn environment(app: &App) -> &'static str {
    app.config.deployment.environment.as_str()
}

/// Every field of a form or a query under a name.
fn fields(form: &[u8], name: &str) -> Vec<String> {
    form_urlencoded::parse(form)
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .take(CHOICES)
        .collect()
}

fn field(form: &[u8], name: &str) -> String {
    fields(form, name).pop().unwrap_or_default()
}

/// The token of a request: in its form, or in the link that a mail client calls.
fn token(request: &Request<Bytes>) -> String {
    let sent = field(request.body(), "token");
    if sent.is_empty() {
        field(
            request.uri().query().unwrap_or_default().as_bytes(),
            "token",
        )
    } else {
        sent
    }
}

/// Shows what a link would do. It asks nothing of the database but what there is to choose.
pub(super) async fn show(
    app: &App,
    place: &Place,
    request: &Request<Bytes>,
    deadline: Deadline,
) -> Answer {
    let keys = keys(&app.config)?;
    let token = token(request);
    let button = |path: &str, text: &str| {
        format!(
            "<form method=\"post\" action=\"{path}\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
             <p><button type=\"submit\">{text}</button></p></form>\n",
            page::html(&token)
        )
    };
    match place {
        Place::Confirm if keys.named(Purpose::Confirm, &token).is_some() => Ok(note(
            StatusCode::OK,
            "Do you want to be told?",
            &button("/status/confirm", "Yes, tell me by email"),
        )),
        Place::Unsubscribe if keys.named(Purpose::Manage, &token).is_some() => Ok(note(
            StatusCode::OK,
            "Do you want to hear no more?",
            &button("/status/unsubscribe", "Unsubscribe"),
        )),
        Place::Manage => match keys.named(Purpose::Manage, &token) {
            Some(id) => {
                let call = Show {
                    p_id: id,
                    p_environment: environment(app),
                };
                let shown = app
                    .call(&call, deadline)
                    .await
                    .map_err(|error| away(&error))?;
                Ok(manage(&shown, &token, ""))
            }
            None => Ok(invalid()),
        },
        _ => Ok(invalid()),
    }
}

/// Does what a button says.
pub(super) async fn act(
    app: &App,
    place: &Place,
    request: &Request<Bytes>,
    deadline: Deadline,
) -> Answer {
    let keys = keys(&app.config)?;
    match place {
        Place::Subscribe => subscribe(app, &keys, request, deadline).await,
        Place::SubscribeDevice => devices::subscribe(app, request, deadline).await,
        Place::EndDevice => devices::end(app, request, deadline).await,
        Place::Confirm => confirm(app, &keys, &token(request), deadline).await,
        Place::Manage => change(app, &keys, request, deadline).await,
        Place::Unsubscribe => end(app, &keys, &token(request), deadline).await,
        _ => Err(Problem::NotFound("there is nothing to send here")),
    }
}

async fn subscribe(
    app: &App,
    keys: &SubscriberKeys,
    request: &Request<Bytes>,
    deadline: Deadline,
) -> Answer {
    if !are_taken(&app.config) {
        return Err(Problem::Unavailable(
            "subscriptions by email are not set up",
        ));
    }
    let Some(address) = address(&field(request.body(), "email")) else {
        return Ok(note(
            StatusCode::BAD_REQUEST,
            "That is not an email address",
            "<p>Go back and write it once more.</p>\n",
        ));
    };
    let hash = keys.hash("email", &address);
    let sealed = keys.seal(&address, &hash).ok_or(Problem::Internal)?;
    let id = Uuid::new_v4();
    let call = Subscribe {
        p_id: id,
        p_kind: "email",
        p_address_hash: hash,
        p_address: sealed,
        p_components: fields(request.body(), "component"),
        p_confirm_hash: token_hash(&keys.token(Purpose::Confirm, id)),
        p_client: client(keys, request),
        p_environment: environment(app),
    };
    match app
        .call(&call, deadline)
        .await
        .map_err(|error| away(&error))?
        .outcome
    {
        AskOutcome::Taken => Ok(note(
            StatusCode::OK,
            "Look into your mail",
            "<p>If that address can be written to, it is asked within a few minutes whether it wants to hear. Nothing else is \
             sent before somebody says yes there.</p>\n<p>An address is asked once a day at most.</p>\n",
        )),
        AskOutcome::Limited => Ok(note(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests",
            "<p>Try again in an hour.</p>\n",
        )),
    }
}

/// Who asks, as the database counts them.
fn client(keys: &SubscriberKeys, request: &Request<Bytes>) -> String {
    let mut client = keys.hash("client", &auth::client_of(request));
    client.truncate(32);
    client
}

/// An address that mail can be sent to, and to nobody else.
fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = text.len() <= ADDRESS && !text.contains(['<', '>', ',', ';', '"', '(', ')', '\\']);
    plain.then(|| variables::address(text).ok()).flatten()
}

async fn confirm(app: &App, keys: &SubscriberKeys, token: &str, deadline: Deadline) -> Answer {
    if keys.named(Purpose::Confirm, token).is_none() {
        return Ok(invalid());
    }
    let call = Confirm {
        p_hash: token_hash(token),
    };
    let confirmed = app
        .call(&call, deadline)
        .await
        .map_err(|error| away(&error))?;
    let Some(id) = confirmed.subscriber else {
        return Ok(note(
            StatusCode::GONE,
            "This link was used before, or is too old",
            "<p>If you have said yes before, you are subscribed. Else ask once more on the <a href=\"/status\">status page</a>.</p>\n",
        ));
    };
    let manage = keys.token(Purpose::Manage, id);
    Ok(note(
        StatusCode::OK,
        "You will be told",
        &format!(
            "<p><a href=\"/status/manage?token={manage}\">Choose what you hear of, or unsubscribe</a></p>\n"
        ),
    ))
}

async fn change(
    app: &App,
    keys: &SubscriberKeys,
    request: &Request<Bytes>,
    deadline: Deadline,
) -> Answer {
    let token = token(request);
    let Some(id) = keys.named(Purpose::Manage, &token) else {
        return Ok(invalid());
    };
    let call = Change {
        p_id: id,
        p_components: fields(request.body(), "component"),
        p_environment: environment(app),
    };
    let Changed { is_active } = app
        .call(&call, deadline)
        .await
        .map_err(|error| away(&error))?;
    let call = Show {
        p_id: id,
        p_environment: environment(app),
    };
    let shown = app
        .call(&call, deadline)
        .await
        .map_err(|error| away(&error))?;
    let done = if is_active {
        "<p role=\"status\">Kept.</p>\n"
    } else {
        ""
    };
    Ok(manage(&shown, &token, done))
}

async fn end(app: &App, keys: &SubscriberKeys, token: &str, deadline: Deadline) -> Answer {
    let Some(id) = keys.named(Purpose::Manage, token) else {
        return Ok(invalid());
    };
    let ended = app.call(&End { p_id: id }, deadline).await;
    let body = match ended.map_err(|error| away(&error))?.kind {
        // The page's script has the browser forget it too.
        Some(Kind::Push) => format!(
            "<p data-push-ended>Where the device is reached is erased.</p>\n{}",
            page::script()
        ),
        Some(Kind::Email) | None => "<p>Your address is erased.</p>\n".to_owned(),
    };
    Ok(note(StatusCode::OK, "You hear no more", &body))
}

fn manage(shown: &Shown, token: &str, done: &str) -> Response<Bytes> {
    if !shown.is_active {
        return note(
            StatusCode::OK,
            "This subscription has ended",
            "<p>Its address is erased. You can subscribe again on the <a href=\"/status\">status page</a>.</p>\n",
        );
    }
    let choices = shown.known.iter().map(|choice| {
        let chosen = shown.components.contains(&choice.id);
        (choice.id.as_str(), choice.name.as_str(), chosen)
    });
    let token = page::html(token);
    let hidden = format!("<input type=\"hidden\" name=\"token\" value=\"{token}\">");
    note(
        StatusCode::OK,
        "What you hear of",
        &format!(
            "{done}<form method=\"post\" action=\"/status/manage\">{hidden}\n{}<p><button type=\"submit\">Keep this</button></p></form>\n\
             <form method=\"post\" action=\"/status/unsubscribe\">{hidden}<p><button type=\"submit\">Unsubscribe</button></p></form>\n",
            choose(choices)
        ),
    )
}

fn invalid() -> Response<Bytes> {
    note(
        StatusCode::UNAUTHORIZED,
        "This link is not valid",
        "<p>It may have been cut off. Copy it whole from the message.</p>\n",
    )
}

fn note(status: StatusCode, title: &str, body: &str) -> Response<Bytes> {
    let mut response = super::as_html(page::note("", title, body));
    *response.status_mut() = status;
    response
}

fn away(error: &RpcError) -> Problem {
    tracing::error!(%error, "nothing can be done about a subscription");
    Problem::Unavailable("subscriptions cannot be changed right now; try again later")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address_and_nothing_else() {
        for (text, expected) in [
            (" anna@wine.example ", Some("anna@wine.example")),
            ("a+b@wine.example", Some("a+b@wine.example")),
            ("Anna <anna@wine.example>", None),
            ("a@b.example,c@d.example", None),
            ("a@b.example\nBcc: c@d.example", None),
            ("anna", None),
            ("", None),
        ] {
            assert_eq!(address(text).as_deref(), expected, "{text}");
        }
        assert_eq!(address(&format!("{}@wine.example", "a".repeat(250))), None);
    }
}
