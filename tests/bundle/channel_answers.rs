//! Each room from the first message to the end: what its provider is told, what people
//! answer there, and what becomes of a message that it does not take.

use http::{Method, StatusCode};
use local_supabase::{
    capture::{Channel, Message, Scripted, answers},
    fault::{Fault, Mode, Service},
};
use ops::endpoint::Endpoint;
use serde_json::{Value, json};
use url::Url;

use crate::{
    answering::{called_back, dispatch, raise},
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

const NTFY: Room = Room {
    channel: Channel::Ntfy,
    service: Service::Ntfy,
    name: "ntfy",
    word: "ntfy",
};

const TELEGRAM: Room = Room {
    channel: Channel::Telegram,
    service: Service::Telegram,
    name: "Telegram",
    word: "telegram",
};

const TEAMS: Room = Room {
    channel: Channel::Teams,
    service: Service::Teams,
    name: "Microsoft Teams",
    word: "teams",
};

const ROOMS: [Room; 3] = [NTFY, TELEGRAM, TEAMS];

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
        "VAPID_",
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
    called_back(bundle, answers::ntfy(notification).expect("a button")).await
}

#[tokio::test]
async fn a_press_on_a_phone_acknowledges_once() {
    let bundle = with_room(&NTFY).await;
    raise(&bundle, "cellar", "firing").await;
    let notification = on(&bundle, Channel::Ntfy)[0].raw.clone();
    assert_eq!(notification["title"], "Critical: The cellar is <b>warm</b>");
    assert_eq!(notification["priority"], 5);
    assert_eq!(press(&bundle, &notification).await.status, StatusCode::OK);
    let taken = json!({"status": "acknowledged", "by": "somebody (by a link)"});
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
    let bundle = with_room(&NTFY).await;
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

/// What Telegram posts when somebody presses a button of a message in that chat.
async fn press_button(bundle: &Bundle, secret: &str, query: &Value) -> Answer {
    called_back(bundle, answers::telegram(query, secret)).await
}

/// A press of that name on the button of a message, in the chat in which the bot writes.
fn query_of(bundle: &Bundle, message: &Message, id: &str) -> Value {
    let chat: i64 = bundle.secret("TELEGRAM_CHAT_ID").parse().unwrap();
    let button = &message.raw["reply_markup"]["inline_keyboard"][0][0];
    assert_eq!(button["text"], "Acknowledge");
    json!({
        "id": id, "from": {"id": 4711, "first_name": "Anna", "last_name": "Lind"},
        "data": button["callback_data"], "message": {"message_id": 1, "chat": {"id": chat}},
    })
}

/// What a press is answered with, in words.
fn words(answer: &Answer, id: &str) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    let said = answer.json();
    assert_eq!(said["method"], "answerCallbackQuery");
    assert_eq!(said["callback_query_id"], id);
    said["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_press_in_the_chat_acknowledges_once() {
    let bundle = with_room(&TELEGRAM).await;
    raise(&bundle, "cellar", "firing").await;
    let secret = bundle.secret("TELEGRAM_WEBHOOK_SECRET");
    let message = &on(&bundle, Channel::Telegram)[0];
    let query = query_of(&bundle, message, "1");
    let taken = json!({"status": "acknowledged", "by": "Anna Lind (by Telegram)"});

    let answer = press_button(&bundle, secret, &query).await;
    let said = words(&answer, "1");
    assert!(said.starts_with("You have it until "), "{said}");
    assert_eq!(standing(&bundle).await, taken);
    // Telegram tells it again, where it did not get the answer.
    let again = press_button(&bundle, secret, &query).await;
    assert_eq!(words(&again, "1"), said);
    let other = query_of(&bundle, message, "2");
    let said = words(&press_button(&bundle, secret, &other).await, "2");
    assert_eq!(
        said,
        "That was answered already: Anna Lind (by Telegram) has it."
    );
    let events = "select kind from ops.alert_events where kind = 'acknowledged'";
    assert_eq!(
        rows(&bundle, events).await,
        json!([{"kind": "acknowledged"}])
    );
}

#[tokio::test]
async fn a_press_that_is_not_proven_or_comes_from_elsewhere_does_nothing() {
    let bundle = with_room(&TELEGRAM).await;
    raise(&bundle, "cellar", "firing").await;
    let message = &on(&bundle, Channel::Telegram)[0];
    let query = query_of(&bundle, message, "1");
    let firing = json!({"status": "firing", "by": null});
    for secret in ["", "another", bundle.secret("TELEGRAM_BOT_TOKEN")] {
        let answer = press_button(&bundle, secret, &query).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{secret}");
    }
    let secret = bundle.secret("TELEGRAM_WEBHOOK_SECRET");
    let mut elsewhere = query.clone();
    elsewhere["message"]["chat"]["id"] = json!(-5);
    let answer = press_button(&bundle, secret, &elsewhere).await;
    assert_eq!((answer.status, answer.bytes.len()), (StatusCode::OK, 0));
    let answer = press_button(&bundle, secret, &Value::Null).await;
    assert_eq!((answer.status, answer.bytes.len()), (StatusCode::OK, 0));
    // Another alert has no such message.
    let mut forged = query;
    let data = forged["data"].as_str().unwrap();
    let flipped = if data.starts_with('A') { "B" } else { "A" };
    forged["data"] = json!(format!("{flipped}{}", &data[1..]));
    let said = words(&press_button(&bundle, secret, &forged).await, "1");
    assert_eq!(said, "No such alert is known here.");
    assert_eq!(standing(&bundle).await, firing);
}

#[tokio::test]
async fn a_press_about_what_is_over_says_so() {
    let bundle = with_room(&TELEGRAM).await;
    raise(&bundle, "cellar", "firing").await;
    raise(&bundle, "cellar", "resolved").await;
    let messages = on(&bundle, Channel::Telegram);
    let secret = bundle.secret("TELEGRAM_WEBHOOK_SECRET");
    let late = query_of(&bundle, &messages[0], "1");
    let said = words(&press_button(&bundle, secret, &late).await, "1");
    assert_eq!(said, "It is over already.");
    for message in &messages[1..] {
        let first = &message.raw["reply_markup"]["inline_keyboard"][0][0];
        assert_ne!(first["text"], "Acknowledge", "nothing to acknowledge");
    }
}

#[tokio::test]
async fn the_first_message_in_the_chat_shows_how_the_alert_stands() {
    let bundle = with_room(&TELEGRAM).await;
    let contact =
        json!({"name": "Anna", "role": "on_call_primary", "addresses": {"telegram": "4711"}});
    let contact = format!("select public.ops_save_contact(gen_random_uuid(), '{contact}', 'test')");
    rows(&bundle, &contact).await;
    raise(&bundle, "cellar", "firing").await;
    let first = on(&bundle, Channel::Telegram)[0].clone();
    assert_eq!(first.to, "sendMessage");
    let html = first.raw["text"].as_str().unwrap();
    let called = "<a href=\"tg://user?id=4711\">Anna</a>\n<b>🔴 Critical: The cellar is &lt;b&gt;warm&lt;/b&gt;</b>";
    assert!(html.starts_with(called), "{html}");

    let secret = bundle.secret("TELEGRAM_WEBHOOK_SECRET");
    let query = query_of(&bundle, &first, "1");
    press_button(&bundle, secret, &query).await;
    dispatch(&bundle).await;
    let changed = on(&bundle, Channel::Telegram)[1].clone();
    assert_eq!(
        (changed.to.as_str(), &changed.raw["message_id"]),
        ("editMessageText", &json!(1))
    );
    let acknowledged = "Acknowledged: by Anna Lind (by Telegram) until 20";
    assert!(changed.text.contains(acknowledged), "{}", changed.text);

    raise(&bundle, "cellar", "resolved").await;
    let last = on(&bundle, Channel::Telegram).split_off(2);
    let by = |method: &str| last.iter().find(|message| message.to == method).unwrap();
    assert_eq!(last.len(), 2, "{last:#?}");
    assert_eq!(by("editMessageText").raw["message_id"], 1);
    assert_eq!(by("sendMessage").raw["reply_parameters"]["message_id"], 1);
    for message in &last {
        assert!(
            message.text.starts_with("✅ Resolved: "),
            "{}",
            message.text
        );
    }
}

#[tokio::test]
async fn without_a_secret_the_button_leads_to_the_page_and_nothing_comes_back() {
    let mut bundle = with_room(&TELEGRAM).await;
    let secret = bundle.env.remove("TELEGRAM_WEBHOOK_SECRET").unwrap();
    raise(&bundle, "cellar", "firing").await;
    let message = &on(&bundle, Channel::Telegram)[0];
    let query = query_of(&bundle, message, "1");
    let button = &message.raw["reply_markup"]["inline_keyboard"][0][0];
    let url = button["url"].as_str().unwrap();
    assert!(
        url.starts_with("https://ops.wine.example/api/alerts/acknowledge?token="),
        "{url}"
    );
    let answer = press_button(&bundle, &secret, &query).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_card_in_teams_leads_to_the_page_that_acknowledges() {
    let bundle = with_room(&TEAMS).await;
    raise(&bundle, "cellar", "firing").await;
    let card = on(&bundle, Channel::Teams)[0].raw["attachments"][0]["content"].clone();
    let headline = "🔴 Critical: The cellar is \\<b>warm\\</b>";
    assert_eq!(card["body"][0]["text"], headline);
    assert_eq!(card["actions"][0]["title"], "Acknowledge");
    let url: Url = card["actions"][0]["url"].as_str().unwrap().parse().unwrap();
    let app = bundle.instance(Endpoint::Acknowledge);
    let answer = call(&app, Method::POST, url.path())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(url.query().unwrap().to_owned())
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let taken = json!({"status": "acknowledged", "by": "somebody (by a link)"});
    assert_eq!(standing(&bundle).await, taken);
    let receipt = "select provider_id from ops.outbox where channel = 'teams' and status = 'sent'";
    assert_eq!(
        rows(&bundle, receipt).await,
        json!([{"provider_id": null}]),
        "it has no name"
    );
}

#[tokio::test]
async fn a_receiver_gets_what_it_is_told_in_its_own_form_and_signed() {
    let mut bundle = Bundle::with_all_channels().await;
    let template =
        json!({"text": "{{label}}: {{headline}}", "id": "{{alert}}", "do": "{{acknowledge}}"});
    bundle
        .env
        .insert("ALERT_WEBHOOK_TEMPLATE".into(), template.to_string());
    let alert = raise(&bundle, "cellar", "firing").await;
    let told = on(&bundle, Channel::Webhook);
    assert_eq!(told.len(), 1, "its signature was right");
    let told = &told[0].raw;
    assert_eq!(told["text"], "Critical: The cellar is <b>warm</b>");
    assert_eq!(told["id"], alert);
    let link = told["do"].as_str().unwrap();
    assert!(
        link.starts_with("https://ops.wine.example/api/alerts/acknowledge?token="),
        "{link}"
    );
}
