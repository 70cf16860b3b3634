//! Pagers and phones: who is woken, and what comes back from the other side.

use http::{Method, StatusCode};
use local_supabase::{
    capture::{Channel, Message, Scripted, answers},
    fault::{Mode, Service},
};
use ops::endpoint::Endpoint;
use serde_json::{Value, json};

use crate::{
    answering::{PATH, called_back, dispatch, raise},
    channels::query,
    support::{Answer, Bundle, call},
};

const PHONE: &str = "+4915112345678";

fn on(bundle: &Bundle, channel: Channel) -> Vec<Message> {
    let messages = bundle.stack.inbox().messages().into_iter();
    messages
        .filter(|message| message.channel == channel)
        .collect()
}

/// What `PagerDuty` was told, each as action and key.
fn events(bundle: &Bundle) -> Vec<(String, String)> {
    on(bundle, Channel::Pagerduty)
        .into_iter()
        .map(|message| (message.subject.unwrap_or_default(), message.to))
        .collect()
}

/// How an alert stands: its status and who has it.
async fn stands(bundle: &Bundle, alert: &str) -> [Value; 2] {
    let sql = format!(
        "select jsonb_build_array(status, acknowledged_by) from ops.alerts where id = '{alert}'"
    );
    let stands = query(bundle, &sql).await;
    [stands[0].clone(), stands[1].clone()]
}

async fn acknowledge(bundle: &Bundle, alert: &str) {
    let app = bundle.instance(Endpoint::Acknowledge);
    let answer = call(&app, Method::POST, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .header("content-type", "application/json")
        .body(json!({"alertId": alert, "action": "acknowledge"}).to_string())
        .send()
        .await;
    assert_eq!(answer.json()["outcome"], "done", "{:?}", answer.bytes);
    dispatch(bundle).await;
}

async fn has_phone(bundle: &Bundle, addresses: &Value) {
    let fields = json!({"name": "Anna", "role": "on_call_primary", "addresses": addresses});
    let sql = format!("select public.ops_save_contact(gen_random_uuid(), '{fields}', 'test')");
    query(bundle, &sql).await;
}

#[tokio::test]
async fn pagerduty_hears_of_the_beginning_of_who_has_it_and_of_the_end() {
    let bundle = Bundle::with_all_channels().await;
    let alert = raise(&bundle, "cellar", "firing").await;
    acknowledge(&bundle, &alert).await;
    raise(&bundle, "cellar", "resolved").await;
    dispatch(&bundle).await;
    let expected = ["trigger", "acknowledge", "resolve"];
    assert_eq!(
        events(&bundle),
        expected.map(|action| (action.to_owned(), alert.clone()))
    );
    let told = &on(&bundle, Channel::Pagerduty)[0].raw["payload"];
    assert_eq!(told["summary"], "Critical: The cellar is <b>warm</b>");
    assert_eq!(told["severity"], "critical");
}

async fn webhook(bundle: &Bundle, event: &Value, secret: &str) -> Answer {
    called_back(bundle, answers::pagerduty(event, secret)).await
}

fn event(id: &str, kind: &str, incident_key: &str) -> Value {
    json!({
        "id": id, "event_type": kind, "resource_type": "incident",
        "agent": {"type": "user_reference", "summary": "Anna"},
        "data": {"type": "incident", "incident_key": incident_key},
    })
}

#[tokio::test]
async fn what_a_person_does_in_pagerduty_is_done_here_once() {
    let bundle = Bundle::with_all_channels().await;
    let alert = raise(&bundle, "cellar", "firing").await;
    let other = raise(&bundle, "barrels", "firing").await;
    let secret = bundle.secret("PAGERDUTY_WEBHOOK_SECRET");

    let forged = webhook(
        &bundle,
        &event("1", "incident.acknowledged", &alert),
        "guess",
    )
    .await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        stands(&bundle, &alert).await,
        [json!("firing"), Value::Null]
    );

    let taken = event("2", "incident.acknowledged", &alert);
    for _ in 0..2 {
        let answer = webhook(&bundle, &taken, secret).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    }
    let by = json!("Anna (by PagerDuty)");
    assert_eq!(stands(&bundle, &alert).await, [json!("acknowledged"), by]);
    assert_eq!(
        stands(&bundle, &other).await[0],
        "firing",
        "its own alert alone"
    );

    webhook(&bundle, &event("3", "incident.resolved", &alert), secret).await;
    assert_eq!(stands(&bundle, &alert).await[0], "resolved");
    // Told late, and of an incident of somebody else.
    for late in [
        event("4", "incident.acknowledged", &alert),
        event("5", "incident.resolved", "somebody-elses"),
        event(
            "6",
            "incident.acknowledged",
            &uuid::Uuid::new_v4().to_string(),
        ),
    ] {
        let answer = webhook(&bundle, &late, secret).await;
        assert_eq!(answer.status, StatusCode::OK, "{late}");
    }
    assert_eq!(stands(&bundle, &alert).await[0], "resolved");
    assert_eq!(stands(&bundle, &other).await[0], "firing");
}

#[tokio::test]
async fn a_channel_that_brings_nothing_back_is_closed() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Acknowledge);
    for channel in ["pagerduty", "sms", "slack", "nobody", ""] {
        let answer = call(&app, Method::POST, &format!("{PATH}?channel={channel}"))
            .body("{}")
            .send()
            .await;
        let status = answer.status;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{channel}");
    }
}

#[tokio::test]
async fn what_pagerduty_does_not_take_goes_elsewhere_and_is_tried_again() {
    let bundle = Bundle::with_all_channels().await;
    bundle
        .channel(Service::Pagerduty)
        .script([Scripted::too_many_requests(120)]);
    raise(&bundle, "cellar", "firing").await;
    let wait = "select next_attempt_at > now() + interval '1 minute' from ops.outbox where channel = 'pagerduty'";
    assert_eq!(query(&bundle, wait).await, true, "as long as it asks");
    bundle.fault(Service::Pagerduty, Mode::Hang).await;
    bundle.fault(Service::Pagerduty, Mode::Ok).await;
    let due = "update ops.outbox set next_attempt_at = now() where status = 'pending'";
    bundle.admin().await.batch_execute(due).await.unwrap();
    dispatch(&bundle).await;
    assert_eq!(events(&bundle).len(), 1);
    assert_eq!(
        on(&bundle, Channel::Slack).len(),
        1,
        "others do not wait for it"
    );
}

async fn twilio(bundle: &Bundle, url: &str, form: &[(&str, &str)], token: &str) -> Answer {
    called_back(bundle, answers::twilio(url, form, token)).await
}

/// What a text message that is replied says back.
async fn reply(bundle: &Bundle, id: &str, from: &str, text: &str) -> String {
    let url = format!("https://ops.wine.example{PATH}?channel=sms");
    let form = [("From", from), ("Body", text), ("MessageSid", id)];
    let answer = twilio(bundle, &url, &form, bundle.secret("TWILIO_AUTH_TOKEN")).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    assert_eq!(answer.headers["content-type"], "text/xml");
    String::from_utf8(answer.bytes.to_vec()).unwrap()
}

fn code(text: &str) -> &str {
    text.split("Reply ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
}

#[tokio::test]
async fn a_text_goes_to_whoever_is_asked_and_its_code_takes_its_alert() {
    let bundle = Bundle::with_all_channels().await;
    has_phone(&bundle, &json!({"sms": PHONE})).await;
    let alert = raise(&bundle, "cellar", "firing").await;
    let other = raise(&bundle, "barrels", "firing").await;
    let texts = on(&bundle, Channel::Sms);
    assert_eq!(texts.len(), 2, "{texts:#?}");
    assert!(texts.iter().all(|text| text.to == PHONE));
    assert!(on(&bundle, Channel::Voice).is_empty());
    let text = &texts[0].text;
    assert!(
        text.starts_with("Critical: The cellar is <b>warm</b>\n"),
        "{text}"
    );

    let nobody = reply(&bundle, "SM1", "+4930000000", code(text)).await;
    assert!(nobody.contains("Nothing is open"), "{nobody}");
    let which = reply(&bundle, "SM2", PHONE, "ok").await;
    assert!(which.contains("Several alerts are open"), "{which}");
    let wrong = reply(&bundle, "SM3", PHONE, "0000").await;
    assert!(wrong.contains("Several alerts are open"), "{wrong}");
    for id in ["SM4", "SM4"] {
        let taken = reply(&bundle, id, PHONE, code(text)).await;
        assert!(taken.contains("You have it until "), "{taken}");
    }
    let by = json!("Anna (by SMS)");
    assert_eq!(stands(&bundle, &alert).await, [json!("acknowledged"), by]);
    assert_eq!(
        stands(&bundle, &other).await[0],
        "firing",
        "its own alert alone"
    );
    let again = reply(&bundle, "SM5", PHONE, code(text)).await;
    assert!(
        again.contains("answered already: Anna (by SMS) has it"),
        "{again}"
    );

    raise(&bundle, "cellar", "resolved").await;
    let end = on(&bundle, Channel::Sms);
    assert_eq!(
        end.last().unwrap().text,
        "Resolved: The cellar is <b>warm</b>"
    );
    // One alone is left, so a yes is enough.
    let taken = reply(&bundle, "SM6", PHONE, "OK").await;
    assert!(taken.contains("You have it"), "{taken}");
    raise(&bundle, "barrels", "resolved").await;
    let over = reply(&bundle, "SM7", PHONE, code(&texts[1].text)).await;
    assert!(over.contains("Nothing is open"), "{over}");
}

#[tokio::test]
async fn a_call_reads_the_alert_and_a_digit_takes_it() {
    let bundle = Bundle::with_all_channels().await;
    has_phone(&bundle, &json!({"voice": PHONE})).await;
    let alert = raise(&bundle, "cellar", "firing").await;
    let calls = on(&bundle, Channel::Voice);
    assert_eq!(calls.len(), 1, "{calls:#?}");
    let speech = &calls[0].text;
    assert!(
        speech.contains("Critical alert. The cellar is &lt;b&gt;warm"),
        "{speech}"
    );
    let action = answers::gathered_at(speech).unwrap();

    let token = bundle.secret("TWILIO_AUTH_TOKEN");
    let digits = |digits| [("CallSid", "CA1"), ("Digits", digits)];
    let forged = twilio(&bundle, &action, &digits("1"), "guess").await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    let two = twilio(&bundle, &action, &digits("2"), token).await;
    assert_eq!(two.status, StatusCode::OK);
    assert_eq!(stands(&bundle, &alert).await[0], "firing");
    let one = twilio(&bundle, &action, &digits("1"), token).await;
    let said = String::from_utf8(one.bytes.to_vec()).unwrap();
    assert!(said.contains("You have it until "), "{said}");
    let by = json!("Anna (by phone call)");
    assert_eq!(stands(&bundle, &alert).await, [json!("acknowledged"), by]);

    raise(&bundle, "cellar", "resolved").await;
    dispatch(&bundle).await;
    assert_eq!(
        on(&bundle, Channel::Voice).len(),
        1,
        "nobody is called for an end"
    );
}
