use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::{
    fake_server::{self, Received, Reply, Server},
    messages::{
        channels::{
            callback::{About, Does, ProviderAnswer},
            exchange::Answer,
        },
        message::{Digest, Message},
        message_facts::Facts,
        message_links::{self, Link, Places},
    },
};

const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const CHAT: &str = "-1001234567890";
const SECRET: &str = "the_webhook-secret";
const ALERT: Uuid = Uuid::from_u128(7);
const MESSAGE: Uuid = Uuid::from_u128(8);
const WRITTEN: &str = r#"{"ok":true,"result":{"message_id":42,"chat":{"id":-1001234567890}}}"#;

fn telegram(server: &Server) -> Telegram {
    let url = server.url("");
    let variables = [
        ("TELEGRAM_BOT_TOKEN", TOKEN),
        ("TELEGRAM_CHAT_ID", CHAT),
        ("TELEGRAM_WEBHOOK_SECRET", SECRET),
        ("TELEGRAM_API_URL", url.as_str()),
    ];
    fake_server::opened(&variables, Telegram::read)
}

fn facts(over: &Value) -> Facts {
    let mut row = json!({
        "alert": ALERT, "rule": "app_down", "kind": "firing", "subject": "https://wine.example/",
        "severity": "critical", "since": "2026-11-24T03:12:07Z", "reason": "http_status",
        "detail": {"url": "https://wine.example/", "statusCode": 503},
        "recipients": {"usual": true, "people": [
            {"name": "Anna <b>", "role": "on_call_primary", "addresses": {"telegram": "4711"}},
            {"name": "Bo", "role": "cto", "addresses": {}},
        ]},
    });
    for (key, value) in over.as_object().unwrap() {
        row[key] = value.clone();
    }
    Facts::read(&row)
}

fn content(over: &Value) -> Content {
    let base = "https://ops.wine.example/".parse().unwrap();
    let places = Places {
        base: Some(&base),
        runbook: None,
    };
    let mut message = Message::new(&facts(over), places);
    if message.kind.is_open() {
        let answers = [message_links::ACKNOWLEDGE, message_links::SNOOZE].map(|label| Link {
            label,
            url: format!("https://ops.wine.example/api/alerts/acknowledge?token={label}"),
        });
        message.links.splice(0..0, answers);
    }
    Content::Message(message)
}

#[test]
fn a_message_has_its_buttons_below_and_calls_whom_it_addresses() {
    let text = text::of(&content(&json!({})), Some("data"));
    insta::assert_json_snapshot!(text.laid_out, @r#"
    {
      "text": "<a href=\"tg://user?id=4711\">Anna &lt;b&gt;</a>\n<b>🔴 Critical: https://wine.example/ is down</b>\n<b>Since</b>: 2026-11-24 03:12 UTC\n<b>Asked</b>: Anna &lt;b&gt; (on-call primary), Bo (CTO)\n<b>Found</b>: answered 503\n<b>Affects</b>: everybody who opens this page",
      "parse_mode": "HTML",
      "link_preview_options": {
        "is_disabled": true
      },
      "reply_markup": {
        "inline_keyboard": [
          [
            {
              "text": "Acknowledge",
              "callback_data": "data"
            },
            {
              "text": "Snooze",
              "url": "https://ops.wine.example/api/alerts/acknowledge?token=Snooze"
            }
          ],
          [
            {
              "text": "Open alert",
              "url": "https://ops.wine.example/dashboard#alert=00000000-0000-0000-0000-000000000007"
            },
            {
              "text": "Runbook",
              "url": "https://ops.wine.example/runbook.html#app_down"
            }
          ]
        ]
      }
    }
    "#);
    insta::assert_snapshot!(text.plain["text"].as_str().unwrap(), @r"
    Anna <b>
    🔴 Critical: https://wine.example/ is down
    Since: 2026-11-24 03:12 UTC
    Asked: Anna <b> (on-call primary), Bo (CTO)
    Found: answered 503
    Affects: everybody who opens this page
    Acknowledge: https://ops.wine.example/api/alerts/acknowledge?token=Acknowledge
    Snooze: https://ops.wine.example/api/alerts/acknowledge?token=Snooze
    Open alert: https://ops.wine.example/dashboard#alert=00000000-0000-0000-0000-000000000007
    Runbook: https://ops.wine.example/runbook.html#app_down
    ");
}

#[test]
fn without_a_way_back_the_button_is_a_link_and_an_end_has_none() {
    let keyboard = |over: &Value, data: Option<&str>| {
        let text = text::of(&content(over), data);
        text.laid_out["reply_markup"]["inline_keyboard"].clone()
    };
    let link = "https://ops.wine.example/api/alerts/acknowledge?token=Acknowledge";
    assert_eq!(keyboard(&json!({}), None)[0][0]["url"], link);
    let end = keyboard(&json!({"kind": "resolved"}), None);
    assert_eq!(end[0][0]["text"], "Open alert");
    let end = text::of(&content(&json!({"kind": "resolved"})), None);
    let end = end.laid_out["text"].as_str().unwrap();
    assert!(!end.contains("tg://"), "nobody is called for an end: {end}");
}

#[test]
fn only_a_number_becomes_a_mention() {
    for (id, called) in [
        ("4711", true),
        ("", false),
        ("4\">", false),
        ("\u{664}", false),
    ] {
        let people =
            json!({"recipients": {"people": [{"name": "Anna", "addresses": {"telegram": id}}]}});
        let text = text::of(&content(&people), None).laid_out;
        let text = text["text"].as_str().unwrap();
        assert_eq!(text.contains("tg://user"), called, "{id}: {text}");
    }
}

#[test]
fn a_button_brings_back_what_fits_and_what_is_over_has_none() {
    let data = callback::data(Uuid::max(), Uuid::max());
    assert!(data.len() <= 64, "{data}");
    let secret = fake_server::opened(
        &[("TELEGRAM_BOT_TOKEN", TOKEN), ("TELEGRAM_CHAT_ID", CHAT)],
        Telegram::read,
    );
    let key = MESSAGE.to_string();
    for (over, key, expected) in [
        (json!({}), key.as_str(), true),
        (json!({"kind": "resolved"}), &key, false),
        (json!({"kind": "notice"}), &key, false),
        (json!({"alert": null}), &key, false),
        (json!({}), "digest-0011", false),
    ] {
        let content = content(&over);
        let outgoing = Outgoing {
            content: &content,
            key,
            place: &Place::Anew,
        };
        let with = Telegram {
            bot: fake_server::opened(
                &[("TELEGRAM_BOT_TOKEN", TOKEN), ("TELEGRAM_CHAT_ID", CHAT)],
                Bot::read,
            ),
            webhook_secret: Some(SECRET.to_owned().into()),
        };
        assert_eq!(with.data(outgoing).is_some(), expected, "{over} {key}");
        assert_eq!(secret.data(outgoing), None);
    }
}

#[test]
fn a_digest_shows_what_fits_and_counts_the_rest() {
    let long = facts(&json!({"rule": "external", "title": "cellar ".repeat(40)}));
    let items = vec![long; 60];
    let digest = Content::Digest(Digest::new(&items, Places::default()));
    let text = text::of(&digest, None);
    for text in [&text.laid_out["text"], &text.plain["text"]] {
        let text = text.as_str().unwrap();
        assert!(text.contains("\n\n… and "), "{text}");
        assert!(
            text.contains("Daily digest: 60 alerts, 0 resolved"),
            "{text}"
        );
    }
    let plain = text.plain["text"].as_str().unwrap();
    assert!((3_000..=4_096).contains(&plain.encode_utf16().count()));
}

async fn write(replies: Vec<Reply>, place: &Place) -> (Delivery, Vec<Received>) {
    let patience = replies.iter().map(Reply::patience);
    let deadline = Deadline::after(patience.min().unwrap());
    let server = Server::start(replies).await;
    let content = content(&json!({}));
    let outgoing = Outgoing {
        content: &content,
        key: &MESSAGE.to_string(),
        place,
    };
    let delivery = telegram(&server)
        .send(outgoing, &Outbound::default(), deadline)
        .await;
    let told = format!("{delivery:?}");
    assert!(
        !told.contains("AAHdq") && !told.contains(CHAT.trim_start_matches('-'))
            || delivery.is_sent(),
        "{told}"
    );
    (delivery, server.requests())
}

fn written() -> Delivery {
    Delivery::Sent {
        provider_id: Some(format!("{CHAT}:42")),
    }
}

fn first() -> String {
    format!("{CHAT}:17")
}

fn refusal(status: u16, description: &str) -> Reply {
    let body = json!({"ok": false, "error_code": status, "description": description});
    Reply::new(status, &body.to_string())
}

#[tokio::test]
async fn a_place_decides_how_telegram_is_called() {
    let answers = json!({"message_id": 17, "allow_sending_without_reply": true});
    for (place, method, reply, edited) in [
        (Place::Anew, "sendMessage", Value::Null, Value::Null),
        (
            Place::Thread(first()),
            "sendMessage",
            answers.clone(),
            Value::Null,
        ),
        (
            Place::Broadcast(first()),
            "sendMessage",
            answers,
            Value::Null,
        ),
        (
            Place::Instead(first()),
            "editMessageText",
            Value::Null,
            json!(17),
        ),
        // What stands in another chat is neither answered nor changed.
        (
            Place::Thread("-5:17".into()),
            "sendMessage",
            Value::Null,
            Value::Null,
        ),
        (
            Place::Instead("17".into()),
            "sendMessage",
            Value::Null,
            Value::Null,
        ),
    ] {
        let (delivery, requests) = write(vec![Reply::new(200, WRITTEN)], &place).await;
        assert_eq!(delivery, written(), "{place:?}");
        let start = format!("POST /bot{TOKEN}/{method} ");
        assert!(requests[0].head.starts_with(&start), "{place:?}");
        let body = requests[0].json();
        assert_eq!(body["chat_id"], CHAT);
        assert_eq!(
            (&body["reply_parameters"], &body["message_id"]),
            (&reply, &edited)
        );
        assert_eq!(body["parse_mode"], "HTML");
    }
}

#[tokio::test]
async fn what_is_not_laid_out_is_sent_as_plain_text_once() {
    for description in [
        "Bad Request: can't parse entities: Unexpected end tag at byte offset 4",
        "Bad Request: BUTTON_URL_INVALID",
        "Bad Request: inline keyboard button URL 'http://127.0.0.1' is invalid: Wrong HTTP URL",
    ] {
        let replies = vec![refusal(400, description), Reply::new(200, WRITTEN)];
        let (delivery, requests) = write(replies, &Place::Thread(first())).await;
        assert_eq!(delivery, written(), "{description}");
        let plain = requests[1].json();
        assert_eq!(
            (&plain["parse_mode"], &plain["reply_markup"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(plain["reply_parameters"]["message_id"], 17);
        assert!(
            plain["text"]
                .as_str()
                .unwrap()
                .contains("\nAcknowledge: https://")
        );
        let replies = vec![refusal(400, description), refusal(400, description)];
        let (delivery, requests) = write(replies, &Place::Anew).await;
        assert!(matches!(delivery, Delivery::Dead { .. }), "{delivery:?}");
        assert_eq!(requests.len(), 2);
    }
}

#[tokio::test]
async fn a_change_to_the_same_words_is_made_and_one_of_what_is_gone_is_said_anew() {
    let same = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";
    let place = Place::Instead(first());
    let (delivery, requests) = write(vec![refusal(400, same)], &place).await;
    let sent = Delivery::Sent {
        provider_id: Some(first()),
    };
    assert_eq!((delivery, requests.len()), (sent, 1));
    for gone in [
        "Bad Request: message to edit not found",
        "Bad Request: message can't be edited",
    ] {
        let replies = vec![refusal(400, gone), Reply::new(200, WRITTEN)];
        let (delivery, requests) = write(replies, &place).await;
        assert_eq!(delivery, written(), "{gone}");
        assert!(requests[1].head.contains("/sendMessage "));
        assert_eq!(requests[1].json()["message_id"], Value::Null);
    }
}

async fn check_refusal(reply: Reply, expected: Delivery) {
    let (delivery, requests) = write(vec![reply], &Place::Anew).await;
    assert_eq!(delivery, expected);
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn what_has_to_be_repaired_is_refused_in_words() {
    let refused = |status, after: Option<u64>, error| Delivery::Refused {
        after: after.map(Duration::from_secs),
        status: Some(status),
        error,
    };
    let removed = "the bot may not write there: it was removed or blocked";
    let rights = "the bot may not write there: it needs the right to";
    for (status, description, error) in [
        (401, "Unauthorized", "telegram refused the bot's token"),
        (
            403,
            "Forbidden: bot was kicked from the supergroup chat",
            removed,
        ),
        (403, "Forbidden: bot was blocked by the user", removed),
        (
            400,
            "Bad Request: chat not found",
            "the chat does not exist, or not for the bot",
        ),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
            rights,
        ),
        (400, "Bad Request: have no rights to send a message", rights),
        (
            404,
            "Not Found",
            "telegram knows no such bot: check its token and the API's URL",
        ),
    ] {
        check_refusal(refusal(status, description), refused(status, None, error)).await;
    }
    let limit = json!({"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 5",
                       "parameters": {"retry_after": 5}});
    let limit = Reply::new(429, &limit.to_string());
    check_refusal(limit, refused(429, Some(5), "rate limited")).await;
    let moved = json!({"ok": false, "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": -1009}});
    let error = "the chat became a supergroup and has another id: set TELEGRAM_CHAT_ID to that";
    check_refusal(
        Reply::new(400, &moved.to_string()),
        refused(400, None, error),
    )
    .await;
}

#[tokio::test]
async fn what_is_unclear_is_tried_again_and_what_is_not_taken_is_dead() {
    let retry = |status, error| Delivery::Retry {
        after: None,
        status: Some(status),
        error,
    };
    for body in [
        "",
        "{}",
        "<html>",
        r#"{"ok":true}"#,
        r#"{"ok":true,"result":true}"#,
    ] {
        let other = retry(200, "something else than telegram answered");
        check_refusal(Reply::new(200, body), other).await;
    }
    check_refusal(Reply::new(502, ""), retry(502, "telegram fails")).await;
    check_refusal(Reply::Hang, Delivery::unanswered("timeout")).await;
    check_refusal(Reply::Reset, Delivery::unanswered("reset")).await;
    let dead = Delivery::Dead {
        status: Some(400),
        error: "telegram does not accept the message",
    };
    check_refusal(refusal(400, "Bad Request: message text is empty"), dead).await;
}

#[test]
fn every_status_has_a_verdict_and_only_200_is_sent() {
    for status in 100..=599 {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: WRITTEN.into(),
        };
        let delivery = bot::judge(&answer, CHAT, &Place::Anew).settled();
        assert_eq!(delivery.is_sent(), status == 200, "{status}");
    }
}

#[tokio::test]
async fn telegram_is_asked_whose_token_it_is() {
    let deadline = Deadline::after(Duration::from_secs(5));
    let server = Server::start([
        Reply::new(200, r#"{"ok":true,"result":{"id":1,"is_bot":true}}"#),
        refusal(401, "Unauthorized"),
        Reply::new(200, "<html>"),
    ])
    .await;
    let (telegram, outbound) = (telegram(&server), Outbound::default());
    let asked = || telegram.identify(&outbound, deadline).unwrap();
    assert_eq!(asked().await, Ok(()));
    assert_eq!(asked().await, Err("telegram refused the bot's token"));
    assert_eq!(asked().await, Err("something else than telegram answered"));
    assert!(server.requests()[0].head.contains("/getMe "));
}

#[test]
fn nothing_shows_the_token_or_the_secret() {
    let telegram = fake_server::opened(
        &[
            ("TELEGRAM_BOT_TOKEN", TOKEN),
            ("TELEGRAM_CHAT_ID", CHAT),
            ("TELEGRAM_WEBHOOK_SECRET", SECRET),
        ],
        Telegram::read,
    );
    let shown = format!("{telegram:?}");
    assert!(
        !shown.contains("AAHdq") && !shown.contains(SECRET),
        "{shown}"
    );
}

#[test]
fn variables_that_are_none_close_the_channel() {
    for (token, chat, secret, faults) in [
        (TOKEN, CHAT, SECRET, 0),
        (TOKEN, "4711", "x", 0),
        (TOKEN, "", "", 1),
        ("", CHAT, "", 1),
        ("110201543", CHAT, "", 1),
        ("x:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", CHAT, "", 1),
        ("1:../../AAHdqTcvCH1vGWJxfSeofSAs0K5PA", CHAT, "", 1),
        (TOKEN, "@wine", "", 1),
        (TOKEN, "-0", "", 1),
        (TOKEN, CHAT, "no blanks", 1),
        (TOKEN, CHAT, &"x".repeat(257), 1),
    ] {
        let lookup = |name: &str| {
            let value = match name {
                "TELEGRAM_BOT_TOKEN" => token,
                "TELEGRAM_CHAT_ID" => chat,
                "TELEGRAM_WEBHOOK_SECRET" => secret,
                _ => "",
            };
            Some(value.to_owned())
        };
        let mut read = Reader::new(&lookup);
        let opened = Telegram::read(&mut read);
        assert_eq!(read.faults.len(), faults, "{token} {chat} {secret}");
        // A secret that is none costs the way back alone.
        let closed = faults > 0 && secret.is_empty();
        assert_eq!(opened.is_none(), closed, "{token} {chat} {secret}");
    }
}

fn query(chat: &Value, data: &Value, from: &Value) -> Value {
    json!({"update_id": 1, "callback_query": {
        "id": "4382bfdwdsb323b2d9", "from": from, "data": data,
        "message": {"message_id": 42, "chat": {"id": chat}},
    }})
}

fn called_back(body: &[u8], secret: &str) -> Result<CalledBack, Refused> {
    let mut headers = HeaderMap::new();
    headers.insert("x-telegram-bot-api-secret-token", secret.parse().unwrap());
    let call = Callback {
        url: "https://ops.wine.example/api/alerts/acknowledge?channel=telegram",
        headers: &headers,
        body,
    };
    callback::read(&SECRET.to_owned().into(), CHAT, &call)
}

fn ours() -> Value {
    json!(CHAT.parse::<i64>().unwrap())
}

#[test]
fn a_press_acknowledges_the_alert_of_its_message() {
    let data = json!(callback::data(ALERT, MESSAGE));
    for (from, by) in [
        (
            json!({"id": 1, "first_name": "Anna", "last_name": "Lind"}),
            Some("Anna Lind"),
        ),
        (json!({"id": 1, "first_name": "Anna\u{202e}"}), Some("Anna")),
        (
            json!({"id": 1, "first_name": " ", "username": "anna"}),
            Some("anna"),
        ),
        (json!(null), None),
    ] {
        let body = query(&ours(), &data, &from).to_string();
        let called = called_back(body.as_bytes(), SECRET).unwrap();
        let expected = ProviderAnswer {
            about: About::Message {
                alert: ALERT,
                message: MESSAGE,
            },
            does: Does::Acknowledge,
            by: by.map(str::to_owned),
            event: "4382bfdwdsb323b2d9".into(),
        };
        assert_eq!(called.answers, [expected], "{from}");
        let said = called.reply.said(&"You have it. ".repeat(40));
        assert_eq!(said.status(), StatusCode::OK);
        assert_eq!(said.headers()["content-type"], "application/json");
        let said: Value = serde_json::from_slice(said.body()).unwrap();
        assert_eq!(said["method"], "answerCallbackQuery");
        assert_eq!(said["callback_query_id"], "4382bfdwdsb323b2d9");
        assert!(said["text"].as_str().unwrap().chars().count() <= 200);
    }
}

#[test]
fn what_is_pressed_elsewhere_or_is_no_press_does_nothing() {
    let data = json!(callback::data(ALERT, MESSAGE));
    let from = json!({"id": 1, "first_name": "Anna"});
    for (update, answered) in [
        (query(&json!(-5), &data, &from), false),
        (query(&json!(CHAT), &data, &from), false),
        (query(&json!(null), &data, &from), false),
        (json!({"update_id": 1, "message": {"text": "hello"}}), false),
        (json!([]), false),
        (json!(null), false),
        (query(&ours(), &json!("other"), &from), true),
        (query(&ours(), &json!(null), &from), true),
        (query(&ours(), &json!("A".repeat(44)), &from), true),
    ] {
        let called = called_back(update.to_string().as_bytes(), SECRET).unwrap();
        assert_eq!(called.answers, [], "{update}");
        let said = called.reply.said("");
        assert_eq!(said.status(), StatusCode::OK);
        assert_eq!(!said.body().is_empty(), answered, "{update}");
    }
}

#[test]
fn a_call_is_proven_by_the_whole_secret_alone() {
    let body = json!({"update_id": 1}).to_string();
    assert!(called_back(body.as_bytes(), SECRET).is_ok());
    for secret in [
        "",
        "the_webhook-secre",
        "the_webhook-secret2",
        "THE_WEBHOOK-SECRET",
    ] {
        let refused = called_back(body.as_bytes(), secret);
        assert!(matches!(refused, Err(Refused::Wrong)), "{secret}");
    }
    let unreadable = called_back(b"no json", SECRET);
    assert!(matches!(unreadable, Err(Refused::Unreadable)));
}
