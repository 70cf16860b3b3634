//! What somebody says and asks about their own data: whoever is signed in, by the project's
//! token or by our cookie, and nobody for others.

use http::StatusCode;
use outside::clock::{self, Deadline};
use serde::Serialize;

use crate::{
    app::App,
    auth::{Newcomer, Person},
    handler::{self, Answer},
    privacy::{
        consents::{SaidBy, SetConsent, ShowConsents},
        requests::{Ask, Kind},
    },
    problem::Problem,
    rpc::{Call, INVALID_PARAMETER_VALUE, RpcError},
};

/// What is wanted.
#[derive(Debug, PartialEq)]
pub(super) enum OwnData {
    /// To see what they agreed to.
    Consents,
    /// To agree to a purpose, or to refuse it.
    Consent { purpose: String, granted: bool },
    /// To be handed out what is held of them, or to be erased.
    Ask { what: Kind },
}

impl OwnData {
    /// Does it. Erasing and handing out are noted: an operator does them.
    pub(super) async fn answer(self, app: &App, newcomer: &Newcomer, deadline: Deadline) -> Answer {
        let person = number(newcomer)?;
        match self {
            Self::Consents => call(app, &ShowConsents { p_person: person }, deadline).await,
            Self::Consent { purpose, granted } => {
                let said = SetConsent {
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
