//! What somebody asks to be handed out: made by the maintenance, mailed, and fetched once.

use std::io::{Cursor, Read};

use http::{Method, StatusCode};
use local_supabase::{
    capture::Channel,
    fault::{Mode, Service},
};
use ops::endpoint::Endpoint;
use outside::{
    clock,
    outbound::{self, Outbound},
};
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::{
    browser::{Browser, PATH},
    channels::query,
    support::{Answer, Bundle, call, get},
};

async fn person(bundle: &Bundle, email: &str) -> String {
    let metadata = json!({});
    let made = bundle.stack.create_user(email, "correct horse", &metadata);
    made.await.expect("a user").to_string()
}

/// As somebody by their token, or as the page that a link leads to.
async fn post(bundle: &Bundle, person: Option<&str>, body: &Value) -> Answer {
    let Some(person) = person else {
        return Browser::at("192.0.2.1").post(bundle, body).await;
    };
    let app = bundle.instance(Endpoint::Account);
    let request = call(&app, Method::POST, PATH)
        .header("content-type", "application/json")
        .body(body.to_string());
    let later = clock::now() + jiff::SignedDuration::from_hours(1);
    let token = bundle.stack.keys();
    let token = token.user_token(person, "x@wine.example", &json!({}), later);
    request.bearer(&token.unwrap()).send().await
}

async fn maintain(bundle: &Bundle) -> Value {
    let app = bundle.instance(Endpoint::Maintenance);
    let answer = get(&app, "/api/cron/maintenance")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    answer.json()
}

/// The letters to somebody.
fn letters(bundle: &Bundle, to: &str) -> Vec<String> {
    let messages = bundle.stack.inbox().messages().into_iter();
    messages
        .filter(|message| message.channel == Channel::Email)
        .filter(|message| message.to.contains(&to.to_owned()))
        .map(|message| message.text)
        .collect()
}

/// What the link in a letter proves.
fn token(letter: &str) -> Value {
    let link = "https://ops.wine.example/your-data.html#";
    let proof = letter.lines().find_map(|line| line.strip_prefix(link));
    json!(proof.unwrap_or_else(|| panic!("no link in {letter}")))
}

async fn fetched(url: &str) -> (u16, Vec<u8>) {
    let answer = Outbound::default().client().unwrap().get(url).send().await;
    let answer = answer.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        outbound::body(answer, 10_000_000).await.unwrap().to_vec(),
    )
}

#[tokio::test]
async fn whoever_asks_is_mailed_a_link_that_hands_their_data_out_once() {
    let bundle = Bundle::start().await;
    let anna = person(&bundle, "anna@wine.example").await;
    let bo = person(&bundle, "bo@wine.example").await;
    let row = |id: &str, name: &str| {
        format!(
            "insert into public.analytics_events (event_name, user_id) values ('{name}', '{id}');"
        )
    };
    let rows = [row(&anna, "seen by anna"), row(&bo, "seen by bo")].concat();
    bundle.admin().await.batch_execute(&rows).await.unwrap();
    let ask = json!({"action": "ask", "what": "export"});
    assert_eq!(
        post(&bundle, Some(&anna), &ask).await.status,
        StatusCode::OK
    );
    assert_eq!(
        maintain(&bundle).await["exports"],
        json!({"made": 1, "mailed": 1, "deleted": 0})
    );
    assert_eq!(
        maintain(&bundle).await["exports"],
        Value::Null,
        "it is done"
    );

    let letters = letters(&bundle, "anna@wine.example");
    assert_eq!(letters.len(), 1);
    let fetch = json!({"action": "fetchExport", "token": token(&letters[0])});
    let stands = post(&bundle, Some(&anna), &json!({"action": "export"})).await;
    assert!(stands.json()["readyAt"].is_string() && stands.json()["askedAt"].is_null());
    let nobodys = json!({"action": "fetchExport"});
    let refused = post(&bundle, Some(&bo), &nobodys).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);

    // Storage is away: whoever presses too early has used nothing up.
    bundle.fault(Service::Storage, Mode::Refuse).await;
    let refused = post(&bundle, None, &fetch).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    bundle.fault(Service::Storage, Mode::Ok).await;
    let answer = post(&bundle, None, &fetch).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    let url = answer.json()["url"].as_str().unwrap().to_owned();
    let (status, bytes) = fetched(&url).await;
    assert_eq!(status, 200);
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut events = String::new();
    let mut file = zip.by_name("data/public.analytics_events.json").unwrap();
    file.read_to_string(&mut events).unwrap();
    assert!(
        events.contains("seen by anna") && !events.contains("seen by bo"),
        "{events}"
    );
    for who in [None, Some(anna.as_str())] {
        let body = if who.is_some() { &nobodys } else { &fetch };
        let again = post(&bundle, who, body).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND);
        assert!(
            again.json()["detail"]
                .as_str()
                .unwrap()
                .contains("fetched before")
        );
    }

    // An hour later the file is deleted, and with it what the URL led to.
    let later = "update ops.exports set fetched_at = fetched_at - interval '1 hour'";
    bundle.admin().await.batch_execute(later).await.unwrap();
    assert_eq!(maintain(&bundle).await["exports"]["deleted"], 1);
    assert_ne!(fetched(&url).await.0, 200);
    let left = query(&bundle, "select to_jsonb(count(*)) from storage.objects");
    assert_eq!(left.await, 0);
}

#[tokio::test]
async fn one_that_cannot_be_laid_down_is_tried_three_times_and_says_why() {
    let bundle = Bundle::start().await;
    let anna = person(&bundle, "anna@wine.example").await;
    let ask = json!({"action": "ask", "what": "export"});
    post(&bundle, Some(&anna), &ask).await;
    bundle.fault(Service::Storage, Mode::Refuse).await;
    for _ in 0..3 {
        let said = maintain(&bundle).await["exports"].clone();
        let trouble = said["trouble"].as_str().unwrap();
        assert!(trouble.starts_with("Storage does not serve"), "{trouble}");
    }
    bundle.fault(Service::Storage, Mode::Ok).await;
    // It is left to an operator, and what was begun is deleted, whether or not it was there.
    assert_eq!(
        maintain(&bundle).await["exports"],
        json!({"made": 0, "mailed": 0, "deleted": 3})
    );
    assert!(letters(&bundle, "anna@wine.example").is_empty());
    let told = query(
        &bundle,
        "select to_jsonb(trouble) from ops.privacy_requests",
    )
    .await;
    assert!(
        told.as_str().unwrap().starts_with("Storage does not serve"),
        "{told}"
    );
}
