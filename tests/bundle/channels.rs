//! Every channel at once: what each is told, and what Slack's bot makes of it.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{Method, StatusCode};
use local_supabase::{
    capture::{Channel, Message, Scripted},
    fault::Service,
};
use ops::endpoint::Endpoint;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    answering::{PATH, dispatch, raise},
    support::{Bundle, call},
};

fn on(bundle: &Bundle, channel: Channel) -> Vec<Message> {
    let messages = bundle.stack.inbox().messages().into_iter();
    messages
        .filter(|message| message.channel == channel)
        .collect()
}

/// How many messages Slack, email, Discord and the machine got.
fn counts(bundle: &Bundle) -> [usize; 4] {
    [
        Channel::Slack,
        Channel::Email,
        Channel::Discord,
        Channel::Webhook,
    ]
    .map(|channel| on(bundle, channel).len())
}

async fn raise_as(bundle: &Bundle, severity: &str) {
    let body = json!({
        "status": "firing", "source": "ci", "severity": severity, "title": "Warm", "subject": severity,
    });
    let app = bundle.instance(Endpoint::Dispatch);
    let answer = call(&app, Method::POST, "/api/alerts/dispatch")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
}

async fn act(bundle: &Bundle, alert: &str, action: &str) {
    let app = bundle.instance(Endpoint::Acknowledge);
    let answer = call(&app, Method::POST, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .header("content-type", "application/json")
        .body(json!({"alertId": alert, "action": action}).to_string())
        .send()
        .await;
    assert_eq!(answer.json()["outcome"], "done", "{:?}", answer.bytes);
}

pub(crate) async fn query(bundle: &Bundle, sql: &str) -> Value {
    let sql = format!("select to_jsonb(({sql}))::text");
    let row = bundle.admin().await.query_one(&sql, &[]).await.unwrap();
    let text: Option<String> = row.get(0);
    text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn severity_decides_who_hears_of_an_alert_and_a_machine_hears_of_each_at_once() {
    let bundle = Bundle::with_all_channels().await;
    for (severity, expected) in [
        ("low", [0, 0, 0, 1]),
        ("medium", [1, 0, 1, 2]),
        ("high", [2, 0, 2, 3]),
        ("critical", [3, 1, 3, 4]),
    ] {
        raise_as(&bundle, severity).await;
        assert_eq!(counts(&bundle), expected, "{severity}");
    }
    let waiting = "select jsonb_agg(channel order by channel) from ops.outbox where status = 'pending' and digest";
    let rooms =
        "select jsonb_agg(channel order by channel) from ops.channel_kinds where reach = 'room'";
    assert_eq!(query(&bundle, waiting).await, query(&bundle, rooms).await);

    let due = "update ops.outbox set next_attempt_at = now() where status = 'pending'";
    bundle.admin().await.batch_execute(due).await.unwrap();
    dispatch(&bundle).await;
    assert_eq!(counts(&bundle), [4, 1, 4, 4]);
    let digest = &on(&bundle, Channel::Discord)[3].raw;
    assert_eq!(digest["content"], "Daily digest: 1 alert, 0 resolved");
}

/// HMAC as RFC 2104 defines it, with nothing but the hash.
fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(data)
        .finalize();
    Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

#[tokio::test]
async fn a_machine_can_prove_what_it_is_told_and_know_it_again() {
    let bundle = Bundle::with_all_channels().await;
    bundle
        .channel(Service::Webhook)
        .script([Scripted::status(StatusCode::SERVICE_UNAVAILABLE)]);
    let alert = raise(&bundle, "cellar", "firing").await;
    assert_eq!(counts(&bundle), [1, 1, 1, 0]);
    let due = "update ops.outbox set next_attempt_at = now() where status = 'pending'";
    bundle.admin().await.batch_execute(due).await.unwrap();
    dispatch(&bundle).await;
    let requests = bundle.stack.inbox().requests(Service::Webhook);
    assert_eq!(requests.len(), 2, "the first was refused");

    let row = "select id from ops.outbox where channel = 'webhook'";
    let row = query(&bundle, row).await;
    let secret = bundle.secret("ALERT_WEBHOOK_SECRET");
    let secret = BASE64_STANDARD.decode(&secret["whsec_".len()..]).unwrap();
    for request in requests {
        let header = |name| request.headers[name].to_str().unwrap();
        assert_eq!(header("webhook-id"), row.as_str().unwrap());
        let body = std::str::from_utf8(&request.body).unwrap();
        let signed = format!(
            "{}.{}.{body}",
            header("webhook-id"),
            header("webhook-timestamp")
        );
        let expected = BASE64_STANDARD.encode(hmac(&secret, signed.as_bytes()));
        assert_eq!(header("webhook-signature"), format!("v1,{expected}"));
    }
    let told = &on(&bundle, Channel::Webhook)[0].raw;
    assert_eq!(told["type"], "alert.firing");
    assert_eq!(told["data"]["alert"], alert);
    assert_eq!(told["data"]["headline"], "The cellar is <b>warm</b>");
    assert_eq!(told["data"]["links"][0]["label"], "Acknowledge");
}

#[tokio::test]
async fn discord_is_left_alone_for_as_long_as_its_answer_says() {
    let bundle = Bundle::with_all_channels().await;
    bundle.channel(Service::Discord).script([Scripted::Answer {
        status: StatusCode::TOO_MANY_REQUESTS,
        headers: Vec::new(),
        body: r#"{"message":"You are being rate limited.","retry_after":119.2,"global":false}"#,
        delay: std::time::Duration::ZERO,
    }]);
    raise_as(&bundle, "high").await;
    assert_eq!(counts(&bundle), [1, 0, 0, 1]);
    let wait = "select extract(epoch from next_attempt_at - now()) from ops.outbox where channel = 'discord'";
    let wait = query(&bundle, wait).await.as_f64().unwrap();
    assert!((100.0..=120.0).contains(&wait), "{wait}");
    let due = "update ops.outbox set next_attempt_at = now() where status = 'pending'";
    bundle.admin().await.batch_execute(due).await.unwrap();
    dispatch(&bundle).await;
    let told = &on(&bundle, Channel::Discord)[0].raw;
    assert_eq!(told["content"], "🟠 High: Warm");
    assert_eq!(told["allowed_mentions"], json!({"parse": []}));
    let receipt = "select provider_id ~ '^[0-9]+$' from ops.outbox where channel = 'discord'";
    assert_eq!(query(&bundle, receipt).await, true);
}

/// What the bot did last, and how often it has done something.
fn last_on_slack(bundle: &Bundle, count: usize) -> (String, Value) {
    let messages = on(bundle, Channel::Slack);
    assert_eq!(messages.len(), count, "{messages:#?}");
    let last = messages.last().unwrap();
    (last.to.clone(), last.raw.clone())
}

/// A change and a message of its own, in either order.
fn update_and_answer(messages: &[Message]) -> [&Value; 2] {
    ["update", "postMessage"].map(|method| {
        let mut said = messages.iter();
        let found = said.find(|message| message.to.ends_with(method));
        &found
            .unwrap_or_else(|| panic!("no {method} in {messages:#?}"))
            .raw
    })
}

#[tokio::test]
async fn slack_shows_how_an_alert_stands_and_keeps_its_messages_together() {
    let bundle = Bundle::with_all_channels().await;
    let alert = raise(&bundle, "cellar", "firing").await;
    let (method, _) = last_on_slack(&bundle, 1);
    assert_eq!(method, "/api/chat.postMessage");
    let first = "select provider_id from ops.outbox where channel = 'slack' and kind = 'firing'";
    let first = query(&bundle, first).await;
    let (channel, ts) = first.as_str().unwrap().split_once(':').unwrap();
    assert_eq!(channel, bundle.secret("SLACK_CHANNEL_ID"));

    act(&bundle, &alert, "acknowledge").await;
    dispatch(&bundle).await;
    let (method, changed) = last_on_slack(&bundle, 2);
    assert_eq!(
        (method.as_str(), &changed["ts"]),
        ("/api/chat.update", &json!(ts))
    );
    let text = changed.to_string();
    assert!(
        text.contains("*Acknowledged*\\nby operator until 20"),
        "{text}"
    );
    assert!(text.contains("|Acknowledge>"), "it can be answered: {text}");

    // Nobody resolved it in time.
    let over = "update ops.alerts set acknowledged_until = now() - interval '1 second'";
    bundle.admin().await.batch_execute(over).await.unwrap();
    dispatch(&bundle).await;
    let messages = on(&bundle, Channel::Slack);
    assert_eq!(messages.len(), 4);
    let [update, answer] = update_and_answer(&messages[2..]);
    assert!(!update.to_string().contains("*Acknowledged*"), "{update}");
    assert_eq!(answer["thread_ts"], ts);
    assert_eq!(answer["reply_broadcast"], true);

    raise(&bundle, "cellar", "resolved").await;
    let messages = on(&bundle, Channel::Slack);
    assert_eq!(messages.len(), 6);
    let [update, answer] = update_and_answer(&messages[4..]);
    assert_eq!(update["ts"], ts);
    assert_eq!(
        update["text"],
        "Resolved: The cellar is &lt;b&gt;warm&lt;/b&gt;"
    );
    assert_eq!(answer["thread_ts"], ts);
    assert_eq!(answer["reply_broadcast"], false);
    assert_eq!(counts(&bundle)[1..], [3, 3, 3], "elsewhere nothing changes");
}

#[tokio::test]
async fn a_plain_webhook_is_told_of_no_change() {
    let bundle = Bundle::start().await;
    let alert = raise(&bundle, "cellar", "firing").await;
    act(&bundle, &alert, "acknowledge").await;
    dispatch(&bundle).await;
    raise(&bundle, "cellar", "resolved").await;
    let kinds = "select jsonb_agg(distinct kind) from ops.outbox";
    assert_eq!(query(&bundle, kinds).await, json!(["firing", "resolved"]));
    assert_eq!(counts(&bundle), [2, 2, 0, 0]);
}
