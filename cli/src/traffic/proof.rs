//! Whether a deployment works, at the address of its own or at the domains.

use std::time::Duration;

use outside::{clock, failure::Failure, outbound::Outbound};

use super::Which;

/// How long one look may take: a function's first start among them.
const TIME: Duration = Duration::from_secs(20);

/// How often it is looked at before it counts as broken: domains move over seconds.
const TRIES: u32 = 3;

/// The wait before another look.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks whether what answers at `url` works: the bundle by its health, the app by its page.
/// Says why not.
pub(crate) async fn look(outbound: &Outbound, which: Which, url: &str) -> Result<(), String> {
    let url = match which {
        Which::App => url.to_owned(),
        Which::Ops => format!("{}/api/health", url.trim_end_matches('/')),
    };
    let mut tries = 1;
    loop {
        let verdict = match ask(outbound, &url).await {
            Ok(status) => judge(which, status),
            Err(failure) => Err(failure.to_string()),
        };
        match verdict {
            Err(_) if tries < TRIES => clock::wait(PAUSE).await,
            other => return other.map_err(|why| format!("{url}: {why}")),
        }
        tries += 1;
    }
}

async fn ask(outbound: &Outbound, url: &str) -> Result<u16, Failure> {
    let request = outbound.client()?.get(url).timeout(TIME);
    let answer = request.send().await.map_err(|error| Failure::of(&error))?;
    Ok(answer.status().as_u16())
}

fn judge(which: Which, status: u16) -> Result<(), String> {
    match (which, status) {
        // A page may send strangers to sign in.
        (Which::App, 200..=399) | (Which::Ops, 200..=299) => Ok(()),
        (_, 401) => {
            Err("answered 401: it is protected, and cannot be looked at from here".to_owned())
        }
        (_, status) => Err(format!("answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_send_elsewhere_and_health_may_not() {
        for (which, status, is_fine) in [
            (Which::App, 200, true),
            (Which::App, 307, true),
            (Which::App, 500, false),
            (Which::App, 401, false),
            (Which::Ops, 200, true),
            (Which::Ops, 307, false),
            (Which::Ops, 503, false),
        ] {
            assert_eq!(judge(which, status).is_ok(), is_fine, "{which:?} {status}");
        }
    }
}
