//! The reasons why a probe failed, in words.

use crate::messages::message_facts::Facts;

/// A reason as a phrase, with what was found instead of what should be.
pub(in crate::messages) fn reason(word: &str, facts: &Facts) -> String {
    let mut phrase = phrase(word, facts.status_code);
    if let Some(step) = facts.detail["step"].as_u64() {
        phrase = format!("in step {step}, {phrase}");
    }
    match facts.detail["found"].as_str() {
        Some(found) => format!("{phrase}: {found}"),
        None => phrase,
    }
}

/// A word that is not known is a phrase already.
fn phrase(word: &str, status_code: Option<u64>) -> String {
    match (word, status_code) {
        ("http_status", Some(code)) => format!("answered {code}"),
        ("redirect", Some(code)) => format!("answered {code}, a redirect"),
        ("timeout", _) => "no answer in time".into(),
        ("dns", _) => "the name does not resolve".into(),
        ("connect", _) => "cannot connect".into(),
        ("tls", _) => "the TLS handshake failed".into(),
        ("tls_expired", _) => "a certificate has ended".into(),
        ("tls_not_yet_valid", _) => "the certificate is not valid yet".into(),
        ("tls_self_signed", _) => "the certificate is signed by nobody but itself".into(),
        ("tls_unknown_issuer", _) => "nobody known vouches for the certificate".into(),
        ("tls_wrong_name", _) => "the certificate is for another name".into(),
        ("tls_refused", _) => "it asks for a certificate of ours that it accepts".into(),
        ("tls_protocol", _) => "it does not speak TLS as we do".into(),
        ("intermediate", _) => "a certificate above its own ends first".into(),
        ("starttls", _) => "it does not begin TLS when it is asked to".into(),
        ("keep", _) => "an answer lacks a value that is needed later".into(),
        ("encoding", _) => "the answer cannot be decoded".into(),
        ("reset", _) => "the connection ended early".into(),
        ("too_large", _) => "the answer is too large".into(),
        ("request", _) => "the request cannot be made".into(),
        ("text", _) => "the expected text is missing".into(),
        ("record", _) => "the name has other records".into(),
        ("unwanted", _) => "there is what there must not be".into(),
        ("header", _) => "a header is not as it should be".into(),
        ("pattern", _) => "a regular expression of the check cannot be read".into(),
        ("json", _) => "the answer lacks an expected value".into(),
        ("address", _) => "the name resolves to other addresses".into(),
        ("private_address", _) => "the address is private, which the settings refuse".into(),
        ("variable", _) => "a variable that the check names is not set".into(),
        ("definition", _) => "its definition cannot be used, so nothing is probed".into(),
        ("not_reached", _) => "there was no time left to look".into(),
        ("not_set_up", _) => "nothing was reported yet".into(),
        ("failed", _) => "the job reported a failure".into(),
        ("late", _) => "no report within its period and grace".into(),
        ("stuck", _) => "a run started and did not end in the time that it may take".into(),
        ("below", _) => "it is lower than it should be".into(),
        ("above", _) => "it is higher than it should be".into(),
        ("dropped", _) => "it is far below what is usual at this time".into(),
        ("risen", _) => "it is far above what is usual at this time".into(),
        ("no_data", _) => "there is not enough to measure".into(),
        ("no_past", _) => "there is no past to compare it with".into(),
        ("too_few", _) => "it no longer happens as often as it should".into(),
        ("http_status", None) => "answered with an error".into(),
        ("redirect", None) => "answered with a redirect".into(),
        ("auth", _) => "the key was refused: check the variable that holds it".into(),
        ("quota", _) => "over its quota or rate limit".into(),
        ("rubbish", _) => "answered something that is not its API".into(),
        ("not_migrated", _) => "the database lacks the bundle's functions".into(),
        ("config", _) => "not configured as it should be".into(),
        ("untested", _) => "the month's test was not sent within a day".into(),
        ("proven", _) => "something was sent".into(),
        ("provider_failed", _) => "the newest one failed".into(),
        ("provider_old", _) => "none was made for more than a day".into(),
        ("provider_gap", _) => "the log behind point-in-time recovery does not keep up".into(),
        ("provider_unreadable", _) => "the platform was not read for more than a day".into(),
        ("provider_none", _) => "the project has none".into(),
        ("provider_unread", _) => "they were not read yet".into(),
        ("replaced", _) => "another deployment serves by now".into(),
        ("no_calls", _) => "pg_cron makes no calls: see `cron.job_run_details`".into(),
        ("no_answers", _) => "pg_net answers none of its calls: its worker may be stuck".into(),
        ("unreadable_answers", _) => "what pg_net was answered cannot be read".into(),
        ("never_again", _) => "it called once or twice, and never again".into(),
        ("removed", _) => "no longer watched".into(),
        ("too_long", _) => "the restore took longer than it may".into(),
        ("files_unsaved", _) => "files of Storage are in no backup".into(),
        ("rows_without_file", _) => "rows name files that are not there".into(),
        ("archive_lacks", _) => "the newest one lacks what earlier ones held".into(),
        ("accepted", _) => "it was accepted by its name".into(),
        ("backed_up", _) => "it is no longer left out".into(),
        (other, _) => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reason_says_where_it_was_and_what_was_found_instead() {
        for (word, detail, said) in [
            ("http_status", json!({}), "answered 401"),
            ("http_status", json!({"step": 2}), "in step 2, answered 401"),
            (
                "tls_expired",
                json!({"found": "CN=a ended 2026-01-01T00:00:00Z"}),
                "a certificate has ended: CN=a ended 2026-01-01T00:00:00Z",
            ),
            ("a word of tomorrow", json!(null), "a word of tomorrow"),
        ] {
            let facts = Facts {
                status_code: Some(401),
                detail,
                ..Facts::default()
            };
            assert_eq!(reason(word, &facts), said);
        }
    }
}
