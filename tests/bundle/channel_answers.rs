//! Each room from the first message to the end: what its provider is told, what people
//! answer there, and what becomes of a message that it does not take.

use http::{Method, StatusCode};
use local_supabase::{
    capture::{Channel, Message, Scripted},
    fault::{Fault, Mode, Service},
};
use ops::endpoint::Endpoint;
use serde_json::{Value, json};
use url::Url;

use crate::{
    answering::{PATH, dispatch, raise},
    support::{Answer, Bundle, call},
};

/// A room that is stood in for.
struct Room {
    channel: Channel,
    service: Service,
    /// Its name within a sentence.
    name: &'static str,
    /// The word of the database, with which its variables begin too.
    word: &'static str,
}

const ROOMS: [Room; 1] = [Room {
    channel: Channel::Ntfy,
    service: Service::Ntfy,
    name: "ntfy",
    word: "ntfy",
}];

/// A bundle with that room and email, and no other channel.
async fn with_room(room: &Room) -> Bundle {
    let mut bundle = Bundle::with_all_channels().await;
    let own = format!("{}_", room.word.to_uppercase());
    let others = [
        "SLACK_",
        "DISCORD_",
        "ALERT_WEBHOOK_",
        "PAGERDUTY_",
        "TWILIO_",
    ];
    let others: Vec<String> = ROOMS
        .iter()
        .map(|room| format!("{}_", room.word.to_uppercase()))
        .chain(others.map(str::to_owned))
        .filter(|prefix| *prefix != own)
        .collect();
    bundle
        .env
        .retain(|name, _| !others.iter().any(|prefix| name.starts_with(prefix)));
    bundle
}

fn on(bundle: &Bundle, channel: Channel) -> Vec<Message> {
    let messages = bundle.stack.inbox().messages().into_iter();
    messages
        .filter(|message| message.channel == channel)
        .collect()
}

async fn rows(bundle: &Bundle, sql: &str) -> Value {
    let sql = format!("select coalesce(jsonb_agg(to_jsonb(row)), '[]')::text from ({sql}) as row");
    let row = bundle.admin().await.query_one(&sql, &[]).await.unwrap();
    serde_json::from_str(row.get(0)).unwrap()
}

/// The alert's state, and who has it.
async fn standing(bundle: &Bundle) -> Value {
    rows(
        bundle,
        "select status, acknowledged_by as by from ops.alerts",
    )
    .await[0]
        .clone()
}

/// Lets so many minutes pass for every message and attempt.
async fn pass(bundle: &Bundle, minutes: u32) {
    let sql = format!(
        "update ops.outbox set next_attempt_at = next_attempt_at - interval '{minutes} min';
         update ops.deliveries set started_at = started_at - interval '{minutes} min'"
    );
    bundle.admin().await.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn a_room_hears_of_a_beginning_and_of_its_end() {
    for room in &ROOMS {
        let bundle = with_room(room).await;
        raise(&bundle, "cellar", "firing").await;
        let told = on(&bundle, room.channel);
        assert_eq!(told.len(), 1, "{}: {told:#?}", room.name);
        raise(&bundle, "cellar", "resolved").await;
        let told = on(&bundle, room.channel);
        let last = told.last().unwrap();
        assert!(told.len() > 1, "{}: {told:#?}", room.name);
        assert!(last.raw.to_string().contains("Resolved"), "{}", last.raw);
    }
}

#[tokio::test]
async fn what_a_room_refuses_waits_and_is_sent_once_it_takes_messages_again() {
    for room in &ROOMS {
        let bundle = with_room(room).await;
        let refusal = Scripted::status(StatusCode::FORBIDDEN);
        bundle.channel(room.service).script([refusal]);
        raise(&bundle, "cellar", "firing").await;
        assert_eq!(on(&bundle, room.channel).len(), 0, "{}", room.name);
        let failed = format!(
            "select outcome, status_code from ops.deliveries where error is not null and message in (select id from ops.outbox where channel = '{}')",
            room.word
        );
        let expected = json!([{"outcome": "refused", "status_code": 403}]);
        assert_eq!(rows(&bundle, &failed).await, expected, "{}", room.name);
        pass(&bundle, 1).await;
        dispatch(&bundle).await;
        assert_eq!(on(&bundle, room.channel).len(), 1, "{}", room.name);
    }
}

#[tokio::test]
async fn a_room_that_asks_for_patience_is_given_it() {
    for room in &ROOMS {
        let bundle = with_room(room).await;
        let limit = Scripted::too_many_requests(120);
        bundle.channel(room.service).script([limit]);
        raise(&bundle, "cellar", "firing").await;
        let wait = format!(
            "select extract(epoch from next_attempt_at - now()) between 100 and 120 as waits
             from ops.outbox where channel = '{}'",
            room.word
        );
        assert_eq!(
            rows(&bundle, &wait).await,
            json!([{"waits": true}]),
            "{}",
            room.name
        );
    }
}

#[tokio::test]
async fn a_slow_room_is_told_once() {
    for room in &ROOMS {
        let bundle = with_room(room).await;
        let slow = Fault {
            mode: Mode::Slow,
            delay_ms: Some(300),
            status: None,
        };
        bundle.fault(room.service, slow).await;
        raise(&bundle, "cellar", "firing").await;
        dispatch(&bundle).await;
        assert_eq!(on(&bundle, room.channel).len(), 1, "{}", room.name);
    }
}

#[tokio::test]
async fn what_a_room_does_not_take_arrives_by_email() {
    for room in &ROOMS {
        let bundle = with_room(room).await;
        bundle.fault(room.service, Mode::Status).await;
        let body = json!({
            "status": "firing", "source": "ci", "severity": "medium", "title": "Warm", "subject": "cellar",
        });
        let app = bundle.instance(Endpoint::Dispatch);
        let answer = call(&app, Method::POST, "/api/alerts/dispatch")
            .bearer(bundle.secret("MONITORING_API_KEY"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
        assert_eq!(on(&bundle, Channel::Email).len(), 0, "{}", room.name);
        pass(&bundle, 6).await;
        dispatch(&bundle).await;
        let letters = on(&bundle, Channel::Email);
        assert_eq!(letters.len(), 1, "{}: {letters:#?}", room.name);
        let copied = format!("In place of: {}, where it does not arrive", room.name);
        assert!(letters[0].text.contains(&copied), "{}", letters[0].text);
    }
}

/// What a phone sends when somebody presses the first action of a notification.
async fn press(bundle: &Bundle, notification: &Value) -> Answer {
    let action = &notification["actions"][0];
    assert_eq!(
        (&action["action"], &action["method"]),
        (&json!("http"), &json!("POST"))
    );
    let url: Url = action["url"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        (url.host_str(), url.path()),
        (Some("ops.wine.example"), PATH)
    );
    let app = bundle.instance(Endpoint::Acknowledge);
    call(&app, Method::POST, url.path())
        .header(
            "content-type",
            action["headers"]["Content-Type"].as_str().unwrap(),
        )
        .body(action["body"].as_str().unwrap().to_owned())
        .send()
        .await
}

#[tokio::test]
async fn a_press_on_a_phone_acknowledges_once() {
    let bundle = with_room(&ROOMS[0]).await;
    raise(&bundle, "cellar", "firing").await;
    let notification = on(&bundle, Channel::Ntfy)[0].raw.clone();
    assert_eq!(notification["title"], "Critical: The cellar is <b>warm</b>");
    assert_eq!(notification["priority"], 5);
    assert_eq!(press(&bundle, &notification).await.status, StatusCode::OK);
    let taken = json!({"status": "acknowledged", "by": "a link"});
    assert_eq!(standing(&bundle).await, taken);
    assert_eq!(press(&bundle, &notification).await.status, StatusCode::GONE);

    raise(&bundle, "cellar", "resolved").await;
    let end = on(&bundle, Channel::Ntfy).last().unwrap().raw.clone();
    assert_eq!(end["title"], "Resolved: The cellar is <b>warm</b>");
    assert_eq!(
        end["actions"][0]["action"], "view",
        "nothing to acknowledge"
    );
}

#[tokio::test]
async fn a_press_after_the_end_does_nothing() {
    let bundle = with_room(&ROOMS[0]).await;
    raise(&bundle, "cellar", "firing").await;
    raise(&bundle, "cellar", "resolved").await;
    let notification = on(&bundle, Channel::Ntfy)[0].raw.clone();
    press(&bundle, &notification).await;
    let over = json!({"status": "resolved", "by": null});
    assert_eq!(standing(&bundle).await, over);
    let mut forged = notification;
    forged["actions"][0]["body"] = json!("token=x");
    assert_eq!(
        press(&bundle, &forged).await.status,
        StatusCode::UNAUTHORIZED
    );
}
