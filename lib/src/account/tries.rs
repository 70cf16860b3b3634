//! Tries are counted in the database before Auth is asked, across all instances.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    problem::Problem,
    rpc::{Call, Retry},
};
use outside::clock::Deadline;

/// Whose tries are counted, by scope.
pub(super) type Keys = BTreeMap<&'static str, String>;

/// Counts a try, unless something has to pause.
#[derive(Debug, Serialize)]
pub(super) struct BeginSignIn {
    /// Under which keys.
    p_keys: Keys,
}

/// Whether the try may come.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Begun {
    wait_seconds: u64,
}

impl Call for BeginSignIn {
    const NAME: &'static str = "ops_begin_sign_in";
    // It would be counted twice.
    const RETRY: Retry = Retry::Never;
    type Output = Begun;
}

/// Forgives a try.
#[derive(Debug, Serialize)]
pub(super) struct EndSignIn {
    p_keys: Keys,
    /// Whether it was right, which forgives those before it, too.
    p_succeeded: bool,
}

/// How many counts were changed.
#[derive(Debug, Deserialize)]
pub(super) struct Ended {
    #[serde(rename = "forgiven")]
    _forgiven: u64,
}

impl Call for EndSignIn {
    const NAME: &'static str = "ops_end_sign_in";
    // Others would be forgiven, too.
    const RETRY: Retry = Retry::Never;
    type Output = Ended;
}

/// A try that is counted.
pub(super) struct Try {
    keys: Keys,
}

/// How a try ended for which somebody is forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forgiven {
    /// It was right.
    Succeeded,
    /// Nobody judged it.
    Unjudged,
}

impl Try {
    /// Counts a try.
    ///
    /// # Errors
    /// 429 while something has to pause, 503 where it cannot be counted: then nobody may try.
    pub(super) async fn begin(app: &App, keys: Keys, deadline: Deadline) -> Result<Self, Problem> {
        let call = BeginSignIn { p_keys: keys };
        let begun = app.call(&call, deadline).await.map_err(|error| {
            tracing::error!(%error, "a try to sign in cannot be counted");
            Problem::Unavailable("nobody can sign in now; try again")
        })?;
        match begun.wait_seconds {
            0 => Ok(Self { keys: call.p_keys }),
            retry_after => Err(Problem::TooManyRequests { retry_after }),
        }
    }

    /// Forgives it. Where that cannot be done it stays counted, which harms nobody for long.
    pub(super) async fn forgive(self, app: &App, how: Forgiven, deadline: Deadline) {
        let call = EndSignIn {
            p_keys: self.keys,
            p_succeeded: how == Forgiven::Succeeded,
        };
        if let Err(error) = app.call(&call, deadline).await {
            tracing::warn!(%error, "a try to sign in stays counted");
        }
    }
}
