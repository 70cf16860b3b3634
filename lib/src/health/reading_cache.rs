//! The last readings, shared by requests that come close together.
//!
//! An instance may be frozen between two invocations, and then its monotonic
//! clock may stand still; so a reading's age is the larger of both clocks'.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use outside::clock::{self, Deadline};

use super::{
    probes,
    service::{Reading, Service},
};
use crate::app::App;

/// How long a reading counts as fresh, good or bad.
const LIFE: Duration = Duration::from_secs(5);

/// The last reading of each service.
#[derive(Debug, Default)]
pub(super) struct ReadingCache {
    kept: Mutex<HashMap<Service, Kept>>,
    /// Held while probing: whoever comes meanwhile waits for the same readings.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Kept {
    reading: Reading,
    at: Instant,
}

impl Kept {
    fn is_fresh(&self) -> bool {
        let monotonic = clock::instant().duration_since(self.at);
        let wall = Duration::try_from(clock::now().duration_since(self.reading.at));
        // A wall clock that went back says nothing about age.
        monotonic.max(wall.unwrap_or_default()) < LIFE
    }
}

impl ReadingCache {
    /// A reading of each of those services, none older than five seconds.
    pub(super) async fn readings(
        &self,
        app: &App,
        services: &[Service],
        deadline: Deadline,
    ) -> Vec<(Service, Reading)> {
        if let Some(readings) = self.fresh(services) {
            return readings;
        }
        let _flight = self.flight.lock().await;
        let stale: Vec<Service> = services
            .iter()
            .copied()
            .filter(|service| self.fresh(&[*service]).is_none())
            .collect();
        let probed = join_all(
            stale
                .iter()
                .map(|service| probes::probe(app, *service, deadline)),
        )
        .await;
        self.keep(stale.into_iter().zip(probed));
        self.last(services)
    }

    fn fresh(&self, services: &[Service]) -> Option<Vec<(Service, Reading)>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        services
            .iter()
            .map(|service| {
                let kept = kept.get(service).filter(|kept| kept.is_fresh())?;
                Some((*service, kept.reading.clone()))
            })
            .collect()
    }

    fn last(&self, services: &[Service]) -> Vec<(Service, Reading)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        services
            .iter()
            .filter_map(|service| Some((*service, kept.get(service)?.reading.clone())))
            .collect()
    }

    fn keep(&self, readings: impl Iterator<Item = (Service, Reading)>) {
        let at = clock::instant();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(readings.map(|(service, reading)| (service, Kept { reading, at })));
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::health::service::Outcome;

    #[test]
    fn a_reading_is_fresh_for_five_seconds_by_the_wall_clock_too() {
        // An instance that was frozen wakes with a monotonic clock that stood still.
        for (age_ms, is_fresh) in [(0, true), (4_000, true), (6_000, false), (-60_000, true)] {
            let reading = Reading {
                outcome: Outcome::Healthy,
                response_time_ms: Some(1.0),
                at: clock::now() - SignedDuration::from_millis(age_ms),
            };
            let kept = Kept {
                reading,
                at: clock::instant(),
            };
            assert_eq!(kept.is_fresh(), is_fresh, "{age_ms} ms");
        }
    }
}
