//! `/api/alerts/dispatch`: the door for outside alerts, and the outbox's worker.

use std::time::Duration;

use http::{Method, StatusCode};
use local_supabase::{
    capture::{Channel, Scripted},
    fault::{Mode, Service},
};
use ops::{endpoint::Endpoint, function::Function};
use serde_json::{Value, json};

use crate::support::{Answer, Bundle, call, get};

const PATH: &str = "/api/alerts/dispatch";

pub(crate) async fn post(bundle: &Bundle, app: &Function, body: &Value) -> Answer {
    call(app, Method::POST, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
}

async fn deliver(bundle: &Bundle, app: &Function) -> Value {
    let answer = get(app, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    answer.json()
}

/// Makes what waits for a later attempt due now.
async fn make_due(bundle: &Bundle) {
    let due = "update ops.outbox set next_attempt_at = now(), leased_until = now() - interval '1 second' where status = 'pending'";
    bundle.admin().await.batch_execute(due).await.unwrap();
}

fn alert(severity: &str, status: &str) -> Value {
    json!({
        "status": status,
        "source": "ci",
        "type": "system",
        "severity": severity,
        "title": "Deploy failed",
        "message": "step <build> failed & <!channel> was not told",
        "subject": "deploy",
    })
}

pub(crate) fn on(bundle: &Bundle, channel: Channel) -> usize {
    bundle
        .stack
        .inbox()
        .messages()
        .iter()
        .filter(|message| message.channel == channel)
        .count()
}

async fn outbox(bundle: &Bundle, status: &str) -> i64 {
    let sql = "select count(*) from ops.outbox where status = $1";
    bundle
        .admin()
        .await
        .query_one(sql, &[&status])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn a_raised_alert_is_told_at_once_and_its_resolution_too_once_each() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    let answer = post(&bundle, &app, &alert("critical", "firing")).await;
    assert!(answer.status.is_success(), "{:?}", answer.bytes);
    assert_eq!(answer.json()["results"][0]["outcome"], "opened");
    assert_eq!(
        (on(&bundle, Channel::Slack), on(&bundle, Channel::Email)),
        (1, 1)
    );
    let again = post(&bundle, &app, &alert("critical", "firing")).await;
    assert_eq!(again.json()["results"][0]["outcome"], "updated");
    assert_eq!(
        (on(&bundle, Channel::Slack), on(&bundle, Channel::Email)),
        (1, 1)
    );
    let resolved = post(&bundle, &app, &alert("critical", "resolved")).await;
    assert_eq!(resolved.json()["results"][0]["outcome"], "resolved");
    assert_eq!(
        (on(&bundle, Channel::Slack), on(&bundle, Channel::Email)),
        (2, 2)
    );
    deliver(&bundle, &app).await;
    assert_eq!(
        (on(&bundle, Channel::Slack), on(&bundle, Channel::Email)),
        (2, 2)
    );
}

#[tokio::test]
async fn severity_decides_where_an_alert_goes() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    for (severity, slack, email) in [
        ("low", 0, 0),
        ("medium", 1, 0),
        ("high", 2, 0),
        ("critical", 3, 1),
    ] {
        let mut raised = alert(severity, "firing");
        raised["subject"] = json!(severity);
        post(&bundle, &app, &raised).await;
        assert_eq!(
            (on(&bundle, Channel::Slack), on(&bundle, Channel::Email)),
            (slack, email),
            "{severity}"
        );
    }
    assert_eq!(
        outbox(&bundle, "pending").await,
        1,
        "low waits for its digest"
    );
}

#[tokio::test]
async fn what_a_caller_writes_cannot_shout_or_style() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    post(&bundle, &app, &alert("critical", "firing")).await;
    for message in bundle.stack.inbox().messages() {
        let marked_up = match message.channel {
            Channel::Email => message.raw["html"].to_string(),
            _ => message.raw.to_string(),
        };
        assert!(!marked_up.contains("<!channel>"), "{marked_up}");
        assert!(!marked_up.contains("step <build>"), "{marked_up}");
    }
}

#[tokio::test]
async fn what_says_nothing_is_400_and_raises_nothing() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    for text in [
        "",
        "{",
        "NaN",
        "\u{0}",
        "null",
        "[]",
        "\"alert\"",
        "{}",
        "{\"alerts\": []}",
        "{\"severity\": NaN}",
        "{\"source\": \"ci\", \"severity\": \"high\", \"title\": \"\u{200b}\"}",
        "[7, {\"source\": \"ci\", \"status\": \"resolved\"}]",
    ] {
        let answer = call(&app, Method::POST, PATH)
            .bearer(bundle.secret("MONITORING_API_KEY"))
            .header("content-type", "application/json")
            .body(text)
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{text:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{text:?}"
        );
    }
    let raised: i64 = bundle
        .admin()
        .await
        .query_one("select count(*) from ops.alerts", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(raised, 0);
}

/// Bodies of our own form, Alertmanager's and Grafana's with three critical alerts,
/// the middle one of which is replaced by something odd.
fn with_an_odd_one(form: &str, odd: &str) -> String {
    let ours = |title: &str| {
        format!(r#"{{"source":"ci","severity":"critical","title":"{title}","subject":"{title}"}}"#)
    };
    let theirs = |name: &str| {
        format!(
            r#"{{"status":"firing","labels":{{"alertname":"{name}","severity":"critical"}},
                "annotations":{{"summary":"{name}"}},"startsAt":"2026-11-24T11:52:30Z","fingerprint":"{name}"}}"#
        )
    };
    match form {
        "ours" => format!("[{},{odd},{}]", ours("first"), ours("last")),
        version => format!(
            r#"{{"version":"{version}","groupKey":"g","alerts":[{},{odd},{}]}}"#,
            theirs("first"),
            theirs("last")
        ),
    }
}

#[tokio::test]
async fn an_odd_alert_takes_no_neighbour_along_and_is_not_lost_itself() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    let long = "x".repeat(201);
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    let cases = [
        ("ours", format!(r#""severity":"critical","title":"{long}""#)),
        (
            "ours",
            r#""severity":"critical","title":"two\nlines""#.into(),
        ),
        (
            "ours",
            r#""severity":"critical","title":"half \ud83c""#.into(),
        ),
        (
            "ours",
            "\"severity\":\"critical\",\"title\":\"raw\nline\"".into(),
        ),
        ("ours", r#""severity":"CRITICAL","title":"loud""#.into()),
        (
            "ours",
            r#""severity":"urgent","title":"unknown word""#.into(),
        ),
        (
            "ours",
            r#""severity":"critical","title":"\u200b","message":"shown""#.into(),
        ),
        (
            "ours",
            r#""severity":"critical","title":7,"surprise":{}"#.into(),
        ),
        (
            "ours",
            r#""severity":"critical","title":"n","data":{"n":1e999,"m":NaN}"#.into(),
        ),
        (
            "ours",
            r#""severity":"critical","title":"zero","data":{"n":"\u0000"}"#.into(),
        ),
        (
            "ours",
            format!(r#""severity":"critical","title":"deep","data":{{"a":{deep}}}"#),
        ),
        (
            "4",
            r#""labels":{"alertname":"a"},"startsAt":"-000044-03-15T12:00:00Z""#.into(),
        ),
        (
            "4",
            r#""labels":{"alertname":"a"},"startsAt":"0000-01-01T00:00:00Z""#.into(),
        ),
        (
            "4",
            r#""labels":{"alertname":"a"},"startsAt":"soon""#.into(),
        ),
        (
            "4",
            r#""labels":{"alertname":"a","n":1},"startsAt":"9999-12-31T23:59:59+00:00""#.into(),
        ),
        ("4", r#""labels":[],"annotations":"none""#.into()),
        (
            "1",
            r#""labels":{"alertname":"a"},"startsAt":"0001-01-01T00:00:00Z","values":{"A":1e999}"#
                .into(),
        ),
    ];
    for (number, (form, odd)) in cases.into_iter().enumerate() {
        let fingerprint = match form {
            "ours" => format!(r#""subject":"odd-{number}""#),
            _ => format!(r#""fingerprint":"odd{number}""#),
        };
        let body = with_an_odd_one(form, &format!("{{{odd},{fingerprint}}}"));
        let answer = call(&app, Method::POST, PATH)
            .bearer(bundle.secret("MONITORING_API_KEY"))
            .header("content-type", "Application/JSON; charset=utf-8")
            .body(body)
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{odd}: {:?}", answer.bytes);
        let results = answer.json()["results"].clone();
        assert_eq!(results[1]["outcome"], "opened", "{odd}: {results}");
        for neighbour in [0, 2] {
            let outcome = results[neighbour]["outcome"].as_str().unwrap();
            assert!(["opened", "updated"].contains(&outcome), "{odd}: {results}");
        }
    }
    let titles = "select count(*) from ops.alerts where coalesce(trim(facts ->> 'title'), '') = ''";
    let without: i64 = bundle
        .admin()
        .await
        .query_one(titles, &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(without, 0, "every alert has a title");
    assert_eq!(outbox(&bundle, "dead").await, 0);
}

#[tokio::test]
async fn type_and_size_of_a_body_are_checked_first() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    let key = bundle.secret("MONITORING_API_KEY");
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        let request = call(&app, Method::POST, PATH)
            .bearer(key)
            .header("content-type", content_type);
        let answer = request.body("{}").send().await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{content_type}"
        );
    }
    let large = vec![b' '; 256 * 1024 + 1];
    let request = call(&app, Method::POST, PATH)
        .bearer(key)
        .header("content-type", "application/json");
    assert_eq!(
        request.body(large).send().await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn a_provider_that_says_later_is_asked_later() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    bundle
        .stack
        .slack()
        .script([Scripted::too_many_requests(120)]);
    post(&bundle, &app, &alert("high", "firing")).await;
    assert_eq!(on(&bundle, Channel::Slack), 0);
    let wait: f64 = bundle
        .admin()
        .await
        .query_one(
            "select extract(epoch from next_attempt_at - now())::float8 from ops.outbox",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!((100.0..=130.0).contains(&wait), "{wait}");
    deliver(&bundle, &app).await;
    assert_eq!(on(&bundle, Channel::Slack), 0, "not before its time");
    make_due(&bundle).await;
    deliver(&bundle, &app).await;
    assert_eq!(
        (on(&bundle, Channel::Slack), outbox(&bundle, "sent").await),
        (1, 1)
    );
}

#[tokio::test]
async fn a_provider_that_fails_is_tried_again_and_one_that_refuses_for_good_is_not() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    bundle
        .stack
        .slack()
        .script([Scripted::status(StatusCode::INTERNAL_SERVER_ERROR)]);
    post(&bundle, &app, &alert("high", "firing")).await;
    assert_eq!(outbox(&bundle, "pending").await, 1);
    make_due(&bundle).await;
    deliver(&bundle, &app).await;
    assert_eq!(
        (on(&bundle, Channel::Slack), outbox(&bundle, "sent").await),
        (1, 1)
    );

    bundle
        .stack
        .slack()
        .script([Scripted::status(StatusCode::NOT_FOUND)]);
    let mut other = alert("high", "firing");
    other["subject"] = json!("another");
    post(&bundle, &app, &other).await;
    assert_eq!(outbox(&bundle, "dead").await, 1);
}

#[tokio::test]
async fn a_message_that_was_accepted_without_an_answer_is_sent_again_and_mail_is_not_doubled() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    bundle.stack.resend().script([Scripted::AcceptThenHang]);
    post(&bundle, &app, &alert("critical", "firing")).await;
    assert_eq!(outbox(&bundle, "sent").await, 1, "Slack");
    make_due(&bundle).await;
    deliver(&bundle, &app).await;
    assert_eq!(outbox(&bundle, "sent").await, 2);
    assert_eq!(
        on(&bundle, Channel::Email),
        1,
        "the key told the provider that it is the same"
    );
}

#[tokio::test]
async fn slack_knows_no_key_so_a_lost_answer_is_told_twice_rather_than_never() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    bundle.stack.slack().script([Scripted::AcceptThenCut]);
    post(&bundle, &app, &alert("high", "firing")).await;
    assert_eq!(outbox(&bundle, "sent").await, 0, "nobody said that it was");
    make_due(&bundle).await;
    deliver(&bundle, &app).await;
    assert_eq!(on(&bundle, Channel::Slack), 2);
    assert_eq!(outbox(&bundle, "sent").await, 1);
}

#[tokio::test]
async fn one_channel_down_does_not_hold_up_another() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    bundle.fault(Service::Slack, Mode::Refuse).await;
    post(&bundle, &app, &alert("critical", "firing")).await;
    assert_eq!(on(&bundle, Channel::Email), 1);
    bundle.fault(Service::Slack, Mode::Ok).await;
    make_due(&bundle).await;
    deliver(&bundle, &app).await;
    assert_eq!(
        (on(&bundle, Channel::Slack), on(&bundle, Channel::Email)),
        (1, 1)
    );
}

#[tokio::test]
async fn two_workers_at_once_send_everything_once() {
    let bundle = Bundle::start().await;
    let door = bundle.instance(Endpoint::Dispatch);
    bundle.fault(Service::Slack, Mode::Refuse).await;
    for subject in ["a", "b", "c"] {
        let mut raised = alert("high", "firing");
        raised["subject"] = json!(subject);
        post(&bundle, &door, &raised).await;
    }
    bundle.fault(Service::Slack, Mode::Ok).await;
    make_due(&bundle).await;
    let workers = [
        bundle.instance(Endpoint::Dispatch),
        bundle.instance(Endpoint::Dispatch),
    ];
    let [one, other] = &workers;
    tokio::join!(deliver(&bundle, one), deliver(&bundle, other));
    assert_eq!(on(&bundle, Channel::Slack), 3);
}

#[tokio::test]
async fn without_any_channel_an_alert_is_kept_as_undeliverable() {
    let mut bundle = Bundle::start().await;
    for name in ["SLACK_WEBHOOK_URL", "ADMIN_EMAIL"] {
        bundle.env.remove(name);
    }
    let app = bundle.instance(Endpoint::Dispatch);
    let answer = post(&bundle, &app, &alert("critical", "firing")).await;
    assert!(answer.status.is_success());
    assert_eq!(outbox(&bundle, "dead").await, 1);
}

#[tokio::test]
async fn without_its_database_raising_is_503_and_says_so_soon() {
    let bundle = Bundle::start().await;
    bundle.fault(Service::Database, Mode::Refuse).await;
    let app = bundle.instance(Endpoint::Dispatch);
    let raised = alert("critical", "firing");
    let raising = tokio::time::timeout(Duration::from_secs(30), post(&bundle, &app, &raised));
    assert_eq!(
        raising.await.unwrap().status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn the_runbook_may_be_elsewhere() {
    let bundle = Bundle::start().await;
    let set = "select public.ops_set_setting('links.runbook', '\"https://wiki.wine.example/ops\"', 'test')";
    bundle.admin().await.batch_execute(set).await.unwrap();
    let app = bundle.instance(Endpoint::Dispatch);
    post(&bundle, &app, &alert("high", "firing")).await;
    let message = bundle.stack.inbox().messages().remove(0).raw.to_string();
    assert!(
        message.contains("https://wiki.wine.example/ops#external"),
        "{message}"
    );
}

/// A critical alert with these data, as text: no document of ours nests so deep.
fn with_data(subject: &str, data: &str) -> String {
    format!(
        r#"{{"source":"ci","severity":"critical","title":"Cellar {subject}","subject":"{subject}","data":{data}}}"#
    )
}

fn nested(levels: usize) -> String {
    format!(r#"{{"a":{}7{}}}"#, "[".repeat(levels), "]".repeat(levels))
}

async fn post_text(bundle: &Bundle, app: &Function, body: String) -> Answer {
    call(app, Method::POST, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
}

#[tokio::test]
async fn an_alert_whose_data_are_odd_is_told_like_its_neighbours() {
    let odd = [
        nested(14),
        nested(124),
        nested(126),
        nested(100_000),
        r#"{"$serde_json::private::RawValue":"[["}"#.to_owned(),
        r#"{"$serde_json::private::Number":"x"}"#.to_owned(),
        r#"{"n":1e400}"#.to_owned(),
    ];
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    for (nth, data) in odd.iter().enumerate() {
        let alerts = ["first", "odd", "last"].map(|name| {
            let data = if name == "odd" { data } else { "{}" };
            with_data(&format!("{name}-{nth}"), data)
        });
        let answer = post_text(&bundle, &app, format!("[{}]", alerts.join(","))).await;
        assert_eq!(answer.status, StatusCode::OK, "{nth}: {:?}", answer.bytes);
        let answer = answer.json();
        let outcomes = (0..3).map(|alert| &answer["results"][alert]["outcome"]);
        assert!(outcomes.eq(["opened"; 3].iter()), "{nth}: {answer}");
        // So many at once would wait for each other.
        let earlier = "update ops.outbox set bundled_at = bundled_at - interval '1 hour' where bundle is not null;
                       update ops.deliveries set started_at = started_at - interval '1 hour'";
        bundle.admin().await.batch_execute(earlier).await.unwrap();
        make_due(&bundle).await;
        deliver(&bundle, &app).await;
    }
    assert_eq!(outbox(&bundle, "dead").await, 0);
    let texts: Vec<String> = bundle
        .stack
        .inbox()
        .messages()
        .iter()
        .map(|message| message.raw.to_string())
        .collect();
    for nth in 0..odd.len() {
        for name in ["first", "odd", "last"] {
            let told = texts
                .iter()
                .filter(|text| text.contains(&format!("{name}-{nth}")))
                .count();
            assert!(told >= 2, "{name}-{nth} was told {told} times");
        }
    }
}

#[tokio::test]
async fn rows_that_nest_deeper_than_any_parser_reads_stay_readable() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    bundle.fault(Service::Slack, Mode::Refuse).await;
    let body = [with_data("good", "{}"), with_data("odd", "{}")].join(",");
    let answer = post_text(&bundle, &app, format!("[{body}]")).await.json();
    let rewrite = format!(
        "update ops.alerts set last_facts = jsonb_set(last_facts, '{{detail,data}}', '{deep}') where subject = 'odd';
         update ops.outbox set facts = jsonb_set(facts, '{{detail,data}}', '{deep}') where facts ->> 'subject' = 'odd'",
        deep = nested(1_000)
    );
    bundle.admin().await.batch_execute(&rewrite).await.unwrap();
    bundle.fault(Service::Slack, Mode::Ok).await;
    make_due(&bundle).await;
    deliver(&bundle, &app).await;
    assert_eq!(outbox(&bundle, "pending").await, 0);
    assert_eq!(outbox(&bundle, "dead").await, 0);
    assert!(on(&bundle, Channel::Slack) >= 1);

    // Acknowledging answers what it did.
    let body = json!({"alertId": answer["results"][1]["alert"], "action": "acknowledge"});
    let app = bundle.instance(Endpoint::Acknowledge);
    let acknowledged = call(&app, Method::POST, "/api/alerts/acknowledge")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await;
    assert_eq!(
        acknowledged.status,
        StatusCode::OK,
        "{:?}",
        acknowledged.bytes
    );
}
