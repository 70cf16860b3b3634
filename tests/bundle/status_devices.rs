//! Devices that are told of changes of the status page, from the press on its button to the
//! end of what they heard.

use http::{Method, StatusCode};
use local_supabase::{
    capture::{Channel, Message, Scripted},
    fault::Service,
};
use ops::{endpoint::Endpoint, function::Function};
use outside::outbound::Outbound;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    answering::dispatch,
    channels::query,
    support::{Answer, Bundle, call, get},
};

/// What a browser subscribes to at the stand-in.
async fn device(bundle: &Bundle) -> Value {
    let url = format!("{}/subscriptions", bundle.channel(Service::Push).url());
    let outbound = Outbound::default();
    let answer = outbound.client().unwrap().post(url).send().await.unwrap();
    answer.json().await.unwrap()
}

/// Sends what the page's script does.
async fn send(app: &Function, path: &str, device: &Value, components: &[&str]) -> Answer {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("subscription", &device.to_string());
    for component in components {
        form.append_pair("component", component);
    }
    call(app, Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.finish())
        .send()
        .await
}

fn pushed(bundle: &Bundle, device: &Value) -> Vec<Message> {
    let endpoint = device["endpoint"].as_str().unwrap();
    let messages = bundle.stack.inbox().messages().into_iter();
    messages
        .filter(|message| message.channel == Channel::Push && endpoint.ends_with(&message.to))
        .collect()
}

/// Somebody says how the app is.
async fn say(bundle: &Bundle, state: &str) {
    let sql = format!(
        "select public.ops_say_component('app', '{state}', 'we look at it', now() + interval '1 hour', 'production', 'test')"
    );
    query(bundle, &sql).await;
}

/// The app is looked at, so that the page knows it.
async fn look(bundle: &Bundle) {
    let app = bundle.instance(Endpoint::Monitor);
    let ticked = get(&app, "/api/cron/monitor")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    assert_eq!(ticked.status, StatusCode::OK, "{:?}", ticked.bytes);
}

#[tokio::test]
async fn a_press_lets_a_device_hear_and_another_one_ends_it() {
    let bundle = Bundle::with_all_channels().await;
    look(&bundle).await;
    let app = bundle.instance(Endpoint::Status);
    let page = get(&app, "/status").send().await;
    let html = std::str::from_utf8(&page.bytes).unwrap();
    let key = bundle.config().web_push.unwrap().public_key().to_owned();
    assert!(
        html.contains(&format!("data-key=\"{key}\" hidden")),
        "{html}"
    );
    dispatch(&bundle).await;

    let phone = device(&bundle).await;
    let asked = send(&app, "/status/push", &phone, &["app"]).await;
    assert_eq!(asked.status, StatusCode::OK, "{:?}", asked.bytes);
    let manage = asked.json()["manage"].as_str().unwrap().to_owned();
    let kept = query(&bundle, "select to_jsonb(s) from ops.subscribers as s").await;
    assert!(!kept.to_string().contains("/push/"), "{kept}");
    dispatch(&bundle).await;
    let welcome = &pushed(&bundle, &phone)[0].raw["notification"];
    assert_eq!(
        welcome["actions"][0]["navigate"],
        format!("https://ops.wine.example{manage}")
    );

    say(&bundle, "degraded").await;
    dispatch(&bundle).await;
    dispatch(&bundle).await;
    let told = pushed(&bundle, &phone);
    assert_eq!(told.len(), 2, "the welcome, and what changed, once");
    let title = told[1].raw["notification"]["title"].as_str().unwrap();
    assert!(
        title.ends_with("The app: slow or partly failing"),
        "{title}"
    );

    let shown = get(&app, &manage).send().await;
    let html = std::str::from_utf8(&shown.bytes).unwrap();
    assert!(html.contains("value=\"app\" checked"), "{html}");
    let ended = send(&app, "/status/push/end", &phone, &[]).await;
    assert_eq!(ended.status, StatusCode::OK);
    say(&bundle, "major_outage").await;
    dispatch(&bundle).await;
    assert_eq!(pushed(&bundle, &phone).len(), 2);
}

#[tokio::test]
async fn the_page_of_choices_ends_it_too_and_has_the_browser_forget_it() {
    let bundle = Bundle::with_all_channels().await;
    let app = bundle.instance(Endpoint::Status);
    let phone = device(&bundle).await;
    let asked = send(&app, "/status/push", &phone, &[]).await;
    let manage = asked.json()["manage"].as_str().unwrap().to_owned();
    let token = manage.split_once('?').unwrap().1.to_owned();
    let ended = call(&app, Method::POST, "/status/unsubscribe")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(token)
        .send()
        .await;
    let html = std::str::from_utf8(&ended.bytes).unwrap();
    assert!(
        html.contains("data-push-ended") && html.contains("<script type=\"module\""),
        "{html}"
    );
    let kept = "select to_jsonb(count(*)) from ops.subscribers where address is not null";
    assert_eq!(query(&bundle, kept).await, 0);
}

#[tokio::test]
async fn devices_are_told_whatever_becomes_of_one_and_one_that_is_gone_is_forgotten() {
    let bundle = Bundle::with_all_channels().await;
    let app = bundle.instance(Endpoint::Status);
    let mut devices = Vec::new();
    for _ in 0..8 {
        let device = device(&bundle).await;
        let asked = send(&app, "/status/push", &device, &[]).await;
        assert_eq!(asked.status, StatusCode::OK, "{:?}", asked.bytes);
        devices.push(device);
    }
    let gone = devices[3]["endpoint"].as_str().unwrap();
    let outbound = Outbound::default();
    outbound
        .client()
        .unwrap()
        .delete(gone)
        .send()
        .await
        .unwrap();
    bundle
        .channel(Service::Push)
        .script([Scripted::too_many_requests(3_600)]);
    dispatch(&bundle).await;
    let told = devices
        .iter()
        .filter(|device| !pushed(&bundle, device).is_empty());
    let kept = query(
        &bundle,
        "select to_jsonb(count(*)) from ops.subscribers where address is not null",
    )
    .await;
    let waiting = query(
        &bundle,
        "select to_jsonb(count(*)) from ops.subscriber_messages where status = 'pending'",
    )
    .await;
    // Which of them met the busy service depends on who came first.
    assert!(
        [(6, json!(7), json!(1)), (7, json!(8), json!(1))].contains(&(
            told.count(),
            kept.clone(),
            waiting.clone()
        )),
        "{kept} kept, {waiting} waiting"
    );
}

#[tokio::test]
async fn what_is_no_subscription_and_who_asks_too_often_are_refused() {
    let bundle = Bundle::with_all_channels().await;
    let app = bundle.instance(Endpoint::Status);
    let fine = device(&bundle).await;
    for endpoint in [
        "https://evil.example/push/1",
        "http://169.254.169.254/latest",
        "",
    ] {
        let mut odd = fine.clone();
        odd["endpoint"] = json!(endpoint);
        for path in ["/status/push", "/status/push/end"] {
            let refused = send(&app, path, &odd, &[]).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path} {endpoint}");
        }
    }
    for number in 0..10 {
        let asked = send(&app, "/status/push", &fine, &[]).await;
        assert_eq!(asked.status, StatusCode::OK, "{number}");
    }
    let limited = send(&app, "/status/push", &fine, &[]).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.header("retry-after"), Some("3600"));

    let mut closed = bundle;
    closed.env.remove("VAPID_PRIVATE_KEY");
    let app = closed.instance(Endpoint::Status);
    let page = get(&app, "/status").send().await;
    let html = std::str::from_utf8(&page.bytes).unwrap();
    assert!(!html.contains("id=\"device\""), "{html}");
    let refused = send(&app, "/status/push", &fine, &[]).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
}
