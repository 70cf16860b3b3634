//! What a page asks for, and the forms in which people write addresses and codes.

use serde::Deserialize;
use serde_json::Value;

use super::own_data::OwnData;
use crate::{messages::plain_text, privacy::requests::Kind};

/// The longest address that mail knows, in bytes.
const ADDRESS_LIMIT: usize = 254;
/// Longer than any password that Auth takes, in bytes.
const PASSWORD_LIMIT: usize = 1_000;
/// Codes of the project have six digits, or as many as ten.
const CODE_DIGITS: std::ops::RangeInclusive<usize> = 6..=10;

/// What is asked for.
#[derive(PartialEq)]
pub(super) enum Requested {
    /// To sign in by a password.
    Password { email: Email, password: String },
    /// To be sent a code.
    Code { email: Email },
    /// To sign in by the code.
    Verify { email: Email, code: Code },
    /// To stay signed in.
    Refresh,
    /// To sign out.
    SignOut,
    /// To be reached by push messages at this browser.
    Push { subscription: Value, device: String },
    /// To be reached there no longer.
    EndPush { endpoint: String },
    /// Something about one's own data.
    OwnData(OwnData),
}

/// An address, in the one form in which its tries are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Email(pub(super) String);

/// A code as it was typed, if it can be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code(pub(super) Option<String>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, tag = "action")]
enum Body {
    Password {
        email: String,
        password: String,
    },
    Code {
        email: String,
    },
    Verify {
        email: String,
        code: String,
    },
    Refresh {},
    SignOut {},
    Push {
        subscription: Value,
        #[serde(default)]
        device: String,
    },
    EndPush {
        endpoint: String,
    },
    Consents {},
    Consent {
        purpose: String,
        granted: bool,
    },
    Ask {
        what: Kind,
    },
    Export {},
    FetchExport {
        token: Option<String>,
    },
}

/// Reads a request. A refusal repeats nothing of it: it may hold a password.
pub(super) fn parse(body: &[u8]) -> Result<Requested, String> {
    let body: Body = serde_json::from_slice(body).map_err(|_| {
        "expected {action: password, email, password}, {action: code, email}, \
         {action: verify, email, code}, {action: refresh}, {action: signOut}, \
         {action: push, subscription, device}, {action: endPush, endpoint}, {action: consents}, \
         {action: consent, purpose, granted}, {action: ask, what: export or erasure}, \
         {action: export} or {action: fetchExport, token}"
            .to_owned()
    })?;
    Ok(match body {
        Body::Password { email, password } => Requested::Password {
            email: Email::parse(&email)?,
            password: taken(password)?,
        },
        Body::Code { email } => Requested::Code {
            email: Email::parse(&email)?,
        },
        Body::Verify { email, code } => Requested::Verify {
            email: Email::parse(&email)?,
            code: Code::parse(&code),
        },
        Body::Refresh {} => Requested::Refresh,
        Body::SignOut {} => Requested::SignOut,
        Body::Push {
            subscription,
            device,
        } => Requested::Push {
            subscription,
            device,
        },
        Body::EndPush { endpoint } => Requested::EndPush { endpoint },
        Body::Consents {} => Requested::OwnData(OwnData::Consents),
        Body::Consent { purpose, granted } => {
            Requested::OwnData(OwnData::Consent { purpose, granted })
        }
        Body::Ask { what } => Requested::OwnData(OwnData::Ask { what }),
        Body::Export {} => Requested::OwnData(OwnData::Export),
        Body::FetchExport { token } => Requested::OwnData(OwnData::FetchExport { token }),
    })
}

fn taken(password: String) -> Result<String, String> {
    if password.is_empty() || password.len() > PASSWORD_LIMIT {
        return Err(format!(
            "password must have 1 to {PASSWORD_LIMIT} bytes, got {}",
            password.len()
        ));
    }
    Ok(password)
}

impl Email {
    /// In lower case, as Auth compares addresses.
    fn parse(text: &str) -> Result<Self, String> {
        let address = text.trim().to_lowercase();
        let is_plausible = address.len() <= ADDRESS_LIMIT
            && address.split_once('@').is_some_and(|(user, host)| {
                !user.is_empty() && !host.is_empty() && !host.contains('@')
            })
            && !address.contains(|letter: char| letter.is_whitespace() || letter.is_control());
        if is_plausible {
            Ok(Self(address))
        } else {
            let shown = plain_text::cut(&plain_text::line(text), 100);
            Err(format!("email must be an address, got {shown}"))
        }
    }
}

impl Code {
    /// Without the blanks and lines that mails show codes with. What cannot be a code is
    /// wrong like any other, and Auth need not be asked.
    fn parse(text: &str) -> Self {
        let typed = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-');
        let digits: String = typed.take(CODE_DIGITS.end() + 1).collect();
        let is_code = CODE_DIGITS.contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit());
        Self(is_code.then_some(digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        match parse(body.as_bytes()) {
            Ok(_) => panic!("{body} was taken"),
            Err(reason) => reason,
        }
    }

    #[test]
    fn addresses_are_one_whatever_their_case_and_blanks() {
        for (text, expected) in [
            (" Anna@Wine.Example ", Some("anna@wine.example")),
            ("ÄNNA@wine.example", Some("änna@wine.example")),
            ("安娜@例え.jp", Some("安娜@例え.jp")),
            ("a@b", Some("a@b")),
            ("", None),
            ("@", None),
            ("a@", None),
            ("@b", None),
            ("a@b@c", None),
            ("a b@c", None),
            ("a@b\u{0}", None),
            ("a@b\nbcc: c@d", None),
        ] {
            let email = Email::parse(text).ok().map(|Email(address)| address);
            assert_eq!(email.as_deref(), expected, "{text:?}");
        }
        assert!(Email::parse(&format!("{}@b", "a".repeat(300))).is_err());
    }

    #[test]
    fn a_code_is_read_with_the_blanks_that_mails_show() {
        for (text, expected) in [
            ("123456", Some("123456")),
            (" 123 456 ", Some("123456")),
            ("123-456", Some("123456")),
            ("1234567890", Some("1234567890")),
            ("12345", None),
            ("12345678901", None),
            ("12345a", None),
            ("१२३४५६", None),
            ("", None),
        ] {
            assert_eq!(Code::parse(text).0.as_deref(), expected, "{text:?}");
        }
        assert_eq!(Code::parse(&"1".repeat(1 << 20)), Code(None));
    }

    #[test]
    fn what_is_no_request_is_refused_and_never_repeated() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"action":"dance"}"#,
            r#"{"action":"password","email":"a@b","password":"hunter2","extra":1}"#,
            r#"{"action":"password","email":"a@b"}"#,
            r#"{"action":"password","email":["a@b"],"password":"hunter2"}"#,
            r#"{"action":"refresh","token":"hunter2"}"#,
        ] {
            let reason = refused(body);
            assert!(reason.starts_with("expected {action"), "{body}: {reason}");
            assert!(!reason.contains("hunter2"));
        }
        let long = format!(
            r#"{{"action":"password","email":"a@b","password":"{}"}}"#,
            "x".repeat(1_001)
        );
        assert_eq!(
            refused(&long),
            "password must have 1 to 1000 bytes, got 1001"
        );
    }
}
