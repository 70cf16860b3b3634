//! Moves the ladders of open alerts to where the time says. Ticks do so as part
//! of their commit; a delivery does too, so that one of both is enough.

use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    clock::Deadline,
    rpc::{Call, Retry, RpcError},
};

#[derive(Debug, Serialize)]
struct AdvanceLadder {
    p_channels: Vec<&'static str>,
}

#[derive(Debug, Deserialize)]
struct Advanced {
    /// Steps that were told.
    told: u64,
}

impl Call for AdvanceLadder {
    const NAME: &'static str = "ops_advance_ladder";
    // Repeated it finds nothing left to do.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Advanced;
}

/// Queues what is due; returns how many steps that were.
///
/// # Errors
/// When the database cannot be asked: the next tick or delivery finds the same.
pub(super) async fn advance(app: &App, deadline: Deadline) -> Result<u64, RpcError> {
    let call = AdvanceLadder {
        p_channels: app.config.channels(),
    };
    Ok(app.call(&call, deadline).await?.told)
}
