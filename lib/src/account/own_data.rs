//! What somebody says and asks about their own data: whoever is signed in, by the project's
//! token or by our cookie, and nobody for others.

use http::StatusCode;
use outside::clock::{self, Deadline};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Newcomer, Person},
    handler::{self, Answer},
    privacy::{
        consents::{SaidBy, SetConsent, ShowConsents},
        export_links::{FetchExport, Fetched, ShowExport, Token},
        prepared_export,
        requests::{Ask, Kind},
    },
    problem::Problem,
    rpc::{Call, INVALID_PARAMETER_VALUE, RpcError},
};

/// What a link answers that leads to none.
const NO_EXPORT: Problem = Problem::NotFound("there is no such export");

/// What is wanted.
#[derive(Debug, PartialEq)]
pub(super) enum OwnData {
    /// To see what they agreed to.
    Consents,
    /// To agree to a purpose, or to refuse it.
    Consent { purpose: String, granted: bool },
    /// To be handed out what is held of them, or to be erased.
    Ask { what: Kind },
    /// To see how their export stands.
    Export,
    /// To fetch one, by a link or as whoever is signed in; it works once.
    FetchExport { token: Option<String> },
}

impl OwnData {
    /// Does it. Erasing and handing out are noted: an operator does them.
    pub(super) async fn answer(self, app: &App, newcomer: &Newcomer, deadline: Deadline) -> Answer {
        if let Self::FetchExport { token: Some(token) } = &self {
            let token = Token::parse(token).ok_or(NO_EXPORT)?;
            return fetch(app, Some(token.hash()), None, deadline).await;
        }
        let person = number(newcomer)?;
        match self {
            Self::Export => call(app, &ShowExport { p_person: person }, deadline).await,
            Self::FetchExport { .. } => fetch(app, None, Some(person), deadline).await,
            Self::Consents => call(app, &ShowConsents { p_person: person }, deadline).await,
            Self::Consent { purpose, granted } => {
                let said = SetConsent {
                    p_by: None,
                    p_person: person,
                    p_purpose: purpose,
                    p_granted: granted,
                    p_said_by: SaidBy::User,
                };
                call(app, &said, deadline).await
            }
            Self::Ask { what } => {
                let ask = Ask {
                    p_person: person,
                    p_kind: what,
                };
                call(app, &ask, deadline).await
            }
        }
    }
}

/// The number of whoever is signed in. A key is nobody.
fn number(newcomer: &Newcomer) -> Result<String, Problem> {
    match &newcomer.person {
        Some(Person::User(user)) => Ok(user.subject.clone()),
        Some(Person::Operator) => Err(Problem::Forbidden),
        None => {
            let user = newcomer.jar.user(clock::now()).ok().flatten();
            Ok(user.ok_or(Problem::NotSignedIn)?.subject)
        }
    }
}

/// Where an export is fetched, for some minutes. The URL is made before the link counts as used:
/// whoever gets none can try again.
async fn fetch(
    app: &App,
    token_hash: Option<String>,
    person: Option<String>,
    deadline: Deadline,
) -> Answer {
    let mut fetch = FetchExport {
        p_token_hash: token_hash,
        p_person: person,
        p_is_used: false,
    };
    let export = ready(app, &fetch, deadline).await?;
    let supabase = app.config.supabase.as_ref();
    let supabase = supabase.ok_or(Problem::Unavailable("the project is not configured"))?;
    let signed = prepared_export::sign(supabase, &app.outbound, export).await;
    let url = signed.map_err(|error| {
        tracing::error!(%error, "an export cannot be fetched");
        Problem::Unavailable("the file cannot be fetched now; the link still works")
    })?;
    fetch.p_is_used = true;
    ready(app, &fetch, deadline).await?;
    handler::json(StatusCode::OK, &json!({ "url": url }))
}

async fn ready(app: &App, fetch: &FetchExport, deadline: Deadline) -> Result<Uuid, Problem> {
    match app.call(fetch, deadline).await {
        Ok(Fetched::Ready { export }) => Ok(export),
        Ok(Fetched::Used) => Err(Problem::NotFound("it was fetched before, which works once")),
        Ok(Fetched::Expired) => Err(Problem::NotFound("its time is over: ask for it once more")),
        Ok(Fetched::Unknown) => Err(NO_EXPORT),
        Err(error) => {
            tracing::error!(%error, "whether there is an export cannot be asked for");
            Err(Problem::Unavailable("the database cannot be asked now"))
        }
    }
}

async fn call<C: Call<Output: Serialize>>(app: &App, call: &C, deadline: Deadline) -> Answer {
    match app.call(call, deadline).await {
        Ok(answer) => handler::json(StatusCode::OK, &answer),
        Err(RpcError::Refused { code, message, .. }) if code == INVALID_PARAMETER_VALUE => {
            Err(Problem::BadRequest(message))
        }
        Err(error) => {
            tracing::error!(%error, "somebody's own data cannot be asked for");
            Err(Problem::Unavailable("the database cannot be asked now"))
        }
    }
}
