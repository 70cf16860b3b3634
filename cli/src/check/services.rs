//! The services that the bundle watches, each asked as the health endpoint does.

use ops::{
    app::App,
    health::{
        probes,
        service::{Outcome, Service},
    },
};
use outside::clock::Deadline;

use super::{
    PROBE_TIMEOUT,
    finding::{Finding, Level},
};
use crate::environment::Environment;

pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let app = App::new(environment.config());
    let deadline = Deadline::after(PROBE_TIMEOUT);
    let probing = Service::ALL.map(|service| probes::probe(&app, service, deadline));
    let readings = futures_util::future::join_all(probing).await;
    Service::ALL
        .into_iter()
        .zip(readings)
        .map(|(service, reading)| {
            let time = reading
                .response_time_ms
                .map(|ms| format!(" ({ms:.0} ms)"))
                .unwrap_or_default();
            let (level, text) = match &reading.outcome {
                Outcome::Healthy => (Level::Ok, format!("answers{time}")),
                Outcome::Degraded(reason) => (Level::Warning, format!("{reason}{time}")),
                Outcome::Unhealthy(reason) => (Level::Error, format!("{reason}{time}")),
                Outcome::Unconfigured => (Level::Warning, "not configured, not watched".to_owned()),
            };
            Finding::new(level, service.as_str(), text)
        })
        .collect()
}
