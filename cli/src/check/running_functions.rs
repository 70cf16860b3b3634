//! Drift between this source and what the running functions were given, which a platform's
//! list does not tell: a variable that was changed reaches them with the next deployment.
//! Fingerprints are compared, never values.

use std::collections::BTreeMap;

use ops::config::Fingerprinter;
use outside::outbound::{self, Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::finding::{Finding, Level};
use crate::{
    environment::Environment,
    setup::placement::{is_for_functions, portable},
};

const SUBJECT: &str = "functions";

/// The largest answer of health that is read, in bytes.
const ANSWER_LIMIT: usize = 256 * 1024;

/// What health says to operators of the configuration.
#[derive(Default, Deserialize)]
struct Health {
    configuration: Configuration,
}

#[derive(Default, Deserialize)]
struct Configuration {
    fingerprints: Option<BTreeMap<String, String>>,
    missing: Option<Vec<String>>,
}

pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let config = environment.config();
    let (Some(base), Some(key)) = (&config.base_url, &config.monitoring_api_key) else {
        let text = "BASE_URL or MONITORING_API_KEY is not set, so not looked at";
        return vec![Finding::new(Level::Warning, SUBJECT, text)];
    };
    let configuration = match asked(base, key).await {
        Ok(Health { configuration }) => configuration,
        Err(reason) => {
            let text = format!("{base} does not say how it is configured: {reason}");
            return vec![Finding::new(Level::Error, SUBJECT, text)];
        }
    };
    if configuration.missing.is_none() {
        let text = "they have another MONITORING_API_KEY than this source: run `pourtrait setup`, then deploy";
        return vec![Finding::new(Level::Error, SUBJECT, text)];
    }
    let Some(seen) = configuration.fingerprints else {
        let text = "they are of a release that shows no fingerprints: deploy this one";
        return vec![Finding::new(Level::Warning, SUBJECT, text)];
    };
    compare(&environment.variables(), &seen, &Fingerprinter::new(key))
}

/// Asks health as an operator. That something is unhealthy is for others to tell.
async fn asked(base: &Url, key: &SecretString) -> Result<Health, String> {
    let url = base
        .join("/api/health")
        .map_err(|error| error.to_string())?;
    let outbound = Outbound::default();
    let client = outbound.client().map_err(|failure| failure.to_string())?;
    let request = client
        .get(url)
        .bearer_auth(key.expose_secret())
        .timeout(super::PROBE_TIMEOUT);
    let response = request
        .send()
        .await
        .map_err(|error| outside::failure::Failure::of(&error).to_string())?;
    let status = response.status();
    if status.as_u16() == 401 {
        // Who is not known is told nothing.
        return Ok(Health::default());
    }
    let body = outbound::body(response, ANSWER_LIMIT)
        .await
        .map_err(|failure| failure.to_string())?;
    serde_json::from_slice(&body)
        .map_err(|_| format!("it answered {status} and no report of health"))
}

fn compare(
    here: &BTreeMap<String, String>,
    seen: &BTreeMap<String, String>,
    fingerprinter: &Fingerprinter,
) -> Vec<Finding> {
    let ours: Vec<(&String, &String)> = here
        .iter()
        .filter(|(name, _)| is_for_functions(name) && is_compared(name))
        .collect();
    let mut findings = Vec::new();
    for (name, value) in &ours {
        // A file's name here may be what it holds there.
        let given = portable(name, value).unwrap_or_default();
        let text = match seen.get(*name) {
            None => "was not given to them",
            Some(seen) if *seen == fingerprinter.of(name, value) => continue,
            Some(seen) if *seen == fingerprinter.of(name, &given) => continue,
            Some(_) => "has another value with them",
        };
        let text = format!("{name} {text}: run `pourtrait setup`, then deploy");
        findings.push(Finding::new(Level::Error, SUBJECT, text));
    }
    let strange = seen
        .keys()
        .filter(|name| is_for_functions(name) && !here.contains_key(*name));
    findings.extend(strange.map(|name| {
        let text = format!("{name} was given to them and is not here: add it here");
        Finding::new(Level::Warning, SUBJECT, text)
    }));
    if findings.is_empty() {
        let text = format!("were given the {} variables as they are here", ours.len());
        findings.push(Finding::new(Level::Ok, SUBJECT, text));
    }
    findings
}

/// What headers of checks name is in no list, so that health shows none of it.
fn is_compared(name: &str) -> bool {
    ops::config::variables::all().any(|variable| variable.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_a_file_may_have_become_its_text() {
        let key = SecretString::from("0123456789abcdef");
        let fingerprinter = Fingerprinter::new(&key);
        let variables = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(pair).collect()
        };
        let seen = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pairs = variables(pairs).into_iter();
            pairs
                .map(|(name, value)| {
                    let fingerprint = fingerprinter.of(&name, &value);
                    (name, fingerprint)
                })
                .collect()
        };
        let here = variables(&[
            ("CRON_SECRET", "0123456789abcdef"),
            ("ADMIN_EMAIL", "a@b.test"),
            ("VERCEL_TOKEN", "not theirs"),
            ("CHECK_SHOP", "not shown"),
        ]);
        let levels = |there: &[(&str, &str)]| -> Vec<(Level, String)> {
            let findings = compare(&here, &seen(there), &fingerprinter);
            let pair = |finding: Finding| (finding.level, finding.text);
            findings.into_iter().map(pair).collect()
        };
        let same = [
            ("CRON_SECRET", "0123456789abcdef"),
            ("ADMIN_EMAIL", "a@b.test"),
        ];
        let good = "were given the 2 variables as they are here";
        assert_eq!(levels(&same), [(Level::Ok, good.to_owned())]);
        let drifted = levels(&[("CRON_SECRET", "other"), ("BASE_URL", "https://b.test")]);
        let texts: Vec<&str> = drifted.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "ADMIN_EMAIL was not given to them: run `pourtrait setup`, then deploy",
                "CRON_SECRET has another value with them: run `pourtrait setup`, then deploy",
                "BASE_URL was given to them and is not here: add it here",
            ]
        );
    }
}
