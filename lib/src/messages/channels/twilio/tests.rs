use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, StatusCode};
use ring::hmac;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::*;
use crate::{
    fake_server::{self, Reply, Server},
    messages::{
        channels::{
            Place,
            callback::{About, Does, ProviderAnswer},
            exchange::Answer,
        },
        message::{Content, Message},
        message_facts::Facts,
        message_links::{Link, Places},
    },
};

const SID: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "the-account-token";
const QUEUED: &str = r#"{"sid":"SM1","status":"queued","error_code":null}"#;

fn account(url: &str) -> Account {
    let variables = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_FROM", "+15005550006"),
        ("TWILIO_API_URL", url),
    ];
    fake_server::opened(&variables, Account::read)
}

fn content(over: &Value) -> Content {
    let mut row = json!({
        "alert": "0b0e7c1e-0000-4000-8000-000000000001", "rule": "app_down", "kind": "escalation",
        "subject": "https://wine.example/", "severity": "critical", "code": "4711",
        "since": "2026-11-24T03:12:07Z", "openedAt": "2026-11-24T03:14:08Z",
        "recipients": {"usual": false, "people": [{"name": "Anna", "role": "on_call_primary",
            "addresses": {"sms": "+4915112345678", "voice": "+4930123456"}}]},
    });
    for (key, value) in over.as_object().unwrap() {
        row[key] = value.clone();
    }
    let mut message = Message::new(&Facts::read(&row), Places::default());
    message.links.insert(
        0,
        Link {
            label: "Acknowledge",
            url: "https://ops.wine.example/api/alerts/acknowledge?token=t0k3n".to_owned(),
        },
    );
    Content::Message(message)
}

async fn send(sender: &dyn Sender, content: &Content, deadline: Deadline) -> Delivery {
    let outgoing = Outgoing {
        content,
        key: "m",
        place: &Place::Anew,
    };
    sender.send(outgoing, &Outbound::default(), deadline).await
}

#[test]
fn a_text_says_what_since_when_and_how_to_answer() {
    assert_eq!(
        text::of(&content(&json!({}))),
        "Critical: https://wine.example/ is down\n\
         Since 2026-11-24 03:12 UTC.\n\
         Reply 4711 to take it.\n\
         https://ops.wine.example/api/alerts/acknowledge?token=t0k3n"
    );
    let long = json!({"rule": "external", "title": "cellar ".repeat(200)});
    let text = text::of(&content(&long));
    assert!(
        text.lines().next().unwrap().chars().count() <= 240,
        "{text}"
    );
}

#[test]
fn a_call_reads_it_twice_and_takes_a_digit() {
    let hostile = json!({"rule": "external", "title": "</Say><Hangup/> & <Dial>1</Dial>"});
    let speech = speech::of(&content(&hostile));
    assert!(
        !speech.contains("<Hangup") && !speech.contains("<Dial"),
        "{speech}"
    );
    insta::assert_snapshot!(speech::of(&content(&json!({}))), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Gather numDigits="1" timeout="8" action="https://ops.wine.example/api/alerts/acknowledge?token=t0k3n&amp;channel=voice" method="POST"><Say voice="Polly.Joanna" language="en-US">Critical alert. https://wine.example/ is down. Since 2026-11-24 03:12 UTC.</Say><Say voice="Polly.Joanna" language="en-US">Press 1 to take it. Nobody else is called then.</Say><Say voice="Polly.Joanna" language="en-US">Critical alert. https://wine.example/ is down. Since 2026-11-24 03:12 UTC.</Say><Say voice="Polly.Joanna" language="en-US">Press 1 to take it. Nobody else is called then.</Say></Gather><Say voice="Polly.Joanna" language="en-US">Nobody has taken it. The next person is called.</Say></Response>"#);
}

#[tokio::test]
async fn a_text_and_a_call_go_to_the_phone_of_whom_they_address() {
    let server = Server::start([Reply::new(201, QUEUED), Reply::new(201, QUEUED)]).await;
    let deadline = Deadline::after(Duration::from_secs(10));
    let senders: [(Box<dyn Sender>, &str, &str); 2] = [
        (
            Box::new(Texts(account(&server.url("")))),
            "Messages",
            "+4915112345678",
        ),
        (
            Box::new(Calls(account(&server.url("")))),
            "Calls",
            "+4930123456",
        ),
    ];
    for (nth, (sender, resource, to)) in senders.iter().enumerate() {
        let delivery = send(sender.as_ref(), &content(&json!({})), deadline).await;
        let sent = Delivery::Sent {
            provider_id: Some("SM1".into()),
        };
        assert_eq!(delivery, sent);
        let request = &server.requests()[nth];
        let path = format!("POST /2010-04-01/Accounts/{SID}/{resource}.json ");
        assert!(request.head.starts_with(&path), "{}", request.head);
        let credentials = BASE64_STANDARD.encode(format!("{SID}:{TOKEN}"));
        let basic = format!("Basic {credentials}");
        assert_eq!(request.header("authorization"), Some(basic.as_str()));
        let form: form::Form = form_urlencoded::parse(&request.body).into_owned().collect();
        assert_eq!(form["To"], *to);
        assert_eq!(form["From"], "+15005550006");
        let nobody = json!({"recipients": {"people": [{"name": "Bo"}]}});
        let delivery = send(sender.as_ref(), &content(&nobody), deadline).await;
        assert_eq!(delivery, account::nobody());
    }
    assert_eq!(server.requests().len(), 2, "nobody is texted by chance");
}

fn refused(status: u16, error: &'static str) -> Delivery {
    Delivery::Refused {
        after: None,
        status: Some(status),
        error,
    }
}

fn dead(status: u16, error: &'static str) -> Delivery {
    Delivery::Dead {
        status: Some(status),
        error,
    }
}

#[tokio::test]
async fn twilios_codes_tell_a_bad_number_from_a_bad_account() {
    let code = |code: u32| format!(r#"{{"code":{code},"message":"no","status":400}}"#);
    let retry = |status, error| Delivery::Retry {
        after: None,
        status: Some(status),
        error,
    };
    for (reply, expected) in [
        (
            Reply::new(400, &code(21_211)),
            dead(400, "the number cannot be reached by twilio"),
        ),
        (
            Reply::new(400, &code(21_610)),
            dead(400, "the number has unsubscribed: it has to text START"),
        ),
        (
            Reply::new(400, &code(21_606)),
            refused(400, "twilio does not let this account send there"),
        ),
        (
            Reply::new(400, &code(21_617)),
            dead(400, "twilio does not accept the message"),
        ),
        (
            Reply::new(401, &code(20_003)),
            refused(401, "twilio refused the account's token"),
        ),
        (Reply::new(429, &code(20_429)), refused(429, "rate limited")),
        (
            Reply::new(200, r#"{"sid":"SM1","status":"failed"}"#),
            dead(200, "twilio failed to send it"),
        ),
        (
            Reply::new(201, "{}"),
            retry(201, "something else than twilio answered"),
        ),
        (
            Reply::new(202, ""),
            retry(202, "something else than twilio answered"),
        ),
        (Reply::new(503, ""), retry(503, "twilio fails")),
        (Reply::Hang, Delivery::unanswered("timeout")),
    ] {
        let deadline = Deadline::after(reply.patience());
        let server = Server::start([reply]).await;
        let texts = Texts(account(&server.url("")));
        let delivery = send(&texts, &content(&json!({})), deadline).await;
        assert_eq!(delivery, expected);
    }
}

#[test]
fn every_status_has_a_verdict_and_only_success_is_sent() {
    for status in 100..=599 {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: QUEUED.into(),
        };
        let sent = account::judge(&answer).is_sent();
        assert_eq!(sent, (200..=299).contains(&status), "{status}");
    }
}

/// A call of that form to that address, signed by that token.
fn called(
    sender: &dyn Sender,
    url: &str,
    form: &[(&str, &str)],
    token: &str,
) -> Result<(Vec<ProviderAnswer>, String), Refused> {
    let sorted: form::Form = form
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let signed = sorted
        .iter()
        .fold(url.to_owned(), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let tag = BASE64_STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert("x-twilio-signature", tag.parse().unwrap());
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let call = Callback {
        url,
        headers: &headers,
        body: body.as_bytes(),
    };
    let called = sender.called_back(&call)?;
    let said = called.reply.said("SAID");
    let said = String::from_utf8(said.into_body().to_vec()).unwrap();
    Ok((called.answers, said))
}

#[test]
fn a_reply_is_the_code_of_a_message_or_a_yes() {
    let texts = Texts(account("https://api.twilio.com"));
    let url = "https://ops.wine.example/api/alerts/acknowledge?channel=sms";
    for (body, code) in [
        ("4711", Some(Some("4711"))),
        (" Take 4711 please", Some(Some("4711"))),
        ("OK", Some(None)),
        ("ack ", Some(None)),
        ("no", None),
        ("", None),
        ("47", None),
        ("4711 and 4712", None),
        ("\u{661}\u{662}\u{663}\u{664}", None),
    ] {
        let form = [
            ("From", "+4915112345678"),
            ("Body", body),
            ("MessageSid", "SM9"),
        ];
        let (answers, said) = called(&texts, url, &form, TOKEN).unwrap();
        let expected = code.map(|code| ProviderAnswer {
            about: About::Address {
                address: "+4915112345678".into(),
                code: code.map(str::to_owned),
            },
            does: Does::Acknowledge,
            by: None,
            event: "SM9".into(),
        });
        let understood = expected.is_some();
        assert_eq!(answers, Vec::from_iter(expected), "{body}");
        assert_eq!(
            said.contains("<Message>SAID</Message>"),
            understood,
            "{said}"
        );
        assert_eq!(said.contains("four digits"), !understood, "{said}");
    }
    assert_eq!(
        called(&texts, url, &[("Body", "4711")], TOKEN),
        Err(Refused::Unreadable)
    );
    assert_eq!(
        called(&texts, url, &[("Body", "4711")], "another token"),
        Err(Refused::Wrong)
    );
}

#[test]
fn a_1_takes_the_alert_of_the_call_and_nothing_else_does() {
    let calls = Calls(account("https://api.twilio.com"));
    let url = "https://ops.wine.example/api/alerts/acknowledge?token=t0k3n&channel=voice";
    for (digits, taken) in [("1", true), ("2", false), ("", false), ("11", false)] {
        let form = [("CallSid", "CA1"), ("Digits", digits)];
        let (answers, said) = called(&calls, url, &form, TOKEN).unwrap();
        let expected = taken.then(|| ProviderAnswer {
            about: About::Token("t0k3n".into()),
            does: Does::Acknowledge,
            by: None,
            event: "CA1".into(),
        });
        assert_eq!(answers, Vec::from_iter(expected), "{digits}");
        assert!(said.contains("SAID"), "{said}");
    }
    let without = "https://ops.wine.example/api/alerts/acknowledge?channel=voice";
    let form = [("CallSid", "CA1"), ("Digits", "1")];
    assert_eq!(
        called(&calls, without, &form, TOKEN),
        Err(Refused::Unreadable)
    );
    assert_eq!(called(&calls, url, &form, "other"), Err(Refused::Wrong));
}

#[test]
fn a_messaging_service_makes_no_calls_and_odd_accounts_are_closed() {
    let read = |from: &str| {
        let variables = [
            ("TWILIO_ACCOUNT_SID", SID),
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_FROM", from),
        ];
        fake_server::opened(&variables, |read| {
            let account = Account::read(read);
            Some(account.map(|account| account.with_a_number().is_some()))
        })
    };
    assert_eq!(read("+15005550006"), Some(true));
    assert_eq!(read(&SID.replace("AC", "MG")), Some(false));
    for from in ["15005550006", "+1500555OOO6", "Wine", "+1", "MG1"] {
        assert_eq!(read(from), None, "{from}");
    }
}
