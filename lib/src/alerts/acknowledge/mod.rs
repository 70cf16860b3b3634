//! `/api/alerts/acknowledge`: what people do about alerts.
//!
//! A link in a message shows a page by GET and acts by POST, for mail scanners
//! follow links and press no buttons. Operators and people who are signed in post JSON, about
//! alerts and about incidents. Providers of
//! channels call back with what people answered there. What is done, and whether a
//! link may still do it, is decided in the database.

pub(super) mod answer_links;
mod link_page;
mod provider_answers;
mod remembered_name;
mod requested_action;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use link_page::Page;
pub use requested_action::{Action, IncidentAction, Selection};
use requested_action::{Asked, AskedOfIncident, Filled, Requested, Scope, Wanted};

use crate::{
    app::App,
    auth::{
        Answerer, Link, Person,
        roles::Role,
        signed_link::{Grant, LinkAction, Signer},
    },
    endpoint::Route,
    handler::{self, Answer, Handler, Routes},
    problem::Problem,
    rpc::{Call, INVALID_PARAMETER_VALUE, Retry, RpcError},
};
use outside::clock::{self, Deadline};

/// The SQLSTATE with which it refuses what a role does not allow.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

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
    /// The role of a person who is signed in, which has to allow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_role: Option<Role>,
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

/// Does one thing about many alerts.
#[derive(Debug, Serialize)]
pub struct ActOnAlerts {
    /// Made by the caller, so that a lost answer can be asked for again.
    pub p_request: Uuid,
    /// Which alerts.
    pub p_select: Selection,
    /// What.
    pub p_action: Action,
    /// From when on, of a silence.
    pub p_from: Option<Timestamp>,
    /// Until when, for what ends by itself.
    pub p_until: Option<Timestamp>,
    /// Why, or what else there is to say.
    pub p_note: Option<String>,
    /// Who.
    pub p_actor: String,
    /// The role of a person who is signed in, which has to allow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_role: Option<Role>,
}

/// Does one thing about an incident.
#[derive(Debug, Serialize)]
pub struct ActOnIncident {
    /// Made by the caller, so that a lost answer can be asked for again.
    pub p_request: Uuid,
    /// Which incident.
    pub p_incident: Uuid,
    /// What.
    pub p_action: IncidentAction,
    /// Until when, for what ends by itself.
    pub p_until: Option<Timestamp>,
    /// Why, or what else there is to say.
    pub p_note: Option<String>,
    /// Who.
    pub p_actor: String,
    /// The role of a person who is signed in, which has to allow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_role: Option<Role>,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct ActedOnIncident {
    /// Whether it was done.
    pub outcome: ActOutcome,
    /// The incident as it is now; null if there is none.
    pub incident: Value,
}

impl Call for ActOnIncident {
    const NAME: &'static str = "ops_act_on_incident";
    const RETRY: Retry = Retry::Idempotent;
    type Output = ActedOnIncident;
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct ActedOnMany {
    /// The alerts about which it was done.
    pub acted: Vec<Uuid>,
    /// The silence, if it was one.
    pub silence: Value,
}

impl Call for ActOnAlerts {
    const NAME: &'static str = "ops_act_on_alerts";
    const RETRY: Retry = Retry::Idempotent;
    type Output = ActedOnMany;
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

/// What answers `/api/alerts/acknowledge`: GET shows what a link would do, POST
/// does it.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::SHOW_LINK, ShowsLinks).and(Route::ANSWER, AnswersAlerts)
}

/// Answers 503 if the database cannot be asked.
#[derive(Debug)]
struct ShowsLinks;

impl Handler<Link> for ShowsLinks {
    async fn handle(
        &self,
        app: &App,
        Link { token, grant }: Link,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        match grant {
            Some(grant) => show(app, &grant, &token, request.headers(), deadline).await,
            None => Ok(Page::Invalid.response()),
        }
    }
}

/// Answers 400 if the body is not what it should be, 404 for an alert that is not
/// there, and 503 if the database cannot be asked.
#[derive(Debug)]
struct AnswersAlerts;

impl Handler<Answerer> for AnswersAlerts {
    async fn handle(
        &self,
        app: &App,
        answerer: Answerer,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        match answerer {
            Answerer::Provider(channel, called_back) => {
                provider_answers::take(app, channel, called_back, deadline).await
            }
            Answerer::Person(person) => act(app, &person, request.body(), deadline).await,
            Answerer::Link(Link { grant: None, .. }) => Ok(Page::Invalid.response()),
            Answerer::Link(Link {
                grant: Some(grant), ..
            }) => {
                let filled = requested_action::parse_form(request.body());
                follow(app, &grant, filled, deadline).await
            }
        }
    }
}

async fn show(
    app: &App,
    grant: &Grant,
    token: &str,
    headers: &HeaderMap,
    deadline: Deadline,
) -> Answer {
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
    let name = remembered_name::of(headers);
    let other = other_link(app, grant);
    let page = match page(&shown) {
        Some(page) => page,
        None => Page::Ask {
            alert: &shown.alert,
            action: grant.action,
            token,
            other: other.as_deref(),
            name: name.as_deref(),
        },
    };
    Ok(page.response())
}

/// The token by which the same message lets its reader do the other thing.
fn other_link(app: &App, grant: &Grant) -> Option<String> {
    let signer = app.config.monitoring_api_key.as_ref().map(Signer::new)?;
    let action = match grant.action {
        LinkAction::Acknowledge => LinkAction::Snooze,
        LinkAction::Snooze => LinkAction::Acknowledge,
    };
    Some(signer.sign(&Grant { action, ..*grant }))
}

async fn follow(app: &App, grant: &Grant, filled: Filled, deadline: Deadline) -> Answer {
    let now = clock::now();
    let remember = remembered_name::cookie(filled.name.as_deref(), app.config.base_url.as_ref());
    let (action, until) = match grant.action {
        LinkAction::Acknowledge => (Action::Acknowledge, None),
        LinkAction::Snooze => (Action::Snooze, filled.snoozed_until(now)),
    };
    let begins_at = filled.begins_at(now);
    let call = ActOnAlert {
        p_request: Uuid::new_v4(),
        p_alert: grant.alert,
        p_action: action,
        p_until: until,
        p_note: filled.note,
        // The database puts a name in the place of somebody, where the message addresses
        // one person alone.
        p_actor: format!(
            "{} (by a link)",
            filled.name.as_deref().unwrap_or("somebody")
        ),
        p_link: Some(LinkUse {
            message: grant.message,
            expires_at: grant.expires_at,
        }),
        p_role: None,
    };
    let acted = app
        .call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))?;
    if acted.outcome == ActOutcome::Done
        && let Some(others) = beyond(&call, filled.scope, begins_at, &acted.alert)
    {
        app.call(&others, deadline)
            .await
            .map_err(|error| refusal(&error))?;
    }
    tracing::info!(alert = %grant.alert, action = grant.action.as_str(), outcome = ?acted.outcome, "a link was used");
    // An action never leaves a link ready.
    let page = page(&acted).unwrap_or(Page::Invalid);
    let mut response = page.response();
    response.headers_mut().insert(header::SET_COOKIE, remember);
    Ok(response)
}

/// What is done beyond the alert of a link, where its reader chose more than that.
fn beyond(
    one: &ActOnAlert,
    scope: Scope,
    begins_at: Option<Timestamp>,
    alert: &Value,
) -> Option<ActOnAlerts> {
    let facts = &alert["facts"];
    let matching = |field: &str| {
        let wanted = facts[field].as_str()?;
        let fields = [(field.to_owned(), Value::from(wanted))];
        Some(Selection::Match(fields.into_iter().collect()))
    };
    let (select, action) = match scope {
        Scope::Alert => return None,
        Scope::Incident => (
            Selection::Incident(facts["incident"].as_u64()?),
            one.p_action,
        ),
        Scope::Rule => (matching("rule")?, Action::Silence),
        Scope::Service => (matching("service")?, Action::Silence),
    };
    let silences = action == Action::Silence;
    let reason = || format!("by the link of an alert, {}", one.p_actor);
    Some(ActOnAlerts {
        p_request: Uuid::new_v4(),
        p_select: select,
        p_action: action,
        p_from: begins_at.filter(|_| silences),
        p_until: one.p_until,
        p_note: one.p_note.clone().or_else(|| silences.then(reason)),
        p_actor: one.p_actor.clone(),
        p_role: None,
    })
}

/// What is shown of a link that acts no more; nothing of one that may act.
fn page(Acted { outcome, alert }: &Acted) -> Option<Page<'_>> {
    Some(match outcome {
        ActOutcome::Ready => return None,
        ActOutcome::Done => Page::Done { alert },
        ActOutcome::Unchanged | ActOutcome::Resolved => Page::Resolved { alert },
        ActOutcome::Used => Page::Used { alert },
        ActOutcome::Expired => Page::Expired { alert },
        ActOutcome::Unknown => Page::Invalid,
    })
}

async fn act(app: &App, person: &Person, body: &[u8], deadline: Deadline) -> Answer {
    match requested_action::parse(body).map_err(Problem::BadRequest)? {
        Requested::OfIncident(asked) => act_on_incident(app, person, asked, deadline).await,
        Requested::OfAlerts(asked) => match asked.wanted().map_err(Problem::BadRequest)? {
            Wanted::One(alert) => act_on_alert(app, person, alert, asked, deadline).await,
            Wanted::Many(select) => act_on_alerts(app, person, select, asked, deadline).await,
        },
    }
}

async fn act_on_alerts(
    app: &App,
    person: &Person,
    select: Selection,
    asked: Asked,
    deadline: Deadline,
) -> Answer {
    let call = ActOnAlerts {
        p_request: Uuid::new_v4(),
        p_select: select,
        p_action: asked.action,
        p_from: asked.from,
        p_until: asked.until,
        p_note: asked.note,
        p_actor: person.name(),
        p_role: person.role(),
    };
    let acted = app
        .call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))?;
    handler::json(StatusCode::OK, &acted)
}

async fn act_on_alert(
    app: &App,
    person: &Person,
    alert: Uuid,
    asked: Asked,
    deadline: Deadline,
) -> Answer {
    let call = ActOnAlert {
        p_request: Uuid::new_v4(),
        p_alert: alert,
        p_action: asked.action,
        p_until: asked.until,
        p_note: asked.note,
        p_actor: person.name(),
        p_link: None,
        p_role: person.role(),
    };
    let Acted { outcome, alert } = app
        .call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))?;
    if outcome == ActOutcome::Unknown {
        return Err(Problem::NotFound("there is no such alert"));
    }
    handler::json(
        StatusCode::OK,
        &json!({ "outcome": outcome, "alert": alert }),
    )
}

async fn act_on_incident(
    app: &App,
    person: &Person,
    asked: AskedOfIncident,
    deadline: Deadline,
) -> Answer {
    let call = ActOnIncident {
        p_request: Uuid::new_v4(),
        p_incident: asked.incident,
        p_action: asked.action,
        p_until: asked.until(clock::now()).map_err(Problem::BadRequest)?,
        p_note: asked.note,
        p_actor: person.name(),
        p_role: person.role(),
    };
    let acted = app
        .call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))?;
    if acted.outcome == ActOutcome::Unknown {
        return Err(Problem::NotFound("there is no such incident"));
    }
    handler::json(StatusCode::OK, &acted)
}

fn refusal(error: &RpcError) -> Problem {
    match error {
        RpcError::Refused { code, message, .. } if code == INVALID_PARAMETER_VALUE => {
            Problem::BadRequest(message.clone())
        }
        RpcError::Refused { code, .. } if code == INSUFFICIENT_PRIVILEGE => {
            tracing::error!(%error, "the database refuses what the edge has let pass");
            Problem::Forbidden
        }
        RpcError::Unconfigured => Problem::Unavailable("the database is not configured"),
        RpcError::Refused { .. } | RpcError::Unreachable(_) | RpcError::Garbage { .. } => {
            tracing::error!(%error, "nothing can be done about an alert");
            Problem::Unavailable("the database cannot be asked now; try again")
        }
    }
}
