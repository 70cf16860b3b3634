//! `/api/alerts/acknowledge`: what people do about alerts.
//!
//! A link in a message shows a page by GET and acts by POST, for mail scanners
//! follow links and press no buttons. Operators and admins post JSON. What is
//! done, and whether a link may still do it, is decided in the database.

mod document;
mod link;
mod page;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

pub use document::Action;
use document::Filled;
pub(super) use link::Signer;
use link::{Grant, LinkAction};
use page::Page;

use crate::{
    app::{self, Answer, App},
    auth::{self, Caller, ClientAddress, Proof},
    clock::{self, Deadline},
    problem::Problem,
    rpc::{Call, Retry, RpcError},
};

/// The SQLSTATE with which the database refuses what makes no sense.
const INVALID_PARAMETER_VALUE: &str = "22023";

/// Does one thing about an alert.
#[derive(Debug, Serialize)]
pub struct ActOnAlert {
    /// Made by the caller, so that a lost answer can be asked for again.
    pub p_request: Uuid,
    /// Which alert.
    pub p_alert: Uuid,
    /// What.
    pub p_action: Action,
    /// Until when, for what ends by itself.
    pub p_until: Option<Timestamp>,
    /// Why, or what else there is to say.
    pub p_note: Option<String>,
    /// Who.
    pub p_actor: String,
    /// The link that was used, if it was one.
    pub p_link: Option<LinkUse>,
}

/// A link that acts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkUse {
    message: Uuid,
    expires_at: Timestamp,
}

/// What came of it.
#[derive(Debug, Deserialize)]
pub struct Acted {
    /// Whether it was done.
    pub outcome: ActOutcome,
    /// The alert as it is now; null if there is none.
    pub alert: Value,
}

/// What can come of an action, or would of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActOutcome {
    /// The link may act.
    Ready,
    /// It was done.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// There is no such alert.
    Unknown,
    /// The link has acted before.
    Used,
    /// The link's time is over.
    Expired,
    /// The alert is over.
    Resolved,
}

impl Call for ActOnAlert {
    const NAME: &'static str = "ops_act_on_alert";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Acted;
}

#[derive(Debug, Serialize)]
struct ShowLink {
    p_alert: Uuid,
    p_message: Uuid,
    p_action: &'static str,
    p_expires_at: Timestamp,
}

impl Call for ShowLink {
    const NAME: &'static str = "ops_show_link";
    const RETRY: Retry = Retry::Read;
    type Output = Acted;
}

/// `/api/alerts/acknowledge`: GET shows what a link would do, POST does it.
///
/// # Errors
/// 401, 403, 429 or 503 if the caller is not who may do this, 400 and 415 if
/// the body is not what it should be, 404 for an alert that is not there, and
/// 503 if the database cannot be asked.
pub fn handle(app: &App, request: Request<Bytes>, deadline: Deadline) -> Answer<'_> {
    Box::pin(respond(app, request, deadline))
}

async fn respond(
    app: &App,
    request: Request<Bytes>,
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    let client = request.extensions().get::<ClientAddress>();
    if request.method() == Method::GET {
        let token = document::token(request.uri().query().unwrap_or_default());
        return match grant(app, &token, client)? {
            Some(grant) => show(app, &grant, &token, deadline).await,
            None => Ok(Page::Invalid.response()),
        };
    }
    match content_type(request.headers()) {
        Some("application/x-www-form-urlencoded") => {
            let filled = document::parse_form(request.body());
            match grant(app, &filled.token, client)? {
                Some(grant) => follow(app, &grant, filled, deadline).await,
                None => Ok(Page::Invalid.response()),
            }
        }
        Some("application/json") => {
            let proofs = [Proof::ApiKey, Proof::AdminToken];
            let caller = auth::require(app, request.headers(), client, &proofs, deadline).await?;
            act(app, &caller, request.body(), deadline).await
        }
        _ => Err(Problem::UnsupportedMediaType),
    }
}

/// What a token grants; one that is there and wrong counts as a wrong proof.
fn grant(app: &App, token: &str, client: Option<&ClientAddress>) -> Result<Option<Grant>, Problem> {
    let Some(key) = &app.config.monitoring_api_key else {
        tracing::error!("MONITORING_API_KEY is not set: links in messages stay closed");
        return Err(Problem::Unavailable("links are not configured"));
    };
    let granted = Signer::new(key).verify(token);
    if granted.is_some() || token.is_empty() {
        return Ok(granted);
    }
    match app.limiter.count(client) {
        Some(retry_after) => Err(Problem::TooManyRequests { retry_after }),
        None => Ok(None),
    }
}

async fn show(
    app: &App,
    grant: &Grant,
    token: &str,
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    let call = ShowLink {
        p_alert: grant.alert,
        p_message: grant.message,
        p_action: grant.action.as_str(),
        p_expires_at: grant.expires_at,
    };
    let shown = app
        .call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))?;
    Ok(page(&shown, grant.action, token).response())
}

async fn follow(
    app: &App,
    grant: &Grant,
    filled: Filled,
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    let (action, until) = match grant.action {
        LinkAction::Acknowledge => (Action::Acknowledge, None),
        LinkAction::Snooze => (Action::Snooze, filled.snoozed_until(clock::now())),
    };
    let call = ActOnAlert {
        p_request: Uuid::new_v4(),
        p_alert: grant.alert,
        p_action: action,
        p_until: until,
        p_note: filled.note,
        p_actor: filled
            .name
            .map_or_else(|| "a link".to_owned(), |name| format!("{name} (by a link)")),
        p_link: Some(LinkUse {
            message: grant.message,
            expires_at: grant.expires_at,
        }),
    };
    let acted = app
        .call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))?;
    tracing::info!(alert = %grant.alert, action = grant.action.as_str(), outcome = ?acted.outcome, "a link was used");
    Ok(page(&acted, grant.action, &filled.token).response())
}

fn page<'a>(Acted { outcome, alert }: &'a Acted, action: LinkAction, token: &'a str) -> Page<'a> {
    match outcome {
        ActOutcome::Ready => Page::Ask {
            alert,
            action,
            token,
        },
        ActOutcome::Done => Page::Done { alert },
        ActOutcome::Unchanged | ActOutcome::Resolved => Page::Resolved { alert },
        ActOutcome::Used => Page::Used { alert },
        ActOutcome::Expired => Page::Expired { alert },
        ActOutcome::Unknown => Page::Invalid,
    }
}

async fn act(
    app: &App,
    caller: &Caller,
    body: &[u8],
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    let asked = document::parse(body).map_err(Problem::BadRequest)?;
    let call = ActOnAlert {
        p_request: Uuid::new_v4(),
        p_alert: asked.alert_id,
        p_action: asked.action,
        p_until: asked.until,
        p_note: asked.note,
        p_actor: match caller {
            Caller::Admin(admin) => format!("admin {}", admin.subject),
            Caller::Operator | Caller::Cron => caller.as_str().to_owned(),
        },
        p_link: None,
    };
    let Acted { outcome, alert } = app
        .call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))?;
    if outcome == ActOutcome::Unknown {
        return Err(Problem::NotFound("there is no such alert"));
    }
    app::json(
        StatusCode::OK,
        &json!({ "outcome": outcome, "alert": alert }),
    )
}

fn refusal(error: &RpcError) -> Problem {
    match error {
        RpcError::Refused { code, message, .. } if code == INVALID_PARAMETER_VALUE => {
            Problem::BadRequest(message.clone())
        }
        RpcError::Unconfigured => Problem::Unavailable("the database is not configured"),
        RpcError::Refused { .. } | RpcError::Unreachable(_) | RpcError::Garbage { .. } => {
            tracing::error!(%error, "nothing can be done about an alert");
            Problem::Unavailable("the database cannot be asked now; try again")
        }
    }
}

/// The type of a body, without its parameters.
fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}
