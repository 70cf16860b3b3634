//! Twilio's API: takes texts and calls of one account, answered with 201.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::json;
use url::form_urlencoded;

use super::{Channel, Message, Reply, stand_ins::StandIn};
use crate::{answer, clock, fault::Service};

const FROM: &str = "+15005550006";
const BODY_LIMIT: usize = 1_600;
const TWIML_LIMIT: usize = 4_000;

pub(super) const STAND_IN: StandIn = StandIn {
    service: Service::Twilio,
    replies: |secret| {
        let (sid, token) = (sid(secret), secret.to_owned());
        Box::new(move |request| reply(&sid, &token, request))
    },
    variables: |secret, url| {
        vec![
            ("TWILIO_API_URL", url.to_owned()),
            ("TWILIO_ACCOUNT_SID", sid(secret)),
            ("TWILIO_AUTH_TOKEN", secret.to_owned()),
            ("TWILIO_FROM", FROM.to_owned()),
        ]
    },
};

fn sid(secret: &str) -> String {
    format!("AC{}", secret.chars().take(32).collect::<String>())
}

fn reply(sid: &str, token: &str, request: &Request<Bytes>) -> Reply {
    let credentials = BASE64_STANDARD.encode(format!("{sid}:{token}"));
    let presented = request.headers().get(header::AUTHORIZATION);
    if presented.is_none_or(|value| *value != format!("Basic {credentials}")) {
        return refusal(StatusCode::UNAUTHORIZED, 20_003, "Authenticate").into();
    }
    let account = format!("/2010-04-01/Accounts/{sid}");
    let path = request.uri().path();
    match (request.method(), path.strip_prefix(&account)) {
        (&Method::GET, Some(".json")) => {
            answer::json(StatusCode::OK, &json!({ "sid": sid, "status": "active" })).into()
        }
        (&Method::POST, Some("/Messages.json")) => take(Channel::Sms, "Body", BODY_LIMIT, request),
        (&Method::POST, Some("/Calls.json")) => take(Channel::Voice, "Twiml", TWIML_LIMIT, request),
        _ => refusal(StatusCode::NOT_FOUND, 20_404, "Not found").into(),
    }
}

fn take(channel: Channel, said: &str, limit: usize, request: &Request<Bytes>) -> Reply {
    let form: BTreeMap<String, String> = form_urlencoded::parse(request.body())
        .into_owned()
        .collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let (to, text) = (field("To"), field(said));
    let number = |text: &str| {
        text.strip_prefix('+').is_some_and(|digits| {
            digits.len() >= 7 && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    if !number(to) {
        return refusal(StatusCode::BAD_REQUEST, 21_211, "Invalid 'To' Phone Number").into();
    }
    if field("From") != FROM {
        return refusal(
            StatusCode::BAD_REQUEST,
            21_606,
            "The 'From' phone number is not valid",
        )
        .into();
    }
    if text.is_empty() || text.chars().count() > limit {
        return refusal(
            StatusCode::BAD_REQUEST,
            21_617,
            "The body is too long or empty",
        )
        .into();
    }
    let id = format!("SM{:032x}", clock::now().as_nanosecond());
    Reply {
        response: answer::json(
            StatusCode::CREATED,
            &json!({ "sid": id, "status": "queued", "error_code": null }),
        ),
        message: Some(Message {
            channel,
            at: clock::now(),
            to: to.to_owned(),
            subject: None,
            text: text.to_owned(),
            raw: json!(form),
        }),
    }
}

fn refusal(status: StatusCode, code: u32, message: &str) -> Response<Bytes> {
    let body = json!({ "code": code, "message": message, "status": status.as_u16() });
    answer::json(status, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(credentials: &str, resource: &str, form: &[(&str, &str)]) -> u16 {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = Request::post(format!("/2010-04-01/Accounts/AC1/{resource}.json"))
            .header(
                header::AUTHORIZATION,
                format!("Basic {}", BASE64_STANDARD.encode(credentials)),
            )
            .body(Bytes::from(body))
            .unwrap();
        reply("AC1", "token", &request).response.status().as_u16()
    }

    #[test]
    fn a_text_and_a_call_are_taken_from_the_account_alone() {
        let text = [("To", "+4915112345678"), ("From", FROM), ("Body", "x")];
        let call = [
            ("To", "+4915112345678"),
            ("From", FROM),
            ("Twiml", "<Response/>"),
        ];
        assert_eq!(status("AC1:token", "Messages", &text), 201);
        assert_eq!(status("AC1:token", "Calls", &call), 201);
        assert_eq!(status("AC1:token", "Calls", &text), 400);
        assert_eq!(status("AC1:token", "Faxes", &text), 404);
        assert_eq!(status("AC1:other", "Messages", &text), 401);
        let wrong = [("To", "Anna"), ("From", FROM), ("Body", "x")];
        assert_eq!(status("AC1:token", "Messages", &wrong), 400);
    }
}
