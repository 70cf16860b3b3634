//! What Supabase Auth lets strangers do, and whether people can sign in by mail.

use outside::{
    failure::Failure,
    outbound::{self, Outbound},
};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{
    PROBE_TIMEOUT,
    finding::{Finding, Level},
};
use crate::environment::Environment;

const SUBJECT: &str = "sign-in";

/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The settings that Auth shows.
#[derive(Debug, Deserialize)]
struct Settings {
    external: External,
    disable_signup: bool,
    /// Whether an address counts without anybody having read a mail there.
    mailer_autoconfirm: bool,
}

#[derive(Debug, Deserialize)]
struct External {
    email: bool,
}

/// None where no project is named.
pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let Some(supabase) = environment.config().supabase else {
        return Vec::new();
    };
    match asked(&supabase).await {
        Ok(settings) => judge(&settings),
        Err(reason) => {
            let text = format!("Auth does not tell its settings: {reason}");
            vec![Finding::new(Level::Error, SUBJECT, text)]
        }
    }
}

async fn asked(supabase: &ops::config::Supabase) -> Result<Settings, String> {
    let url = supabase.url.join("/auth/v1/settings");
    let url = url.map_err(|error| error.to_string())?;
    let outbound = Outbound::default();
    let client = outbound.client().map_err(|failure| failure.to_string())?;
    let request = client
        .get(url)
        .header("apikey", supabase.key.secret().expose_secret())
        .timeout(PROBE_TIMEOUT);
    let response = request
        .send()
        .await
        .map_err(|error| Failure::of(&error).to_string())?;
    let status = response.status();
    if !status.is_success() {
        return Err(format!("it answered {status}"));
    }
    let body = outbound::body(response, ANSWER_LIMIT)
        .await
        .map_err(|failure| failure.to_string())?;
    serde_json::from_slice(&body).map_err(|error| error.to_string())
}

fn judge(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !settings.external.email {
        let text = "Auth takes no email: people with a role cannot sign in by a code (Authentication, Sign In / Providers)";
        findings.push(Finding::new(Level::Warning, SUBJECT, text));
    }
    if settings.mailer_autoconfirm && !settings.disable_signup {
        let text = "anybody may sign up with an address that nobody has proven: switch on Confirm email (Authentication, Sign In / Providers)";
        findings.push(Finding::new(Level::Warning, SUBJECT, text));
    }
    if findings.is_empty() {
        let text = "Auth takes email, and no address counts unproven";
        findings.push(Finding::new(Level::Ok, SUBJECT, text));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_door_for_unproven_addresses_is_a_warning() {
        for (email, disable_signup, mailer_autoconfirm, warnings) in [
            (true, false, false, 0),
            (true, true, true, 0),
            (true, false, true, 1),
            (false, true, false, 1),
        ] {
            let settings = Settings {
                external: External { email },
                disable_signup,
                mailer_autoconfirm,
            };
            let findings = judge(&settings).into_iter();
            let found = findings.filter(|one| one.level == Level::Warning).count();
            assert_eq!(found, warnings, "{settings:?}");
        }
    }
}
