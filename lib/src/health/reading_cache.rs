//! The last readings, shared by requests that come close together.
//!
//! An instance may be frozen between two invocations; a reading's age counts that
//! time too.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use outside::clock::{self, Deadline, Moment};

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
    at: Moment,
}

impl Kept {
    fn is_fresh(&self, now: Moment) -> bool {
        self.at.age(now) < LIFE
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
        let now = Moment::now();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        services
            .iter()
            .map(|service| {
                let kept = kept.get(service).filter(|kept| kept.is_fresh(now))?;
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
        let read = clock::instant();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(readings.map(|(service, reading)| {
            let at = Moment::of(read, reading.at);
            (service, Kept { reading, at })
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::service::Outcome;

    #[test]
    fn a_reading_is_fresh_for_five_seconds_also_in_an_instance_that_was_frozen() {
        let (instant, wall) = (clock::instant(), clock::now());
        let at = Moment::of(instant, wall);
        let kept = Kept {
            reading: Reading {
                outcome: Outcome::Healthy,
                response_time_ms: Some(1.0),
                at: wall,
            },
            at,
        };
        let ages = [(0, true), (4_999, true), (5_000, false), (60_000, false)];
        for (age_ms, is_fresh) in ages {
            let now = at.after(Duration::from_millis(age_ms));
            assert_eq!(kept.is_fresh(now), is_fresh, "{age_ms} ms");
            let thawed = Moment::of(instant, wall + Duration::from_millis(age_ms));
            assert_eq!(kept.is_fresh(thawed), is_fresh, "frozen for {age_ms} ms");
        }
    }
}
