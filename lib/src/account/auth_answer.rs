//! What Supabase Auth's answers mean. Pure: nothing is sent from here.
//!
//! Auth stands behind gateways that answer in other forms, and its own forms have changed
//! before. Only what is certainly its judgement of a password, a code or a session counts
//! as one; whatever else comes says that Auth is not to be had.

use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::auth::{User, roles::Role};

/// How long an access is good for at the longest: a role that was taken away is gone then.
const LONGEST_ACCESS: SignedDuration = SignedDuration::from_hours(1);

/// The tokens of a session that Auth opened or went on with, and whose it is.
#[derive(Deserialize)]
pub(super) struct Tokens {
    /// Proves the user to Auth.
    pub(super) access_token: String,
    /// Gets the next tokens, once.
    pub(super) refresh_token: String,
    expires_in: i64,
    user: Named,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    email: Option<String>,
    #[serde(default)]
    app_metadata: Value,
}

impl Tokens {
    /// Whose session it is. Auth itself says so, over a connection that was verified: the
    /// token, which says the same, need not be proven by keys that come from the same place.
    pub(super) fn user(&self, now: Timestamp) -> User {
        let life =
            SignedDuration::from_secs(self.expires_in).clamp(SignedDuration::ZERO, LONGEST_ACCESS);
        let Named {
            id,
            email,
            app_metadata,
        } = &self.user;
        let role = app_metadata.get("role").and_then(Value::as_str);
        User {
            subject: id.clone(),
            email: email.clone().filter(|email| !email.is_empty()),
            role: role.and_then(Role::parse),
            expires_at: now + life,
            idle_until: None,
        }
    }
}

/// What Auth said.
pub(super) enum Said<T> {
    /// Yes.
    Yes(T),
    /// That it is not right: the password, the code, or the session.
    No,
    /// That we ask too often; in so many seconds again.
    TooOften(u64),
    /// Nothing that is an answer to that.
    Nothing,
}

/// The seconds to wait where Auth names none.
const PATIENCE_S: u64 = 60;
/// The longest wait that is believed, in seconds.
const LONGEST_S: u64 = 3_600;

/// Codes that are no judgement of what was presented but of the project or of us.
const NOT_A_JUDGEMENT: [&str; 8] = [
    "bad_json",
    "captcha_failed",
    "email_provider_disabled",
    "no_authorization",
    "not_admin",
    "over_email_send_rate_limit",
    "otp_disabled",
    "unexpected_failure",
];

/// An error, in the form of 2024-01-01 or in the one before.
#[derive(Deserialize)]
struct Refusal {
    code: Option<serde_json::Value>,
    error_code: Option<String>,
    error: Option<String>,
}

impl Refusal {
    fn word(self) -> Option<String> {
        let code = self.code.as_ref().and_then(|code| code.as_str());
        code.map(str::to_owned).or(self.error_code).or(self.error)
    }
}

/// What an answer to credentials or to a session's token says.
pub(super) fn of_tokens(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Said<Tokens> {
    if status.is_success() {
        return match serde_json::from_slice::<Tokens>(body) {
            Ok(tokens) if !tokens.access_token.is_empty() && !tokens.refresh_token.is_empty() => {
                Said::Yes(tokens)
            }
            _ => Said::Nothing,
        };
    }
    of_refusal(status, headers, body)
}

fn of_refusal<T>(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Said<T> {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Said::TooOften(retry_after(headers));
    }
    let judges = matches!(status.as_u16(), 400 | 403 | 404 | 422);
    let refusal = serde_json::from_slice::<Refusal>(body).ok();
    match refusal.and_then(Refusal::word) {
        Some(word) if judges && !NOT_A_JUDGEMENT.contains(&word.as_str()) => Said::No,
        _ => Said::Nothing,
    }
}

fn retry_after(headers: &HeaderMap) -> u64 {
    let named = headers.get(header::RETRY_AFTER);
    let seconds = named.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    seconds.unwrap_or(PATIENCE_S).clamp(1, LONGEST_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        match of_tokens(status, &HeaderMap::new(), body.as_bytes()) {
            Said::Yes(_) => "yes".to_owned(),
            Said::No => "no".to_owned(),
            Said::TooOften(seconds) => format!("too often, {seconds} s"),
            Said::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn only_what_is_certainly_a_judgement_counts_as_one() {
        let session =
            r#"{"access_token":"a","refresh_token":"r","expires_in":3600,"user":{"id":"u"}}"#;
        for (status, body, expected) in [
            (200, session, "yes"),
            (200, r#"{"access_token":"a"}"#, "nothing"),
            (200, &session.replace(r#":"a""#, r#":"""#), "nothing"),
            (200, &session.replace(r#":"u""#, ":7"), "nothing"),
            (200, "<html>", "nothing"),
            (200, "", "nothing"),
            (204, "", "nothing"),
            (400, r#"{"code":"invalid_credentials","message":"m"}"#, "no"),
            (
                400,
                r#"{"code":400,"error_code":"invalid_credentials","msg":"m"}"#,
                "no",
            ),
            (
                400,
                r#"{"error":"invalid_grant","error_description":"m"}"#,
                "no",
            ),
            (400, r#"{"code":"email_not_confirmed"}"#, "no"),
            (400, r#"{"code":"refresh_token_already_used"}"#, "no"),
            (400, r#"{"code":"user_banned"}"#, "no"),
            (403, r#"{"code":"otp_expired"}"#, "no"),
            (422, r#"{"code":"validation_failed"}"#, "no"),
            (400, r#"{"code":"captcha_failed"}"#, "nothing"),
            (422, r#"{"code":"email_provider_disabled"}"#, "nothing"),
            (400, "<html>Bad Request</html>", "nothing"),
            (400, "{}", "nothing"),
            (401, r#"{"message":"Invalid API key"}"#, "nothing"),
            (401, r#"{"code":"no_authorization"}"#, "nothing"),
            (403, "<html>blocked</html>", "nothing"),
            (404, "404 page not found", "nothing"),
            (
                429,
                r#"{"code":"over_request_rate_limit"}"#,
                "too often, 60 s",
            ),
            (429, "<html>", "too often, 60 s"),
            (500, r#"{"code":"unexpected_failure"}"#, "nothing"),
            (500, r#"{"code":"invalid_credentials"}"#, "nothing"),
            (502, "<html>", "nothing"),
            (302, "", "nothing"),
        ] {
            assert_eq!(said(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_role_is_what_app_metadata_says_and_an_access_lasts_an_hour_at_most() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (user, expires_in, role, life_s) in [
            (
                r#"{"app_metadata":{"role":"viewer"}}"#,
                3_600,
                Some(Role::Viewer),
                3_600,
            ),
            (
                r#"{"app_metadata":{"role":"admin"}}"#,
                600,
                Some(Role::Admin),
                600,
            ),
            (
                r#"{"app_metadata":{"role":"admin"}}"#,
                604_800,
                Some(Role::Admin),
                3_600,
            ),
            (
                r#"{"app_metadata":{"role":"admin"}}"#,
                -5,
                Some(Role::Admin),
                0,
            ),
            (r#"{"app_metadata":{"role":["admin"]}}"#, 60, None, 60),
            (r#"{"app_metadata":{"role":"owner"}}"#, 60, None, 60),
            (r#"{"app_metadata":null}"#, 60, None, 60),
            (
                r#"{"user_metadata":{"role":"admin"},"role":"admin"}"#,
                60,
                None,
                60,
            ),
        ] {
            let mut user: Value = serde_json::from_str(user).unwrap();
            user["id"] = "u".into();
            let tokens = serde_json::json!({
                "access_token": "a", "refresh_token": "r", "expires_in": expires_in, "user": user,
            });
            let tokens: Tokens = serde_json::from_value(tokens).unwrap();
            let known = tokens.user(now);
            assert_eq!(known.role, role, "{user}");
            let life = known.expires_at.duration_since(now);
            assert_eq!(life.as_secs(), life_s, "{user} {expires_in}");
        }
    }

    #[test]
    fn a_wait_is_believed_within_bounds() {
        for (value, expected) in [("7", 7), ("0", 1), ("999999", 3_600), ("soon", 60)] {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value.parse().unwrap())]);
            assert_eq!(retry_after(&headers), expected, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), 60);
    }
}
