//! Rows of Supabase Auth: a sign-in that failed is an event, an error of its own an error.

use serde_json::Value;

use super::row::{Row, only};
use crate::ingest::{
    detail::Details,
    item::{self, Item, Kind},
    visitor,
};

/// What the event is called, by which it is counted.
const SIGN_IN_FAILED: &str = "sign_in_failed";

/// Where somebody signs in: by a password or a provider, by a code, by a second factor.
const SIGN_INS: [&str; 4] = ["/token", "/verify", "/callback", "/otp"];

/// Why somebody is not let in: the code of the error, and the words of versions without codes.
const REASONS: [(&str, &str); 6] = [
    ("invalid_credentials", "invalid login credentials"),
    ("otp_expired", "token has expired or is invalid"),
    ("mfa_verification_failed", "invalid totp code entered"),
    ("email_not_confirmed", "email not confirmed"),
    ("phone_not_confirmed", "phone not confirmed"),
    ("user_banned", "user is banned"),
];

/// What a row says of a request.
#[derive(Debug)]
struct Said<'a>(&'a Value);

/// The item that a row is, if it is one of Auth's that is kept.
pub(super) fn read(row: &Row) -> Option<Item> {
    // Some drains leave the whole line in the message.
    let line: Value = serde_json::from_str(row.message).unwrap_or_default();
    let parts = if row.metadata["path"].is_string() {
        row.metadata
    } else {
        &line
    };
    let said = Said(parts);
    let path = item::path(said.text("path")?);
    let status = said.status()?;
    // A request leaves several rows.
    let same = match said.text("request_id") {
        Some(request) => format!("supabase auth {request}"),
        None => row.same(),
    };
    let request = |kind: Kind, name: &str| {
        Item::new(kind, name, None, same.as_bytes())
            .at(row.time)
            .request(said.text("method"), Some(status))
    };
    if (500..600).contains(&status) {
        let details = Details::default()
            .with("message", said.text("error").or(said.text("msg")))
            .with("severity", Some("high"))
            .with("transaction", Some(path));
        return Some(request(Kind::Error, "AuthError").detail(details.all()));
    }
    let reason = said.reason()?;
    let is_sign_in = SIGN_INS.contains(&path.as_str()) || path.starts_with("/factors/");
    if !is_sign_in || !(400..500).contains(&status) {
        return None;
    }
    let details = Details::default()
        .with("reason", Some(reason))
        .with("path", Some(path))
        .with("by", said.text("grant_type"))
        .with("network", said.text("remote_addr").map(visitor::network));
    Some(request(Kind::Event, SIGN_IN_FAILED).detail(details.all()))
}

impl<'a> Said<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        only(&self.0[name]).as_str().filter(|text| !text.is_empty())
    }

    /// The status, which versions write as a number, as a text, or before the message.
    fn status(&self) -> Option<u64> {
        let status = only(&self.0["status"]);
        let before = |name: &str| {
            let (number, _) = self.text(name)?.split_once(": ")?;
            number.parse().ok()
        };
        status
            .as_u64()
            .or_else(|| status.as_str()?.parse().ok())
            .or_else(|| before("error"))
            .or_else(|| before("msg"))
            .filter(|status| (100..600).contains(status))
    }

    /// Why somebody was not let in; nothing where no person tried, as when a page renews what
    /// it holds.
    fn reason(&self) -> Option<&'static str> {
        if self.text("grant_type") == Some("refresh_token") {
            return None;
        }
        let code = self.text("error_code").unwrap_or_default();
        let words = [self.text("error"), self.text("msg")];
        let words = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let words = words.to_ascii_lowercase();
        let by_code = REASONS.iter().find(|(reason, _)| *reason == code);
        let known = by_code.or_else(|| REASONS.iter().find(|(_, told)| words.contains(told)));
        known
            .map(|(reason, _)| *reason)
            .or((self.text("grant_type") == Some("password")).then_some("unknown"))
    }
}
