//! An account with Twilio, and what its API answers.

use http::header;
use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::{form::Form, signature};
use crate::{
    messages::channels::{
        Delivery,
        callback::{Callback, Refused},
        exchange::{Answer, exchange},
    },
    variables::Reader,
};

/// An account, and who sends.
#[derive(Debug)]
pub(super) struct Account {
    sid: String,
    token: SecretString,
    from: String,
    api_url: Url,
}

impl Account {
    pub(super) fn read(read: &mut Reader) -> Option<Self> {
        read.requires_all(&["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"])?;
        let sid = read.text("TWILIO_ACCOUNT_SID");
        let sid = sid.and_then(|text| read.keep("TWILIO_ACCOUNT_SID", account_sid(text)));
        let token = read.key("TWILIO_AUTH_TOKEN");
        let from = read.text("TWILIO_FROM");
        let from = from.and_then(|text| read.keep("TWILIO_FROM", sender(text)));
        Some(Self {
            sid: sid?,
            token: token?,
            from: from?,
            api_url: read.url_or("TWILIO_API_URL", "https://api.twilio.com")?,
        })
    }

    /// The account where it can make calls: a messaging service has no number.
    pub(super) fn with_a_number(self) -> Option<Self> {
        self.from.starts_with('+').then_some(self)
    }

    pub(super) async fn text(
        &self,
        to: &str,
        body: &str,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Delivery {
        let from = if self.from.starts_with('+') {
            "From"
        } else {
            "MessagingServiceSid"
        };
        let form = [("To", to), (from, self.from.as_str()), ("Body", body)];
        self.post("Messages", &form, outbound, deadline).await
    }

    pub(super) async fn call(
        &self,
        to: &str,
        twiml: &str,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Delivery {
        let form = [("To", to), ("From", self.from.as_str()), ("Twiml", twiml)];
        self.post("Calls", &form, outbound, deadline).await
    }

    /// Asks Twilio whose credentials these are: why they cannot be used, in our own words.
    pub(super) async fn identify(
        &self,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Result<(), &'static str> {
        let answer = async {
            let request = outbound.client()?.get(format!("{}.json", self.url()));
            exchange(self.signed(request), deadline).await
        };
        let answer = answer.await.map_err(Failure::as_str)?;
        judge(&answer).accepted()
    }

    /// The fields of a call that this account's token signed.
    pub(super) fn proven(&self, call: &Callback<'_>) -> Result<Form, Refused> {
        let form: Form = form_urlencoded::parse(call.body).into_owned().collect();
        let presented = call.header("x-twilio-signature").unwrap_or_default();
        if signature::proves(self.token.expose_secret(), call.url, &form, presented) {
            Ok(form)
        } else {
            Err(Refused::Wrong)
        }
    }

    async fn post(
        &self,
        resource: &str,
        form: &[(&str, &str)],
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Delivery {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let answer = async {
            let request = outbound
                .client()?
                .post(format!("{}/{resource}.json", self.url()))
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body);
            exchange(self.signed(request), deadline).await
        };
        match answer.await {
            Ok(answer) => judge(&answer),
            Err::<_, Failure>(failure) => failure.into(),
        }
    }

    fn url(&self) -> String {
        let base = self.api_url.as_str().trim_end_matches('/');
        format!("{base}/2010-04-01/Accounts/{}", self.sid)
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.sid, Some(self.token.expose_secret()))
    }
}

/// What becomes of a message that addresses nobody with a phone.
pub(super) fn nobody() -> Delivery {
    Delivery::Dead {
        status: None,
        error: "nobody whom it addresses has a phone",
    }
}

fn account_sid(text: String) -> Result<String, &'static str> {
    if is_sid(&text, "AC") {
        Ok(text)
    } else {
        Err("not an account, `AC…` and 32 hexadecimal digits")
    }
}

fn sender(text: String) -> Result<String, &'static str> {
    let number = text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if number || is_sid(&text, "MG") {
        Ok(text)
    } else {
        Err("neither a number, `+…`, nor a messaging service, `MG…`")
    }
}

fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// What an answer means. Twilio's own codes tell a number that can never be reached from
/// a fault of the account, which somebody can repair.
pub(super) fn judge(answer: &Answer) -> Delivery {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let failed = matches!(body["status"].as_str(), Some("failed" | "canceled"));
    match (answer.status.as_u16(), body["sid"].as_str()) {
        (200..=299, Some(_)) if failed => answer.dead("twilio failed to send it"),
        (200..=299, Some(sid)) => Delivery::Sent {
            provider_id: Some(sid.chars().take(200).collect()),
        },
        (200..=299, None) => answer.retry("something else than twilio answered"),
        (408, _) => answer.retry("timeout"),
        (429, _) => answer.limited(),
        (500..=599, _) => answer.retry("twilio fails"),
        (401 | 403, _) => answer.refused("twilio refused the account's token"),
        (404 | 405, _) => answer.refused("twilio has no such account or endpoint"),
        (400, _) => refused(answer, body["code"].as_u64()),
        _ => answer.dead("twilio refused the message"),
    }
}

/// Codes of twilio.com/docs/api/errors.
fn refused(answer: &Answer, code: Option<u64>) -> Delivery {
    match code {
        Some(20_429 | 14_107 | 63_038) => answer.limited(),
        Some(21_211 | 21_217 | 21_401 | 21_614) => {
            answer.dead("the number cannot be reached by twilio")
        }
        Some(21_610) => answer.dead("the number has unsubscribed: it has to text START"),
        // Somebody has to repair the account; then it works.
        Some(20_003 | 21_212 | 21_215 | 21_408 | 21_606 | 21_608 | 21_659 | 21_210) => {
            answer.refused("twilio does not let this account send there")
        }
        _ => answer.dead("twilio does not accept the message"),
    }
}
