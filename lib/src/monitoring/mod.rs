//! Monitoring: the tick that probes everything once a minute, the maintenance that
//! keeps samples small, the dashboard that shows them, and the metrics that scrapers
//! read.

pub mod dashboard;
mod dead_mans_switch;
pub mod document;
mod emergency;
pub mod expectation;
pub mod heartbeat;
pub mod maintenance;
pub mod metrics;
pub mod probe_targets;
pub mod probes;
mod resources;
pub mod retention;
pub mod sample;
mod tick;

use bytes::Bytes;
use http::Request;

use emergency::Emergency;

use crate::{
    app::App,
    auth::Starter,
    endpoint::Route,
    handler::{Answer, Handler, Routes},
};
use outside::clock::Deadline;

/// What answers `/api/cron/monitor`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::MONITOR, RunsTicks::default())
}

/// Runs one tick. Keeps the outage that this instance reported by itself.
#[derive(Debug, Default)]
struct RunsTicks {
    emergency: Emergency,
}

impl Handler<Starter> for RunsTicks {
    async fn handle(
        &self,
        app: &App,
        starter: Starter,
        _: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        tick::run(app, &self.emergency, starter, deadline).await
    }
}
