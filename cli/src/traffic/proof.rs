//! Whether a deployment works, at the address of its own or at the domains: the looks of
//! `verify` at what a release can do something about itself.

use std::{sync::Arc, time::Duration};

use ops::verification::{
    self,
    subject::{Release, Subject},
};
use outside::clock::{self, Deadline};
use url::Url;

use super::Platform;
use crate::workflow_identity;

/// How long everything that is asked of it may take, first starts among it.
const TIME: Duration = Duration::from_secs(60);

/// How often it is looked at before it counts as broken: domains move over seconds.
const TRIES: u32 = 3;

/// The wait before another look.
const PAUSE: Duration = Duration::from_secs(1);

/// How much of what was found is told, in characters.
const TOLD: usize = 1_000;

/// Looks whether what answers at `url` works, and says what was looked at, or which looks
/// found something bad.
pub(crate) async fn look(
    platform: &Platform,
    url: &str,
    release: Release,
) -> Result<String, String> {
    let parsed: Url = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let outbound = Arc::clone(&platform.outbound);
    let project = platform.which.into();
    let mut subject = Subject {
        release,
        ..Subject::of_a_release(parsed, project, &platform.config, outbound)
    };
    if subject.pass.is_none() {
        subject.pass = workflow_identity::pass(&platform.outbound).await;
    }
    let mut tries = 1;
    loop {
        // Everything that is asked at once is much to hold.
        let report = Box::pin(verification::look_at(&subject, Deadline::after(TIME))).await;
        if report.is_good() {
            return Ok(report.summary(TOLD));
        }
        if tries == TRIES {
            return Err(format!("{url}: {}", report.summary(TOLD)));
        }
        tries += 1;
        clock::wait(PAUSE).await;
    }
}
