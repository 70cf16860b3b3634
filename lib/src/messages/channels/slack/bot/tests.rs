use std::time::Duration;

use outside::{clock::Deadline, outbound::Outbound};
use serde_json::{Value, json};

use crate::{
    fake_server::{self, Received, Reply, Server},
    messages::channels::{Delivery, Place, Sender, slack::Slack},
};

const POSTED: &str = r#"{"ok":true,"channel":"C0OPS","ts":"1764.2"}"#;

fn slack(server: &Server) -> Slack {
    let variables = [
        ("SLACK_BOT_TOKEN", "xoxb-secret"),
        ("SLACK_CHANNEL_ID", "C0OPS"),
        ("SLACK_API_URL", &server.url("/api/")),
        // The bot wins.
        ("SLACK_WEBHOOK_URL", &server.url("/services/T/B/x")),
    ];
    fake_server::opened(&variables, Slack::read)
}

async fn send(replies: Vec<Reply>, place: &Place) -> (Delivery, Vec<Received>) {
    let patience = replies.iter().map(Reply::patience);
    let deadline = Deadline::after(patience.min().unwrap());
    let server = Server::start(replies).await;
    let payload = json!({"text": "hello", "blocks": []});
    let delivery = slack(&server)
        .post(&payload, place, &Outbound::default(), deadline)
        .await;
    (delivery, server.requests())
}

fn sent() -> Delivery {
    Delivery::Sent {
        provider_id: Some("C0OPS:1764.2".into()),
    }
}

fn refusal(word: &str) -> Reply {
    Reply::new(200, &json!({"ok": false, "error": word}).to_string())
}

async fn check_call(place: Place, method: &str, expected: Value) {
    let (delivery, requests) = send(vec![Reply::new(200, POSTED)], &place).await;
    assert_eq!(delivery, sent(), "{place:?}");
    let request = &requests[0];
    let start = format!("POST /api/{method} ");
    assert!(request.head.starts_with(&start), "{}", request.head);
    assert_eq!(request.header("authorization"), Some("Bearer xoxb-secret"));
    assert_eq!(request.json(), expected, "{place:?}");
}

#[tokio::test]
async fn a_place_decides_how_slack_is_called() {
    let anew = json!({
        "text": "hello", "blocks": [], "channel": "C0OPS",
        "unfurl_links": false, "unfurl_media": false,
    });
    let answering = |broadcast: bool| {
        let mut body = anew.clone();
        body["thread_ts"] = json!("1764.1");
        body["reply_broadcast"] = json!(broadcast);
        body
    };
    let first = || "C0OPS:1764.1".to_owned();
    check_call(Place::Anew, "chat.postMessage", anew.clone()).await;
    let thread = Place::Thread(first());
    check_call(thread, "chat.postMessage", answering(false)).await;
    let broadcast = Place::Broadcast(first());
    check_call(broadcast, "chat.postMessage", answering(true)).await;
    let changed = json!({"text": "hello", "blocks": [], "channel": "C0OPS", "ts": "1764.1"});
    check_call(Place::Instead(first()), "chat.update", changed).await;
}

#[tokio::test]
async fn what_stands_in_another_channel_is_neither_answered_nor_changed() {
    for elsewhere in ["C0OLD:1764.1", "1764.1", ""] {
        let first = elsewhere.to_owned();
        for place in [Place::Thread(first.clone()), Place::Instead(first)] {
            let (delivery, requests) = send(vec![Reply::new(200, POSTED)], &place).await;
            assert_eq!(delivery, sent());
            assert!(requests[0].head.starts_with("POST /api/chat.postMessage "));
            assert_eq!(requests[0].json()["thread_ts"], Value::Null);
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_said_anew() {
    let first = "C0OPS:1764.1".to_owned();
    for (word, place) in [
        ("message_not_found", Place::Instead(first.clone())),
        ("cant_update_message", Place::Instead(first.clone())),
        ("edit_window_closed", Place::Instead(first.clone())),
        ("thread_not_found", Place::Thread(first)),
    ] {
        let (delivery, requests) = send(vec![refusal(word), Reply::new(200, POSTED)], &place).await;
        assert_eq!(delivery, sent(), "{word}");
        let again = &requests[1];
        assert!(again.head.starts_with("POST /api/chat.postMessage "));
        let body = again.json();
        assert_eq!(
            (&body["ts"], &body["thread_ts"]),
            (&Value::Null, &Value::Null)
        );
    }
}

fn retry(status: u16, after: Option<u64>, error: &'static str) -> Delivery {
    Delivery::Retry {
        after: after.map(Duration::from_secs),
        status: Some(status),
        error,
    }
}

fn refused(status: u16, after: Option<u64>, error: &'static str) -> Delivery {
    Delivery::Refused {
        after: after.map(Duration::from_secs),
        status: Some(status),
        error,
    }
}

async fn check_refusal(reply: Reply, expected: Delivery) {
    let (delivery, requests) = send(vec![reply], &Place::Anew).await;
    assert_eq!(delivery, expected);
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn what_may_work_later_is_tried_again() {
    let limited = refusal("ratelimited").header("retry-after: 7");
    check_refusal(limited, refused(429, Some(7), "rate limited")).await;
    let limited = Reply::new(429, r#"{"ok":false,"error":"ratelimited"}"#);
    let limited = limited.header("retry-after: 30");
    check_refusal(limited, refused(429, Some(30), "rate limited")).await;
    for (word, error) in [
        ("invalid_auth", "slack refused the token"),
        ("token_revoked", "slack refused the token"),
        ("not_in_channel", "the bot is not in the channel: invite it"),
        (
            "missing_scope",
            "the bot may not write there: it needs the scope chat:write",
        ),
    ] {
        check_refusal(refusal(word), refused(200, None, error)).await;
    }
    for (word, error) in [
        ("internal_error", "slack fails"),
        ("a_word_of_tomorrow", "slack fails"),
    ] {
        check_refusal(refusal(word), retry(200, None, error)).await;
    }
    let other = retry(200, None, "something else than slack answered");
    check_refusal(Reply::new(200, "<html>"), other).await;
    check_refusal(Reply::new(503, ""), retry(503, None, "slack fails")).await;
    check_refusal(Reply::Reset, Delivery::unanswered("reset")).await;
    check_refusal(Reply::Hang, Delivery::unanswered("timeout")).await;
}

#[tokio::test]
async fn what_slack_will_never_take_is_dead() {
    for (word, error) in [
        (
            "channel_not_found",
            "the channel does not exist, or not for the bot",
        ),
        ("is_archived", "the channel is archived"),
        ("no_text", "slack does not accept the message"),
        (
            "message_not_found",
            "the message that it belongs to is gone",
        ),
    ] {
        let dead = Delivery::Dead {
            status: Some(200),
            error,
        };
        check_refusal(refusal(word), dead).await;
    }
    let redirected = Delivery::Dead {
        status: Some(302),
        error: "slack refused the message",
    };
    check_refusal(Reply::new(302, ""), redirected).await;
}

#[tokio::test]
async fn slack_is_asked_whose_token_it_is() {
    let deadline = Deadline::after(Duration::from_secs(5));
    let server = Server::start([
        Reply::new(200, r#"{"ok":true,"user":"ops"}"#),
        refusal("invalid_auth"),
    ])
    .await;
    let (slack, outbound) = (slack(&server), Outbound::default());
    let asked = || slack.identify(&outbound, deadline).unwrap();
    assert_eq!(asked().await, Ok(()));
    let refused = asked().await;
    assert_eq!(refused, Err("slack refused the token"));
    assert!(
        server.requests()[0]
            .head
            .starts_with("POST /api/auth.test ")
    );
}

#[tokio::test]
async fn what_slack_does_not_lay_out_is_sent_as_plain_text_in_its_place() {
    let replies = vec![refusal("invalid_blocks"), Reply::new(200, POSTED)];
    let place = Place::Thread("C0OPS:1764.1".to_owned());
    let (delivery, requests) = send(replies, &place).await;
    assert_eq!(delivery, sent());
    let plain = requests[1].json();
    assert_eq!(
        (&plain["text"], &plain["blocks"]),
        (&json!("hello"), &Value::Null)
    );
    assert_eq!(plain["thread_ts"], "1764.1");
    // What plain text cannot mend either is dead.
    let replies = vec![refusal("invalid_blocks"), refusal("msg_too_long")];
    let (delivery, requests) = send(replies, &Place::Anew).await;
    assert!(matches!(delivery, Delivery::Dead { .. }), "{delivery:?}");
    assert_eq!(requests.len(), 2);
}
