//! A second look within a tick, so that one bad observation can be enough: what was
//! found down is looked at again, unless there is no time left for a whole look.

use std::time::Duration;

use outside::clock::{self, Deadline};

use super::{Prober, Sighting};
use crate::monitoring::{
    probe_targets::Target,
    sample::{Sample, Status},
};

/// How long what was found down gets to come back.
const PAUSE: Duration = Duration::from_millis(500);

impl Prober<'_> {
    /// Probes a target, and again as often as it says while it is down. What is told
    /// is what was seen last; `looks` in its detail says how often it was looked at,
    /// if more than once.
    pub(super) async fn look(
        &self,
        target: &Target,
        deadline: Deadline,
    ) -> (Sample, Vec<Sighting>) {
        let mut found = self.probe(target, deadline).await;
        for look in 2..=u32::from(target.retries) + 1 {
            let enough = deadline.remaining() > PAUSE + target.timeout;
            if found.0.status != Status::Down || !enough {
                break;
            }
            clock::wait(PAUSE).await;
            found = self.probe(target, deadline).await;
            found.0.detail.insert("looks".to_owned(), look.into());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use outside::{outbound::Outbound, reach::Reach};
    use serde_json::{Value, json};

    use super::{
        super::tests::{ok, server},
        *,
    };
    use crate::monitoring::probe_targets;

    /// Looks at a server that is down for so many requests; what was told, and how many
    /// requests came.
    async fn look(bad: usize, retries: u8, within: Duration) -> (Status, Value, usize) {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let base = server(move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) < bad {
                "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
            } else {
                ok("")
            }
        })
        .await;
        let check = json!({"name": "x", "timeoutMs": 5000, "retries": retries, "kind": "http", "url": base});
        let prober = Prober {
            outbound: &Outbound::default(),
            variables: &[].into(),
            reach: Reach::Loopback,
        };
        let target = probe_targets::of_check(&check).unwrap();
        let (found, _) = prober.look(&target, Deadline::after(within)).await;
        let looks = found.detail.get("looks").cloned().unwrap_or_default();
        (found.status, looks, requests.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn what_is_down_is_looked_at_again_as_often_as_it_says() {
        let long = Duration::from_secs(60);
        for (bad, retries, status, looks, requests) in [
            (0, 2, Status::Up, Value::Null, 1),
            (1, 0, Status::Down, Value::Null, 1),
            (1, 2, Status::Up, json!(2), 2),
            (9, 2, Status::Down, json!(3), 3),
        ] {
            assert_eq!(
                look(bad, retries, long).await,
                (status, looks, requests),
                "{bad} bad ones, {retries} retries"
            );
        }
    }

    #[tokio::test]
    async fn a_look_that_would_be_cut_short_is_not_taken() {
        let short = Duration::from_secs(5);
        assert_eq!(look(1, 2, short).await, (Status::Down, Value::Null, 1));
    }
}
