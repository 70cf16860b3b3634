//! Moves the escalations of open alerts to the levels whose time has come. Ticks do
//! so as part of their commit; a delivery does too, so that one of both is enough.

use outside::clock::Deadline;
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    messages::channels::Channel,
    rpc::{Call, Retry, RpcError},
};

#[derive(Debug, Serialize)]
struct AdvanceEscalations {
    p_channels: Vec<Channel>,
}

#[derive(Debug, Deserialize)]
struct Advanced {
    /// Levels that were asked.
    told: u64,
}

impl Call for AdvanceEscalations {
    const NAME: &'static str = "ops_advance_ladder";
    // Repeated it finds nothing left to do.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Advanced;
}

/// Queues what is due; returns how many levels were asked.
///
/// # Errors
/// When the database cannot be reached: the next tick or delivery finds the same.
pub(super) async fn advance(app: &App, deadline: Deadline) -> Result<u64, RpcError> {
    let call = AdvanceEscalations {
        p_channels: app.config.channels.list(),
    };
    Ok(app.call(&call, deadline).await?.told)
}
