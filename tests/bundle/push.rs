//! Push messages, from the device that is added to the press on its notification.

use std::time::Duration;

use http::{Method, StatusCode};
use local_supabase::{
    capture::{Channel, Message, Scripted},
    fault::Service,
};
use ops::{app::App, endpoint::Endpoint, problem::Problem, push_devices};
use outside::{clock::Deadline, outbound::Outbound};
use serde_json::{Value, json};
use url::Url;

use crate::{
    answering::{dispatch, press, raise},
    channels::query,
    support::{Bundle, call, get},
};

const ANNA: &str = "anna@wine.example";

/// A bundle in which Anna is asked first, and lets herself be reached by browsers.
async fn with_anna() -> Bundle {
    let bundle = Bundle::with_all_channels().await;
    let fields = json!({"name": "Anna", "role": "on_call_primary", "email": ANNA});
    let sql = format!("select public.ops_save_contact(gen_random_uuid(), '{fields}', 'test')");
    query(&bundle, &sql).await;
    bundle
}

/// What a browser subscribes to at the stand-in.
async fn subscribe(bundle: &Bundle) -> Value {
    let url = format!("{}/subscriptions", bundle.channel(Service::Push).url());
    let outbound = Outbound::default();
    let answer = outbound.client().unwrap().post(url).send().await.unwrap();
    answer.json().await.unwrap()
}

async fn add(
    bundle: &Bundle,
    email: &str,
    subscription: &Value,
) -> Result<push_devices::Devices, Problem> {
    let app = App::new(bundle.config());
    let deadline = Deadline::after(Duration::from_secs(10));
    push_devices::add(&app, email, subscription, "iPhone", deadline).await
}

fn pushed(bundle: &Bundle) -> Vec<Message> {
    let messages = bundle.stack.inbox().messages().into_iter();
    messages
        .filter(|message| message.channel == Channel::Push)
        .collect()
}

fn path(url: &Value) -> String {
    let url: Url = url.as_str().unwrap().parse().unwrap();
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

#[tokio::test]
async fn a_press_on_a_notification_leads_to_the_button_that_takes_the_alert() {
    let bundle = with_anna().await;
    let subscription = subscribe(&bundle).await;
    let added = add(&bundle, ANNA, &subscription).await.unwrap();
    assert_eq!((added.contact.as_str(), added.added), ("Anna", Some(true)));
    dispatch(&bundle).await;
    let first = &pushed(&bundle)[0];
    assert_eq!(
        first.subject.as_deref(),
        Some("Notice: Alerts reach Anna on iPhone")
    );

    let alert = raise(&bundle, "cellar", "firing").await;
    dispatch(&bundle).await;
    let message = pushed(&bundle).pop().unwrap();
    let notification = &message.raw["notification"];
    assert_eq!(
        (&message.raw["web_push"], &notification["title"]),
        (&json!(8030), &json!("Critical: The cellar is <b>warm</b>"))
    );
    assert_eq!(notification["tag"], alert.replace('-', ""));
    let link = path(&notification["navigate"]);
    let app = bundle.instance(Endpoint::Acknowledge);
    let shown = get(&app, &link).send().await;
    assert_eq!(shown.status, StatusCode::OK, "{:?}", shown.bytes);
    assert_eq!(press(&app, &link, "").await.status, StatusCode::OK);
    let by = query(&bundle, "select to_jsonb(acknowledged_by) from ops.alerts").await;
    assert_eq!(by, "Anna (by a link)", "the message was to her alone");

    raise(&bundle, "cellar", "resolved").await;
    dispatch(&bundle).await;
    let over = pushed(&bundle).pop().unwrap();
    let notification = &over.raw["notification"];
    assert_eq!(notification["tag"], alert.replace('-', ""), "in its place");
    let navigate = notification["navigate"].as_str().unwrap();
    assert!(
        navigate.starts_with("https://ops.wine.example/dashboard#incident="),
        "{navigate}"
    );
}

#[tokio::test]
async fn a_browser_that_ended_its_subscription_is_left_behind() {
    let bundle = with_anna().await;
    let subscription = subscribe(&bundle).await;
    add(&bundle, ANNA, &subscription).await.unwrap();
    dispatch(&bundle).await;
    let url = subscription["endpoint"].as_str().unwrap();
    let outbound = Outbound::default();
    let ended = outbound.client().unwrap().delete(url).send().await.unwrap();
    assert_eq!(ended.status().as_u16(), 204);

    raise(&bundle, "cellar", "firing").await;
    dispatch(&bundle).await;
    dispatch(&bundle).await;
    let devices = "select to_jsonb(count(*)) from ops.push_devices";
    assert_eq!(query(&bundle, devices).await, 0);
    let messages = bundle.stack.inbox().messages();
    let told = messages.iter().filter(|message| {
        message
            .text
            .contains("Push messages no longer reach Anna on iPhone")
    });
    assert!(told.count() > 0, "{messages:?}");
    let tried = bundle.stack.inbox().requests(Service::Push);
    let pushes = tried
        .iter()
        .filter(|request| request.method == Method::POST && request.path.starts_with("/push/"));
    assert_eq!(
        pushes.count(),
        2,
        "one that was taken, and one that was not"
    );
}

#[tokio::test]
async fn a_push_service_that_is_busy_or_broken_is_asked_again_as_it_wishes() {
    let bundle = with_anna().await;
    add(&bundle, ANNA, &subscribe(&bundle).await).await.unwrap();
    let due = "select to_jsonb(extract(epoch from next_attempt_at - now())::integer) from ops.outbox where channel = 'push'";
    for (scripted, at_least) in [
        (Scripted::too_many_requests(120), 100),
        (Scripted::status(StatusCode::SERVICE_UNAVAILABLE), 10),
        (Scripted::AcceptThenCut, 10),
    ] {
        bundle.channel(Service::Push).script([scripted]);
        let report = dispatch(&bundle).await;
        assert_eq!(report["retried"], 1, "{report}");
        let wait = query(&bundle, due).await.as_i64().unwrap();
        assert!(wait >= at_least, "{wait}");
        let again = "update ops.outbox set next_attempt_at = now() where channel = 'push'";
        bundle.admin().await.batch_execute(again).await.unwrap();
    }
    let report = dispatch(&bundle).await;
    assert_eq!(report["sent"], 1, "{report}");
}

#[tokio::test]
async fn one_device_that_has_to_wait_holds_up_no_other() {
    let bundle = with_anna().await;
    for _ in 0..3 {
        add(&bundle, ANNA, &subscribe(&bundle).await).await.unwrap();
    }
    bundle
        .channel(Service::Push)
        .script([Scripted::too_many_requests(3_600)]);
    let report = dispatch(&bundle).await;
    assert_eq!(
        (&report["sent"], &report["retried"]),
        (&json!(2), &json!(1)),
        "{report}"
    );
}

#[tokio::test]
async fn nobody_is_reached_at_a_place_of_their_own_choice_or_in_the_name_of_another() {
    let bundle = with_anna().await;
    let fine = subscribe(&bundle).await;
    for endpoint in [
        "https://evil.example/push/1",
        "http://fcm.googleapis.com/x",
        "http://169.254.169.254/latest",
        "https://anna@fcm.googleapis.com/x",
        "https://fcm.googleapis.com./x",
        "https://fcm.googleapis.com:8443/x",
    ] {
        let mut odd = fine.clone();
        odd["endpoint"] = json!(endpoint);
        let refused = add(&bundle, ANNA, &odd).await;
        assert!(
            matches!(refused, Err(Problem::BadRequest(_))),
            "{endpoint}: {refused:?}"
        );
    }
    let refused = add(&bundle, "stranger@wine.example", &fine).await;
    assert!(
        matches!(refused, Err(Problem::BadRequest(_))),
        "{refused:?}"
    );
    let devices = "select to_jsonb(count(*)) from ops.push_devices";
    assert_eq!(query(&bundle, devices).await, 0);
}

#[tokio::test]
async fn a_name_is_remembered_on_the_device_and_stays_text() {
    let bundle = Bundle::start().await;
    raise(&bundle, "cellar", "firing").await;
    let link = crate::answering::link(&bundle, "Acknowledge");
    let app = bundle.instance(Endpoint::Acknowledge);
    let hostile = "%3Cscript%3E%E2%80%AEAnna";
    let done = press(&app, &link, &format!("&name={hostile}")).await;
    let cookie = done.header("set-cookie").unwrap();
    let (pair, _) = cookie.split_once(';').unwrap();
    let snooze = crate::answering::link(&bundle, "Snooze");
    let shown = call(&app, Method::GET, &snooze)
        .header("cookie", pair)
        .send()
        .await;
    let html = std::str::from_utf8(&shown.bytes).unwrap();
    assert!(html.contains("value=\"&lt;script&gt;Anna\""), "{html}");
    assert!(
        !html.contains("<script") && !html.contains('\u{202e}'),
        "{html}"
    );
    assert_eq!(shown.header("set-cookie"), None, "looking changes nothing");
}

#[tokio::test]
async fn two_presses_at_once_are_one_answer_and_both_see_who_has_it() {
    let bundle = Bundle::start().await;
    raise(&bundle, "cellar", "firing").await;
    let link = crate::answering::link(&bundle, "Acknowledge");
    let app = bundle.instance(Endpoint::Acknowledge);
    let (one, other) = tokio::join!(
        press(&app, &link, "&name=Anna"),
        press(&app, &link, "&name=Anna")
    );
    let mut statuses = [one.status, other.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::GONE]);
    for answer in [one, other] {
        let html = std::str::from_utf8(&answer.bytes).unwrap();
        assert!(
            html.contains("Acknowledged by Anna (by a link) until"),
            "{html}"
        );
    }
    let events = "select to_jsonb(count(*)) from ops.alert_events where kind = 'acknowledged'";
    assert_eq!(query(&bundle, events).await, 1);
}
