//! What may be secret or personal is taken out before anything is stored: tokens, passwords,
//! numbers of cards, addresses of mail, queries of URLs. Rather too much than too little: a
//! report is read for what went wrong, not for whom.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};
use serde_json::{Number, Value};

/// What stands in the place of what was taken out.
const GONE: &str = "[removed]";

/// Names of fields whose values are never kept, as parts of the name.
const SECRET_NAMES: [&str; 16] = [
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "cookie",
    "apikey",
    "api_key",
    "api-key",
    "credential",
    "session_id",
    "sessionid",
    "csrf",
    "cvv",
    "iban",
    "email",
];

static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*       # a JSON Web Token
        | (?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}                  # a header's credentials
        | \b(?:sk|pk|rk|re|sb|xox[a-z]|gh[a-z]|glpat)[_-][A-Za-z0-9_-]{16,}
        | \b(?:AKIA|AIza)[A-Za-z0-9_-]{12,}
        | -----BEGIN[^-]*-----[\s\S]*?(?:-----END[^-]*-----|$)
        | AGE-SECRET-KEY-[A-Z0-9]+
        | [A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24} # an address of mail
        ",
    )
    .ok()
});

/// A URL's user and query, of which nobody knows what they hold.
static URLS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?P<scheme>[a-z][a-z0-9+.-]{1,20}://)(?:[^/?\#\s@"']*@)?(?P<rest>[^?\#\s"']*)(?P<query>[?\#][^\s"']*)?"#).ok()
});

/// The query or fragment of a path that stands without its origin, or by itself.
static QUERIES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?P<path>(?:^|[\s"'(=])/[^\s?\#"'()]*)[?\#][^\s"')]+|[?\#][A-Za-z0-9_.\[\]-]+=[^\s"'<>]*"#,
    )
    .ok()
});

/// What may be the number of a card, with the usual spaces; and the ids that web-vitals gives,
/// of which every tenth would pass for one.
static CARDS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\bv\d{1,2}-\d{13}-\d{13}\b|\b\d(?:[ -]?\d){12,18}\b").ok());

/// A text without what may be secret or personal.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    let expressions = [&SECRETS, &URLS, &QUERIES, &CARDS].map(|expression| expression.as_ref());
    let [Some(secrets), Some(urls), Some(queries), Some(cards)] = expressions else {
        return Cow::Borrowed(GONE);
    };
    let mut clean = Cow::Borrowed(text);
    if clean.contains("://") {
        let without = |url: &Captures<'_>| {
            let query = if url.name("query").is_some() {
                "?…"
            } else {
                ""
            };
            format!("{}{}{query}", &url["scheme"], &url["rest"])
        };
        clean = Cow::Owned(urls.replace_all(&clean, without).into_owned());
    }
    if clean.contains(['?', '#']) && queries.is_match(&clean) {
        clean = Cow::Owned(queries.replace_all(&clean, "${path}?…").into_owned());
    }
    if secrets.is_match(&clean) {
        clean = Cow::Owned(secrets.replace_all(&clean, GONE).into_owned());
    }
    if cards.is_match(&clean) {
        let without = |number: &Captures<'_>| {
            let number = &number[0];
            if !number.starts_with('v') && is_card(number) {
                GONE.to_owned()
            } else {
                number.to_owned()
            }
        };
        clean = Cow::Owned(cards.replace_all(&clean, without).into_owned());
    }
    clean
}

/// A field's value, or what stands in its place if the name says that it is secret.
pub(super) fn field(name: &str, value: Value) -> Value {
    let name = name.to_ascii_lowercase();
    let is_secret = SECRET_NAMES.iter().any(|secret| name.contains(secret));
    match value {
        Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) if is_secret => {
            Value::String(GONE.to_owned())
        }
        value => value,
    }
}

/// A number, or what stands in its place if it is that of a card. Times begin with a 1.
pub(super) fn number(number: Number) -> Value {
    let digits = number.to_string();
    let is_of_card = matches!(digits.len(), 15 | 16)
        && digits.starts_with(['3', '4', '5', '6'])
        && digits.chars().all(|digit| digit.is_ascii_digit())
        && is_card(&digits);
    if is_of_card {
        Value::String(GONE.to_owned())
    } else {
        Value::Number(number)
    }
}

/// Luhn's check, which every card's number passes and one of ten others.
fn is_card(number: &str) -> bool {
    let digits = number.chars().rev().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_be_secret_or_personal_is_taken_out() {
        for (given, kept) in [
            (
                "no wine for anna.berg@wine.example",
                "no wine for [removed]",
            ),
            (
                "GET /wines?token=abc&x=1 and /a#access_token=abc is it/that? no",
                "GET /wines?… and /a?… is it/that? no",
            ),
            (
                "Authorization: Bearer abcdefgh12345",
                "Authorization: [removed]",
            ),
            (
                "jwt eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl end",
                "jwt [removed] end",
            ),
            ("key sk-proj-abcdefghijklmnop1234", "key [removed]"),
            ("card 4111 1111 1111 1111 refused", "card [removed] refused"),
            ("order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
            (
                "GET https://anna:pw@wine.example/a/b?token=x&y=1#z failed",
                "GET https://wine.example/a/b?… failed",
            ),
            ("/wines/7?token=abcdef", "/wines/7?…"),
            ("GET /wines?q=anna#x failed", "GET /wines?… failed"),
            ("to '/#access_token=abcdef'", "to '/?…'"),
            ("-----BEGIN KEY-----\nabc", "[removed]"),
            ("AGE-SECRET-KEY-1ABC", "[removed]"),
            (
                "re_abcdefghijklmnop AKIAIOSFODNN7EXAMPLE",
                "[removed] [removed]",
            ),
            ("AIzaSyA-abcdefghijklmnopqrstuv", "[removed]"),
        ] {
            assert_eq!(text(given), kept);
        }
    }

    #[test]
    fn what_is_neither_stays() {
        for kept in [
            "Cannot read properties of undefined (reading 'map')",
            "at load (https://wine.example/_next/static/chunks/app.js:1:2345)",
            "wine 12345678901234567890123 is gone",
            "2026-11-24T12:00:00.000Z",
            "@sentry/node",
            "red and/or white? /wines is where",
            "issue /wines #17",
            "v6-1796017726385-4111111111119",
            // Names of functions begin as keys do.
            "requestAnimationFrame renderWithHooksAgain skipForwardToTheRecentWines",
        ] {
            assert_eq!(text(kept), kept);
        }
    }

    #[test]
    fn a_field_goes_by_its_name() {
        for name in ["password", "userToken", "Set-Cookie", "X-Api-Key", "email"] {
            assert_eq!(field(name, json!("x")), json!(GONE), "{name}");
        }
        assert_eq!(field("colour", json!("red")), json!("red"));
        assert_eq!(field("hasPassword", json!(true)), json!(true));
    }
}
