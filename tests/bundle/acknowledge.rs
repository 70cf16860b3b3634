//! `/api/alerts/acknowledge`: links in messages, and callers with a proof of
//! their own.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use ops::{endpoint::Endpoint, router};
use outside::clock;
use serde_json::{Value, json};

use crate::{
    answering::{PATH, dispatch, link, press, raise},
    support::{Answer, Bundle, call, get},
};

fn html(answer: &Answer) -> &str {
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    std::str::from_utf8(&answer.bytes).unwrap()
}

async fn act(bundle: &Bundle, bearer: &str, body: &Value) -> Answer {
    let app = bundle.instance(Endpoint::Acknowledge);
    call(&app, Method::POST, PATH)
        .bearer(bearer)
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
}

async fn status(bundle: &Bundle) -> String {
    let admin = bundle.admin().await;
    let row = admin.query_one(
        "select status from ops.alerts order by opened_at desc limit 1",
        &[],
    );
    row.await.unwrap().get(0)
}

#[tokio::test]
async fn a_link_shows_by_get_and_acts_by_post_once() {
    let bundle = Bundle::start().await;
    raise(&bundle, "cellar", "firing").await;
    let app = bundle.instance(Endpoint::Acknowledge);
    let link = link(&bundle, "Acknowledge");

    for _ in 0..2 {
        let shown = get(&app, &link).send().await;
        assert_eq!(shown.status, StatusCode::OK);
        assert_eq!(shown.header("cache-control"), Some("no-store"));
        assert_eq!(shown.header("referrer-policy"), Some("no-referrer"));
        let policy = shown.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(html(&shown).contains("The cellar is &lt;b&gt;warm&lt;/b&gt;"));
        assert!(
            html(&shown).contains("<button type=\"submit\" class=\"act\">Acknowledge</button>")
        );
    }
    let head = call(&app, Method::HEAD, &link).send().await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(html(&head), "", "headers alone");
    assert_eq!(
        status(&bundle).await,
        "firing",
        "a scanner that looks does nothing"
    );

    let done = press(&app, &link, "&name=Anna&note=on+my+way").await;
    assert_eq!(done.status, StatusCode::OK);
    assert!(
        html(&done).contains("Acknowledged by Anna (by a link)"),
        "{}",
        html(&done)
    );
    assert_eq!(status(&bundle).await, "acknowledged");
    let again = press(&app, &link, "").await;
    assert_eq!(again.status, StatusCode::GONE);
    assert_eq!(get(&app, &link).send().await.status, StatusCode::GONE);

    let row = bundle
        .admin()
        .await
        .query_one(
            "select actor, note from ops.alert_events where kind = 'acknowledged'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(
        (row.get("actor"), row.get("note")),
        ("Anna (by a link)", "on my way")
    );
}

#[tokio::test]
async fn a_snooze_holds_for_as_long_as_was_chosen() {
    let bundle = Bundle::start().await;
    raise(&bundle, "cellar", "firing").await;
    let app = bundle.instance(Endpoint::Acknowledge);
    let link = link(&bundle, "Snooze");
    let shown = get(&app, &link).send().await;
    assert!(html(&shown).contains("name=\"minutes\" value=\"240\">4 hours</button>"));
    assert_eq!(
        press(&app, &link, "&minutes=240").await.status,
        StatusCode::OK
    );
    let until: f64 = bundle
        .admin()
        .await
        .query_one(
            "select extract(epoch from acknowledged_until - now())::float8 from ops.alerts",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!((14_300.0..=14_401.0).contains(&until), "{until}");
}

#[tokio::test]
async fn a_link_that_is_forged_cut_or_of_another_key_is_401_and_does_nothing() {
    let bundle = Bundle::start().await;
    raise(&bundle, "cellar", "firing").await;
    let link = link(&bundle, "Acknowledge");
    let app = bundle.instance(Endpoint::Acknowledge);
    let (start, end) = link.split_at(link.len() - 1);
    let other = if end == "A" { "B" } else { "A" };
    for forged in [
        format!("{start}{other}"),
        start.to_owned(),
        format!("{PATH}?token="),
        format!("{PATH}?token=x"),
    ] {
        let answer = get(&app, &forged).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{forged}");
        assert!(!html(&answer).contains("cellar"), "{forged}");
        let answer = press(&app, &forged, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{forged}");
    }
    assert_eq!(
        get(&app, PATH).send().await.status,
        StatusCode::UNAUTHORIZED
    );

    let mut elsewhere = bundle.env.clone();
    elsewhere.insert("MONITORING_API_KEY".into(), "another-key-of-letters".into());
    let lookup = |name: &str| elsewhere.get(name).cloned();
    let rotated = router::function(
        Endpoint::Acknowledge,
        ops::config::Config::from_lookup(&lookup),
    );
    assert_eq!(
        press(&rotated, &link, "").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(status(&bundle).await, "firing");
}

#[tokio::test]
async fn forged_links_are_limited_like_any_wrong_proof() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Acknowledge);
    for _ in 0..30 {
        let answer = get(&app, &format!("{PATH}?token=x")).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = get(&app, &format!("{PATH}?token=x")).send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    for path in [PATH.to_owned(), format!("{PATH}?token=")] {
        let answer = get(&app, &path).send().await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "no proof is not wrong"
        );
    }
}

#[tokio::test]
async fn an_expired_link_and_one_to_an_alert_that_is_over_say_so() {
    let bundle = Bundle::start().await;
    raise(&bundle, "cellar", "firing").await;
    let first = link(&bundle, "Acknowledge");
    raise(&bundle, "cellar", "resolved").await;
    let app = bundle.instance(Endpoint::Acknowledge);
    let over = press(&app, &first, "").await;
    assert_eq!(over.status, StatusCode::OK);
    assert!(html(&over).contains("This alert is over"));

    // A message that was written four days ago.
    raise(&bundle, "older", "firing").await;
    let admin = bundle.admin().await;
    admin
        .batch_execute(
            "update ops.outbox set created_at = created_at - interval '4 days', status = 'pending',
                 sent_at = null, attempts = 0, next_attempt_at = now()
             where channel = 'email' and facts ->> 'subject' = 'older'",
        )
        .await
        .unwrap();
    dispatch(&bundle).await;
    let expired = link(&bundle, "Acknowledge");
    for answer in [
        get(&app, &expired).send().await,
        press(&app, &expired, "").await,
    ] {
        assert_eq!(answer.status, StatusCode::GONE);
        assert!(html(&answer).contains("This link has expired"));
    }
    assert_eq!(status(&bundle).await, "firing");
}

#[tokio::test]
async fn without_the_key_there_are_no_links_and_none_works() {
    let mut bundle = Bundle::start().await;
    raise(&bundle, "cellar", "firing").await;
    let link = link(&bundle, "Acknowledge");
    bundle.env.remove("MONITORING_API_KEY");
    let app = bundle.instance(Endpoint::Acknowledge);
    for answer in [get(&app, &link).send().await, press(&app, &link, "").await] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn operators_and_admins_act_and_nobody_else_does() {
    let bundle = Bundle::start().await;
    let alert = raise(&bundle, "cellar", "firing").await;
    let sub = "00000000-0000-4000-8000-00000000000a";
    let later: Timestamp = outside::clock::now() + SignedDuration::from_secs(3_600);
    let user = |metadata: Value| {
        let keys = bundle.stack.keys();
        keys.user_token(sub, "a@wine.example", &metadata, later)
            .unwrap()
    };
    let body = json!({"alertId": alert, "action": "acknowledge", "note": "mine"});
    for (bearer, expected) in [
        ("wrong".to_owned(), StatusCode::UNAUTHORIZED),
        (
            bundle.secret("CRON_SECRET").to_owned(),
            StatusCode::UNAUTHORIZED,
        ),
        (user(json!({})), StatusCode::FORBIDDEN),
    ] {
        let answer = act(&bundle, &bearer, &body).await;
        assert_eq!(answer.status, expected, "{:?}", answer.bytes);
    }
    assert_eq!(status(&bundle).await, "firing");

    let admin = act(&bundle, &user(json!({"role": "admin"})), &body).await;
    assert_eq!(admin.status, StatusCode::OK, "{:?}", admin.bytes);
    let document = &admin.json()["alert"];
    assert_eq!(admin.json()["outcome"], "done");
    assert_eq!(document["acknowledgedBy"], "a@wine.example");
    let key = bundle.secret("MONITORING_API_KEY");
    let back = json!({"alertId": alert, "action": "unacknowledge"});
    assert_eq!(act(&bundle, key, &back).await.json()["outcome"], "done");
    assert_eq!(
        act(&bundle, key, &back).await.json()["outcome"],
        "unchanged"
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_told_and_does_nothing() {
    let bundle = Bundle::start().await;
    let alert = raise(&bundle, "cellar", "firing").await;
    let key = bundle.secret("MONITORING_API_KEY");
    for (body, expected) in [
        (json!({}), StatusCode::BAD_REQUEST),
        (
            json!({"alertId": alert, "action": "ignore"}),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({"alertId": alert, "action": "snooze"}),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({"alertId": alert, "action": "snooze", "until": "2026-01-01T00:00:00Z"}),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({"alertId": alert, "action": "silence", "until": "2026-01-01T00:00:00Z"}),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({"alertId": "00000000-0000-4000-8000-000000000001", "action": "resolve"}),
            StatusCode::NOT_FOUND,
        ),
    ] {
        let answer = act(&bundle, key, &body).await;
        assert_eq!(answer.status, expected, "{body}: {:?}", answer.bytes);
    }
    let app = bundle.instance(Endpoint::Acknowledge);
    let text = call(&app, Method::POST, PATH).header("content-type", "text/plain");
    assert_eq!(text.send().await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(status(&bundle).await, "firing");
}

/// How every alert stands, by its subject.
async fn standing(bundle: &Bundle) -> Value {
    let sql = "select jsonb_object_agg(subject, status) from ops.alerts";
    crate::channels::query(bundle, sql).await
}

#[tokio::test]
async fn json_acts_on_all_that_is_selected() {
    let bundle = Bundle::start().await;
    let key = bundle.secret("MONITORING_API_KEY").to_owned();
    let cellar = raise(&bundle, "cellar", "firing").await;
    raise(&bundle, "barrels", "firing").await;
    raise(&bundle, "corks", "firing").await;
    let chosen = json!({"select": {"alerts": [cellar]}, "action": "acknowledge"});
    let acted = act(&bundle, &key, &chosen).await;
    assert_eq!(acted.json()["acted"], json!([cellar]), "{:?}", acted.bytes);
    let matching =
        json!({"select": {"match": {"subject": ["barrels", "cork*"]}}, "action": "resolve"});
    let acted = act(&bundle, &key, &matching).await;
    assert_eq!(acted.json()["acted"].as_array().unwrap().len(), 2);
    assert_eq!(
        standing(&bundle).await,
        json!({"cellar": "acknowledged", "barrels": "resolved", "corks": "resolved"})
    );
    let later = json!({
        "select": {"match": {"severity": "low"}}, "action": "silence", "note": "works",
        "from": clock::now() + SignedDuration::from_hours(1),
        "until": clock::now() + SignedDuration::from_hours(2),
    });
    let silence = act(&bundle, &key, &later).await;
    assert_eq!(
        silence.json()["silence"]["match"],
        json!({"severity": "low"})
    );
    for odd in [
        json!({"select": {"match": {}}, "action": "acknowledge"}),
        json!({"select": {"incident": -1}, "action": "acknowledge"}),
        json!({"alertId": cellar, "select": {"alerts": []}, "action": "acknowledge"}),
        json!({"alertId": cellar, "action": "silence", "from": clock::now()}),
        json!({"action": "acknowledge"}),
    ] {
        let refused = act(&bundle, &key, &odd).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{odd}");
    }
}

#[tokio::test]
async fn a_link_takes_the_whole_incident_or_silences_what_is_like_its_alert() {
    let bundle = Bundle::start().await;
    raise(&bundle, "cellar", "firing").await;
    raise(&bundle, "barrels", "firing").await;
    let app = bundle.instance(Endpoint::Acknowledge);
    let one_incident =
        "update ops.alerts set incident = (select min(incident::text)::uuid from ops.alerts)";
    bundle
        .admin()
        .await
        .batch_execute(one_incident)
        .await
        .unwrap();
    let taken = link(&bundle, "Acknowledge");
    let shown = get(&app, &taken).send().await;
    assert!(
        html(&shown).contains("every open alert of incident #"),
        "{}",
        html(&shown)
    );
    let done = press(&app, &taken, "&name=Anna&scope=incident").await;
    assert_eq!(done.status, StatusCode::OK);
    assert_eq!(
        standing(&bundle).await,
        json!({"cellar": "acknowledged", "barrels": "acknowledged"})
    );

    let snoozed = link(&bundle, "Snooze");
    let done = press(&app, &snoozed, "&name=Anna&scope=rule&minutes=120&in=60").await;
    assert_eq!(done.status, StatusCode::OK, "{}", html(&done));
    let silence = "select jsonb_build_object('match', match, 'waits', starts_at > now() + interval '59 minutes',
                   'lasts', ends_at - starts_at, 'reason', reason) from ops.silences";
    assert_eq!(
        crate::channels::query(&bundle, silence).await,
        json!({"match": {"rule": "external"}, "waits": true, "lasts": "02:00:00",
               "reason": "by the link of an alert, Anna (by a link)"})
    );
}
